/*
 * The registers and the memory of a VGA with the linear modes of Bochs' "dispi" interface: what
 * firmware, boot loaders and systems without a driver draw on. vga_mode.h says what its registers
 * show, vga_paint.h draws that, vga_screen.h joins it to virtio-gpu.
 *
 * The text page at 0xb8000 is plain memory (`text`) for as long as the registers are those of a text
 * mode, so that nobody leaves the guest to write a character; planar modes and fonts go the slow way.
 *
 * Thread: ports and the window come on vCPU threads; every function takes the lock by itself.
 * `vram` and `text` change under everybody's eyes and hold nothing but colours, characters and dots.
 *
 * Source: IBM VGA technical reference (the registers as FreeVGA lists them); VBE dispi as SeaBIOS'
 * vgabios and OVMF's QemuVideoDxe use it.
 */
#ifndef IRORI_VMM_VGA_H
#define IRORI_VMM_VGA_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state;

enum vga_limits {
	VGA_PORT_BASE = 0x3b0,
	VGA_PORTS = 0x30,
	VGA_DISPI_PORT = 0x1ce, /* index; 0x1cf and 0x1d0: data */
	VGA_DISPI_PORTS = 4,
	VGA_WINDOW_BASE = 0xa0000,
	VGA_WINDOW_LEN = 0x20000,
	VGA_TEXT_BASE = 0xb8000,
	VGA_TEXT_LEN = 0x8000,
	VGA_PLANE = 0x10000, /* bytes of each of the four planes */
};

enum vga_dispi {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_MEMORY, /* in 64 KiB; read-only */
	DISPI_REGISTERS,

	DISPI_ENABLED = 0x01,
	DISPI_GETCAPS = 0x02,
	DISPI_8BIT_DAC = 0x20,
	DISPI_LFB = 0x40,
	DISPI_NOCLEAR = 0x80,
	DISPI_ID5 = 0xb0c5,
};

/* All that the guest can read back; saved and restored as it is. */
struct vga_registers {
	uint8_t seq_index, seq[5];
	uint8_t gfx_index, gfx[9];
	uint8_t crtc_index, crtc[25];
	uint8_t attr_index, attr[21]; /* index bit 5: the picture is on */
	uint8_t attr_data;            /* the next write to 3C0 is data */
	uint8_t misc, feature, status1;
	uint8_t dac_mask, dac_read, dac_write, dac_part, dac_state;
	uint8_t dac[768];
	uint8_t dac_new[3];
	uint8_t latch[4];
	uint16_t dispi_index, dispi[DISPI_REGISTERS];
};

struct vga {
	GMutex lock;
	struct vga_registers reg;
	/* The four planes lie interleaved at its beginning: byte `a` of plane p is vram[4 * a + p]. */
	uint8_t *vram;
	size_t vram_len;
	uint8_t *text;     /* VGA_TEXT_LEN, whole pages */
	bool text_plain;   /* accesses to the text page are plain memory */
	unsigned touched;  /* atomic: counts writes to vram by way of the window */
	/* The text page becomes plain memory, or ceases to be; under the lock, on a vCPU thread. */
	void (*text_changed)(void *owner, bool plain);
	void *owner;
};

/* vram and text stay the caller's. */
void vga_init(struct vga *vga, uint8_t *vram, size_t vram_len, uint8_t *text);
void vga_clear(struct vga *vga);
/* Registers as at power-on: no picture. vram is for its owner to clear, who may have a quick way. */
void vga_reset(struct vga *vga);

/* Offsets from VGA_PORT_BASE. A wider access is one of several bytes. */
uint64_t vga_port_read(struct vga *vga, uint64_t offset, unsigned size);
void vga_port_write(struct vga *vga, uint64_t offset, unsigned size, uint64_t value);
/* By the number of the register (BAR 2), and by offsets from VGA_DISPI_PORT. */
uint16_t vga_dispi_read(struct vga *vga, unsigned index);
void vga_dispi_write(struct vga *vga, unsigned index, uint16_t value);
uint64_t vga_dispi_port_read(struct vga *vga, uint64_t offset, unsigned size);
void vga_dispi_port_write(struct vga *vga, uint64_t offset, unsigned size, uint64_t value);

/* Offsets from VGA_WINDOW_BASE. */
uint64_t vga_window_read(struct vga *vga, uint64_t offset, unsigned size);
void vga_window_write(struct vga *vga, uint64_t offset, unsigned size, uint64_t value);

/* vram as well. */
void vga_state(struct vga *vga, struct state *state);

/* For vga.c and vga_memory.c: moves the text page between planes and plain memory if the registers
 * say so. Under the lock. */
void vga_text_follow(struct vga *vga);
/* The same, but what is in it is in the right place already. */
void vga_text_place(struct vga *vga);

#endif

/*
 * The VGA's registers, its window, and the gate between registers and what is drawn.
 */
#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/vga/modes.h"
#include "vmm/state.h"

static struct vga vga;
static uint8_t *vram, text[VGA_TEXT_LEN];
static int plain_now = -1;

static void text_moved(void *owner, bool plain)
{
	plain_now = plain;
}

static void begin(void)
{
	memset(vram, 0, MODES_VRAM);
	vga_reset(&vga);
	plain_now = -1;
}

static uint8_t in(unsigned port)
{
	return (uint8_t)vga_port_read(&vga, port - VGA_PORT_BASE, 1);
}

static struct vga_mode mode(void)
{
	struct vga_look look;

	vga_look(&vga, &look);
	return look.mode;
}

static void registers(void)
{
	begin();
	modes_out(&vga, 0x3c4, 1, 2);
	modes_out(&vga, 0x3c5, 1, 0xff);
	test_equal(in(0x3c5), 0x0f);
	modes_out(&vga, 0x3ce, 2, 0x7f05); /* index and data in one */
	test_equal(in(0x3cf), 0x7b);
	modes_out(&vga, 0x3c4, 1, 7);
	modes_out(&vga, 0x3c5, 1, 0xff); /* there is none */
	test_equal(in(0x3c5), 0);
	test_equal(in(0x3cc), 1);
	test_equal(in(0x3b4), 0xff); /* the CRTC is at 3D4 */
	modes_out(&vga, 0x3c2, 1, 0x66);
	test_equal(in(0x3cc), 0x66);
	test_equal(in(0x3d4), 0xff);
	modes_crtc(&vga, 0x11, 0x80);
	modes_out(&vga, 0x3c2, 1, 0x67);
	modes_crtc(&vga, 0x11, 0x80);
	modes_crtc(&vga, 0x01, 0x55);
	test_equal(vga.reg.crtc[1], 0);    /* protected */
	modes_crtc(&vga, 0x07, 0xff);
	test_equal(vga.reg.crtc[7], 0x10);
	modes_crtc(&vga, 0xff, 0xff);
}

/* 3C0 takes index and data in turn; a read of 3DA says that an index comes next. */
static void attribute_flip_flop(void)
{
	begin();
	in(0x3da);
	modes_out(&vga, 0x3c0, 1, 5);
	modes_out(&vga, 0x3c0, 1, 0x2a);
	modes_out(&vga, 0x3c0, 1, 0x06);
	in(0x3da);
	modes_out(&vga, 0x3c0, 1, 0x05);
	test_equal(in(0x3c1), 0x2a);
	in(0x3da);
	modes_out(&vga, 0x3c0, 1, 0x3f);
	modes_out(&vga, 0x3c0, 1, 0xff); /* no such register */
	test_equal(in(0x3c1), 0);
	test_assert(in(0x3da) != in(0x3da));
}

static void dac(void)
{
	begin();
	modes_out(&vga, 0x3c8, 1, 255);
	for (unsigned i = 0; i < 6; i++)
		modes_out(&vga, 0x3c9, 1, 0xf0 + i); /* on to colour 0 */
	modes_out(&vga, 0x3c7, 1, 255);
	for (unsigned i = 0; i < 6; i++)
		test_equal(in(0x3c9), 0x30 + i);
	test_equal(in(0x3c8), 1);
}

static void dispi(void)
{
	begin();
	test_equal(vga_dispi_read(&vga, DISPI_ID), 0xb0c5);
	vga_dispi_write(&vga, DISPI_ID, 0xb0c0);
	test_equal(vga_dispi_read(&vga, DISPI_ID), 0xb0c0);
	vga_dispi_write(&vga, DISPI_ID, 0xb0c6);
	test_equal(vga_dispi_read(&vga, DISPI_ID), 0xb0c0);
	test_equal(vga_dispi_read(&vga, DISPI_MEMORY), MODES_VRAM >> 16);
	vga_dispi_write(&vga, DISPI_ENABLE, DISPI_GETCAPS);
	test_equal(vga_dispi_read(&vga, DISPI_XRES), VGA_MAX_SIDE);
	test_equal(vga_dispi_read(&vga, DISPI_BPP), 32);
	vga_dispi_write(&vga, DISPI_ENABLE, 0);
	vga_dispi_port_write(&vga, 0, 2, DISPI_XRES);
	vga_dispi_port_write(&vga, 1, 2, 640);
	test_equal(vga_dispi_port_read(&vga, 1, 2), 640);
	test_equal(vga_dispi_port_read(&vga, 2, 2), 640);
	vga_dispi_port_write(&vga, 0, 2, 0xffff);
	vga_dispi_port_write(&vga, 1, 2, 1);
	test_equal(vga_dispi_port_read(&vga, 1, 2), 0);
	vga_dispi_write(&vga, DISPI_BANK, 0xffff);
	test_equal(vga_dispi_read(&vga, DISPI_BANK), (MODES_VRAM >> 16) - 1);
	/* What was there is gone when a mode comes, if it is not asked to stay. */
	vram[5] = 1;
	modes_dispi(&vga, 640, 480, 32, DISPI_NOCLEAR);
	test_equal(vram[5], 1);
	test_equal(vga_dispi_read(&vga, DISPI_VIRT_WIDTH), 640);
	modes_dispi(&vga, 640, 480, 32, 0);
	test_equal(vram[5], 0);
}

static void text_is_plain_memory(void)
{
	begin();
	modes_text(&vga);
	test_equal(plain_now, 1);
	vga_window_write(&vga, 0x18000, 2, 0x0741);
	test_equal(text[0], 'A');
	/* As vgabios opens the font: the page goes to its planes, and comes back. */
	modes_font_open(&vga);
	test_equal(plain_now, 0);
	test_equal(vram[0], 'A');
	test_equal(vram[1], 7);
	vga_window_write(&vga, 'A' * 32, 1, 0x81);
	test_equal(vram['A' * 32 * 4 + 2], 0x81);
	modes_font_close(&vga);
	test_equal(plain_now, 1);
	test_equal(text[0], 'A');
	test_equal(vga_window_read(&vga, 0x18000, 2), 0x0741);
	test_equal(vga_window_read(&vga, 0, 1), 0xff); /* not where the window is now */
	vga_reset(&vga);
	test_equal(plain_now, 0);
}

static void planar_writes(void)
{
	begin();
	modes_planar(&vga);
	modes_out(&vga, 0x3c4, 2, 0x0f02);
	vga_window_write(&vga, 10, 1, 0xa5);
	test_assert(!memcmp(vram + 40, "\xa5\xa5\xa5\xa5", 4));
	modes_out(&vga, 0x3c4, 2, 0x0502);
	modes_out(&vga, 0x3ce, 2, 0x0f08); /* bit mask: the lower half only */
	test_equal(vga_window_read(&vga, 10, 1), 0xa5);
	vga_window_write(&vga, 10, 1, 0x00);
	test_assert(!memcmp(vram + 40, "\xa0\xa5\xa0\xa5", 4));
	modes_out(&vga, 0x3ce, 2, 0x0205); /* mode 2: a colour */
	modes_out(&vga, 0x3ce, 2, 0xff08);
	modes_out(&vga, 0x3c4, 2, 0x0f02);
	vga_window_write(&vga, 11, 1, 0x06);
	test_assert(!memcmp(vram + 44, "\x00\xff\xff\x00", 4));
	modes_out(&vga, 0x3ce, 2, 0x0105); /* mode 1: the latch */
	vga_window_read(&vga, 11, 1);
	vga_window_write(&vga, 12, 1, 0x55);
	test_assert(!memcmp(vram + 48, "\x00\xff\xff\x00", 4));
	modes_out(&vga, 0x3ce, 2, 0x0805); /* read mode 1: compare */
	modes_out(&vga, 0x3ce, 2, 0x0602);
	modes_out(&vga, 0x3ce, 2, 0x0f07);
	test_equal(vga_window_read(&vga, 12, 1), 0xff);
	modes_out(&vga, 0x3ce, 2, 0x0005);
	modes_out(&vga, 0x3ce, 2, 0x1803); /* exclusive or */
	vga_window_read(&vga, 12, 1);
	vga_window_write(&vga, 12, 1, 0x0f);
	test_assert(!memcmp(vram + 48, "\x0f\xf0\xf0\x0f", 4));
}

static void chained_writes(void)
{
	begin();
	modes_packed(&vga);
	vga_window_write(&vga, 0x1234, 4, 0x04030201);
	test_assert(!memcmp(vram + 0x1234, "\x01\x02\x03\x04", 4));
	test_equal(vga_window_read(&vga, 0x1235, 1), 2);
	modes_dispi(&vga, 640, 480, 8, 0);
	vga_dispi_write(&vga, DISPI_BANK, 3);
	vga_window_write(&vga, 0x10, 1, 9);
	test_equal(vram[0x30010], 9);
}

static void usual_modes(void)
{
	struct vga_mode m;

	begin();
	test_equal(mode().kind, VGA_OFF);
	modes_text(&vga);
	m = mode();
	test_equal(m.kind, VGA_TEXT);
	test_assert(m.columns == 80 && m.rows == 25 && m.width == 720 && m.height == 400);
	modes_crtc(&vga, 9, 0x47); /* cells of eight lines */
	test_equal(mode().rows, 50);
	modes_planar(&vga);
	m = mode();
	test_assert(m.kind == VGA_PLANAR && m.width == 640 && m.height == 480 && m.pitch == 80);
	modes_packed(&vga);
	m = mode();
	test_assert(m.kind == VGA_PACKED && m.width == 320 && m.height == 200 && m.pitch == 320);
	modes_dispi(&vga, 1024, 768, 32, 0);
	m = mode();
	test_assert(m.kind == VGA_DIRECT && m.width == 1024 && m.pitch == 4096 && m.linear);
	in(0x3da);
	modes_out(&vga, 0x3c0, 1, 0); /* dark */
	test_equal(mode().kind, VGA_OFF);
}

/* No choice of the guest's passes that would be drawn from beyond its memory. */
static void hostile_modes(void)
{
	static const uint16_t sides[] = { 0, 1, 7, 8, 640, 1023, 4095, 4096, 4097, 32768, 65535 };
	static const uint16_t bits[] = { 0, 1, 4, 8, 15, 16, 24, 32, 33, 64, 65535 };
	unsigned shown = 0;

	begin();
	modes_text(&vga);
	for (unsigned i = 0; i < 11 * 11 * 11 * 11 * 11; i++) {
		struct vga_registers *reg = &vga.reg;
		struct vga_mode m;

		reg->dispi[DISPI_ENABLE] = DISPI_ENABLED;
		reg->dispi[DISPI_XRES] = sides[i % 11];
		reg->dispi[DISPI_YRES] = sides[i / 11 % 11];
		reg->dispi[DISPI_VIRT_WIDTH] = sides[i / 121 % 11];
		reg->dispi[DISPI_BPP] = bits[i / 1331 % 11];
		reg->dispi[DISPI_X_OFFSET] = reg->dispi[DISPI_Y_OFFSET] = sides[i / 14641];
		vga_mode_of(reg, MODES_VRAM, &m);
		if (m.kind == VGA_OFF)
			continue;
		shown++;
		test_assert(modes_fits(&m, MODES_VRAM));
	}
	test_assert(shown > 100);
}

static void saved(void)
{
	struct state *state = state_new_saving();
	struct vga_registers before;
	GBytes *bytes;

	begin();
	modes_text(&vga);
	modes_font_open(&vga);
	vga_window_write(&vga, 0x20, 1, 0x99);
	modes_font_close(&vga);
	text[3] = 7;
	before = vga.reg;
	vga_state(&vga, state);
	bytes = state_take(state);
	test_assert(g_bytes_get_size(bytes) < 100000); /* no megabytes of zeros */
	state_free(state);
	begin();
	state = state_new_loading(bytes);
	vga_state(&vga, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_assert(!memcmp(&before, &vga.reg, sizeof(before)));
	test_equal(text[3], 7);
	test_equal(vram[0x20 * 4 + 2], 0x99);
	test_equal(plain_now, 1);
}

static void saved_badly(void)
{
	struct vga_registers reg = vga.reg;
	struct state *state = state_new_saving();
	GBytes *bytes;

	reg.dac_part = 3;
	STATE(state, reg);
	bytes = state_take(state);
	state_free(state);
	state = state_new_loading(bytes);
	vga_state(&vga, state);
	test_assert(state_failed(state));
	g_error_free(state_error(state));
	state_free(state);
	test_assert(vga.reg.dac_part < 3);
}

int main(void)
{
	vram = g_malloc0(MODES_VRAM);
	vga_init(&vga, vram, MODES_VRAM, text);
	vga.text_changed = text_moved;
	test_run(registers);
	test_run(attribute_flip_flop);
	test_run(dac);
	test_run(dispi);
	test_run(text_is_plain_memory);
	test_run(planar_writes);
	test_run(chained_writes);
	test_run(usual_modes);
	test_run(hostile_modes);
	test_run(saved);
	test_run(saved_badly);
	vga_clear(&vga);
	g_free(vram);
	return 0;
}

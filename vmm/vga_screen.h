/*
 * The boot screen: a VGA on the function of virtio-gpu, and its picture for the seats for as long as
 * the guest's driver has not taken over. BAR 0 is video memory, BAR 2 has the registers where a
 * driver of Bochs' card looks for them (VGA ports at 0x400, dispi at 0x500) and virtio behind them;
 * the option ROM is SeaBIOS' vgabios.
 *
 * Thread: draw on the seat thread; everything else on the main thread, no processor running.
 */
#ifndef IRORI_VMM_VGA_SCREEN_H
#define IRORI_VMM_VGA_SCREEN_H

#include "vmm/gpu_resource.h"
#include "vmm/machine.h"
#include "vmm/virtio_pci.h"

struct vga_screen;

/* NULL and error set. Host memory of the pictures counts in `budget`. */
struct vga_screen *vga_screen_new(struct machine *machine, struct gpu_budget *budget,
	GError **error);
void vga_screen_free(struct vga_screen *screen); /* after its function is detached */
/* How virtio_attach_pci_at is to make the function; lives as long as the screen. */
const struct virtio_pci_place *vga_screen_place(struct vga_screen *screen);
void vga_screen_reset(struct vga_screen *screen);
void vga_screen_state(struct vga_screen *screen, struct state *state);

enum vga_screen_news {
	VGA_SCREEN_SAME,
	VGA_SCREEN_CHANGED,
	VGA_SCREEN_OFF, /* there was a picture, and there is none now */
};

struct vga_screen_picture {
	struct gpu_resource *resource; /* the screen's */
	struct rect damage;
	struct gpu_resource *old; /* what it replaces, or NULL: the caller's to free */
};

/* Brings the picture up to date. `shown` false: nobody has seen it yet, all of it is news. */
enum vga_screen_news vga_screen_draw(struct vga_screen *screen, bool shown,
	struct vga_screen_picture *picture);

#endif

/*
 * The option ROM that makes a VGA of the boot screen for a BIOS: SeaBIOS' vgabios, as the
 * distribution has it, in the function's ROM BAR. (Through fw_cfg the firmware would run it without
 * saying whose it is, and it would not find its video memory.)
 *
 * Thread: the main thread.
 */
#ifndef IRORI_VMM_VGA_ROM_H
#define IRORI_VMM_VGA_ROM_H

#include "vmm/pci.h"
#include "vmm/slot.h"

struct vga_rom {
	struct memory_slot slot;
	uint8_t *bytes; /* NULL: there is none */
	size_t len;
};

/* A missing or odd file is a warning: UEFI and systems with drivers of their own need none.
 * 0 or -errno. */
int vga_rom_init(struct vga_rom *rom, struct kvm *kvm);
void vga_rom_clear(struct vga_rom *rom);
void vga_rom_add(struct vga_rom *rom, struct pci_device *pci);

#endif

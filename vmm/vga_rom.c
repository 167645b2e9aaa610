/*
 * The option ROM's file into pages of our own: see vga_rom.h. Source of the checks: PCI Firmware
 * Specification 3.0, section 5.1.
 */
#define G_LOG_DOMAIN "irori-vga"

#include "vmm/vga_rom.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ROM_PATH "/usr/share/seabios/vgabios-virtio.bin"

enum {
	ROM_MAX = 256 << 10,
	ROM_MIN = 512,
	ROM_MAGIC_0 = 0x55,
	ROM_MAGIC_1 = 0xaa,
};

static size_t power_of_two(size_t len)
{
	size_t room = 4096;

	while (room < len)
		room *= 2;
	return room;
}

static bool rom_valid(const char *file, gsize len)
{
	return len >= ROM_MIN && len <= ROM_MAX && (uint8_t)file[0] == ROM_MAGIC_0 &&
		(uint8_t)file[1] == ROM_MAGIC_1;
}

int vga_rom_init(struct vga_rom *rom, struct kvm *kvm)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *file = NULL;
	void *pages;
	gsize len;

	memset(rom, 0, sizeof(*rom));
	if (!g_file_get_contents(ROM_PATH, &file, &len, &error)) {
		g_warning("%s (Debian package seabios): no screen under a BIOS", error->message);
		return 0;
	}
	if (!rom_valid(file, len)) {
		g_warning(ROM_PATH ": no option ROM; no screen under a BIOS");
		return 0;
	}
	rom->len = power_of_two(len);
	pages = mmap(NULL, rom->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -ENOMEM;
	rom->bytes = pages;
	memcpy(rom->bytes, file, len);
	return slot_init(&rom->slot, kvm, "vga rom", rom->bytes, rom->len, SLOT_READ_ONLY);
}

void vga_rom_clear(struct vga_rom *rom)
{
	if (rom->bytes)
		munmap(rom->bytes, rom->len);
	rom->bytes = NULL;
}

void vga_rom_add(struct vga_rom *rom, struct pci_device *pci)
{
	if (rom->bytes)
		pci_add_rom(pci, &rom->slot);
}

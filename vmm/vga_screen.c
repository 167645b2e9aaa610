/*
 * The VGA among its buses, and its picture: see vga_screen.h.
 *
 * The guest reaches video memory and the text page without leaving; what it wrote is found out from
 * the kernel's log of dirty pages (video memory) and by comparing (text, which is 4000 bytes).
 */
#define G_LOG_DOMAIN "irori-vga"

#include "vmm/vga_screen.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/error.h"
#include "vmm/kvm.h"
#include "vmm/slot.h"
#include "vmm/state.h"
#include "vmm/vga_paint.h"
#include "vmm/vga_rom.h"

enum {
	SCREEN_VRAM = 16 << 20,
	SCREEN_PAGES = SCREEN_VRAM >> 12,
	SCREEN_BAR_LEN = 0x10000,
	SCREEN_BAR_VGA = 0x400, /* ports 3C0 to 3DF */
	SCREEN_BAR_DISPI = 0x500,
	SCREEN_BAR_VIRTIO = 0x8000,
	SCREEN_FORMAT = 2, /* B8G8R8X8: ours */
	SCREEN_PATIENCE = 5, /* draws without a picture until seats are told that it is off */
	RAM_SLOT_ABOVE = KVM_SLOTS_RAM - 1,
};

struct vga_screen {
	struct machine *machine;
	struct vga vga;
	struct memory_slot vram_slot, text_slot;
	struct vga_rom rom;
	struct region ports, dispi, window;
	struct virtio_pci_place place;
	struct gpu_budget *budget;
	struct vga_painter painter;
	struct gpu_resource *resource;
	uint32_t last_id;
	unsigned dark; /* draws in a row that found no picture */
	uint64_t dirty[SCREEN_PAGES / 64];
};

/* Ports, window, registers in BAR 2 */

static uint64_t ports_read(void *owner, uint64_t offset, unsigned size)
{
	return vga_port_read(owner, offset, size);
}

static void ports_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	vga_port_write(owner, offset, size, value);
}

static uint64_t dispi_read(void *owner, uint64_t offset, unsigned size)
{
	return vga_dispi_port_read(owner, offset, size);
}

static void dispi_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	vga_dispi_port_write(owner, offset, size, value);
}

static uint64_t window_read(void *owner, uint64_t offset, unsigned size)
{
	return vga_window_read(owner, offset, size);
}

static void window_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	vga_window_write(owner, offset, size, value);
}

static const struct region_ops ports_ops = { ports_read, ports_write };
static const struct region_ops dispi_ops = { dispi_read, dispi_write };
static const struct region_ops window_ops = { window_read, window_write };

static bool bar_vga(uint64_t offset, unsigned size, uint64_t *port)
{
	*port = offset - SCREEN_BAR_VGA + (0x3c0 - VGA_PORT_BASE);
	return offset >= SCREEN_BAR_VGA && offset + size <= SCREEN_BAR_VGA + 0x20;
}

static bool bar_dispi(uint64_t offset, unsigned size, unsigned *index)
{
	*index = (unsigned)(offset - SCREEN_BAR_DISPI) / 2;
	return offset >= SCREEN_BAR_DISPI && size == 2 && offset % 2 == 0 &&
		offset < SCREEN_BAR_DISPI + 2 * DISPI_REGISTERS;
}

static uint64_t bar_read(void *owner, uint64_t offset, unsigned size)
{
	struct vga *vga = owner;
	unsigned index;
	uint64_t port;

	if (bar_vga(offset, size, &port))
		return vga_port_read(vga, port, size);
	return bar_dispi(offset, size, &index) ? vga_dispi_read(vga, index) : UINT64_MAX;
}

static void bar_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga *vga = owner;
	unsigned index;
	uint64_t port;

	if (bar_vga(offset, size, &port))
		vga_port_write(vga, port, size, value);
	else if (bar_dispi(offset, size, &index))
		vga_dispi_write(vga, index, (uint16_t)value);
}

static const struct region_ops bar_ops = { bar_read, bar_write };

static void text_changed(void *owner, bool plain)
{
	struct vga_screen *screen = owner;

	if (!plain)
		slot_unmap(&screen->text_slot);
	else if (slot_map(&screen->text_slot, VGA_TEXT_BASE) < 0)
		g_debug("the text page is reached by way of the bus"); /* slow, and right */
}

/* The picture */

static bool picture_fits(const struct vga_screen *screen, const struct vga_mode *mode)
{
	return screen->resource && screen->resource->width == mode->width &&
		screen->resource->height == mode->height;
}

static bool picture_new(struct vga_screen *screen, const struct vga_mode *mode,
	struct vga_screen_picture *picture)
{
	struct gpu_resource *resource;
	int rc = gpu_resource_new(++screen->last_id, SCREEN_FORMAT, mode->width, mode->height,
		screen->budget, &resource);

	if (rc) {
		g_debug("%ux%u: %s", mode->width, mode->height, g_strerror(-rc));
		return false;
	}
	picture->old = screen->resource;
	screen->resource = resource;
	screen->painter.valid = false;
	return true;
}

enum vga_screen_news vga_screen_draw(struct vga_screen *screen, bool shown,
	struct vga_screen_picture *picture)
{
	struct vga_dirty dirty = { NULL, SCREEN_PAGES };
	struct vga_look look;
	bool changed;

	memset(picture, 0, sizeof(*picture));
	vga_look(&screen->vga, &look);
	if (look.mode.kind == VGA_OFF ||
		(!picture_fits(screen, &look.mode) && !picture_new(screen, &look.mode, picture))) {
		/* Mode changes are dark for a moment; that needs no black picture. */
		if (!shown || ++screen->dark < SCREEN_PATIENCE)
			return VGA_SCREEN_SAME;
		screen->dark = 0;
		return VGA_SCREEN_OFF;
	}
	screen->dark = 0;
	if (look.mode.linear && slot_dirty(&screen->vram_slot, screen->dirty) == 0)
		dirty.page = screen->dirty;
	changed = vga_paint(&screen->painter, &screen->vga, &look, &dirty,
		(uint32_t *)(void *)screen->resource->pixels,
		screen->resource->stride / sizeof(uint32_t), &picture->damage);
	picture->resource = screen->resource;
	if (!shown)
		picture->damage = (struct rect){ 0, 0, look.mode.width, look.mode.height };
	return changed || !shown ? VGA_SCREEN_CHANGED : VGA_SCREEN_SAME;
}

/* The device */

const struct virtio_pci_place *vga_screen_place(struct vga_screen *screen)
{
	return &screen->place;
}

static void function_prepare(struct pci_device *pci, void *owner)
{
	struct vga_screen *screen = owner;

	pci_add_bar_memory(pci, 0, &screen->vram_slot, false);
	vga_rom_add(&screen->rom, pci);
	/* It has no port BAR, but ports; firmware wants to switch them on. */
	pci->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
}

void vga_screen_reset(struct vga_screen *screen)
{
	vga_reset(&screen->vga);
	/* Pages that nobody has written since cost nothing. */
	if (madvise(screen->vga.vram, SCREEN_VRAM, MADV_DONTNEED) < 0)
		memset(screen->vga.vram, 0, SCREEN_VRAM);
	screen->painter.valid = false;
}

void vga_screen_state(struct vga_screen *screen, struct state *state)
{
	vga_state(&screen->vga, state);
	screen->painter.valid = false;
}

static void *pages_new(size_t len)
{
	void *pages = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

/* RAM makes room for the window: the guest's accesses to it have to come to us. */
static int window_open(struct vga_screen *screen)
{
	const struct memory_part *low = memory_part(screen->machine->memory, 0);
	const uint64_t end = VGA_WINDOW_BASE + VGA_WINDOW_LEN;
	struct kvm *kvm = screen->machine->kvm;
	int rc = 0;

	if (!kvm || low->len <= VGA_WINDOW_BASE)
		return 0;
	rc = kvm_set_slot(kvm, 0, 0, low->gpa, 0, low->host);
	if (!rc)
		rc = kvm_add_memory(kvm, 0, 0, VGA_WINDOW_BASE, low->host);
	if (!rc && low->len > end)
		rc = kvm_add_memory(kvm, RAM_SLOT_ABOVE, end, low->len - end,
			(uint8_t *)low->host + end);
	return rc;
}

static int regions_add(struct vga_screen *screen)
{
	struct vga *vga = &screen->vga;
	int rc;

	screen->ports = (struct region){ .name = "vga", .base = VGA_PORT_BASE, .len = VGA_PORTS,
		.ops = &ports_ops, .owner = vga };
	screen->dispi = (struct region){ .name = "dispi", .base = VGA_DISPI_PORT,
		.len = VGA_DISPI_PORTS, .ops = &dispi_ops, .owner = vga };
	screen->window = (struct region){ .name = "vga window", .base = VGA_WINDOW_BASE,
		.len = VGA_WINDOW_LEN, .ops = &window_ops, .owner = vga };
	rc = bus_add(screen->machine->pio, &screen->ports);
	if (!rc)
		rc = bus_add(screen->machine->pio, &screen->dispi);
	return rc ? rc : bus_add(screen->machine->mmio, &screen->window);
}

static int screen_make(struct vga_screen *screen)
{
	struct kvm *kvm = screen->machine->kvm;
	uint8_t *vram = pages_new(SCREEN_VRAM), *text = pages_new(VGA_TEXT_LEN);
	int rc;

	if (!vram || !text)
		return -ENOMEM; /* a few megabytes: what is there goes with the process */
	vga_init(&screen->vga, vram, SCREEN_VRAM, text);
	screen->vga.text_changed = text_changed;
	screen->vga.owner = screen;
	rc = slot_init(&screen->vram_slot, kvm, "video memory", vram, SCREEN_VRAM, SLOT_DIRTY_LOG);
	if (!rc)
		rc = slot_init(&screen->text_slot, kvm, "text page", text, VGA_TEXT_LEN, 0);
	if (!rc)
		rc = vga_rom_init(&screen->rom, kvm);
	if (!rc)
		rc = window_open(screen);
	return rc ? rc : regions_add(screen);
}

struct vga_screen *vga_screen_new(struct machine *machine, struct gpu_budget *budget,
	GError **error)
{
	struct vga_screen *screen = g_new0(struct vga_screen, 1);
	int rc;

	screen->machine = machine;
	screen->budget = budget;
	screen->place = (struct virtio_pci_place){
		.bar = 2,
		.len = SCREEN_BAR_LEN,
		.offset = SCREEN_BAR_VIRTIO,
		.below = &bar_ops,
		.below_owner = &screen->vga,
		.vga = true,
		.prepare = function_prepare,
		.owner = screen,
	};
	rc = screen_make(screen);
	if (!rc)
		return screen;
	fail_as(error, EX_OSERR, "VGA: %s", g_strerror(-rc));
	vga_screen_free(screen);
	return NULL;
}

void vga_screen_free(struct vga_screen *screen)
{
	if (!screen)
		return;
	bus_remove(screen->machine->pio, &screen->ports);
	bus_remove(screen->machine->pio, &screen->dispi);
	bus_remove(screen->machine->mmio, &screen->window);
	slot_unmap(&screen->text_slot);
	vga_rom_clear(&screen->rom);
	if (screen->resource)
		gpu_resource_free(screen->resource);
	vga_clear(&screen->vga);
	if (screen->vga.vram)
		munmap(screen->vga.vram, SCREEN_VRAM);
	if (screen->vga.text)
		munmap(screen->vga.text, VGA_TEXT_LEN);
	g_free(screen);
}

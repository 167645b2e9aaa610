/*
 * BARs of every kind, functions, ECAM that moves, bus mastering, and a function's saved state.
 */
#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/kvm.h"
#include "vmm/pci.h"
#include "vmm/slot.h"
#include "vmm/state.h"

enum {
	ECAM = 0xb0000000,
	WINDOW = 0xc0000000,
	WINDOW_LEN = 0x10000000,
	MEMORY_LEN = 1 << 20,
	TABLE = 0x1000,
	PCIEXBAR = 0x60,
};

static struct bus *mmio, *pio;
static struct pci_bus *pci;
static struct pci_device card;
static struct memory_slot slot;
static uint8_t *video;
static unsigned raised, routed, commands;

static int count_route(struct msi_sink *sink, struct pci_device *device, unsigned index,
	uint64_t address, uint32_t data)
{
	routed++;
	return 0;
}

static void count_raise(struct msi_sink *sink, struct pci_device *device, unsigned index)
{
	raised++;
}

static struct msi_sink sink = { .route = count_route, .raise = count_raise };

/* A kernel that takes every slot and has seen no write. */
int kvm_new_slot(struct kvm *kvm)
{
	return 8;
}

int kvm_set_slot(struct kvm *kvm, unsigned number, uint32_t flags, uint64_t gpa, uint64_t len,
	void *host)
{
	return 0;
}

int kvm_slot_dirty(struct kvm *kvm, unsigned number, uint64_t *bitmap)
{
	memset(bitmap, 0, MEMORY_LEN / 4096 / 8);
	return 0;
}

static uint64_t card_read(void *owner, uint64_t offset, unsigned size)
{
	return offset >= TABLE ? msix_read(&card, offset - TABLE, size) : 0x42;
}

static void card_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset >= TABLE)
		msix_write(&card, offset - TABLE, size, value);
}

static const struct region_ops card_ops = { .read = card_read, .write = card_write };

static void command_written(struct pci_device *device)
{
	commands++;
}

static const struct pci_device_ops card_pci_ops = { .command_written = command_written };

static void card_new(void)
{
	static const struct pci_id id = { .vendor = 0x1af4, .device = 0x1044 };

	pci_init(&card, "card", &id, &card_pci_ops);
	pci_add_bar64(&card, 0, 0x2000, &card_ops, NULL, "wide");
	pci_add_bar_io(&card, 2, 32, &card_ops, NULL, "ports");
	test_equal(slot_init(&slot, NULL, "video", video, MEMORY_LEN, SLOT_DIRTY_LOG), 0);
	pci_add_bar_memory(&card, 4, &slot, true);
	pci_add_express(&card);
	pci_add_intx(&card);
	pci_add_msix(&card, 4, 0, TABLE);
	test_equal(pci_attach(pci, &card, 3), 0);
}

static void setup(void)
{
	raised = routed = commands = 0;
	mmio = bus_new("mmio");
	pio = bus_new("pio");
	pci = pci_bus_new(mmio, pio, &sink);
	test_equal(pci_bus_map(pci, ECAM), 0);
	memset(video, 0, MEMORY_LEN);
	card_new();
}

static void teardown(void)
{
	pci_detach(&card);
	pci_bus_free(pci);
	bus_free(mmio);
	bus_free(pio);
}

static uint64_t at(uint64_t gpa, unsigned size)
{
	uint64_t value;

	bus_read(mmio, gpa, size, &value);
	return value;
}

static uint64_t port(uint16_t number, unsigned size)
{
	uint64_t value;

	bus_read(pio, number, size, &value);
	return value;
}

static void put(unsigned offset, unsigned size, uint64_t value)
{
	bus_write(pio, 0xcf8, 4, 0x80000000 | 3 << 11 | (offset & 0xfc));
	bus_write(pio, 0xcfc + offset % 4, size, value);
}

static uint64_t get(unsigned offset, unsigned size)
{
	bus_write(pio, 0xcf8, 4, 0x80000000 | 3 << 11 | (offset & 0xfc));
	return port((uint16_t)(0xcfc + offset % 4), size);
}

static void put_bridge(unsigned offset, uint32_t value)
{
	bus_write(pio, 0xcf8, 4, 0x80000000 | offset);
	bus_write(pio, 0xcfc, 4, value);
}

static void wide_bar(void)
{
	setup();
	test_equal(get(PCI_BAR0, 4), 0xc);
	put(PCI_BAR0, 4, 0xffffffff);
	put(PCI_BAR0 + 4, 4, 0xffffffff);
	test_equal(get(PCI_BAR0, 4), 0xffffe00c);
	test_equal(get(PCI_BAR0 + 4, 4), 0xffffffff);
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY); /* sized and switched on: nowhere */
	test_assert(!card.bar[0].mapped);
	put(PCI_BAR0, 4, 0x10000000);
	test_assert(!card.bar[0].mapped);
	put(PCI_BAR0 + 4, 4, 0x20);
	test_equal(at(0x2010000000, 4), 0x42);
	put(PCI_BAR0 + 4, 4, 0);
	test_equal(at(0x10000000, 4), 0x42);
	test_equal(at(0x2010000000, 4), 0xffffffff);
	put(PCI_BAR0 + 4, 4, 1u << 14); /* beyond any processor's addresses */
	test_assert(!card.bar[0].mapped);
	teardown();
}

static void port_bar(void)
{
	setup();
	test_equal(get(PCI_BAR0 + 8, 4), 1);
	put(PCI_BAR0 + 8, 4, 0xffffffff);
	test_equal(get(PCI_BAR0 + 8, 4), 0xffffffe1);
	put(PCI_COMMAND, 2, PCI_COMMAND_IO);
	put(PCI_BAR0 + 8, 4, 0xc041);
	test_equal(port(0xc040, 4), 0x42);
	test_equal(port(0xc060, 4), 0xffffffff);
	put(PCI_BAR0 + 8, 4, 0xcf8); /* rounded down to 0xce0, over CF8: nowhere */
	test_assert(!card.bar[2].mapped);
	put(PCI_BAR0 + 8, 4, 0x1c040);
	test_assert(!card.bar[2].mapped);
	put(PCI_BAR0 + 8, 4, 0xc040);
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	test_equal(port(0xc040, 4), 0xffffffff);
	teardown();
}

static void memory_bar(void)
{
	uint64_t bitmap[MEMORY_LEN / 4096 / 64];

	setup();
	test_equal(get(PCI_BAR0 + 16, 4), 0xc);
	test_assert(!slot.mapped);
	pci_bus_assign(pci, WINDOW, WINDOW_LEN);
	test_assert(slot.mapped);
	test_equal(slot.base, WINDOW + 0x100000);
	bus_write(mmio, slot.base + 8, 8, 0x1122334455667788);
	test_equal(video[8], 0x88);
	test_equal(at(slot.base + 12, 4), 0x11223344);
	test_equal(at(slot.base + MEMORY_LEN - 8, 8), 0);
	test_equal(at(slot.base + MEMORY_LEN, 4), 0xffffffff);
	test_assert(slot_dirty(&slot, bitmap) < 0); /* no KVM: take it as written */
	put(PCI_BAR0 + 16, 4, 0xd0000000);
	test_equal(slot.base, 0xd0000000);
	test_equal(at(0xd0000008, 1), 0x88);
	put(PCI_COMMAND, 2, 0);
	test_assert(!slot.mapped);
	pci_bus_renew(pci, WINDOW, WINDOW_LEN);
	test_equal(slot.base, WINDOW + 0x100000);
	teardown();
	test_assert(!slot.mapped);
	test_equal(slot_init(&slot, NULL, "odd", video, 4097, 0), -EINVAL);
	test_equal(slot_init(&slot, NULL, "odd", video + 1, 4096, 0), -EINVAL);
	test_equal(slot_init(&slot, NULL, "none", video, 0, 0), -EINVAL);
}

static void assigned(void)
{
	setup();
	pci_bus_assign(pci, WINDOW, WINDOW_LEN);
	test_equal(get(PCI_COMMAND, 2), PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	test_equal(get(PCI_BAR0, 4), WINDOW | 0xc);
	test_equal(get(PCI_BAR0 + 4, 4), 0);
	test_equal(get(PCI_BAR0 + 8, 4), 0xc001);
	test_equal(port(0xc000, 1), 0x42);
	teardown();
}

static void functions(void)
{
	static const struct pci_id id = { .vendor = 0x8086, .device = 2 };
	static struct pci_device second;
	uint64_t value;

	setup();
	pci_init(&second, "second", &id, NULL);
	test_equal(pci_attach_function(pci, &second, 3, 8), -EINVAL);
	test_equal(pci_attach_function(pci, &second, 32, 1), -EINVAL);
	test_equal(pci_attach_function(pci, &second, 3, 0), -EBUSY);
	test_equal(get(PCI_HEADER_TYPE, 1), 0);
	test_equal(pci_attach_function(pci, &second, 3, 2), 0);
	test_equal(get(PCI_HEADER_TYPE, 1), 0x80);
	test_equal(at(ECAM + (3 << 15) + (2 << 12), 4), 0x00028086);
	test_equal(at(ECAM + (3 << 15) + (1 << 12), 4), 0xffffffff);
	bus_write(pio, 0xcf8, 4, 0x80000000 | 3 << 11 | 2 << 8);
	bus_read(pio, 0xcfc, 4, &value);
	test_equal(value, 0x00028086);
	pci_bus_reset(pci);
	test_equal(get(PCI_HEADER_TYPE, 1), 0x80);
	pci_detach(&second);
	teardown();
}

/* The kernel forgets a slot's log when the slot goes. */
static void dirty_is_not_lost(void)
{
	struct kvm *kvm = (struct kvm *)(void *)&sink;
	uint64_t bitmap[MEMORY_LEN / 4096 / 64];
	struct memory_slot logged;

	setup();
	test_equal(slot_init(&logged, kvm, "logged", video, MEMORY_LEN, SLOT_DIRTY_LOG), 0);
	test_equal(slot_map(&logged, 0xd0000000), 0);
	test_assert(slot_dirty(&logged, bitmap) < 0);
	test_equal(slot_dirty(&logged, bitmap), 0);
	test_equal(slot_map(&logged, 0xd0000000), 0); /* it is there */
	test_equal(slot_dirty(&logged, bitmap), 0);
	slot_unmap(&logged);
	test_equal(slot_map(&logged, 0xd0000000), 0);
	test_assert(slot_dirty(&logged, bitmap) < 0);
	test_equal(slot_dirty(&logged, bitmap), 0);
	teardown();
}

static unsigned told;

static void ecam_told(void *owner)
{
	told++;
}

static void ecam_moves(void)
{
	uint64_t base, len;

	setup();
	told = 0;
	pci_bus_ecam_moved(pci, ecam_told, NULL);
	test_assert(pci_bus_ecam(pci, &base, &len));
	test_equal(base, ECAM);
	test_equal(len, 256 << 20);
	test_equal(at(ECAM + (1 << 20), 4), 0xffffffff); /* bus 1 */
	put_bridge(PCIEXBAR, 0); /* as firmware does: off, upper half, lower half and on */
	test_assert(!pci_bus_ecam(pci, &base, &len));
	test_equal(at(ECAM, 4), 0xffffffff);
	put_bridge(PCIEXBAR + 4, 0);
	put_bridge(PCIEXBAR, 0xe0000001);
	test_equal(at(0xe0000000, 4), 0x29c08086);
	test_equal(told, 2);
	/* By way of itself, from under its own feet. */
	bus_write(mmio, 0xe0000000 + PCIEXBAR, 4, 0xf0000005);
	test_equal(at(0xf0000000, 4), 0x29c08086);
	test_assert(pci_bus_ecam(pci, &base, &len));
	test_equal(len, 64 << 20);
	test_equal(at(0xe0000000, 4), 0xffffffff);
	put_bridge(PCIEXBAR, 0xf0000007); /* a length that is reserved */
	test_assert(!pci_bus_ecam(pci, &base, &len));
	/* Onto a BAR: nowhere, and there once the BAR has gone. */
	pci_bus_assign(pci, WINDOW, WINDOW_LEN);
	put_bridge(PCIEXBAR, WINDOW | 1);
	test_assert(!pci_bus_ecam(pci, &base, &len));
	test_equal(at(WINDOW, 4), 0x42);
	pci_bus_reset(pci);
	test_assert(pci_bus_ecam(pci, &base, &len));
	test_equal(base, ECAM);
	teardown();
}

/* A guest that had a BAR where ECAM belongs leaves the next one no trace of it. */
static void ecam_comes_back(void)
{
	uint64_t base, len;

	setup();
	put_bridge(PCIEXBAR, 0xd0000001);
	put(PCI_BAR0, 4, ECAM + (1 << 24));
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	test_equal(at(ECAM + (1 << 24), 4), 0x42);
	pci_bus_reset(pci);
	test_assert(pci_bus_ecam(pci, &base, &len));
	test_equal(base, ECAM);
	test_equal(at(ECAM, 4), 0x29c08086);
	teardown();
}

static void only_a_master_interrupts(void)
{
	unsigned control;

	setup();
	control = card.msix_cap + 2;
	pci_bus_assign(pci, WINDOW, WINDOW_LEN);
	test_assert(pci_master(&card));
	put(control, 2, 0x8000);
	bus_write(mmio, WINDOW + TABLE + 16 + 12, 4, 0);
	msix_raise(&card, 1);
	test_equal(raised, 1);
	commands = 0;
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	test_equal(commands, 1);
	test_assert(!pci_master(&card));
	msix_raise(&card, 1);
	test_equal(raised, 1);
	test_equal(at(WINDOW + TABLE + 0x800, 4), 2);
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	test_equal(raised, 2);
	teardown();
}

static GBytes *saved_card(void)
{
	struct state *state = state_new_saving();
	GBytes *bytes;

	pci_bus_state(pci, state);
	pci_state(&card, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	return bytes;
}

static bool loaded_card(GBytes *bytes)
{
	struct state *state = state_new_loading(bytes);
	bool good;

	pci_bus_state(pci, state);
	pci_state(&card, state);
	good = !state_failed(state) && state_at_end(state);
	state_free(state);
	return good;
}

static void saved(void)
{
	uint64_t base, len;
	unsigned control;
	GBytes *bytes;

	setup();
	control = card.msix_cap + 2;
	put_bridge(PCIEXBAR, 0xe0000001);
	pci_bus_assign(pci, WINDOW, WINDOW_LEN);
	put(PCI_BAR0 + 16, 4, 0xd0000000);
	put(control, 2, 0x8000);
	bus_write(mmio, WINDOW + TABLE, 4, 0xfee01000);
	bus_write(mmio, WINDOW + TABLE + 12, 4, 0);
	msix_raise(&card, 2); /* masked: waits */
	bytes = saved_card();
	teardown();

	setup();
	test_assert(loaded_card(g_bytes_ref(bytes)));
	test_assert(pci_bus_ecam(pci, &base, &len));
	test_equal(base, 0xe0000000);
	test_equal(slot.base, 0xd0000000);
	test_equal(at(WINDOW, 4), 0x42);
	test_equal(routed, 1);
	test_equal(at(WINDOW + TABLE, 4), 0xfee01000);
	test_equal(raised, 0);
	bus_write(mmio, WINDOW + TABLE + 2 * 16 + 12, 4, 0);
	test_equal(raised, 1);
	teardown();
	g_bytes_unref(bytes);
}

/* A file that says otherwise changes nothing that a guest could not change. */
static void hostile_file(void)
{
	GBytes *bytes;
	gsize len;
	uint8_t *copy;

	setup();
	pci_bus_assign(pci, WINDOW, WINDOW_LEN);
	bytes = saved_card();
	teardown();
	copy = g_memdup2(g_bytes_get_data(bytes, &len), g_bytes_get_size(bytes));
	for (gsize i = 0; i + 300 < len; i++)
		if (!memcmp(copy + i, "config", 6))
			memset(copy + i + 10, 0xff, 256);
	setup();
	test_assert(loaded_card(g_bytes_new_take(copy, len)));
	test_equal(get(0, 4), 0x10441af4);
	test_equal(get(PCI_CAP_POINTER, 1), 0x40);
	test_assert(!card.bar[0].mapped);
	teardown();
	setup();
	test_assert(!loaded_card(g_bytes_new_from_bytes(bytes, 0, len - 2)));
	teardown();
	g_bytes_unref(bytes);
}

int main(void)
{
	video = aligned_alloc(4096, MEMORY_LEN);
	test_assert(video);
	test_run(wide_bar);
	test_run(port_bar);
	test_run(memory_bar);
	test_run(assigned);
	test_run(functions);
	test_run(dirty_is_not_lost);
	test_run(ecam_moves);
	test_run(ecam_comes_back);
	test_run(only_a_master_interrupts);
	test_run(saved);
	test_run(hostile_file);
	free(video);
	return 0;
}

/* PCI configuration space by both ways, BARs that come, go and change places, MSI-X masks. */
#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/pci.h"

enum {
	ECAM = 0xb0000000,
	WINDOW = 0xc0000000,
	BAR_LEN = 0x4000,
	TABLE = 0x2000,
	VECTORS = 40,
};

struct card {
	struct pci_device pci;
	unsigned reads;
	uint64_t moved[8]; /* what bar_moved was told, in turn */
	unsigned moves;
};

static struct bus *mmio, *pio;
static struct pci_bus *pci;
static unsigned routed, raised[PCI_MSIX_MAX];
static uint64_t last_address;
static uint32_t last_data;

static int count_route(struct msi_sink *sink, struct pci_device *device, unsigned index,
	uint64_t address, uint32_t data)
{
	routed++;
	last_address = address;
	last_data = data;
	return 0;
}

static void count_raise(struct msi_sink *sink, struct pci_device *device, unsigned index)
{
	raised[index]++;
}

static struct msi_sink sink = {.route = count_route, .raise = count_raise};

static uint64_t card_read(void *owner, uint64_t offset, unsigned size)
{
	struct card *card = owner;

	if (offset >= TABLE && offset < TABLE + 0x1000)
		return msix_read(&card->pci, offset - TABLE, size);
	card->reads++;
	return 0x42;
}

static void card_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct card *card = owner;

	if (offset >= TABLE && offset < TABLE + 0x1000)
		msix_write(&card->pci, offset - TABLE, size, value);
}

static const struct region_ops card_ops = {.read = card_read, .write = card_write};

static void card_moved(struct pci_device *device, unsigned bar, uint64_t base)
{
	struct card *card = (struct card *)device;

	if (card->moves < 8)
		card->moved[card->moves] = base;
	card->moves++;
}

static const struct pci_device_ops card_pci_ops = {.bar_moved = card_moved};

static void card_init(struct card *card)
{
	static const struct pci_id id = {
		.vendor = 0x1af4, .device = 0x1044, .class_code = 1, .subclass = 2, .revision = 1};

	memset(card, 0, sizeof(*card));
	pci_init(&card->pci, "card", &id, &card_pci_ops);
	pci_add_bar(&card->pci, 0, BAR_LEN, &card_ops, card, "card");
	pci_add_msix(&card->pci, VECTORS, 0, TABLE);
}

static void setup(void)
{
	memset(raised, 0, sizeof(raised));
	routed = 0;
	mmio = bus_new("mmio");
	pio = bus_new("pio");
	pci = pci_bus_new(mmio, pio, &sink);
	test_equal(pci_bus_map(pci, ECAM), 0);
}

static void teardown(void)
{
	pci_bus_free(pci);
	bus_free(mmio);
	bus_free(pio);
}

static uint64_t ecam(unsigned slot, unsigned offset)
{
	return ECAM + ((uint64_t)slot << 15) + offset;
}

static uint64_t get(unsigned slot, unsigned offset, unsigned size)
{
	uint64_t value;

	bus_read(mmio, ecam(slot, offset), size, &value);
	return value;
}

static void put(unsigned slot, unsigned offset, unsigned size, uint64_t value)
{
	bus_write(mmio, ecam(slot, offset), size, value);
}

static uint64_t at(uint64_t gpa, unsigned size)
{
	uint64_t value;

	bus_read(mmio, gpa, size, &value);
	return value;
}

static void two_ways_in(void)
{
	uint64_t value;

	setup();
	test_equal(get(0, 0, 4), 0x29c08086);
	test_equal(get(0, 2, 2), 0x29c0);
	test_equal(get(0, 3, 1), 0x29);
	bus_write(pio, 0xcf8, 4, 0x80000000);
	bus_read(pio, 0xcfc, 4, &value);
	test_equal(value, 0x29c08086);
	bus_read(pio, 0xcfe, 2, &value);
	test_equal(value, 0x29c0);
	bus_read(pio, 0xcff, 1, &value);
	test_equal(value, 0x29);
	bus_read(pio, 0xcf8, 4, &value);
	test_equal(value, 0x80000000);
	/* Across the doubleword, switched off, another bus, another function, an empty slot. */
	bus_read(pio, 0xcfe, 4, &value);
	test_equal(value, 0xffffffff);
	bus_write(pio, 0xcf8, 4, 0);
	bus_read(pio, 0xcfc, 4, &value);
	test_equal(value, 0xffffffff);
	bus_write(pio, 0xcf8, 4, 0x80010000);
	bus_read(pio, 0xcfc, 4, &value);
	test_equal(value, 0xffffffff);
	bus_write(pio, 0xcf8, 4, 0x80000100);
	bus_read(pio, 0xcfc, 4, &value);
	test_equal(value, 0xffffffff);
	test_equal(get(5, 0, 4), 0xffffffff);
	test_equal(at(ECAM + 0x1000, 4), 0xffffffff);
	test_equal(get(0, 0xffe, 4), 0xffffffff); /* past the function's end */
	teardown();
}

static uint8_t reset_value;

static uint8_t reset_read(void *owner)
{
	return 0x5a;
}

static void reset_write(void *owner, uint8_t value)
{
	reset_value = value;
}

static void reset_port(void)
{
	uint64_t value;

	setup();
	bus_write(pio, 0xcf9, 1, 6); /* nobody there yet */
	pci_bus_reset_port(pci, reset_read, reset_write, NULL);
	bus_write(pio, 0xcf9, 1, 6);
	test_equal(reset_value, 6);
	bus_read(pio, 0xcf9, 1, &value);
	test_equal(value, 0x5a);
	bus_write(pio, 0xcf8, 4, 0xffffffff); /* a doubleword is not for it */
	test_equal(reset_value, 6);
	teardown();
}

static void read_only_stays(void)
{
	struct card card;

	setup();
	card_init(&card);
	pci_attach(pci, &card.pci, -1);
	test_equal(card.pci.slot, 1);
	for (unsigned offset = 0; offset < PCI_HEADER_END; offset += 4) {
		uint64_t before = get(1, offset, 4);

		if (offset == PCI_COMMAND || offset == PCI_BAR0 || offset == PCI_CACHE_LINE ||
			offset == PCI_INTERRUPT_LINE)
			continue;
		put(1, offset, 4, ~before);
		test_equal(get(1, offset, 4), before);
	}
	put(1, PCI_COMMAND, 2, 0xffff);
	test_equal(get(1, PCI_COMMAND, 2), 0x0406);
	test_equal(get(1, PCI_STATUS, 2) & PCI_STATUS_CAPS, PCI_STATUS_CAPS);
	pci_detach(&card.pci);
	test_equal(get(1, 0, 4), 0xffffffff);
	teardown();
}

static void slots(void)
{
	struct card *card = g_new0(struct card, PCI_SLOTS + 1);

	setup();
	for (unsigned i = 0; i < PCI_SLOTS + 1; i++)
		card_init(&card[i]);
	test_equal(pci_attach(pci, &card[0].pci, 0), -EBUSY);
	test_equal(pci_attach(pci, &card[0].pci, PCI_SLOTS), -EINVAL);
	test_equal(pci_attach(pci, &card[0].pci, 31), 0);
	for (unsigned i = 1; i < PCI_SLOTS - 1; i++)
		test_equal(pci_attach(pci, &card[i].pci, -1), 0);
	test_equal(pci_attach(pci, &card[PCI_SLOTS].pci, -1), -ENOSPC);
	for (unsigned i = 0; i < PCI_SLOTS - 1; i++)
		pci_detach(&card[i].pci);
	g_free(card);
	teardown();
}

static void bar_is_sized_and_moved(void)
{
	struct card card;

	setup();
	card_init(&card);
	pci_attach(pci, &card.pci, -1);
	pci_bus_assign(pci, WINDOW, 0x10000000);
	test_equal(get(1, PCI_BAR0, 4), WINDOW);
	test_equal(at(WINDOW, 4), 0x42);
	test_equal(card.moved[0], WINDOW);
	/* Sizing while memory access is on leaves it nowhere, and it comes back. */
	put(1, PCI_BAR0, 4, 0xffffffff);
	test_equal(get(1, PCI_BAR0, 4), (uint32_t)~(BAR_LEN - 1));
	test_equal(at(WINDOW, 4), 0xffffffff);
	test_equal(card.moved[1], 0);
	put(1, PCI_BAR0, 4, 0xd0000123);
	test_equal(get(1, PCI_BAR0, 4), 0xd0000000);
	test_equal(at(0xd0000000, 4), 0x42);
	test_equal(card.moved[2], 0xd0000000);
	/* Byte by byte is allowed too. */
	put(1, PCI_BAR0 + 3, 1, 0xd1);
	test_equal(at(0xd1000000, 4), 0x42);
	put(1, PCI_COMMAND, 2, 0);
	test_equal(at(0xd1000000, 4), 0xffffffff);
	test_equal(card.moved[card.moves - 1], 0);
	put(1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	test_equal(at(0xd1000000, 4), 0x42);
	pci_bus_reset(pci);
	test_equal(at(0xd1000000, 4), 0xffffffff);
	test_equal(get(1, PCI_BAR0, 4), 0);
	test_equal(get(1, PCI_COMMAND, 2), 0);
	pci_bus_assign(pci, WINDOW, 0x10000000);
	test_equal(at(WINDOW, 4), 0x42);
	pci_detach(&card.pci);
	teardown();
}

/* A machine's reset: what lies where it is to lie is not moved, and all else is as at the start. */
static void renewed_in_place(void)
{
	struct card card;
	unsigned moves;

	setup();
	card_init(&card);
	pci_attach(pci, &card.pci, -1);
	pci_bus_renew(pci, WINDOW, 0x10000000);
	moves = card.moves;
	put(1, PCI_INTERRUPT_LINE, 1, 5);
	bus_write(mmio, WINDOW + TABLE + 12, 4, 0);
	pci_bus_renew(pci, WINDOW, 0x10000000);
	test_equal(card.moves, moves);
	test_equal(at(WINDOW, 4), 0x42);
	test_equal(get(1, PCI_INTERRUPT_LINE, 1), 0);
	test_equal(at(WINDOW + TABLE + 12, 4), 1);
	put(1, PCI_BAR0, 4, 0xd0000000);
	pci_bus_renew(pci, WINDOW, 0x10000000);
	test_equal(at(WINDOW, 4), 0x42);
	test_equal(at(0xd0000000, 4), 0xffffffff);
	pci_detach(&card.pci);
	teardown();
}

/* Two BARs change places, one write after the other; a BAR on top of ECAM stays away. */
static void bars_change_places(void)
{
	struct card a, b;

	setup();
	card_init(&a);
	card_init(&b);
	pci_attach(pci, &a.pci, 1);
	pci_attach(pci, &b.pci, 2);
	pci_bus_assign(pci, WINDOW, 0x10000000);
	test_equal(get(2, PCI_BAR0, 4), WINDOW + BAR_LEN);
	put(1, PCI_BAR0, 4, WINDOW + BAR_LEN); /* taken: a is nowhere */
	test_assert(!a.pci.bar[0].mapped);
	at(WINDOW + BAR_LEN, 4);
	test_equal(b.reads, 1);
	put(2, PCI_BAR0, 4, WINDOW); /* now there is room */
	at(WINDOW + BAR_LEN, 4);
	test_equal(a.reads, 1);
	at(WINDOW, 4);
	test_equal(b.reads, 2);
	put(1, PCI_BAR0, 4, ECAM);
	test_equal(get(0, 0, 4), 0x29c08086);
	put(1, PCI_BAR0, 4, WINDOW + BAR_LEN);
	at(WINDOW + BAR_LEN, 4);
	test_equal(a.reads, 2);
	pci_detach(&a.pci);
	pci_detach(&b.pci);
	teardown();
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

static void window_is_full(void)
{
	struct card a, b;

	setup();
	card_init(&a);
	card_init(&b);
	pci_attach(pci, &a.pci, -1);
	pci_attach(pci, &b.pci, -1);
	g_log_set_handler("pci", G_LOG_LEVEL_WARNING, quiet, NULL);
	pci_bus_assign(pci, WINDOW + 1, 2 * BAR_LEN);
	test_equal(get(1, PCI_BAR0, 4), WINDOW + BAR_LEN);
	test_equal(get(2, PCI_BAR0, 4), 0);
	test_equal(get(2, PCI_COMMAND, 2), 0);
	pci_detach(&a.pci);
	pci_detach(&b.pci);
	teardown();
}

static void put_vector(unsigned i, uint64_t address, uint32_t data, uint32_t control)
{
	bus_write(mmio, WINDOW + TABLE + 16 * i, 4, (uint32_t)address);
	bus_write(mmio, WINDOW + TABLE + 16 * i + 4, 4, address >> 32);
	bus_write(mmio, WINDOW + TABLE + 16 * i + 8, 4, data);
	bus_write(mmio, WINDOW + TABLE + 16 * i + 12, 4, control);
}

static void msix_masks(void)
{
	struct card card;
	unsigned control;

	setup();
	card_init(&card);
	control = card.pci.msix_cap + 2;
	pci_attach(pci, &card.pci, -1);
	pci_bus_assign(pci, WINDOW, 0x10000000);
	test_equal(get(1, control, 2), VECTORS - 1);
	test_equal(at(WINDOW + TABLE + 12, 4), 1); /* masked from the start */
	msix_raise(&card.pci, 3); /* off: lost, as on hardware */
	put(1, control, 2, 0x8000);
	put_vector(3, 0xfee01000, 0x41, 0);
	test_equal(routed, 1);
	test_equal(last_address, 0xfee01000);
	test_equal(last_data, 0x41);
	test_equal(raised[3], 0);
	msix_raise(&card.pci, 3);
	test_equal(raised[3], 1);
	/* The vector's own mask keeps it pending. */
	bus_write(mmio, WINDOW + TABLE + 16 * 3 + 12, 4, 1);
	msix_raise(&card.pci, 3);
	msix_raise(&card.pci, 3);
	test_equal(raised[3], 1);
	test_equal(at(WINDOW + TABLE + 0x800, 8), 8);
	bus_write(mmio, WINDOW + TABLE + 0x800, 8, 0); /* not the guest's to write */
	bus_write(mmio, WINDOW + TABLE + 16 * 3 + 12, 4, 0xfffffffe);
	test_equal(raised[3], 2);
	test_equal(at(WINDOW + TABLE + 0x800, 8), 0);
	test_equal(at(WINDOW + TABLE + 16 * 3 + 12, 4), 0);
	/* So does the function's. */
	put(1, control, 2, 0xc000);
	msix_raise(&card.pci, 3);
	test_equal(raised[3], 2);
	put(1, control + 1, 1, 0x80);
	test_equal(raised[3], 3);
	/* The highest vector's pending bit, and none beyond. */
	msix_raise(&card.pci, VECTORS - 1);
	test_equal(at(WINDOW + TABLE + 0x804, 4), 1u << (VECTORS - 1 - 32));
	msix_raise(&card.pci, VECTORS);
	msix_raise(&card.pci, UINT32_MAX);
	pci_bus_reset(pci);
	msix_raise(&card.pci, 3);
	test_equal(raised[3], 3);
	pci_detach(&card.pci);
	teardown();
}

static void msix_odd_accesses(void)
{
	struct card card;

	setup();
	card_init(&card);
	pci_attach(pci, &card.pci, -1);
	pci_bus_assign(pci, WINDOW, 0x10000000);
	bus_write(mmio, WINDOW + TABLE, 8, 0x1122334455667788);
	test_equal(at(WINDOW + TABLE, 8), 0x1122334455667788);
	test_equal(at(WINDOW + TABLE + 4, 4), 0x11223344);
	bus_write(mmio, WINDOW + TABLE + 8, 8, 0x00000001abcdef01);
	test_equal(card.pci.vector[0].data, 0xabcdef01);
	test_equal(card.pci.vector[0].control, 1);
	/* Bytes and what is not aligned: ignored. */
	bus_write(mmio, WINDOW + TABLE, 1, 0);
	bus_write(mmio, WINDOW + TABLE + 2, 4, 0);
	bus_write(mmio, WINDOW + TABLE + 4, 8, 0);
	test_equal(at(WINDOW + TABLE, 8), 0x1122334455667788);
	/* Beyond the last vector, up to the end of the page. */
	for (unsigned offset = VECTORS * 16; offset < 0x1000; offset += 4) {
		bus_write(mmio, WINDOW + TABLE + offset, 4, 0xffffffff);
		test_equal(at(WINDOW + TABLE + offset, 4), 0);
	}
	test_equal(routed, 0);
	pci_detach(&card.pci);
	teardown();
}

int main(void)
{
	test_run(two_ways_in);
	test_run(reset_port);
	test_run(read_only_stays);
	test_run(slots);
	test_run(bar_is_sized_and_moved);
	test_run(renewed_in_place);
	test_run(bars_change_places);
	test_run(window_is_full);
	test_run(msix_masks);
	test_run(msix_odd_accesses);
	return 0;
}

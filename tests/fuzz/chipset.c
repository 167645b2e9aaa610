/*
 * Fuzzes the board: ports of power management and of the clock, configuration space of the LPC
 * bridge, of the host bridge (ECAM on the move) and of a card with BARs of every kind, and what a
 * damaged file of a saved guest does to all of them.
 */
#include "vmm/lpc.c"
#include "vmm/rtc_device.c"

#include "tests/unit/vmm/chipset.h"
#include "vmm/slot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	VIDEO_LEN = 1 << 16,
	TABLE = 0x1000,
	STEPS = 512,
};

struct step {
	uint8_t what, size;
	uint16_t at;
	uint32_t value;
};

static struct pci_device card;
static struct memory_slot slot;

static int no_route(struct msi_sink *sink, struct pci_device *device, unsigned index,
	uint64_t address, uint32_t data)
{
	return 0;
}

static void no_raise(struct msi_sink *sink, struct pci_device *device, unsigned index)
{
}

static struct msi_sink sink = { .route = no_route, .raise = no_raise };

static uint64_t card_read(void *owner, uint64_t offset, unsigned size)
{
	return offset >= TABLE ? msix_read(&card, offset - TABLE, size) : 0;
}

static void card_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset >= TABLE)
		msix_write(&card, offset - TABLE, size, value);
}

static const struct region_ops card_ops = { .read = card_read, .write = card_write };

static void card_new(void *video)
{
	static const struct pci_id id = { .vendor = 0x1af4, .device = 0x1044 };

	pci_init(&card, "card", &id, NULL);
	pci_add_bar64(&card, 0, 0x2000, &card_ops, NULL, "wide");
	pci_add_bar_io(&card, 2, 32, &card_ops, NULL, "ports");
	slot_init(&slot, NULL, "video", video, VIDEO_LEN, 0);
	pci_add_bar_memory(&card, 4, &slot, true);
	pci_add_express(&card);
	pci_add_intx(&card);
	pci_add_msix(&card, 4, 0, TABLE);
	if (pci_attach(machine.pci, &card, 3) < 0)
		abort();
}

static void config(const struct step *step, unsigned function)
{
	out(0xcf8, 4, 0x80000000 | function << 8 | (step->at & 0xfc));
	out((uint16_t)(0xcfc + step->at % 4), 1u << step->size % 3, step->value);
	in((uint16_t)(0xcfc + step->at % 4), 1u << step->size % 3);
}

static void touch(struct bus *bus, uint64_t at, const struct step *step)
{
	unsigned size = 1u << step->size % 4;
	uint64_t value;

	bus_read(bus, at, size, &value);
	bus_write(bus, at, size, step->value | (uint64_t)step->value << 32);
}

static void take_step(const struct step *step, struct device *chipset, struct device *clock)
{
	switch (step->what % 10) {
	case 0:
		touch(machine.pio, PM_BASE + step->at % PM_LEN, step);
		break;
	case 1:
		out(0x70, 1, step->at);
		out(0x71, 1, step->value);
		in(0x71, 1);
		break;
	case 2:
		config(step, 0);
		break;
	case 3:
		config(step, LPC_SLOT * 8);
		break;
	case 4:
		config(step, 3 * 8);
		break;
	case 5:
		touch(machine.mmio, MACHINE_ECAM_BASE + (step->at << 4), step);
		break;
	case 6:
		touch(machine.mmio, step->value & ~0xfffull, step);
		break;
	case 7:
		touch(machine.pio, step->at, step);
		break;
	case 8:
		pci_intx(&card, step->value & 1);
		msix_raise(&card, step->at % 8);
		pm_gpe_raise(&machine, step->value);
		board_ns += step->at * 1000000ll;
		break;
	default:
		(step->value & 1 ? chipset : clock)->reset(step->value & 1 ? chipset : clock);
	}
	g_main_context_iteration(machine.main_context, FALSE);
}

static void all_state(struct state *state, struct device *chipset, struct device *clock)
{
	pci_bus_state(machine.pci, state);
	chipset->state(chipset, state);
	clock->state(clock, state);
	pci_state(&card, state);
}

/* The file of the guest as it is, with some bytes in it changed. */
static void load_damaged(const uint8_t *data, size_t size, struct device *chipset,
	struct device *clock)
{
	struct state *state = state_new_saving();
	g_autoptr(GBytes) bytes = NULL;
	uint8_t *copy;
	gsize len;

	all_state(state, chipset, clock);
	bytes = state_take(state);
	state_free(state);
	copy = g_memdup2(g_bytes_get_data(bytes, &len), g_bytes_get_size(bytes));
	for (; size >= 3; data += 3, size -= 3)
		copy[(data[0] | (gsize)data[1] << 8) % len] ^= data[2];
	state = state_new_loading(g_bytes_new_take(copy, len));
	all_state(state, chipset, clock);
	state_free(state);
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rtc_config rtc_config;
	static void *video;
	struct device *chipset, *clock;
	struct step step;

	if (!video) {
		g_log_set_default_handler(quiet, NULL);
		video = aligned_alloc(4096, VIDEO_LEN);
	}
	board_open(1 << 20);
	pci_bus_free(machine.pci);
	machine.pci = pci_bus_new(machine.mmio, machine.pio, &sink);
	pci_bus_map(machine.pci, MACHINE_ECAM_BASE);
	chipset = lpc_type.create(&machine, "", NULL, NULL);
	clock = rtc_type.create(&machine, "", &rtc_config, NULL);
	if (!video || !chipset || !clock)
		abort();
	card_new(video);
	pci_bus_assign(machine.pci, MACHINE_PCI_BASE, MACHINE_PCI_LEN);
	for (unsigned i = 0; i < STEPS && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		if (step.what == 0xff)
			break;
		take_step(&step, chipset, clock);
	}
	load_damaged(data, size, chipset, clock);
	pci_detach(&card);
	clock->destroy(clock);
	chipset->destroy(chipset);
	board_close();
	return 0;
}

/*
 * Fuzzing a PCI device that is driven by registers and DMA, as its guest: the input is a list of
 * register accesses, bytes for guest memory, what the host's side does, time, resets, and a saved
 * state that is loaded. Bytes that run out read as zero.
 */
#ifndef IRORI_TESTS_FUZZ_MMIO_HARNESS_H
#define IRORI_TESTS_FUZZ_MMIO_HARNESS_H

#include "tests/unit/virtio/guest.h"
#include "vmm/state.h"

enum mmio_fuzz_limits {
	MMIO_FUZZ_MEMORY = 1 << 20,
	MMIO_FUZZ_STEPS = 256,
};

struct mmio_fuzz {
	const struct device_type *type;
	const void *config;
	uint32_t registers; /* bytes of the BAR that are worth it */
	/* Before the device is made; after, with a driver's first steps. May be NULL. */
	void (*prepare)(struct guest *guest);
	void (*start)(struct guest *guest);
	/* Something happens on the host's side. May be NULL. */
	void (*event)(struct guest *guest, const uint8_t *data, size_t len);
	/* Waits for what the device does in its own time. */
	void (*settle)(struct guest *guest);
};

struct mmio_input {
	const uint8_t *data;
	size_t left;
};

static uint64_t mmio_take(struct mmio_input *input, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size && input->left > 0; i++, input->left--)
		value |= (uint64_t)*input->data++ << (8 * i);
	return value;
}

static size_t mmio_bytes(struct mmio_input *input, size_t want, const uint8_t **data)
{
	size_t len = MIN(want, input->left);

	*data = input->data;
	input->data += len;
	input->left -= len;
	return len;
}

typedef void (*mmio_step)(const struct mmio_fuzz *fuzz, struct guest *guest,
	struct mmio_input *input);

static void mmio_write(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	uint64_t offset = mmio_take(input, 2) % fuzz->registers;
	unsigned size = 1u << mmio_take(input, 1) % 4;

	guest_write(guest, offset, size, mmio_take(input, size));
}

static void mmio_word(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	uint64_t offset = mmio_take(input, 2) % fuzz->registers & ~3u;

	guest_write(guest, offset, 4, mmio_take(input, 4));
}

static void mmio_read(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	uint64_t offset = mmio_take(input, 2);

	guest_read(guest, offset, 1u << mmio_take(input, 1) % 4);
}

static void mmio_scribble(const struct mmio_fuzz *fuzz, struct guest *guest,
	struct mmio_input *input)
{
	uint64_t gpa = mmio_take(input, 3) % MMIO_FUZZ_MEMORY;
	const uint8_t *data;
	size_t len = mmio_bytes(input, mmio_take(input, 1), &data);

	memory_write(guest->machine.memory, gpa, data, len);
}

static void mmio_event(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	const uint8_t *data;
	size_t len = mmio_bytes(input, mmio_take(input, 1), &data);

	if (fuzz->event)
		fuzz->event(guest, data, len);
}

static void mmio_time(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	guest_now_ns += (int64_t)mmio_take(input, 2) << mmio_take(input, 1) % 24;
	fuzz->settle(guest);
}

static void mmio_reset(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	guest_reset(guest);
	if (fuzz->start && mmio_take(input, 1) & 1)
		fuzz->start(guest);
}

static void mmio_command(const struct mmio_fuzz *fuzz, struct guest *guest,
	struct mmio_input *input)
{
	uint64_t ecam = MACHINE_ECAM_BASE + (GUEST_SLOT << 15);

	bus_write(guest->machine.mmio, ecam + PCI_COMMAND, 2, 2 | (mmio_take(input, 1) & 4));
	bus_write(guest->machine.mmio, ecam + 0x60 + mmio_take(input, 1) % 16, 1,
		mmio_take(input, 1));
}

/* What is saved, with a byte of it changed, is loaded. */
static void mmio_state(const struct mmio_fuzz *fuzz, struct guest *guest, struct mmio_input *input)
{
	struct state *state = state_new_saving();
	size_t len, at = mmio_take(input, 2);
	uint8_t *bytes;

	fuzz->settle(guest);
	if (guest->device->drain)
		guest->device->drain(guest->device);
	guest->device->state(guest->device, state);
	bytes = g_bytes_unref_to_data(state_take(state), &len);
	state_free(state);
	bytes[at % len] ^= (uint8_t)mmio_take(input, 1);
	guest_reset(guest);
	state = state_new_loading(g_bytes_new_take(bytes, len));
	guest->device->state(guest->device, state);
	if (state_failed(state))
		guest_reset(guest);
	state_free(state);
}

static const mmio_step mmio_steps[] = {
	mmio_word, mmio_word, mmio_write, mmio_scribble, mmio_scribble, mmio_time, mmio_event,
	mmio_read, mmio_reset, mmio_command, mmio_state,
};

static void mmio_quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

static int mmio_fuzz_run(const struct mmio_fuzz *fuzz, const uint8_t *data, size_t size)
{
	static struct guest guest;
	struct mmio_input input = { data, size };

	if (!guest.machine.memory) {
		g_log_set_default_handler(mmio_quiet, NULL);
		guest_open(&guest, MMIO_FUZZ_MEMORY);
	}
	memset(guest_at(&guest, 0, MMIO_FUZZ_MEMORY), 0, MMIO_FUZZ_MEMORY);
	pci_bus_reset(guest.machine.pci);
	guest_now_ns = 1000000000;
	if (fuzz->prepare)
		fuzz->prepare(&guest);
	if (!guest_plug(&guest, fuzz->type, fuzz->config, NULL))
		abort();
	if (fuzz->start)
		fuzz->start(&guest);
	for (unsigned i = 0; i < MMIO_FUZZ_STEPS && input.left > 0; i++)
		mmio_steps[mmio_take(&input, 1) % G_N_ELEMENTS(mmio_steps)](fuzz, &guest, &input);
	fuzz->settle(&guest);
	guest_unplug(&guest);
	return 0;
}

#endif

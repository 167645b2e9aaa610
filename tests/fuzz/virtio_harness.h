/*
 * Fuzzing a virtio device as its guest: the input is a list of things a hostile driver does, through
 * the BAR, the rings and guest memory. A fuzzer is a few lines:
 *
 *	#include "vmm/virtio_rng.c"
 *	#include "tests/fuzz/virtio_harness.h"
 *
 *	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *	{
 *		static const struct virtio_fuzz fuzz = {.type = &virtio_rng};
 *		return virtio_fuzz_run(&fuzz, data, size);
 *	}
 *
 * Bytes that run out read as zero. The device is made anew for every input; memory is shared and
 * cleared.
 */
#ifndef IRORI_TESTS_FUZZ_VIRTIO_HARNESS_H
#define IRORI_TESTS_FUZZ_VIRTIO_HARNESS_H

#include "tests/unit/virtio/guest.h"
#include "vmm/state.h"

enum virtio_fuzz_limits {
	VIRTIO_FUZZ_MEMORY = 1 << 18,
	VIRTIO_FUZZ_STEPS = 256,
	VIRTIO_FUZZ_CHAIN = 8,
	VIRTIO_FUZZ_POOL = 0x8000, /* buffers of chains lie from here on */
};

struct virtio_fuzz {
	const struct device_type *type;
	const void *config;
	/* Before the device is made: set machine->port and the like. May be NULL. */
	void (*prepare)(struct guest *guest);
	/* Something happens on the host's side: a seat's event, time passing. May be NULL. */
	void (*event)(struct guest *guest, const uint8_t *data, size_t len);
	/* Waits for what the device does in its own time. May be NULL. */
	void (*settle)(struct guest *guest);
};

struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

static uint64_t fuzz_take(struct fuzz_input *input, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size && input->left > 0; i++, input->left--)
		value |= (uint64_t)*input->data++ << (8 * i);
	return value;
}

static size_t fuzz_bytes(struct fuzz_input *input, size_t want, const uint8_t **data)
{
	size_t len = MIN(want, input->left);

	*data = input->data;
	input->data += len;
	input->left -= len;
	return len;
}

typedef void (*fuzz_step)(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input);

static void fuzz_register(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	uint64_t offset = fuzz_take(input, 2) % VIRTIO_PCI_BAR_LEN;
	unsigned size = 1u << fuzz_take(input, 1) % 4;

	guest_read(guest, offset, size);
	guest_write(guest, offset, size, fuzz_take(input, size));
}

static void fuzz_device_config(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	uint64_t offset = VIRTIO_PCI_DEVICE + fuzz_take(input, 1);
	unsigned size = 1u << fuzz_take(input, 1) % 4;

	guest_write(guest, offset, size, fuzz_take(input, size));
	guest_read(guest, offset, size);
}

/* Bytes anywhere, in the rings most of all. */
static void fuzz_scribble(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	uint64_t gpa = fuzz_take(input, 3) % VIRTIO_FUZZ_MEMORY;
	const uint8_t *data;
	size_t len = fuzz_bytes(input, fuzz_take(input, 1), &data);

	memory_write(guest->machine.memory, gpa, data, len);
}

/* A chain that is well formed, so that what is in it matters. Bit 7 of a segment's first byte: the
 * device writes; else so many bytes of input are what it reads. */
static void fuzz_chain(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	unsigned q = (unsigned)fuzz_take(input, 1) % VIRTIO_MAX_QUEUES;
	unsigned n = 1 + (unsigned)fuzz_take(input, 1) % VIRTIO_FUZZ_CHAIN;
	struct guest_buffer buffer[VIRTIO_FUZZ_CHAIN];

	if (guest->queue[q].size == 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		unsigned kind = (unsigned)fuzz_take(input, 1);
		const uint8_t *data;
		size_t len;

		if (guest->heap > VIRTIO_FUZZ_MEMORY - 0x4000)
			guest->heap = VIRTIO_FUZZ_POOL;
		if (kind & 0x80) {
			len = (kind & 0x40) ? fuzz_take(input, 2) % 0x2000 : kind & 0x3f;
			buffer[i] = (struct guest_buffer){guest_alloc(guest, len), len, true};
		} else {
			len = fuzz_bytes(input, kind, &data);
			buffer[i] = (struct guest_buffer){guest_put(guest, data, len), len, false};
		}
	}
	guest_add(guest, q, buffer, n);
	guest_kick(guest, q);
}

static void fuzz_kick(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	guest_kick(guest, (unsigned)fuzz_take(input, 1) % VIRTIO_MAX_QUEUES);
}

static void fuzz_index(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	unsigned q = (unsigned)fuzz_take(input, 1) % VIRTIO_MAX_QUEUES;

	guest_publish(guest, q, (uint16_t)fuzz_take(input, 2));
	guest_kick(guest, q);
}

static void fuzz_restart(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	uint64_t offered = guest_read(guest, COMMON_OFFERED, 4);

	guest->heap = 0x100;
	memset(guest->queue, 0, sizeof(guest->queue));
	guest_start(guest, fuzz_take(input, 4) & offered);
}

static void fuzz_reset(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	if (fuzz_take(input, 1) & 1)
		guest_reset(guest);
	else
		guest_write(guest, COMMON_DEVICE_STATUS, 1, 0);
}

static void fuzz_event(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	const uint8_t *data;
	size_t len = fuzz_bytes(input, fuzz_take(input, 1), &data);

	if (fuzz->event)
		fuzz->event(guest, data, len);
	guest_spin(guest);
}

static void fuzz_settle(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	if (fuzz->settle)
		fuzz->settle(guest);
	guest_spin(guest);
}

/* What is saved, with some bytes of it changed, is loaded. Rings lie in memory, which is not. */
static void fuzz_state(const struct virtio_fuzz *fuzz, struct guest *guest,
	struct fuzz_input *input)
{
	struct guest_queue queue[VIRTIO_MAX_QUEUES];
	struct state *state = state_new_saving();
	uint64_t heap = guest->heap;
	uint8_t *bytes;
	size_t len;

	if (guest->device->drain)
		guest->device->drain(guest->device);
	guest->device->state(guest->device, state);
	bytes = g_bytes_unref_to_data(state_take(state), &len);
	state_free(state);
	for (unsigned n = (unsigned)fuzz_take(input, 1) % 8; n > 0; n--) {
		size_t at = fuzz_take(input, 2);

		bytes[at % len] ^= (uint8_t)fuzz_take(input, 1);
	}
	memcpy(queue, guest->queue, sizeof(queue));
	guest_reset(guest);
	state = state_new_loading(g_bytes_new_take(bytes, len));
	guest->device->state(guest->device, state);
	/* It would never run; or its BAR is elsewhere, where this driver does not look. */
	if (state_failed(state) || guest_read(guest, COMMON_N_QUEUES, 2) > VIRTIO_MAX_QUEUES) {
		guest_reset(guest);
	} else {
		memcpy(guest->queue, queue, sizeof(queue));
		guest->heap = heap;
	}
	state_free(state);
}

static const fuzz_step fuzz_steps[] = {
	fuzz_chain,
	fuzz_event,
	fuzz_settle,
	fuzz_scribble,
	fuzz_register,
	fuzz_device_config,
	fuzz_kick,
	fuzz_index,
	fuzz_reset,
	fuzz_restart,
	fuzz_chain, /* again: chains reach deepest */
	fuzz_chain,
	fuzz_state,
};

static void fuzz_quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

static int virtio_fuzz_run(const struct virtio_fuzz *fuzz, const uint8_t *data, size_t size)
{
	static struct guest guest;
	struct fuzz_input input = {data, size};

	if (!guest.machine.memory) {
		g_log_set_default_handler(fuzz_quiet, NULL);
		guest_open(&guest, VIRTIO_FUZZ_MEMORY);
	}
	memset(guest_at(&guest, 0, VIRTIO_FUZZ_MEMORY), 0, VIRTIO_FUZZ_MEMORY);
	pci_bus_reset(guest.machine.pci);
	if (fuzz->prepare)
		fuzz->prepare(&guest);
	if (!guest_plug(&guest, fuzz->type, fuzz->config, NULL))
		abort();
	guest.heap = 0x100;
	guest_start(&guest, fuzz_take(&input, 4) & guest_read(&guest, COMMON_OFFERED, 4));
	for (unsigned i = 0; i < VIRTIO_FUZZ_STEPS && input.left > 0; i++)
		fuzz_steps[fuzz_take(&input, 1) % G_N_ELEMENTS(fuzz_steps)](fuzz, &guest, &input);
	fuzz_settle(fuzz, &guest, &input);
	guest_unplug(&guest);
	return 0;
}

#endif

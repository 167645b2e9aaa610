/*
 * Fuzzes flash memory: commands and data in any order, then a saved state that is not ours.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/firmware.h"
#include "vmm/machine.h"
#include "vmm/pflash.h"
#include "vmm/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0xffc00000ull

enum {
	LEN = 16 << 10,
	STEPS = 1024,
};

struct step {
	uint8_t what, value;
	uint16_t at;
};

static void take_step(struct machine *machine, const struct step *step)
{
	unsigned access = 1u << (step->what >> 1) % 4;
	uint64_t value = step->value * 0x0101010101010101ull;

	if (step->what & 0x80) /* data that look like no command's */
		value ^= 0x1032547698badcfe;
	if (step->what & 1)
		bus_read(machine->mmio, BASE + step->at % (LEN + 8), access, &value);
	else
		bus_write(machine->mmio, BASE + step->at % (LEN + 8), access, value);
}

static void load(struct pflash *flash, const uint8_t *data, size_t size)
{
	struct state *state = state_new_loading(g_bytes_new(data, size));

	pflash_state(flash, state);
	state_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine machine = { .mmio = bus_new("memory") };
	const struct firmware_image image = { mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), LEN };
	struct pflash *flash = pflash_new(&machine, BASE, &image, NULL, NULL);
	const uint8_t *begin = data;
	size_t whole = size;
	struct step step;

	if (!flash)
		abort();
	for (unsigned i = 0; i < STEPS && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		take_step(&machine, &step);
	}
	load(flash, begin, whole);
	pflash_reset(flash);
	pflash_free(flash);
	bus_free(machine.mmio);
	return 0;
}

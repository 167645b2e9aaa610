/*
 * Fuzzes fw_cfg: port accesses of any size, DMA by descriptors that point anywhere, with a file that
 * can be written to.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/fw_cfg.h"
#include "vmm/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY = 64 << 10,
	DESCRIPTOR = 0x100,
	STEPS = 256,
};

struct step {
	uint8_t what, size;
	uint16_t at;
	uint32_t control, length;
	uint32_t address;
};

static unsigned sum;

static void written(void *owner, const uint8_t *content, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += content[i];
}

/* A descriptor as a driver makes it, and its start; the upper half of the address now and then. */
static void take_dma(struct machine *machine, const struct step *step)
{
	uint64_t where = step->what & 0x80 ? (uint64_t)step->address << 32 | step->address :
		step->address;
	const uint32_t dma[4] = { GUINT32_TO_BE(step->control), GUINT32_TO_BE(step->length),
		GUINT32_TO_BE((uint32_t)(where >> 32)), GUINT32_TO_BE((uint32_t)where) };
	uint32_t at = step->what & 0x40 ? step->at : DESCRIPTOR;

	memory_write(machine->memory, at, dma, sizeof(dma));
	bus_write(machine->pio, 0x518, 4, GUINT32_TO_BE(at));
}

static void take_step(struct machine *machine, const struct step *step)
{
	unsigned access = 1u << step->size % 4;
	uint64_t value;

	switch (step->what & 3) {
	case 0:
		bus_write(machine->pio, 0x510 + step->at % 12, access, step->control);
		break;
	case 1:
		bus_read(machine->pio, 0x510 + step->at % 12, access, &value);
		break;
	default:
		take_dma(machine, step);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine machine;
	struct step step;

	if (!machine.memory) {
		machine.memory = memory_new(MEMORY, NULL);
		machine.pio = bus_new("port");
	}
	machine.fw_cfg = fw_cfg_new(&machine);
	fw_cfg_add(&machine, "etc/table", g_bytes_new_static("0123456789", 10));
	fw_cfg_add_writable(&machine, "etc/ramfb", g_bytes_new_static("\0\0\0\0\0\0\0", 8), written,
		NULL);
	for (unsigned i = 0; i < STEPS && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		take_step(&machine, &step);
	}
	fw_cfg_reset(machine.fw_cfg);
	fw_cfg_free(machine.fw_cfg);
	return 0;
}

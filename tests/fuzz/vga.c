/*
 * A VGA in the hands of a hostile guest: ports, dispi, window, memory, in any order, and its picture
 * after each few of them. A mode that is shown must lie within the memory, and a picture is drawn
 * into exactly the room that it says it has.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vga/modes.h"
#include "vmm/state.h"
#include "vmm/vga_paint.h"

enum { FUZZ_VRAM = 1 << 20, FUZZ_STEPS = 200, FUZZ_PIXELS = 720 * 400 };

static struct vga vga;
static uint8_t *vram, *text;

static uint64_t take(const uint8_t **data, size_t *left, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size && *left; i++, (*left)--)
		value |= (uint64_t)*(*data)++ << (8 * i);
	return value;
}

static void draw(struct vga_painter *painter, uint32_t *width, uint32_t *height, uint64_t pages)
{
	uint64_t map[FUZZ_VRAM / 4096 / 64] = { pages, ~pages };
	struct vga_dirty dirty = { map, FUZZ_VRAM / 4096 };
	static uint32_t *pixels;
	struct vga_look look;
	struct rect damage;

	vga_look(&vga, &look);
	if (look.mode.kind == VGA_OFF)
		return;
	if (!modes_fits(&look.mode, FUZZ_VRAM))
		abort();
	if (look.mode.width * look.mode.height > FUZZ_PIXELS)
		return; /* the same code, for longer */
	if (look.mode.width != *width || look.mode.height != *height) {
		free(pixels);
		*width = look.mode.width;
		*height = look.mode.height;
		pixels = calloc(*width, *height * sizeof(*pixels));
		painter->valid = false;
	}
	if (pixels && vga_paint(painter, &vga, &look, &dirty, pixels, *width, &damage) &&
		(damage.x + damage.width > *width || damage.y + damage.height > *height))
		abort();
}

static void save_and_load(void)
{
	struct state *state = state_new_saving();
	GBytes *bytes;

	vga_state(&vga, state);
	bytes = state_take(state);
	state_free(state);
	state = state_new_loading(bytes);
	vga_state(&vga, state);
	if (state_failed(state))
		abort(); /* what a guest can bring about can be loaded */
	state_free(state);
}

static void step(const uint8_t **data, size_t *left)
{
	unsigned what = (unsigned)take(data, left, 1), size = 1u << (what >> 4 & 1);
	uint64_t at = take(data, left, 2);

	switch (what & 15) {
	case 0:
		modes_text(&vga);
		break;
	case 1:
		modes_planar(&vga);
		break;
	case 2:
		modes_packed(&vga);
		break;
	case 3:
		modes_dispi(&vga, (uint16_t)at, (uint16_t)take(data, left, 2),
			(uint16_t)take(data, left, 1), (uint16_t)take(data, left, 1));
		break;
	case 4 ... 7:
		vga_port_write(&vga, at % VGA_PORTS, size, take(data, left, size));
		vga_port_read(&vga, at % VGA_PORTS, size);
		break;
	case 8 ... 10:
		vga_dispi_write(&vga, at % 16, (uint16_t)take(data, left, 2));
		vga_dispi_read(&vga, at % 16);
		break;
	case 11:
		vga_dispi_port_write(&vga, at % 4, size, take(data, left, size));
		vga_dispi_port_read(&vga, at % 4, size);
		break;
	case 12:
		save_and_load();
		break;
	default:
		at |= (uint64_t)(what >> 5 & 1) << 16;
		vga_window_write(&vga, at, size, take(data, left, size));
		vga_window_read(&vga, at, size);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vga_painter painter;
	static uint32_t width, height;

	if (!vram) {
		vram = malloc(FUZZ_VRAM); /* of their exact size: a byte beyond is found */
		text = malloc(VGA_TEXT_LEN);
		memset(vram, 0, FUZZ_VRAM);
		vga_init(&vga, vram, FUZZ_VRAM, text);
	}
	vga_reset(&vga);
	painter.valid = false;
	for (unsigned i = 0; i < FUZZ_STEPS && size; i++) {
		step(&data, &size);
		if (i % 32 == 31)
			draw(&painter, &width, &height, take(&data, &size, 8));
	}
	draw(&painter, &width, &height, 0);
	return 0;
}

/*
 * Pictures: what each mode draws, and that only what changed is drawn again.
 */
#include "vmm/vga_paint.h"

#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/vga/modes.h"

enum { WIDTH = 2048, HEIGHT = 1024 };

static struct vga vga;
static uint8_t *vram, text[VGA_TEXT_LEN];
static uint32_t *pixels;
static struct vga_painter painter;
static struct vga_look look;
static struct rect damage;
static const struct vga_dirty everything;

static void begin(void)
{
	memset(vram, 0, MODES_VRAM);
	vga_reset(&vga);
	memset(&painter, 0, sizeof(painter));
	/* 16 colours: grey of their number, by the palette's own places. */
	for (unsigned i = 0; i < 64; i++) {
		modes_out(&vga, 0x3c8, 1, i);
		for (unsigned part = 0; part < 3; part++)
			modes_out(&vga, 0x3c9, 1, i);
	}
}

static bool paint_dirty(const struct vga_dirty *dirty)
{
	vga_look(&vga, &look);
	test_assert(look.mode.kind != VGA_OFF);
	test_assert(look.mode.width <= WIDTH && look.mode.height <= HEIGHT);
	return vga_paint(&painter, &vga, &look, dirty, pixels, WIDTH, &damage);
}

static bool paint(void)
{
	return paint_dirty(&everything);
}

static uint32_t at(unsigned x, unsigned y)
{
	return pixels[y * WIDTH + x];
}

static uint32_t grey(unsigned i)
{
	uint32_t level = i << 2 | i >> 4;

	return level << 16 | level << 8 | level;
}

static void damaged(unsigned x, unsigned y, unsigned width, unsigned height)
{
	test_equal(damage.x, x);
	test_equal(damage.y, y);
	test_equal(damage.width, width);
	test_equal(damage.height, height);
}

static void characters(void)
{
	begin();
	modes_text(&vga);
	vram['A' * 32 * 4 + 2] = 0x81; /* first line of the glyph */
	vram[0xc4 * 32 * 4 + 2] = 0x01;
	modes_crtc(&vga, 0x0a, 0x20); /* no cursor */
	text[0] = 'A';
	text[1] = 0x1e;
	text[2] = 0xc4;
	text[3] = 0x0f;
	test_assert(paint());
	damaged(0, 0, 720, 400);
	test_equal(at(0, 0), grey(14));
	test_equal(at(1, 0), grey(1));
	test_equal(at(7, 0), grey(14));
	test_equal(at(8, 0), grey(1)); /* the ninth dot is empty */
	test_equal(at(9 + 7, 0), grey(15));
	test_equal(at(9 + 8, 0), grey(15)); /* but for lines */
	test_assert(!paint());
	text[80 * 2 * 3 + 10 * 2] = 'A';
	test_assert(paint());
	damaged(90, 48, 9, 16);
	modes_crtc(&vga, 0x0a, 14);
	modes_crtc(&vga, 0x0b, 15);
	modes_crtc(&vga, 0x0f, 1);
	text[3] = 0x07;
	test_assert(paint());
	test_equal(at(9, 13), grey(0));
	test_equal(at(9, 14), grey(7));
	modes_crtc(&vga, 0x0d, 0xff); /* scrolled: addresses wrap around the page */
	modes_crtc(&vga, 0x0c, 0x3f);
	test_assert(paint());
	test_equal(at(9, 0), grey(14));
}

/* A font that is loaded while its page is shown. */
static void font_changes(void)
{
	begin();
	modes_text(&vga);
	modes_crtc(&vga, 0x0a, 0x20);
	text[0] = 'B';
	text[1] = 0x07;
	paint();
	test_equal(at(0, 0), 0);
	modes_font_open(&vga);
	vga_window_write(&vga, 'B' * 32, 1, 0xff);
	paint();
	test_equal(at(0, 0), grey(7)); /* characters are in the planes meanwhile */
	modes_font_close(&vga);
	test_assert(paint());
	test_equal(at(0, 0), grey(7));
	/* The second of two fonts, by bit 3 of the attribute. */
	modes_out(&vga, 0x3c4, 2, 0x0403);
	text[1] = 0x0f;
	paint();
	test_equal(at(0, 0), 0);
}

static void planes_and_bytes(void)
{
	begin();
	modes_planar(&vga);
	vram[80 * 4 * 2 + 0] = 0x80;
	vram[80 * 4 * 2 + 3] = 0x80;
	test_assert(paint());
	damaged(0, 0, 640, 480);
	test_equal(at(0, 2), grey(9));
	test_equal(at(1, 2), grey(0));
	test_assert(!paint()); /* nothing was written by way of the window */
	vga_window_write(&vga, 0, 1, 0xff);
	test_assert(paint());
	begin();
	modes_packed(&vga);
	vram[320 * 199 + 319] = 33;
	paint();
	test_equal(at(319, 199), grey(33));
}

static void direct_colours(void)
{
	static const struct {
		uint16_t bits;
		uint8_t byte[4];
		uint32_t shown;
	} colours[] = {
		{ 8, { 0x3f }, 0xffffff },
		{ 15, { 0x00, 0x7c }, 0xff0000 }, { 15, { 0x1f, 0x00 }, 0x0000ff },
		{ 16, { 0xe0, 0x07 }, 0x00ff00 }, { 16, { 0x00, 0x80 }, 0x840000 },
		{ 24, { 0x11, 0x22, 0x33 }, 0x332211 },
		{ 32, { 0x11, 0x22, 0x33, 0x44 }, 0x44332211 },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(colours); i++) {
		begin();
		modes_text(&vga);
		modes_dispi(&vga, 64, 32, colours[i].bits, 0);
		memcpy(vram, colours[i].byte, 4);
		test_assert(paint());
		test_equal(at(0, 0), colours[i].shown);
	}
}

static void offsets(void)
{
	begin();
	modes_text(&vga);
	modes_dispi(&vga, 64, 32, 32, 0);
	vga_dispi_write(&vga, DISPI_VIRT_WIDTH, 128);
	vga_dispi_write(&vga, DISPI_X_OFFSET, 3);
	vga_dispi_write(&vga, DISPI_Y_OFFSET, 5);
	((uint32_t *)(void *)vram)[128 * 7 + 4] = 0x123456;
	paint();
	test_equal(at(1, 2), 0x123456);
}

/* Of what pages say, only lines that they touch are looked at. */
static void dirty_pages(void)
{
	uint64_t map[MODES_VRAM / 4096 / 64] = { 0 };
	struct vga_dirty dirty = { map, MODES_VRAM / 4096 };

	begin();
	modes_text(&vga);
	modes_dispi(&vga, 1024, 768, 32, 0);
	test_assert(paint_dirty(&dirty)); /* new: all of it */
	damaged(0, 0, 1024, 768);
	test_assert(!paint_dirty(&dirty));
	memset(vram, 0x55, 4096 * 100);
	map[0] = 1ull << 10;
	map[1] = 1ull << 2;
	test_assert(paint_dirty(&dirty));
	damaged(0, 10, 1024, 57);
	test_equal(at(0, 10), 0x55555555);
	test_equal(at(0, 11), 0);
	test_equal(at(0, 66), 0x55555555);
	dirty.n = 20; /* what the log does not know may have changed */
	map[0] = map[1] = 0;
	test_assert(paint_dirty(&dirty));
	damaged(0, 20, 1024, 748);
}

int main(void)
{
	vram = g_malloc0(MODES_VRAM);
	pixels = g_malloc0(WIDTH * HEIGHT * sizeof(*pixels));
	vga_init(&vga, vram, MODES_VRAM, text);
	test_run(characters);
	test_run(font_changes);
	test_run(planes_and_bytes);
	test_run(direct_colours);
	test_run(offsets);
	test_run(dirty_pages);
	vga_clear(&vga);
	g_free(pixels);
	g_free(vram);
	return 0;
}

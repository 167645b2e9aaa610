/*
 * The desktop on the fake machine: that it boots, follows keyboard and pointer, draws no more than
 * has changed, and restarts. Arguments: a scenario's name, and, to look at it, a folder for pictures.
 */
#define HARNESS_ITSELF
#include "tests/unit/demo/harness.h"

#include <linux/input-event-codes.h>

#include "tests/unit/test.h"

enum {
	WIDTH = 1280,
	HEIGHT = 720,
	VBLANK_DESKTOP = 60, /* by then the boot is over */
};

static const char *folder;
static uint32_t before[WIDTH * HEIGHT];
static unsigned fresh_pictures;

static struct harness machine = {
	.refresh_mhz = 60000,
	.width = WIDTH,
	.height = HEIGHT,
	.cpus = 3,
	.clock_cost_ns = 200000,
	.limit_ns = 6000000000,
	.cmdline = "init=/desktop boot_ms=150 desktop_ms=3000 name=study",
};

static void save(const struct harness_picture *p, const char *name)
{
	char path[512];
	FILE *f;

	if (!folder)
		return;
	snprintf(path, sizeof path, "%s/%s.ppm", folder, name);
	f = fopen(path, "wb");
	if (!f)
		return;
	fprintf(f, "P6 %u %u 255\n", p->width, p->height);
	for (uint32_t i = 0; i < p->width * p->height; i++) {
		uint32_t pixel = p->pixels[i / p->width * p->stride + i % p->width];
		uint8_t rgb[3] = { (uint8_t)(pixel >> 16), (uint8_t)(pixel >> 8), (uint8_t)pixel };

		fwrite(rgb, 3, 1, f);
	}
	fclose(f);
}

static void remember(const struct harness_picture *p)
{
	memcpy(before, p->pixels, sizeof before);
}

/* How many pixels of a rectangle are not what they were. */
static unsigned differ(const struct harness_picture *p, int x0, int y0, int width, int height)
{
	unsigned n = 0;

	for (int y = y0; y < y0 + height; y++)
		for (int x = x0; x < x0 + width; x++)
			n += (p->pixels[y * WIDTH + x] & 0xffffff) != (before[y * WIDTH + x] & 0xffffff);
	return n;
}

static void absolute(int x, int y)
{
	harness_input(1, EV_ABS, ABS_X, (x * 32768 + WIDTH - 1) / WIDTH);
	harness_input(1, EV_ABS, ABS_Y, (y * 32768 + HEIGHT - 1) / HEIGHT);
	harness_input(1, EV_SYN, SYN_REPORT, 0);
}

static void button(int down)
{
	harness_input(1, EV_KEY, BTN_LEFT, down);
	harness_input(1, EV_SYN, SYN_REPORT, 0);
}

static void key(uint16_t code)
{
	harness_input(0, EV_KEY, code, 1);
	harness_input(0, EV_KEY, code, 0);
	harness_input(0, EV_SYN, SYN_REPORT, 0);
}

static void look_on(struct harness *h, uint64_t n, const struct harness_picture *p, bool fresh,
		    bool held)
{
	fresh_pictures += fresh;
	if (p && n == 3)
		save(p, "boot-begins");
	if (p && n == 18)
		save(p, "boot");
	if (p && n == 90)
		save(p, "desktop-early");
	if (p && n == 170)
		save(p, "desktop");
}

/* Nobody touches it: it boots, lives, and restarts by itself. */
static void test_life(void)
{
	machine.vblank = look_on;
	machine.clock_cost_ns = 4000000;
	machine.cmdline = "init=/desktop boot_ms=900 desktop_ms=3000 name=study";
	harness_run(&machine);
	test_equal(machine.ended, RB_AUTOBOOT);
	test_assert(machine.now_ns > 4000000000 && machine.now_ns < 6500000000);
	test_assert(fresh_pictures > 100);
}

static void test_for_ever(void)
{
	machine.cmdline = "boot_ms=0 desktop_ms=0";
	harness_run(&machine);
	test_equal(machine.ended, 0);
}

static void type(struct harness *h, uint64_t n, const struct harness_picture *p, bool fresh, bool held)
{
	if (n == VBLANK_DESKTOP) {
		key(KEY_ENTER);
		harness_input(0, EV_KEY, KEY_LEFTSHIFT, 1);
		key(KEY_H);
		harness_input(0, EV_KEY, KEY_LEFTSHIFT, 0);
	}
	if (n == VBLANK_DESKTOP + 8)
		remember(p);
	if (n == VBLANK_DESKTOP + 10)
		for (int i = 0; i < 30; i++)
			key(KEY_M);
	if (n == VBLANK_DESKTOP + 14) {
		test_assert(differ(p, 76, 100, 460, 308) > 500);
		save(p, "typed");
	}
	if (n == VBLANK_DESKTOP + 20) /* more than there are lines and columns, and keys that are none */
		for (int i = 0; i < 60; i++) {
			key(KEY_ENTER);
			key((uint16_t)(KEY_F1 + i * 37));
			key(KEY_BACKSPACE);
		}
}

static void test_typing(void)
{
	machine.vblank = type;
	harness_run(&machine);
	test_equal(machine.ended, RB_AUTOBOOT);
}

/* Takes the editor by its title and carries it away; then paints. */
static void drag(struct harness *h, uint64_t n, const struct harness_picture *p, bool fresh, bool held)
{
	if (n == VBLANK_DESKTOP) {
		absolute(300, 116);
		button(1);
		remember(p);
	}
	if (n > VBLANK_DESKTOP && n <= VBLANK_DESKTOP + 20)
		absolute(300 + 20 * (int)(n - VBLANK_DESKTOP), 116 + 10 * (int)(n - VBLANK_DESKTOP));
	if (n == VBLANK_DESKTOP + 21)
		button(0);
	if (n == VBLANK_DESKTOP + 26) {
		test_assert(differ(p, 90, 110, 150, 250) > 30000); /* the wallpaper shows again */
		save(p, "dragged");
		absolute(1080, 400);
		button(1);
	}
	if (n > VBLANK_DESKTOP + 26 && n < VBLANK_DESKTOP + 50)
		absolute(1080 - 15 * (int)((n - VBLANK_DESKTOP) % 7), 250 + 4 * (int)(n - VBLANK_DESKTOP));
	if (n == VBLANK_DESKTOP + 50) {
		button(0);
		save(p, "painted");
	}
}

static void test_dragging(void)
{
	machine.vblank = drag;
	harness_run(&machine);
	test_equal(machine.ended, RB_AUTOBOOT);
}

/* A device that says anything at all: no harm. */
static void babble(struct harness *h, uint64_t n, const struct harness_picture *p, bool fresh, bool held)
{
	static uint32_t x = 2463534242u;

	for (int i = 0; i < 60; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		harness_input((uint16_t)(x >> 30), (uint16_t)(x & 3), (uint16_t)(x >> 4 & (x & 8 ? 0x1ff : 3)),
			      (int32_t)(x & 0x10 ? x : x & 1 ? 1 : (x >> 12) % 40000) * (x & 0x20 ? -1 : 1));
	}
}

static void test_babble(void)
{
	machine.vblank = babble;
	harness_run(&machine);
	test_equal(machine.ended, RB_AUTOBOOT);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = {
		{ "life", test_life },	       { "for-ever", test_for_ever }, { "typing", test_typing },
		{ "dragging", test_dragging }, { "babble", test_babble },
	};

	if (argc < 2)
		return 2;
	folder = argc > 2 ? argv[2] : NULL;
	for (unsigned i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		if (!strcmp(scenarios[i].name, argv[1])) {
			scenarios[i].run();
			printf("ok %s\n", argv[1]);
			return 0;
		}
	return 2;
}

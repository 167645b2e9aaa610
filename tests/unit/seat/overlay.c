/*
 * The overlay: every scene on every size of monitor is laid out within it, what can be pointed at can
 * be seen, and something is drawn. The layouts have golden hashes, not the pixels: fonts differ.
 *
 * With a folder as argument: writes the pictures of the documentation.
 */
#include "tests/unit/test.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "display/picture.h"
#include "tests/unit/seat/scenes.h"

/* Fontconfig keeps what it has read. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\n";
}

static const uint32_t sizes[][2] = {
	{ 640, 480 }, { 800, 600 }, { 1024, 768 }, { 1280, 720 }, { 1366, 768 }, { 1920, 1080 },
	{ 2560, 1440 }, { 3840, 2160 }, { 1080, 1920 }, { 3440, 1440 }, { 320, 200 }, { 1, 1 },
};

static void check_layout(const struct scene *scene, const struct overlay_layout *layout)
{
	uint32_t width = scene->model.width, height = scene->model.height;

	test_assert(layout->n < OVERLAY_ITEMS);
	for (unsigned i = 0; i < layout->n; i++) {
		const struct overlay_item *item = &layout->items[i];
		const struct rect *box = &item->box;

		test_assert((uint64_t)box->x + box->width <= width);
		test_assert((uint64_t)box->y + box->height <= height);
		if (width < 640 || item->target == MENU_TARGET_NOTHING)
			continue;
		test_assert(box->width && box->height);
		test_equal(overlay_target(layout, box->x + box->width / 2.0, box->y + box->height / 2.0),
			item->target == MENU_ROWS
				? overlay_target(layout, box->x + box->width / 2.0,
					  box->y + box->height / 2.0)
				: item->target);
	}
}

static void test_every_scene_fits_every_monitor(void)
{
	for (unsigned i = 0; i < scene_count(); i++)
		for (unsigned s = 0; s < G_N_ELEMENTS(sizes); s++) {
			struct overlay_layout layout;
			struct scene scene;

			scene_make(i, sizes[s][0], sizes[s][1], &scene);
			overlay_layout(&scene.model, &layout);
			check_layout(&scene, &layout);
			test_equal(layout.modal, menu_open(&scene.menu));
		}
}

/* No row that a key can choose is out of sight, however many there are. */
static void test_the_chosen_row_is_in_sight(void)
{
	for (unsigned chosen = 0; chosen < WIRE_GUESTS; chosen++) {
		struct overlay_layout layout;
		struct scene scene;
		unsigned seen = 0;

		for (unsigned i = 0; i < scene_count(); i++) {
			scene_make(i, 1280, 720, &scene);
			if (strcmp(scene.name, "many") == 0)
				break;
		}
		scene.menu.chosen = chosen;
		overlay_layout(&scene.model, &layout);
		for (unsigned i = 0; i < layout.n; i++)
			seen += layout.items[i].kind == OVERLAY_ROW &&
				layout.items[i].target == (int)chosen;
		test_equal(seen, 1);
	}
}

/* While the microphone is open, its mark is drawn in every scene, above all else but notices. */
static void test_the_microphone_is_always_marked(void)
{
	for (unsigned i = 0; i < scene_count(); i++) {
		struct overlay_layout layout;
		struct scene scene;
		const struct overlay_item *last;

		scene_make(i, 1920, 1080, &scene);
		scene.facts.microphone = true;
		overlay_layout(&scene.model, &layout);
		last = &layout.items[layout.n - 1];
		test_equal(last->kind, OVERLAY_ICON);
		test_equal(last->value, OVERLAY_ICON_MICROPHONE);
	}
}

/* Nothing of a guest is seen when the seat is locked or the time is over: it may be private. */
static void test_what_is_closed_is_opaque(void)
{
	static const char *const closed[] = { "lock", "wrong-pin", "frozen", "time", "pin", "list" };

	for (unsigned i = 0; i < scene_count(); i++) {
		struct overlay_layout layout;
		struct scene scene;
		unsigned hits = 0;

		scene_make(i, 1024, 768, &scene);
		for (unsigned c = 0; c < G_N_ELEMENTS(closed); c++)
			hits += strcmp(scene.name, closed[c]) == 0;
		if (!hits)
			continue;
		overlay_layout(&scene.model, &layout);
		test_equal(layout.items[0].kind, OVERLAY_HEARTH);
		test_equal(layout.extent.width, 1024);
		test_equal(layout.extent.height, 768);
	}
}

static void test_a_quiet_seat_shows_nothing(void)
{
	struct overlay_layout layout;
	struct scene scene;

	scene_make(0, 1920, 1080, &scene);
	scene.model.hint = false;
	overlay_layout(&scene.model, &layout);
	test_equal(layout.n, 0);
	test_equal(layout.extent.width, 0);
}

/* Drawn: not empty, nothing outside of the extent (guard rows stay), alpha premultiplied. */
static void test_drawing(void)
{
	for (unsigned i = 0; i < scene_count(); i++)
		for (unsigned s = 0; s < 6; s += 2) {
			struct overlay_layout layout;
			struct scene scene;
			uint32_t stride, touched = 0;
			uint8_t *pixels;

			scene_make(i, sizes[s][0], sizes[s][1], &scene);
			overlay_layout(&scene.model, &layout);
			stride = layout.extent.width * 4 + 64;
			pixels = g_malloc((size_t)stride * (layout.extent.height + 1));
			memset(pixels, 0xa5, (size_t)stride * (layout.extent.height + 1));
			test_assert(overlay_draw(&layout, pixels, stride));
			for (uint32_t y = 0; y < layout.extent.height; y++)
				for (uint32_t x = 0; x < layout.extent.width; x++) {
					const uint8_t *p = pixels + (size_t)y * stride + x * 4;

					test_assert(p[0] <= p[3] && p[1] <= p[3] && p[2] <= p[3]);
					touched += p[3] != 0;
				}
			test_assert(touched > layout.extent.width * layout.extent.height / 20);
			for (uint32_t x = 0; x < stride; x++)
				test_equal(pixels[(size_t)stride * layout.extent.height + x], 0xa5);
			g_free(pixels);
		}
}

static void test_pointer(void)
{
	struct overlay_layout layout;
	struct scene scene;
	uint32_t stride;
	uint8_t *pixels;

	scene_make(5, 800, 600, &scene);
	overlay_layout(&scene.model, &layout);
	stride = layout.extent.width * 4;
	pixels = g_malloc((size_t)stride * layout.extent.height);
	for (double x = -100; x < 900; x += 49)
		for (double y = -100; y < 700; y += 49) {
			struct rect box;

			memset(pixels, 0, (size_t)stride * layout.extent.height);
			box = overlay_draw_pointer(&layout, x, y, pixels, stride);
			test_assert((uint64_t)box.x + box.width <= layout.extent.width);
			test_assert((uint64_t)box.y + box.height <= layout.extent.height);
			for (uint32_t v = 0; v < layout.extent.height; v++)
				for (uint32_t u = 0; u < layout.extent.width; u++)
					test_assert(pixels[(size_t)v * stride + u * 4 + 3] == 0 ||
						    (u >= box.x && u < box.x + box.width &&
							    v >= box.y && v < box.y + box.height));
		}
	g_free(pixels);
}

/* A sofa is three metres away, a desk less than one: a row's letters are a hundredth of the distance. */
static void test_scale(void)
{
	double desk = overlay_scale(1920, 1080, 531, 299), fine = overlay_scale(3840, 2160, 600, 340);
	double far = overlay_scale(1920, 1080, 1210, 680), unknown = overlay_scale(1280, 720, 0, 0);

	test_assert(desk > 0.9 && desk < 1.1);
	test_assert(fine > 1.5 && fine < 2.2);
	test_assert(far > 0.75 && far < 1);
	test_assert(unknown > 0.6 && unknown < 0.75);
	test_assert(overlay_scale(1, 1, 1, 1) > 0);
	test_assert(overlay_scale(UINT32_MAX, UINT32_MAX, 1, UINT32_MAX) > 0);
}

static void test_golden_layouts(void)
{
	static const struct {
		const char *name;
		uint64_t hash;
	} golden[] = {
#include "tests/unit/seat/golden.h"
	};
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene_count(); i++) {
		struct overlay_layout layout;
		struct scene scene;
		uint64_t expected = 0;

		scene_make(i, 1920, 1080, &scene);
		overlay_layout(&scene.model, &layout);
		for (unsigned g = 0; g < G_N_ELEMENTS(golden); g++)
			if (strcmp(golden[g].name, scene.name) == 0)
				expected = golden[g].hash;
		if (overlay_hash(&layout) == expected)
			continue;
		wrong++;
		fprintf(stderr, "\t\t{ \"%s\", 0x%016" G_GINT64_MODIFIER "xull },\n", scene.name,
			overlay_hash(&layout));
	}
	if (wrong)
		fprintf(stderr, "look at the pictures; if they are right, these lines are golden.h's\n");
	test_equal(wrong, 0);
}

/* ---- pictures ---- */

/* Somebody's desktop, far enough from anybody's real one. */
static uint8_t *backdrop(uint32_t width, uint32_t height)
{
	uint8_t *pixels = g_malloc((size_t)width * height * 4);

	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			double u = x / (double)width, v = y / (double)height;
			double hill = 0.62 + 0.10 * sin(u * 5 + 1) + 0.05 * sin(u * 13);
			double near = 0.80 + 0.06 * sin(u * 4 + 4);
			uint8_t *p = pixels + ((size_t)y * width + x) * 4;
			double r = 150 + 80 * v, g = 185 + 30 * v, b = 215 - 10 * v;

			if (v > near)
				r = 40, g = 82, b = 66;
			else if (v > hill)
				r = 74, g = 120, b = 98;
			p[0] = (uint8_t)b, p[1] = (uint8_t)g, p[2] = (uint8_t)r, p[3] = 0xff;
		}
	return pixels;
}

static void blend(uint8_t *to, const uint8_t *from)
{
	for (unsigned i = 0; i < 3; i++)
		to[i] = (uint8_t)(from[i] + to[i] * (255 - from[3]) / 255);
}

static int write_picture(const char *folder, unsigned i, uint32_t width, uint32_t height)
{
	struct overlay_layout layout;
	struct scene scene;
	g_autofree uint8_t *pixels = backdrop(width, height), *over = NULL;
	g_autofree char *path = NULL;
	struct picture picture = { pixels, width, height, width * 4 };
	g_autoptr(GError) error = NULL;
	uint32_t stride;

	scene_make(i, width, height, &scene);
	overlay_layout(&scene.model, &layout);
	stride = layout.extent.width * 4;
	over = g_malloc((size_t)stride * layout.extent.height);
	overlay_draw(&layout, over, stride);
	for (uint32_t y = 0; y < layout.extent.height; y++)
		for (uint32_t x = 0; x < layout.extent.width; x++)
			blend(pixels + ((size_t)(y + layout.extent.y) * width + x + layout.extent.x) * 4,
				over + (size_t)y * stride + x * 4);
	path = g_strdup_printf("%s/seat-%s.png", folder, scene.name);
	if (picture_write_png(&picture, path, &error))
		return 0;
	fprintf(stderr, "%s\n", error->message);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		uint32_t width = argc > 3 ? (uint32_t)atoi(argv[2]) : 1280;
		uint32_t height = argc > 3 ? (uint32_t)atoi(argv[3]) : 720;
		int failed = 0;

		for (unsigned i = 0; i < scene_count(); i++)
			failed += write_picture(argv[1], i, width, height);
		return failed != 0;
	}
	test_run(test_every_scene_fits_every_monitor);
	test_run(test_the_chosen_row_is_in_sight);
	test_run(test_the_microphone_is_always_marked);
	test_run(test_what_is_closed_is_opaque);
	test_run(test_a_quiet_seat_shows_nothing);
	test_run(test_drawing);
	test_run(test_pointer);
	test_run(test_scale);
	test_run(test_golden_layouts);
	return 0;
}

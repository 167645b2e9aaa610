/*
 * Flash memory: its commands as OVMF gives them, wrong sequences, and the file that keeps it.
 */
#include "vmm/flash_file.c"
#include "vmm/pflash.c"

#include <glib/gstdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define BASE 0xffc00000ull

enum {
	LEN = 128 << 10,
};

static struct machine machine;
static struct pflash *flash;

static struct firmware_image image_new(void)
{
	struct firmware_image image = { mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), LEN };

	test_assert(image.data != MAP_FAILED);
	for (unsigned i = 0; i < LEN; i++)
		image.data[i] = (uint8_t)(i * 7 >> 3);
	return image;
}

static void plug(struct flash_file *file, const struct firmware_image *image)
{
	machine = (struct machine){ .mmio = bus_new("memory") };
	flash = pflash_new(&machine, BASE, image, file, NULL);
	test_assert(flash);
}

static void plug_new(void)
{
	struct firmware_image image = image_new();

	plug(NULL, &image);
}

static void unplug(void)
{
	pflash_free(flash);
	bus_free(machine.mmio);
}

static void out(uint32_t at, uint8_t value)
{
	test_assert(bus_write(machine.mmio, BASE + at, 1, value));
}

static uint8_t in(uint32_t at)
{
	uint64_t value;

	test_assert(bus_read(machine.mmio, BASE + at, 1, &value));
	return (uint8_t)value;
}

/* OvmfPkg's QemuFlashDetected(), in our words. */
static void ovmf_finds_flash(void)
{
	uint8_t before;

	plug_new();
	before = in(0x123);
	test_assert(before != 0x50 && before != 0x70 && before != 0);
	out(0x123, 0x50);
	test_equal(in(0x123), before); /* not RAM, which would have 0x50 */
	out(0x123, 0x70);
	test_equal(in(0x123), 0); /* not ROM either */
	out(0x123, 0xff);
	test_equal(in(0x123), before);
	unplug();
}

static void memory_comes_and_goes(void)
{
	plug_new();
	test_assert(flash->slot.mapped && flash->slot.base == BASE);
	out(0, 0x70);
	test_assert(!flash->slot.mapped);
	out(0, 0x90);
	test_assert(!flash->slot.mapped);
	out(0, 0xff);
	test_assert(flash->slot.mapped);
	out(0, 0x10);
	pflash_reset(flash);
	test_assert(flash->slot.mapped && flash->mode == MODE_ARRAY);
	unplug();
}

static void programs_and_erases(void)
{
	plug_new();
	out(0x1ffe, 0x10);
	out(0x1ffe, 0x55);
	test_equal(in(0x1ffe), STATUS_READY);
	out(0x1fff, 0x40); /* the next one without asking for the array between */
	out(0x1fff, 0x66);
	out(0, 0xff);
	test_equal(in(0x1ffe), 0x55);
	test_equal(in(0x1fff), 0x66);
	out(0x1234, 0x20);
	out(0x1234, 0xd0);
	test_equal(in(0x1000), STATUS_READY);
	out(0, 0xff);
	for (uint32_t at = 0x1000; at < 0x2000; at++)
		test_equal(in(at), 0xff);
	test_equal(in(0xfff), (uint8_t)(0xfff * 7 >> 3));
	test_equal(in(0x2000), (uint8_t)(0x2000 * 7 >> 3));
	unplug();
}

static void programs_by_the_buffer(void)
{
	plug_new();
	out(0x300, 0xe8);
	test_assert(in(0x300) & STATUS_READY);
	out(0x300, 255);
	for (uint32_t i = 0; i < 256; i++)
		out(0x300 + i, (uint8_t)~i);
	test_equal(flash->image.data[0x300], (uint8_t)(0x300 * 7 >> 3)); /* not before it is asked */
	out(0x300, 0xd0);
	out(0, 0xff);
	for (uint32_t i = 0; i < 256; i++)
		test_equal(in(0x300 + i), (uint8_t)~i);
	unplug();
}

static void wrong_sequences_are_errors(void)
{
	plug_new();
	out(0, 0x20);
	out(0, 0x12); /* no confirmation */
	test_equal(in(0), STATUS_READY | STATUS_ERASE_FAILED | STATUS_PROGRAM_FAILED);
	test_equal(flash->image.data[8], 7);
	out(0, 0x50);
	out(0, 0xe8);
	out(0, 3);
	out(0x10, 1);
	out(0x12, 2); /* a gap */
	test_assert(in(0) & STATUS_PROGRAM_FAILED);
	out(0, 0x50);
	out(0, 0xe8);
	out(0, 3);
	out(0xff, 1);
	out(0x100, 2); /* over the buffer's edge */
	test_assert(in(0) & STATUS_PROGRAM_FAILED);
	out(0, 0x50);
	out(0, 0xe8);
	out(0, 0);
	out(0x10, 1);
	out(0x10, 0xff); /* no confirmation */
	test_assert(in(0) & STATUS_PROGRAM_FAILED);
	test_equal(flash->image.data[0x10], 0x10 * 7 >> 3);
	out(0, 0xb0); /* unknown */
	test_equal(flash->mode, MODE_ARRAY);
	unplug();
}

static void says_what_it_is(void)
{
	plug_new();
	out(0, 0x98);
	test_assert(in(0x10) == 'Q' && in(0x11) == 'R' && in(0x12) == 'Y');
	test_equal(in(0x13), 1);
	test_equal(in(0x27), 17);
	test_equal(in(0x2d), LEN / PFLASH_BLOCK - 1);
	test_equal(in(0x30) << 16 | in(0x2f) << 8, PFLASH_BLOCK);
	test_equal(in(0xff), 0);
	out(0, 0x90);
	test_equal(in(0), ID_INTEL);
	test_equal(in(1), ID_DEVICE);
	unplug();
}

/* The last byte of the part, and wide accesses. */
static void at_the_edge(void)
{
	uint64_t value;

	plug_new();
	out(LEN - 1, 0x20);
	out(LEN - 1, 0xd0);
	out(LEN - 1, 0x10);
	out(LEN - 1, 1);
	out(0, 0xff);
	test_equal(in(LEN - 1), 1);
	test_assert(!bus_write(machine.mmio, BASE + LEN - 1, 2, 0x1010));
	test_assert(bus_read(machine.mmio, BASE + LEN - 8, 8, &value));
	test_equal(value, 0x01ffffffffffffff);
	test_assert(bus_write(machine.mmio, BASE + 0x500, 4, 0xffaa4010)); /* 10 40, aa, ff */
	test_equal(flash->image.data[0x501], 0x40);
	unplug();
}

static GBytes *saved(void)
{
	struct state *state = state_new_saving();
	GBytes *bytes;

	pflash_state(flash, state);
	bytes = state_take(state);
	state_free(state);
	return bytes;
}

static bool load(GBytes *bytes)
{
	struct state *state = state_new_loading(bytes);
	bool good;

	pflash_state(flash, state);
	good = !state_failed(state);
	state_free(state);
	return good;
}

static void state_goes_both_ways(void)
{
	GBytes *bytes;

	plug_new();
	out(0x20, 0x10);
	out(0x20, 0xab);
	out(0x300, 0xe8);
	out(0x300, 1);
	out(0x300, 0xcd);
	bytes = saved();
	unplug();
	plug_new();
	test_assert(load(bytes));
	test_assert(!flash->slot.mapped);
	out(0x301, 0xef);
	out(0x300, 0xd0);
	out(0, 0xff);
	test_equal(in(0x20), 0xab);
	test_equal(in(0x300), 0xcd);
	test_equal(in(0x301), 0xef);
	unplug();
}

/* A state that would make us write beyond the buffer or the part. */
static void hostile_states(void)
{
	static const struct {
		uint32_t mode, count, filled, start;
	} bad[] = {
		{ MODES, 0, 0, 0 },
		{ MODE_BUFFER, 300, 0, 0 },
		{ MODE_BUFFER, 10, 10, 0 },
		{ MODE_BUFFER, 10, 11, 0 },
		{ MODE_CONFIRM, 256, 256, LEN - 255 },
		{ MODE_CONFIRM, 4, 4, UINT32_MAX },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		GBytes *bytes;

		plug_new();
		flash->mode = bad[i].mode;
		flash->count = bad[i].count;
		flash->filled = bad[i].filled;
		flash->start = bad[i].start;
		bytes = saved();
		unplug();
		plug_new();
		test_assert(!load(bytes));
		test_assert(flash->mode == MODE_ARRAY && flash->slot.mapped);
		unplug();
	}
}

static char *folder, *path, *template;

static void files_new(void)
{
	struct firmware_image image = image_new();

	folder = g_dir_make_tmp("irori-test-pflash-XXXXXX", NULL);
	path = g_build_filename(folder, "state", "guest.vars", NULL);
	template = g_build_filename(folder, "VARS.fd", NULL);
	test_assert(g_file_set_contents(template, (char *)image.data, LEN, NULL));
	firmware_clear(&image);
}

static void files_end(void)
{
	g_autofree char *state = g_path_get_dirname(path);

	unlink(path);
	rmdir(state);
	unlink(template);
	test_equal(rmdir(folder), 0); /* no temporary file was left */
	g_free(folder);
	g_free(path);
	g_free(template);
}

static void plug_file(void)
{
	g_autoptr(GError) error = NULL;
	struct firmware_image image;
	struct flash_file *file = flash_file_open(path, template, &image, g_main_context_default(),
		&error);

	test_assert(file);
	plug(file, &image);
}

static void file_keeps_it(void)
{
	g_autofree char *text = NULL;
	gsize len;

	files_new();
	plug_file();
	out(0x1000, 0x20);
	out(0x1000, 0xd0);
	out(0x1004, 0x10);
	out(0x1004, 0x42);
	out(0, 0xff);
	for (unsigned i = 0; i < 100 && g_source_get_ready_time(flash->file->source) >= 0; i++)
		g_main_context_iteration(NULL, TRUE);
	test_assert(g_file_get_contents(path, &text, &len, NULL) && len == LEN);
	test_equal((uint8_t)text[0x1003], 0xff);
	test_equal(text[0x1004], 0x42);
	out(0x1005, 0x10);
	out(0x1005, 0x43);
	unplug();
	plug_file();
	test_equal(in(0x1004), 0x42);
	test_equal(in(0x1005), 0x43); /* written when it was unplugged */
	unplug();
	files_end();
}

static void expect_error(const char *file, const char *from, const char *what)
{
	g_autoptr(GError) error = NULL;
	struct firmware_image image;

	test_assert(!flash_file_open(file, from, &image, g_main_context_default(), &error));
	test_assert(strstr(error->message, what));
	test_assert(!image.data);
}

static void bad_files_are_told(void)
{
	g_autofree char *none = NULL;

	files_new();
	none = g_build_filename(folder, "none", NULL);
	expect_error(path, NULL, "No such file");
	expect_error(path, none, "none: No such file");
	test_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
	plug_file();
	expect_error(path, template, "another guest");
	unplug();
	test_equal(truncate(path, LEN - 4096), 0);
	expect_error(path, template, "is it another firmware's, or cut short?");
	test_equal(truncate(path, LEN - 1), 0);
	expect_error(path, template, "not a firmware image");
	test_equal(truncate(path, 0), 0);
	expect_error(path, template, "not a firmware image");
	expect_error(folder, template, "Is a directory");
	files_end();
}

/* More than is queued at once: order and content stay. */
static void many_writes(void)
{
	g_autofree char *text = NULL;
	gsize len;

	files_new();
	plug_file();
	for (unsigned i = 0; i < 300; i++) {
		out(0x3000, 0x20);
		out(0x3000, 0xd0);
		out(0x3000, 0x10);
		out(0x3000, (uint8_t)i);
	}
	test_assert(flash->file->queue.bytes->len <= QUEUE_MAX);
	unplug();
	test_assert(g_file_get_contents(path, &text, &len, NULL) && len == LEN);
	test_equal((uint8_t)text[0x3000], (uint8_t)299);
	test_equal((uint8_t)text[0x3001], 0xff);
	files_end();
}

int main(void)
{
	test_run(ovmf_finds_flash);
	test_run(memory_comes_and_goes);
	test_run(programs_and_erases);
	test_run(programs_by_the_buffer);
	test_run(wrong_sequences_are_errors);
	test_run(says_what_it_is);
	test_run(at_the_edge);
	test_run(state_goes_both_ways);
	test_run(hostile_states);
	test_run(file_keeps_it);
	test_run(bad_files_are_told);
	test_run(many_writes);
	return 0;
}

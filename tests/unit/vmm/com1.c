/*
 * COM1: what the guest prints reaches the file that is named, and the file has an end.
 */
#include "vmm/serial_device.c"

#include "tests/unit/test.h"

static struct machine machine;
static char path[] = "/tmp/irori-test-com1-XXXXXX";

static struct device *plug(uint64_t max_size)
{
	struct serial_config config = { .output = path, .max_size = max_size };
	struct device *device = serial_type.create(&machine, "", &config, NULL);

	test_assert(device);
	return device;
}

static void print(const char *text)
{
	for (; *text; text++)
		bus_write(machine.pio, COM1_PORT, 1, (uint8_t)*text);
}

static void expect_log(const char *text)
{
	g_autofree char *log = NULL;

	test_assert(g_file_get_contents(path, &log, NULL, NULL));
	test_assert(!strcmp(log, text));
}

static void lines_reach_the_file(void)
{
	struct device *device = plug(4096);

	print("one\ntw");
	expect_log("one\n");
	print("o\n");
	expect_log("one\ntwo\n");
	print("rest");
	device->destroy(device);
	expect_log("one\ntwo\nrest");
}

static void file_has_an_end(void)
{
	struct device *device;

	test_equal(truncate(path, 0), 0);
	device = plug(10);
	print("0123456\n");
	print("89abc\n");
	print("x\n"); /* no gap in what is there */
	device->destroy(device);
	expect_log("0123456\n");
	device = plug(8); /* as large as it may be already */
	print("y\n");
	device->destroy(device);
	expect_log("0123456\n");
}

/* An error at once, where a plain open would wait for a reader. */
static void pipe_without_a_reader(void)
{
	struct serial_config config = { .output = path, .max_size = 4096 };
	g_autoptr(GError) error = NULL;

	unlink(path);
	test_equal(mkfifo(path, 0600), 0);
	alarm(5);
	test_assert(!serial_type.create(&machine, "", &config, &error));
	test_assert(strstr(error->message, path));
	alarm(0);
}

int main(void)
{
	int fd = mkstemp(path);

	test_assert(fd >= 0);
	close(fd);
	machine.pio = bus_new("port");
	machine.main_context = g_main_context_new();
	test_run(lines_reach_the_file);
	test_run(file_has_an_end);
	test_run(pipe_without_a_reader);
	g_main_context_unref(machine.main_context);
	bus_free(machine.pio);
	unlink(path);
	return 0;
}

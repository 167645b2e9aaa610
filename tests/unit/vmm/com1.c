/*
 * COM1: what the guest prints reaches the file that is named, and the file has an end.
 */
#include "vmm/serial_device.c"

#include "tests/unit/test.h"
#include "vmm/state.h"

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

static uint8_t typed(unsigned reg)
{
	uint64_t value;

	bus_read(machine.pio, COM1_PORT + reg, 1, &value);
	return (uint8_t)value;
}

/* More than the UART holds: nothing is lost, however slowly the guest takes it. */
static void input_waits_for_the_guest(void)
{
	g_autofree char *pipe = g_strconcat(path, ".in", NULL);
	struct serial_config config = { .output = (char *)"none", .input = pipe };
	struct device *device;
	int fd;

	test_equal(mkfifo(pipe, 0600), 0);
	device = serial_type.create(&machine, "", &config, NULL);
	test_assert(device);
	fd = open(pipe, O_WRONLY | O_NONBLOCK);
	for (unsigned i = 0; i < 600; i++)
		test_equal(write(fd, &(uint8_t){ (uint8_t)i }, 1), 1);
	close(fd);
	for (unsigned i = 0; i < 600; i++) {
		for (unsigned turns = 0; !(typed(5) & 1) && turns < 1000; turns++)
			g_main_context_iteration(machine.main_context, FALSE);
		test_assert(typed(5) & 1);
		test_assert(!(typed(5) & 2)); /* no overrun */
		test_equal(typed(0), (uint8_t)i);
	}
	device->destroy(device);
	unlink(pipe);
}

/* Who typed has gone, and the guest does not read: nobody runs in circles until it does. */
static void input_that_ends_waits(void)
{
	struct serial_config config = { .output = (char *)"none", .input = (char *)"stdin" };
	int before = dup(STDIN_FILENO), pipe_fd[2];
	struct device *device;

	test_equal(pipe(pipe_fd), 0);
	test_equal(dup2(pipe_fd[0], STDIN_FILENO), STDIN_FILENO);
	close(pipe_fd[0]);
	device = serial_type.create(&machine, "", &config, NULL);
	test_assert(device);
	for (unsigned i = 0; i < 100; i++)
		test_equal(write(pipe_fd[1], &(uint8_t){ (uint8_t)i }, 1), 1);
	close(pipe_fd[1]);
	for (unsigned i = 0; i < 10; i++)
		g_main_context_iteration(machine.main_context, FALSE);
	test_assert(!g_main_context_pending(machine.main_context));
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned turns = 0; !(typed(5) & 1) && turns < 1000; turns++)
			g_main_context_iteration(machine.main_context, FALSE);
		test_equal(typed(0), (uint8_t)i);
	}
	for (unsigned i = 0; i < 10; i++)
		g_main_context_iteration(machine.main_context, FALSE);
	test_assert(!g_main_context_pending(machine.main_context));
	device->destroy(device);
	if (before >= 0) {
		dup2(before, STDIN_FILENO);
		close(before);
	}
}

static void input_must_be_a_pipe_or_terminal(void)
{
	struct serial_config config = { .output = (char *)"none", .input = path };
	g_autoptr(GError) error = NULL;

	test_assert(g_file_set_contents(path, "x", 1, NULL));
	test_assert(!serial_type.create(&machine, "", &config, &error));
	test_assert(strstr(error->message, "neither a named pipe nor a terminal"));
	g_clear_error(&error);
	unlink(path);
	test_assert(!serial_type.create(&machine, "", &config, &error));
	test_assert(strstr(error->message, "No such file"));
}

static void state_goes_both_ways(void)
{
	struct serial_config config = { .output = (char *)"none" };
	struct device *device = serial_type.create(&machine, "", &config, NULL);
	struct serial *serial = &((struct serial_device *)device)->serial;
	struct state *state = state_new_saving();
	GBytes *bytes;

	serial_receive(serial, (const uint8_t *)"abc", 3);
	bus_write(machine.pio, COM1_PORT + 7, 1, 0x5a);
	device->state(device, state);
	bytes = state_take(state);
	state_free(state);
	device->reset(device);
	state = state_new_loading(g_bytes_ref(bytes));
	device->state(device, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_assert(typed(7) == 0x5a && typed(0) == 'a' && typed(0) == 'b');
	/* One that says that more was received than there is room for. */
	((uint8_t *)g_bytes_get_data(bytes, NULL))[g_bytes_get_size(bytes) - 4] = SERIAL_FIFO + 1;
	state = state_new_loading(bytes);
	device->state(device, state);
	test_assert(state_failed(state) && serial->n_fifo <= SERIAL_FIFO);
	state_free(state);
	device->destroy(device);
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
	test_run(input_waits_for_the_guest);
	test_run(input_that_ends_waits);
	test_run(input_must_be_a_pipe_or_terminal);
	test_run(state_goes_both_ways);
	g_main_context_unref(machine.main_context);
	bus_free(machine.pio);
	unlink(path);
	return 0;
}

/* virtio-console, from its guest's side: logs with an end to them, a slow reader, typed input. */
#include "vmm/virtio_console.c"

#include <signal.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

static struct guest guest;
static char path[] = "/tmp/irori-test-console-XXXXXX";

static void plug(unsigned output, unsigned input, uint64_t max_size)
{
	struct console_config config = {
		.output = output, .input = input, .path = path, .max_size = max_size};

	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &virtio_console, &config, NULL));
	guest_start(&guest, 0);
}

static void print(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	guest_add(&guest, CONSOLE_TRANSMIT,
		(struct guest_buffer[]){{guest_put(&guest, text, len), len, false}}, 1);
	guest_kick(&guest, CONSOLE_TRANSMIT);
}

static bool answered(void)
{
	uint32_t id, len;

	return guest_used(&guest, CONSOLE_TRANSMIT, &id, &len);
}

static void expect_log(const char *text)
{
	char *log = NULL;

	test_assert(g_file_get_contents(path, &log, NULL, NULL));
	if (strcmp(log, text) != 0)
		fprintf(stderr, "log: %s\n", log);
	test_assert(strcmp(log, text) == 0);
	g_free(log);
}

static void log_file(void)
{
	test_equal(truncate(path, 0), 0);
	plug(CONSOLE_FILE, CONSOLE_NO_INPUT, 4096);
	print("one\n");
	print("");
	print("two\n");
	for (unsigned i = 0; i < 3; i++)
		test_assert(answered());
	guest_close(&guest);
	expect_log("one\ntwo\n");
	plug(CONSOLE_FILE, CONSOLE_NO_INPUT, 4096); /* appended to */
	print("three\n");
	guest_close(&guest);
	expect_log("one\ntwo\nthree\n");
}

static void log_has_an_end(void)
{
	test_equal(truncate(path, 0), 0);
	plug(CONSOLE_FILE, CONSOLE_NO_INPUT, 10);
	print("0123456");
	print("789abc");
	print("def");
	for (unsigned i = 0; i < 3; i++)
		test_assert(answered()); /* the guest never waits for it */
	guest_close(&guest);
	expect_log("0123456");
	plug(CONSOLE_FILE, CONSOLE_NO_INPUT, 5); /* smaller than what is there */
	print("x");
	test_assert(answered());
	guest_close(&guest);
	expect_log("0123456");
}

static void no_output(void)
{
	plug(CONSOLE_NONE, CONSOLE_NO_INPUT, 0);
	print("lost");
	test_assert(answered());
	guest_close(&guest);
}

static void backwards_buffers(void)
{
	uint64_t at;
	uint32_t id, len;

	plug(CONSOLE_NONE, CONSOLE_NO_INPUT, 0);
	at = guest_alloc(&guest, 16);
	guest_add(&guest, CONSOLE_TRANSMIT, (struct guest_buffer[]){{at, 16, true}}, 1);
	guest_add(&guest, CONSOLE_RECEIVE, (struct guest_buffer[]){{at, 16, false}}, 1);
	guest_kick(&guest, CONSOLE_TRANSMIT);
	guest_kick(&guest, CONSOLE_RECEIVE);
	test_assert(answered());
	test_assert(!guest_used(&guest, CONSOLE_RECEIVE, &id, &len));
	guest_close(&guest);
}

/* Standard output is a pipe that nobody reads: buffers wait, nothing blocks, a reset forgets. */
static void slow_reader(void)
{
	int saved = dup(STDOUT_FILENO), end[2];
	char *much = g_strnfill(200000, 'x');
	unsigned got = 0;
	char bytes[4096];

	test_equal(pipe2(end, O_CLOEXEC), 0);
	dup2(end[1], STDOUT_FILENO);
	plug(CONSOLE_STDOUT, CONSOLE_NO_INPUT, 0);
	print(much);
	test_assert(!answered());
	print("y"); /* waits behind it */
	test_assert(!answered());
	while (got < 200001) {
		ssize_t n = read(end[0], bytes, sizeof(bytes));

		test_assert(n > 0);
		got += (unsigned)n;
		guest_spin(&guest);
	}
	test_assert(answered() && answered());
	print(much);
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 0);
	guest_spin(&guest);
	test_assert(!answered());
	close(end[0]); /* the reader is gone: dropped from now on */
	guest.heap = GUEST_HEAP;
	memset(guest_at(&guest, 0, GUEST_MEMORY), 0, GUEST_MEMORY);
	guest_start(&guest, 0);
	print("z");
	test_assert(answered());
	guest_close(&guest);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(end[1]);
	g_free(much);
}

/* A terminal takes a part of what it is given, and would keep the writer for the rest. */
static void slow_terminal(void)
{
	int saved = dup(STDOUT_FILENO), master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	char *much = g_strnfill(200000, 'x');
	unsigned got = 0;
	char bytes[4096];

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
		printf("no pseudo-terminal: not tested\n");
		goto out;
	}
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	test_assert(slave >= 0);
	dup2(slave, STDOUT_FILENO);
	alarm(5);
	plug(CONSOLE_STDOUT, CONSOLE_NO_INPUT, 0);
	print(much);
	test_assert(!answered());
	while (got < 200000) {
		ssize_t n = read(master, bytes, sizeof(bytes));

		test_assert(n > 0);
		got += (unsigned)n;
		guest_spin(&guest);
	}
	test_assert(answered());
	alarm(0);
	guest_close(&guest);
	test_equal(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0); /* others write to it, too */
	dup2(saved, STDOUT_FILENO);
	close(slave);
out:
	close(saved);
	if (master >= 0)
		close(master);
	g_free(much);
}

static void typed_input(void)
{
	int saved = dup(STDIN_FILENO), end[2];
	uint64_t at;
	uint32_t id, len;

	test_equal(pipe2(end, O_CLOEXEC), 0);
	dup2(end[0], STDIN_FILENO);
	plug(CONSOLE_NONE, CONSOLE_STDIN, 0);
	test_equal(write(end[1], "hello", 5), 5);
	guest_spin(&guest); /* no buffer: it stays in the pipe */
	at = guest_alloc(&guest, 64);
	guest_add(&guest, CONSOLE_RECEIVE, (struct guest_buffer[]){{at, 0, true}}, 1);
	guest_add(&guest, CONSOLE_RECEIVE, (struct guest_buffer[]){{at, 3, true}}, 1);
	guest_add(&guest, CONSOLE_RECEIVE, (struct guest_buffer[]){{at + 16, 16, true}}, 1);
	guest_add(&guest, CONSOLE_RECEIVE, (struct guest_buffer[]){{at + 32, 16, true}}, 1);
	guest_kick(&guest, CONSOLE_RECEIVE);
	test_assert(guest_used(&guest, CONSOLE_RECEIVE, &id, &len));
	test_equal(len, 0);
	test_assert(guest_used(&guest, CONSOLE_RECEIVE, &id, &len));
	test_equal(len, 3);
	test_assert(guest_used(&guest, CONSOLE_RECEIVE, &id, &len));
	test_equal(len, 2);
	test_assert(memcmp(guest_at(&guest, at, 3), "hel", 3) == 0);
	test_assert(memcmp(guest_at(&guest, at + 16, 2), "lo", 2) == 0);
	test_assert(!guest_used(&guest, CONSOLE_RECEIVE, &id, &len));
	close(end[1]); /* the end of input is not the end of the world */
	guest_spin(&guest);
	guest_spin(&guest);
	guest_close(&guest);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(end[0]);
}

static void files_refused(void)
{
	struct console_config config = {.output = CONSOLE_FILE};
	GError *error = NULL;

	guest_open(&guest, GUEST_MEMORY);
	test_assert(!guest_plug(&guest, &virtio_console, &config, &error));
	g_clear_error(&error);
	config.path = (char *)"/nonexistent/log";
	test_assert(!guest_plug(&guest, &virtio_console, &config, &error));
	test_assert(strstr(error->message, "/nonexistent/log"));
	g_clear_error(&error);
	guest_close(&guest);
}

int main(void)
{
	int fd = mkstemp(path);

	test_assert(fd >= 0);
	close(fd);
	signal(SIGPIPE, SIG_IGN);
	test_run(log_file);
	test_run(log_has_an_end);
	test_run(no_output);
	test_run(backwards_buffers);
	test_run(slow_reader);
	test_run(slow_terminal);
	test_run(typed_input);
	test_run(files_refused);
	unlink(path);
	return 0;
}

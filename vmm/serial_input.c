/*
 * What is typed at COM1: a source on the main loop that reads when the UART has room.
 */
#define G_LOG_DOMAIN "irori-serial"

#include "vmm/serial_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/serial.h"

enum {
	INPUT_LEN = 256,
};

struct serial_input {
	struct serial *serial;
	int fd;
	GSource *source;
	gpointer tag; /* of the descriptor in the source; NULL: bytes wait here, or it has ended */
	bool ended;
	uint8_t bytes[INPUT_LEN];
	size_t n;
};

struct input_source {
	GSource source;
	struct serial_input *input;
};

/* Looks at the descriptor, or not at all: one that has hung up would always have news. */
static void input_watch(struct serial_input *input, bool watch)
{
	if (watch == (input->tag != NULL))
		return;
	if (watch) {
		input->tag = g_source_add_unix_fd(input->source, input->fd, G_IO_IN);
		return;
	}
	g_source_remove_unix_fd(input->source, input->tag);
	input->tag = NULL;
}

/* The end of it, or a failure, is the end of typing and no more. */
static void input_read(struct serial_input *input)
{
	ssize_t n = read(input->fd, input->bytes, sizeof(input->bytes));

	if (n > 0)
		input->n = (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		input->ended = true;
}

static void input_give(struct serial_input *input)
{
	size_t taken = serial_receive(input->serial, input->bytes, input->n);

	input->n -= taken;
	memmove(input->bytes, input->bytes + taken, input->n);
}

static gboolean input_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct serial_input *input = ((struct input_source *)source)->input;

	g_source_set_ready_time(source, -1);
	if (!input->n && input->tag && g_source_query_unix_fd(source, input->tag))
		input_read(input);
	if (input->n)
		input_give(input);
	input_watch(input, !input->n && !input->ended);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs input_funcs = {
	.dispatch = input_dispatch,
};

/* A named pipe is opened for writing as well: it does not end when its first writer does. */
static int input_open(const char *from, GError **error)
{
	int fd = !strcmp(from, "stdin") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
		open(from, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) &&
		!S_ISBLK(status.st_mode))
		return fd;
	fail_errno(error, fd < 0 ? errno : EINVAL, "[Serial] Input=%s: %s", from,
		fd < 0 ? g_strerror(errno) : "neither a named pipe nor a terminal");
	if (fd >= 0)
		close(fd);
	return -1;
}

struct serial_input *serial_input_new(struct serial *serial, const char *from,
	GMainContext *context, GError **error)
{
	int fd = input_open(from, error);
	struct serial_input *input;

	if (fd < 0)
		return NULL;
	input = g_new0(struct serial_input, 1);
	input->serial = serial;
	input->fd = fd;
	input->source = g_source_new(&input_funcs, sizeof(struct input_source));
	((struct input_source *)input->source)->input = input;
	input_watch(input, true);
	g_source_attach(input->source, context);
	return input;
}

void serial_input_free(struct serial_input *input)
{
	if (!input)
		return;
	g_source_destroy(input->source);
	g_source_unref(input->source);
	close(input->fd);
	g_free(input);
}

void serial_input_drained(struct serial_input *input)
{
	g_source_set_ready_time(input->source, 0);
}

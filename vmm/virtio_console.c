/*
 * virtio-console: port 0 of a guest. What it prints goes to a file of bounded size or to our
 * standard output, which may be slower than the guest: then its buffers wait. What is typed on
 * standard input reaches it, if the configuration says so. Source: virtio 1.2, section 5.3.
 *
 * Thread: the I/O context; create and destroy on the main thread.
 */
#define G_LOG_DOMAIN "virtio-console"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

#include "vmm/machine.h"
#include "vmm/output.h"
#include "vmm/virtio_pci.h"

enum console_queues {
	CONSOLE_RECEIVE, /* to the guest */
	CONSOLE_TRANSMIT,
};

enum console_limits {
	CONSOLE_PIECE = 4096, /* see output.h */
};

enum console_output {
	CONSOLE_NONE,
	CONSOLE_STDOUT,
	CONSOLE_FILE,
};

enum console_input {
	CONSOLE_NO_INPUT,
	CONSOLE_STDIN,
};

struct console_config {
	unsigned output, input;
	char *path;
	uint64_t max_size;
};

struct console {
	struct device device;
	struct virtio_device virtio;
	int fd;          /* -1: what the guest prints is dropped */
	bool own_fd;
	uint64_t room;   /* bytes the file may still grow by */
	struct vq_chain out; /* being written while `pending` */
	bool pending;
	size_t written;
	GSource *writable; /* we wait for it, else NULL */
	bool input;          /* standard input is this guest's and has not ended */
	struct vq_chain in;  /* a buffer for what is typed, while `readable` waits */
	GSource *readable;
};

static struct console *console_of(struct virtio_device *dev)
{
	return (struct console *)((char *)dev - offsetof(struct console, virtio));
}

static void source_end(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
}

static bool fd_ready(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	return poll(&poll_fd, 1, 0) == 1;
}

static void console_stop_output(struct console *console, const char *why)
{
	g_warning("console %s: %s; the rest is dropped", console->device.instance, why);
	if (console->own_fd)
		close(console->fd);
	console->fd = -1;
}

/* Writes some of the pending chain. False: the other end is not ready. */
static bool console_write(struct console *console)
{
	uint8_t bytes[CONSOLE_PIECE];
	size_t len = chain_read(&console->out, console->written, bytes, sizeof(bytes));
	ssize_t done;

	if (!fd_ready(console->fd, POLLOUT))
		return false;
	if (len > console->room) {
		console_stop_output(console, "the log is full");
		return true;
	}
	done = write(console->fd, bytes, len);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (done < 0) {
		console_stop_output(console, g_strerror(errno));
		return true;
	}
	console->written += (size_t)done;
	console->room -= (uint64_t)done;
	return true;
}

static gboolean console_writable(gint fd, GIOCondition condition, gpointer data);

static void console_wait_writable(struct console *console)
{
	if (console->writable)
		return;
	console->writable = g_unix_fd_source_new(console->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP);
	g_source_set_callback(console->writable, G_SOURCE_FUNC(console_writable), console, NULL);
	g_source_attach(console->writable, console->virtio.context);
}

/* False: it waits. */
static bool console_finish_pending(struct console *console)
{
	while (console->pending) {
		if (console->fd < 0 || console->written == console->out.out_len) {
			virtio_push(&console->virtio, CONSOLE_TRANSMIT, console->out.head, 0);
			console->pending = false;
		} else if (!console_write(console)) {
			console_wait_writable(console);
			return false;
		}
	}
	return true;
}

static void console_transmit(struct console *console)
{
	while (console_finish_pending(console)) {
		if (virtio_pop(&console->virtio, CONSOLE_TRANSMIT, &console->out) != 1)
			break;
		console->pending = true;
		console->written = 0;
	}
	virtio_interrupt(&console->virtio, CONSOLE_TRANSMIT);
}

static gboolean console_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct console *console = data;

	g_mutex_lock(&console->virtio.lock);
	if (g_source_is_destroyed(g_main_current_source())) {
		g_mutex_unlock(&console->virtio.lock);
		return G_SOURCE_REMOVE;
	}
	source_end(&console->writable);
	console_transmit(console);
	g_mutex_unlock(&console->virtio.lock);
	return G_SOURCE_REMOVE;
}

static gboolean console_readable(gint fd, GIOCondition condition, gpointer data);

/* Standard input is watched only while the guest has a buffer for it: what is typed before stays
 * with the terminal. */
static void console_receive(struct console *console)
{
	while (console->input && !console->readable &&
		virtio_pop(&console->virtio, CONSOLE_RECEIVE, &console->in) == 1) {
		if (console->in.in_len == 0) {
			virtio_push(&console->virtio, CONSOLE_RECEIVE, console->in.head, 0);
			continue;
		}
		console->readable = g_unix_fd_source_new(STDIN_FILENO, G_IO_IN | G_IO_HUP);
		g_source_set_callback(console->readable, G_SOURCE_FUNC(console_readable), console,
			NULL);
		g_source_attach(console->readable, console->virtio.context);
	}
	virtio_interrupt(&console->virtio, CONSOLE_RECEIVE);
}

static gboolean console_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct console *console = data;
	uint8_t bytes[CONSOLE_PIECE];
	size_t written;
	ssize_t got;

	g_mutex_lock(&console->virtio.lock);
	if (!g_source_is_destroyed(g_main_current_source())) {
		source_end(&console->readable);
		got = read(STDIN_FILENO, bytes, MIN(console->in.in_len, sizeof(bytes)));
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			console->input = false;
		written = got > 0 ? chain_write(&console->in, 0, bytes, (size_t)got) : 0;
		virtio_push(&console->virtio, CONSOLE_RECEIVE, console->in.head, (uint32_t)written);
		console_receive(console);
	}
	g_mutex_unlock(&console->virtio.lock);
	return G_SOURCE_REMOVE;
}

static void console_kick(struct virtio_device *dev, unsigned q)
{
	struct console *console = console_of(dev);

	if (q == CONSOLE_TRANSMIT)
		console_transmit(console);
	else
		console_receive(console);
}

static void console_forget(struct virtio_device *dev)
{
	struct console *console = console_of(dev);

	source_end(&console->writable);
	source_end(&console->readable);
	console->pending = false;
}

static const struct virtio_ops console_ops = {
	.name = "virtio-console",
	.id = 3,
	.pci_class = 0x07, /* communication controller, other */
	.pci_subclass = 0x80,
	.n_queues = 2,
	.queue_size = {64, 64},
	.reset = console_forget,
	.kick = console_kick,
};

static void console_reset(struct device *device)
{
	virtio_pci_reset(&((struct console *)device)->virtio);
}

/* What is being written is written again. */
static void console_drain(struct device *device)
{
	struct console *console = (struct console *)device;

	g_mutex_lock(&console->virtio.lock);
	virtio_unpop(&console->virtio, CONSOLE_RECEIVE, console->readable != NULL);
	virtio_unpop(&console->virtio, CONSOLE_TRANSMIT, console->pending);
	console_forget(&console->virtio);
	g_mutex_unlock(&console->virtio.lock);
}

static void console_state(struct device *device, struct state *state)
{
	virtio_state(&((struct console *)device)->virtio, state);
}

static void console_destroy(struct device *device)
{
	struct console *console = (struct console *)device;

	virtio_reset(&console->virtio);
	virtio_detach_pci(&console->virtio);
	if (console->own_fd && console->fd >= 0)
		close(console->fd);
	virtio_clear(&console->virtio);
	g_free(console);
}

static bool console_open_file(struct console *console, const char *path, uint64_t max_size,
	GError **error)
{
	off_t size;

	if (!path) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			"console %s: Output=file needs a Path=", console->device.instance);
		return false;
	}
	console->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		0600);
	if (console->fd < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			"console %s: cannot write to %s: %s", console->device.instance, path,
			g_strerror(errno));
		return false;
	}
	console->own_fd = true;
	size = lseek(console->fd, 0, SEEK_END);
	console->room = size > 0 ? max_size - MIN((uint64_t)size, max_size) : max_size;
	return true;
}

static bool console_open(struct console *console, const struct console_config *config,
	GError **error)
{
	console->fd = -1;
	console->room = UINT64_MAX;
	console->input = config->input == CONSOLE_STDIN;
	if (config->output == CONSOLE_FILE)
		return console_open_file(console, config->path, config->max_size, error);
	if (config->output == CONSOLE_STDOUT)
		console->fd = output_share(STDOUT_FILENO, &console->own_fd);
	return true;
}

static const char *const console_outputs[] = {"none", "stdout", "file", NULL};
static const char *const console_inputs[] = {"none", "stdin", NULL};

static const struct property console_properties[] = {
	{
		.key = "Output",
		.type = PROPERTY_ENUM,
		.offset = offsetof(struct console_config, output),
		.fallback = "stdout",
		.help = "where the guest's console goes: none, stdout, file",
		.values = console_outputs,
	},
	{
		.key = "Path",
		.type = PROPERTY_PATH,
		.offset = offsetof(struct console_config, path),
		.help = "with Output=file: the log, appended to",
	},
	{
		.key = "MaxSize",
		.type = PROPERTY_SIZE,
		.offset = offsetof(struct console_config, max_size),
		.fallback = "16M",
		.help = "with Output=file: the log does not grow beyond",
		.min = 4096,
		.max = 1ull << 40,
	},
	{
		.key = "Input",
		.type = PROPERTY_ENUM,
		.offset = offsetof(struct console_config, input),
		.fallback = "none",
		.help = "what the guest reads from its console: none, stdin",
		.values = console_inputs,
	},
	{0},
};

static struct device *console_create(struct machine *machine, const char *instance,
	const void *config, GError **error);

static const struct device_type virtio_console = {
	.section = "Console",
	.help = "a text console (virtio-console)",
	.properties = console_properties,
	.config_size = sizeof(struct console_config),
	.create = console_create,
};

static struct device *console_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	struct console *console = g_new0(struct console, 1);

	console->device = (struct device){
		.type = &virtio_console,
		.instance = instance,
		.reset = console_reset,
		.drain = console_drain,
		.state = console_state,
		.destroy = console_destroy,
	};
	virtio_init(&console->virtio, &console_ops, machine->memory, machine->io_context);
	if (!console_open(console, config, error) ||
		!virtio_attach_pci(machine, &console->virtio, error)) {
		console_destroy(&console->device);
		return NULL;
	}
	return &console->device;
}

DEVICE_REGISTER(virtio_console);

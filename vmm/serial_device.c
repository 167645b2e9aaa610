/*
 * COM1: the UART on port 3F8, interrupt 4, and where its bytes go on the host.
 */
#define G_LOG_DOMAIN "irori-serial"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/kvm.h"
#include "vmm/error.h"
#include "vmm/machine.h"
#include "vmm/output.h"
#include "vmm/serial.h"
#include "vmm/serial_input.h"

enum {
	COM1_PORT = 0x3f8,
	COM1_GSI = 4,
	LINE_LEN = 256,
	LINE_PATIENCE_MS = 20, /* an unfinished line is shown after this */
};

struct serial_config {
	char *output, *input;
	uint64_t max_size;
};

struct serial_device {
	struct device device;
	struct machine *machine;
	struct serial serial;
	struct serial_input *input; /* NULL: nobody types */
	struct region region;
	int fd;
	bool own_fd;
	GSource *timer; /* armed while an unfinished line waits */
	GMutex lock;    /* of what follows; taken under the UART's lock */
	uint8_t line[LINE_LEN];
	unsigned n_line;
	uint64_t room; /* bytes the file may still grow by */
};

static const struct property serial_properties[] = {
	{ "Output", PROPERTY_STRING, offsetof(struct serial_config, output), "stdout",
		"where COM1 goes: stdout, stderr, none or a file, which is appended to",
		.required = false },
	{ "Input", PROPERTY_STRING, offsetof(struct serial_config, input), "none",
		"where COM1 hears from: none, stdin, or the path of a named pipe or a terminal",
		.required = false },
	{ "MaxSize", PROPERTY_SIZE, offsetof(struct serial_config, max_size), "16M",
		"a file does not grow beyond", .min = 4096, .max = 1ull << 40 },
	{ 0 }
};

static bool line_fits(struct serial_device *com)
{
	if (com->n_line <= com->room)
		return true;
	if (com->room)
		g_warning("COM1: the log is full; the rest is dropped");
	com->room = 0;
	return false;
}

/* A reader who has stopped reading must not stop the guest: what does not fit now is lost. */
static void line_flush(struct serial_device *com)
{
	struct pollfd pollfd = { .fd = com->fd, .events = POLLOUT };

	if (com->n_line && line_fits(com) && poll(&pollfd, 1, 0) == 1 && pollfd.revents & POLLOUT) {
		ssize_t n = write(com->fd, com->line, com->n_line);

		if (n < 0)
			g_debug("COM1: %s", g_strerror(errno));
		else
			com->room -= (uint64_t)n;
	}
	com->n_line = 0;
}

static void com_transmit(void *owner, uint8_t byte)
{
	struct serial_device *com = owner;

	g_mutex_lock(&com->lock);
	if (!com->n_line)
		g_source_set_ready_time(com->timer,
			g_get_monotonic_time() + LINE_PATIENCE_MS * 1000);
	com->line[com->n_line++] = byte;
	if (byte == '\n' || com->n_line == LINE_LEN)
		line_flush(com);
	g_mutex_unlock(&com->lock);
}

static void com_interrupt(void *owner, bool level)
{
	struct serial_device *com = owner;

	if (com->machine->kvm)
		kvm_irq_line(com->machine->kvm, COM1_GSI, level);
}

static void com_drained(void *owner)
{
	struct serial_device *com = owner;

	if (com->input)
		serial_input_drained(com->input);
}

static const struct serial_ops com_ops = {
	.transmit = com_transmit,
	.interrupt = com_interrupt,
	.drained = com_drained,
};
static const struct serial_ops silent_ops = {
	.interrupt = com_interrupt,
	.drained = com_drained,
};

static gboolean com_timer(GSource *source, GSourceFunc callback, gpointer data)
{
	struct serial_device *com = data;

	g_source_set_ready_time(source, -1);
	g_mutex_lock(&com->lock);
	line_flush(com);
	g_mutex_unlock(&com->lock);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs com_timer_funcs = {
	.dispatch = com_timer,
};

/* Wider accesses than a byte reach the first register only, as on an ISA bus without converters. */
static uint64_t com_read(void *owner, uint64_t offset, unsigned size)
{
	struct serial_device *com = owner;

	return serial_read(&com->serial, (unsigned)offset);
}

static void com_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct serial_device *com = owner;

	serial_write(&com->serial, (unsigned)offset, (uint8_t)value);
}

static const struct region_ops com_region_ops = {
	.read = com_read,
	.write = com_write,
};

static void com_reset(struct device *device)
{
	serial_reset(&((struct serial_device *)device)->serial);
}

static void com_state(struct device *device, struct state *state)
{
	serial_state(&((struct serial_device *)device)->serial, state);
}

static void com_destroy(struct device *device)
{
	struct serial_device *com = (struct serial_device *)device;

	bus_remove(com->machine->pio, &com->region);
	serial_input_free(com->input);
	g_source_destroy(com->timer);
	g_source_unref(com->timer);
	line_flush(com);
	if (com->own_fd)
		close(com->fd);
	serial_clear(&com->serial);
	g_mutex_clear(&com->lock);
	g_free(com);
}

/* What a guest prints must not fill the disk. */
static void output_bound(struct serial_device *com, uint64_t max_size)
{
	struct stat status;

	if (fstat(com->fd, &status) == 0 && S_ISREG(status.st_mode))
		com->room = max_size - MIN((uint64_t)status.st_size, max_size);
}

static bool output_open(struct serial_device *com, const struct serial_config *config,
	GError **error)
{
	static const struct {
		const char *name;
		int fd;
	} known[] = { { "none", -1 }, { "stdout", STDOUT_FILENO }, { "stderr", STDERR_FILENO } };

	com->room = UINT64_MAX;
	for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
		if (!strcmp(config->output, known[i].name)) {
			com->fd = output_share(known[i].fd, &com->own_fd);
			return true;
		}
	com->fd = open(config->output,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	com->own_fd = com->fd >= 0;
	if (com->fd < 0)
		fail_errno(error, errno, "[Serial] Output=%s: %s", config->output,
			g_strerror(errno));
	else
		output_bound(com, config->max_size);
	return com->own_fd;
}

static bool input_open(struct serial_device *com, const struct serial_config *config, GError **error)
{
	if (!config->input || !strcmp(config->input, "none"))
		return true;
	com->input = serial_input_new(&com->serial, config->input, com->machine->main_context, error);
	return com->input;
}

static struct device *com_create(struct machine *machine, const char *instance, const void *data,
	GError **error)
{
	const struct serial_config *config = data;
	struct serial_device *com = g_new0(struct serial_device, 1);

	com->machine = machine;
	if (!output_open(com, config, error)) {
		g_free(com);
		return NULL;
	}
	serial_init(&com->serial, com->fd < 0 ? &silent_ops : &com_ops, com);
	g_mutex_init(&com->lock);
	com->timer = g_source_new(&com_timer_funcs, sizeof(GSource));
	g_source_set_callback(com->timer, NULL, com, NULL);
	g_source_attach(com->timer, machine->main_context);
	com->region = (struct region){ .name = "COM1", .base = COM1_PORT, .len = SERIAL_PORTS,
		.ops = &com_region_ops, .owner = com };
	com->device.reset = com_reset;
	com->device.state = com_state;
	com->device.destroy = com_destroy;
	if (!input_open(com, config, error)) {
		com_destroy(&com->device);
		return NULL;
	}
	if (bus_add(machine->pio, &com->region) == 0)
		return &com->device;
	fail(error, "[Serial]: there is one already");
	com_destroy(&com->device);
	return NULL;
}

static const struct device_type serial_type = {
	.section = "Serial",
	.single = true,
	.help = "COM1, a 16550A at port 0x3f8, interrupt 4",
	.always = true,
	.properties = serial_properties,
	.config_size = sizeof(struct serial_config),
	.create = com_create,
};
DEVICE_REGISTER(serial_type);

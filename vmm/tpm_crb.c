/*
 * A TPM 2.0 behind the command response buffer interface: registers and a buffer in one page at
 * 0xfed40000, locality 0 only. The guest writes a command into the buffer and sets START; the command
 * goes to swtpm by a socket, its answer into the buffer, and START is clear again. No vCPU waits.
 *
 *	+0x00  locality: state, control, status        +0x30  what interface this is
 *	+0x40  control area: request, status, cancel, start, places of the buffers
 *	+0x80  the buffer, to the end of the page
 *
 * Source: TCG PC Client Platform TPM Profile for TPM 2.0, 1.05, section 6.5.3; TCG ACPI 1.2.
 *
 * Thread: registers on vCPU threads, the socket on the I/O context; `lock` is held around both.
 */
#define G_LOG_DOMAIN "irori-tpm"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "vmm/acpi.h"
#include "vmm/acpi_table.h"
#include "vmm/aml.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/swtpm.h"

enum crb_layout {
	CRB_BASE = 0xfed40000,
	CRB_LEN = 0x1000,
	CRB_LOC_STATE = 0x00,
	CRB_LOC_CONTROL = 0x08,
	CRB_LOC_STATUS = 0x0c,
	CRB_INTERFACE = 0x30,
	CRB_REQUEST = 0x40,
	CRB_STATUS = 0x44,
	CRB_CANCEL = 0x48,
	CRB_START = 0x4c,
	CRB_COMMAND_SIZE = 0x58,
	CRB_COMMAND_PLACE = 0x5c,
	CRB_ANSWER_SIZE = 0x64,
	CRB_ANSWER_PLACE = 0x68,
	CRB_BUFFER = 0x80,
	CRB_BUFFER_LEN = CRB_LEN - CRB_BUFFER,
};

enum crb_bits {
	LOC_ASSIGNED = 1 << 1,
	LOC_VALID = 1 << 7,
	LOC_REQUEST = 1 << 0,
	LOC_RELINQUISH = 1 << 1,
	LOC_GRANTED = 1 << 0,
	REQUEST_READY = 1 << 0,
	REQUEST_IDLE = 1 << 1,
	STATUS_FATAL = 1 << 0,
	STATUS_IDLE = 1 << 1,
	START_GO = 1 << 0,
};

/* CRB of version 1, one locality, transfers of up to 64 bytes, CRB is the one that is in use. */
#define CRB_INTERFACE_ID (1ull | 1ull << 4 | 3ull << 11 | 1ull << 14 | 1ull << 17)

enum tpm_wire {
	TPM_HEADER = 10,
	TPM_SIZE = 2, /* offset of the length, big-endian */
	TPM_NO_SESSIONS = 0x8001,
	TPM_FAILURE = 0x101,
	TPM_COMMAND_SIZE = 0x142,
	DRAIN_SECONDS = 20, /* making a key takes seconds */
};

struct crb {
	struct device device;
	struct machine *machine;
	struct region region;
	struct swtpm *swtpm;
	GSource *answer_source;
	GMutex lock; /* of what follows */
	uint8_t assigned, idle, fatal, busy;
	uint32_t answer_len;
	uint8_t buffer[CRB_BUFFER_LEN], answer[CRB_BUFFER_LEN];
};

static uint32_t wire_number(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The answer that a TPM gives when it can give none. */
static void answer_error(struct crb *crb, uint32_t code)
{
	const uint8_t answer[TPM_HEADER] = { TPM_NO_SESSIONS >> 8, TPM_NO_SESSIONS & 0xff,
		0, 0, 0, TPM_HEADER, (uint8_t)(code >> 24), (uint8_t)(code >> 16),
		(uint8_t)(code >> 8), (uint8_t)code };

	memcpy(crb->buffer, answer, sizeof(answer));
	crb->busy = 0;
}

static void crb_broken(struct crb *crb, const char *why)
{
	if (!crb->fatal)
		g_warning("%s; the guest's TPM is out of order until the guest restarts", why);
	crb->fatal = 1;
	if (crb->busy)
		answer_error(crb, TPM_FAILURE);
}

/* Under the lock: what there is of the answer. */
static void answer_read(struct crb *crb)
{
	while (crb->busy) {
		size_t want = crb->answer_len < TPM_HEADER ? TPM_HEADER :
			wire_number(crb->answer + TPM_SIZE);
		ssize_t n;

		if (want < TPM_HEADER || want > sizeof(crb->answer)) {
			crb_broken(crb, "an answer of a length that cannot be");
			return;
		}
		if (crb->answer_len == want) {
			memcpy(crb->buffer, crb->answer, want);
			crb->busy = 0;
			return;
		}
		n = recv(swtpm_fd(crb->swtpm), crb->answer + crb->answer_len,
			want - crb->answer_len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			crb_broken(crb, "swtpm hung up");
			return;
		}
		crb->answer_len += (uint32_t)n;
	}
}

static gboolean answer_came(gint fd, GIOCondition condition, gpointer data)
{
	struct crb *crb = data;
	uint8_t unasked;
	bool more;

	g_mutex_lock(&crb->lock);
	/* While we waited a reset may have put another socket in the place of this one. */
	if (g_source_is_destroyed(g_main_current_source())) {
		g_mutex_unlock(&crb->lock);
		return G_SOURCE_REMOVE;
	}
	answer_read(crb);
	/* Nobody asked: it is gone, or out of step. */
	if (!crb->busy && !crb->fatal && recv(fd, &unasked, 1, MSG_DONTWAIT | MSG_PEEK) >= 0)
		crb_broken(crb, "swtpm says what it was not asked, or hung up");
	more = !crb->fatal;
	g_mutex_unlock(&crb->lock);
	return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* The socket takes a whole command at once: it is empty, and larger than any of them. */
static void command_start(struct crb *crb)
{
	uint32_t len = wire_number(crb->buffer + TPM_SIZE);

	if (!crb->assigned || crb->idle || crb->busy)
		return;
	if (crb->fatal) {
		answer_error(crb, TPM_FAILURE);
		return;
	}
	if (len < TPM_HEADER || len > sizeof(crb->buffer)) {
		answer_error(crb, TPM_COMMAND_SIZE);
		return;
	}
	crb->answer_len = 0;
	crb->busy = 1;
	if (send(swtpm_fd(crb->swtpm), crb->buffer, len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		(ssize_t)len)
		crb_broken(crb, "swtpm takes no command");
}

/* The registers before the buffer, by aligned words. Writing changes none: they tell what is. */
static uint32_t word_read(const struct crb *crb, unsigned word)
{
	switch (word) {
	case CRB_LOC_STATE:
		return LOC_VALID | (crb->assigned ? LOC_ASSIGNED : 0);
	case CRB_LOC_STATUS:
		return crb->assigned ? LOC_GRANTED : 0;
	case CRB_INTERFACE:
		return (uint32_t)CRB_INTERFACE_ID;
	case CRB_INTERFACE + 4:
		return (uint32_t)(CRB_INTERFACE_ID >> 32);
	case CRB_STATUS:
		return (crb->fatal ? STATUS_FATAL : 0) | (crb->idle ? STATUS_IDLE : 0);
	case CRB_START:
		return crb->busy ? START_GO : 0;
	case CRB_COMMAND_SIZE:
	case CRB_ANSWER_SIZE:
		return CRB_BUFFER_LEN;
	case CRB_COMMAND_PLACE:
	case CRB_ANSWER_PLACE:
		return CRB_BASE + CRB_BUFFER;
	default:
		return 0;
	}
}

static void word_write(struct crb *crb, unsigned word, uint32_t value)
{
	switch (word) {
	case CRB_LOC_CONTROL:
		if (value & LOC_REQUEST)
			crb->assigned = 1;
		else if (value & LOC_RELINQUISH)
			crb->assigned = 0;
		break;
	case CRB_REQUEST:
		if (value & REQUEST_READY)
			crb->idle = 0;
		else if (value & REQUEST_IDLE && !crb->busy)
			crb->idle = 1;
		break;
	case CRB_START:
		if (value & START_GO)
			command_start(crb);
		break;
	default: /* CRB_CANCEL as well: every command ends by itself */
		break;
	}
}

static uint64_t crb_read(void *owner, uint64_t offset, unsigned size)
{
	struct crb *crb = owner;
	uint8_t bytes[8] = { 0 };
	uint64_t value;

	g_mutex_lock(&crb->lock);
	for (unsigned i = 0; i < size; i++) {
		unsigned at = (unsigned)offset + i;

		bytes[i] = at >= CRB_BUFFER ? crb->buffer[at - CRB_BUFFER] :
			(uint8_t)(word_read(crb, at & ~3u) >> (at & 3) * 8);
	}
	g_mutex_unlock(&crb->lock);
	memcpy(&value, bytes, sizeof(value));
	return GUINT64_FROM_LE(value);
}

/* A register is written by its own width, from its beginning; the buffer in any way, but not while
 * the TPM is at work in it. */
static void crb_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct crb *crb = owner;
	uint64_t bytes = GUINT64_TO_LE(value);

	g_mutex_lock(&crb->lock);
	if (offset < CRB_BUFFER) {
		if (!(offset & 3))
			word_write(crb, (unsigned)offset, (uint32_t)value);
	} else if (!crb->busy) {
		memcpy(crb->buffer + (offset - CRB_BUFFER), &bytes, size);
	}
	g_mutex_unlock(&crb->lock);
}

static const struct region_ops crb_ops = {
	.read = crb_read,
	.write = crb_write,
};

/* When it returns the I/O thread has nothing to do with the socket any more. */
static void listen_stop(struct crb *crb)
{
	g_mutex_lock(&crb->lock);
	if (crb->answer_source) {
		g_source_destroy(crb->answer_source);
		g_source_unref(crb->answer_source);
	}
	crb->answer_source = NULL;
	g_mutex_unlock(&crb->lock);
}

static void listen_start(struct crb *crb)
{
	listen_stop(crb);
	crb->answer_source = g_unix_fd_source_new(swtpm_fd(crb->swtpm), G_IO_IN | G_IO_HUP);
	g_source_set_callback(crb->answer_source, G_SOURCE_FUNC(answer_came), crb, NULL);
	g_source_attach(crb->answer_source, crb->machine->io_context);
}

static void crb_ended(void *data, const char *why)
{
	struct crb *crb = data;

	g_mutex_lock(&crb->lock);
	crb_broken(crb, why);
	g_mutex_unlock(&crb->lock);
}

static void crb_registers_reset(struct crb *crb)
{
	crb->assigned = crb->fatal = crb->busy = 0;
	crb->idle = 1;
	crb->answer_len = 0;
	memset(crb->buffer, 0, sizeof(crb->buffer));
}

static void crb_reset(struct device *device)
{
	struct crb *crb = (struct crb *)device;
	g_autoptr(GError) error = NULL;
	bool broken;

	g_mutex_lock(&crb->lock);
	broken = crb->busy || crb->fatal;
	g_mutex_unlock(&crb->lock);
	listen_stop(crb);
	if (swtpm_power_on(crb->swtpm, broken, &error)) {
		g_mutex_lock(&crb->lock);
		crb_registers_reset(crb);
		g_mutex_unlock(&crb->lock);
		listen_start(crb);
		return;
	}
	g_mutex_lock(&crb->lock);
	crb_registers_reset(crb);
	crb_broken(crb, error->message);
	g_mutex_unlock(&crb->lock);
}

/* The I/O thread is held: the answer is ours to wait for. */
static void crb_drain(struct device *device)
{
	struct crb *crb = (struct crb *)device;
	int64_t end = g_get_monotonic_time() + DRAIN_SECONDS * G_USEC_PER_SEC;

	g_mutex_lock(&crb->lock);
	while (crb->busy && g_get_monotonic_time() < end) {
		struct pollfd ready = { .fd = swtpm_fd(crb->swtpm), .events = POLLIN };

		poll(&ready, 1, 100);
		answer_read(crb);
	}
	g_mutex_unlock(&crb->lock);
}

static void crb_state(struct device *device, struct state *state)
{
	struct crb *crb = (struct crb *)device;

	if (!state_loading(state) && crb->busy)
		state_fail(state, "its command takes too long");
	STATE(state, crb->assigned);
	STATE(state, crb->idle);
	STATE(state, crb->fatal);
	STATE(state, crb->buffer);
	if (state_loading(state) && (crb->assigned | crb->idle | crb->fatal) > 1)
		state_fail(state, "registers");
	if (!state_failed(state) && !crb->fatal)
		swtpm_state(crb->swtpm, state);
}

static void crb_destroy(struct device *device)
{
	struct crb *crb = (struct crb *)device;

	bus_remove(crb->machine->mmio, &crb->region);
	listen_stop(crb);
	swtpm_free(crb->swtpm);
	g_mutex_clear(&crb->lock);
	g_free(crb);
}

struct crb_config {
	char *state;
};

static const struct property crb_properties[] = {
	{ "State", PROPERTY_PATH, offsetof(struct crb_config, state), NULL,
		"folder of what it keeps (default NAME.tpm in the state folder's irori/)",
		.required = false },
	{ 0 }
};

/* Where the control area is, and that writing to it is all there is to starting a command. */
static GBytes *tpm2_table(void)
{
	enum { START_BY_CRB = 7 };
	GByteArray *table = table_new("TPM2", 4);

	table_add(table, 0, 4); /* a client's */
	table_add(table, CRB_BASE + CRB_REQUEST, 8);
	table_add(table, START_BY_CRB, 4);
	for (unsigned i = 0; i < 6; i++) /* no parameters, no log */
		table_add(table, 0, 4);
	table_set(table, ACPI_LENGTH, table->len, 4);
	return g_byte_array_free_to_bytes(table);
}

static GBytes *tpm_aml(void)
{
	/* A fixed range of memory, writable, and the end tag. */
	static const uint8_t place[] = { 0x86, 9, 0, 1, 0x00, 0x00, 0xd4, 0xfe, 0x00, 0x10, 0, 0,
		0x79, 0 };
	GByteArray *out = g_byte_array_new(), *tpm = g_byte_array_new();
	GByteArray *scope = g_byte_array_new();

	aml_name_string(tpm, "_HID", "MSFT0101");
	aml_name_number(tpm, "_STA", 0xf);
	aml_name_buffer(tpm, "_CRS", place, sizeof(place));
	aml_object(scope, AML_DEVICE, "TPM_", tpm);
	aml_object(out, AML_SCOPE, "\\_SB_", scope);
	return g_byte_array_free_to_bytes(out);
}

static struct device *crb_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	const struct crb_config *crb_config = config;
	g_autofree char *name = g_strconcat(machine->config->name, ".tpm", NULL);
	g_autofree char *folder = crb_config->state ? g_strdup(crb_config->state) :
		g_build_filename(g_get_user_state_dir(), "irori", name, NULL);
	struct crb *crb = g_new0(struct crb, 1);

	crb->device = (struct device){ .reset = crb_reset, .drain = crb_drain,
		.state = crb_state, .destroy = crb_destroy };
	crb->machine = machine;
	g_mutex_init(&crb->lock);
	crb->region = (struct region){ .name = "TPM", .base = CRB_BASE, .len = CRB_LEN,
		.ops = &crb_ops, .owner = crb };
	crb_registers_reset(crb);
	crb->swtpm = swtpm_new(folder, machine->io_context, crb_ended, crb, error);
	if (!crb->swtpm || bus_add(machine->mmio, &crb->region) < 0) {
		crb_destroy(&crb->device);
		return NULL;
	}
	listen_start(crb);
	acpi_add_table(machine, tpm2_table());
	acpi_add_fragment(machine, tpm_aml());
	return &crb->device;
}

static const struct device_type tpm_crb = {
	.section = "Tpm",
	.help = "a TPM 2.0, by swtpm in a process of its own",
	.single = true,
	.properties = crb_properties,
	.config_size = sizeof(struct crb_config),
	.create = crb_create,
};
DEVICE_REGISTER(tpm_crb);

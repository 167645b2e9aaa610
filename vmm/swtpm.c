/*
 * swtpm: started, and driven by its control channel. Every control message is a command and its
 * arguments, big-endian; the answer begins with a result, zero for success.
 */
#define G_LOG_DOMAIN "irori-tpm"

#include "vmm/swtpm.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "vmm/helper.h"
#include "vmm/state.h"

enum swtpm_command {
	SWTPM_INIT = 2,
	SWTPM_GET_STATE = 12,
	SWTPM_SET_STATE = 13,
	SWTPM_STOP = 14,
	SWTPM_SET_DATA_FD = 16,
};

enum {
	ANSWER_SECONDS = 5, /* a new TPM makes its keys' seeds */
	CHUNK = 3072,
};

/* What there is to save, and how the file has it. */
static const struct {
	const char *name;
	uint32_t type;
} blobs[] = {
	{ "permanent", 1 },
	{ "volatile", 2 },
};

struct swtpm {
	char *folder;
	struct helper_owner owner;
	struct helper *helper;
	int control, data;
};

static bool fail(GError **error, const char *what, int code)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "swtpm: %s: %s", what,
		g_strerror(code));
	return false;
}

/* With fd -1 nothing rides along. 0 or -errno. */
static int control_send(const struct swtpm *swtpm, const void *message, size_t len, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec part = { (void *)message, len };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *rights;

		header.msg_control = room;
		header.msg_controllen = sizeof(room);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	return sendmsg(swtpm->control, &header, MSG_NOSIGNAL) == (ssize_t)len ? 0 :
		errno ? -errno : -EIO;
}

static int control_read(const struct swtpm *swtpm, void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = recv(swtpm->control, (char *)to + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
		done += (size_t)n;
	}
	return 0;
}

/* A command of numbers, whose answer is `n_answers` numbers with the result first. */
static int control_ask(const struct swtpm *swtpm, const uint32_t *words, unsigned n, int fd,
	uint32_t *answer, unsigned n_answers)
{
	uint32_t message[4];
	int rc;

	for (unsigned i = 0; i < n; i++)
		message[i] = GUINT32_TO_BE(words[i]);
	rc = control_send(swtpm, message, n * sizeof(*message), fd);
	/* A refusal may be the result alone. */
	if (!rc)
		rc = control_read(swtpm, answer, sizeof(*answer));
	if (!rc && answer[0])
		return -EREMOTEIO;
	if (!rc && n_answers > 1)
		rc = control_read(swtpm, answer + 1, (n_answers - 1) * sizeof(*answer));
	for (unsigned i = 0; i < n_answers && !rc; i++)
		answer[i] = GUINT32_FROM_BE(answer[i]);
	return rc;
}

static int control_do(const struct swtpm *swtpm, const uint32_t *words, unsigned n, int fd)
{
	uint32_t result;

	return control_ask(swtpm, words, n, fd, &result, 1);
}

static void swtpm_end(struct swtpm *swtpm)
{
	/* It saves what it has and ends when the control channel closes. */
	if (swtpm->control >= 0)
		close(swtpm->control);
	if (swtpm->data >= 0)
		close(swtpm->data);
	swtpm->control = swtpm->data = -1;
	helper_stop(swtpm->helper);
	swtpm->helper = NULL;
}

/* Takes theirs[]. */
static bool swtpm_spawn(struct swtpm *swtpm, int theirs[2], GError **error)
{
	g_autofree char *state = g_strdup_printf("dir=%s,mode=0600", swtpm->folder);
	const char *const argv[] = { "swtpm", "socket", "--tpm2", "--tpmstate", state, "--ctrl",
		"type=unixio,clientfd=3", "--terminate", NULL };
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int rc;

	setsockopt(swtpm->control, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(swtpm->control, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	swtpm->helper = helper_start(argv, theirs[0], &swtpm->owner, error);
	rc = !swtpm->helper ? 0 :
		control_do(swtpm, (uint32_t[]){ SWTPM_SET_DATA_FD }, 1, theirs[1]);
	close(theirs[0]);
	close(theirs[1]);
	return swtpm->helper && (!rc || fail(error, "does not take commands", -rc));
}

static bool swtpm_begin(struct swtpm *swtpm, GError **error)
{
	int control[2], data[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0)
		return fail(error, "no socket", errno);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, data) < 0) {
		fail(error, "no socket", errno);
		close(control[0]);
		close(control[1]);
		return false;
	}
	swtpm->control = control[0];
	swtpm->data = data[0];
	fcntl(swtpm->data, F_SETFL, O_NONBLOCK);
	return swtpm_spawn(swtpm, (int[]){ control[1], data[1] }, error);
}

static bool swtpm_init(struct swtpm *swtpm, GError **error)
{
	int rc = control_do(swtpm, (uint32_t[]){ SWTPM_INIT, 0 }, 2, -1);

	return !rc || fail(error, "does not start", -rc);
}

bool swtpm_power_on(struct swtpm *swtpm, bool busy, GError **error)
{
	if (!busy && swtpm->helper &&
		!control_do(swtpm, (uint32_t[]){ SWTPM_STOP }, 1, -1) &&
		swtpm_init(swtpm, NULL))
		return true;
	swtpm_end(swtpm);
	return swtpm_begin(swtpm, error) && swtpm_init(swtpm, error);
}

struct swtpm *swtpm_new(const char *folder, GMainContext *context,
	void (*ended)(void *data, const char *why), void *data, GError **error)
{
	struct swtpm *swtpm = g_new0(struct swtpm, 1);

	swtpm->folder = g_strdup(folder);
	swtpm->owner = (struct helper_owner){ .context = context, .ended = ended, .data = data };
	swtpm->control = swtpm->data = -1;
	if (g_mkdir_with_parents(folder, 0700) < 0)
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", folder,
			g_strerror(errno));
	else if (swtpm_begin(swtpm, error) && swtpm_init(swtpm, error))
		return swtpm;
	swtpm_free(swtpm);
	return NULL;
}

void swtpm_free(struct swtpm *swtpm)
{
	if (!swtpm)
		return;
	swtpm_end(swtpm);
	g_free(swtpm->folder);
	g_free(swtpm);
}

int swtpm_fd(const struct swtpm *swtpm)
{
	return swtpm->data;
}

/* As much of it as it gives at once, which is all of it today. NULL: it does not tell. */
static uint8_t *blob_get(const struct swtpm *swtpm, uint32_t type, size_t *len)
{
	g_autofree uint8_t *blob = NULL;
	uint32_t answer[4], total = 0;

	*len = 0;
	do {
		uint32_t length;

		if (control_ask(swtpm, (uint32_t[]){ SWTPM_GET_STATE, 0, type, (uint32_t)*len }, 4,
			    -1, answer, 4))
			return NULL;
		length = answer[3];
		if (!blob) {
			total = answer[2];
			blob = total <= SWTPM_BLOB_MAX ? g_try_malloc(total + 1) : NULL;
		}
		if (!blob || answer[2] != total || length > total - *len ||
			(!length && *len < total) || control_read(swtpm, blob + *len, length))
			return NULL;
		*len += length;
	} while (*len < total);
	return g_steal_pointer(&blob);
}

static int blob_set(const struct swtpm *swtpm, uint32_t type, const uint8_t *blob, size_t len)
{
	uint32_t head[4] = { GUINT32_TO_BE(SWTPM_SET_STATE), 0, GUINT32_TO_BE(type),
		GUINT32_TO_BE((uint32_t)len) };
	uint32_t result = 0;
	int rc = control_send(swtpm, head, sizeof(head), -1);

	for (size_t done = 0; !rc && done < len; done += MIN(CHUNK, len - done))
		rc = control_send(swtpm, blob + done, MIN(CHUNK, len - done), -1);
	if (!rc)
		rc = control_read(swtpm, &result, sizeof(result));
	return rc ? rc : result ? -EREMOTEIO : 0;
}

void swtpm_state(struct swtpm *swtpm, struct state *state)
{
	g_autoptr(GError) error = NULL;
	bool stopped = state_loading(state) &&
		!control_do(swtpm, (uint32_t[]){ SWTPM_STOP }, 1, -1);

	if (state_loading(state) && !stopped)
		state_fail(state, "swtpm does not stop");
	for (unsigned i = 0; i < G_N_ELEMENTS(blobs); i++) {
		uint8_t *blob = NULL;
		size_t len = 0;

		if (!state_loading(state))
			blob = blob_get(swtpm, blobs[i].type, &len);
		if (!state_loading(state) && !blob)
			state_fail(state, "swtpm does not give its %s state", blobs[i].name);
		state_blob(state, blobs[i].name, &blob, &len, SWTPM_BLOB_MAX);
		if (stopped && !state_failed(state) && blob_set(swtpm, blobs[i].type, blob, len))
			state_fail(state, "swtpm refuses its %s state", blobs[i].name);
		g_free(blob);
	}
	if (state_loading(state) && !state_failed(state) && !swtpm_init(swtpm, &error))
		state_fail(state, "%s", error->message);
}

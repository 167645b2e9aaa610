/*
 * See notify.h.
 */
#include "seats/notify.h"

#include <glib.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/packet.h"

enum { KEPT_MAX = 64 };

static char *socket_path;
static uint32_t watchdog_ms;
static unsigned kept;

/* A number of the environment that is meant for this process (…PID). */
static guint64 number(const char *name)
{
	const char *text = g_getenv(name);
	guint64 value = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &value, NULL))
		return 0;
	return value;
}

void notify_open(void)
{
	static const char *const ours[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
		"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };
	guint64 pid = number("WATCHDOG_PID");

	socket_path = g_strdup(g_getenv("NOTIFY_SOCKET"));
	if (!pid || pid == (guint64)getpid())
		watchdog_ms = (uint32_t)MIN(number("WATCHDOG_USEC") / 2000, 600000);
	if (number("LISTEN_PID") == (guint64)getpid())
		kept = (unsigned)MIN(number("LISTEN_FDS"), KEPT_MAX);
	for (unsigned i = 0; i < kept; i++)
		fcntl(NOTIFY_KEPT_FIRST + (int)i, F_SETFD, FD_CLOEXEC);
	for (unsigned i = 0; i < G_N_ELEMENTS(ours); i++)
		g_unsetenv(ours[i]);
}

static bool datagram(const char *state, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct iovec part = { .iov_base = (void *)state, .iov_len = strlen(state) };
	size_t len = socket_path ? strlen(socket_path) : 0;
	int sock;
	bool sent;

	if (!len || len >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, socket_path, len);
	if (socket_path[0] == '@')
		address.sun_path[0] = 0; /* the abstract namespace */
	len += offsetof(struct sockaddr_un, sun_path);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return false;
	sent = !connect(sock, (struct sockaddr *)&address, (socklen_t)len) && !packet_send(sock, &part, 1, fd);
	close(sock);
	return sent;
}

bool notify_send(const char *state)
{
	return datagram(state, -1);
}

void notify_keep_fd(const char *name, int fd)
{
	g_autofree char *gone = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);
	g_autofree char *kept_now = g_strdup_printf("FDSTORE=1\nFDNAME=%s", name);

	datagram(gone, -1);
	if (fd >= 0)
		datagram(kept_now, fd);
}

uint32_t notify_watchdog_ms(void)
{
	return watchdog_ms;
}

unsigned notify_kept_fds(void)
{
	return kept;
}

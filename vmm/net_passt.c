/*
 * passt as the carrier of a guest's frames: an unprivileged process of its own, one a card, that
 * answers DHCP, NDP and DNS and turns the guest's connections into sockets of the host. It gets one
 * end of a socket pair, so that there is no name that another could connect to, and it ends when we
 * do. When it dies the guest sees the link go down; it is started again, ever more seldom.
 *
 * passt drops root for "nobody" by itself, and enters namespaces and a seccomp filter of its own; it
 * needs no device node.
 */
#define G_LOG_DOMAIN "irori-net"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/helper.h"
#include "vmm/net.h"
#include "vmm/net_stream.h"

enum {
	PASST_STEADY_MS = 1000, /* it has come to stay when it has lived so long */
	PASST_ARGUMENTS = 256,  /* of its command line at most: Forward= and Dns= are lists */
};

struct passt {
	struct net_backend backend;
	char *what;
	GPtrArray *argv;
	struct helper *helper;
	struct net_stream *stream;
	GSource *timer; /* to the next start, or to its being steady */
	unsigned failures;
};

static void passt_timer(struct passt *passt, unsigned ms, GSourceFunc call)
{
	if (passt->timer) {
		g_source_destroy(passt->timer);
		g_clear_pointer(&passt->timer, g_source_unref);
	}
	if (!call)
		return;
	passt->timer = g_timeout_source_new(ms);
	g_source_set_callback(passt->timer, call, passt, NULL);
	g_source_attach(passt->timer, passt->backend.user.context);
}

static void passt_link(struct passt *passt, bool up)
{
	if (passt->backend.link == up)
		return;
	passt->backend.link = up;
	passt->backend.user.link(passt->backend.user.data, up);
}

static gboolean passt_again(gpointer data);

/* Down, and the next start is set. The process is ended there: this may be its own source. */
static void passt_lost(struct passt *passt, const char *why)
{
	unsigned ms;

	g_clear_pointer(&passt->stream, net_stream_free);
	if (passt->failures == 0)
		g_warning("%s: %s", passt->what, why);
	else
		g_debug("%s: %s", passt->what, why);
	passt->failures++;
	ms = helper_back_off(passt->failures);
	passt_link(passt, false);
	passt_timer(passt, ms, passt_again);
}

static void passt_stream_lost(void *data, const char *why)
{
	struct passt *passt = data;

	/* Its own last word is worth more, and comes with its end in a moment. */
	g_debug("%s: %s", passt->what, why);
	g_clear_pointer(&passt->stream, net_stream_free);
	passt_link(passt, false);
	passt_timer(passt, PASST_STEADY_MS, passt_again);
}

static void passt_ended(void *data, const char *why)
{
	struct passt *passt = data;
	GMutex *lock = passt->backend.user.lock;

	g_mutex_lock(lock);
	passt_lost(passt, why);
	g_mutex_unlock(lock);
}

static bool passt_start(struct passt *passt, GError **error)
{
	const struct helper_owner owner = {
		.context = passt->backend.user.context,
		.ended = passt_ended,
		.data = passt,
	};
	int pair[2];

	/* Its end blocks: one that says "not now" in the midst of a frame makes passt give up. Of ours
	 * every call says for itself that it does not wait. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "socket: %s",
			g_strerror(errno));
		return false;
	}
	passt->helper = helper_start((const char *const *)passt->argv->pdata, pair[1], &owner, error);
	close(pair[1]);
	if (!passt->helper) {
		close(pair[0]);
		return false;
	}
	passt->stream = net_stream_new(pair[0], &passt->backend.user, passt_stream_lost, passt);
	return true;
}

static gboolean passt_steady(gpointer data)
{
	struct passt *passt = data;
	GMutex *lock = passt->backend.user.lock;

	g_mutex_lock(lock);
	passt_timer(passt, 0, NULL);
	if (passt->stream) {
		if (passt->failures)
			g_message("%s: up again", passt->what);
		passt->failures = 0;
		passt_link(passt, true);
	}
	g_mutex_unlock(lock);
	return G_SOURCE_REMOVE;
}

static gboolean passt_again(gpointer data)
{
	struct passt *passt = data;
	GMutex *lock = passt->backend.user.lock;
	g_autoptr(GError) error = NULL;
	bool started;

	/* Not under the lock, which processors may wait for: nobody but this thread looks at these. */
	g_clear_pointer(&passt->stream, net_stream_free);
	g_clear_pointer(&passt->helper, helper_stop);
	started = passt_start(passt, &error);
	g_mutex_lock(lock);
	if (started)
		passt_timer(passt, PASST_STEADY_MS, passt_steady);
	else
		passt_lost(passt, error->message);
	g_mutex_unlock(lock);
	return G_SOURCE_REMOVE;
}

static bool passt_send(struct net_backend *backend, const struct iovec *iov, unsigned n, size_t len)
{
	struct passt *passt = (struct passt *)backend;

	return !passt->stream || net_stream_send(passt->stream, iov, n, len);
}

static void passt_flush(struct net_backend *backend)
{
	struct passt *passt = (struct passt *)backend;

	if (passt->stream)
		net_stream_flush(passt->stream);
}

static void passt_resume(struct net_backend *backend)
{
	struct passt *passt = (struct passt *)backend;

	if (passt->stream)
		net_stream_resume(passt->stream);
}

static void passt_free(struct net_backend *backend)
{
	struct passt *passt = (struct passt *)backend;

	passt_timer(passt, 0, NULL);
	net_stream_free(passt->stream);
	helper_stop(passt->helper);
	g_ptr_array_unref(passt->argv);
	g_free(passt->what);
	g_free(passt);
}

static void argument(GPtrArray *argv, const char *option, const char *value)
{
	g_ptr_array_add(argv, g_strdup(option));
	if (value)
		g_ptr_array_add(argv, g_strdup(value));
}

/* Nothing of a value can be taken for an option or for more than its kind. */
static bool only(const char *text, const char *allowed)
{
	return text[0] && text[0] != '-' && strspn(text, allowed) == strlen(text);
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool port_good(const char *text)
{
	guint64 port;

	return g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL);
}

/* "tcp:2222:22", "udp:127.0.0.1/5353:53". */
static bool forward_add(GPtrArray *argv, const char *word)
{
	const char *host = word + 4, *slash = strchr(word, '/'), *colon = strrchr(word, ':');
	g_autofree char *address = NULL, *port = NULL;

	if ((strncmp(word, "tcp:", 4) && strncmp(word, "udp:", 4)) || colon <= word + 4)
		return false;
	if (slash) {
		address = g_strndup(host, (gsize)(MAX(slash, host) - host));
		if (slash < host || slash > colon || !g_hostname_is_ip_address(address))
			return false;
	}
	port = g_strndup(slash ? slash + 1 : host,
		(gsize)(colon - (slash ? slash + 1 : host)));
	if (!port_good(port) || !port_good(colon + 1))
		return false;
	argument(argv, word[0] == 't' ? "-t" : "-u", host);
	return true;
}

/* 10.0.0.2/24, or without the prefix. */
static bool address_add(GPtrArray *argv, const char *word)
{
	g_auto(GStrv) part = g_strsplit(word, "/", 2);
	guint64 prefix;

	if (!part[0] || !g_hostname_is_ip_address(part[0]))
		return false;
	argument(argv, "-a", part[0]);
	if (!part[1])
		return true;
	if (strchr(part[0], ':') || !g_ascii_string_to_unsigned(part[1], 10, 1, 32, &prefix, NULL))
		return false;
	argument(argv, "-n", part[1]);
	return true;
}

static bool gateway_add(GPtrArray *argv, const char *word)
{
	argument(argv, "-g", word);
	return g_hostname_is_ip_address(word);
}

static bool dns_add(GPtrArray *argv, const char *word)
{
	argument(argv, "-D", word);
	return g_hostname_is_ip_address(word);
}

static bool interface_add(GPtrArray *argv, const char *word)
{
	argument(argv, "-i", word);
	return only(word, LETTERS DIGITS "-_.@") && strlen(word) < 16;
}

static bool list_add(GPtrArray *argv, const char *key, const char *list,
	bool (*add)(GPtrArray *argv, const char *word), GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(list ? list : "", " ,\t", -1);

	for (char **word = words; *word; word++)
		if ((*word)[0] && (argv->len > PASST_ARGUMENTS || !add(argv, *word))) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
				"%s=: '%s' is not understood, or one too many", key, *word);
			return false;
		}
	return true;
}

static bool passt_arguments(GPtrArray *argv, const struct net_config *config, GError **error)
{
	static const char *const always[] = {
		"passt", "--foreground", "--quiet", "--stderr", "--fd",
	};
	g_autofree char *fd = g_strdup_printf("%d", HELPER_FD);
	g_autofree char *mtu = g_strdup_printf("%u", config->mtu);

	for (unsigned i = 0; i < G_N_ELEMENTS(always); i++)
		argument(argv, always[i], NULL);
	argument(argv, fd, NULL);
	if (config->mtu)
		argument(argv, "-m", mtu);
	if (!config->host_loopback)
		argument(argv, "--no-map-gw", NULL);
	if (!list_add(argv, "Forward", config->forward, forward_add, error) ||
		!list_add(argv, "Address", config->address, address_add, error) ||
		!list_add(argv, "Gateway", config->gateway, gateway_add, error) ||
		!list_add(argv, "Dns", config->dns, dns_add, error) ||
		!list_add(argv, "Interface", config->interface, interface_add, error))
		return false;
	g_ptr_array_add(argv, NULL);
	return true;
}

bool net_passt_check(const struct net_config *config, const char *what, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

	if (passt_arguments(argv, config, error))
		return true;
	g_prefix_error(error, "[%s] ", what);
	return false;
}

struct net_backend *net_passt_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	static const struct net_backend_ops ops = {
		.name = "passt",
		.send = passt_send,
		.flush = passt_flush,
		.resume = passt_resume,
		.free = passt_free,
	};
	struct passt *passt = g_new0(struct passt, 1);

	passt->backend.ops = &ops;
	passt->backend.user = *user;
	/* It takes frames of 64 KiB as they are, so the guest need not cut them. */
	passt->backend.features = NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | NET_F_GUEST_CSUM;
	passt->backend.link = true;
	passt->what = g_strdup(what);
	passt->argv = g_ptr_array_new_with_free_func(g_free);
	if (passt_arguments(passt->argv, config, error) && passt_start(passt, error)) {
		passt_timer(passt, PASST_STEADY_MS, passt_steady);
		return &passt->backend;
	}
	g_prefix_error(error, "[%s] ", what);
	passt_free(&passt->backend);
	return NULL;
}

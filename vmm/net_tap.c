/*
 * A tap or macvtap device as the carrier of a guest's frames, for bridging: the guest is a machine of
 * its own on the host's network. With vhost-net, where the host has it, the kernel serves the queues
 * by itself (vhost_net.c); without it frames pass through here, one a system call, with the kernel's
 * own virtio-net header in front, so that checksums and segments are left to whoever comes last.
 *
 * Opening a device takes rights: to /dev/net/tun and CAP_NET_ADMIN, unless the tap was made for our
 * user (ip tuntap add dev tap0 mode tap user NAME vnet_hdr); to /dev/tapN for a macvtap.
 *
 * Source: Linux Documentation/networking/tuntap.rst.
 */
#define G_LOG_DOMAIN "irori-net"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/net.h"
#include "vmm/vhost_net.h"
#include "vmm/virtio.h"

enum {
	TAP_TURN = 64, /* frames before the lock is let go */
};

struct tap {
	struct net_backend backend;
	char *what;
	int fd;
	struct vhost_net *vhost; /* NULL: frames pass through us */
	GSource *in, *out;       /* NULL: not listened to */
	uint8_t *frame;          /* the one that has been read and not been taken */
	size_t frame_len;        /* 0: there is none */
	bool lent;
};

static struct tap *tap_of(struct net_backend *backend)
{
	return (struct tap *)backend;
}

static void tap_unwatch(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void tap_watch(struct tap *tap, GSource **source, GIOCondition condition,
	GUnixFDSourceFunc call)
{
	if (*source)
		return;
	*source = g_unix_fd_source_new(tap->fd, condition);
	g_source_set_callback(*source, G_SOURCE_FUNC(call), tap, NULL);
	g_source_attach(*source, tap->backend.user.context);
}

/* Hands over the frame that is there; false: the guest has no room. */
static bool tap_deliver(struct tap *tap)
{
	if (tap->frame_len > 0 && !tap->backend.user.receive(tap->backend.user.data, tap->frame,
		    tap->frame_len))
		return false;
	tap->frame_len = 0;
	return true;
}

/* The host has removed it: for the guest a cable that is pulled. */
static void tap_gone(struct tap *tap, int why)
{
	tap_unwatch(&tap->in);
	if (!tap->backend.link)
		return;
	g_warning("%s: %s", tap->what, g_strerror(why));
	tap->backend.link = false;
	tap->backend.user.link(tap->backend.user.data, false);
}

static gboolean tap_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct tap *tap = data;
	bool room = true;

	g_mutex_lock(tap->backend.user.lock);
	for (unsigned i = 0; room && !tap->lent && i < TAP_TURN; i++) {
		ssize_t got = read(tap->fd, tap->frame, NET_HEADER + NET_FRAME_MAX);

		if (got < 0 && errno != EAGAIN && errno != EINTR)
			tap_gone(tap, errno);
		if (got <= 0)
			break;
		tap->frame_len = (size_t)got;
		room = tap_deliver(tap);
	}
	tap->backend.user.received(tap->backend.user.data);
	if (!room || tap->lent)
		tap_unwatch(&tap->in); /* until resume */
	g_mutex_unlock(tap->backend.user.lock);
	return G_SOURCE_CONTINUE;
}

static void tap_resume(struct net_backend *backend)
{
	struct tap *tap = tap_of(backend);

	if (!tap_deliver(tap))
		return;
	tap->backend.user.received(tap->backend.user.data);
	tap_watch(tap, &tap->in, G_IO_IN, tap_readable);
}

static gboolean tap_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct tap *tap = data;

	g_mutex_lock(tap->backend.user.lock);
	tap_unwatch(&tap->out);
	tap->backend.user.writable(tap->backend.user.data);
	g_mutex_unlock(tap->backend.user.lock);
	return G_SOURCE_CONTINUE; /* it is destroyed, or a new one of the same place */
}

static bool tap_send(struct net_backend *backend, const struct iovec *iov, unsigned n, size_t len)
{
	struct tap *tap = tap_of(backend);
	ssize_t sent;

	do
		sent = writev(tap->fd, iov, (int)n);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0 || (errno != EAGAIN && errno != ENOBUFS))
		return true; /* what the kernel refuses (a header that lies) is dropped */
	tap_watch(tap, &tap->out, G_IO_OUT, tap_writable);
	return false;
}

/* What the driver has accepted of the offloads is what the kernel may use towards it. */
static void tap_offloads(struct tap *tap, uint64_t accepted)
{
	static const struct {
		uint64_t feature;
		unsigned flag;
	} offloads[] = {
		{NET_F_GUEST_CSUM, TUN_F_CSUM},
		{NET_F_GUEST_TSO4, TUN_F_TSO4},
		{NET_F_GUEST_TSO6, TUN_F_TSO6},
	};
	unsigned flags = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(offloads); i++)
		if (accepted & offloads[i].feature)
			flags |= offloads[i].flag;
	if (!(flags & TUN_F_CSUM))
		flags = 0; /* segments without checksums do not exist */
	if (ioctl(tap->fd, TUNSETOFFLOAD, flags) < 0)
		g_debug("%s: offloads: %s", tap->what, g_strerror(errno));
}

static bool tap_start(struct net_backend *backend, struct virtio_device *dev)
{
	struct tap *tap = tap_of(backend);

	tap_offloads(tap, dev->accepted);
	tap->lent = tap->vhost && vhost_net_start(tap->vhost, dev, tap->fd);
	if (!tap->lent)
		tap_watch(tap, &tap->in, G_IO_IN, tap_readable);
	return tap->lent;
}

static void tap_stop(struct net_backend *backend, struct virtio_device *dev)
{
	struct tap *tap = tap_of(backend);

	if (tap->lent)
		vhost_net_stop(tap->vhost, dev);
	tap->lent = false;
	tap->frame_len = 0;
	tap_unwatch(&tap->in);
	tap_unwatch(&tap->out);
}

static void tap_kick(struct net_backend *backend, unsigned q)
{
	struct tap *tap = tap_of(backend);

	if (tap->lent)
		vhost_net_kick(tap->vhost, q);
}

static void tap_free(struct net_backend *backend)
{
	struct tap *tap = tap_of(backend);

	tap_unwatch(&tap->in);
	tap_unwatch(&tap->out);
	vhost_net_free(tap->vhost);
	if (tap->fd >= 0)
		close(tap->fd);
	g_free(tap->frame);
	g_free(tap->what);
	g_free(tap);
}

static bool tap_failed(GError **error, const char *what, const char *device)
{
	int saved = errno;

	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "%s%s%s: %s", what,
		device ? " " : "", device ? device : "", g_strerror(saved));
	return false;
}

/* Headers of our kind, or it is of no use. */
static bool tap_header(struct tap *tap, GError **error)
{
	int len = NET_HEADER;

	return ioctl(tap->fd, TUNSETVNETHDRSZ, &len) == 0 ||
		tap_failed(error, "virtio-net headers", NULL);
}

static bool tap_open(struct tap *tap, const struct net_config *config, GError **error)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	const char *name = config->device ? config->device : "";

	if (strlen(name) >= IFNAMSIZ) {
		errno = ENAMETOOLONG;
		return tap_failed(error, "Device=", name);
	}
	tap->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tap->fd < 0)
		return tap_failed(error, "/dev/net/tun", NULL);
	g_strlcpy(request.ifr_name, name, IFNAMSIZ);
	if (ioctl(tap->fd, TUNSETIFF, &request) < 0)
		return tap_failed(error, "tap device", name);
	if (!name[0])
		g_message("%s: the host's end is %s", tap->what, request.ifr_name);
	return tap_header(tap, error);
}

/* A macvtap's character device has the number of its interface; it is given by either name. */
static bool macvtap_open(struct tap *tap, const struct net_config *config, GError **error)
{
	g_autofree char *path = NULL;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	unsigned index;

	if (!config->device) {
		errno = EINVAL;
		return tap_failed(error, "Mode=macvtap needs Device=", NULL);
	}
	if (config->device[0] == '/') {
		path = g_strdup(config->device);
	} else {
		index = if_nametoindex(config->device);
		if (index == 0)
			return tap_failed(error, "Device=", config->device);
		path = g_strdup_printf("/dev/tap%u", index);
	}
	tap->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tap->fd < 0)
		return tap_failed(error, path, NULL);
	if (ioctl(tap->fd, TUNSETIFF, &request) < 0)
		return tap_failed(error, "macvtap", path);
	/* It lets no other address pass. */
	if (ioctl(tap->fd, SIOCGIFHWADDR, &request) == 0) {
		memcpy(tap->backend.mac, request.ifr_hwaddr.sa_data, NET_MAC);
		tap->backend.has_mac = true;
	}
	return tap_header(tap, error);
}

static struct net_backend *tap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error,
	bool (*open_it)(struct tap *tap, const struct net_config *config, GError **error))
{
	static const struct net_backend_ops ops = {
		.name = "tap",
		.send = tap_send,
		.resume = tap_resume,
		.start = tap_start,
		.stop = tap_stop,
		.kick = tap_kick,
		.free = tap_free,
	};
	struct tap *tap = g_new0(struct tap, 1);

	tap->backend.ops = &ops;
	tap->backend.user = *user;
	tap->backend.header = true;
	tap->backend.link = true;
	tap->backend.features = NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 |
		NET_F_HOST_TSO4 | NET_F_HOST_TSO6;
	tap->what = g_strdup(what);
	tap->fd = -1;
	tap->frame = g_malloc(NET_HEADER + NET_FRAME_MAX);
	if (!open_it(tap, config, error)) {
		g_prefix_error(error, "[%s] ", what);
		tap_free(&tap->backend);
		return NULL;
	}
	if (config->vhost)
		tap->vhost = vhost_net_new(user);
	return &tap->backend;
}

struct net_backend *net_tap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	return tap_new(config, what, user, error, tap_open);
}

struct net_backend *net_macvtap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	return tap_new(config, what, user, error, macvtap_open);
}

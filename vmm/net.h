/*
 * The seam between a guest's network card (virtio_net.c) and what carries its frames: passt
 * (net_passt.c), a tap device (net_tap.c), nothing.
 *
 * Thread: everything of a back end runs with `lock` of its user held (the card's), which the back
 * end's own sources take first. Its sources are on `context`, the net thread's; send, flush, resume
 * come there too; start and stop may come from a vCPU thread or the main thread. make and free: the
 * main thread while the net thread does not run.
 */
#ifndef IRORI_VMM_NET_H
#define IRORI_VMM_NET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum net_limits {
	NET_ETHERNET = 14,       /* the least a frame has */
	NET_FRAME_MAX = 65535,   /* and the most: what passt takes, and a tap of 64 KiB segments */
	NET_HEADER = 12,         /* struct virtio_net_hdr_v1 */
	NET_MAC = 6,
};

/* [Net NAME] of the configuration. */
struct net_config {
	unsigned mode;
	char *mac, *forward, *address, *gateway, *dns, *interface, *device;
	uint32_t mtu;
	bool host_loopback, vhost;
};

/* What a back end calls. All under the lock. */
struct net_user {
	GMutex *lock;
	GMainContext *context;
	/* A frame for the guest, behind a virtio_net_hdr_v1 if the back end has those. False: the
	 * guest has no room; keep it, and stop reading, until resume() is called. */
	bool (*receive)(void *data, const uint8_t *frame, size_t len);
	void (*received)(void *data);  /* end of a batch of frames */
	void (*writable)(void *data);  /* after send() has said no */
	void (*link)(void *data, bool up);
	void *data;
};

struct net_backend;
struct virtio_device;

struct net_backend_ops {
	const char *name;
	/* A frame from the guest, in pieces that are valid during the call; len is their sum, within
	 * NET_ETHERNET..NET_FRAME_MAX (and NET_HEADER more where there is a header). False: full. */
	bool (*send)(struct net_backend *backend, const struct iovec *iov, unsigned n, size_t len);
	void (*flush)(struct net_backend *backend); /* end of a batch. May be NULL */
	void (*resume)(struct net_backend *backend); /* the guest has room again */
	/* The driver is ready, with these features; true: the back end serves the queues by itself
	 * (vhost). stop() is the end of that: when it returns nobody touches guest memory. NULL: no. */
	bool (*start)(struct net_backend *backend, struct virtio_device *dev);
	void (*stop)(struct net_backend *backend, struct virtio_device *dev);
	/* A kick of a queue that it serves by itself. NULL: it serves none. */
	void (*kick)(struct net_backend *backend, unsigned q);
	void (*free)(struct net_backend *backend);
};

struct net_backend {
	const struct net_backend_ops *ops;
	struct net_user user;
	uint64_t features; /* of virtio-net that it carries out, NET_F_* */
	bool header;       /* its frames begin with a virtio_net_hdr_v1 */
	bool link;         /* up */
	bool has_mac;      /* and wants the card to have it, unless the configuration says other */
	uint8_t mac[NET_MAC];
};

/* Virtio 1.2, 5.1.3. */
#define NET_F_CSUM (1ull << 0)
#define NET_F_GUEST_CSUM (1ull << 1)
#define NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define NET_F_MTU (1ull << 3)
#define NET_F_MAC (1ull << 5)
#define NET_F_GUEST_TSO4 (1ull << 7)
#define NET_F_GUEST_TSO6 (1ull << 8)
#define NET_F_HOST_TSO4 (1ull << 11)
#define NET_F_HOST_TSO6 (1ull << 12)
#define NET_F_MRG_RXBUF (1ull << 15)
#define NET_F_STATUS (1ull << 16)
#define NET_F_CTRL_VQ (1ull << 17)
#define NET_F_CTRL_RX (1ull << 18)
#define NET_F_CTRL_MAC_ADDR (1ull << 23)

/* struct virtio_net_hdr_v1. */
struct net_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

enum net_header_flags {
	NET_NEEDS_CSUM = 1,
	NET_DATA_VALID = 2,
};

/* Back ends by mode. `config` lives as long as the machine; `what` ("net lan") is for messages.
 * NULL and error set. */
struct net_backend *net_passt_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error);
/* What it would find wrong with the configuration alone. */
bool net_passt_check(const struct net_config *config, const char *what, GError **error);
struct net_backend *net_tap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error);
struct net_backend *net_macvtap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error);

#endif

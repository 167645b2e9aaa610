/*
 * virtio-net: one pair of queues and a control queue. Frames go to and come from a back end behind
 * the seam of net.h; a frame for the guest may lie in several of its buffers (MRG_RXBUF), a frame
 * from it may be of 64 KiB with its checksum left to us. Source: virtio 1.2, section 5.1.
 *
 * Thread: the net context; activate and reset also on vCPU threads and the main thread.
 */
#define G_LOG_DOMAIN "virtio-net"

#include <gio/gio.h>
#include <stddef.h>
#include <string.h>

#include "vmm/machine.h"
#include "vmm/error.h"
#include "vmm/net.h"
#include "vmm/state.h"
#include "vmm/virtio_pci.h"

enum net_queue {
	NET_RX,
	NET_TX,
	NET_CTRL,
	NET_QUEUES,
};

enum net_numbers {
	NET_TURN = 256, /* frames before the lock is let go once */
	NET_CTRL_TURN = 64,
	NET_S_LINK_UP = 1,
};

/* Virtio 1.2, 5.1.6.5. */
enum net_ctrl {
	NET_CTRL_RX = 0,
	NET_CTRL_MAC = 1,
	NET_CTRL_MAC_TABLE_SET = 0,
	NET_CTRL_MAC_ADDR_SET = 1,
	NET_CTRL_RX_LAST = 5,
	NET_CTRL_OK = 0,
	NET_CTRL_ERR = 1,
};

/* struct virtio_net_config, as far as our features go. */
struct net_space {
	uint8_t mac[NET_MAC];
	uint16_t status, max_virtqueue_pairs, mtu;
} __attribute__((packed));

struct net {
	struct device device;
	struct virtio_device virtio;
	struct net_backend *backend;
	struct net_space space;
	uint8_t mac[NET_MAC]; /* of the configuration; the driver may set another */
	GSource *again;       /* goes on with the transmit queue after a turn */
	bool lent;            /* the back end serves the queues */
	bool suspended;       /* it will, when the net thread runs again (saved, being loaded) and
			       * the card may reach memory */
	uint64_t dropped;
	struct vq_chain chain, first;
	struct virtqueue_used used[VIRTQUEUE_MAX_SIZE];
	uint8_t *frame;       /* NET_FRAME_MAX: one that we have to finish */
};

static struct net *net_of(struct virtio_device *dev)
{
	return (struct net *)((char *)dev - offsetof(struct net, virtio));
}

static bool net_running(const struct net *net)
{
	return (net->virtio.status & VIRTIO_DRIVER_OK) &&
		!(net->virtio.status & VIRTIO_NEEDS_RESET) && !net->lent;
}

/* To the guest. */

/* Virtio 1.2, 5.1.6.4: the header in front of the first buffer says how many there are, and the
 * driver sees all of them at once. */
static void net_give(struct net *net, struct net_header *header, unsigned n)
{
	header->num_buffers = (uint16_t)n;
	chain_write(&net->first, 0, header, sizeof(*header));
	virtqueue_push_all(&net->virtio.queue[NET_RX], net->used, n);
}

/* Fills buffers with a frame: how many; 0: there are not enough now; -1: there never will be. */
static int net_fill(struct net *net, const uint8_t *frame, size_t len)
{
	bool several = net->virtio.accepted & NET_F_MRG_RXBUF;
	size_t done = 0;

	for (unsigned n = 0; n < net->virtio.queue[NET_RX].size; n++) {
		struct vq_chain *chain = n == 0 ? &net->first : &net->chain;
		size_t skip = n == 0 ? NET_HEADER : 0, part;
		int result = virtio_pop(&net->virtio, NET_RX, chain);

		if (result < 0)
			return -1;
		if (result == 0) {
			virtqueue_unpop(&net->virtio.queue[NET_RX], n);
			return 0;
		}
		if (chain->in_len < skip) {
			virtio_needs_reset(&net->virtio, "a receive buffer without room for a header");
			return -1;
		}
		part = chain_write(chain, skip, frame + done, len - done);
		done += part;
		net->used[n] = (struct virtqueue_used){chain->head, (uint32_t)(skip + part)};
		if (done == len)
			return (int)n + 1;
		if (!several || n + 1u == net->virtio.queue[NET_RX].size) {
			virtqueue_unpop(&net->virtio.queue[NET_RX], n + 1);
			return -1;
		}
	}
	return -1;
}

static bool net_receive(void *data, const uint8_t *frame, size_t len)
{
	struct net *net = data;
	struct net_header header = {0};
	int n;

	if (!net_running(net))
		return true;
	if (net->backend->header) {
		if (len < NET_HEADER)
			return true;
		memcpy(&header, frame, sizeof(header));
		frame += NET_HEADER;
		len -= NET_HEADER;
	} else if (net->virtio.accepted & NET_F_GUEST_CSUM) {
		header.flags = NET_DATA_VALID; /* it came over no wire */
	}
	n = net_fill(net, frame, len);
	if (n > 0)
		net_give(net, &header, (unsigned)n);
	else if (n < 0)
		net->dropped++;
	return n != 0;
}

static void net_received(void *data)
{
	struct net *net = data;

	virtio_interrupt(&net->virtio, NET_RX);
}

/* From the guest. */

static uint16_t net_checksum(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;
	uint32_t word;
	uint16_t half = 0;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum += word;
	}
	for (; len >= sizeof(half); len -= sizeof(half), bytes += sizeof(half)) {
		memcpy(&half, bytes, sizeof(half));
		sum += half;
	}
	if (len)
		sum += *bytes; /* little endian: the first byte of a half that ends with zero */
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* What the driver left to the card (virtio 1.2, 5.1.6.2): false when it points outside. */
static bool net_finish(uint8_t *frame, size_t len, const struct net_header *header)
{
	size_t start = header->csum_start, at = start + header->csum_offset;
	uint16_t sum;

	if (start >= len || at + sizeof(sum) > len)
		return false;
	sum = net_checksum(frame + start, len - start);
	if (sum == 0)
		sum = 0xffff; /* zero would say "none" */
	memcpy(frame + at, &sum, sizeof(sum));
	return true;
}

/* The chain's segments without their first `skip` bytes. */
static struct iovec *net_skip(struct vq_chain *chain, size_t skip, unsigned *n)
{
	struct iovec *first = chain->segment;

	*n = chain->n_out;
	while (*n > 0 && skip >= first->iov_len) {
		skip -= first->iov_len;
		first++;
		--*n;
	}
	if (*n > 0) {
		first->iov_base = (uint8_t *)first->iov_base + skip;
		first->iov_len -= skip;
	}
	return first;
}

/* False: the back end is full, the chain goes back into its queue. */
static bool net_send(struct net *net, struct vq_chain *chain)
{
	struct net_backend *backend = net->backend;
	struct net_header header;
	struct iovec whole = {.iov_base = net->frame}, *iov;
	size_t len = chain->out_len - NET_HEADER;
	unsigned n;

	if (chain->out_len < NET_HEADER + NET_ETHERNET || len > NET_FRAME_MAX || !backend->link) {
		net->dropped++;
		return true;
	}
	if (backend->header) {
		return backend->ops->send(backend, chain->segment, chain->n_out, chain->out_len);
	}
	chain_read(chain, 0, &header, sizeof(header));
	if (!(header.flags & NET_NEEDS_CSUM)) {
		iov = net_skip(chain, NET_HEADER, &n);
		return backend->ops->send(backend, iov, n, len);
	}
	whole.iov_len = chain_read(chain, NET_HEADER, net->frame, len);
	if (whole.iov_len != len || !net_finish(net->frame, len, &header)) {
		net->dropped++;
		return true;
	}
	return backend->ops->send(backend, &whole, 1, len);
}

static void net_transmit(struct net *net)
{
	struct virtio_device *dev = &net->virtio;
	unsigned n;

	for (n = 0; n < NET_TURN && virtio_pop(dev, NET_TX, &net->chain) == 1; n++) {
		if (!net_send(net, &net->chain)) {
			virtqueue_unpop(&dev->queue[NET_TX], 1);
			break; /* until net_writable */
		}
		virtio_push(dev, NET_TX, net->chain.head, 0);
	}
	if (net->backend->ops->flush)
		net->backend->ops->flush(net->backend);
	virtio_interrupt(dev, NET_TX);
	if (n == NET_TURN)
		g_source_set_ready_time(net->again, 0);
}

static void net_writable(void *data)
{
	struct net *net = data;

	if (net_running(net))
		net_transmit(net);
}

static void net_activate(struct virtio_device *dev)
{
	struct net *net = net_of(dev);

	if (!net->backend->ops->start)
		return;
	net->suspended = net->suspended || virtio_held(dev);
	if (!net->suspended)
		net->lent = net->backend->ops->start(net->backend, dev);
}

/* The queues are ours again, and as far as they are. */
static void net_take_back(struct net *net)
{
	bool lent = net->lent;

	if (net->backend->ops->stop)
		net->backend->ops->stop(net->backend, &net->virtio);
	net->lent = false;
	net->suspended = true;
	if (lent)
		virtio_interrupt_all(&net->virtio);
}

static void net_go_on(struct net *net)
{
	if (!net->suspended || virtio_held(&net->virtio))
		return;
	net->suspended = false;
	if (net_running(net))
		net_activate(&net->virtio);
}

static gboolean net_again(GSource *source, GSourceFunc callback, gpointer data)
{
	struct net *net = data;

	g_source_set_ready_time(source, -1);
	g_mutex_lock(&net->virtio.lock);
	net_go_on(net);
	net_writable(net);
	g_mutex_unlock(&net->virtio.lock);
	return G_SOURCE_CONTINUE;
}

static gboolean net_again_data(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs net_again_funcs = {
	.dispatch = net_again,
};

static void net_link(void *data, bool up)
{
	struct net *net = data;

	net->space.status = up ? NET_S_LINK_UP : 0;
	virtio_config_changed(&net->virtio);
	if (up)
		net_writable(net);
}

/* The control queue. */

/* Every frame that comes from the back end is meant for this guest, or for everybody on a bridge:
 * a filter would only be an optimisation (5.1.6.5.1: best effort), so modes are accepted. */
static uint8_t net_ctrl_rx(struct net *net, uint8_t command)
{
	uint8_t on;

	return command <= NET_CTRL_RX_LAST && chain_read(&net->chain, 2, &on, 1) == 1 ?
		NET_CTRL_OK : NET_CTRL_ERR;
}

static uint8_t net_ctrl_mac(struct net *net, uint8_t command)
{
	if (command == NET_CTRL_MAC_TABLE_SET)
		return NET_CTRL_OK;
	if (command != NET_CTRL_MAC_ADDR_SET || net->chain.out_len != 2 + NET_MAC)
		return NET_CTRL_ERR;
	chain_read(&net->chain, 2, net->space.mac, NET_MAC);
	return NET_CTRL_OK;
}

static uint8_t net_ctrl_dispatch(struct net *net)
{
	static uint8_t (*const classes[])(struct net *net, uint8_t command) = {
		[NET_CTRL_RX] = net_ctrl_rx,
		[NET_CTRL_MAC] = net_ctrl_mac,
	};
	uint8_t head[2];

	if (chain_read(&net->chain, 0, head, sizeof(head)) != sizeof(head) ||
		head[0] >= G_N_ELEMENTS(classes))
		return NET_CTRL_ERR;
	return classes[head[0]](net, head[1]);
}

static void net_control(struct net *net)
{
	struct virtio_device *dev = &net->virtio;
	uint8_t ack;

	for (unsigned n = 0; n < NET_CTRL_TURN && virtio_pop(dev, NET_CTRL, &net->chain) == 1; n++) {
		ack = net_ctrl_dispatch(net);
		virtio_push(dev, NET_CTRL, net->chain.head,
			(uint32_t)chain_write(&net->chain, 0, &ack, 1));
	}
	virtio_interrupt(dev, NET_CTRL);
}

static void net_kick(struct virtio_device *dev, unsigned q)
{
	struct net *net = net_of(dev);

	if (net->lent && virtio_held(dev))
		net_take_back(net);
	net_go_on(net);
	if (q == NET_CTRL)
		net_control(net);
	else if (net->lent)
		net->backend->ops->kick(net->backend, q);
	else if (q == NET_TX)
		net_transmit(net);
	else
		net->backend->ops->resume(net->backend);
}

static void net_forget(struct virtio_device *dev)
{
	struct net *net = net_of(dev);

	if (net->backend && net->backend->ops->stop)
		net->backend->ops->stop(net->backend, dev);
	net->lent = net->suspended = false;
	memcpy(net->space.mac, net->mac, NET_MAC);
}

static void net_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	memcpy(to, (const uint8_t *)&net_of(dev)->space + offset, len);
}

static const struct virtio_ops net_ops = {
	.name = "virtio-net",
	.id = 1,
	.pci_class = 0x02, /* network controller, Ethernet */
	.n_queues = NET_QUEUES,
	.queue_size = {256, 256, 64},
	.features = NET_F_MAC | NET_F_MRG_RXBUF | NET_F_STATUS | NET_F_CTRL_VQ | NET_F_CTRL_RX |
		NET_F_CTRL_MAC_ADDR,
	.config_len = sizeof(struct net_space),
	.activate = net_activate,
	.reset = net_forget,
	.kick = net_kick,
	.config_read = net_config_read,
};

static void net_reset(struct device *device)
{
	virtio_pci_reset(&((struct net *)device)->virtio);
}

/* Should the guest go on after all, so does the net thread, and begins with this. */
static void net_drain(struct device *device)
{
	struct net *net = (struct net *)device;

	g_mutex_lock(&net->virtio.lock);
	net_take_back(net);
	g_source_set_ready_time(net->again, 0);
	g_mutex_unlock(&net->virtio.lock);
}

static void net_state(struct device *device, struct state *state)
{
	struct net *net = (struct net *)device;

	if (state_loading(state))
		net_drain(device); /* nobody may write to memory that is still being loaded */
	virtio_state(&net->virtio, state);
	STATE(state, net->space.mac);
}

static void net_destroy(struct device *device)
{
	struct net *net = (struct net *)device;

	virtio_reset(&net->virtio);
	virtio_detach_pci(&net->virtio);
	if (net->backend)
		net->backend->ops->free(net->backend);
	g_source_destroy(net->again);
	g_source_unref(net->again);
	virtio_clear(&net->virtio);
	g_free(net->frame);
	g_free(net);
}

/* Six bytes in hexadecimal, colons between; not a group's address. */
static bool net_mac_parse(const char *text, uint8_t *mac)
{
	for (unsigned i = 0; i < NET_MAC; i++, text += 3) {
		int high = g_ascii_xdigit_value(text[0]);
		int low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);

		if (low < 0 || text[2] != (i + 1 < NET_MAC ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return !(mac[0] & 1);
}

/* The same for this card at every start, and hardly ever that of another one: a locally administered
 * address made of the two names. */
static void net_mac_default(const char *guest, const char *instance, uint8_t *mac)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint8_t digest[32];
	gsize len = sizeof(digest);

	g_checksum_update(sum, (const guchar *)guest, (gssize)strlen(guest) + 1);
	g_checksum_update(sum, (const guchar *)instance, (gssize)strlen(instance));
	g_checksum_get_digest(sum, digest, &len);
	memcpy(mac, digest, NET_MAC);
	mac[0] = (uint8_t)((mac[0] & ~3u) | 2);
}

/* Nothing is plugged in. */
static bool nothing_send(struct net_backend *backend, const struct iovec *iov, unsigned n, size_t len)
{
	return true;
}

static void nothing_resume(struct net_backend *backend)
{
}

static void nothing_free(struct net_backend *backend)
{
	g_free(backend);
}

static struct net_backend *nothing_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	static const struct net_backend_ops ops = {
		.name = "none",
		.send = nothing_send,
		.resume = nothing_resume,
		.free = nothing_free,
	};
	struct net_backend *backend = g_new0(struct net_backend, 1);

	backend->ops = &ops;
	return backend;
}

static const char *const net_modes[] = {"passt", "tap", "macvtap", "none", NULL};

static struct net_backend *(*const net_backends[])(const struct net_config *config,
	const char *what, const struct net_user *user, GError **error) = {
	net_passt_new,
	net_tap_new,
	net_macvtap_new,
	nothing_new,
};

static const struct property net_properties[] = {
	{ "Mode", PROPERTY_ENUM, offsetof(struct net_config, mode), "passt",
		"what carries its frames: passt is the host's network, unprivileged; tap for bridges",
		.values = net_modes },
	{ "Mac", PROPERTY_STRING, offsetof(struct net_config, mac), NULL,
		"hardware address (default: made of the guest's and the card's name)",
		.required = false },
	{ "Forward", PROPERTY_STRING, offsetof(struct net_config, forward), NULL,
		"passt: host ports that lead to the guest: tcp:2222:22 udp:127.0.0.1/53:53 ...",
		.required = false },
	{ "Address", PROPERTY_STRING, offsetof(struct net_config, address), NULL,
		"passt: the guest's address and prefix, 10.0.0.2/24 (default: the host's)",
		.required = false },
	{ "Gateway", PROPERTY_STRING, offsetof(struct net_config, gateway), NULL,
		"passt: the gateway that it is told of (default: the host's)",
		.required = false },
	{ "Dns", PROPERTY_STRING, offsetof(struct net_config, dns), NULL,
		"passt: name servers that it is told of (default: the host's)",
		.required = false },
	{ "Interface", PROPERTY_STRING, offsetof(struct net_config, interface), NULL,
		"passt: the host's interface to take addresses from (default: of the default route)",
		.required = false },
	{ "Mtu", PROPERTY_UINT, offsetof(struct net_config, mtu), "0",
		"bytes of a packet at most; 0: what the back end says", .min = 0, .max = 65520 },
	{ "HostLoopback", PROPERTY_BOOL, offsetof(struct net_config, host_loopback), "no",
		"passt: the guest finds the host's own loopback at the gateway's address",
		.required = false },
	{ "Device", PROPERTY_STRING, offsetof(struct net_config, device), NULL,
		"tap: the interface (default: a new one); macvtap: the interface or /dev/tapN",
		.required = false },
	{ "Vhost", PROPERTY_BOOL, offsetof(struct net_config, vhost), "yes",
		"tap, macvtap: the kernel serves the queues by itself, where it can",
		.required = false },
	{0},
};

static struct device *net_create(struct machine *machine, const char *instance,
	const void *config, GError **error);

static bool net_check(const struct guest_config *guest, const char *instance, const void *config,
	GError **error);

static const struct device_type virtio_net = {
	.section = "Net",
	.help = "a network card (virtio-net)",
	.properties = net_properties,
	.config_size = sizeof(struct net_config),
	.create = net_create,
	.check = net_check,
};

static bool net_check(const struct guest_config *guest, const char *instance, const void *config,
	GError **error)
{
	const struct net_config *net = config;
	g_autofree char *what = g_strchomp(g_strdup_printf("Net %s", instance));
	uint8_t mac[NET_MAC];

	if (net->mtu && net->mtu < 576)
		return fail(error, "[%s] Mtu=%u: at least 576", what, net->mtu);
	if (net->mac && !net_mac_parse(net->mac, mac))
		return fail(error, "[%s] Mac=%s: expected one like 02:00:00:00:00:01", what,
			net->mac);
	return net_backends[net->mode] != net_passt_new || net_passt_check(net, what, error);
}

static bool net_open(struct net *net, const struct net_config *config, GError **error)
{
	g_autofree char *what = g_strchomp(g_strdup_printf("Net %s", net->device.instance));
	const struct net_user user = {
		.lock = &net->virtio.lock,
		.context = net->virtio.context,
		.receive = net_receive,
		.received = net_received,
		.writable = net_writable,
		.link = net_link,
		.data = net,
	};

	net->backend = net_backends[config->mode](config, what, &user, error);
	if (!net->backend)
		return false;
	if (!config->mac && net->backend->has_mac)
		memcpy(net->mac, net->backend->mac, NET_MAC);
	memcpy(net->space.mac, net->mac, NET_MAC);
	net->virtio.offered |= net->backend->features;
	net->space.status = net->backend->link ? NET_S_LINK_UP : 0;
	net->space.max_virtqueue_pairs = 1;
	net->space.mtu = (uint16_t)config->mtu;
	if (config->mtu)
		net->virtio.offered |= NET_F_MTU;
	return true;
}

static struct device *net_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	const struct net_config *net_config = config;
	struct net *net;

	if (!net_check(machine->config, instance, config, error))
		return NULL;
	net = g_new0(struct net, 1);
	net->device = (struct device){
		.type = &virtio_net,
		.instance = instance,
		.reset = net_reset,
		.drain = net_drain,
		.state = net_state,
		.destroy = net_destroy,
	};
	net->frame = g_malloc(NET_FRAME_MAX);
	virtio_init(&net->virtio, &net_ops, machine->memory, machine->net_context);
	net->again = g_source_new(&net_again_funcs, sizeof(GSource));
	g_source_set_callback(net->again, net_again_data, net, NULL);
	g_source_attach(net->again, net->virtio.context);
	if (!net_config->mac)
		net_mac_default(machine->config->name, instance, net->mac);
	else
		net_mac_parse(net_config->mac, net->mac);
	if (net_open(net, net_config, error) && virtio_attach_pci(machine, &net->virtio, error))
		return &net->device;
	net_destroy(&net->device);
	return NULL;
}

DEVICE_REGISTER(virtio_net);

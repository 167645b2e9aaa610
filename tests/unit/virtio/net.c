/* virtio-net, from its guest's side, in front of a back end that the test plays: buffers, merging,
 * back-pressure, checksums, the control queue, the link; and what a hostile driver may send. */
#include "vmm/virtio_net.c"

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum {
	FRAMES = 512,
};

/* The back end: counts, keeps the last frame, is full when told. */
static struct fake {
	struct net_backend backend;
	bool full, lends;
	unsigned sent, flushed, resumed, started, stopped, kicks;
	uint8_t last[NET_FRAME_MAX + NET_HEADER];
	size_t last_len;
} *fake;

static struct guest guest;
static bool fake_header;

static bool fake_send(struct net_backend *backend, const struct iovec *iov, unsigned n, size_t len)
{
	size_t at = 0;

	if (fake->full)
		return false;
	test_assert(len <= sizeof(fake->last));
	for (unsigned i = 0; i < n; i++) {
		test_assert(iov[i].iov_len <= len - at);
		memcpy(fake->last + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	test_equal(at, len);
	fake->last_len = len;
	fake->sent++;
	return true;
}

static void fake_flush(struct net_backend *backend)
{
	fake->flushed++;
}

static void fake_resume(struct net_backend *backend)
{
	fake->resumed++;
}

static bool fake_start(struct net_backend *backend, struct virtio_device *dev)
{
	fake->started++;
	return fake->lends;
}

static void fake_stop(struct net_backend *backend, struct virtio_device *dev)
{
	fake->stopped++;
}

static void fake_kick(struct net_backend *backend, unsigned q)
{
	fake->kicks++;
}

static void fake_free(struct net_backend *backend)
{
	g_clear_pointer(&fake, g_free);
}

/* Only the first mode is played. */
struct net_backend *net_tap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	return NULL;
}

struct net_backend *net_macvtap_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	return NULL;
}

bool net_passt_check(const struct net_config *config, const char *what, GError **error)
{
	return true;
}

struct net_backend *net_passt_new(const struct net_config *config, const char *what,
	const struct net_user *user, GError **error)
{
	static const struct net_backend_ops ops = {
		.name = "fake",
		.send = fake_send,
		.flush = fake_flush,
		.resume = fake_resume,
		.start = fake_start,
		.stop = fake_stop,
		.kick = fake_kick,
		.free = fake_free,
	};

	fake = g_new0(struct fake, 1);
	fake->backend.ops = &ops;
	fake->backend.user = *user;
	fake->backend.features = NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_HOST_TSO4;
	fake->backend.header = fake_header;
	fake->backend.link = true;
	return &fake->backend;
}

static void plug(uint64_t features)
{
	struct net_config config = {.mac = (char *)"02:00:00:00:00:17"};

	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &virtio_net, &config, NULL));
	guest_start(&guest, features);
}

/* The driver gives `n` buffers of `len` bytes. */
static uint64_t give(unsigned n, uint32_t len)
{
	uint64_t at = guest_alloc(&guest, (uint64_t)n * len);

	for (unsigned i = 0; i < n; i++) {
		struct guest_buffer buffer = {at + (uint64_t)i * len, len, true};

		guest_add(&guest, NET_RX, &buffer, 1);
	}
	return at;
}

/* A frame of `len` bytes arrives, its byte i is i modulo 251. */
static bool arrive(size_t len)
{
	static uint8_t frame[NET_FRAME_MAX];
	struct net_user *user = &fake->backend.user;
	bool taken;

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i % 251);
	g_mutex_lock(user->lock);
	taken = user->receive(user->data, frame, len);
	user->received(user->data);
	g_mutex_unlock(user->lock);
	return taken;
}

static void transmit(const struct net_header *header, const void *frame, uint32_t len)
{
	struct guest_buffer buffer[2] = {
		{guest_put(&guest, header, sizeof(*header)), sizeof(*header), false},
		{guest_put(&guest, frame, len), len, false},
	};

	guest_add(&guest, NET_TX, buffer, 2);
	guest_kick(&guest, NET_TX);
}

static void configuration(void)
{
	struct net_config config = {0};
	uint64_t mac;

	plug(NET_F_MAC | NET_F_STATUS);
	test_equal(sizeof(struct net_space), 12);
	test_equal(guest_config_read(&guest, 0, 4), 0x00000002);
	test_equal(guest_config_read(&guest, 4, 2), 0x1700);
	test_equal(guest_config_read(&guest, 6, 2), NET_S_LINK_UP);
	guest_unplug(&guest);
	/* Without Mac=: a unicast address of our own making, the same each time. */
	test_assert(guest_plug(&guest, &virtio_net, &config, NULL));
	mac = guest_config_read(&guest, 0, 8) & 0xffffffffffff;
	test_equal(mac & 3, 2);
	guest_unplug(&guest);
	test_assert(guest_plug(&guest, &virtio_net, &config, NULL));
	test_equal(guest_config_read(&guest, 0, 8) & 0xffffffffffff, mac);
	guest_close(&guest);
}

static void bad_configuration(void)
{
	static const char *const macs[] = {"", "1", "02:00:00:00:00", "02:00:00:00:00:0g",
		"02:00:00:00:00:000", "03:00:00:00:00:00", "02-00-00-00-00-00", "0"};
	struct net_config config = {0};

	guest_open(&guest, GUEST_MEMORY);
	for (unsigned i = 0; i < G_N_ELEMENTS(macs); i++) {
		g_autoptr(GError) error = NULL;

		config.mac = (char *)macs[i];
		test_assert(!guest_plug(&guest, &virtio_net, &config, &error));
		test_assert(error && strstr(error->message, "Mac="));
	}
	config = (struct net_config){.mtu = 100};
	test_assert(!guest_plug(&guest, &virtio_net, &config, NULL));
	guest_close(&guest);
}

static void receives(void)
{
	struct net_header header;
	uint32_t id, len;
	uint64_t at;

	plug(NET_F_MRG_RXBUF);
	at = give(4, 2048);
	test_assert(arrive(100));
	test_assert(guest_used(&guest, NET_RX, &id, &len));
	test_equal(len, 112);
	memcpy(&header, guest_at(&guest, at, 12), 12);
	test_equal(header.num_buffers, 1);
	test_equal(header.flags, 0);
	test_equal(*(uint8_t *)guest_at(&guest, at + 12 + 99, 1), 99);
	test_assert(guest.raised[NET_RX] > 0);
	guest_close(&guest);
}

/* A frame in three buffers: seen at once, contents right, header in the first. */
static void merges(void)
{
	struct net_header header;
	uint32_t id, len, total = 0;
	uint64_t at;

	plug(NET_F_MRG_RXBUF | NET_F_GUEST_CSUM);
	at = give(4, 1024);
	test_assert(arrive(3000));
	for (unsigned i = 0; i < 3; i++) {
		test_assert(guest_used(&guest, NET_RX, &id, &len));
		total += len;
	}
	test_assert(!guest_used(&guest, NET_RX, &id, &len));
	test_equal(total, 3012);
	memcpy(&header, guest_at(&guest, at, 12), 12);
	test_equal(header.num_buffers, 3);
	test_equal(header.flags, NET_DATA_VALID);
	for (unsigned i = 0; i < 3000; i++)
		test_equal(*(uint8_t *)guest_at(&guest, at + 12 + i, 1), i % 251);
	guest_close(&guest);
}

static void waits_for_room(void)
{
	uint32_t id, len;

	plug(NET_F_MRG_RXBUF);
	test_assert(!arrive(100));
	give(2, 1024);
	test_assert(!arrive(3000)); /* not enough: nothing is taken */
	test_assert(!guest_used(&guest, NET_RX, &id, &len));
	give(1, 1024);
	guest_kick(&guest, NET_RX);
	test_equal(fake->resumed, 1);
	test_assert(arrive(3000));
	test_assert(guest_used(&guest, NET_RX, &id, &len));
	guest_close(&guest);
}

/* What will never fit is dropped: the frames behind it are not held up. */
static void drops_what_never_fits(void)
{
	uint32_t id, len;

	plug(0); /* one buffer a frame */
	give(2, 512);
	test_assert(arrive(600));
	test_equal(((struct net *)guest.device)->dropped, 1);
	test_assert(arrive(500));
	test_assert(guest_used(&guest, NET_RX, &id, &len));
	test_equal(len, 512);
	guest_close(&guest);

	plug(NET_F_MRG_RXBUF);
	give(256, 16);
	test_assert(arrive(60000));
	test_equal(((struct net *)guest.device)->dropped, 1);
	guest_close(&guest);
}

static void no_room_for_a_header(void)
{
	plug(NET_F_MRG_RXBUF);
	give(1, 11);
	test_assert(arrive(100));
	test_assert(guest_needs_reset(&guest));
	test_assert(arrive(100)); /* and it is silent after that */
	guest_close(&guest);
}

static void not_running(void)
{
	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &virtio_net, &(struct net_config){0}, NULL));
	test_assert(arrive(100)); /* nobody there: dropped */
	guest_close(&guest);
}

static void transmits(void)
{
	struct net_header header = {0};
	uint8_t frame[64] = "a frame as long as a frame";
	uint32_t id, len;

	plug(0);
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->sent, 1);
	test_assert(fake->flushed > 0);
	test_equal(fake->last_len, 64);
	test_assert(memcmp(fake->last, frame, 64) == 0);
	test_assert(guest_used(&guest, NET_TX, &id, &len));
	test_equal(len, 0);
	test_assert(guest.raised[NET_TX] > 0);
	guest_close(&guest);
}

/* Too short, too long, header cut: dropped and given back. */
static void transmits_nonsense(void)
{
	static const uint32_t lens[] = {0, 1, 11, 12, 13, 25, NET_HEADER + NET_FRAME_MAX + 1, 200000};
	uint64_t at;
	uint32_t id, len;

	plug(NET_F_CSUM);
	at = guest_alloc(&guest, 200000);
	for (unsigned i = 0; i < G_N_ELEMENTS(lens); i++) {
		struct guest_buffer buffer = {at, lens[i], false};

		guest_add(&guest, NET_TX, &buffer, 1);
		guest_kick(&guest, NET_TX);
		test_assert(guest_used(&guest, NET_TX, &id, &len));
	}
	test_equal(fake->sent, 0);
	test_assert(!guest_needs_reset(&guest));
	guest_close(&guest);
}

static void back_pressure(void)
{
	struct net_header header = {0};
	struct net_user *user;
	uint8_t frame[64] = {0};
	uint32_t id, len;

	plug(0);
	user = &fake->backend.user;
	fake->full = true;
	for (unsigned i = 0; i < 3; i++)
		transmit(&header, frame, sizeof(frame));
	test_assert(!guest_used(&guest, NET_TX, &id, &len));
	fake->full = false;
	g_mutex_lock(user->lock);
	user->writable(user->data);
	g_mutex_unlock(user->lock);
	test_equal(fake->sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		test_assert(guest_used(&guest, NET_TX, &id, &len));
		test_equal(id, 2 * i); /* in their order, each once */
	}
	guest_close(&guest);
}

/* More than a turn in one go: all of it is sent. */
static void many(void)
{
	struct net_header header = {0};
	uint8_t frame[60] = {0};
	uint64_t at, head;
	struct guest_buffer buffer[1];

	plug(0);
	head = guest_alloc(&guest, 72);
	memcpy(guest_at(&guest, head, 12), &header, 12);
	memcpy(guest_at(&guest, head + 12, 60), frame, 60);
	at = head;
	for (unsigned i = 0; i < FRAMES; i++) {
		buffer[0] = (struct guest_buffer){at, 72, false};
		guest_add(&guest, NET_TX, buffer, 1);
		if (i % 256 == 255)
			guest_kick(&guest, NET_TX);
	}
	guest_spin(&guest);
	test_equal(fake->sent, FRAMES);
	guest_close(&guest);
}

static void checksums(void)
{
	struct net_header header = {.flags = NET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};
	uint8_t frame[61] = {0};
	uint16_t sum;

	plug(NET_F_CSUM);
	for (unsigned i = 34; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	frame[40] = frame[41] = 0;
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->sent, 1);
	memcpy(&sum, fake->last + 40, 2);
	test_assert(sum != 0);
	/* With the sum in place the whole sums up to nothing. */
	test_equal(net_checksum(fake->last + 34, sizeof(frame) - 34), 0);
	/* The guest's own buffer is as it was. */
	header.csum_start = 59;
	transmit(&header, frame, sizeof(frame));
	header.csum_start = 0xffff;
	header.csum_offset = 0xffff;
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->sent, 1); /* both point outside */
	guest_close(&guest);
}

/* A back end with headers gets and gives them as they are. */
static void headers_pass(void)
{
	struct net_header header = {.flags = NET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};
	uint8_t frame[64] = {0};
	uint64_t at;

	fake_header = true;
	plug(NET_F_MRG_RXBUF);
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->last_len, 76);
	test_assert(memcmp(fake->last, &header, 12) == 0);
	at = give(1, 2048);
	test_assert(arrive(11)); /* cut */
	test_assert(arrive(112));
	test_equal(*(uint8_t *)guest_at(&guest, at + 1, 1), 1);
	test_equal(*(uint8_t *)guest_at(&guest, at + 10, 1), 1); /* num_buffers is ours */
	test_equal(*(uint8_t *)guest_at(&guest, at + 12, 1), 12);
	fake_header = false;
	guest_close(&guest);
}

static int control(const void *command, uint32_t len)
{
	uint64_t ack = guest_alloc(&guest, 1);
	struct guest_buffer buffer[2] = {
		{guest_put(&guest, command, len), len, false},
		{ack, 1, true},
	};
	uint32_t id, written;

	*(uint8_t *)guest_at(&guest, ack, 1) = 0xff;
	guest_add(&guest, NET_CTRL, buffer, 2);
	guest_kick(&guest, NET_CTRL);
	test_assert(guest_used(&guest, NET_CTRL, &id, &written));
	test_equal(written, 1);
	return *(uint8_t *)guest_at(&guest, ack, 1);
}

static void controls(void)
{
	plug(NET_F_CTRL_VQ | NET_F_CTRL_RX | NET_F_CTRL_MAC_ADDR);
	test_equal(control((uint8_t[]){0, 0, 1}, 3), NET_CTRL_OK);  /* promiscuous */
	test_equal(control((uint8_t[]){0, 6, 1}, 3), NET_CTRL_ERR);
	test_equal(control((uint8_t[]){0, 0}, 2), NET_CTRL_ERR);
	test_equal(control((uint8_t[]){0}, 1), NET_CTRL_ERR);
	test_equal(control((uint8_t[]){1, 0, 0, 0, 0, 0}, 6), NET_CTRL_OK);
	test_equal(control((uint8_t[]){1, 1, 2, 3, 4, 5, 6, 7}, 8), NET_CTRL_OK);
	test_equal(guest_config_read(&guest, 0, 4), 0x05040302);
	test_equal(control((uint8_t[]){1, 1, 2, 3, 4}, 5), NET_CTRL_ERR);
	test_equal(control((uint8_t[]){9, 1, 2, 3, 4}, 5), NET_CTRL_ERR);
	guest_reset(&guest);
	test_equal(guest_config_read(&guest, 0, 4), 0x00000002);
	guest_close(&guest);
}

static void link_goes(void)
{
	struct net_header header = {0};
	struct net_user *user;
	uint8_t frame[64] = {0};
	uint32_t id, len;

	plug(NET_F_STATUS);
	user = &fake->backend.user;
	fake->backend.link = false;
	g_mutex_lock(user->lock);
	user->link(user->data, false);
	g_mutex_unlock(user->lock);
	test_equal(guest_config_read(&guest, 6, 2), 0);
	test_equal(guest.raised[NET_QUEUES], 1); /* the configuration's vector */
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->sent, 0);
	test_assert(guest_used(&guest, NET_TX, &id, &len));
	guest_close(&guest);
}

/* A back end that serves the queues (vhost): kicks are its, nothing else passes through us. */
static void lends(void)
{
	struct net_header header = {0};
	uint8_t frame[64] = {0};

	unsigned stopped;

	plug(0);
	test_equal(fake->started, 1);
	fake->lends = true;
	stopped = fake->stopped;
	guest_reset(&guest);
	test_equal(fake->stopped, stopped + 1);
	guest_start(&guest, 0);
	test_equal(fake->started, 2);
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->sent, 0);
	test_equal(fake->kicks, 1);
	test_assert(arrive(100)); /* dropped: the queues are not ours */
	guest_close(&guest);
}

static void master(bool on)
{
	bus_write(guest.machine.mmio, MACHINE_ECAM_BASE + ((uint64_t)GUEST_SLOT << 15) + PCI_COMMAND, 2,
		on ? PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER : PCI_COMMAND_MEMORY);
	guest_spin(&guest);
}

/* A card that is made no bus master is served by nobody (a kernel that starts another one does no more
 * than this); and what the back end may have kept for itself the driver hears of. */
static void held_while_lent(void)
{
	plug(0);
	fake->lends = true;
	guest_reset(&guest);
	guest_start(&guest, 0);
	guest_spin(&guest);
	test_equal(fake->started, 2);
	memset(guest.raised, 0, sizeof(guest.raised));
	fake->stopped = 0;
	master(false);
	test_equal(fake->stopped, 1);
	master(true);
	test_equal(fake->started, 3);
	test_equal(fake->stopped, 1);
	test_assert(guest.raised[NET_RX] >= 1 && guest.raised[NET_TX] >= 1);
	/* A driver that is ready before it is a bus master. */
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 0);
	master(false);
	guest_start(&guest, 0);
	guest_spin(&guest);
	test_equal(fake->started, 3);
	master(true);
	test_equal(fake->started, 4);
	guest_close(&guest);
}

/* Drained, saved, and going on; and loaded into a card that is new. */
static void saved(void)
{
	struct net_header header = {0};
	uint8_t frame[64] = {0};
	struct state *state;
	GBytes *bytes;
	uint32_t id, len;
	unsigned stopped;

	plug(NET_F_MRG_RXBUF | NET_F_CTRL_VQ | NET_F_CTRL_MAC_ADDR);
	give(2, 2048);
	test_assert(arrive(100));
	test_equal(control((uint8_t[]){1, 1, 2, 3, 4, 5, 6, 7}, 8), NET_CTRL_OK);
	fake->lends = true;
	stopped = fake->stopped;
	guest.device->drain(guest.device);
	test_equal(fake->stopped, stopped + 1);
	test_equal(guest.raised[NET_TX], 0); /* nothing was lent */
	guest_spin(&guest);
	test_equal(fake->started, 2);
	guest.device->drain(guest.device);
	test_equal(guest.raised[NET_TX], 1); /* what the back end has not told */
	state = state_new_saving();
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	guest_spin(&guest); /* it goes on */
	test_equal(fake->started, 3);
	fake->lends = false;
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 0);
	test_equal(fake->started, 3);
	state = state_new_loading(bytes);
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state));
	test_assert(state_at_end(state));
	state_free(state);
	test_equal(fake->started, 3); /* not before memory is there and the threads run */
	guest_spin(&guest);
	test_equal(fake->started, 4);
	test_equal(guest_config_read(&guest, 0, 4), 0x05040302);
	test_assert(arrive(200)); /* in the second buffer */
	test_assert(guest_used(&guest, NET_RX, &id, &len));
	test_assert(guest_used(&guest, NET_RX, &id, &len));
	test_equal(len, 212);
	transmit(&header, frame, sizeof(frame));
	test_equal(fake->sent, 1);
	guest_close(&guest);
}

int main(void)
{
	test_run(configuration);
	test_run(bad_configuration);
	test_run(receives);
	test_run(merges);
	test_run(waits_for_room);
	test_run(drops_what_never_fits);
	test_run(no_room_for_a_header);
	test_run(not_running);
	test_run(transmits);
	test_run(transmits_nonsense);
	test_run(back_pressure);
	test_run(many);
	test_run(checksums);
	test_run(headers_pass);
	test_run(controls);
	test_run(link_goes);
	test_run(lends);
	test_run(held_while_lent);
	test_run(saved);
	return 0;
}

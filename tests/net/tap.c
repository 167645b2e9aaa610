/* virtio-net with a tap of the host behind it, from the guest's side: it asks by ARP who has the
 * host's address, and the host answers. With vhost-net as well where there is one. */
#include "vmm/net_tap.c"
#undef G_LOG_DOMAIN
#include "vmm/virtio_net.c"

#include <arpa/inet.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum {
	BUFFER = 2048,
	BUFFERS = 32,
	PATIENCE_MS = 3000,
};

static struct guest guest;
static uint64_t buffers;
static char name[IFNAMSIZ];

static void plug(bool vhost)
{
	struct net_config config = {.mode = 1, .device = name, .vhost = vhost,
		.mac = (char *)"02:00:00:00:00:17"};
	g_autoptr(GError) error = NULL;

	guest_open(&guest, GUEST_MEMORY);
	if (!guest_plug(&guest, &virtio_net, &config, &error))
		test_skip(error->message); /* no tun driver, or no right to it */
	guest_start(&guest, NET_F_MRG_RXBUF | NET_F_CSUM | NET_F_GUEST_CSUM);
	buffers = guest_alloc(&guest, BUFFER * BUFFERS);
	for (unsigned i = 0; i < BUFFERS; i++)
		guest_add(&guest, NET_RX, &(struct guest_buffer){buffers + i * BUFFER, BUFFER, true},
			1);
	guest_kick(&guest, NET_RX);
}

/* 198.51.100.1 is the host's, on the tap alone. */
static void host_up(void)
{
	struct ifreq request = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	g_strlcpy(request.ifr_name, name, IFNAMSIZ);
	inet_pton(AF_INET, "198.51.100.1", &address.sin_addr);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	test_equal(ioctl(fd, SIOCSIFADDR, &request), 0);
	request.ifr_flags = IFF_UP;
	test_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static void ask(void)
{
	static const uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0x17,
		8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0x17, 198, 51, 100, 2,
		0, 0, 0, 0, 0, 0, 198, 51, 100, 1};
	struct net_header header = {0};
	struct guest_buffer buffer[2] = {
		{guest_put(&guest, &header, sizeof(header)), sizeof(header), false},
		{guest_put(&guest, frame, sizeof(frame)), sizeof(frame), false},
	};

	guest_add(&guest, NET_TX, buffer, 2);
	guest_kick(&guest, NET_TX);
}

static bool answered(void)
{
	for (unsigned i = 0; i < PATIENCE_MS; i++, g_usleep(1000)) {
		uint32_t id, len;

		guest_spin(&guest);
		while (guest_used(&guest, NET_RX, &id, &len)) {
			const uint8_t *frame = (uint8_t *)guest_at(&guest, buffers + id * BUFFER,
				BUFFER) + NET_HEADER;

			if (len >= NET_HEADER + 42 && frame[12] == 8 && frame[13] == 6 &&
				frame[21] == 2 && frame[31] == 1)
				return true;
		}
	}
	return false;
}

static void asks(bool vhost)
{
	uint32_t id, len;

	plug(vhost);
	host_up();
	ask();
	test_assert(answered());
	test_assert(guest_wait_used(&guest, NET_TX, &id, &len));
	test_assert(guest.raised[NET_RX] > 0);
}

static void through_us(void)
{
	asks(false);
	test_assert(!((struct net *)guest.device)->lent);
	guest_close(&guest);
}

static void through_vhost(void)
{
	asks(true);
	if (!((struct net *)guest.device)->lent)
		printf("note: no vhost-net here\n");
	/* Taken back and given again, where it was. */
	guest.device->drain(guest.device);
	test_assert(!((struct net *)guest.device)->lent);
	test_equal(((struct net *)guest.device)->virtio.queue[NET_TX].last_avail, 1);
	guest_spin(&guest);
	ask();
	test_assert(answered());
	guest_close(&guest);
}

static void not_there(void)
{
	struct net_config config = {.mode = 2, .device = (char *)"irori-none"};
	g_autoptr(GError) error = NULL;

	guest_open(&guest, GUEST_MEMORY);
	test_assert(!guest_plug(&guest, &virtio_net, &config, &error));
	test_assert(strstr(error->message, "irori-none"));
	config.device = NULL;
	test_assert(!guest_plug(&guest, &virtio_net, &config, NULL));
	config = (struct net_config){.mode = 1, .device = (char *)"a-name-that-is-too-long"};
	test_assert(!guest_plug(&guest, &virtio_net, &config, NULL));
	guest_close(&guest);
}

int main(void)
{
	g_snprintf(name, sizeof(name), "irorit%u", getpid() % 100000);
	test_run(not_there);
	test_run(through_us);
	test_run(through_vhost);
	return 0;
}

/* virtio-net with a real passt behind it, from the guest's side: a DHCP discover goes out and an
 * offer comes back; a host port leads to the guest; a passt that is killed comes again. */
#include "vmm/helper.c"
#undef G_LOG_DOMAIN
#include "vmm/net_passt.c"
#undef G_LOG_DOMAIN
#include "vmm/virtio_net.c"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum {
	BUFFER = 2048,
	BUFFERS = 32,
	PATIENCE_MS = 8000,
	DHCP_LEN = 300,
	IP = 14,
	UDP = IP + 20,
	BOOTP = UDP + 8,
	OPTIONS = BOOTP + 240,
};

static struct guest guest;
static uint64_t buffers;
static const uint8_t mac[NET_MAC] = {2, 0, 0, 0, 0, 0x17};

static void plug(const char *forward)
{
	struct net_config config = {
		.mac = (char *)"02:00:00:00:00:17",
		.address = (char *)"10.20.30.2/24",
		.gateway = (char *)"10.20.30.1",
		.dns = (char *)"10.20.30.9",
		.forward = (char *)forward,
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *found = g_find_program_in_path("passt");

	if (!found)
		test_skip("passt is not installed");
	guest_open(&guest, GUEST_MEMORY);
	if (!guest_plug(&guest, &virtio_net, &config, &error))
		fprintf(stderr, "%s\n", error->message);
	test_assert(guest.device);
	guest_start(&guest, NET_F_MRG_RXBUF | NET_F_STATUS);
	buffers = guest_alloc(&guest, BUFFER * BUFFERS);
	for (unsigned i = 0; i < BUFFERS; i++)
		guest_add(&guest, NET_RX, &(struct guest_buffer){buffers + i * BUFFER, BUFFER, true},
			1);
	guest_kick(&guest, NET_RX);
}

static struct passt *passt_of(void)
{
	return (struct passt *)((struct net *)guest.device)->backend;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void transmit(const uint8_t *frame, uint32_t len)
{
	struct net_header header = {0};
	struct guest_buffer buffer[2] = {
		{guest_put(&guest, &header, sizeof(header)), sizeof(header), false},
		{guest_put(&guest, frame, len), len, false},
	};

	guest_add(&guest, NET_TX, buffer, 2);
	guest_kick(&guest, NET_TX);
}

static void discover(void)
{
	static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 3, 1, 3, 6, 255};
	uint8_t frame[BOOTP + DHCP_LEN] = {0};

	memset(frame, 0xff, NET_MAC);
	memcpy(frame + NET_MAC, mac, NET_MAC);
	put16(frame + 12, 0x0800);
	frame[IP] = 0x45;
	put16(frame + IP + 2, sizeof(frame) - IP);
	frame[IP + 8] = 64;
	frame[IP + 9] = 17;
	memset(frame + IP + 16, 0xff, 4);
	memcpy(frame + IP + 10, &(uint16_t){net_checksum(frame + IP, 20)}, 2);
	put16(frame + UDP, 68);
	put16(frame + UDP + 2, 67);
	put16(frame + UDP + 4, DHCP_LEN + 8);
	frame[BOOTP] = 1;
	frame[BOOTP + 1] = 1;
	frame[BOOTP + 2] = NET_MAC;
	memcpy(frame + BOOTP + 28, mac, NET_MAC);
	memcpy(frame + OPTIONS - 4, options, sizeof(options));
	transmit(frame, sizeof(frame));
}

/* The next frame that arrives; its length, 0: none came. */
static uint32_t arrived(const uint8_t **frame)
{
	uint32_t id, len;

	for (unsigned i = 0; i < PATIENCE_MS; i++) {
		guest_spin(&guest);
		if (guest_used(&guest, NET_RX, &id, &len)) {
			*frame = (uint8_t *)guest_at(&guest, buffers + id * BUFFER, BUFFER) +
				NET_HEADER;
			return len - NET_HEADER;
		}
		if (!passt_of()->stream && i > 100)
			return 0;
		g_usleep(1000);
	}
	return 0;
}

/* passt says other things as well: router advertisements. */
static bool offered(void)
{
	const uint8_t *frame;
	uint32_t len;

	discover();
	while ((len = arrived(&frame)) > 0)
		if (len > OPTIONS && frame[12] == 8 && frame[IP + 9] == 17 && frame[BOOTP] == 2) {
			test_assert(memcmp(frame, mac, NET_MAC) == 0 || (frame[0] & 1));
			test_assert(memcmp(frame + BOOTP + 16, "\x0a\x14\x1e\x02", 4) == 0);
			return true;
		}
	return false;
}

static void gets_an_address(void)
{
	plug(NULL);
	if (!offered() && passt_of()->failures)
		test_skip("passt does not run here: no network?");
	guest_close(&guest);
	plug(NULL);
	test_assert(offered());
	guest_close(&guest);
}

/* Somebody calls the host's port: the guest is asked who has 10.20.30.2, or gets a SYN at once. */
static void forwards(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t here_len = sizeof(here);
	g_autofree char *spec = NULL;
	const uint8_t *frame;
	bool asked = false;
	uint32_t len;
	int call, lock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A port that is free now. */
	test_equal(bind(lock, (struct sockaddr *)&here, sizeof(here)), 0);
	test_equal(getsockname(lock, (struct sockaddr *)&here, &here_len), 0);
	close(lock);
	spec = g_strdup_printf("tcp:127.0.0.1/%u:22", ntohs(here.sin_port));
	plug(spec);
	test_assert(offered()); /* it runs, and knows our address */
	call = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	connect(call, (struct sockaddr *)&here, sizeof(here));
	while (!asked && (len = arrived(&frame)) > 0)
		asked = frame[12] == 8 && frame[IP + 9] == 6 && frame[IP + 20 + 3] == 22 &&
			(frame[IP + 20 + 13] & 2);
	test_assert(asked);
	close(call);
	guest_close(&guest);
}

static void comes_again(void)
{
	uint64_t status = NET_S_LINK_UP;

	plug(NULL);
	test_assert(offered());
	test_equal(kill(passt_of()->helper->pid, SIGKILL), 0);
	for (unsigned i = 0; i < PATIENCE_MS && status; i++, g_usleep(1000)) {
		guest_spin(&guest);
		status = guest_config_read(&guest, 6, 2);
	}
	test_equal(status, 0);
	for (unsigned i = 0; i < PATIENCE_MS && !status; i++, g_usleep(1000)) {
		guest_spin(&guest);
		status = guest_config_read(&guest, 6, 2);
	}
	test_equal(status, NET_S_LINK_UP);
	test_assert(offered());
	guest_close(&guest);
}

int main(void)
{
	test_run(gets_an_address);
	test_run(forwards);
	test_run(comes_again);
	return 0;
}

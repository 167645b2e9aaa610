/* Fuzzes the NBD client as its server: the input is all that the server ever says. */
#include <sys/socket.h>

#include "tests/unit/disk/host.h"
#include "vmm/disk_nbd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	REQUESTS = 8,
	LEN = 4096,
};

struct server {
	const uint8_t *data;
	size_t len;
	bool used;
	int peer;
};

/* It has said everything before it is asked anything; a second connection there is not. */
static int server_open(void *data, GError **error)
{
	struct server *server = data;
	int pair[2];

	if (server->used || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		g_set_error(error, g_quark_from_static_string("fuzz"), 0, "no server");
		return -1;
	}
	server->used = true;
	server->peer = pair[1];
	if (send(pair[1], server->data, server->len, MSG_NOSIGNAL) < 0)
		abort();
	shutdown(pair[1], SHUT_WR);
	return pair[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buffer[REQUESTS][LEN];
	struct server server = {.data = data, .len = size, .peer = -1};
	struct nbd_opener opener = {.open = server_open, .data = &server, .export = g_strdup("x")};
	struct disk_guard guard = {.machine = &host, .name = (char *)"disk", .cancelling = true};
	struct request request[REQUESTS];
	struct disk *disk;

	if (!host.main_context) {
		g_log_set_default_handler(host_quiet, NULL);
		host_open();
	}
	if (size == 0 || size > 100000) {
		g_free(opener.export);
		return 0;
	}
	disk = disk_nbd_new(&host, &opener, "fuzz", false, NULL);
	if (!disk) {
		g_free(opener.export);
	} else {
		disk->guard = &guard;
		for (unsigned i = 0; i < REQUESTS; i++)
			request_start(&request[i], disk,
				i == 5 ? DISK_WRITE : i == 6 ? DISK_FLUSH : DISK_READ, 0,
				i == 6 ? NULL : buffer[i], i == 6 ? 0 : LEN >> (i % 3));
		disk->ops->reap(disk, true);
		for (unsigned i = 0; i < REQUESTS; i++)
			if (!request[i].ended)
				abort();
		disk->ops->close(disk);
	}
	if (server.peer >= 0)
		close(server.peer);
	return 0;
}

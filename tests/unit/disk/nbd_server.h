/*
 * An NBD server in a thread, for tests of its client: a disk in memory, and ways to misbehave.
 */
#ifndef IRORI_TESTS_UNIT_DISK_NBD_SERVER_H
#define IRORI_TESTS_UNIT_DISK_NBD_SERVER_H

#include <gio/gio.h>
#include <sys/socket.h>

#include "vmm/disk_nbd.h"
#include "vmm/disk_nbd_wire.h"

enum server_fault {
	SERVER_GOOD,
	SERVER_BAD_GREETING,
	SERVER_REFUSES,
	SERVER_HANGS_UP_EARLY,
	SERVER_ODD_SIZE,
	SERVER_IS_READ_ONLY,
	SERVER_ENDLESS_OPTIONS,
	SERVER_ANSWERS_NOTHING, /* it hangs up whatever it is asked */
	/* Once each, at the fifth request. */
	SERVER_BAD_MAGIC,
	SERVER_WRONG_COOKIE,
	SERVER_ANSWERS_TWICE,
	SERVER_HANGS_UP,
	SERVER_HANGS_UP_IN_DATA,
	SERVER_IS_FULL,
};

enum {
	SERVER_SIZE = 4 << 20,
	SERVER_FAULT_AT = 5,
};

struct server {
	enum server_fault fault;
	uint8_t disk[SERVER_SIZE];
	GThread *thread[8];
	unsigned connections, requests, flushes, fuas;
	int fd;
};

static void server_give(int fd, const void *from, size_t len)
{
	const char *at = from;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		len -= (size_t)sent;
	}
}

static bool server_take(int fd, void *to, size_t len)
{
	return recv(fd, to, len, MSG_WAITALL) == (ssize_t)len;
}

static void server_put(GByteArray *out, uint64_t value, unsigned size)
{
	for (unsigned i = size; i-- > 0;) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		g_byte_array_append(out, &byte, 1);
	}
}

static uint64_t server_get(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | from[i];
	return value;
}

static void server_send(int fd, GByteArray *out)
{
	server_give(fd, out->data, out->len);
	g_byte_array_set_size(out, 0);
}

static void server_option(GByteArray *out, uint32_t type, uint32_t len)
{
	server_put(out, 0x0003e889045565a9, 8);
	server_put(out, 7, 4);
	server_put(out, type, 4);
	server_put(out, len, 4);
}

static bool server_handshake(struct server *server, int fd, GByteArray *out)
{
	uint8_t bytes[512];
	uint16_t flags = 1 | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_WRITE_ZEROES;

	server_put(out, server->fault == SERVER_BAD_GREETING ? 1 : 0x4e42444d41474943, 8);
	server_put(out, 0x49484156454f5054, 8);
	server_put(out, 3, 2);
	server_send(fd, out);
	if (!server_take(fd, bytes, 4) || !server_take(fd, bytes, 16) ||
		!server_take(fd, bytes + 16, server_get(bytes + 12, 4)))
		return false;
	if (server->fault == SERVER_HANGS_UP_EARLY)
		return false;
	if (server->fault == SERVER_REFUSES) {
		server_option(out, 0x80000006, 4);
		g_byte_array_append(out, (const guint8 *)"gone", 4);
	}
	for (unsigned i = 0; i < 1000 && server->fault == SERVER_ENDLESS_OPTIONS; i++)
		server_option(out, 99, 0);
	server_option(out, 3, 12);
	server_put(out, 0, 2);
	server_put(out, server->fault == SERVER_ODD_SIZE ? 1000 : SERVER_SIZE, 8);
	server_put(out, server->fault == SERVER_IS_READ_ONLY ? flags | 2 : flags, 2);
	server_option(out, 1, 0);
	server_send(fd, out);
	return true;
}

/* False: it ends here. */
static bool server_answer(struct server *server, int fd, const uint8_t *request, GByteArray *out)
{
	uint64_t offset = server_get(request + 16, 8), len = server_get(request + 24, 4);
	unsigned type = (unsigned)server_get(request + 6, 2);
	enum server_fault fault = ++server->requests == SERVER_FAULT_AT ? server->fault : SERVER_GOOD;

	if (type == NBD_CMD_DISC || offset > SERVER_SIZE || len > SERVER_SIZE - offset)
		return false;
	if (type == NBD_CMD_WRITE && !server_take(fd, server->disk + offset, len))
		return false;
	if (type == NBD_CMD_WRITE_ZEROES)
		memset(server->disk + offset, 0, len);
	server->flushes += type == NBD_CMD_FLUSH;
	server->fuas += request[5] & 1;
	if (fault == SERVER_HANGS_UP || server->fault == SERVER_ANSWERS_NOTHING)
		return false;
	server_put(out, fault == SERVER_BAD_MAGIC ? 7 : 0x67446698, 4);
	server_put(out, fault == SERVER_IS_FULL ? 28 : 0, 4);
	g_byte_array_append(out, request + 8, 8);
	if (fault == SERVER_WRONG_COOKIE)
		out->data[15] ^= 0x40;
	if (type == NBD_CMD_READ && fault != SERVER_IS_FULL)
		g_byte_array_append(out, server->disk + offset,
			fault == SERVER_HANGS_UP_IN_DATA ? (guint)len / 2 : (guint)len);
	if (fault == SERVER_ANSWERS_TWICE)
		g_byte_array_append(out, out->data, 16);
	server_send(fd, out);
	return fault != SERVER_HANGS_UP_IN_DATA;
}

static gpointer server_run(gpointer data)
{
	struct server *server = data;
	GByteArray *out = g_byte_array_new();
	uint8_t request[28];
	int fd = server->fd;

	if (server_handshake(server, fd, out))
		while (server_take(fd, request, 28) && server_answer(server, fd, request, out))
			;
	close(fd);
	g_byte_array_unref(out);
	return NULL;
}

static int server_open(void *data, GError **error)
{
	struct server *server = data;
	int pair[2];

	if (server->connections == G_N_ELEMENTS(server->thread) ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no server");
		return -1;
	}
	if (server->connections > 0)
		g_thread_join(server->thread[server->connections - 1]);
	server->fd = pair[1];
	server->thread[server->connections++] = g_thread_new("server", server_run, server);
	return pair[0];
}

#endif

/*
 * NBD on the wire.
 */
#include "vmm/disk_nbd_wire.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define NBD_MAGIC 0x4e42444d41474943ull    /* NBDMAGIC */
#define NBD_OPTION 0x49484156454f5054ull   /* IHAVEOPT */
#define NBD_OPTION_REPLY 0x0003e889045565a9ull
#define NBD_REQUEST_MAGIC 0x25609513u
#define NBD_REPLY_MAGIC 0x67446698u

enum nbd_handshake_numbers {
	NBD_FIXED_NEWSTYLE = 1,
	NBD_NO_ZEROES = 2,
	NBD_OPT_GO = 7,
	NBD_REP_ACK = 1,
	NBD_REP_INFO = 3,
	NBD_INFO_EXPORT = 0,
	NBD_INFO_BLOCK_SIZE = 3,
};

#define NBD_REP_ERROR 0x80000000u

static void put16(uint8_t *to, uint16_t value)
{
	value = GUINT16_TO_BE(value);
	memcpy(to, &value, 2);
}

static void put32(uint8_t *to, uint32_t value)
{
	value = GUINT32_TO_BE(value);
	memcpy(to, &value, 4);
}

static void put64(uint8_t *to, uint64_t value)
{
	value = GUINT64_TO_BE(value);
	memcpy(to, &value, 8);
}

static uint16_t get16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t get32(const uint8_t *from)
{
	return (uint32_t)get16(from) << 16 | get16(from + 2);
}

static uint64_t get64(const uint8_t *from)
{
	return (uint64_t)get32(from) << 32 | get32(from + 4);
}

void nbd_request(uint8_t to[NBD_REQUEST_LEN], uint16_t type, uint16_t flags, uint64_t cookie,
	uint64_t offset, uint32_t len)
{
	put32(to, NBD_REQUEST_MAGIC);
	put16(to + 4, flags);
	put16(to + 6, type);
	put64(to + 8, cookie);
	put64(to + 16, offset);
	put32(to + 24, len);
}

bool nbd_reply(const uint8_t from[NBD_REPLY_LEN], uint32_t *error, uint64_t *cookie)
{
	*error = get32(from + 4);
	*cookie = get64(from + 8);
	return get32(from) == NBD_REPLY_MAGIC;
}

int nbd_errno(uint32_t error)
{
	static const struct {
		uint32_t wire;
		int code;
	} codes[] = {
		{1, EPERM},
		{12, ENOMEM},
		{22, EINVAL},
		{28, ENOSPC},
		{95, EOPNOTSUPP},
		{108, ESHUTDOWN},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++)
		if (codes[i].wire == error)
			return -codes[i].code;
	return -EIO;
}

static bool wrong(GError **error, const char *what)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "NBD: %s", what);
	return false;
}

/* The socket is patient for each byte, `end` (monotonic, us) is for all of them. */
static bool take(int fd, void *to, size_t len, int64_t end, GError **error)
{
	uint8_t *at = to;

	while (len > 0) {
		ssize_t got;

		if (g_get_monotonic_time() > end)
			return wrong(error, "the server takes too long");
		got = recv(fd, at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			return wrong(error, "the server hung up");
		if (got < 0)
			return wrong(error, errno == EAGAIN ? "the server does not answer" :
							      g_strerror(errno));
		at += got;
		len -= (size_t)got;
	}
	return true;
}

static bool give(int fd, const void *from, size_t len, GError **error)
{
	ssize_t sent;

	do
		sent = send(fd, from, len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)len || wrong(error, "the server takes nothing");
}

static bool greet(int fd, int64_t end, GError **error)
{
	uint8_t greeting[18], flags[4];

	if (!take(fd, greeting, sizeof(greeting), end, error))
		return false;
	if (get64(greeting) != NBD_MAGIC || get64(greeting + 8) != NBD_OPTION ||
		!(get16(greeting + 16) & NBD_FIXED_NEWSTYLE))
		return wrong(error, "not a server of the fixed newstyle");
	put32(flags, NBD_FIXED_NEWSTYLE | (get16(greeting + 16) & NBD_NO_ZEROES));
	return give(fd, flags, sizeof(flags), error);
}

static bool go(int fd, const char *name, GError **error)
{
	size_t len = strlen(name);
	uint8_t request[16 + 4 + NBD_NAME_MAX + 4];

	if (len > NBD_NAME_MAX)
		return wrong(error, "the export's name is too long");
	put64(request, NBD_OPTION);
	put32(request + 8, NBD_OPT_GO);
	put32(request + 12, (uint32_t)(4 + len + 4));
	put32(request + 16, (uint32_t)len);
	memcpy(request + 20, name, len);
	put16(request + 20 + len, 1);
	put16(request + 22 + len, NBD_INFO_BLOCK_SIZE);
	return give(fd, request, 24 + len, error);
}

static void take_info(const uint8_t *data, uint32_t len, struct nbd_export *export)
{
	if (len == 12 && get16(data) == NBD_INFO_EXPORT) {
		export->size = get64(data + 2);
		export->flags = get16(data + 10);
	} else if (len == 14 && get16(data) == NBD_INFO_BLOCK_SIZE) {
		export->block_min = get32(data + 2);
	}
}

static bool refused(uint32_t len, uint8_t *data, GError **error)
{
	g_autofree char *text = NULL;

	data[MIN(len, NBD_OPTION_MAX)] = '\0';
	text = g_strescape((const char *)data, NULL);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "NBD: refused by the server%s%.200s",
		*text ? ": " : "", text);
	return false;
}

static bool settle(int fd, struct nbd_export *export, int64_t end, GError **error)
{
	uint8_t head[20], data[NBD_OPTION_MAX + 1];

	for (unsigned i = 0; i < NBD_OPTIONS_MAX; i++) {
		uint32_t type, len;

		if (!take(fd, head, sizeof(head), end, error))
			return false;
		type = get32(head + 12);
		len = get32(head + 16);
		if (get64(head) != NBD_OPTION_REPLY || get32(head + 8) != NBD_OPT_GO ||
			len > NBD_OPTION_MAX)
			return wrong(error, "a reply that is none");
		if (!take(fd, data, len, end, error))
			return false;
		if (type & NBD_REP_ERROR)
			return refused(len, data, error);
		if (type == NBD_REP_ACK)
			return true;
		if (type == NBD_REP_INFO)
			take_info(data, len, export);
	}
	return wrong(error, "replies without an end");
}

bool nbd_handshake(int fd, const char *name, struct nbd_export *export, GError **error)
{
	struct timeval patience = {.tv_sec = NBD_HANDSHAKE_S}, none = {0};
	int64_t end = g_get_monotonic_time() + NBD_HANDSHAKE_S * G_USEC_PER_SEC;
	bool good;

	*export = (struct nbd_export){0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	good = greet(fd, end, error) && go(fd, name, error) && settle(fd, export, end, error);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	return good;
}

bool nbd_export_check(const struct nbd_export *export, bool read_only, GError **error)
{
	if (export->size < 512 || export->size % 512 || export->size > 1ull << 62)
		return wrong(error, "the export's size is not that of a disk");
	if (export->block_min > 512)
		return wrong(error, "the server wants blocks of more than 512 bytes");
	if (!read_only && (export->flags & NBD_FLAG_READ_ONLY))
		return wrong(error, "the server does not let us write: ReadOnly=yes or Ephemeral=yes");
	return true;
}

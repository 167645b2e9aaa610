/*
 * The header of a qcow2 image: a file's, and not to be believed.
 */
#include "vmm/disk_qcow2.h"

#include <gio/gio.h>
#include <stdarg.h>
#include <string.h>

enum qcow2_layout {
	QCOW2_VERSION = 4,
	QCOW2_BACKING_OFFSET = 8,
	QCOW2_BACKING_LEN = 16,
	QCOW2_CLUSTER_BITS = 20,
	QCOW2_SIZE = 24,
	QCOW2_CRYPT = 32,
	QCOW2_L1_ENTRIES = 36,
	QCOW2_L1_OFFSET = 40,
	QCOW2_REFCOUNT_OFFSET = 48,
	QCOW2_REFCOUNT_CLUSTERS = 56,
	QCOW2_V2_LEN = 72,
	QCOW2_INCOMPATIBLE = 72,
	QCOW2_HEADER_LEN = 100,
	QCOW2_V3_LEN = 104,
};

enum qcow2_incompatible {
	QCOW2_CORRUPT = 1 << 1,
	QCOW2_DATA_FILE = 1 << 2,
	QCOW2_KNOWN = 0x1f, /* dirty, corrupt, data file, compression type, extended L2 */
};

#define QCOW2_EXTENSION_FORMAT 0xe2792acau

static bool wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool wrong(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error && !*error)
		*error = g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_DATA, format, args);
	va_end(args);
	return false;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return GUINT32_FROM_BE(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, 8);
	return GUINT64_FROM_BE(value);
}

bool qcow2_magic(const uint8_t *head, size_t len)
{
	return len >= 4 && memcmp(head, "QFI\xfb", 4) == 0;
}

static bool check_features(const uint8_t *head, GError **error)
{
	uint64_t features = get64(head + QCOW2_INCOMPATIBLE);

	if (features & QCOW2_CORRUPT)
		return wrong(error, "is marked as corrupt; try qemu-img check -r all");
	if (features & QCOW2_DATA_FILE)
		return wrong(error, "has its data in another file, which is not offered");
	if (features & ~(uint64_t)QCOW2_KNOWN)
		return wrong(error, "needs something newer (features %#" G_GINT64_MODIFIER "x)",
			features & ~(uint64_t)QCOW2_KNOWN);
	return true;
}

/* A table of `len` bytes lies within the file, on a cluster. */
static bool check_table(const char *name, uint64_t offset, uint64_t len, uint64_t cluster,
	uint64_t file_len, GError **error)
{
	if (offset == 0 || offset % cluster)
		return wrong(error, "is damaged: its %s is at %#" G_GINT64_MODIFIER "x", name, offset);
	if (offset > file_len || len > file_len - offset)
		return wrong(error, "is cut off: its %s ends beyond the end of the file", name);
	return true;
}

static bool check_tables(const uint8_t *head, unsigned bits, uint64_t size, uint64_t file_len,
	GError **error)
{
	uint64_t cluster = 1ull << bits;
	uint64_t l1 = get32(head + QCOW2_L1_ENTRIES), refs = get32(head + QCOW2_REFCOUNT_CLUSTERS);
	uint64_t covers = cluster * (cluster / 8); /* by one entry; at most 2^39 */

	if (l1 < (size - 1) / covers + 1)
		return wrong(error, "is damaged: its L1 table is too short for its size");
	return check_table("L1 table", get64(head + QCOW2_L1_OFFSET), l1 * 8, cluster, file_len,
		       error) &&
		check_table("refcount table", get64(head + QCOW2_REFCOUNT_OFFSET), refs << bits,
			cluster, file_len, error);
}

static bool take_backing(const uint8_t *head, size_t len, struct qcow2_head *parsed, GError **error)
{
	uint64_t offset = get64(head + QCOW2_BACKING_OFFSET);
	uint32_t name_len = get32(head + QCOW2_BACKING_LEN);

	if (offset == 0)
		return true;
	if (name_len == 0 || name_len > QCOW2_NAME_MAX || offset > len || name_len > len - offset)
		return wrong(error, "is damaged: the name of its backing file");
	memcpy(parsed->backing, head + offset, name_len);
	parsed->backing[name_len] = '\0';
	if (strlen(parsed->backing) != name_len || !g_utf8_validate(parsed->backing, -1, NULL))
		return wrong(error, "is damaged: the name of its backing file");
	return true;
}

/* Extensions: type, length, data padded to 8 bytes; type 0 ends them. */
static bool take_format(const uint8_t *head, size_t at, size_t len, struct qcow2_head *parsed,
	GError **error)
{
	while (at + 8 <= len) {
		uint32_t type = get32(head + at), data_len = get32(head + at + 4);

		at += 8;
		if (type == 0)
			return true;
		if (data_len > len - at)
			return wrong(error, "is damaged: a header extension");
		if (type == QCOW2_EXTENSION_FORMAT) {
			if (data_len >= sizeof(parsed->backing_format))
				return wrong(error, "is damaged: the format of its backing file");
			memcpy(parsed->backing_format, head + at, data_len);
			parsed->backing_format[data_len] = '\0';
		}
		at += MIN(((size_t)data_len + 7) & ~(size_t)7, len - at);
	}
	return true;
}

bool qcow2_parse(const uint8_t *head, size_t len, uint64_t file_len, struct qcow2_head *parsed,
	GError **error)
{
	uint32_t version, bits, header_len = QCOW2_V2_LEN;

	memset(parsed, 0, sizeof(*parsed));
	if (!qcow2_magic(head, len))
		return wrong(error, "is not a qcow2 image");
	if (len < QCOW2_V2_LEN)
		return wrong(error, "is cut off: its header is not whole");
	version = get32(head + QCOW2_VERSION);
	if (version != 2 && version != 3)
		return wrong(error, "is qcow2 of version %u; 2 and 3 are known", version);
	if (version == 3 && len < QCOW2_V3_LEN)
		return wrong(error, "is cut off: its header is not whole");
	if (version == 3)
		header_len = get32(head + QCOW2_HEADER_LEN);
	if (header_len > len || (version == 3 && header_len < QCOW2_V3_LEN))
		return wrong(error, "is damaged: a header of %u bytes", header_len);
	if (version == 3 && !check_features(head, error))
		return false;
	if (get32(head + QCOW2_CRYPT) != 0)
		return wrong(error, "is encrypted, which is not offered");
	bits = get32(head + QCOW2_CLUSTER_BITS);
	if (bits < 9 || bits > 21)
		return wrong(error, "is damaged: clusters of 2^%u bytes", bits);
	parsed->size = get64(head + QCOW2_SIZE);
	if (parsed->size < 512 || parsed->size % 512 || parsed->size > 1ull << 56)
		return wrong(error, "is damaged: a disk of %" G_GUINT64_FORMAT " bytes", parsed->size);
	return check_tables(head, bits, parsed->size, file_len, error) &&
		take_backing(head, len, parsed, error) &&
		take_format(head, header_len, len, parsed, error);
}

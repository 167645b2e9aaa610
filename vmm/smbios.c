/*
 * SMBIOS structures, each a fixed part, then its strings, then a zero. Source: DSP0134, section 7.
 */
#include "vmm/smbios.h"

#include <string.h>

enum smbios_types {
	TYPE_SYSTEM = 1,
	TYPE_CHASSIS = 3,
	TYPE_PROCESSOR = 4,
	TYPE_MEMORY_ARRAY = 16,
	TYPE_MEMORY_DEVICE = 17,
	TYPE_MEMORY_RANGE = 19,
	TYPE_BOOT = 32,
	TYPE_END = 127,
};

/* type << 8 | number, as QEMU's users know them from dmidecode. */
enum smbios_handles {
	HANDLE_SYSTEM = 0x0100,
	HANDLE_CHASSIS = 0x0300,
	HANDLE_PROCESSOR = 0x0400,
	HANDLE_ARRAY = 0x1000,
	HANDLE_DEVICE = 0x1100,
	HANDLE_RANGE = 0x1300,
	HANDLE_BOOT = 0x2000,
	HANDLE_END = 0x7f00,
	HANDLE_NONE = 0xffff,
	HANDLE_NO_ERROR = 0xfffe, /* error information is not provided */
};

enum smbios_values {
	UNKNOWN = 2,
	OTHER = 1,
	CHASSIS_SAFE = 3,
	SECURITY_NONE = 3,
	WAKE_POWER_SWITCH = 6,
	PROCESSOR_CENTRAL = 3,
	PROCESSOR_POPULATED = 0x41, /* and enabled */
	LOCATION_BOARD = 3,
	USE_SYSTEM = 3,
	CORRECTION_NONE = 3,
	FORM_DIMM = 9,
	MEMORY_RAM = 7,
	SIZE_EXTENDED = 0x7fff,
	STRINGS_MAX = 6,
};

struct tables {
	GByteArray *out;
	unsigned n, largest;
	unsigned begin; /* of the structure being written */
	const char *string[STRINGS_MAX];
	unsigned n_strings;
};

static void put(struct tables *tables, uint64_t value, unsigned len)
{
	value = GUINT64_TO_LE(value);
	g_byte_array_append(tables->out, (const guint8 *)&value, len);
}

static void put_zeros(struct tables *tables, unsigned len)
{
	while (len--)
		put(tables, 0, 1);
}

/* In the fixed part stands the string's number; the text follows at the end. */
static void put_string(struct tables *tables, const char *text)
{
	tables->string[tables->n_strings++] = text;
	put(tables, tables->n_strings, 1);
}

static void begin(struct tables *tables, uint8_t type, uint16_t handle)
{
	tables->begin = tables->out->len;
	tables->n_strings = 0;
	put(tables, type, 1);
	put(tables, 0, 1); /* length of the fixed part: see end() */
	put(tables, handle, 2);
}

static void end(struct tables *tables)
{
	tables->out->data[tables->begin + 1] = (guint8)(tables->out->len - tables->begin);
	for (unsigned i = 0; i < tables->n_strings; i++)
		g_byte_array_append(tables->out, (const guint8 *)tables->string[i],
			(guint)strlen(tables->string[i]) + 1);
	put_zeros(tables, tables->n_strings ? 1 : 2);
	tables->n++;
	tables->largest = MAX(tables->largest, tables->out->len - tables->begin);
}

static void put_system(struct tables *tables, const struct smbios_config *config)
{
	const uint8_t *uuid = config->uuid;
	/* The first three fields of it are little endian here. */
	const uint8_t mixed[8] = { uuid[3], uuid[2], uuid[1], uuid[0], uuid[5], uuid[4], uuid[7],
		uuid[6] };

	begin(tables, TYPE_SYSTEM, HANDLE_SYSTEM);
	put_string(tables, "Irori");
	put_string(tables, "Irori PC");
	put_string(tables, config->version);
	put_string(tables, config->name);
	g_byte_array_append(tables->out, mixed, sizeof(mixed));
	g_byte_array_append(tables->out, uuid + sizeof(mixed), SMBIOS_UUID_LEN - sizeof(mixed));
	put(tables, WAKE_POWER_SWITCH, 1);
	put(tables, 0, 1); /* SKU and family: no strings */
	put(tables, 0, 1);
	end(tables);
}

static void put_chassis(struct tables *tables, const struct smbios_config *config)
{
	begin(tables, TYPE_CHASSIS, HANDLE_CHASSIS);
	put_string(tables, "Irori");
	put(tables, OTHER, 1);
	put_string(tables, config->version);
	put_zeros(tables, 2); /* serial number, asset tag */
	put(tables, CHASSIS_SAFE, 1);
	put(tables, CHASSIS_SAFE, 1);
	put(tables, CHASSIS_SAFE, 1);
	put(tables, SECURITY_NONE, 1);
	put_zeros(tables, 9); /* OEM, height, cords, contained elements, SKU */
	end(tables);
}

static void put_processor(struct tables *tables, const struct smbios_config *config)
{
	unsigned n = MIN(config->vcpus, 255);

	begin(tables, TYPE_PROCESSOR, HANDLE_PROCESSOR);
	put_string(tables, "CPU 0");
	put(tables, PROCESSOR_CENTRAL, 1);
	put(tables, OTHER, 1); /* family */
	put_string(tables, "Irori");
	put(tables, config->cpu_signature, 4);
	put(tables, config->cpu_features, 4);
	put_string(tables, config->version);
	put_zeros(tables, 1 + 2 + 2 + 2); /* voltage, clocks: unknown */
	put(tables, PROCESSOR_POPULATED, 1);
	put(tables, OTHER, 1); /* upgrade */
	for (unsigned i = 0; i < 3; i++) /* caches */
		put(tables, HANDLE_NONE, 2);
	put_zeros(tables, 3); /* serial number, asset tag, part number */
	put(tables, n, 1);    /* cores, those enabled, threads */
	put(tables, n, 1);
	put(tables, n, 1);
	put(tables, UNKNOWN, 2);
	put(tables, OTHER, 2);
	end(tables);
}

static void put_memory(struct tables *tables, const struct smbios_config *config)
{
	uint64_t size = config->low + config->high, mib = size >> 20;

	begin(tables, TYPE_MEMORY_ARRAY, HANDLE_ARRAY);
	put(tables, LOCATION_BOARD, 1);
	put(tables, USE_SYSTEM, 1);
	put(tables, CORRECTION_NONE, 1);
	put(tables, 0x80000000u, 4); /* the capacity is in the field that has room for it */
	put(tables, HANDLE_NO_ERROR, 2);
	put(tables, 1, 2); /* devices */
	put(tables, size, 8);
	end(tables);

	begin(tables, TYPE_MEMORY_DEVICE, HANDLE_DEVICE);
	put(tables, HANDLE_ARRAY, 2);
	put(tables, HANDLE_NO_ERROR, 2);
	put(tables, 0xffff, 2); /* widths: unknown */
	put(tables, 0xffff, 2);
	put(tables, mib < SIZE_EXTENDED ? mib : SIZE_EXTENDED, 2);
	put(tables, FORM_DIMM, 1);
	put(tables, 0, 1); /* of no set */
	put_string(tables, "DIMM 0");
	put(tables, 0, 1); /* bank */
	put(tables, MEMORY_RAM, 1);
	put(tables, UNKNOWN, 2);
	put(tables, 0, 2); /* speed */
	put_string(tables, "Irori");
	put_zeros(tables, 4); /* serial number, asset tag, part number; rank */
	put(tables, mib < SIZE_EXTENDED ? 0 : mib, 4);
	put_zeros(tables, 2 * 4); /* speed, voltages */
	end(tables);
}

static void put_range(struct tables *tables, uint16_t number, uint64_t base, uint64_t len)
{
	uint64_t last = base + len - 1;
	bool wide = last >> 10 >= 0xffffffff;

	begin(tables, TYPE_MEMORY_RANGE, HANDLE_RANGE + number);
	put(tables, wide ? 0xffffffff : base >> 10, 4);
	put(tables, wide ? 0xffffffff : last >> 10, 4);
	put(tables, HANDLE_ARRAY, 2);
	put(tables, 1, 1); /* one device in a row */
	put(tables, wide ? base : 0, 8);
	put(tables, wide ? last : 0, 8);
	end(tables);
}

GBytes *smbios_tables(const struct smbios_config *config, unsigned *n, unsigned *largest)
{
	struct tables tables = { .out = g_byte_array_new() };

	put_system(&tables, config);
	put_chassis(&tables, config);
	put_processor(&tables, config);
	put_memory(&tables, config);
	put_range(&tables, 0, 0, config->low);
	if (config->high)
		put_range(&tables, 1, config->high_base, config->high);
	begin(&tables, TYPE_BOOT, HANDLE_BOOT);
	put_zeros(&tables, 7); /* reserved; no error */
	end(&tables);
	begin(&tables, TYPE_END, HANDLE_END);
	end(&tables);
	*n = tables.n;
	*largest = tables.largest;
	return g_byte_array_free_to_bytes(tables.out);
}

static uint8_t checksum(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum += *bytes++;
	return (uint8_t)-sum;
}

GBytes *smbios_anchor(size_t tables_len, unsigned n, unsigned largest, uint32_t at)
{
	enum { CHECKSUM = 4, INTERMEDIATE = 16, INTERMEDIATE_CHECKSUM = 21 };
	struct tables anchor = { .out = g_byte_array_new() };

	g_byte_array_append(anchor.out, (const guint8 *)"_SM_", 4);
	put(&anchor, 0, 1);
	put(&anchor, SMBIOS_ANCHOR_LEN, 1);
	put(&anchor, 2, 1);
	put(&anchor, 8, 1);
	put(&anchor, largest, 2);
	put_zeros(&anchor, 1 + 5); /* revision of the entry point, formatted area */
	g_byte_array_append(anchor.out, (const guint8 *)"_DMI_", 5);
	put(&anchor, 0, 1);
	put(&anchor, tables_len, 2);
	put(&anchor, at, 4);
	put(&anchor, n, 2);
	put(&anchor, 0x28, 1);
	anchor.out->data[INTERMEDIATE_CHECKSUM] = checksum(anchor.out->data + INTERMEDIATE,
		SMBIOS_ANCHOR_LEN - INTERMEDIATE);
	anchor.out->data[CHECKSUM] = checksum(anchor.out->data, SMBIOS_ANCHOR_LEN);
	return g_byte_array_free_to_bytes(anchor.out);
}

/* RFC 4122, version 5: SHA-1 of a name space of ours and the name. */
static void uuid_of_name(const char *name, uint8_t uuid[SMBIOS_UUID_LEN])
{
	static const uint8_t space[] = { 0x6f, 0x1b, 0x3a, 0x52, 0x0c, 0x9e, 0x4d, 0x17, 0xa8, 0x44,
		0x1d, 0xe2, 0x95, 0x70, 0xbb, 0x06 };
	g_autoptr(GChecksum) sha = g_checksum_new(G_CHECKSUM_SHA1);
	guint8 digest[20];
	gsize len = sizeof(digest);

	g_checksum_update(sha, space, sizeof(space));
	g_checksum_update(sha, (const guchar *)name, (gssize)strlen(name));
	g_checksum_get_digest(sha, digest, &len);
	memcpy(uuid, digest, SMBIOS_UUID_LEN);
	uuid[6] = (uuid[6] & 0x0f) | 0x50;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

bool smbios_uuid(const char *text, const char *name, uint8_t uuid[SMBIOS_UUID_LEN])
{
	unsigned n = 0;

	if (!text) {
		uuid_of_name(name, uuid);
		return true;
	}
	if (!g_uuid_string_is_valid(text))
		return false;
	for (const char *c = text; *c; c++) {
		if (*c == '-')
			continue;
		uuid[n++] = (uint8_t)(g_ascii_xdigit_value(c[0]) << 4 | g_ascii_xdigit_value(c[1]));
		c++;
	}
	return true;
}

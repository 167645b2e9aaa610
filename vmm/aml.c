/*
 * A builder for AML; see aml.h. Source: ACPI 6.4, sections 20.2.2 to 20.2.5.
 */
#include "vmm/aml.h"

#include <string.h>

enum aml_bytes {
	AML_BYTE_PREFIX = 0x0a,
	AML_WORD_PREFIX = 0x0b,
	AML_DWORD_PREFIX = 0x0c,
	AML_STRING_PREFIX = 0x0d,
	AML_QWORD_PREFIX = 0x0e,
	AML_DUAL_PREFIX = 0x2e,
	AML_MULTI_PREFIX = 0x2f,
	AML_SPACE_PORTS = 1,
	AML_LENGTH_BYTES = 4, /* at most */
};

void aml_byte(GByteArray *out, uint8_t byte)
{
	g_byte_array_append(out, &byte, 1);
}

void aml_op(GByteArray *out, unsigned op)
{
	if (op > 0xff)
		aml_byte(out, (uint8_t)(op >> 8));
	aml_byte(out, (uint8_t)op);
}

void aml_path(GByteArray *out, const char *path)
{
	uint8_t segments = 1;

	if (*path == '\\')
		aml_byte(out, (uint8_t)*path++);
	for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.'))
		segments++;
	if (segments == 2) {
		aml_byte(out, AML_DUAL_PREFIX);
	} else if (segments > 2) {
		aml_byte(out, AML_MULTI_PREFIX);
		aml_byte(out, segments);
	}
	for (; *path; path++)
		if (*path != '.')
			aml_byte(out, (uint8_t)*path);
}

static void aml_bytes(GByteArray *out, uint8_t prefix, uint64_t value, unsigned len)
{
	aml_byte(out, prefix);
	for (unsigned i = 0; i < len; i++)
		aml_byte(out, (uint8_t)(value >> 8 * i));
}

void aml_number(GByteArray *out, uint64_t value)
{
	if (value <= 1)
		aml_byte(out, (uint8_t)value);
	else if (value <= UINT8_MAX)
		aml_bytes(out, AML_BYTE_PREFIX, value, 1);
	else if (value <= UINT16_MAX)
		aml_bytes(out, AML_WORD_PREFIX, value, 2);
	else if (value <= UINT32_MAX)
		aml_bytes(out, AML_DWORD_PREFIX, value, 4);
	else
		aml_bytes(out, AML_QWORD_PREFIX, value, 8);
}

void aml_string(GByteArray *out, const char *text)
{
	aml_byte(out, AML_STRING_PREFIX);
	g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text) + 1);
}

/* The first byte says how many follow; alone it has six bits of the length, else four. */
static void aml_length(GByteArray *out, uint32_t value)
{
	unsigned more = value < 1u << 6 ? 0 : value < 1u << 12 ? 1 : value < 1u << 20 ? 2 : 3;

	aml_byte(out, (uint8_t)(more << 6 | (more ? value & 0xf : value)));
	for (unsigned i = 0; i < more; i++)
		aml_byte(out, (uint8_t)(value >> (4 + 8 * i)));
}

/* A package's length counts its own bytes as well. */
static void aml_package_length(GByteArray *out, uint32_t inside)
{
	for (unsigned own = 1; own <= AML_LENGTH_BYTES; own++) {
		uint32_t value = inside + own;

		if (value < (own == 1 ? 1u << 6 : 1u << (8 * own - 4))) {
			aml_length(out, value);
			return;
		}
	}
}

void aml_block(GByteArray *out, unsigned op, GByteArray *inner)
{
	aml_op(out, op);
	aml_package_length(out, inner->len);
	g_byte_array_append(out, inner->data, inner->len);
	g_byte_array_unref(inner);
}

static GByteArray *aml_after(GByteArray *head, GByteArray *inner)
{
	g_byte_array_append(head, inner->data, inner->len);
	g_byte_array_unref(inner);
	return head;
}

void aml_object(GByteArray *out, unsigned op, const char *path, GByteArray *inner)
{
	GByteArray *head = g_byte_array_new();

	aml_path(head, path);
	aml_block(out, op, aml_after(head, inner));
}

void aml_method(GByteArray *out, const char *name, unsigned flags, GByteArray *inner)
{
	GByteArray *head = g_byte_array_new();

	aml_path(head, name);
	aml_byte(head, (uint8_t)flags);
	aml_block(out, AML_METHOD, aml_after(head, inner));
}

void aml_name_number(GByteArray *out, const char *name, uint64_t value)
{
	aml_op(out, AML_NAME);
	aml_path(out, name);
	aml_number(out, value);
}

void aml_name_string(GByteArray *out, const char *name, const char *text)
{
	aml_op(out, AML_NAME);
	aml_path(out, name);
	aml_string(out, text);
}

void aml_name_buffer(GByteArray *out, const char *name, const void *bytes, unsigned len)
{
	GByteArray *inner = g_byte_array_new();

	aml_number(inner, len);
	g_byte_array_append(inner, bytes, len);
	aml_op(out, AML_NAME);
	aml_path(out, name);
	aml_block(out, AML_BUFFER, inner);
}

void aml_port_region(GByteArray *out, const char *name, uint16_t port, uint8_t len)
{
	aml_op(out, AML_REGION);
	aml_path(out, name);
	aml_byte(out, AML_SPACE_PORTS);
	aml_number(out, port);
	aml_number(out, len);
}

void aml_field(GByteArray *out, const char *region, unsigned flags, GByteArray *units)
{
	GByteArray *head = g_byte_array_new();

	aml_path(head, region);
	aml_byte(head, (uint8_t)flags);
	aml_block(out, AML_FIELD, aml_after(head, units));
}

void aml_field_unit(GByteArray *units, const char *name, unsigned bits)
{
	aml_path(units, name);
	aml_length(units, bits);
}

void aml_field_skip(GByteArray *units, unsigned bits)
{
	aml_byte(units, 0);
	aml_length(units, bits);
}

void aml_set(GByteArray *out, const char *name, uint64_t value)
{
	aml_op(out, AML_STORE);
	aml_number(out, value);
	aml_path(out, name);
}

/*
 * A builder for AML, the byte code of ACPI's definition blocks: terms are appended to a byte array,
 * and what has a length is built inside first:
 *
 *	GByteArray *device = g_byte_array_new();
 *
 *	aml_name_number(device, "_UID", 3);
 *	aml_object(scope, AML_DEVICE, "C003", device);
 *
 * Source: ACPI 6.4, section 20.
 *
 * Thread: any; an array by one at a time.
 */
#ifndef IRORI_VMM_AML_H
#define IRORI_VMM_AML_H

#include <glib.h>
#include <stdint.h>

enum aml_op {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12,
	AML_METHOD = 0x14,
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_STORE = 0x70,
	AML_NOTIFY = 0x86,
	AML_EQUAL = 0x93,
	AML_IF = 0xa0,
	AML_ELSE = 0xa1,
	AML_WHILE = 0xa2,
	AML_RETURN = 0xa4,
	AML_BREAK = 0xa5,
	AML_MUTEX = 0x5b01, /* two bytes from here on */
	AML_ACQUIRE = 0x5b23,
	AML_RELEASE = 0x5b27,
	AML_REGION = 0x5b80,
	AML_FIELD = 0x5b81,
	AML_DEVICE = 0x5b82,
};

enum aml_field_flags {
	AML_FIELD_BYTE = 0x01,
	AML_FIELD_DWORD = 0x03,
	AML_FIELD_ZEROS = 0x40, /* what is not written is written as zeros; else as it was */
};

enum aml_method_flags {
	AML_SERIALIZED = 0x08, /* below: the number of arguments */
};

void aml_byte(GByteArray *out, uint8_t byte);
void aml_op(GByteArray *out, unsigned op);
/* "_UID", "\\_SB_", "\\_SB_.CPUS": segments of four characters. */
void aml_path(GByteArray *out, const char *path);
void aml_number(GByteArray *out, uint64_t value);
void aml_string(GByteArray *out, const char *text);
/* op, length, `inner`; frees it. */
void aml_block(GByteArray *out, unsigned op, GByteArray *inner);
/* The same with a name before what is inside: scopes, devices. */
void aml_object(GByteArray *out, unsigned op, const char *path, GByteArray *inner);
void aml_method(GByteArray *out, const char *name, unsigned flags, GByteArray *inner);
void aml_name_number(GByteArray *out, const char *name, uint64_t value);
void aml_name_string(GByteArray *out, const char *name, const char *text);
/* Name (name, Buffer () {bytes}) */
void aml_name_buffer(GByteArray *out, const char *name, const void *bytes, unsigned len);
/* A field of ports: units as aml_field_unit and aml_field_skip made them. Frees `units`. */
void aml_port_region(GByteArray *out, const char *name, uint16_t port, uint8_t len);
void aml_field(GByteArray *out, const char *region, unsigned flags, GByteArray *units);
void aml_field_unit(GByteArray *units, const char *name, unsigned bits);
void aml_field_skip(GByteArray *units, unsigned bits);
/* Store (what, name), for what is a number. */
void aml_set(GByteArray *out, const char *name, uint64_t value);

#endif

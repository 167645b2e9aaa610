/*
 * The stream of named records that a guest is saved in. A record is
 *
 *	u16 length of the name, name, u32 length of the data, data		(little endian)
 *
 * and a section is a record whose name begins with '[' and that has no data.
 */
#include "vmm/state.h"

#include <string.h>

#include "vmm/error.h"

enum state_limits {
	STATE_NAME_MAX = 200,
	RECORD_HEAD_MAX = 2 + STATE_NAME_MAX + 4,
};

struct state {
	GByteArray *out; /* NULL: loading */
	GBytes *in;
	const uint8_t *at, *end;
	GError *error;
	char section[STATE_NAME_MAX + 3];
};

struct state *state_new_saving(void)
{
	struct state *state = g_new0(struct state, 1);

	state->out = g_byte_array_new();
	return state;
}

struct state *state_new_loading(GBytes *bytes)
{
	struct state *state = g_new0(struct state, 1);
	gsize len;

	state->in = bytes;
	state->at = g_bytes_get_data(bytes, &len);
	state->end = len ? state->at + len : state->at; /* NULL, when it is empty */
	return state;
}

void state_free(struct state *state)
{
	if (!state)
		return;
	if (state->out)
		g_byte_array_unref(state->out);
	if (state->in)
		g_bytes_unref(state->in);
	g_clear_error(&state->error);
	g_free(state);
}

GBytes *state_take(struct state *state)
{
	GByteArray *out = state->out;

	state->out = g_byte_array_new();
	return g_byte_array_free_to_bytes(out);
}

bool state_loading(const struct state *state)
{
	return !state->out;
}

bool state_failed(const struct state *state)
{
	return state->error;
}

GError *state_error(struct state *state)
{
	return g_steal_pointer(&state->error);
}

bool state_at_end(const struct state *state)
{
	return state->at == state->end;
}

void state_fail(struct state *state, const char *format, ...)
{
	va_list args;

	if (state->error)
		return;
	va_start(args, format);
	state->error = g_error_new_valist(error_domain(), EX_DATAERR, format, args);
	va_end(args);
	g_prefix_error(&state->error, "%s: ", *state->section ? state->section : "saved guest");
}

static void put(struct state *state, uint32_t value, unsigned len)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(state->out, (const guint8 *)&value, len);
}

static bool take(struct state *state, void *to, size_t len)
{
	if ((size_t)(state->end - state->at) < len)
		return false;
	if (len)
		memcpy(to, state->at, len);
	state->at += len;
	return true;
}

static void save_record(struct state *state, const char *name, const void *data, size_t len)
{
	size_t name_len = strlen(name);

	if (name_len > STATE_NAME_MAX || len > STATE_MAX - RECORD_HEAD_MAX ||
		state->out->len > STATE_MAX - RECORD_HEAD_MAX - len) {
		state_fail(state, "%s: too long to be saved", name);
		return;
	}
	put(state, (uint32_t)name_len, 2);
	g_byte_array_append(state->out, (const guint8 *)name, (guint)name_len);
	put(state, (uint32_t)len, 4);
	if (len)
		g_byte_array_append(state->out, data, (guint)len);
}

/* The head of the next record, which must be called `name`; its length, or -1. */
static int64_t load_head(struct state *state, const char *name)
{
	char found[STATE_NAME_MAX + 1] = "";
	uint16_t name_len;
	uint32_t len;

	if (!take(state, &name_len, 2) || GUINT16_FROM_LE(name_len) > STATE_NAME_MAX ||
		!take(state, found, GUINT16_FROM_LE(name_len)) || !take(state, &len, 4) ||
		GUINT32_FROM_LE(len) > (size_t)(state->end - state->at)) {
		state_fail(state, "ends, or is damaged, where '%s' should be", name);
		return -1;
	}
	if (strcmp(found, name)) {
		g_autofree char *shown = g_strescape(found, NULL);

		state_fail(state, "'%s' where '%s' should be: saved by another version, or from "
				  "another configuration", shown, name);
		return -1;
	}
	return GUINT32_FROM_LE(len);
}

void state_bytes(struct state *state, const char *name, void *data, size_t len)
{
	int64_t found;

	if (state->error)
		return;
	if (state->out) {
		save_record(state, name, data, len);
		return;
	}
	found = load_head(state, name);
	if (found < 0)
		return;
	if ((uint64_t)found != len)
		state_fail(state, "'%s' has %" G_GINT64_FORMAT " bytes, %zu are expected", name, found,
			len);
	else
		take(state, data, len);
}

void state_blob(struct state *state, const char *name, uint8_t **data, size_t *len, size_t max)
{
	int64_t found;

	if (state->error)
		return;
	if (state->out) {
		save_record(state, name, *data, *len);
		return;
	}
	found = load_head(state, name);
	if (found < 0)
		return;
	if ((uint64_t)found > max) {
		state_fail(state, "'%s' has %" G_GINT64_FORMAT " bytes, at most %zu are expected", name,
			found, max);
		return;
	}
	g_free(*data);
	*data = g_malloc((gsize)found + 1);
	*len = (size_t)found;
	take(state, *data, *len);
}

void state_section(struct state *state, const char *name)
{
	g_autofree char *record = g_strdup_printf("[%s]", name);

	if (state->error)
		return;
	g_strlcpy(state->section, record, sizeof(state->section));
	state_bytes(state, record, NULL, 0);
}

/*
 * The stream of a saved guest: what goes in comes out, and what is not as expected is refused once,
 * with the section and the record named, whatever byte of it is cut off or changed.
 */
#include "vmm/state.c"

#include <string.h>

#include "tests/unit/test.h"

struct thing {
	uint32_t number;
	uint8_t bytes[5];
	uint8_t *blob;
	size_t blob_len;
};

static void thing_state(struct thing *thing, struct state *state)
{
	state_section(state, "Thing one");
	STATE(state, thing->number);
	STATE(state, thing->bytes);
	state_blob(state, "blob", &thing->blob, &thing->blob_len, 16);
}

static GBytes *saved(void)
{
	struct thing thing = { 7, "abcd", (uint8_t *)"xyz", 3 };
	struct state *state = state_new_saving();
	GBytes *bytes;

	thing_state(&thing, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	return bytes;
}

/* The message, or NULL when it could be loaded. */
static char *load(const void *data, size_t len, struct thing *thing)
{
	struct state *state = state_new_loading(g_bytes_new(data, len));
	GError *error;
	char *message = NULL;

	thing_state(thing, state);
	error = state_error(state);
	test_assert(error || state_at_end(state));
	if (error)
		message = g_strdup(error->message);
	g_clear_error(&error);
	state_free(state);
	return message;
}

static void what_goes_in_comes_out(void)
{
	g_autoptr(GBytes) bytes = saved();
	struct thing thing = { 0 };
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	test_assert(!load(data, len, &thing));
	test_equal(thing.number, 7);
	test_assert(!strcmp((char *)thing.bytes, "abcd"));
	test_equal(thing.blob_len, 3);
	test_assert(!memcmp(thing.blob, "xyz", 3));
	g_free(thing.blob);
}

static void cut_off_anywhere_is_refused(void)
{
	g_autoptr(GBytes) bytes = saved();
	gsize len;
	const uint8_t *data = g_bytes_get_data(bytes, &len);

	for (gsize n = 0; n < len; n++) {
		struct thing thing = { 0 };
		g_autofree char *message = load(data, n, &thing);

		test_assert(message && strstr(message, "Thing one"));
		g_free(thing.blob);
	}
}

static void changed_heads_are_refused(void)
{
	g_autoptr(GBytes) bytes = saved();
	gsize len;
	g_autofree uint8_t *data = g_memdup2(g_bytes_get_data(bytes, NULL),
		g_bytes_get_size(bytes));
	struct thing thing = { 0 };
	g_autofree char *message = NULL;

	len = g_bytes_get_size(bytes);
	data[2] ^= 1; /* the section's first letter */
	message = load(data, len, &thing);
	test_assert(message && strstr(message, "'[Thing one]'"));
	test_equal(thing.number, 0);
	data[2] ^= 1;
	data[0] = data[1] = 0xff; /* a name of 64 KiB */
	g_free(message);
	message = load(data, len, &thing);
	test_assert(message);
	g_free(thing.blob);
}

static void a_blob_that_is_too_large_is_refused(void)
{
	struct state *state = state_new_saving();
	uint8_t large[17] = { 0 }, *blob = large;
	size_t blob_len = sizeof(large);
	struct state *loading;

	state_blob(state, "blob", &blob, &blob_len, 100);
	loading = state_new_loading(state_take(state));
	blob = NULL;
	state_blob(loading, "blob", &blob, &blob_len, 16);
	test_assert(state_failed(loading) && !blob);
	state_free(loading);
	state_free(state);
}

/* What could not be loaded again is not saved, and nothing overflows on the way. */
static void too_much_is_not_saved(void)
{
	struct state *state = state_new_saving();
	uint8_t byte = 0, *blob = &byte;
	size_t len = STATE_MAX;

	state_blob(state, "blob", &blob, &len, SIZE_MAX);
	test_assert(state_failed(state));
	state_free(state);
	state = state_new_saving();
	STATE(state, byte);
	test_assert(!state_failed(state));
	state->out->len = STATE_MAX - 100; /* as if */
	STATE(state, byte);
	test_assert(state_failed(state));
	state->out->len = 0;
	state_free(state);
}

int main(void)
{
	test_run(what_goes_in_comes_out);
	test_run(cut_off_anywhere_is_refused);
	test_run(changed_heads_are_refused);
	test_run(a_blob_that_is_too_large_is_refused);
	test_run(too_much_is_not_saved);
	return 0;
}

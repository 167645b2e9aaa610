/*
 * What swtpm answers on its control channel, to a guest that is saved and to one that is loaded. It
 * says what it likes, and hangs up.
 */
#include "vmm/swtpm.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A saved guest's two blobs, as state.h has them. */
static struct state *saved(const uint8_t *data, size_t size)
{
	struct state *state = state_new_saving(), *loading;
	uint8_t *blob = g_memdup2(data, size);

	for (unsigned i = 0; i < G_N_ELEMENTS(blobs); i++)
		state_blob(state, blobs[i].name, &blob, &size, SWTPM_BLOB_MAX);
	loading = state_new_loading(state_take(state));
	state_free(state);
	g_free(blob);
	return loading;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct swtpm swtpm = { .data = -1 };
	struct state *state;
	int pair[2];

	if (size < 1 || size > 16384 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 0;
	swtpm.control = pair[0];
	if (write(pair[1], data, size) != (ssize_t)size || shutdown(pair[1], SHUT_WR) < 0)
		abort();
	state = data[0] & 0x80 ? saved(data, MIN(size, 4096)) : state_new_saving();
	swtpm_state(&swtpm, state);
	if (!state_loading(state) && !state_failed(state))
		g_bytes_unref(state_take(state));
	state_free(state);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

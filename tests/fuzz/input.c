/*
 * Fuzz target: bytes of a SPICE client through the AT decoder, and arbitrary reports, switches and
 * resets through the router. The fake guest stops the fuzzer at a lie.
 */
#include "input/held.h"
#include "input/keymap.h"
#include "input/router.h"

#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct held_map believes[ROUTER_GUESTS][INPUT_DEVICES];

static int guest_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (events[i].type == EV_KEY &&
			!held_set(&believes[guest][events[i].device], events[i].code,
				events[i].value))
			abort();
	return 0;
}

static const struct router_ops ops = {.send = guest_send};

static void raw_report(struct router *router, const uint8_t *bytes, size_t size, int64_t now)
{
	struct port_input events[ROUTER_REPORT];
	unsigned n = (unsigned)(size / sizeof(events[0]));

	if (n > ROUTER_REPORT)
		n = ROUTER_REPORT;
	memcpy(events, bytes, n * sizeof(events[0]));
	router_report(router, bytes[0] % ROUTER_SOURCES, events, n, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct keymap_at at = {0};
	struct router *router;
	int64_t now = 0;

	if (size > 4096) /* longer ones only take longer */
		return 0;
	router = router_new(&ops, NULL, &chord_default);
	memset(believes, 0, sizeof(believes));
	router_switch(router, 0, true);
	for (size_t i = 0; i < size; i++) {
		uint16_t code;
		bool down;

		now += bytes[i] * INT64_C(1000000);
		if (keymap_at_byte(&at, bytes[i], &code, &down))
			router_key(router, i % 3, INPUT_KEYBOARD, code, down, now);
		if (bytes[i] == 0xf0)
			router_switch(router, (int)(i % 4) - 1, i % 8 < 4);
		if (bytes[i] == 0xf1)
			raw_report(router, bytes + i, size - i, now);
		if (bytes[i] == 0xf2) {
			router_guest_reset(router, i % 4);
			memset(believes[i % 4], 0, sizeof(believes[0]));
		}
	}
	router_release_all(router, now);
	for (unsigned g = 0; g < ROUTER_GUESTS; g++)
		for (unsigned d = 0; d < INPUT_DEVICES; d++)
			if (held_any(&believes[g][d]))
				abort();
	router_free(router);
	return 0;
}

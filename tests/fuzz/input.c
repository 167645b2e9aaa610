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
static struct fingers {
	int slot;
	unsigned down;
} fingers[ROUTER_GUESTS];
static int32_t axes[ROUTER_GUESTS][PORT_PAD_AXES];

static void guest_axis(unsigned guest, const struct port_input *e)
{
	unsigned bit = 1u << fingers[guest].slot;
	int32_t min, max;

	if (e->device != INPUT_TOUCH && e->device != INPUT_GAMEPAD)
		return;
	if (!port_axis(e->device, e->code, &min, &max) || e->value < min || e->value > max)
		abort();
	if (e->device == INPUT_GAMEPAD)
		axes[guest][e->code] = e->value;
	else if (e->code == ABS_MT_SLOT)
		fingers[guest].slot = e->value;
	else if (e->code == ABS_MT_TRACKING_ID && e->value >= 0)
		fingers[guest].down |= bit;
	else if (!(fingers[guest].down & bit))
		abort();
	else if (e->code == ABS_MT_TRACKING_ID)
		fingers[guest].down &= ~bit;
}

static void guest_forget(unsigned guest)
{
	memset(believes[guest], 0, sizeof(believes[guest]));
	memset(&fingers[guest], 0, sizeof(fingers[guest]));
	memset(axes[guest], 0, sizeof(axes[guest]));
}

static int guest_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (events[i].type == EV_KEY &&
			!held_set(&believes[guest][events[i].device], events[i].code,
				events[i].value))
			abort();
		else if (events[i].type == EV_ABS)
			guest_axis(guest, &events[i]);
	if (held_get(&believes[guest][INPUT_TOUCH], BTN_TOUCH) != (fingers[guest].down != 0))
		abort();
	return 0;
}

static const struct router_ops ops = {.send = guest_send};

static void raw_report(struct router *router, unsigned source, const uint8_t *bytes, size_t size,
	int64_t now)
{
	struct port_input events[ROUTER_REPORT];
	unsigned n = (unsigned)(size / sizeof(events[0]));

	if (n > ROUTER_REPORT)
		n = ROUTER_REPORT;
	memcpy(events, bytes, n * sizeof(events[0]));
	for (unsigned i = 0; i < n; i++) /* up to the first end */
		if (events[i].type == EV_SYN)
			n = i + 1;
	router_report(router, source, events, n, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct keymap_at at = {0};
	struct router *router;
	int64_t now = 0;

	if (size > 4096) /* longer ones only take longer */
		return 0;
	router = router_new(&ops, NULL, &chord_default);
	for (unsigned g = 0; g < ROUTER_GUESTS; g++)
		guest_forget(g);
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
			raw_report(router, i % 3, bytes + i + 1, size - i - 1, now);
		if (bytes[i] == 0xf2) {
			router_guest_reset(router, i % 4);
			guest_forget(i % 4);
		}
	}
	router_release_all(router, now);
	for (unsigned g = 0; g < ROUTER_GUESTS; g++) {
		for (unsigned d = 0; d < INPUT_DEVICES; d++)
			if (held_any(&believes[g][d]))
				abort();
		for (unsigned a = 0; a < PORT_PAD_AXES; a++)
			if (axes[g][a])
				abort();
	}
	router_free(router);
	return 0;
}

/*
 * A gamepad, read from its evdev descriptor: libinput does not want them.
 *
 * Thread: one at a time.
 */
#ifndef IRORI_INPUT_GAMEPAD_H
#define IRORI_INPUT_GAMEPAD_H

#include "input/seat_event.h"

struct gamepad;

/* fd is non-blocking and stays the caller's; the pad is taken for this process alone (EVIOCGRAB) if
 * nobody else has it. NULL and errno; ENODEV: it is no gamepad. */
struct gamepad *gamepad_new(int fd);
void gamepad_free(struct gamepad *pad);

/* All that has come, up to a bound, as events. 0, or -errno: the pad has gone. */
int gamepad_read(struct gamepad *pad, void (*event)(void *data, const struct seat_event *event),
	void *data);

#endif

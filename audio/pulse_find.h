/*
 * Which of a PulseAudio server's devices are those of a seat, by the place of their card, now and
 * after they were unplugged and plugged in again.
 *
 * Thread: the library's, with its lock held; `changed` comes from there, never from inside a call.
 */
#ifndef IRORI_AUDIO_PULSE_FIND_H
#define IRORI_AUDIO_PULSE_FIND_H

#include <pulse/pulseaudio.h>
#include <stdbool.h>
#include <stdint.h>

struct pulse_find;

enum pulse_direction {
	PULSE_SINK,
	PULSE_SOURCE,
	PULSE_DIRECTIONS
};

/* What there is, or is not any more: name NULL. Valid in the callback. */
struct pulse_device {
	const char *name;
	uint32_t index;
	uint8_t channels;
};

typedef void (*pulse_find_changed)(void *user, enum pulse_direction direction,
	const struct pulse_device *device);

/*
 * Looks on a context that is ready, and watches. A place that is NULL is not looked for; what is not
 * there at first is told once with name NULL. NULL where the server refuses to be asked.
 */
struct pulse_find *pulse_find_new(pa_context *context, const char *const places[PULSE_DIRECTIONS],
	pulse_find_changed changed, void *user);
void pulse_find_free(struct pulse_find *find);

#endif

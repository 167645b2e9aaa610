/*
 * A sound card of the guest: virtio-snd or Intel HDA, behind one [Sound] section. Both play and
 * record through the seat port; this is what the rest of the machine sees of them.
 *
 * Thread: counters from any thread, the rest on the main thread.
 */
#ifndef IRORI_VMM_SOUND_H
#define IRORI_VMM_SOUND_H

#include <glib.h>
#include <stdint.h>

struct machine;
struct state;

struct sound_counters {
	uint64_t periods;   /* that the guest was told of: played (or, HDA, recorded as well) */
	uint64_t underruns; /* times the sink ran dry within a started stream */
	uint64_t overruns;  /* recorded pieces with no room to go to */
};

struct sound_card;

struct sound_card_ops {
	void (*reset)(struct sound_card *card);
	void (*drain)(struct sound_card *card); /* as device.h says; may be NULL */
	void (*state)(struct sound_card *card, struct state *state);
	void (*counters)(struct sound_card *card, struct sound_counters *counters);
	void (*free)(struct sound_card *card);
};

/* Embedded in the card's own structure. */
struct sound_card {
	const struct sound_card_ops *ops;
};

/* Each is on the bus and hears the seats when it is returned. NULL and error set. */
struct sound_card *hda_card_new(struct machine *machine, unsigned ahead_ms, GError **error);
struct sound_card *virtio_snd_card_new(struct machine *machine, unsigned ahead_ms, GError **error);

#endif

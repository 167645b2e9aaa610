/*
 * The sound of a seat, complete: a thread that keeps a guest's seat link and a sound device joined.
 *
 * It sits at the guest as a seat of its own that wants AUDIO and SINK (and MIC) and nothing else, so
 * whoever shows the picture need not care. It offers itself as the guest's clock only while the
 * device is there: when the sound server or the sound card goes away it hangs up, the guest goes on by
 * its null clock, and the device is tried again (every 0.1 s for some seconds, in which a server that
 * was restarted is back, then up to 4 s apart). When the guest goes away the device rests and the
 * guest is tried again every 0.25 s.
 *
 * Thread: seat_sound_new and _free from the owner's; the setters and stat from any.
 */
#ifndef IRORI_AUDIO_SEAT_SOUND_H
#define IRORI_AUDIO_SEAT_SOUND_H

#include "audio/sink.h"
#include "display/link.h"

struct seat_sound;

/* What it says in HELLO, or who connects for it. */
enum { SEAT_SOUND_WANTS = LINK_WANT_AUDIO | LINK_WANT_SINK | LINK_WANT_MIC };

struct seat_sound_config {
	const char *guest;  /* the path of its seat link, or its name: see ask; NULL: nobody yet */
	/* NULL: it connects to the guest by itself. Else it opens nothing, `guest` is a name like any other, and this
	 * is called on its thread when it wants a connection: seat_sound_link with one, now or later. It asks again
	 * every 0.25 s until then. */
	void (*ask)(void *data);
	void *ask_data;
	const char *name;   /* of the seat, for the guest's log */
	const struct audio_ops *ops;
	struct audio_config audio;
	bool microphone;    /* granted from the start */
	int64_t (*now)(void); /* CLOCK_MONOTONIC in ns */
};

struct seat_sound_stat {
	struct sink_stat sink; /* of the present device */
	bool device, guest;    /* there */
	bool clock;            /* the guest's sound follows this device */
	bool recording;        /* the microphone is open */
	unsigned connections;  /* to the guest, so far */
	char trouble[128];     /* what went wrong last; "" for nothing */
};

/* What `config` points to is copied. Never fails for want of a server or a guest: it waits. */
struct seat_sound *seat_sound_new(const struct seat_sound_config *config, GError **error);
void seat_sound_free(struct seat_sound *sound);

/* Another guest from now on, as in the configuration; NULL: nobody. Closes the microphone, unless it is the
 * same one. */
void seat_sound_guest(struct seat_sound *sound, const char *guest);
/* A seat link of the guest that it was given last, on which HELLO has been said with SEAT_SOUND_WANTS; taken over. It is
 * hung up if it is not needed, and replaces the one that is there. */
void seat_sound_link(struct seat_sound *sound, int socket);
void seat_sound_volume(struct seat_sound *sound, unsigned percent);
void seat_sound_grant(struct seat_sound *sound, bool microphone);
void seat_sound_stat(struct seat_sound *sound, struct seat_sound_stat *stat);

#endif

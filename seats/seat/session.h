/*
 * What a person at the seat has: the guest that is shown, its picture, sound and input, the menu, the
 * overlay. The one place where these meet; it opens nothing by itself.
 *
 *	irorid (control.h) --session_message--> facts --> guests, screen, sound, overlay
 *	hands (input/libinput.h) --session_hands--> router --> guest, or menu --> requests to irorid
 *
 * Thread: the main one, whose default GMainContext it lives on.
 */
#ifndef IRORI_SEATS_SEAT_SESSION_H
#define IRORI_SEATS_SEAT_SESSION_H

#include "audio/audio.h"
#include "display/screen.h"
#include "input/libinput.h"
#include "seats/wire_codec.h"

struct session;

/* The seat's devices: libinput, or what a test has in its place. */
struct session_devices {
	void (*grab)(void *data, bool on, int64_t now_ns);
	void (*screen)(void *data, const struct seat_screen *screen);
	void (*leds)(void *data, uint32_t leds);
};

struct session_config {
	const char *name;                    /* of the seat, for guests' logs */
	const struct chord_config *chord;    /* calls the menu; NULL: both Ctrl */
	const struct audio_ops *audio;
	const struct session_devices *devices;
	void *devices_data;
	/* Speaks to irorid: as control_send. */
	int (*send)(void *data, uint16_t opcode, const void *body, size_t size);
	void *send_data;
	int64_t (*now)(void);                /* CLOCK_MONOTONIC in ns */
	const char *(*clock)(char text[16]); /* the wall clock for people, "19:04"; NULL: none */
};

struct session *session_new(const struct session_config *config);
/* What it shows goes dark, keys are let go, the sound ends. */
void session_free(struct session *session);

/* Its own; for leases, and for the devices that feed them with session_hands and the session as data. */
struct screen *session_screen(struct session *session);
struct router *session_router(struct session *session);
extern const struct seat_input_ops session_hands;
/* Devices have handled what there was: the router's clock. */
void session_tick(struct session *session);

/* irorid: there, says something (leases and input devices are not this part's; a descriptor that is kept leaves -1
 * in its message), gone. */
void session_begun(struct session *session, const struct wire_hello *hello);
void session_message(struct session *session, struct wire_message *message);
void session_ended(struct session *session);

/* Without irorid, by hand: guests that may be shown; the first is. */
void session_add_guest(struct session *session, const char *name, const char *socket);
void session_sound(struct session *session, const char *server, const char *sink, const char *source,
	unsigned volume);

void session_state(const struct session *session, struct wire_state *state);

#endif

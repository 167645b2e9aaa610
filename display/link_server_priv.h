/*
 * What the files of the link server share: link_server.c (listening, seats and what they send),
 * link_port.c (the port: what devices show and play, replayed to seats that come later),
 * link_clock.c (who says when a frame is shown and sound is heard), link_input.c (what seats hold).
 */
#ifndef IRORI_DISPLAY_LINK_SERVER_PRIV_H
#define IRORI_DISPLAY_LINK_SERVER_PRIV_H

#include <linux/input-event-codes.h>

#include "display/link_codec.h"
#include "display/link_server.h"
#include "input/axes.h"
#include "input/touch.h"

#define NS_PER_MS 1000000ll
#define NS_PER_S 1000000000ll
/* A reset is over after this, though all that is seen is a firmware's picture. */
#define LINK_BOOT_NS (60 * NS_PER_S)

struct link_seat {
	struct link_server *server;
	int socket;
	GSource *source;
	bool greeted; /* HELLO has come */
	bool dead;    /* to be reaped by the wake source; nothing more is sent or handled */
	uint32_t granted;
	int64_t hello_by_ns;
	char name[LINK_NAME_LEN];
	uint8_t held[INPUT_DEVICES][(KEY_CNT + 7) / 8];
};

struct kept_buffer {
	struct link_buffer told; /* id 0: free */
	int fd;
};

/* Frames of one head between the device and whoever is the clock. seq in (presented, sent] wait. */
struct frame_clock {
	struct link_server *server;
	struct link_seat *seat; /* NULL: the null clock */
	bool dozes;             /* the seat did not answer: the null clock stands in */
	unsigned dozed;         /* how often, all seats */
	uint64_t sent, presented;
	int64_t waiting_ns;     /* since when the oldest waits */
	int64_t base_ns;        /* of the null clock's ticks */
	int timer;
	GSource *source;
};

/* One direction of sound. For capture `pending` is unused. */
struct audio_clock {
	struct link_seat *seat; /* the sink, or the microphone */
	bool running, dozes;
	struct link_audio_start format;
	size_t step;         /* bytes a tick */
	int64_t step_ns;
	int64_t heard_ns;    /* last sign of life from the seat, or since when it has work */
	size_t pending_null; /* bytes the null clock has to consume: written before there was a sink */
	size_t pending_seat; /* bytes the sink has to consume */
	size_t debt;         /* of pending_seat, consumed by the null clock in the sink's place */
	int timer;
	GSource *source;
};

struct posted_state {
	enum link_guest_state state;
	uint32_t reboots;
	int64_t ns;
};

struct link_server {
	struct seat_port port;
	GMainContext *context;
	char *path, *name;
	struct link_server_owner owner;
	void *owner_data;
	int64_t (*now)(void);
	const struct seat_port_events *events;
	void *device;

	int socket; /* listening; -1: none */
	int spare;  /* a descriptor for the time when there is no other */
	GSource *accept;
	GSource *wake; /* posted states, the dead, HELLO deadlines */
	struct link_seat *seat[LINK_SERVER_MAX_SEATS];
	struct link_seat *class_seat; /* who gave the guest its class; NULL: its configuration */

	GMutex lock; /* of posted */
	GArray *posted;
	struct link_guest guest;
	int64_t first_frame_ns, reset_ns, reset_frame_ns;
	uint64_t frames;

	struct kept_buffer buffer[LINK_MAX_BUFFERS];
	struct link_frame frame[PORT_HEADS]; /* the newest; seq 0: none */
	struct link_cursor cursor[PORT_HEADS];
	struct port_size heads[PORT_HEADS]; /* what the guest was told of monitors */
	unsigned n_heads;                   /* 0: nothing yet */
	uint32_t leds;
	struct link_seat *clock_seat; /* NULL: the null clock */
	struct frame_clock clock[PORT_HEADS];
	struct audio_clock audio[PORT_MAX_STREAMS];
	struct touch_map touches; /* of all seats, on the guest's one touch screen */
	struct axis_map axes;
};

/* link_server.c */
/* Sends to every greeted seat that was granted one of `wants` (0: all). A full seat is dropped. */
void server_broadcast(struct link_server *server, uint32_t wants, uint16_t opcode,
	const void *body, size_t size, int fd);
bool seat_send(struct link_seat *seat, uint16_t opcode, const void *body, size_t size, int fd);
void seat_doom(struct link_seat *seat, const char *why);
void server_take_posted(struct link_server *server);
void server_enter_state(struct link_server *server, enum link_guest_state state, uint32_t reboots,
	int64_t ns);

/* link_port.c */
extern const struct seat_port_ops link_port_ops;
void port_replay(struct link_server *server, struct link_seat *seat);
void port_clear(struct link_server *server);

/* link_input.c */
/* Reports that link_input_valid: on to the guest, as far as they are news. */
void input_from_seat(struct link_seat *seat, const struct link_input_event *events, unsigned n);
/* The seat leaves: the guest lets go of what only it held. */
void input_release(struct link_seat *seat);
/* The guest was reset: it believes that nothing is down. */
void input_forget(struct link_server *server);

/* link_clock.c */
int clocks_init(struct link_server *server);
void clocks_clear(struct link_server *server);
void clock_frame_sent(struct frame_clock *clock, uint64_t seq);
/* 0 or -EPROTO. */
int clock_presented(struct link_server *server, const struct link_presented *presented);
/* granted: to that seat. */
void clock_seat_changed(struct link_server *server, struct link_seat *seat, uint32_t granted);
void audio_clock_start(struct link_server *server, unsigned stream);
void audio_clock_stop(struct link_server *server, unsigned stream);
void audio_clock_written(struct link_server *server, size_t bytes);
void audio_clock_consumed(struct link_server *server, size_t bytes);
void audio_clock_captured(struct link_server *server, const void *pcm, size_t bytes);
void audio_clock_seat_changed(struct link_server *server, unsigned stream,
	struct link_seat *seat);

#endif

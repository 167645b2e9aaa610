/*
 * The guest's end of the seat link: the real seat port.
 *
 * Listens on a Unix socket; any number of seats (up to LINK_SERVER_MAX_SEATS) attach, leave and
 * stall without the guest noticing. It owns the two clocks of last resort: a 60 Hz one for frames
 * and one at the stream's nominal rate for sound, which step in while no seat is the clock (the
 * sink), or the one that is has not answered for LINK_SERVER_PATIENCE_MS.
 *
 * The first seat that asks for CLOCK (SINK, MIC) gets it and keeps it until it leaves; WELCOME says
 * who got what. Each head has a clock of its own. PRESENTED from the clock seat covers every frame of that
 * head up to its seq; each gets its own `presented` event, in order. For heads that the clock seat does not
 * know (it has no HEADS) the 60 Hz clock does.
 *
 * A seat's held keys are released towards the guest when the seat leaves, unless another seat holds
 * the same key. A reset of the guest (link_server_set_state) forgets them silently.
 *
 * Thread: everything on the thread that runs `context` (the seat thread), or before it runs, except
 * link_server_set_state, which may be called from any thread. Callbacks come on the seat thread.
 */
#ifndef IRORI_DISPLAY_LINK_SERVER_H
#define IRORI_DISPLAY_LINK_SERVER_H

#include <glib.h>

#include "display/link.h"

enum link_server_limits {
	LINK_SERVER_MAX_SEATS = 16,
	LINK_SERVER_PATIENCE_MS = 100,   /* for PRESENTED and AUDIO_CONSUMED */
	LINK_SERVER_HELLO_MS = 2000,     /* for HELLO after the connection */
};

struct link_server;

/* What the server asks of the guest's owner. Any may be NULL. */
struct link_server_owner {
	/* A seat with CONTROL asks. 0 or -errno, which goes back as LINK_REPLY. */
	int (*request)(void *data, enum link_verb verb, uint32_t argument);
	/* A seat with CONTROL asks for the guest to be saved in `fd`, which is the owner's now.
	 * 0: it will be; -errno: it will not (and fd is closed). */
	int (*save)(void *data, int fd);
	/* The seat whose LINK_VERB_CLASS was the last has left: back to the configuration's class. */
	void (*class_over)(void *data);
	/* Fill in what the server cannot know. It sets itself, afterwards: name, state, reboots,
	 * first_frame_ns, reset_ns, reset_frame_ns, frames, frames_presented. */
	void (*stat)(void *data, struct link_stat *stat);
};

struct link_server_config {
	const char *path; /* NULL: does not listen, seats come by link_server_adopt (tests) */
	const char *name; /* of the guest, in WELCOME */
	const struct link_server_owner *owner; /* may be NULL */
	void *owner_data;
	int64_t (*now)(void); /* CLOCK_MONOTONIC in ns */
};

/* Listens at once (the socket is 0600; a folder that is missing is made, 0700). A socket file that
 * nobody answers on is replaced; one that is answered is an error. */
struct link_server *link_server_new(GMainContext *context, const struct link_server_config *config,
	GError **error);
/* Removes the socket file, tells seats by hanging up. NULL is allowed. */
void link_server_free(struct link_server *server);

/* The port for devices; the server's, valid until it is freed. */
struct seat_port *link_server_port(struct link_server *server);
/* Where events go (the machine's multiplexer). */
void link_server_set_events(struct link_server *server, const struct seat_port_events *events,
	void *device);

/*
 * The guest's state changed: seats are told (LINK_GUEST). `reboots` counts resets since the start.
 * From any thread; does not block; calls take effect in order.
 * RESETTING: notes reset_ns, forgets held keys; turns into RUNNING by itself at the first frame
 * that shows a buffer and is not a firmware's (or is, but a minute later), and notes reset_frame_ns.
 */
void link_server_set_state(struct link_server *server, enum link_guest_state state,
	uint32_t reboots);

/* One more seat on a connected SOCK_SEQPACKET socket, which it takes over. 0 or -errno (closed). */
int link_server_adopt(struct link_server *server, int socket);
unsigned link_server_seats(const struct link_server *server);

#endif

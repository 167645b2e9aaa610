/*
 * The seat's end of the seat link: what windows, meters, recorders, remote seats and commands use to
 * sit at a guest.
 *
 *	client = link_client_connect(path, LINK_WANT_DISPLAY, "recorder", &events, self, &error);
 *	poll link_client_fd(client) for POLLIN; then link_client_dispatch(client) until it is < 0
 *
 * It maps the guest's buffers (read only, checked against the descriptor's real size and its seal
 * against shrinking) and keeps the newest frame. A client whose call said -EPIPE or -EPROTO is over:
 * free it and connect again when you like. The guest does not wait for anybody: a seat that does not
 * read is dropped.
 *
 * A clock seat answers each vblank of a head on which a newer frame is up with one
 * link_client_presented() for the newest frame shown; that covers those before it. It must do so within
 * 100 ms. One without LINK_WANT_HEADS sees head 0 alone: whoever has one picture to show need not know
 * that there are others.
 *
 * Thread: one thread at a time calls connect, dispatch, wait, free and the accessors; callbacks come
 * from dispatch and wait. The sending calls (presented ... stat) may come from any thread while the
 * client lives.
 */
#ifndef IRORI_DISPLAY_LINK_CLIENT_H
#define IRORI_DISPLAY_LINK_CLIENT_H

#include <glib.h>

#include "display/link.h"

struct link_client;

/* A buffer of the guest, mapped. Pixels change under the reader's eyes. */
struct link_picture {
	uint32_t id, width, height, stride;
	const uint8_t *pixels; /* height * stride bytes; XRGB8888, first byte blue */
};

/* What the guest says. Any may be NULL. Calls to link_client_free from inside are not allowed;
 * sending calls are. */
struct link_client_events {
	void (*welcome)(void *data, const struct link_welcome *welcome);
	void (*buffer)(void *data, const struct link_picture *picture);
	/* After return the picture is unmapped. */
	void (*buffer_gone)(void *data, const struct link_picture *picture);
	/* picture is NULL when the scanout is off (frame->buffer 0). Source and damage have been
	 * checked to lie within the picture; the source is not empty. */
	void (*frame)(void *data, const struct link_frame *frame,
		const struct link_picture *picture);
	/* picture is NULL for no cursor. */
	void (*cursor)(void *data, const struct link_cursor *cursor,
		const struct link_picture *picture);
	void (*leds)(void *data, uint32_t leds);
	void (*audio_start)(void *data, const struct link_audio_start *start);
	void (*audio_stop)(void *data, unsigned stream);
	void (*audio_data)(void *data, const void *pcm, size_t bytes);
	void (*guest)(void *data, const struct link_guest *guest);
	void (*reply)(void *data, const struct link_reply *reply);
	void (*stat)(void *data, const struct link_stat *stat);
};

/* Connects and says HELLO; does not wait for WELCOME. wants: enum link_wants. `events` (may be
 * NULL) and data must outlive the client. */
struct link_client *link_client_connect(const char *path, uint32_t wants, const char *name,
	const struct link_client_events *events, void *data, GError **error);
/* The same on a connected SOCK_SEQPACKET socket, taken over (closed if NULL is returned). */
struct link_client *link_client_join(int socket, uint32_t wants, const char *name,
	const struct link_client_events *events, void *data, GError **error);
/* Says HELLO for somebody else, who is to have the connection and no other wants: link_client_adopt. 0 or -errno;
 * the socket stays the caller's. */
int link_client_greet(int socket, uint32_t wants, const char *name);
/* A connection on which HELLO has been said, with these wants; the socket is taken over. */
struct link_client *link_client_adopt(int socket, uint32_t wants,
	const struct link_client_events *events, void *data);
/* Hangs up, also for those who have the same connection, and unmaps. NULL is allowed. */
void link_client_free(struct link_client *client);

int link_client_fd(const struct link_client *client);

/* Handles what has arrived (a bounded number of messages): how many, 0: nothing was there;
 * -EPIPE: the guest has gone; -EPROTO: it sent nonsense. Never blocks. */
int link_client_dispatch(struct link_client *client);
/* Polls up to timeout_ms (-1: for ever) for something to arrive, then dispatches. Same results;
 * 0 is a time-out. */
int link_client_wait(struct link_client *client, int timeout_ms);

/* What is known now. granted is 0 before WELCOME. */
uint32_t link_client_granted(const struct link_client *client);
const char *link_client_guest_name(const struct link_client *client); /* "" before WELCOME */
const struct link_guest *link_client_guest(const struct link_client *client);
/* The newest frame of a head (below PORT_HEADS), and its picture (NULL: scanout off); NULL before the
 * first. */
const struct link_frame *link_client_frame(const struct link_client *client, unsigned head,
	const struct link_picture **picture);
const struct link_picture *link_client_picture(const struct link_client *client, uint32_t id);

/* Sending: 0; -EAGAIN: the guest's queue is full (try later or give up); -EPIPE; -EINVAL. */
int link_client_presented(struct link_client *client, unsigned head, uint64_t seq,
	int64_t vblank_ns, int64_t period_ns);
/* A seat with one monitor, or window. */
int link_client_resize(struct link_client *client, uint32_t width, uint32_t height);
/* With n of them, 1..PORT_HEADS; more than one only with LINK_WANT_HEADS. */
int link_client_monitors(struct link_client *client, const struct port_size *heads, unsigned n);
/* Whole reports: within a report one device; the last event is SYN_REPORT; keyboard: EV_KEY with
 * value 0 or 1; tablet: EV_KEY, ABS_X and ABS_Y in 0..32767, REL wheels; mouse: EV_KEY, REL_X,
 * REL_Y, REL wheels; touch: MT type B, ABS_MT_SLOT before what is said of the finger, and BTN_TOUCH,
 * which the guest's side makes anew; gamepad: the buttons and axes of port.h, in their ranges.
 * Anything else: -EINVAL and nothing is sent. n <= LINK_MAX_INPUT. */
int link_client_input(struct link_client *client, const struct port_input *events, unsigned n);
int link_client_audio_consumed(struct link_client *client, unsigned stream, uint32_t bytes);
int link_client_audio_captured(struct link_client *client, const void *pcm, size_t bytes);
int link_client_request(struct link_client *client, enum link_verb verb, uint32_t argument,
	uint32_t cookie);
int link_client_stat(struct link_client *client);
/* Saves the guest in the file `fd` (the caller's), open for reading and writing. */
int link_client_save(struct link_client *client, int fd, uint32_t cookie);

#endif

/*
 * The seat link's codec: one message in, one message out, over a SOCK_SEQPACKET socket.
 *
 * Both ends use it; nothing but link_server.c and link_client.c needs to. link_parse() is the pure
 * part: it says whether bytes that came from the other side are a message of display/link.h, with
 * exact size, known opcode, a descriptor only where one belongs and every field in its range; names
 * that come from a guest are printable ASCII.
 *
 * Thread: any. link_send may be called on one socket by several threads: a message is one packet.
 */
#ifndef IRORI_DISPLAY_LINK_CODEC_H
#define IRORI_DISPLAY_LINK_CODEC_H

#include "display/link.h"

/* Who wrote the message. */
enum link_side {
	LINK_FROM_SEAT,
	LINK_FROM_GUEST,
};

union link_body {
	struct link_hello hello;
	struct link_presented presented;
	struct link_resize resize;
	struct link_input_event input[LINK_MAX_INPUT];
	struct link_audio_consumed audio_consumed;
	struct link_request request;
	struct link_save save;
	struct link_welcome welcome;
	struct link_buffer buffer;
	struct link_buffer_gone buffer_gone;
	struct link_frame frame;
	struct link_cursor cursor;
	struct link_leds leds;
	struct link_audio_start audio_start;
	struct link_audio_stop audio_stop;
	struct link_guest guest;
	struct link_reply reply;
	struct link_stat stat;
	uint8_t pcm[PORT_MAX_PCM];
	uint8_t bytes[LINK_MAX_BODY];
};

struct link_message {
	uint16_t opcode;
	uint16_t size; /* of the body */
	int fd;        /* -1: none; the receiver's to close */
	union link_body body;
};

/* Copies one packet's bytes into `message` (fd becomes -1) if it is well formed; `n_fds` came with
 * it. 0, or -EPROTO. */
int link_parse(enum link_side from, const void *packet, size_t len, unsigned n_fds,
	struct link_message *message);

/* Whole reports for known devices: the rule for LINK_INPUT, both ends apply it. */
bool link_input_valid(const struct link_input_event *events, unsigned n);

/* 1: a message; 0: nothing there now; -EPIPE: the other side has gone; -EPROTO: it sent nonsense.
 * Never blocks. Descriptors that do not belong are closed. */
int link_receive(int socket, enum link_side from, struct link_message *message);

/* 0; -EAGAIN: its queue is full; -EPIPE: it has gone; -EINVAL: not a message. Never blocks, raises
 * no SIGPIPE. fd -1: none; stays the caller's. */
int link_send(int socket, uint16_t opcode, const void *body, size_t size, int fd);

#endif

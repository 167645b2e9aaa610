/*
 * The seat control protocol's codec: one message in, one message out, over a SOCK_SEQPACKET socket.
 *
 * Both ends use it. wire_parse() is the pure part: it says whether bytes that came from the other side
 * are a message of seats/wire.h, with exact size, known opcode, a descriptor where one belongs and
 * nowhere else, and every field in its range. Names follow household_name_valid's rule; what is for
 * people is UTF-8 without control characters; paths are printable ASCII. Bytes after a string's zero
 * are made zero.
 *
 * Thread: any. wire_send may be called on one socket by several threads: a message is one packet.
 */
#ifndef IRORI_SEATS_WIRE_CODEC_H
#define IRORI_SEATS_WIRE_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "seats/wire.h"

/* Who wrote the message. */
enum wire_side {
	WIRE_FROM_IRORID,
	WIRE_FROM_SEAT,
};

enum wire_codec_limits {
	WIRE_MAX_BODY = 3 * WIRE_PATH + 12, /* struct wire_sound's, the largest, aligned */
	WIRE_MAX_VOLUME = 150,              /* per cent */
	WIRE_MAX_SIDE = 16384,              /* pixels */
	WIRE_MAX_NUMBER = 99,               /* of a seat */
	WIRE_MAX_SECONDS = 24 * 3600,
};

union wire_body {
	struct wire_hello hello;
	struct wire_lease lease;
	struct wire_input_add input_add;
	struct wire_input_remove input_remove;
	struct wire_sound sound;
	struct wire_guest guest;
	struct wire_link link;
	struct wire_guest_gone guest_gone;
	struct wire_show show;
	struct wire_lock lock;
	struct wire_time time;
	struct wire_notice notice;
	struct wire_identify identify;
	struct wire_answer answer;
	struct wire_settings settings;
	struct wire_welcome welcome;
	struct wire_request request;
	struct wire_state state;
	uint8_t bytes[WIRE_MAX_BODY];
};

struct wire_message {
	uint16_t opcode;
	uint16_t size; /* of the body */
	int fd;        /* -1: none; the receiver's to close */
	union wire_body body;
};

/* Copies one packet's bytes into `message` (fd becomes -1) if it is well formed; `n_fds` came with
 * it. 0, or -EPROTO. */
int wire_parse(enum wire_side from, const void *packet, size_t len, unsigned n_fds,
	struct wire_message *message);

/* 1: a message; 0: nothing there now; -EPIPE: the other side has gone; -EPROTO: it sent nonsense.
 * Never blocks. Descriptors that do not belong are closed. */
int wire_receive(int socket, enum wire_side from, struct wire_message *message);

/* The body is checked as the other side will. 0; -EAGAIN: its queue is full; -EPIPE: it has gone;
 * -EINVAL: not a message. Never blocks, raises no SIGPIPE. fd -1: none; stays the caller's. */
int wire_send(int socket, uint16_t opcode, const void *body, size_t size, int fd);

/* Copies text into a field of the protocol, cut between two characters of UTF-8 if it is too long;
 * what is no UTF-8 becomes U+FFFD, a control character '?'. NULL: "". The rest is made zero. */
void wire_text(char *field, size_t size, const char *text);

/* Overwrites a PIN once it has been used; not optimized away. */
void wire_forget(void *secret, size_t size);

#endif

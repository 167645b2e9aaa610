/*
 * Sitting at a guest for the length of a command: connect, ask, wait for the answer.
 *
 * Thread: one.
 */
#ifndef IRORI_UI_ATTACH_H
#define IRORI_UI_ATTACH_H

#include <stdbool.h>

#include "display/link_client.h"
#include "display/picture.h"

enum { ATTACH_WAIT_MS = 3000 }; /* for an answer */

struct attached;

/* `guest`: a name or a path. Waits for WELCOME. */
struct attached *attach(const char *guest, uint32_t wants, GError **error);
void attach_free(struct attached *attached);
struct link_client *attach_client(struct attached *attached);
const struct link_welcome *attach_welcome(const struct attached *attached);

/* Asks and waits for the reply. False and error set: refused, or no answer. */
bool attach_request(struct attached *attached, enum link_verb verb, uint32_t argument,
	GError **error);
/* Hands the file over and waits for the reply, which comes before the guest is in it. */
bool attach_save(struct attached *attached, int fd, GError **error);
/* Asks and waits. The result is valid until the next call; NULL and error set for none. */
const struct link_stat *attach_stat(struct attached *attached, GError **error);
/* What the seat shows now: a copy. False and error set if it shows nothing. */
bool attach_picture(struct attached *attached, struct picture *picture, GError **error);

/* The part of a frame's buffer that is the scanout, as the link gives it; no copy. */
struct picture attach_view(struct link_client *client);

const char *attach_state_name(uint32_t state); /* enum link_guest_state */

#endif

/*
 * The connections to a guest that a seat's process has: opened for it, with all that it may ask of the guest said before
 * it gets them, so that it can ask for no more.
 *
 * Thread: any. Nothing here blocks.
 */
#ifndef IRORI_SEATS_GUEST_LINK_H
#define IRORI_SEATS_GUEST_LINK_H

#include "seats/wire.h"

/* enum link_wants of display/link.h: what is said in HELLO. */
uint32_t guest_link_wants(enum wire_link_kind kind);

/* Connects to the seat link at `path` and says HELLO: a descriptor, CLOEXEC and not blocking, or -errno. `seat` is for the
 * guest's log. */
int guest_link_open(const char *path, enum wire_link_kind kind, const char *seat);

#endif

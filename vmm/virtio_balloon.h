/*
 * The balloon, as the rest of the monitor sees it: how large it shall be, and what the guest says of
 * its own memory. virtio_balloon.c is the device.
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_VIRTIO_BALLOON_H
#define IRORI_VMM_VIRTIO_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

struct balloon;

/* Bytes; what the guest has not told, or will not, is zero. */
struct balloon_figures {
	uint64_t target;    /* what it shall take from the guest */
	uint64_t actual;    /* what the guest says it has taken */
	uint64_t free, available, total; /* the guest's own view of its memory */
	uint64_t reported;  /* freed pages that came back by free page reporting, since the start */
	uint64_t discarded; /* ballooned pages that came back, since the start */
	bool driver;        /* there is one, and it is ready */
};

/* Asks the guest to give up `bytes`; it does so in its own time, or never. */
void balloon_set_target(struct balloon *balloon, uint64_t bytes);
/* Also asks the guest for new figures, for the next time, when the last ones are older than a second. */
void balloon_figures(struct balloon *balloon, struct balloon_figures *figures);

#endif

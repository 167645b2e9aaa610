/*
 * A position that moves evenly between the reports of a sink or a source.
 *
 * The port tells how much has been played or recorded in pieces of many milliseconds, and not
 * evenly; a sound card's position moves all the time. The clock runs at the stream's rate from report
 * to report and is drawn towards each of them by a part of its error, so that neither jitter nor a
 * rate that is a little off makes a step. It never goes back, and never goes further than `slack`
 * beyond the last report: a sink that stops, stops the guest.
 *
 * Times are nanoseconds of the clock that is passed in. Thread: its owner's.
 */
#ifndef IRORI_VMM_SOUND_CLOCK_H
#define IRORI_VMM_SOUND_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct sound_clock {
	uint32_t rate;     /* bytes a second; 0: it stands */
	uint32_t slack;    /* bytes */
	bool alone;        /* nobody reports: it runs by time */
	int64_t since;     /* when it stood at `base` */
	int64_t base;
	uint64_t reported; /* sum of the reports */
	uint64_t last;     /* what sound_clock_at has answered at most */
};

/* From 0 and `now` on. slack 0: alone. */
void sound_clock_start(struct sound_clock *clock, int64_t now, uint32_t rate, uint32_t slack);
void sound_clock_report(struct sound_clock *clock, int64_t now, uint64_t bytes);
/* Bytes since the start. */
uint64_t sound_clock_at(struct sound_clock *clock, int64_t now);
/* When it will stand at `bytes` if all goes on as it does; INT64_MAX if it stands. */
int64_t sound_clock_when(const struct sound_clock *clock, uint64_t bytes);

#endif

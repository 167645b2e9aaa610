/*
 * PINs: checked against crypt(5), never faster than a person can type.
 *
 * Thread: any; crypt takes its time (tens of milliseconds).
 */
#ifndef IRORI_SEATS_PIN_H
#define IRORI_SEATS_PIN_H

#include <stdbool.h>
#include <stdint.h>

/* After three wrong tries each further one waits: 2 s, doubling, to a minute. Forgotten after a parent's
 * PIN, or a quarter of an hour without a wrong one; not after somebody's own, between which a parent's
 * could be tried without end. More than six tries in ten seconds are no person's, and each costs us what crypt
 * costs: the rest waits. */
struct pin_throttle {
	uint32_t wrong, tries;      /* tries: since tries_ns */
	int64_t tried_ns, until_ns; /* the last wrong one; until then nothing counts */
	int64_t tries_ns;
};

enum pin_whose {
	PIN_WRONG,
	PIN_OWN,
	PIN_PARENT,
};

/* 0, or for how many seconds (rounded up) no try counts. */
uint32_t pin_wait(const struct pin_throttle *throttle, int64_t now_ns);
void pin_tried(struct pin_throttle *throttle, enum pin_whose whose, int64_t now_ns);

/* Whether it is the one; a hash that is no hash matches nothing. Compared in constant time. */
bool pin_matches(const char *hash, const char *pin);
/* 4 to 31 digits: a seat's lock screen takes no others. */
bool pin_valid(const char *pin);
/* A hash of it with a salt of its own; g_free. NULL: the system cannot. */
char *pin_hash(const char *pin);

#endif

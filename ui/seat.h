/*
 * Parts of commands that ask irorid; see seat.c.
 *
 * Thread: one.
 */
#ifndef IRORI_UI_SEAT_H
#define IRORI_UI_SEAT_H

#include <stdbool.h>

/* `irori seats` without a verb. Results are exit statuses. */
int seats_list(const char *name, bool as_json);
/* irorid runs, and has proposed seats that nobody has accepted yet. */
bool appliance_first_run(void);
int appliance_accept(const char *name);
/* All guests in order, then the machine unless `guests_only`; `wait`: until they are off. */
int appliance_off(const char *name, bool guests_only, bool wait);

#endif

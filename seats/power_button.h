/*
 * The PC's own power button, as an input device that is no seat's. What else such a device says (a
 * laptop's lid) is not for us.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_POWER_BUTTON_H
#define IRORI_SEATS_POWER_BUTTON_H

#include <stdint.h>

struct power_buttons;

/* pressed: KEY_POWER went down. */
struct power_buttons *power_buttons_new(void (*pressed)(void *data), void *data);
/* NULL is allowed. */
void power_buttons_free(struct power_buttons *buttons);
/* An open event device, taken over; closed at once if it has no such key. */
void power_buttons_add(struct power_buttons *buttons, uint32_t id, int fd);
void power_buttons_remove(struct power_buttons *buttons, uint32_t id);

#endif

/*
 * sd_notify(3) and sd_listen_fds(3) by hand: a datagram to $NOTIFY_SOCKET. Without systemd nothing
 * happens.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_NOTIFY_H
#define IRORI_SEATS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

enum { NOTIFY_KEPT_FIRST = 3 };

/* Reads what the environment says of systemd, and takes it out, so that no child answers for us. */
void notify_open(void);
/* "READY=1", "STATUS=...". False: nobody listens. */
bool notify_send(const char *state);
/* Keeps a descriptor over our death under this name ([a-z0-9_-]); the name's former one goes.
 * fd -1: only that. */
void notify_keep_fd(const char *name, int fd);
/* How often WATCHDOG=1 is expected, half of it: ms; 0: not at all. */
uint32_t notify_watchdog_ms(void);
/* Descriptors that were kept for us, from NOTIFY_KEPT_FIRST on; each is the caller's. How many. */
unsigned notify_kept_fds(void);

#endif

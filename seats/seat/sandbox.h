/*
 * The seat's sandbox: from here on the process opens nothing but fonts, sound and what describes devices, is
 * nobody who may do anything, and asks the kernel for nothing that is not on the list.
 *
 * What it needs comes in by descriptors: the lease, the event devices, the link of its guest. It connects to the
 * sound server by itself, again and again; no fence of a process can tell one socket from another, so it is who it
 * has become, and the modes of sockets and their folders, that keep it from other guests and other seats. As a
 * service it does not even see other sockets (seats/spawn_systemd.c).
 */
#ifndef IRORI_SEATS_SEAT_SANDBOX_H
#define IRORI_SEATS_SEAT_SANDBOX_H

#include <glib.h>
#include <stdbool.h>

/* Who a seat becomes (data/sysusers; where there is none, the other, but not as a service), and the group that the sound server's socket
 * is for. */
#define SANDBOX_USER "irori-seat"
#define SANDBOX_FALLBACK "nobody"
#define SANDBOX_SOUND_GROUP "irori-sound"

/* For this process and its threads, for good. Root becomes `user`, in the sound's group and no other, and HOME is that
 * one's. NULL, "root", and who is not root: stays who it is. False and error set: nothing may go on. */
bool sandbox_enter(const char *user, GError **error);

#endif

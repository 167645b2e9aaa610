/*
 * The console that is on the screen: muted while seats have the monitors, so that neither the kernel
 * nor a login draws over them and no key that is typed at a seat reaches it.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_VT_H
#define IRORI_SEATS_VT_H

#include <glib.h>

struct vt;

/* The active one: graphics, keyboard off. NULL and error set where there is none, or it is not ours. */
struct vt *vt_mute(GError **error);
/* As it was. NULL is allowed. */
void vt_restore(struct vt *vt);

#endif

/*
 * spice-server's event loop, carried out by GLib's default main context. The interface must live as
 * long as the server: it is static.
 *
 * Thread: main.
 */
#ifndef IRORI_DISPLAY_REMOTE_CORE_H
#define IRORI_DISPLAY_REMOTE_CORE_H

#include <spice.h>
#include <stdbool.h>

/* A channel of a client came up (true), or went (false). type: SPICE_CHANNEL_* */
typedef void (*remote_channel_func)(void *data, int type, bool up);

SpiceCoreInterface *remote_core(remote_channel_func func, void *data);

#endif

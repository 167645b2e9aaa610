/*
 * The room that a share's virtiofsd runs in, made between fork and exec.
 */
#ifndef IRORI_VMM_VHOST_USER_FS_H
#define IRORI_VMM_VHOST_USER_FS_H

#include <glib.h>
#include <stdbool.h>

#include "vmm/helper.h"

struct fs_room {
	const char *path; /* the folder, absolute; outlives the helper */
	bool read_only;
};

/* Starts virtiofsd; *fd is our end of its connection, the caller's. NULL and error set. */
struct helper *fs_room_enter(const struct fs_room *room, const struct helper_owner *owner, int *fd,
	GError **error);

#endif

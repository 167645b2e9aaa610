/*
 * A guest's control group: cgroup v2 cpu.weight and cpu.idle for all of a process at once.
 *
 * The supervisor makes one group a guest below its own cgroup, if that was delegated to it (systemd:
 * Delegate=cpu) and moves the guest's process there. Where there is none, group_root_open says why
 * and per-thread levels (gpu-share/cpu.h) do the work; both may be used together.
 *
 * Thread: one at a time.
 */
#ifndef IRORI_GPU_SHARE_GROUP_H
#define IRORI_GPU_SHARE_GROUP_H

#include <glib.h>
#include <sys/types.h>

#include "gpu-share/policy.h"

struct group_root;

/* Our own cgroup, if it has a cpu controller and we may make groups in it; else NULL. g_free. Changes
 * nothing; group_root_open may fail all the same. */
char *group_own_path(void);

/* `path`: a cgroup directory that is ours; NULL: find our own. Moves this process (it must be the
 * only one) into a leaf of it. NULL and error set where that is not possible. */
struct group_root *group_root_open(const char *path, GError **error);
/* Removes the groups that are empty. */
void group_root_close(struct group_root *root);

/* Makes the group (name: [a-z0-9-]) and moves the process there. 0 or -errno. */
int group_add(struct group_root *root, const char *name, pid_t pid);
int group_set_class(struct group_root *root, const char *name, enum share_class share_class);
void group_remove(struct group_root *root, const char *name);

#endif

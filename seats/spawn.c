/*
 * See spawn.h: which way, and what is the same in both.
 */
#include "seats/spawn.h"

#include <unistd.h>

#include "seats/spawn_internal.h"

#define SYSTEMD_RUNS "/run/systemd/system" /* sd_booted(3) */

static const char *const kind_names[] = {
	[SPAWN_GUEST] = "guest",
	[SPAWN_SEAT] = "seat",
};

struct spawn *spawn_new(enum spawn_how how, const char *runtime, GError **error)
{
	struct spawn *spawn = g_new0(struct spawn, 1);
	bool done;

	spawn->runtime = g_strdup(runtime);
	if (how == SPAWN_SYSTEMD || (how == SPAWN_AUTO && !access(SYSTEMD_RUNS, F_OK)))
		done = spawn_systemd_init(spawn, error);
	else
		done = spawn_fork_init(spawn, error);
	if (done)
		return spawn;
	g_free(spawn->runtime);
	g_free(spawn);
	return NULL;
}

void spawn_free(struct spawn *spawn)
{
	if (!spawn)
		return;
	if (spawn->ops->free)
		spawn->ops->free(spawn);
	g_free(spawn->runtime);
	g_free(spawn);
}

const char *spawn_way(const struct spawn *spawn)
{
	return spawn->ops->way;
}

static void child_free(struct spawn_child *child)
{
	g_free(child->name);
	g_free(child);
}

struct spawn_child *spawn_start(struct spawn *spawn, const struct spawn_spec *spec,
	spawn_ended_fn *ended, void *data, GError **error)
{
	struct spawn_child *child = g_new0(struct spawn_child, 1);

	child->spawn = spawn;
	child->ended = ended;
	child->data = data;
	child->name = g_strdup_printf("%s-%s", kind_names[spec->kind], spec->name);
	if (spawn->ops->start(child, spec, error))
		return child;
	child_free(child);
	return NULL;
}

void spawn_kill(struct spawn_child *child, int signal)
{
	if (child)
		child->spawn->ops->kill(child, signal);
}

void spawn_forget(struct spawn_child *child)
{
	if (!child)
		return;
	child->spawn->ops->forget(child);
	child_free(child);
}

void spawn_child_ended(struct spawn_child *child, int status)
{
	child->ended(child->data, status);
	child_free(child);
}

/*
 * A thread that runs a GMainContext.
 */
#include "vmm/worker.h"

struct worker {
	const char *name;
	enum link_thread_role role;
	struct stats *stats;
	GMainContext *context;
	GMainLoop *loop;
	GThread *thread;
	GMutex lock; /* of what follows */
	GCond changed;
	bool hold, held;
};

struct worker *worker_new(const char *name, enum link_thread_role role, struct stats *stats)
{
	struct worker *worker = g_new0(struct worker, 1);

	worker->name = name;
	worker->role = role;
	worker->stats = stats;
	worker->context = g_main_context_new();
	worker->loop = g_main_loop_new(worker->context, FALSE);
	g_mutex_init(&worker->lock);
	g_cond_init(&worker->changed);
	return worker;
}

GMainContext *worker_context(struct worker *worker)
{
	return worker->context;
}

static void *worker_thread(void *data)
{
	struct worker *worker = data;

	stats_thread(worker->stats, worker->role);
	g_main_context_push_thread_default(worker->context);
	g_main_loop_run(worker->loop);
	g_main_context_pop_thread_default(worker->context);
	return NULL;
}

void worker_start(struct worker *worker)
{
	worker->thread = g_thread_new(worker->name, worker_thread, worker);
}

static gboolean worker_quit(void *data)
{
	g_main_loop_quit(data);
	return G_SOURCE_REMOVE;
}

/* Calls a function on the thread, before all that waits there. */
static void worker_invoke(struct worker *worker, GSourceFunc function, void *data)
{
	GSource *source = g_idle_source_new();

	g_source_set_priority(source, G_PRIORITY_HIGH);
	g_source_set_callback(source, function, data, NULL);
	g_source_attach(source, worker->context);
	g_source_unref(source);
}

/* By a source and not directly: a quit before the loop runs would be forgotten. */
void worker_stop(struct worker *worker)
{
	if (!worker->thread)
		return;
	worker_invoke(worker, worker_quit, worker->loop);
	g_thread_join(worker->thread);
	worker->thread = NULL;
}

static gboolean worker_wait(void *data)
{
	struct worker *worker = data;

	g_mutex_lock(&worker->lock);
	worker->held = true;
	g_cond_broadcast(&worker->changed);
	while (worker->hold)
		g_cond_wait(&worker->changed, &worker->lock);
	worker->held = false;
	g_mutex_unlock(&worker->lock);
	return G_SOURCE_REMOVE;
}

void worker_hold(struct worker *worker)
{
	if (!worker->thread)
		return;
	g_mutex_lock(&worker->lock);
	worker->hold = true;
	worker_invoke(worker, worker_wait, worker);
	while (!worker->held)
		g_cond_wait(&worker->changed, &worker->lock);
	g_mutex_unlock(&worker->lock);
}

void worker_release(struct worker *worker)
{
	g_mutex_lock(&worker->lock);
	worker->hold = false;
	g_cond_broadcast(&worker->changed);
	g_mutex_unlock(&worker->lock);
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	worker_stop(worker);
	g_main_loop_unref(worker->loop);
	g_main_context_unref(worker->context);
	g_mutex_clear(&worker->lock);
	g_cond_clear(&worker->changed);
	g_free(worker);
}

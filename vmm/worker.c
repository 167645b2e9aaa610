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
};

struct worker *worker_new(const char *name, enum link_thread_role role, struct stats *stats)
{
	struct worker *worker = g_new0(struct worker, 1);

	worker->name = name;
	worker->role = role;
	worker->stats = stats;
	worker->context = g_main_context_new();
	worker->loop = g_main_loop_new(worker->context, FALSE);
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

/* By a source and not directly: a quit before the loop runs would be forgotten. */
void worker_stop(struct worker *worker)
{
	GSource *source;

	if (!worker->thread)
		return;
	source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_HIGH);
	g_source_set_callback(source, worker_quit, worker->loop, NULL);
	g_source_attach(source, worker->context);
	g_source_unref(source);
	g_thread_join(worker->thread);
	worker->thread = NULL;
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	worker_stop(worker);
	g_main_loop_unref(worker->loop);
	g_main_context_unref(worker->context);
	g_free(worker);
}

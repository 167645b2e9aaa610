/*
 * irori view: guests in a window, side by side, each with its sound: seats for installing a system,
 * or for looking in on one.
 */
#include <signal.h>
#include <stdio.h>

#include <glib-unix.h>

#include "ui/command.h"
#include "ui/runtime.h"
#include "ui/window.h"

static gboolean silent;

static const GOptionEntry options[] = {
	{ "silent", 0, 0, G_OPTION_ARG_NONE, &silent, "without the guests' sound", NULL },
	{ 0 },
};

struct view {
	GMainLoop *loop;
	GSubprocess *sound[SEAT_WINDOW_SEATS];
};

static void closed(void *data)
{
	g_main_loop_quit(((struct view *)data)->loop);
}

static gboolean interrupted(gpointer data)
{
	closed(data);
	return G_SOURCE_CONTINUE;
}

static const struct seat_window_ops ops = { .closed = closed };

/* A host without a sound server has a silent window, and says so by itself. */
static void sound_start(struct view *view, unsigned i, const char *guest, const char *path)
{
	g_autofree char *program = runtime_program("irori-sound");

	if (program)
		view->sound[i] = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, NULL, program, "--name",
			guest, path, NULL);
}

static void sound_stop(struct view *view, unsigned i)
{
	if (!view->sound[i])
		return;
	g_subprocess_send_signal(view->sound[i], SIGTERM);
	g_subprocess_wait(view->sound[i], NULL, NULL);
	g_object_unref(view->sound[i]);
}

static int show(const char *name, const struct seat_window_seat *seats, unsigned n)
{
	struct view view = { .loop = g_main_loop_new(NULL, FALSE) };
	GError *error = NULL;
	struct seat_window *window = seat_window_new(seats, n, &ops, &view, &error);

	if (!window) {
		g_main_loop_unref(view.loop);
		return command_fail_error(EX_UNAVAILABLE, name, error);
	}
	for (unsigned i = 0; i < n && !silent; i++)
		sound_start(&view, i, seats[i].name, seats[i].path);
	g_unix_signal_add(SIGINT, interrupted, &view);
	g_unix_signal_add(SIGTERM, interrupted, &view);
	g_main_loop_run(view.loop);
	for (unsigned i = 0; i < n; i++)
		sound_stop(&view, i);
	seat_window_free(window);
	g_main_loop_unref(view.loop);
	return EX_OK;
}

static int view_run(const char *name, char **args, int n)
{
	struct seat_window_seat seats[SEAT_WINDOW_SEATS] = { 0 };
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	if (!gtk_init_check(NULL, NULL))
		return command_fail(EX_UNAVAILABLE, name, "there is no display; irori-remote offers a "
			"guest to remote-viewer, on another machine too");
	for (int i = 0; i < n; i++) {
		GError *error = NULL;
		char *path = runtime_socket(args[i], &error);

		if (!path)
			return command_fail_error(EX_UNAVAILABLE, name, error);
		g_ptr_array_add(paths, path);
		seats[i] = (struct seat_window_seat){ .name = args[i], .path = path };
	}
	return show(name, seats, (unsigned)n);
}

const struct command command_view = {
	.name = "view",
	.arguments = "GUEST...",
	.help = "show guests in a window, with keyboard, mouse and sound",
	.more = "Click into a guest and keyboard and mouse go there; hold both Ctrl keys to leave. A\n"
		"guest that ends is black until it comes back.",
	.options = options,
	.min = 1,
	.max = SEAT_WINDOW_SEATS,
	.run = view_run,
};

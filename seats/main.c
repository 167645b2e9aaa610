/*
 * irorid: the appliance's daemon. Options, signals, the main loop.
 */
#define G_LOG_DOMAIN "irorid"

#include <errno.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "seats/bus.h"
#include "seats/daemon.h"
#include "seats/notify.h"
#include "seats/vt.h"
#include "vmm/error.h"

static char *folder = "/etc/irori", *runtime = "/run/irori", *state = "/var/lib/irori";
static char *bus_name = "system", *spawn_name = "auto", *monitor, *seat_program, **seat_options;
static gboolean no_cards, version;

static const GOptionEntry options[] = {
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &folder, "configuration (/etc/irori)", "FOLDER" },
	{ "runtime", 0, 0, G_OPTION_ARG_FILENAME, &runtime, "sockets, logs (/run/irori)", "FOLDER" },
	{ "state", 0, 0, G_OPTION_ARG_FILENAME, &state, "what people have used (/var/lib/irori)",
		"FOLDER" },
	{ "bus", 0, 0, G_OPTION_ARG_STRING, &bus_name, "system, session or none (system)", "WHICH" },
	{ "spawn", 0, 0, G_OPTION_ARG_STRING, &spawn_name,
		"start guests and seats by systemd or fork (auto: systemd where it runs)", "HOW" },
	{ "no-cards", 0, 0, G_OPTION_ARG_NONE, &no_cards,
		"leave graphics cards and the console alone (tests)", NULL },
	{ "monitor", 0, 0, G_OPTION_ARG_FILENAME, &monitor, "irori-vmm", "PROGRAM" },
	{ "seat-program", 0, 0, G_OPTION_ARG_FILENAME, &seat_program, "irori-seat", "PROGRAM" },
	{ "seat-option", 0, 0, G_OPTION_ARG_STRING_ARRAY, &seat_options,
		"an argument for every irori-seat (tests)", "ARGUMENT" },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &version, "print the version", NULL },
	{ 0 },
};

struct program {
	GMainLoop *loop;
	struct daemon *daemon;
	struct bus *bus;
	struct vt *vt;
	int status;
};

static int64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int64_t wall(void)
{
	time_t now = time(NULL);
	struct tm local;

	tzset();
	localtime_r(&now, &local);
	return (int64_t)now + local.tm_gmtoff;
}

static GLogWriterOutput log_writer(GLogLevelFlags level, const GLogField *fields, gsize n,
	gpointer data)
{
	const char *message = "", *domain = NULL;
	bool warning = level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);

	for (gsize i = 0; i < n; i++) {
		if (!strcmp(fields[i].key, "MESSAGE"))
			message = fields[i].value;
		else if (!strcmp(fields[i].key, "GLIB_DOMAIN"))
			domain = fields[i].value;
	}
	if (!g_log_writer_default_would_drop(level, domain))
		fprintf(stderr, "irorid: %s%s\n", warning ? "warning: " : "", message);
	return G_LOG_WRITER_HANDLED;
}

static void title_set(int argc, char **argv)
{
	char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	size_t room = (size_t)(end - argv[0]);

	memset(argv[0], 0, room);
	g_snprintf(argv[0], (gulong)room, "irorid");
	prctl(PR_SET_NAME, "irorid");
}

/* What irorid is allowed is what its unit leaves it (data/systemd/irorid.service): cards, input
 * devices, its folders. From here on it can gain nothing more. Children inherit it. */
static void privileges_drop(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
}

static gboolean ended(gpointer data)
{
	struct program *program = data;

	g_main_loop_quit(program->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean reload(gpointer data)
{
	struct program *program = data;

	daemon_reload(program->daemon);
	return G_SOURCE_CONTINUE;
}

static gboolean alive(gpointer data)
{
	notify_send("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

static void changed(void *data)
{
	struct program *program = data;
	const struct daemon *daemon = program->daemon;
	g_autofree char *status = NULL;
	unsigned up = 0, on = 0;

	if (!daemon)
		return;
	for (guint i = 0; i < daemon->seats->len; i++)
		up += seat_unit_is_up(((struct seat *)g_ptr_array_index(daemon->seats, i))->unit);
	for (guint i = 0; i < daemon->guests->len; i++)
		on += guest_unit_on(g_ptr_array_index(daemon->guests, i));
	status = g_strdup_printf("STATUS=%u of %u seats up, %u of %u guests on", up,
		daemon->seats->len, on, daemon->guests->len);
	notify_send(status);
	bus_refresh(program->bus);
}

/* We stay: systemd would start us again, and we the guests. */
static void off_refused(void *data)
{
	daemon_poweroff_refused(((struct program *)data)->daemon);
}

static void off(void *data, bool machine)
{
	struct program *program = data;

	/* Without systemd whoever started us sees us end. */
	if (machine && !bus_poweroff(program->bus, off_refused, program))
		g_main_loop_quit(program->loop);
}

/* Seats go on while we are dead only as long as the card's file is open somewhere. */
static void card(void *data, const char *name, int fd)
{
	static GHashTable *kept;

	if (!kept)
		kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (fd < 0 ? g_hash_table_remove(kept, name) : g_hash_table_add(kept, g_strdup(name)))
		notify_keep_fd(name, fd);
}

static const struct daemon_events daemon_events = {
	.changed = changed,
	.card = card,
	.off = off,
};

/* Beside us, as installed; or where the build tree has it; or on the PATH. */
static char *program_find(const char *name, const char *build_folder)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *own = self ? g_path_get_dirname(self) : g_strdup(".");
	char *path = g_build_filename(own, "..", build_folder, name, NULL);

	if (!access(path, X_OK))
		return path;
	g_free(path);
	path = g_build_filename(IRORI_BINDIR, name, NULL);
	if (!access(path, X_OK))
		return path;
	g_free(path);
	path = g_find_program_in_path(name);
	return path ? path : g_build_filename(IRORI_BINDIR, name, NULL);
}

static bool choice(const char *text, const char *const *names, unsigned *index)
{
	for (*index = 0; names[*index]; (*index)++)
		if (!strcmp(text, names[*index]))
			return true;
	fprintf(stderr, "irorid: \"%s\": expected one of", text);
	for (unsigned i = 0; names[i]; i++)
		fprintf(stderr, " %s", names[i]);
	fputc('\n', stderr);
	return false;
}

static int serve(struct program *program, const struct daemon_config *config, enum bus_which which)
{
	g_autoptr(GError) error = NULL;

	if (!no_cards) {
		program->vt = vt_mute(&error);
		if (!program->vt)
			g_message("%s; the console is left alone", error->message);
		g_clear_error(&error);
	}
	program->daemon = daemon_new(config, &daemon_events, program, &error);
	if (!program->daemon) {
		fprintf(stderr, "irorid: %s\n", error->message);
		vt_restore(program->vt);
		return error_status(error);
	}
	program->bus = bus_new(which, program->daemon, &error);
	if (error) {
		g_warning("D-Bus: %s; irori and the panel cannot reach us", error->message);
		g_clear_error(&error);
	}
	g_unix_signal_add(SIGTERM, ended, program);
	g_unix_signal_add(SIGINT, ended, program);
	g_unix_signal_add(SIGHUP, reload, program);
	if (notify_watchdog_ms())
		g_timeout_add(notify_watchdog_ms(), alive, NULL);
	notify_send("READY=1");
	changed(program);
	g_main_loop_run(program->loop);
	notify_send("STOPPING=1");
	bus_free(program->bus);
	daemon_free(program->daemon);
	vt_restore(program->vt);
	return EX_OK;
}

int main(int argc, char **argv)
{
	static const char *const spawns[] = { "auto", "fork", "systemd", NULL };
	static const char *const buses[] = { "system", "session", "none", NULL };
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	struct program program = { 0 };
	struct daemon_config config;
	g_autofree char **copy = g_memdup2(argv, sizeof(char *) * (gsize)(argc + 1));
	unsigned how, which;
	int n = argc;

	setlocale(LC_ALL, "");
	g_log_set_writer_func(log_writer, NULL, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_option_context_set_summary(context, "Who sits where: starts guests and seats, gives each seat "
		"its monitor, keyboard and sound.");
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &n, &copy, &error)) {
		fprintf(stderr, "irorid: %s\n", error->message);
		return EX_USAGE;
	}
	if (version)
		return printf("irorid %s\n", IRORI_VERSION) < 0;
	if (n > 1 || !choice(spawn_name, spawns, &how) || !choice(bus_name, buses, &which))
		return EX_USAGE;
	notify_open();
	config = (struct daemon_config){
		.folder = g_canonicalize_filename(folder, NULL),
		.runtime = g_canonicalize_filename(runtime, NULL),
		.state = g_canonicalize_filename(state, NULL),
		.monitor = monitor ? monitor : program_find("irori-vmm", "vmm"),
		.seat_program = seat_program ? seat_program : program_find("irori-seat", "seats/seat"),
		.seat_options = (const char *const *)seat_options,
		.spawn = how,
		.cards = !no_cards,
		.kept_first = NOTIFY_KEPT_FIRST,
		.n_kept = no_cards ? 0 : notify_kept_fds(),
		.now = monotonic,
		.wall = wall,
	};
	title_set(argc, argv);
	setpriority(PRIO_PROCESS, 0, -10); /* what dies is back soon, also on a busy PC; if we may */
	privileges_drop();
	program.loop = g_main_loop_new(NULL, FALSE);
	return serve(&program, &config, which);
}

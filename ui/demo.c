/*
 * irori demo: starts the two guests, runs the legs, judges, reports, and leaves nothing behind.
 */
#include "ui/demo.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gpu-share/cpu.h"
#include "ui/command.h"
#include "ui/host.h"
#include "ui/report.h"
#include "ui/runtime.h"

#define VBLANK_NS 16666667ll

enum {
	CADENCE = 1,        /* the clip's 60 frames a second on 60 vblanks */
	START_WAIT_S = 60,
	TABLE_MS = 500,
	BUSY_MS = 200,
	SECONDS_MAX = 7200,
	MEMORY_MIB = 192,
};

static int seconds = 60, reboots = 10, vcpus;
static gboolean window, headless, unmanaged, ab, keep, no_spice;
static char *report_dir, *json_path, *audio, *theater_options, *study_options;

static const GOptionEntry options[] = {
	{ "seconds", 's', 0, G_OPTION_ARG_INT, &seconds, "length of a leg (60)", "N" },
	{ "reboots", 'r', 0, G_OPTION_ARG_INT, &reboots,
		"reboots that a leg waits for at least (10)", "N" },
	{ "window", 'w', 0, G_OPTION_ARG_NONE, &window, "show both seats in a window (default "
		"where there is a display)", NULL },
	{ "headless", 0, 0, G_OPTION_ARG_NONE, &headless, "no window: a live table", NULL },
	{ "ab", 0, 0, G_OPTION_ARG_NONE, &ab, "three legs on the same guests: theater alone, both "
		"managed, both unmanaged", NULL },
	{ "unmanaged", 0, 0, G_OPTION_ARG_NONE, &unmanaged, "one leg, with Irori's priorities off",
		NULL },
	{ "report", 0, 0, G_OPTION_ARG_FILENAME, &report_dir, "write the report page there "
		"(default: irori-report)", "DIR" },
	{ "json", 0, 0, G_OPTION_ARG_FILENAME, &json_path, "write the figures there, - for standard "
		"output", "FILE" },
	{ "audio", 0, 0, G_OPTION_ARG_STRING, &audio, "theater's sound: auto, null, pulse (auto)",
		"WHERE" },
	{ "no-spice", 0, 0, G_OPTION_ARG_NONE, &no_spice, "no remote seats", NULL },
	{ "vcpus", 0, 0, G_OPTION_ARG_INT, &vcpus, "study's processors (four times the "
		"host's, from 8 to 64)", "N" },
	{ "keep", 0, 0, G_OPTION_ARG_NONE, &keep, "go on after the last leg until told to end",
		NULL },
	{ "theater-options", 0, 0, G_OPTION_ARG_STRING, &theater_options,
		"more of theater's kernel command line", "TEXT" },
	{ "study-options", 0, 0, G_OPTION_ARG_STRING, &study_options,
		"more of study's kernel command line", "TEXT" },
	{ 0 },
};

static gboolean wait_over(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

bool demo_wait(struct demo *demo, bool (*done)(struct demo *demo), double length)
{
	bool over = false;
	guint timer = isinf(length) ? 0 : g_timeout_add((guint)(length * 1000), wait_over, &over);
	bool ready = false;

	while (!over && !demo->stop && !(done && (ready = done(demo))))
		g_main_context_iteration(NULL, TRUE);
	if (timer && !over)
		g_source_remove(timer);
	return !demo->stop && (done ? ready : true);
}

static gboolean policy_time(gpointer data)
{
	struct demo *demo = data;

	demo->policy_timer = 0;
	demo_policy(demo, POLICY_TICK, NULL, 0);
	return G_SOURCE_REMOVE;
}

void demo_policy(struct demo *demo, enum policy_event_type type, const struct demo_guest *guest,
	enum share_class share_class)
{
	struct policy_event event = { type, guest ? guest->id : 0, share_class };
	int64_t now = g_get_monotonic_time() * 1000, next;
	struct policy_actions actions;

	if (policy_step(&demo->policy, &event, now, &actions))
		return;
	for (unsigned i = 0; i < actions.n; i++)
		if (demo->guest[actions.action[i].guest])
			demo_guest_set_class(demo->guest[actions.action[i].guest],
				actions.action[i].share_class);
	g_clear_handle_id(&demo->policy_timer, g_source_remove);
	if (demo->policy.next_ns == INT64_MAX)
		return;
	next = (demo->policy.next_ns - now) / 1000000 + 1;
	demo->policy_timer = g_timeout_add_full(G_PRIORITY_HIGH, (guint)MAX(next, 1), policy_time,
		demo, NULL);
}

static void guest_state(void *data, struct demo_guest *guest, uint32_t state, int64_t since_ns)
{
	struct demo *demo = data;

	if (!demo->guest[guest->id])
		return;
	if (state == LINK_GUEST_RESETTING)
		demo_policy(demo, POLICY_GUEST_RESET, guest, 0);
	else if (state == LINK_GUEST_RUNNING)
		demo_policy(demo, POLICY_FIRST_FRAME, guest, 0);
}

static const struct demo_guest_events guest_events = {
	.state = guest_state,
};

static bool guest_start(struct demo *demo, enum demo_seat seat, GError **error)
{
	struct demo_guest *guest =
		demo_guest_start(&demo->config[seat], seat, &guest_events, demo, error);

	if (!guest)
		return false;
	demo->guest[seat] = guest;
	demo_guest_ask_stat(guest);
	demo_policy(demo, POLICY_GUEST_ADDED, guest, guest->config->share_class);
	/* A start is a boot like any other. */
	demo_policy(demo, POLICY_GUEST_RESET, guest, 0);
	if (guest->spice && guest->remote)
		printf("%s: remote-viewer spice+unix://%s\n", guest->config->name, guest->spice);
	return true;
}

/* The theater plays: numbers can be read from its picture. */
static bool theater_plays(struct demo *demo)
{
	struct metrics recent;

	if (demo->guest[DEMO_THEATER]->gone || demo->guest[DEMO_THEATER]->state == LINK_GUEST_CRASHED)
		return true;
	demo_leg_metrics(demo, DEMO_THEATER, 60, &recent);
	return recent.shown >= 20;
}

static bool study_shows(struct demo *demo)
{
	const struct demo_guest *study = demo->guest[DEMO_STUDY];

	return study->gone || study->state == LINK_GUEST_CRASHED || study->boots->len > 0 ||
		(study->state == LINK_GUEST_RUNNING && study->has_stat &&
			study->stat.first_frame_ns);
}

static bool guest_ready(struct demo *demo, enum demo_seat seat, bool (*ready)(struct demo *demo),
	GError **error)
{
	struct demo_guest *guest = demo->guest[seat];
	g_autofree char *log = NULL;
	bool came = demo_wait(demo, ready, START_WAIT_S);

	if (demo->stop)
		return false;
	if (came && !guest->gone && guest->state != LINK_GUEST_CRASHED) {
		demo_policy(demo, POLICY_FIRST_FRAME, guest, 0);
		return true;
	}
	log = demo_guest_log(guest);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "guest %s %s; its log ends with:\n%s",
		guest->config->name, guest->gone ? "ended" :
		guest->state == LINK_GUEST_CRASHED ? "crashed" : "shows nothing", log ? log : "");
	return false;
}

static bool legs_run(struct demo *demo, GError **error)
{
	static const char *const all[] = { "alone", "managed", "unmanaged" };

	if (!guest_start(demo, DEMO_THEATER, error) ||
		!guest_ready(demo, DEMO_THEATER, theater_plays, error))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
		bool wanted = demo->ab || (demo->unmanaged ? i == 2 : i == 1);

		if (!wanted)
			continue;
		demo->policy.managed = i != 2;
		demo_policy(demo, POLICY_TICK, NULL, 0);
		if (i && !demo->guest[DEMO_STUDY] && (!guest_start(demo, DEMO_STUDY, error) ||
			!guest_ready(demo, DEMO_STUDY, study_shows, error)))
			return false;
		if (!demo_leg_run(demo, all[i]))
			return false;
	}
	return true;
}

static gboolean end_asked(gpointer data)
{
	struct demo *demo = data;

	demo->stop = true;
	return G_SOURCE_CONTINUE;
}

static gboolean table_time(gpointer data)
{
	demo_table_draw(data);
	return G_SOURCE_CONTINUE;
}

/* A guest that still boots is told from one that has by its hunger for processors. */
static gboolean busy_time(gpointer data)
{
	struct demo *demo = data;

	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i] && demo_guest_look_busy(demo->guest[i]))
			demo_policy(demo, demo->guest[i]->busy ? POLICY_BUSY : POLICY_QUIET,
				demo->guest[i], 0);
	return G_SOURCE_CONTINUE;
}

static bool config_fill(struct demo *demo, const char *runtime, const char *folder, GError **error)
{
	static const char *const files[] = {
		"demo/kernel/hearth", "demo/initrd/initrd.cpio", "demo/clip/clip.ogv",
	};
	unsigned processors = host_processors();
	char *monitor = g_getenv("IRORI_VMM") ? g_strdup(g_getenv("IRORI_VMM"))
					      : runtime_program("irori-vmm");
	char *path[3];
	bool pulse;

	for (unsigned i = 0; i < 3; i++) {
		path[i] = runtime_file(files[i]);
		if (path[i] || g_getenv("IRORI_VMM"))
			continue;
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			"%s is missing; ./dev demo builds it", files[i]);
		return false;
	}
	if (!monitor) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "irori-vmm is missing");
		return false;
	}
	pulse = audio && !strcmp(audio, "pulse");
	if (!audio || !strcmp(audio, "auto")) {
		g_autofree char *socket =
			g_build_filename(g_get_user_runtime_dir(), "pulse", "native", NULL);

		pulse = g_getenv("PULSE_SERVER") || !access(socket, W_OK);
	}
	demo->result.study_vcpus = vcpus > 0 ? (unsigned)vcpus : CLAMP(processors * 4, 8, 64);
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		demo->config[i] = (struct demo_guest_config){
			.kernel = path[0], .initrd = path[1], .folder = folder, .runtime = runtime,
			.monitor = monitor, .spice = !no_spice, .memory_mib = MEMORY_MIB,
		};
	demo->config[DEMO_THEATER].name = "theater";
	demo->config[DEMO_THEATER].role = "plays the video";
	demo->config[DEMO_THEATER].init = "/player";
	demo->config[DEMO_THEATER].options = theater_options ? theater_options : "";
	demo->config[DEMO_THEATER].share_class = SHARE_VIDEO;
	demo->config[DEMO_THEATER].vcpus = 1;
	demo->config[DEMO_THEATER].disk = path[2];
	demo->config[DEMO_THEATER].pulse = pulse;
	demo->config[DEMO_STUDY].name = "study";
	demo->config[DEMO_STUDY].role = "reboots, again and again";
	demo->config[DEMO_STUDY].init = "/desktop";
	demo->config[DEMO_STUDY].options = study_options ? study_options : "";
	demo->config[DEMO_STUDY].share_class = SHARE_FAIR;
	demo->config[DEMO_STUDY].vcpus = demo->result.study_vcpus;
	return true;
}

static void host_facts(struct demo *demo)
{
	struct result *result = &demo->result;
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	result->metrics = (struct metrics_config){ .cadence = CADENCE, .period_ns = VBLANK_NS };
	result->started = g_date_time_format(now, "%Y-%m-%d %H:%M %Z");
	result->cpu_model = host_cpu_model();
	result->kernel = host_kernel();
	result->system = host_system();
	result->kvm = g_strdup(host_kvm_name(host_kvm()));
	result->sharing = g_strdup(cpu_share_how_name(cpu_share_how()));
	result->processors = host_processors();
	result->load_before = host_load();
}

static int results_write(struct demo *demo, const char *name)
{
	const char *folder = report_dir ? report_dir : "irori-report";
	g_autofree char *text = result_text(&demo->result);
	g_autofree char *json = result_json(&demo->result);
	GError *error = NULL;

	printf("\n%s", text);
	if (json_path && !strcmp(json_path, "-"))
		fputs(json, stdout);
	else if (json_path && !g_file_set_contents(json_path, json, -1, &error))
		return command_fail_error(EX_CANTCREAT, name, error);
	if (!report_write(&demo->result, folder, &error))
		return command_fail_error(EX_CANTCREAT, name, error);
	printf("\nThe report: %s/index.html\n", folder);
	if (demo->result.verdict == VERDICT_FAIL)
		return 1;
	return demo->ab && demo->result.verdict == VERDICT_INCONCLUSIVE ? 2 : EX_OK;
}

static int demo_play(struct demo *demo, const char *name)
{
	GError *error = NULL;
	guint term = g_unix_signal_add(SIGTERM, end_asked, demo);
	guint interrupt = g_unix_signal_add(SIGINT, end_asked, demo);
	guint hangup = g_unix_signal_add(SIGHUP, end_asked, demo);
	guint table = g_timeout_add(TABLE_MS, table_time, demo);
	guint busy = g_timeout_add(BUSY_MS, busy_time, demo);
	const struct sched_param urgent = { .sched_priority = 3 };
	int status = EX_OK;
	bool done;

	/* The policy must be heard when processors are short; children begin anew. */
	setpriority(PRIO_PROCESS, 0, -12);
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &urgent);
	done = legs_run(demo, &error);
	demo_table_end(demo);
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
	if (error)
		status = command_fail_error(EX_UNAVAILABLE, name, error);
	if (demo->result.n_legs) {
		struct meter_host host;
		int judged;

		meter_host(demo->guest[DEMO_THEATER]->meter, &host);
		demo->result.meter = g_strdup(host.scheduling);
		result_judge(&demo->result);
		demo_window_verdict(demo->shown, verdict_name(demo->result.verdict),
			demo->result.verdict == VERDICT_PASS);
		judged = results_write(demo, name);
		status = status ? status : judged;
	}
	if (done && keep)
		demo_wait(demo, NULL, INFINITY);
	if (demo->stop && !done && !status)
		status = 128 + SIGINT;
	g_source_remove(table);
	g_source_remove(busy);
	for (unsigned i = DEMO_GUESTS; i-- > 0;)
		demo_guest_stop(g_steal_pointer(&demo->guest[i]));
	demo_window_free(demo->shown);
	g_clear_handle_id(&demo->policy_timer, g_source_remove);
	g_source_remove(term);
	g_source_remove(interrupt);
	g_source_remove(hangup);
	return status;
}

static int arguments_check(const char *name)
{
	static const char *const sounds[] = { "auto", "null", "pulse", NULL };

	if (seconds < 1 || seconds > SECONDS_MAX)
		return command_fail(EX_USAGE, name, "--seconds is 1 to %d", SECONDS_MAX);
	if (reboots < 0 || reboots > 1000)
		return command_fail(EX_USAGE, name, "--reboots is 0 to 1000");
	if (vcpus < 0 || vcpus > 64)
		return command_fail(EX_USAGE, name, "--vcpus is 1 to 64");
	if (window && headless)
		return command_fail(EX_USAGE, name, "--window or --headless, not both");
	if (ab && unmanaged)
		return command_fail(EX_USAGE, name, "--ab has an unmanaged leg already");
	if (audio && !g_strv_contains(sounds, audio))
		return command_fail(EX_USAGE, name, "--audio is auto, null or pulse");
	return EX_OK;
}

static int demo_run(const char *name, char **args, int n)
{
	struct demo *demo = NULL;
	GError *error = NULL;
	g_autofree char *runtime = NULL, *folder = NULL;
	bool display = g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY");
	int status = arguments_check(name);

	if (status)
		return status;
	runtime = runtime_dir(&error);
	if (!runtime)
		return command_fail_error(EX_CANTCREAT, name, error);
	folder = g_strdup_printf("%s/demo-%d", runtime, (int)getpid());
	if (g_mkdir_with_parents(folder, 0700))
		return command_fail(EX_CANTCREAT, name, "%s: %s", folder, g_strerror(errno));
	demo = g_new0(struct demo, 1);
	demo->seconds = seconds;
	demo->reboots = reboots;
	demo->ab = ab;
	demo->unmanaged = unmanaged;
	demo->table_tty = isatty(STDOUT_FILENO);
	policy_init(&demo->policy, !unmanaged);
	host_facts(demo);
	if (!config_fill(demo, runtime, folder, &error))
		status = command_fail_error(EX_UNAVAILABLE, name, error);
	if (!status && (window || (display && !headless))) {
		demo->shown = demo_window_new(demo, &error);
		if (!demo->shown && window)
			status = command_fail_error(EX_UNAVAILABLE, name, error);
		else
			g_clear_error(&error);
	}
	if (!status)
		status = demo_play(demo, name);
	if (status == EX_OK || status == 1 || status == 2)
		for (unsigned i = 0; i < DEMO_GUESTS; i++) {
			g_autofree char *log =
				g_strdup_printf("%s/%s.log", folder, demo->config[i].name);

			g_unlink(log);
		}
	g_rmdir(folder);
	result_clear(&demo->result);
	g_free(demo);
	return status;
}

const struct command command_demo = {
	.name = "demo",
	.arguments = "",
	.help = "one guest reboots, the other keeps playing video",
	.more = "Exit status: 0 pass (or, without --ab, no frame was lost), 1 fail, 2 inconclusive.\n"
		"Guests' logs stay in $XDG_RUNTIME_DIR/irori/demo-PID if something went wrong.",
	.options = options,
	.run = demo_run,
};

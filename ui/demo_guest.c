/*
 * One guest of the demonstration; see demo_guest.h.
 */
#include "ui/demo_guest.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ui/attach.h"
#include "ui/host.h"
#include "ui/runtime.h"

#define VBLANK_NS 16666667ll

enum {
	CONNECT_MS = 10000,
	STOP_MS = 1500,
	LOG_TAIL = 1200, /* bytes */
};

static void welcomed(void *data, const struct link_welcome *welcome)
{
	struct demo_guest *guest = data;

	guest->welcomed = true;
	guest->state = welcome->state;
}

static void state_changed(void *data, const struct link_guest *news)
{
	struct demo_guest *guest = data;
	struct demo_boot *last = guest->boots->len ?
		&g_array_index(guest->boots, struct demo_boot, guest->boots->len - 1) : NULL;

	guest->state = news->state;
	if (news->state == LINK_GUEST_RESETTING) {
		struct demo_boot boot = { .reset_ns = news->since_ns };

		g_array_append_val(guest->boots, boot);
	} else if (news->state == LINK_GUEST_RUNNING && last && !last->frame_ns) {
		last->frame_ns = news->since_ns;
	}
	guest->events->state(guest->data, guest, news->state, news->since_ns);
}

static void stat_came(void *data, const struct link_stat *stat)
{
	struct demo_guest *guest = data;

	guest->stat = *stat;
	guest->stat_ns = g_get_monotonic_time() * 1000;
	guest->has_stat = true;
}

static const struct link_client_events link_events = {
	.welcome = welcomed,
	.guest = state_changed,
	.stat = stat_came,
};

static gboolean link_ready(gint fd, GIOCondition condition, gpointer data)
{
	struct demo_guest *guest = data;
	int ret;

	while ((ret = link_client_dispatch(guest->client)) > 0)
		;
	if (!ret)
		return G_SOURCE_CONTINUE;
	guest->gone = true;
	guest->state = LINK_GUEST_OFF;
	guest->events->state(guest->data, guest, LINK_GUEST_OFF, g_get_monotonic_time() * 1000);
	return G_SOURCE_REMOVE;
}

static char *config_text(const struct demo_guest *guest)
{
	const struct demo_guest_config *c = guest->config;
	GString *text = g_string_new("# Written by irori demo.\n");

	g_string_append_printf(text,
		"[Guest]\nName=%s\nMemory=%uM\nVcpus=%u\nKernel=%s\nInitrd=%s\nClass=%s\n"
		"Socket=%s\nCommandLine=init=%s cpus=%u %s\n",
		c->name, c->memory_mib, c->vcpus, c->kernel, c->initrd,
		share_class_name(c->share_class), guest->socket, c->init, c->vcpus, c->options);
	g_string_append(text, "\n[Gpu]\nWidth=1280\nHeight=720\n\n[Console]\nOutput=stdout\n"
		"\n[Sound]\nModel=virtio\n");
	if (c->disk)
		g_string_append_printf(text, "\n[Disk clip]\nPath=%s\nReadOnly=yes\n", c->disk);
	return g_string_free(text, FALSE);
}

/* In the child: it must not outlive us, and starts without our priority. */
static void child_setup(gpointer data)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpriority(PRIO_PROCESS, 0, 0);
}

static GSubprocess *spawn(const struct demo_guest *guest, const char *const *argv, GError **error)
{
	GSubprocessLauncher *launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
	int fd = g_open(guest->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	GSubprocess *child = NULL;

	if (fd < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", guest->log,
			g_strerror(errno));
	} else {
		g_subprocess_launcher_take_stdout_fd(launcher, dup(fd));
		g_subprocess_launcher_take_stderr_fd(launcher, fd);
		g_subprocess_launcher_set_child_setup(launcher, child_setup, NULL, NULL);
		child = g_subprocess_launcher_spawnv(launcher, argv, error);
	}
	g_object_unref(launcher);
	return child;
}

static bool vmm_spawn(struct demo_guest *guest, GError **error)
{
	g_autofree char *text = config_text(guest);
	g_autofree char *path =
		g_strdup_printf("%s/%s.conf", guest->config->folder, guest->config->name);
	const char *argv[] = { guest->config->monitor, path, NULL };

	if (!g_file_set_contents(path, text, -1, error))
		return false;
	guest->vmm = spawn(guest, argv, error);
	return guest->vmm != NULL;
}

/* Waits for the socket and sits down, also as the meter. */
static bool vmm_connect(struct demo_guest *guest, GError **error)
{
	int64_t end = g_get_monotonic_time() + CONNECT_MS * 1000ll;
	GError *why = NULL;

	for (;;) {
		g_clear_error(&why);
		guest->client = link_client_connect(guest->socket,
			LINK_WANT_CONTROL | LINK_WANT_DISPLAY, "supervisor", &link_events, guest,
			&why);
		if (guest->client || g_get_monotonic_time() > end)
			break;
		/* NULL means that it has been reaped: the monitor gave up. */
		g_main_context_iteration(NULL, FALSE);
		if (!g_subprocess_get_identifier(guest->vmm))
			break;
		g_usleep(5000);
	}
	while (guest->client && !guest->welcomed && g_get_monotonic_time() < end)
		if (link_client_wait(guest->client, 100) < 0)
			break;
	if (guest->welcomed)
		g_clear_error(&why);
	else if (!why)
		g_set_error(&why, G_IO_ERROR, G_IO_ERROR_FAILED, "it does not answer");
	if (!why) {
		guest->meter = meter_new(VBLANK_NS);
		if (meter_add(guest->meter, guest->socket, &why) == 0)
			meter_start(guest->meter, &why);
	}
	if (!why)
		return true;
	g_propagate_prefixed_error(error, why, "guest %s: ", guest->config->name);
	return false;
}

static void helpers_spawn(struct demo_guest *guest)
{
	g_autofree char *remote = guest->config->spice ? runtime_program("irori-remote") : NULL;
	g_autofree char *sound = guest->config->pulse ? runtime_program("irori-sound") : NULL;
	GError *error = NULL;

	if (remote) {
		g_autofree char *address = g_strconcat("unix:", guest->spice, NULL);
		const char *argv[] = { remote, guest->socket, "--spice", address, NULL };

		guest->remote = spawn(guest, argv, &error);
	}
	if (sound && !error) {
		const char *argv[] = { sound, "--name", guest->config->name, guest->socket, NULL };

		guest->sound = spawn(guest, argv, &error);
	}
	if (error) {
		g_message("%s: %s", guest->config->name, error->message);
		g_error_free(error);
	}
}

struct demo_guest *demo_guest_start(const struct demo_guest_config *config, uint32_t id,
	const struct demo_guest_events *events, void *data, GError **error)
{
	struct demo_guest *guest = g_new0(struct demo_guest, 1);

	guest->config = config;
	guest->events = events;
	guest->data = data;
	guest->id = id;
	guest->share_class = config->share_class;
	guest->boots = g_array_new(FALSE, FALSE, sizeof(struct demo_boot));
	guest->socket = g_strdup_printf("%s/%s.sock", config->runtime, config->name);
	guest->log = g_strdup_printf("%s/%s.log", config->folder, config->name);
	guest->spice = g_strdup_printf("%s/%s.spice", config->folder, config->name);
	if (!vmm_spawn(guest, error) || !vmm_connect(guest, error)) {
		g_autofree char *log = demo_guest_log(guest);

		if (log && *g_strstrip(log))
			g_prefix_error(error, "irori-vmm says:\n%s\n\n", log);
		demo_guest_stop(guest);
		return NULL;
	}
	guest->source = g_unix_fd_source_new(link_client_fd(guest->client), G_IO_IN | G_IO_HUP);
	g_source_set_callback(guest->source, G_SOURCE_FUNC(link_ready), guest, NULL);
	g_source_attach(guest->source, NULL);
	helpers_spawn(guest);
	return guest;
}

static bool child_ended(GSubprocess *child, int64_t wait_ms)
{
	int64_t end = g_get_monotonic_time() + wait_ms * 1000;

	while (g_subprocess_get_identifier(child)) {
		if (g_get_monotonic_time() > end)
			return false;
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(2000);
	}
	return true;
}

static void child_stop(GSubprocess **child, int64_t wait_ms)
{
	if (!*child)
		return;
	if (!child_ended(*child, wait_ms))
		g_subprocess_send_signal(*child, SIGTERM);
	if (!child_ended(*child, STOP_MS))
		g_subprocess_force_exit(*child);
	child_ended(*child, STOP_MS);
	g_clear_object(child);
}

void demo_guest_stop(struct demo_guest *guest)
{
	g_autofree char *conf = NULL;

	if (!guest)
		return;
	conf = g_strdup_printf("%s/%s.conf", guest->config->folder, guest->config->name);
	child_stop(&guest->remote, 0);
	child_stop(&guest->sound, 0);
	if (guest->source) {
		g_source_destroy(guest->source);
		g_source_unref(guest->source);
	}
	if (guest->client && !guest->gone)
		link_client_request(guest->client, LINK_VERB_POWEROFF, 0, 0);
	child_stop(&guest->vmm, guest->client ? STOP_MS : 0);
	meter_free(guest->meter);
	link_client_free(guest->client);
	g_unlink(conf);
	g_unlink(guest->spice);
	g_array_free(guest->boots, TRUE);
	g_free(guest->socket);
	g_free(guest->log);
	g_free(guest->spice);
	g_free(guest);
}

void demo_guest_set_class(struct demo_guest *guest, enum share_class share_class)
{
	guest->share_class = share_class;
	if (!guest->gone)
		link_client_request(guest->client, LINK_VERB_CLASS, share_class, 0);
}

void demo_guest_ask_stat(struct demo_guest *guest)
{
	guest->has_stat = false;
	if (!guest->gone)
		link_client_stat(guest->client);
}

bool demo_guest_look_busy(struct demo_guest *guest)
{
	pid_t pid = demo_guest_pid(guest);
	int64_t now = g_get_monotonic_time() * 1000;
	double wanted = pid ? host_cpu_seconds(pid) + host_run_delay(pid) : 0;
	double seconds = (double)(now - guest->wanted_ns) / 1e9;
	double processors = seconds > 0 ? (wanted - guest->wanted_s) / seconds : 0;
	bool before = guest->busy;

	if (guest->wanted_ns)
		guest->busy = processors > guest->config->vcpus * 0.5;
	guest->wanted_s = wanted;
	guest->wanted_ns = now;
	return guest->busy != before;
}

pid_t demo_guest_pid(const struct demo_guest *guest)
{
	const char *id = g_subprocess_get_identifier(guest->vmm);

	return id ? atoi(id) : 0;
}

struct picture demo_guest_picture(struct demo_guest *guest)
{
	struct picture view = attach_view(guest->client);

	return picture_copy(&view);
}

char *demo_guest_log(const struct demo_guest *guest)
{
	char *text = NULL, *tail;
	size_t len;

	if (!g_file_get_contents(guest->log, &text, &len, NULL))
		return NULL;
	tail = g_utf8_make_valid(len > LOG_TAIL ? text + len - LOG_TAIL : text, -1);
	g_free(text);
	return tail;
}

/*
 * Reset, power-off, pause, resume, crash: the machine's states and how it goes between them.
 */
#define G_LOG_DOMAIN "irori-control"

#include "vmm/control.h"

#include <errno.h>
#include <unistd.h>

#include "display/link_server.h"
#include "vmm/kvm.h"
#include "vmm/save.h"
#include "vmm/stats.h"
#include "vmm/vcpu.h"

enum {
	REQUESTS = MACHINE_WAIT_OVER + 1,
	LOG_PAUSE_NS = 50000000, /* a guest may reset itself thousands of times a second */
};

struct control {
	struct machine *machine;
	GSource *source;
	GMainLoop *loop;
	int pending; /* atomic: 1 << enum machine_request */
	const char *why[REQUESTS]; /* atomic */
	int exit_status; /* atomic */
	int save_fd;     /* atomic; -1: none */
	GMutex lock;
	GPtrArray *waits; /* under the lock: the host's reasons to stand still, oldest first */
	bool paused;      /* by a person */
	enum machine_state state;
	uint32_t resets;
	int64_t logged_ns;
	unsigned unlogged;
};

static void log_request(struct control *control, const char *name, const char *why)
{
	int64_t now = control->machine->now();

	if (control->logged_ns && now - control->logged_ns < LOG_PAUSE_NS) {
		control->unlogged++;
		return;
	}
	if (control->unlogged)
		g_message("%u requests in quick succession", control->unlogged);
	g_message("%s: %s", name, why);
	control->logged_ns = now;
	control->unlogged = 0;
}

static void state_set(struct control *control, enum machine_state state, enum link_guest_state shown)
{
	control->state = state;
	if (control->machine->link)
		link_server_set_state(control->machine->link, shown, control->resets);
}

static void processors_stop(struct control *control)
{
	vcpus_stop(control->machine->vcpus);
	vcpus_wait(control->machine->vcpus);
}

static void processors_go(struct control *control)
{
	state_set(control, MACHINE_RUNNING, LINK_GUEST_RUNNING);
	vcpus_go(control->machine->vcpus);
}

static const char *waits_for(struct control *control)
{
	const char *why;

	g_mutex_lock(&control->lock);
	why = control->waits->len > 0 ? control->waits->pdata[0] : NULL;
	g_mutex_unlock(&control->lock);
	return why;
}

/* Reasons come and go on any thread; what comes of them is do_wait's. */
static void wait_change(struct control *control, const char *why, bool over)
{
	GPtrArray *waits = control->waits;
	guint i;

	g_mutex_lock(&control->lock);
	if (!over)
		g_ptr_array_add(waits, (gpointer)why);
	else if (g_ptr_array_find(waits, why, &i))
		g_ptr_array_remove_index(waits, i);
	stats_waits(control->machine->stats, waits->len > 0 ? waits->pdata[0] : NULL);
	g_mutex_unlock(&control->lock);
}

static void do_off(struct control *control)
{
	processors_stop(control);
	state_set(control, MACHINE_OFF, LINK_GUEST_OFF);
	g_main_loop_quit(control->loop);
}

static void do_crashed(struct control *control)
{
	processors_stop(control);
	state_set(control, MACHINE_DEAD, LINK_GUEST_CRASHED);
	if (!control->machine->config->on_crash)
		return;
	g_atomic_int_set(&control->exit_status, MACHINE_EXIT_CRASHED);
	do_off(control);
}

/* In place: memory, chips and processors become new, as the devices are; process and seats stay. */
static int machine_renew(struct machine *machine)
{
	g_autoptr(GError) error = NULL;
	int rc = memory_clear(machine->memory);

	if (!rc)
		rc = kvm_reset_chips(machine->kvm);
	if (rc) {
		g_warning("reset: %s", g_strerror(-rc));
	} else if (!machine_boot(machine, &error)) {
		g_warning("reset: %s", error->message);
		rc = -EIO;
	}
	return rc;
}

static void do_wait(struct control *control)
{
	bool waits = waits_for(control);

	if (waits && control->state == MACHINE_RUNNING) {
		processors_stop(control);
		state_set(control, MACHINE_PAUSED, LINK_GUEST_PAUSED);
	} else if (!waits && control->state == MACHINE_PAUSED && !control->paused) {
		processors_go(control);
	}
}

static void do_reset(struct control *control)
{
	struct machine *machine = control->machine;
	int64_t begin = machine->now();

	processors_stop(control);
	control->paused = false;
	/* What a processor asked for on its way out was the old guest's. */
	g_atomic_int_and((guint *)&control->pending,
		~(1u << MACHINE_RESET | 1u << MACHINE_CRASHED));
	control->resets++;
	stats_reset(machine->stats, begin);
	/* In this order: what the seat thread was still showing is not the new guest's first picture. */
	machine_reset_devices(machine);
	state_set(control, MACHINE_RUNNING, LINK_GUEST_RESETTING);
	if (machine_renew(machine)) {
		do_crashed(control);
		return;
	}
	vcpus_go(machine->vcpus);
	do_wait(control); /* for what the new guest's devices cannot do without either */
	g_debug("reset %u took %.3f ms", control->resets, (double)(machine->now() - begin) / 1e6);
}

static void do_pause(struct control *control)
{
	if (control->state != MACHINE_RUNNING && control->state != MACHINE_PAUSED)
		return;
	control->paused = true;
	processors_stop(control);
	state_set(control, MACHINE_PAUSED, LINK_GUEST_PAUSED);
	/* One that resets itself as it is stopped is paused after that, and has not escaped. */
	if (g_atomic_int_get(&control->pending) & 1 << MACHINE_RESET)
		g_atomic_int_or((guint *)&control->pending, 1u << MACHINE_PAUSE);
}

/* Off when all of it is in the file; else it goes on, and the file says why. */
static void do_save(struct control *control)
{
	struct machine *machine = control->machine;
	enum machine_state before = control->state;
	g_autoptr(GError) error = NULL;
	bool saved = false;
	int fd = g_atomic_int_get(&control->save_fd);

	if (before == MACHINE_RUNNING || before == MACHINE_PAUSED) {
		processors_stop(control);
		state_set(control, MACHINE_PAUSED, LINK_GUEST_PAUSED);
		machine_hold(machine);
		saved = machine_save_to(machine, fd, &error);
		machine_release(machine);
	} else {
		save_refuse(fd, "the guest has crashed");
	}
	close(fd);
	g_atomic_int_set(&control->save_fd, -1);
	if (saved) {
		do_off(control);
		return;
	}
	g_warning("not saved: %s", error ? error->message : "the guest is not running");
	if (before == MACHINE_RUNNING)
		processors_go(control);
}

static void do_resume(struct control *control)
{
	const char *why = waits_for(control);

	control->paused = false;
	if (why)
		g_message("it goes on when the host can: %s", why);
	else if (control->state == MACHINE_PAUSED)
		processors_go(control);
}

/* In the order in which requests that wait together are served. */
static const struct {
	enum machine_request what;
	const char *name;
	void (*carry_out)(struct control *control);
} verbs[] = {
	{ MACHINE_POWEROFF, "power-off", do_off },
	{ MACHINE_CRASHED, "crash", do_crashed },
	{ MACHINE_RESET, "reset", do_reset },
	{ MACHINE_SAVE, "save", do_save },
	{ MACHINE_PAUSE, "pause", do_pause },
	{ MACHINE_RESUME, "resume", do_resume },
	{ MACHINE_WAIT, "wait", do_wait },
	{ MACHINE_WAIT_OVER, "wait is over", do_wait },
};

static gboolean control_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct control *control = data;

	g_source_set_ready_time(source, -1);
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs) && control->state != MACHINE_OFF; i++) {
		unsigned bit = 1u << verbs[i].what;

		if (!(g_atomic_int_and((guint *)&control->pending, ~bit) & bit))
			continue;
		log_request(control, verbs[i].name,
			g_atomic_pointer_get(&control->why[verbs[i].what]));
		verbs[i].carry_out(control);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean control_callback(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs control_funcs = {
	.dispatch = control_dispatch,
};

struct control *control_new(struct machine *machine)
{
	struct control *control = g_new0(struct control, 1);

	control->machine = machine;
	control->save_fd = -1;
	g_mutex_init(&control->lock);
	control->waits = g_ptr_array_new();
	control->state = MACHINE_PAUSED;
	control->loop = g_main_loop_new(machine->main_context, FALSE);
	control->source = g_source_new(&control_funcs, sizeof(GSource));
	g_source_set_priority(control->source, G_PRIORITY_HIGH);
	g_source_set_callback(control->source, control_callback, control, NULL);
	g_source_attach(control->source, machine->main_context);
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	g_source_destroy(control->source);
	g_source_unref(control->source);
	if (control->save_fd >= 0)
		close(control->save_fd);
	g_main_loop_unref(control->loop);
	g_ptr_array_unref(control->waits);
	g_mutex_clear(&control->lock);
	g_free(control);
}

void control_request(struct control *control, enum machine_request what, const char *why)
{
	bool waits = what == MACHINE_WAIT || what == MACHINE_WAIT_OVER;

	if (waits)
		wait_change(control, why, what == MACHINE_WAIT_OVER);
	/* Of pause and resume the later one counts. */
	if (what == MACHINE_PAUSE)
		g_atomic_int_and((guint *)&control->pending, ~(1u << MACHINE_RESUME));
	else if (what == MACHINE_RESUME)
		g_atomic_int_and((guint *)&control->pending, ~(1u << MACHINE_PAUSE));
	g_atomic_pointer_set(&control->why[what], why);
	/* Before the request can be seen: a stop that came after it was served would not be
	 * followed by anything that lets the processors go. */
	if (what != MACHINE_RESUME && what != MACHINE_PAUSE && !waits && control->machine->vcpus)
		vcpus_stop(control->machine->vcpus);
	g_atomic_int_or((guint *)&control->pending, 1u << what);
	g_source_set_ready_time(control->source, 0);
}

int control_save(struct control *control, int fd)
{
	if (!g_atomic_int_compare_and_exchange(&control->save_fd, -1, fd)) {
		close(fd);
		return -EBUSY;
	}
	control_request(control, MACHINE_SAVE, "asked over the seat link");
	return 0;
}

void control_exit_status(struct control *control, int status)
{
	g_atomic_int_set(&control->exit_status, status);
}

int control_run(struct control *control)
{
	processors_go(control);
	g_main_loop_run(control->loop);
	return g_atomic_int_get(&control->exit_status);
}

/*
 * The machine's states, with processors that only note what they are told: whatever comes between
 * whatever, a machine that is said to run does run.
 */
#include <errno.h>

#include "vmm/control.c"

#include <string.h>

#include "tests/unit/test.h"

/* In the place of vcpu.c, kvm.c and machine.c. */
static struct {
	bool running;
	unsigned resets;
	bool saves;
	void (*before_stop)(void);
} seen;

static struct machine pc;

void vcpus_stop(struct vcpus *vcpus)
{
	void (*before)(void) = seen.before_stop;

	seen.before_stop = NULL;
	if (before)
		before();
	seen.running = false;
}

void vcpus_go(struct vcpus *vcpus)
{
	seen.running = true;
}

void vcpus_wait(struct vcpus *vcpus)
{
}

unsigned vcpus_max(const struct vcpus *vcpus)
{
	return 1;
}

bool vcpus_present(const struct vcpus *vcpus, unsigned index)
{
	return index == 0;
}

int vcpus_plug(struct vcpus *vcpus, unsigned index)
{
	return -ERANGE;
}

void vcpus_unplug(struct vcpus *vcpus, unsigned index)
{
}

unsigned vcpus_count(const struct vcpus *vcpus)
{
	return 0;
}

struct vcpu *vcpus_get(struct vcpus *vcpus, unsigned index)
{
	return NULL;
}

const char *vcpu_counter_name(unsigned counter)
{
	return NULL;
}

int kvm_reset_chips(struct kvm *kvm)
{
	return 0;
}

void machine_resources(struct machine *machine, struct link_stat *stat)
{
}

void machine_reset_devices(struct machine *machine)
{
	seen.resets++;
}

void machine_hold(struct machine *machine)
{
}

void machine_release(struct machine *machine)
{
}

bool machine_save_to(struct machine *machine, int fd, GError **error)
{
	return seen.saves;
}

void save_refuse(int fd, const char *why)
{
}

bool machine_boot(struct machine *machine, GError **error)
{
	return true;
}

static int64_t now(void)
{
	return 0;
}

static void spin(void)
{
	while (g_main_context_iteration(pc.main_context, FALSE))
		;
}

static void start(void)
{
	static const struct guest_config config = { .name = "test" };

	memset(&seen, 0, sizeof(seen));
	pc = (struct machine){
		.config = &config,
		.memory = memory_new(4096, NULL),
		.main_context = g_main_context_new(),
		.now = now,
		.stats = stats_new(0),
		.vcpus = (struct vcpus *)&seen, /* nobody looks into it */
	};
	pc.control = control_new(&pc);
	pc.control->state = MACHINE_RUNNING;
	seen.running = true;
	spin();
}

static void stop(void)
{
	control_free(pc.control);
	stats_free(pc.stats);
	g_main_context_unref(pc.main_context);
	memory_free(pc.memory);
}

static void pause_and_resume(void)
{
	start();
	control_request(pc.control, MACHINE_PAUSE, "test");
	spin();
	test_assert(!seen.running);
	control_request(pc.control, MACHINE_RESUME, "test");
	spin();
	test_assert(seen.running);
	stop();
}

/* A person and the host can pause a guest, each for itself; it runs when neither does. */
static void two_who_pause(void)
{
	struct link_stat stat = { 0 };

	start();
	control_request(pc.control, MACHINE_WAIT, "disk a is full");
	control_request(pc.control, MACHINE_WAIT, "disk b is full");
	spin();
	test_assert(!seen.running);
	stats_fill(&pc, &stat);
	test_assert(!strcmp(stat.waits_for, "disk a is full"));
	control_request(pc.control, MACHINE_PAUSE, "test");
	spin();
	control_request(pc.control, MACHINE_WAIT_OVER, "disk a is full");
	spin();
	stats_fill(&pc, &stat);
	test_assert(!strcmp(stat.waits_for, "disk b is full"));
	control_request(pc.control, MACHINE_WAIT_OVER, "disk b is full");
	spin();
	test_assert(!seen.running); /* the person's */
	stats_fill(&pc, &stat);
	test_assert(!*stat.waits_for);
	control_request(pc.control, MACHINE_RESUME, "test");
	spin();
	test_assert(seen.running);
	stop();
}

static void nobody_resumes_what_waits(void)
{
	start();
	control_request(pc.control, MACHINE_WAIT, "disk \xc3\xa4: full");
	control_request(pc.control, MACHINE_WAIT_OVER, "another");
	spin();
	control_request(pc.control, MACHINE_RESUME, "test");
	spin();
	test_assert(!seen.running);
	control_request(pc.control, MACHINE_WAIT_OVER, "disk \xc3\xa4: full");
	spin();
	test_assert(seen.running);
	/* Over before anybody has looked. */
	control_request(pc.control, MACHINE_WAIT, "full");
	control_request(pc.control, MACHINE_WAIT_OVER, "full");
	spin();
	test_assert(seen.running);
	/* A reset lets it go, unless there is still something to wait for. */
	control_request(pc.control, MACHINE_PAUSE, "test");
	control_request(pc.control, MACHINE_WAIT, "full");
	spin();
	control_request(pc.control, MACHINE_RESET, "test");
	spin();
	test_assert(!seen.running);
	control_request(pc.control, MACHINE_WAIT_OVER, "full");
	spin();
	test_assert(seen.running);
	stop();
}

static void only_reset_revives_the_dead(void)
{
	start();
	control_request(pc.control, MACHINE_CRASHED, "test");
	spin();
	test_equal(pc.control->state, MACHINE_DEAD);
	control_request(pc.control, MACHINE_RESUME, "test");
	control_request(pc.control, MACHINE_PAUSE, "test");
	spin();
	test_assert(!seen.running);
	control_request(pc.control, MACHINE_RESET, "test");
	spin();
	test_assert(seen.running);
	test_equal(seen.resets, 1);
	stop();
}

/* The guest resets itself and all of that is over before the thread that asks goes on. */
static void guest_resets(void)
{
	g_atomic_int_or((guint *)&pc.control->pending, 1u << MACHINE_RESET);
	g_source_set_ready_time(pc.control->source, 0);
	spin();
}

static void asked_during_another_reset(void)
{
	start();
	seen.before_stop = guest_resets;
	control_request(pc.control, MACHINE_RESET, "test");
	spin();
	test_assert(seen.resets > 0);
	test_equal(pc.control->state, MACHINE_RUNNING);
	test_assert(seen.running);
	stop();
}

static void asks_for_reset(void)
{
	control_request(pc.control, MACHINE_RESET, "test");
}

static void reset_is_no_way_out_of_a_pause(void)
{
	start();
	seen.before_stop = asks_for_reset;
	control_request(pc.control, MACHINE_PAUSE, "test");
	spin();
	test_equal(seen.resets, 1);
	test_equal(pc.control->state, MACHINE_PAUSED);
	test_assert(!seen.running);
	stop();
}

static void saved_is_off_and_not_saved_goes_on(void)
{
	start();
	test_equal(control_save(pc.control, -1 - 1), 0); /* no file: it is only passed on */
	spin();
	test_equal(pc.control->state, MACHINE_RUNNING);
	test_assert(seen.running);
	seen.saves = true;
	test_equal(control_save(pc.control, -1 - 1), 0);
	test_equal(control_save(pc.control, -1 - 1), -EBUSY);
	spin();
	test_equal(pc.control->state, MACHINE_OFF);
	test_assert(!seen.running);
	stop();
}

int main(void)
{
	test_run(saved_is_off_and_not_saved_goes_on);
	test_run(pause_and_resume);
	test_run(two_who_pause);
	test_run(nobody_resumes_what_waits);
	test_run(only_reset_revives_the_dead);
	test_run(asked_during_another_reset);
	test_run(reset_is_no_way_out_of_a_pause);
	return 0;
}

/*
 * The processors' threads: the run loop, and stopping and starting all of them together.
 */
#define G_LOG_DOMAIN "irori-vcpu"

#include "vmm/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/kvm.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/stats.h"

enum vcpus_want {
	VCPUS_STOP,
	VCPUS_RUN,
	VCPUS_END,
};

struct vcpus {
	struct machine *machine;
	unsigned max;
	GMutex lock; /* of what follows, and of every immediate_exit */
	GCond changed;
	enum vcpus_want want;
	struct vcpu vcpu[]; /* [max] */
};

/* Under the lock: this processor has no business in the guest. */
static bool vcpu_rests(const struct vcpu *vcpu)
{
	enum vcpus_want want = vcpu->group->want;

	return want == VCPUS_STOP || (want == VCPUS_RUN && !vcpu->present);
}

/* Waits while the machine is stopped, or the processor unplugged. False: the thread is to end. */
static bool vcpu_park(struct vcpu *vcpu)
{
	struct vcpus *group = vcpu->group;
	bool go;

	g_mutex_lock(&group->lock);
	vcpu->pthread = pthread_self();
	vcpu->ready = true;
	vcpu->parked = true;
	g_cond_broadcast(&group->changed);
	while (vcpu_rests(vcpu))
		g_cond_wait(&group->changed, &group->lock);
	vcpu->parked = false;
	go = group->want == VCPUS_RUN;
	vcpu->run->immediate_exit = 0;
	g_mutex_unlock(&group->lock);
	return go;
}

/* The signal exists to interrupt KVM_RUN; there is nothing to do in it. */
static void kick_handler(int number)
{
}

static int kick_signal(void)
{
	return SIGRTMIN;
}

/* Whoever started us may have had it blocked. */
static void kick_unblock(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, kick_signal());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *vcpu_thread(void *data)
{
	struct vcpu *vcpu = data;
	struct stats *stats = vcpu->machine->stats;

	kick_unblock();
	stats_thread(stats, LINK_THREAD_VCPU);
	if (!vcpu_park(vcpu))
		return NULL;
	if (vcpu->index == 0)
		stats_first_entry(stats, vcpu->machine->now());
	for (;;) {
		bool inside = true;

		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			inside = vcpu_exit(vcpu);
		} else if (errno == EINTR) {
			vcpu->count[VCPU_COUNT_KICK]++;
			inside = false;
		} else if (errno != EAGAIN) { /* EAGAIN: a processor that waited got its INIT */
			inside = vcpu_crash(vcpu, g_strerror(errno));
		}
		if (!inside && !vcpu_park(vcpu))
			return NULL;
	}
}

static bool vcpu_new(struct vcpus *group, unsigned index, GError **error)
{
	struct vcpu *vcpu = &group->vcpu[index];
	struct kvm *kvm = group->machine->kvm;
	int rc;

	vcpu->machine = group->machine;
	vcpu->group = group;
	vcpu->index = index;
	vcpu->fd = rc = kvm_create_vcpu(kvm, index, &vcpu->run, &vcpu->run_len);
	if (rc >= 0)
		rc = kvm_set_cpuid(kvm, vcpu->fd, index, group->max);
	if (rc < 0)
		return fail_as(error, EX_UNAVAILABLE, "/dev/kvm: processor %u: %s", index,
			g_strerror(-rc));
	vcpu->initial = vcpu_state_save(vcpu, kvm);
	return true;
}

static void vcpu_free(struct vcpu *vcpu)
{
	if (vcpu->thread)
		g_thread_join(vcpu->thread);
	vcpu_state_free(vcpu->initial);
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_len);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
}

static bool vcpu_start(struct vcpu *vcpu, GError **error)
{
	char name[16];

	g_snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
	vcpu->thread = g_thread_try_new(name, vcpu_thread, vcpu, error);
	return vcpu->thread;
}

struct vcpus *vcpus_new(struct machine *machine, unsigned n, unsigned max, GError **error)
{
	struct vcpus *group = g_malloc0(sizeof(*group) + max * sizeof(group->vcpu[0]));
	struct sigaction action = { .sa_handler = kick_handler };
	bool good = true;

	group->machine = machine;
	group->max = max;
	g_mutex_init(&group->lock);
	g_cond_init(&group->changed);
	sigaction(kick_signal(), &action, NULL);
	for (unsigned i = 0; i < max; i++)
		group->vcpu[i].fd = -1;
	for (unsigned i = 0; good && i < n; i++) {
		group->vcpu[i].present = true;
		good = vcpu_new(group, i, error);
	}
	for (unsigned i = 0; good && i < n; i++)
		good = vcpu_start(&group->vcpu[i], error);
	if (good)
		return group;
	vcpus_free(group);
	return NULL;
}

/* Under the lock: gets it out of the guest. */
static void vcpu_kick(struct vcpu *vcpu)
{
	if (!vcpu->ready) /* has not been at vcpu_park yet, and will stay there */
		return;
	vcpu->run->immediate_exit = 1;
	pthread_kill(vcpu->pthread, kick_signal());
}

/* Sets what all of them shall do, and gets those that are in the guest out of it. */
static void vcpus_set(struct vcpus *group, enum vcpus_want want)
{
	g_mutex_lock(&group->lock);
	if (group->want != VCPUS_END)
		group->want = want;
	for (unsigned i = 0; want != VCPUS_RUN && i < group->max; i++)
		vcpu_kick(&group->vcpu[i]);
	g_cond_broadcast(&group->changed);
	g_mutex_unlock(&group->lock);
}

void vcpus_stop(struct vcpus *vcpus)
{
	vcpus_set(vcpus, VCPUS_STOP);
}

void vcpus_go(struct vcpus *vcpus)
{
	vcpus_set(vcpus, VCPUS_RUN);
}

void vcpus_wait(struct vcpus *vcpus)
{
	g_mutex_lock(&vcpus->lock);
	for (unsigned i = 0; i < vcpus->max; i++)
		while (vcpus->vcpu[i].thread && !vcpus->vcpu[i].parked)
			g_cond_wait(&vcpus->changed, &vcpus->lock);
	g_mutex_unlock(&vcpus->lock);
}

void vcpus_free(struct vcpus *vcpus)
{
	if (!vcpus)
		return;
	vcpus_set(vcpus, VCPUS_END);
	for (unsigned i = 0; i < vcpus->max; i++)
		vcpu_free(&vcpus->vcpu[i]);
	g_mutex_clear(&vcpus->lock);
	g_cond_clear(&vcpus->changed);
	g_free(vcpus);
}

unsigned vcpus_max(const struct vcpus *vcpus)
{
	return vcpus->max;
}

bool vcpus_present(const struct vcpus *vcpus, unsigned index)
{
	return index < vcpus->max && __atomic_load_n(&vcpus->vcpu[index].present, __ATOMIC_ACQUIRE);
}

unsigned vcpus_count(const struct vcpus *vcpus)
{
	unsigned n = 0;

	for (unsigned i = 0; i < vcpus->max; i++)
		n += vcpus_present(vcpus, i);
	return n;
}

struct vcpu *vcpus_get(struct vcpus *vcpus, unsigned index)
{
	struct vcpu *vcpu = index < vcpus->max ? &vcpus->vcpu[index] : NULL;

	return vcpu && __atomic_load_n(&vcpu->group, __ATOMIC_ACQUIRE) ? vcpu : NULL;
}

/* As new, when it has left the guest. Also one that is: only writing its local APIC lets the kernel
 * see that there is one more that interrupts can be sent to. */
static int vcpu_renew(struct vcpu *vcpu)
{
	g_mutex_lock(&vcpu->group->lock);
	while (!vcpu->parked)
		g_cond_wait(&vcpu->group->changed, &vcpu->group->lock);
	g_mutex_unlock(&vcpu->group->lock);
	return vcpu_state_restore(vcpu, vcpu->initial);
}

int vcpus_plug(struct vcpus *vcpus, unsigned index)
{
	struct vcpu *vcpu = index < vcpus->max ? &vcpus->vcpu[index] : NULL;
	g_autoptr(GError) error = NULL;
	int rc = 0;

	if (!vcpu)
		return -ERANGE;
	if (vcpu->present)
		return -EEXIST;
	if ((!vcpu->initial && !vcpu_new(vcpus, index, &error)) ||
		(!vcpu->thread && !vcpu_start(vcpu, &error)))
		rc = -EAGAIN;
	else
		rc = vcpu_renew(vcpu);
	if (error)
		g_warning("%s", error->message);
	if (rc)
		return rc;
	g_mutex_lock(&vcpus->lock);
	__atomic_store_n(&vcpu->present, true, __ATOMIC_RELEASE);
	g_cond_broadcast(&vcpus->changed);
	g_mutex_unlock(&vcpus->lock);
	return 0;
}

void vcpus_unplug(struct vcpus *vcpus, unsigned index)
{
	if (index == 0 || index >= vcpus->max)
		return;
	g_mutex_lock(&vcpus->lock);
	if (vcpus->vcpu[index].present) {
		__atomic_store_n(&vcpus->vcpu[index].present, false, __ATOMIC_RELEASE);
		vcpu_kick(&vcpus->vcpu[index]);
	}
	g_mutex_unlock(&vcpus->lock);
}

int vcpus_reset(struct vcpus *vcpus, const struct boot_entry *entry)
{
	for (unsigned i = 0; i < vcpus->max; i++) {
		struct vcpu *vcpu = &vcpus->vcpu[i];
		int rc = vcpu->present ? vcpu_state_restore(vcpu, vcpu->initial) : 0;

		if (!rc && i == 0)
			rc = vcpu_state_enter(vcpu, entry);
		if (rc)
			return rc;
	}
	return 0;
}

/* As many as there were: what this configuration begins with may be more or less. */
static void present_state(struct vcpus *vcpus, struct state *state)
{
	uint8_t present[KVM_MAX_VCPUS] = { 0 };

	for (unsigned i = 0; i < vcpus->max; i++)
		present[i] = vcpus->vcpu[i].present;
	state_section(state, "processors");
	STATE(state, present);
	for (unsigned i = 0; state_loading(state) && i < KVM_MAX_VCPUS; i++) {
		if (state_failed(state))
			return;
		if (present[i] > (i < vcpus->max) || (i == 0 && !present[i]))
			state_fail(state, "processor %u", i);
		else if (!present[i] && i < vcpus->max)
			vcpus_unplug(vcpus, i);
		else if (present[i] && !vcpus->vcpu[i].present && vcpus_plug(vcpus, i))
			state_fail(state, "processor %u cannot be made", i);
	}
}

void vcpus_state(struct vcpus *vcpus, struct state *state, int64_t slept_ns)
{
	present_state(vcpus, state);
	for (unsigned i = 0; i < vcpus->max && !state_failed(state); i++) {
		g_autofree char *name = g_strdup_printf("processor %u", i);

		if (!vcpus->vcpu[i].present)
			continue;
		state_section(state, name);
		vcpu_state_transfer(&vcpus->vcpu[i], vcpus->machine->kvm, state, slept_ns);
	}
}

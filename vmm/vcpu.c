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
	unsigned n;
	GMutex lock; /* of what follows, and of every immediate_exit */
	GCond changed;
	enum vcpus_want want;
	unsigned parked;
	struct vcpu vcpu[];
};

/* Waits while the machine is stopped. False: the thread is to end. */
static bool vcpu_park(struct vcpu *vcpu)
{
	struct vcpus *group = vcpu->group;
	bool go;

	g_mutex_lock(&group->lock);
	vcpu->pthread = pthread_self();
	vcpu->ready = true;
	group->parked++;
	g_cond_broadcast(&group->changed);
	while (group->want == VCPUS_STOP)
		g_cond_wait(&group->changed, &group->lock);
	group->parked--;
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
		rc = kvm_set_cpuid(kvm, vcpu->fd, index, group->n);
	if (rc < 0) {
		g_set_error(error, g_quark_from_static_string("irori-kvm"), -rc,
			"/dev/kvm: processor %u: %s", index, g_strerror(-rc));
		return false;
	}
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

static bool vcpus_start(struct vcpus *group, GError **error)
{
	struct sigaction action = { .sa_handler = kick_handler };

	sigaction(kick_signal(), &action, NULL);
	for (unsigned i = 0; i < group->n; i++) {
		char name[16];

		g_snprintf(name, sizeof(name), "vcpu%u", i);
		group->vcpu[i].thread = g_thread_try_new(name, vcpu_thread, &group->vcpu[i], error);
		if (!group->vcpu[i].thread)
			return false;
	}
	return true;
}

struct vcpus *vcpus_new(struct machine *machine, unsigned n, GError **error)
{
	struct vcpus *group = g_malloc0(sizeof(*group) + n * sizeof(group->vcpu[0]));
	bool good = true;

	group->machine = machine;
	group->n = n;
	g_mutex_init(&group->lock);
	g_cond_init(&group->changed);
	for (unsigned i = 0; i < n; i++)
		group->vcpu[i].fd = -1;
	for (unsigned i = 0; good && i < n; i++)
		good = vcpu_new(group, i, error);
	if (good && vcpus_start(group, error))
		return group;
	vcpus_free(group);
	return NULL;
}

/* Sets what all of them shall do, and gets those that are in the guest out of it. */
static void vcpus_set(struct vcpus *group, enum vcpus_want want)
{
	g_mutex_lock(&group->lock);
	if (group->want != VCPUS_END)
		group->want = want;
	for (unsigned i = 0; want != VCPUS_RUN && i < group->n; i++) {
		struct vcpu *vcpu = &group->vcpu[i];

		if (!vcpu->ready) /* has not been at vcpu_park yet, and will stay there */
			continue;
		vcpu->run->immediate_exit = 1;
		pthread_kill(vcpu->pthread, kick_signal());
	}
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
	while (vcpus->parked < vcpus->n)
		g_cond_wait(&vcpus->changed, &vcpus->lock);
	g_mutex_unlock(&vcpus->lock);
}

void vcpus_free(struct vcpus *vcpus)
{
	if (!vcpus)
		return;
	vcpus_set(vcpus, VCPUS_END);
	for (unsigned i = 0; i < vcpus->n; i++)
		vcpu_free(&vcpus->vcpu[i]);
	g_mutex_clear(&vcpus->lock);
	g_cond_clear(&vcpus->changed);
	g_free(vcpus);
}

unsigned vcpus_count(const struct vcpus *vcpus)
{
	return vcpus->n;
}

struct vcpu *vcpus_get(struct vcpus *vcpus, unsigned index)
{
	return index < vcpus->n ? &vcpus->vcpu[index] : NULL;
}

int vcpus_reset(struct vcpus *vcpus, const struct boot_entry *entry)
{
	for (unsigned i = 0; i < vcpus->n; i++) {
		struct vcpu *vcpu = &vcpus->vcpu[i];
		int rc = vcpu_state_restore(vcpu, vcpu->initial);

		if (!rc && i == 0)
			rc = vcpu_state_enter(vcpu, entry);
		if (rc)
			return rc;
	}
	return 0;
}

void vcpus_state(struct vcpus *vcpus, struct state *state, int64_t slept_ns)
{
	for (unsigned i = 0; i < vcpus->n && !state_failed(state); i++) {
		g_autofree char *name = g_strdup_printf("processor %u", i);

		state_section(state, name);
		vcpu_state_transfer(&vcpus->vcpu[i], vcpus->machine->kvm, state, slept_ns);
	}
}

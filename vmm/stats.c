/*
 * Times, threads and exit counts of one guest.
 */
#define G_LOG_DOMAIN "irori-stats"

#include "vmm/stats.h"

#include <string.h>
#include <unistd.h>

#include "gpu-share/cpu.h"
#include "vmm/machine.h"
#include "vmm/sound.h"
#include "vmm/vcpu.h"

struct stats *stats_new(int64_t started_ns)
{
	struct stats *stats = g_new0(struct stats, 1);

	g_mutex_init(&stats->lock);
	stats->started_ns = started_ns;
	stats->share_class = SHARE_FAIR;
	return stats;
}

void stats_free(struct stats *stats)
{
	if (!stats)
		return;
	g_mutex_clear(&stats->lock);
	g_free(stats);
}

/* Under the lock. */
static int share_apply(const struct stats *stats, const struct link_thread *thread)
{
	if (thread->role != LINK_THREAD_VCPU)
		return cpu_share_apply(thread->tid, CPU_ROLE_DEVICE, stats->share_class);
	return cpu_share_apply(thread->tid, CPU_ROLE_VCPU,
		cpu_share_vcpus(stats->share_class, stats->n_vcpus, g_get_num_processors()));
}

static int share_apply_all(const struct stats *stats)
{
	int result = 0;

	for (unsigned i = 0; i < stats->n_threads; i++) {
		int rc = share_apply(stats, &stats->thread[i]);

		if (rc && !result)
			result = rc;
	}
	return result;
}

void stats_thread(struct stats *stats, enum link_thread_role role)
{
	struct link_thread thread = { .tid = gettid(), .role = role };

	if (!stats)
		return;
	g_mutex_lock(&stats->lock);
	if (stats->n_threads < LINK_MAX_THREADS) {
		stats->thread[stats->n_threads++] = thread;
		stats->n_vcpus += role == LINK_THREAD_VCPU;
		share_apply_all(stats); /* one vCPU more may change what all of them get */
	}
	g_mutex_unlock(&stats->lock);
}

void stats_first_entry(struct stats *stats, int64_t now)
{
	g_mutex_lock(&stats->lock);
	if (!stats->first_entry_ns) {
		stats->first_entry_ns = now;
		g_debug("first entry into the guest %.3f ms after the start",
			(double)(now - stats->started_ns) / 1e6);
	}
	g_mutex_unlock(&stats->lock);
}

void stats_reset(struct stats *stats, int64_t now)
{
	g_mutex_lock(&stats->lock);
	stats->reset_ns = now;
	stats->reboots++;
	g_mutex_unlock(&stats->lock);
}

void stats_waits(struct stats *stats, const char *why)
{
	g_mutex_lock(&stats->lock);
	stats->waits_for = why;
	g_mutex_unlock(&stats->lock);
}

int stats_share(struct stats *stats, enum share_class share_class)
{
	int result;

	g_mutex_lock(&stats->lock);
	stats->share_class = share_class;
	result = share_apply_all(stats);
	g_mutex_unlock(&stats->lock);
	return result;
}

/* The name of a disk may be in it, and terminals get it: printable ASCII. */
static void fill_waits(char *to, const char *why, size_t len)
{
	g_strlcpy(to, why ? why : "", len);
	for (; *to; to++)
		if (*to < 0x20 || *to >= 0x7f)
			*to = '?';
}

static void fill_exits(struct vcpus *vcpus, struct link_stat *stat)
{
	for (unsigned c = 0; c < VCPU_COUNTERS && stat->n_exits < LINK_MAX_EXITS; c++) {
		const char *name = vcpu_counter_name(c);
		uint64_t sum = 0;

		for (unsigned i = 0; name && i < vcpus_max(vcpus); i++) {
			const struct vcpu *vcpu = vcpus_get(vcpus, i);

			if (vcpu)
				sum += __atomic_load_n(&vcpu->count[c], __ATOMIC_RELAXED);
		}
		if (!sum)
			continue;
		g_strlcpy(stat->exits[stat->n_exits].reason, name,
			sizeof(stat->exits[stat->n_exits].reason));
		stat->exits[stat->n_exits++].count = sum;
	}
}

static void fill_sound(struct sound_card *sound, struct link_stat *stat)
{
	struct sound_counters counters;

	sound->ops->counters(sound, &counters);
	stat->audio_periods = counters.periods;
	stat->audio_underruns = counters.underruns;
}

void stats_fill(struct machine *machine, struct link_stat *stat)
{
	struct stats *stats = machine->stats;

	if (machine->config->name)
		g_strlcpy(stat->name, machine->config->name, sizeof(stat->name));
	stat->pid = getpid();
	machine_resources(machine, stat);
	stat->n_exits = 0;
	if (machine->vcpus)
		fill_exits(machine->vcpus, stat);
	if (machine->sound)
		fill_sound(machine->sound, stat);
	g_mutex_lock(&stats->lock);
	stat->started_ns = stats->started_ns;
	stat->first_entry_ns = stats->first_entry_ns;
	stat->reset_ns = stats->reset_ns;
	stat->reboots = stats->reboots;
	stat->share_class = stats->share_class;
	fill_waits(stat->waits_for, stats->waits_for, sizeof(stat->waits_for));
	stat->n_threads = stats->n_threads;
	memcpy(stat->threads, stats->thread, stats->n_threads * sizeof(stat->threads[0]));
	g_mutex_unlock(&stats->lock);
}

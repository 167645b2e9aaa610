/*
 * The processors: a thread each, and the handshake that stops them all.
 *
 * Stopping never sleeps and never loses a race: vcpus_stop() sets `immediate_exit` in every
 * processor's page and signals its thread, so KVM_RUN returns whether the thread was in it, on its
 * way in or on its way out. A thread parks only after KVM_RUN has returned EINTR, that is, when the
 * result of its last port or MMIO access has been taken over by the kernel: registers of a parked
 * processor are whole.
 *
 * Thread: new, free, wait, reset, go on the main thread; stop from any, processors' own included;
 * the others see below.
 */
#ifndef IRORI_VMM_VCPU_H
#define IRORI_VMM_VCPU_H

#include <glib.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/boot.h"

struct kvm;
struct machine;
struct state;
struct vcpus;
struct vcpu_state;

/* Counters: one for each KVM_EXIT_*, and what is worth telling apart. */
enum vcpu_counter {
	VCPU_KVM_EXITS = 48, /* below: by the kernel's number */
	VCPU_COUNT_IN = VCPU_KVM_EXITS,
	VCPU_COUNT_OUT,
	VCPU_COUNT_MMIO_READ,
	VCPU_COUNT_MMIO_WRITE,
	VCPU_COUNT_KICK,    /* KVM_RUN was interrupted by us */
	VCPU_COUNT_UNKNOWN, /* a number we do not know */
	VCPU_COUNTERS
};

struct vcpu {
	struct machine *machine;
	struct vcpus *group;
	unsigned index;
	int fd;
	struct kvm_run *run;
	size_t run_len;
	struct vcpu_state *initial; /* what reset goes back to */
	GThread *thread;
	pthread_t pthread;
	/* Under the group's lock: */
	bool ready;   /* pthread is set */
	bool present; /* plugged in; a processor that was plugged out stays parked */
	bool parked;
	uint64_t count[VCPU_COUNTERS]; /* written by its thread only, read by any */
};

/* Makes n processors and their threads, stopped; there may be `max` of them one day. */
struct vcpus *vcpus_new(struct machine *machine, unsigned n, unsigned max, GError **error);
void vcpus_free(struct vcpus *vcpus);

unsigned vcpus_count(const struct vcpus *vcpus); /* that are plugged in */
unsigned vcpus_max(const struct vcpus *vcpus);
bool vcpus_present(const struct vcpus *vcpus, unsigned index);
/* Processor `index`, also one that was plugged out; NULL: there has never been one. */
struct vcpu *vcpus_get(struct vcpus *vcpus, unsigned index);

/* A processor more, as after power-on: it waits for INIT. It runs when the others do. 0, -EEXIST,
 * -ERANGE or what the kernel says. Any thread but processors' own, one at a time. */
int vcpus_plug(struct vcpus *vcpus, unsigned index);
/* It enters the guest no more; the thread stays. Any thread, its own included: it then leaves the
 * guest after the exit that it is in. Processor 0 stays. */
void vcpus_unplug(struct vcpus *vcpus, unsigned index);

void vcpus_stop(struct vcpus *vcpus);
void vcpus_wait(struct vcpus *vcpus); /* until every thread is parked */
void vcpus_go(struct vcpus *vcpus);
/* All registers as after power-on; processor 0 at the entry, the others wait for INIT. */
int vcpus_reset(struct vcpus *vcpus, const struct boot_entry *entry);

/* exit.c: handles what KVM_RUN returned with; false: stay out of the guest and park. */
bool vcpu_exit(struct vcpu *vcpu);
/* Marks the guest crashed: registers and code to the log. Always false, for the handlers above. */
bool vcpu_crash(struct vcpu *vcpu, const char *why);
/* Name of a counter, or NULL if there is none by this number. */
const char *vcpu_counter_name(unsigned counter);

/* All of them, to or from a saved guest that slept `slept_ns`; they are parked. */
void vcpus_state(struct vcpus *vcpus, struct state *state, int64_t slept_ns);

/* vcpu_state.c */
struct vcpu_state *vcpu_state_save(const struct vcpu *vcpu, const struct kvm *kvm);
int vcpu_state_restore(const struct vcpu *vcpu, const struct vcpu_state *state);
int vcpu_state_enter(const struct vcpu *vcpu, const struct boot_entry *entry);
void vcpu_state_transfer(const struct vcpu *vcpu, const struct kvm *kvm, struct state *state,
	int64_t slept_ns);
void vcpu_state_free(struct vcpu_state *state);
char *vcpu_state_describe(const struct vcpu *vcpu); /* for the log; g_free */

#endif

/*
 * Who comes first: the policy of sharing, as a pure function.
 *
 * policy_step(state, event, now) -> actions. No clock is read, nothing is allocated, times are
 * integer nanoseconds: the same code runs the machine, its tests and a replay of a recorded trace.
 *
 * This first form turns what a guest is (its class) and what it is doing (running, rebooting) into
 * weights for CPU and display work. A rebooting guest is idle-class for everything in one
 * transition. The GPU leases of DESIGN section 6 will be more events and actions of this function.
 */
#ifndef IRORI_GPU_SHARE_POLICY_H
#define IRORI_GPU_SHARE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum share_class {
	SHARE_VIDEO,       /* bound to the scanout: must not miss a vblank */
	SHARE_INTERACTIVE, /* a person is using it */
	SHARE_FAIR,        /* the default */
	SHARE_IDLE,        /* what is left over */
	SHARE_CLASSES
};

enum {
	POLICY_MAX_GUESTS = 64,
	/* Longest a reboot keeps a guest in the idle class if it never shows a frame. */
	POLICY_BOOT_LIMIT_S = 30,
	/* For so long after its first frame, and after it came to rest, a rebooted guest still counts
	 * as rebooting: a boot screen is not the end of a boot. A person who types into what has
	 * settled but not come to rest ends the boot at once. For the video class the frame is enough. */
	POLICY_SETTLE_MS = 500,
	/* A seat's key or pointer event makes its guest interactive for so long. */
	POLICY_INPUT_BOOST_MS = 250,
};

enum policy_event_type {
	POLICY_GUEST_ADDED,   /* share_class: what its configuration says */
	POLICY_GUEST_GONE,
	POLICY_GUEST_RESET,   /* it began to reboot */
	POLICY_FIRST_FRAME,   /* first frame after the reset */
	POLICY_INPUT,         /* a person typed or pointed */
	POLICY_SET_CLASS,     /* share_class: a person changed it */
	POLICY_TICK,          /* time has passed; see policy.next_ns */
	POLICY_BUSY,          /* most of its virtual processors want to run */
	POLICY_QUIET,         /* no longer */
};

struct policy_event {
	enum policy_event_type type;
	uint32_t guest; /* caller's number, not reused while the guest lives */
	enum share_class share_class;
};

/* From now on this guest is of this effective class. */
struct policy_action {
	uint32_t guest;
	enum share_class share_class;
};

struct policy_guest {
	uint32_t id;
	bool used, booting, framed, busy;
	enum share_class configured, effective;
	int64_t reset_ns, frame_ns, quiet_ns, input_ns;
};

struct policy {
	bool managed; /* false: every guest is SHARE_FAIR, for the control leg */
	struct policy_guest guest[POLICY_MAX_GUESTS];
	int64_t next_ns; /* when a POLICY_TICK is due; INT64_MAX: never */
};

struct policy_actions {
	unsigned n;
	struct policy_action action[POLICY_MAX_GUESTS];
};

void policy_init(struct policy *policy, bool managed);
/* Fills `actions` with the guests whose effective class changes; a guest that was added is one. 0, or
 * -ENOSPC for one guest too many, -EEXIST for one that is there, -ENOENT for an unknown guest, -EINVAL
 * for no such class; then nothing changes. `managed` may be flipped between steps. */
int policy_step(struct policy *policy, const struct policy_event *event, int64_t now,
	struct policy_actions *actions);

const char *share_class_name(enum share_class share_class);
bool share_class_parse(const char *name, enum share_class *share_class);

#endif

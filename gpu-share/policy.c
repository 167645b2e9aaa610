/*
 * The sharing policy, see policy.h. A step applies the event, then works out afresh what every
 * guest's class is now: time that has passed is seen by any event, POLICY_TICK only makes sure that
 * there is one.
 */
#include "gpu-share/policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define MS 1000000ll
#define S 1000000000ll
/* Far enough back that no boost of it can still last, near enough that sums do not overflow. */
#define NEVER (INT64_MIN / 2)

static const char *const class_names[SHARE_CLASSES] = {
	[SHARE_VIDEO] = "video",
	[SHARE_INTERACTIVE] = "interactive",
	[SHARE_FAIR] = "fair",
	[SHARE_IDLE] = "idle",
};

const char *share_class_name(enum share_class share_class)
{
	return (unsigned)share_class < SHARE_CLASSES ? class_names[share_class] : "unknown";
}

bool share_class_parse(const char *name, enum share_class *share_class)
{
	for (unsigned i = 0; i < SHARE_CLASSES; i++) {
		if (!strcmp(name, class_names[i])) {
			*share_class = i;
			return true;
		}
	}
	return false;
}

void policy_init(struct policy *policy, bool managed)
{
	memset(policy, 0, sizeof(*policy));
	policy->managed = managed;
	policy->next_ns = INT64_MAX;
}

static struct policy_guest *guest_find(struct policy *policy, uint32_t id)
{
	for (unsigned i = 0; i < POLICY_MAX_GUESTS; i++)
		if (policy->guest[i].used && policy->guest[i].id == id)
			return &policy->guest[i];
	return NULL;
}

static int guest_add(struct policy *policy, const struct policy_event *event)
{
	if (guest_find(policy, event->guest))
		return -EEXIST;
	for (unsigned i = 0; i < POLICY_MAX_GUESTS; i++) {
		if (policy->guest[i].used)
			continue;
		policy->guest[i] = (struct policy_guest){
			.id = event->guest,
			.used = true,
			.configured = event->share_class,
			.effective = SHARE_CLASSES, /* none yet: the first is a change */
			.quiet_ns = NEVER,
			.input_ns = NEVER,
		};
		return 0;
	}
	return -ENOSPC;
}

static int event_apply(struct policy *policy, const struct policy_event *event, int64_t now)
{
	struct policy_guest *guest;

	if (event->type == POLICY_TICK)
		return 0;
	if ((event->type == POLICY_GUEST_ADDED || event->type == POLICY_SET_CLASS) &&
		(unsigned)event->share_class >= SHARE_CLASSES)
		return -EINVAL;
	if (event->type == POLICY_GUEST_ADDED)
		return guest_add(policy, event);
	guest = guest_find(policy, event->guest);
	if (!guest)
		return -ENOENT;
	switch (event->type) {
	case POLICY_GUEST_GONE:
		*guest = (struct policy_guest){ 0 };
		return 0;
	case POLICY_GUEST_RESET:
		guest->booting = true;
		guest->framed = false;
		guest->reset_ns = now;
		return 0;
	case POLICY_FIRST_FRAME:
		if (guest->booting && !guest->framed) {
			guest->framed = true;
			guest->frame_ns = now;
		}
		return 0;
	case POLICY_INPUT:
		guest->input_ns = now;
		return 0;
	case POLICY_BUSY:
		guest->busy = true;
		return 0;
	case POLICY_QUIET:
		if (guest->busy)
			guest->quiet_ns = now;
		guest->busy = false;
		return 0;
	case POLICY_SET_CLASS:
		guest->configured = event->share_class;
		return 0;
	case POLICY_GUEST_ADDED:
	case POLICY_TICK:
		break;
	}
	return -EINVAL;
}

/* When the reboot counts as over, as things stand. */
static int64_t boot_end(const struct policy_guest *guest)
{
	int64_t limit = guest->reset_ns + POLICY_BOOT_LIMIT_S * S;
	int64_t settled = guest->frame_ns + POLICY_SETTLE_MS * MS;
	int64_t rested = guest->quiet_ns + POLICY_SETTLE_MS * MS;

	if (!guest->framed)
		return limit;
	if (guest->input_ns >= settled)
		return settled;
	/* Held back, a player wants the processor all the time: it would never come to rest. */
	if (guest->configured == SHARE_VIDEO)
		return settled < limit ? settled : limit;
	if (guest->busy)
		return limit;
	settled = rested > settled ? rested : settled;
	return settled < limit ? settled : limit;
}

/* What the guest's class is at `now`; *until is lowered to the time at which that may change. */
static enum share_class guest_class(struct policy_guest *guest, int64_t now, int64_t *until)
{
	int64_t end;

	if (guest->booting) {
		end = boot_end(guest);
		if (now < end) {
			*until = end < *until ? end : *until;
			return SHARE_IDLE;
		}
		guest->booting = false;
	}
	end = guest->input_ns + POLICY_INPUT_BOOST_MS * MS;
	if (now < end && guest->configured > SHARE_INTERACTIVE) {
		*until = end < *until ? end : *until;
		return SHARE_INTERACTIVE;
	}
	return guest->configured;
}

int policy_step(struct policy *policy, const struct policy_event *event, int64_t now,
	struct policy_actions *actions)
{
	int ret = event_apply(policy, event, now);

	actions->n = 0;
	if (ret)
		return ret;
	policy->next_ns = INT64_MAX;
	for (unsigned i = 0; i < POLICY_MAX_GUESTS; i++) {
		struct policy_guest *guest = &policy->guest[i];
		enum share_class is;

		if (!guest->used)
			continue;
		/* Unmanaged guests are still followed, so that the mode could be switched. */
		is = guest_class(guest, now, &policy->next_ns);
		if (!policy->managed)
			is = SHARE_FAIR;
		if (is == guest->effective)
			continue;
		guest->effective = is;
		actions->action[actions->n++] = (struct policy_action){ guest->id, is };
	}
	return 0;
}

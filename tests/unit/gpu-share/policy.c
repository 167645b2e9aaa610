/*
 * The sharing policy as tables: what happens, when, and what class each guest must be of then.
 */
#include "gpu-share/policy.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

#define MS 1000000ll
#define S 1000000000ll
#define SAME SHARE_CLASSES /* no action expected */

struct step {
	enum policy_event_type type;
	uint32_t guest;
	enum share_class share_class; /* of the event */
	int64_t at;
	enum share_class expect; /* of the same guest, or SAME */
	int64_t next;
};

static void steps_run(const struct step *steps, unsigned n, bool managed)
{
	struct policy policy;
	struct policy_actions actions;

	policy_init(&policy, managed);
	for (unsigned i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		struct policy_event event = { s->type, s->guest, s->share_class };

		test_equal(policy_step(&policy, &event, s->at, &actions), 0);
		test_equal(actions.n, s->expect == SAME ? 0 : 1);
		if (actions.n)
			test_equal(actions.action[0].share_class, s->expect);
		test_equal(policy.next_ns, s->next);
	}
}

static void reboot_is_idle_at_once(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_INTERACTIVE, 0, SHARE_INTERACTIVE, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 1 * S, SHARE_IDLE, 31 * S },
		{ POLICY_INPUT, 1, 0, 1 * S + MS, SAME, 31 * S }, /* no boost for a boot */
		{ POLICY_FIRST_FRAME, 1, 0, 2 * S, SAME, 2500 * MS },
		{ POLICY_FIRST_FRAME, 1, 0, 2 * S + MS, SAME, 2500 * MS }, /* only the first counts */
		{ POLICY_TICK, 0, 0, 2500 * MS - 1, SAME, 2500 * MS },
		{ POLICY_TICK, 0, 0, 2500 * MS, SHARE_INTERACTIVE, INT64_MAX },
		{ POLICY_FIRST_FRAME, 1, 0, 3 * S, SAME, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void boot_limit(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_FAIR, 0, SHARE_FAIR, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 0, SHARE_IDLE, 30 * S },
		{ POLICY_TICK, 0, 0, 30 * S - 1, SAME, 30 * S },
		{ POLICY_TICK, 0, 0, 30 * S, SHARE_FAIR, INT64_MAX },
		/* A boot loop starts the limit anew each time. */
		{ POLICY_GUEST_RESET, 1, 0, 40 * S, SHARE_IDLE, 70 * S },
		{ POLICY_GUEST_RESET, 1, 0, 60 * S, SAME, 90 * S },
		/* A first frame just before the limit does not lengthen it. */
		{ POLICY_FIRST_FRAME, 1, 0, 90 * S - MS, SAME, 90 * S },
		{ POLICY_TICK, 0, 0, 90 * S, SHARE_FAIR, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void boot_screen_is_not_the_end(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_FAIR, 0, SHARE_FAIR, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 10 * S, SHARE_IDLE, 40 * S },
		{ POLICY_FIRST_FRAME, 1, 0, 10100 * MS, SAME, 10600 * MS },
		{ POLICY_BUSY, 1, 0, 10250 * MS, SAME, 40 * S },
		{ POLICY_TICK, 0, 0, 12 * S, SAME, 40 * S },
		/* A short rest is not the end either. */
		{ POLICY_QUIET, 1, 0, 12 * S, SAME, 12500 * MS },
		{ POLICY_BUSY, 1, 0, 12250 * MS, SAME, 40 * S },
		{ POLICY_QUIET, 1, 0, 13 * S, SAME, 13500 * MS },
		{ POLICY_QUIET, 1, 0, 13250 * MS, SAME, 13500 * MS }, /* no news */
		{ POLICY_TICK, 0, 0, 13500 * MS, SHARE_FAIR, INT64_MAX },
		/* Work after the boot is not a boot. */
		{ POLICY_BUSY, 1, 0, 15 * S, SAME, INT64_MAX },
		{ POLICY_QUIET, 1, 0, 16 * S, SAME, INT64_MAX },
		/* Busy for ever: the limit. */
		{ POLICY_GUEST_RESET, 1, 0, 20 * S, SHARE_IDLE, 50 * S },
		{ POLICY_BUSY, 1, 0, 20 * S, SAME, 50 * S },
		{ POLICY_FIRST_FRAME, 1, 0, 21 * S, SAME, 50 * S },
		{ POLICY_TICK, 0, 0, 50 * S, SHARE_FAIR, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void a_player_need_not_rest(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_VIDEO, 0, SHARE_VIDEO, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 10 * S, SHARE_IDLE, 40 * S },
		{ POLICY_BUSY, 1, 0, 10 * S, SAME, 40 * S },
		{ POLICY_FIRST_FRAME, 1, 0, 11 * S, SAME, 11500 * MS },
		{ POLICY_TICK, 0, 0, 11500 * MS, SHARE_VIDEO, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void a_person_ends_a_boot(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_FAIR, 0, SHARE_FAIR, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 10 * S, SHARE_IDLE, 40 * S },
		{ POLICY_BUSY, 1, 0, 10 * S, SAME, 40 * S },
		{ POLICY_INPUT, 1, 0, 10050 * MS, SAME, 40 * S }, /* nothing to see yet */
		{ POLICY_FIRST_FRAME, 1, 0, 10100 * MS, SAME, 40 * S },
		{ POLICY_INPUT, 1, 0, 10200 * MS, SAME, 40 * S }, /* a boot menu, perhaps */
		{ POLICY_INPUT, 1, 0, 10700 * MS, SHARE_INTERACTIVE, 10950 * MS },
		{ POLICY_TICK, 0, 0, 10950 * MS, SHARE_FAIR, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void input_boost(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 7, SHARE_FAIR, 0, SHARE_FAIR, INT64_MAX },
		{ POLICY_INPUT, 7, 0, 1 * S, SHARE_INTERACTIVE, 1250 * MS },
		{ POLICY_INPUT, 7, 0, 1100 * MS, SAME, 1350 * MS },
		{ POLICY_TICK, 0, 0, 1350 * MS, SHARE_FAIR, INT64_MAX },
		/* A person may lower a guest; typing in it lifts it still. */
		{ POLICY_SET_CLASS, 7, SHARE_IDLE, 2 * S, SHARE_IDLE, INT64_MAX },
		{ POLICY_INPUT, 7, 0, 3 * S, SHARE_INTERACTIVE, 3250 * MS },
		/* Never down: video stays video. */
		{ POLICY_SET_CLASS, 7, SHARE_VIDEO, 3100 * MS, SHARE_VIDEO, INT64_MAX },
		{ POLICY_INPUT, 7, 0, 4 * S, SAME, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void class_set_while_booting(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_FAIR, 0, SHARE_FAIR, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 0, SHARE_IDLE, 30 * S },
		{ POLICY_SET_CLASS, 1, SHARE_VIDEO, MS, SAME, 30 * S },
		{ POLICY_FIRST_FRAME, 1, 0, 2 * MS, SAME, 502 * MS },
		{ POLICY_TICK, 0, 0, 600 * MS, SHARE_VIDEO, INT64_MAX },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), true);
}

static void unmanaged_is_fair_always(void)
{
	static const struct step steps[] = {
		{ POLICY_GUEST_ADDED, 1, SHARE_VIDEO, 0, SHARE_FAIR, INT64_MAX },
		{ POLICY_GUEST_RESET, 1, 0, 0, SAME, 30 * S },
		{ POLICY_SET_CLASS, 1, SHARE_IDLE, MS, SAME, 30 * S },
		{ POLICY_INPUT, 1, 0, 2 * MS, SAME, 30 * S },
	};

	steps_run(steps, sizeof(steps) / sizeof(*steps), false);
}

static void others_are_untouched(void)
{
	struct policy policy;
	struct policy_actions actions;

	policy_init(&policy, true);
	for (uint32_t i = 0; i < 3; i++)
		policy_step(&policy, &(struct policy_event){ POLICY_GUEST_ADDED, i, SHARE_VIDEO }, 0,
			&actions);
	policy_step(&policy, &(struct policy_event){ POLICY_GUEST_RESET, 1, 0 }, 1, &actions);
	test_equal(actions.n, 1);
	test_equal(actions.action[0].guest, 1);
	policy_step(&policy, &(struct policy_event){ POLICY_GUEST_GONE, 1, 0 }, 2, &actions);
	test_equal(actions.n, 0);
	test_equal(policy.next_ns, INT64_MAX);
	/* Its number may come back as another guest. */
	policy_step(&policy, &(struct policy_event){ POLICY_GUEST_ADDED, 1, SHARE_FAIR }, 3, &actions);
	test_equal(actions.n, 1);
	test_equal(actions.action[0].share_class, SHARE_FAIR);
}

static void errors_change_nothing(void)
{
	struct policy policy, before;
	struct policy_actions actions;
	struct policy_event add = { POLICY_GUEST_ADDED, 0, SHARE_FAIR };
	const struct {
		struct policy_event event;
		int ret;
	} wrong[] = {
		{ { POLICY_GUEST_ADDED, 1000, SHARE_FAIR }, -ENOSPC },
		{ { POLICY_GUEST_ADDED, 5, SHARE_FAIR }, -EEXIST },
		{ { POLICY_GUEST_ADDED, 1000, SHARE_CLASSES }, -EINVAL },
		{ { POLICY_SET_CLASS, 5, 77 }, -EINVAL },
		{ { POLICY_GUEST_RESET, 1000, 0 }, -ENOENT },
		{ { POLICY_FIRST_FRAME, 1000, 0 }, -ENOENT },
		{ { POLICY_INPUT, 1000, 0 }, -ENOENT },
		{ { POLICY_GUEST_GONE, 1000, 0 }, -ENOENT },
		{ { 99, 5, 0 }, -EINVAL },
	};

	policy_init(&policy, true);
	for (add.guest = 0; add.guest < POLICY_MAX_GUESTS; add.guest++)
		test_equal(policy_step(&policy, &add, 0, &actions), 0);
	before = policy;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		test_equal(policy_step(&policy, &wrong[i].event, 5, &actions), wrong[i].ret);
		test_equal(actions.n, 0);
		test_assert(!memcmp(&policy, &before, sizeof(policy)));
	}
}

/* Two replays of one random trace end in the same bytes, and no guest is ever of no class. */
static void replay_is_exact(void)
{
	static struct policy policy[2];
	struct policy_actions actions[2];
	uint64_t random = 42;
	int64_t now = 0;

	policy_init(&policy[0], true);
	policy_init(&policy[1], true);
	for (unsigned i = 0; i < 200000; i++) {
		struct policy_event event;
		int ret[2];

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		event.type = (random >> 33) % 9;
		event.guest = (random >> 40) % 80;
		event.share_class = (random >> 50) % SHARE_CLASSES;
		now += (random >> 55) * MS;
		for (unsigned k = 0; k < 2; k++)
			ret[k] = policy_step(&policy[k], &event, now, &actions[k]);
		test_equal(ret[0], ret[1]);
		test_equal(actions[0].n, actions[1].n);
		for (unsigned k = 0; k < actions[0].n; k++)
			test_assert(actions[0].action[k].share_class < SHARE_CLASSES);
		test_assert(ret[0] || policy[0].next_ns > now);
		if (!ret[0] && event.type == POLICY_GUEST_RESET)
			for (unsigned k = 0; k < POLICY_MAX_GUESTS; k++)
				if (policy[0].guest[k].used && policy[0].guest[k].id == event.guest)
					test_equal(policy[0].guest[k].effective, SHARE_IDLE);
	}
	test_assert(!memcmp(&policy[0], &policy[1], sizeof(policy[0])));
}

static void names(void)
{
	enum share_class found;

	for (unsigned i = 0; i < SHARE_CLASSES; i++) {
		test_assert(share_class_parse(share_class_name(i), &found));
		test_equal(found, i);
	}
	test_assert(!share_class_parse("realtime", &found));
	test_assert(!share_class_parse("", &found));
	test_assert(!strcmp(share_class_name(SHARE_CLASSES), "unknown"));
}

int main(void)
{
	test_run(reboot_is_idle_at_once);
	test_run(boot_limit);
	test_run(boot_screen_is_not_the_end);
	test_run(a_player_need_not_rest);
	test_run(a_person_ends_a_boot);
	test_run(input_boost);
	test_run(class_set_while_booting);
	test_run(unmanaged_is_fair_always);
	test_run(others_are_untouched);
	test_run(errors_change_nothing);
	test_run(replay_is_exact);
	test_run(names);
	return 0;
}

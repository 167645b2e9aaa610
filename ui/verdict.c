/*
 * The verdict: a list of questions in the order of how much they say; the first that has an answer
 * gives it.
 */
#include "ui/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "fail",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
	};

	return names[verdict];
}

static enum verdict __attribute__((format(printf, 3, 4)))
say(char why[VERDICT_WHY], enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, VERDICT_WHY, format, args);
	va_end(args);
	return verdict;
}

/* Late frames that `leg` may have: those of the leg alone, in proportion, and a thousandth. */
static double allowance(const struct verdict_leg *alone, const struct verdict_leg *leg)
{
	double frames = (double)leg->video.expected, allowed = frames * VERDICT_PER_MILLE / 1000;

	if (alone->present && alone->video.expected)
		allowed += (double)alone->video.late * frames / (double)alone->video.expected;
	return allowed;
}

/* The same for late and skipped together, for the control leg. */
static double allowance_lost(const struct verdict_leg *alone, const struct verdict_leg *leg)
{
	double allowed = allowance(alone, leg);

	if (alone->present && alone->video.expected)
		allowed += (double)alone->video.skipped * (double)leg->video.expected /
			(double)alone->video.expected;
	return allowed;
}

/* Is the picture what it says it is, in every leg? A broken meter must not pass for a good result. */
static bool picture_is_sound(const struct verdict_leg *leg, const char *name, char *why,
	enum verdict *verdict)
{
	const struct metrics *video = &leg->video;

	if (!leg->present)
		return true;
	*verdict = VERDICT_FAIL;
	if (leg->crashed)
		say(why, *verdict, "A guest crashed in the leg \"%s\".", name);
	else if (!video->shown)
		say(why, *verdict, "No frame was seen on the scanout in the leg \"%s\".", name);
	else if (video->stalled > VERDICT_STALL_VBLANKS)
		say(why, *verdict, "The video stood still at the end of the leg \"%s\".", name);
	else if (video->restarts)
		say(why, *verdict, "The player's count began anew in the leg \"%s\".", name);
	else if (video->mismatched)
		say(why, *verdict, "In the leg \"%s\" %" PRIu64 " frames did not carry the number "
			"that was burnt into the clip.", name, video->mismatched);
	else if (video->clip_read * 2 < video->shown)
		say(why, *verdict = VERDICT_INCONCLUSIVE, "The clip's own frame numbers could not "
			"be read in the leg \"%s\": the player's count is unproved.", name);
	else
		return true;
	return false;
}

static bool managed_is_good(const struct verdict_input *in, char *why, enum verdict *verdict)
{
	const struct metrics *video = &in->managed.video;
	double allowed = allowance(&in->alone, &in->managed);
	bool host;

	if (!video->skipped && (double)video->late <= allowed)
		return true;
	host = video->skipped == video->skipped_host &&
		(double)(video->late - video->late_host) <= allowed;
	*verdict = say(why, host ? VERDICT_INCONCLUSIVE : VERDICT_FAIL,
		"With Irori's priorities %" PRIu64 " frames were skipped and %" PRIu64 " of %" PRIu64
		" were late; allowed are 0 and %.1f (%" PRIu64 " late alone, plus 0.1 %%).%s",
		video->skipped, video->late, video->expected, allowed, in->alone.video.late,
		host ? " All that is too much came while the host took processors away." : "");
	return false;
}

enum verdict verdict_reach(const struct verdict_input *in, char why[VERDICT_WHY])
{
	const struct verdict_leg *managed = &in->managed, *control = &in->unmanaged;
	uint64_t lost = control->video.late + control->video.skipped;
	enum verdict verdict = VERDICT_FAIL;

	if (!managed->present)
		return say(why, VERDICT_INCONCLUSIVE,
			"There was no leg with Irori's priorities on: nothing was put to the proof.");
	if (!picture_is_sound(&in->alone, "alone", why, &verdict) ||
		!picture_is_sound(managed, "managed", why, &verdict) ||
		!picture_is_sound(control, "unmanaged", why, &verdict) ||
		!managed_is_good(in, why, &verdict))
		return verdict;
	if (managed->reboots < VERDICT_REBOOTS)
		return say(why, VERDICT_INCONCLUSIVE, "No frame was lost, but the other guest "
			"rebooted only %u times; %d are needed.", managed->reboots,
			VERDICT_REBOOTS);
	if (!in->alone.present || !control->present)
		return say(why, VERDICT_INCONCLUSIVE, "No frame was lost over %u reboots, but "
			"without the legs \"alone\" and \"unmanaged\" (--ab) that proves nothing.",
			managed->reboots);
	if (lost < VERDICT_CONTROL_MIN || (double)lost <= allowance_lost(&in->alone, control))
		return say(why, VERDICT_INCONCLUSIVE, "No frame was lost, but without Irori's "
			"priorities it was hardly different (%" PRIu64 " of %" PRIu64
			"): the load was too small to prove anything.", lost,
			control->video.expected);
	return say(why, VERDICT_PASS, "Over %u reboots of the other guest no frame was skipped and "
		"%" PRIu64 " of %" PRIu64 " were late (%" PRIu64 " alone). Without Irori's priorities "
		"%" PRIu64 " of %" PRIu64 " were lost.", managed->reboots, managed->video.late,
		managed->video.expected, in->alone.video.late, lost, control->video.expected);
}

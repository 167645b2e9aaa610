/*
 * What a demonstration's figures prove, as a pure function.
 *
 * It passes if the managed leg skipped no frame and had at most as many late frames as the leg alone
 * (in proportion to the legs' lengths) and 0.1 % of its frames, over at least VERDICT_REBOOTS reboots
 * of the other guest, and if the unmanaged leg, the control, did lose more than that: otherwise
 * there was nothing to protect the video from, and the verdict is "inconclusive".
 *
 * Frames that were lost while the host took processors away count like all others. Only where they
 * alone make the difference the verdict is "inconclusive" instead of "fail", and says so.
 *
 * Thread: any.
 */
#ifndef IRORI_UI_VERDICT_H
#define IRORI_UI_VERDICT_H

#include <stdbool.h>

#include "display/metrics.h"

enum {
	VERDICT_REBOOTS = 10,
	VERDICT_PER_MILLE = 1, /* late frames, of all frames, on top of those of the leg alone */
	VERDICT_STALL_VBLANKS = 60, /* a frame so long overdue at a leg's end will not come */
	VERDICT_CONTROL_MIN = 3, /* fewer lost frames than this in the control are chance */
};

enum verdict {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_INCONCLUSIVE,
};

/* One leg: the watched guest's frames, the other guest's reboots. */
struct verdict_leg {
	bool present;
	struct metrics video;
	unsigned reboots;
	bool crashed; /* either guest */
};

struct verdict_input {
	struct verdict_leg alone, managed, unmanaged;
};

enum { VERDICT_WHY = 512 };

/* `why` is one or two sentences for people. */
enum verdict verdict_reach(const struct verdict_input *input, char why[VERDICT_WHY]);
const char *verdict_name(enum verdict verdict);

#endif

/*
 * A gamepad from evdev.
 * Source: linux/input.h; Documentation/input/event-codes.rst on SYN_DROPPED.
 */
#include "input/gamepad.h"

#include "input/pad_map.h"

#include <errno.h>
#include <linux/input.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	GAMEPAD_READ = 64,  /* events at a time */
	GAMEPAD_TURNS = 16, /* and then others have theirs */
};

struct gamepad {
	int fd;
	bool dropped; /* the kernel had no room: what comes up to the next report is void */
	uint8_t abs[PAD_ABS_BYTES];
	struct pad_map map;
};

typedef void gamepad_emit(void *data, const struct seat_event *event);

static void gamepad_range(int fd, struct pad_bits *bits, unsigned code)
{
	struct input_absinfo info;

	if (!(bits->abs[code / 8] >> code % 8 & 1) || ioctl(fd, EVIOCGABS(code), &info) < 0)
		return;
	bits->range[code] = (struct pad_range){info.minimum, info.maximum, info.flat};
}

struct gamepad *gamepad_new(int fd)
{
	struct pad_bits *bits = calloc(1, sizeof(*bits));
	struct gamepad *pad = calloc(1, sizeof(*pad));

	if (!bits || !pad)
		goto out;
	if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(bits->key)), bits->key) < 0 ||
		ioctl(fd, EVIOCGBIT(EV_ABS, sizeof(bits->abs)), bits->abs) < 0 || !pad_is(bits)) {
		free(pad);
		pad = NULL;
		errno = ENODEV;
		goto out;
	}
	for (unsigned code = 0; code < ABS_CNT; code++)
		gamepad_range(fd, bits, code);
	pad->fd = fd;
	memcpy(pad->abs, bits->abs, sizeof(pad->abs));
	pad_map_init(&pad->map, bits);
	ioctl(fd, EVIOCGRAB, 1);
out:
	if (!bits) {
		free(pad);
		pad = NULL;
	}
	free(bits);
	return pad;
}

void gamepad_free(struct gamepad *pad)
{
	if (pad)
		ioctl(pad->fd, EVIOCGRAB, 0);
	free(pad);
}

static void gamepad_say(struct gamepad *pad, uint16_t type, uint16_t code, int32_t value,
	gamepad_emit *emit, void *data)
{
	struct seat_event event;

	if (pad_map_event(&pad->map, type, code, value, &event))
		emit(data, &event);
}

/* Events were lost: everything as it is now. */
static void gamepad_resync(struct gamepad *pad, gamepad_emit *emit, void *data)
{
	uint8_t key[PAD_KEY_BYTES] = {0};
	struct input_absinfo info;

	if (ioctl(pad->fd, EVIOCGKEY(sizeof(key)), key) < 0)
		return;
	/* Sides of the cross last: the ones that are up must not undo those that are down. */
	for (int down = 0; down <= 1; down++)
		for (unsigned code = 0; code < KEY_CNT; code++)
			if ((key[code / 8] >> code % 8 & 1) == down)
				gamepad_say(pad, EV_KEY, (uint16_t)code, down, emit, data);
	for (unsigned code = 0; code < ABS_CNT; code++)
		if (pad->abs[code / 8] >> code % 8 & 1 && ioctl(pad->fd, EVIOCGABS(code), &info) >= 0)
			gamepad_say(pad, EV_ABS, (uint16_t)code, info.value, emit, data);
}

static void gamepad_event(struct gamepad *pad, const struct input_event *event, gamepad_emit *emit,
	void *data)
{
	static const struct seat_event frame = {.type = SEAT_PAD_FRAME};

	if (event->type == EV_SYN && event->code == SYN_DROPPED) {
		pad->dropped = true;
	} else if (event->type == EV_SYN && event->code == SYN_REPORT) {
		if (pad->dropped)
			gamepad_resync(pad, emit, data);
		pad->dropped = false;
		emit(data, &frame);
	} else if (!pad->dropped) {
		gamepad_say(pad, event->type, event->code, event->value, emit, data);
	}
}

int gamepad_read(struct gamepad *pad, gamepad_emit *emit, void *data)
{
	struct input_event events[GAMEPAD_READ];

	for (unsigned turn = 0; turn < GAMEPAD_TURNS; turn++) {
		ssize_t got = read(pad->fd, events, sizeof(events));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!got)
			return -ENODEV;
		for (size_t i = 0; i < (size_t)got / sizeof(events[0]); i++)
			gamepad_event(pad, &events[i], emit, data);
	}
	return 0;
}

/*
 * The seat port: how a guest's devices see the seats that are attached to the guest.
 *
 * This is an interface. virtio-gpu, virtio-input and virtio-snd in vmm/ call it and are called by
 * it; display/link_server.c is the real thing (any number of seats over the seat link, with null
 * clocks when none is attached); unit tests put a fake behind it.
 *
 * Thread: everything here, calls and events, happens on the guest's seat thread (docs/threads.md).
 * Neither side blocks in a call.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. Pixels are 32-bit little endian, first byte blue
 * (DRM_FORMAT_XRGB8888), rows top down.
 */
#ifndef IRORI_DISPLAY_PORT_H
#define IRORI_DISPLAY_PORT_H

#include <linux/input-event-codes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seat_port;

enum port_limits {
	PORT_MAX_SIDE = 8192,   /* pixels, width or height of a buffer */
	PORT_HEADS = 4,         /* monitors that a guest may have, each with a picture of its own */
	PORT_MAX_STREAMS = 2,   /* 0 is playback, 1 is capture */
	PORT_MAX_PCM = 16384,   /* bytes in one audio message */
};

struct rect {
	uint32_t x, y, width, height;
};

struct port_size {
	uint32_t width, height;
};

/* A picture in shared memory. The device owns fd; the port duplicates what it keeps. */
struct port_buffer {
	uint32_t id; /* not 0, unique in a guest until buffer_gone */
	int fd;      /* memfd, sealed against shrinking */
	uint32_t width, height, stride; /* stride in bytes */
};

/* One presentation request: from now on the seat shows `source` of the buffer on that head. */
struct port_frame {
	uint64_t seq;       /* of the head's: counts up by one, starts at 1, survives a guest's reset */
	uint32_t head;      /* below PORT_HEADS */
	uint32_t buffer;    /* 0: the scanout is off, seats show black */
	struct rect source; /* the part of the buffer that fills the scanout */
	struct rect damage; /* within the buffer: what changed since the frame before */
	int64_t flush_ns;   /* when the guest's flush was carried out */
	bool boot;          /* firmware's or a console's: the guest's own driver shows nothing yet */
};

enum input_device {
	INPUT_KEYBOARD,
	INPUT_TABLET, /* absolute pointer, ABS_X and ABS_Y in 0..32767 */
	INPUT_MOUSE,  /* relative pointer */
	/* Fingers, MT type B: ABS_MT_SLOT 0..9, ABS_MT_TRACKING_ID (-1: lifted), ABS_MT_POSITION_X and
	 * _Y in 0..32767. In each report the slot comes before what is said of it. BTN_TOUCH, any
	 * finger at all, is made on the way; a source need not send it. */
	INPUT_TOUCH,
	/* A pad as the kernel's gamepad page has it, the same for everybody whatever is plugged in:
	 * buttons BTN_SOUTH..BTN_THUMBR and BTN_TRIGGER_HAPPY1, sticks ABS_X, _Y, _RX, _RY, triggers
	 * ABS_Z, _RZ, the cross ABS_HAT0X, _Y. All axes rest at 0. */
	INPUT_GAMEPAD,
	INPUT_DEVICES
};

enum port_input_limits {
	PORT_AXIS_MAX = 32767,
	PORT_TOUCHES = 10,
	PORT_TOUCH_IDS = 65536,
	PORT_STICK_MIN = -32768,
	PORT_STICK_MAX = 32767,
	PORT_TRIGGER_MAX = 1023,
	PORT_PAD_AXES = ABS_HAT0Y + 1, /* codes below; some have no axis */
};

/* The range of an absolute axis; false: the device has no such axis. */
static inline bool port_axis(unsigned device, unsigned code, int32_t *min, int32_t *max)
{
	static const struct {
		uint16_t device, code;
		int32_t min, max;
	} axes[] = {
		{INPUT_TABLET, ABS_X, 0, PORT_AXIS_MAX},
		{INPUT_TABLET, ABS_Y, 0, PORT_AXIS_MAX},
		{INPUT_TOUCH, ABS_MT_SLOT, 0, PORT_TOUCHES - 1},
		{INPUT_TOUCH, ABS_MT_TRACKING_ID, -1, PORT_TOUCH_IDS - 1},
		{INPUT_TOUCH, ABS_MT_POSITION_X, 0, PORT_AXIS_MAX},
		{INPUT_TOUCH, ABS_MT_POSITION_Y, 0, PORT_AXIS_MAX},
		{INPUT_GAMEPAD, ABS_X, PORT_STICK_MIN, PORT_STICK_MAX},
		{INPUT_GAMEPAD, ABS_Y, PORT_STICK_MIN, PORT_STICK_MAX},
		{INPUT_GAMEPAD, ABS_Z, 0, PORT_TRIGGER_MAX},
		{INPUT_GAMEPAD, ABS_RX, PORT_STICK_MIN, PORT_STICK_MAX},
		{INPUT_GAMEPAD, ABS_RY, PORT_STICK_MIN, PORT_STICK_MAX},
		{INPUT_GAMEPAD, ABS_RZ, 0, PORT_TRIGGER_MAX},
		{INPUT_GAMEPAD, ABS_HAT0X, -1, 1},
		{INPUT_GAMEPAD, ABS_HAT0Y, -1, 1},
	};

	for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++) {
		if (axes[i].device != device || axes[i].code != code)
			continue;
		*min = axes[i].min;
		*max = axes[i].max;
		return true;
	}
	return false;
}

static inline bool port_pad_button(unsigned code)
{
	return (code >= BTN_SOUTH && code <= BTN_THUMBR) || code == BTN_TRIGGER_HAPPY1;
}

/* As in linux/input-event-codes.h; a report ends with EV_SYN, SYN_REPORT. */
struct port_input {
	uint16_t device; /* enum input_device */
	uint16_t type, code;
	int32_t value;
};

/* Sample format is S16 little endian, interleaved. */
struct port_audio_format {
	uint32_t rate; /* frames a second */
	uint32_t channels;
	uint32_t period_bytes; /* what the guest hands over at a time */
};

/* What devices may ask of the seats. */
struct seat_port_ops {
	/* A buffer that frames may name from now on. 0, or -errno and the buffer is unknown. */
	int (*buffer)(struct seat_port *port, const struct port_buffer *buffer);
	/* No later frame names it. Unknown ids are ignored. */
	void (*buffer_gone)(struct seat_port *port, uint32_t id);
	/* Show this. `presented` follows exactly once for each seq of a head, in order, at the next
	 * vblank of that head at the seat that is the clock, or of the null clock. */
	void (*frame)(struct seat_port *port, const struct port_frame *frame);
	/* Hardware cursor of a head: an ARGB premultiplied buffer, its upper left corner at x, y; or 0
	 * for none. */
	void (*cursor)(struct seat_port *port, unsigned head, uint32_t buffer, int32_t x, int32_t y,
		uint32_t hot_x, uint32_t hot_y);
	/* Keyboard LEDs: bit n is LED code n. */
	void (*leds)(struct seat_port *port, uint32_t leds);
	/* Start, stop a stream. Starting a started stream replaces its format. What is queued when
	 * it stops is forgotten: no audio_consumed follows for it. */
	void (*audio_start)(struct seat_port *port, unsigned stream,
		const struct port_audio_format *format);
	void (*audio_stop)(struct seat_port *port, unsigned stream);
	/* Queue PCM on the playback stream, at most PORT_MAX_PCM bytes; copied before return.
	 * `audio_consumed` follows, by the sink's clock, for every byte. */
	void (*audio_write)(struct seat_port *port, const void *pcm, size_t bytes);
};

/* What the port tells devices. Any may be NULL. */
struct seat_port_events {
	/* The head's frame was on its scanout at the vblank at vblank_ns. */
	void (*presented)(void *device, unsigned head, uint64_t seq, int64_t vblank_ns,
		int64_t period_ns);
	/* Monitors, side by side from the left, with the size that each prefers (its mode, a window's
	 * size); 1..PORT_HEADS. The guest may follow. */
	void (*resized)(void *device, const struct port_size *heads, unsigned n);
	/* Whole reports: the last event is SYN_REPORT. */
	void (*input)(void *device, const struct port_input *events, unsigned n);
	/* The sink has played so many more bytes. */
	void (*audio_consumed)(void *device, unsigned stream, size_t bytes);
	/* Recorded PCM, or silence from the null clock while no microphone is granted. */
	void (*audio_captured)(void *device, const void *pcm, size_t bytes);
};

struct seat_port {
	const struct seat_port_ops *ops;
};

#endif

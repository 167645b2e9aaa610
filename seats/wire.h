/*
 * The seat control protocol: between irorid and one irori-seat.
 *
 * irori-seat listens on a SOCK_SEQPACKET socket, RUNTIME/seats/NAME.sock (or NAME:2.sock: see
 * seat_unit.h); irorid connects, so that an irorid that comes after one that died finds the seats that
 * run. A later connection replaces the one before. Every message is a header and a body of exactly the
 * size its opcode says; descriptors ride on the message that describes them. A message of wrong size, an
 * unknown opcode, a string without its zero, an fd where none belongs or a value out of range ends the
 * connection: the seat goes on with what it has; irorid kills a seat that does it.
 *
 * Order: irorid says HELLO, the seat answers WELCOME. When irorid gives it the seat, it tells all there is
 * (SETTINGS, LEASE, INPUT_ADD, SOUND, GUEST, LOCK, SHOW, TIME) and ends with READY, then news. With READY
 * the seat forgets what it had from an irorid before and was not told again; a device that it has already
 * under the same path and device number stays open, so that a key that is held stays held.
 *
 * Who decides: irorid. The seat asks (REQUEST) and is told; what it shows changes when it is told.
 *
 * A seat has no way to a guest but what irorid gives it: when it needs a connection to the seat link of the guest
 * that it shows (display/link.h), it says WANT_LINK, and LINK brings it. irorid has said the link's HELLO, so the seat
 * has what belongs to that kind of connection and CONTROL is not among it; another HELLO ends it. Where the guest is
 * not there, is not the one that the seat shows, or the seat is locked, nothing comes: the seat asks again when
 * something has changed, and once in a while.
 *
 * There is one connection of a kind: LINK ends the one that came before it (the seat need not have closed that). One to a
 * guest that the seat shows no more ends after some seconds, all end with the seat's process. One that it has
 * stays when the seat is locked. irorid has each as well, so a seat that is done with one shuts it down: to close it
 * is not enough.
 *
 * Byte order is the host's. Structures have no padding (checked by wire.c). Strings end with a zero
 * within their field.
 */
#ifndef IRORI_SEATS_WIRE_H
#define IRORI_SEATS_WIRE_H

#include <stdint.h>

#define WIRE_VERSION 4u

enum wire_limits {
	WIRE_NAME = 64,    /* of seats, guests, people; with the zero */
	WIRE_PATH = 108,   /* of a device node, a sound device */
	WIRE_TEXT = 192,   /* for people */
	WIRE_PIN = 32,
	WIRE_INPUTS = 64,  /* of one seat */
	WIRE_GUESTS = 16,  /* that one seat may show */
};

enum wire_opcode {
	/* irorid to the seat */
	WIRE_HELLO = 1,
	WIRE_LEASE,        /* with one fd, the DRM lease; replaces the one before */
	WIRE_UNLEASE,      /* no monitor of this seat is left */
	WIRE_HOTPLUG,      /* a connector changed: look again */
	WIRE_INPUT_ADD,    /* with one fd, the event device, O_RDWR | O_NONBLOCK */
	WIRE_INPUT_REMOVE,
	WIRE_SOUND,
	WIRE_GUEST,        /* a guest that may be shown, or what changed of it */
	WIRE_GUEST_GONE,
	WIRE_SHOW,         /* this guest, or the list of guests */
	WIRE_LOCK,
	WIRE_TIME,
	WIRE_NOTICE,
	WIRE_IDENTIFY,
	WIRE_READY,
	WIRE_ANSWER,       /* to a REQUEST */
	WIRE_SETTINGS,     /* the first after HELLO, and when one of them changes */
	WIRE_LINK,         /* with one fd, connected to a guest's seat link */

	/* the seat to irorid */
	WIRE_WELCOME = 0x8001,
	WIRE_REQUEST,
	WIRE_STATE,        /* at WELCOME, and when something of it changed */
	WIRE_WANT_LINK,
};

struct wire_header {
	uint16_t opcode;
	uint16_t size; /* of the body */
};

struct wire_hello {
	uint32_t version;
	uint32_t number;      /* of the seat, from 1: what IDENTIFY and people call it */
	char seat[WIRE_NAME];
};

struct wire_lease {
	char card[WIRE_PATH]; /* ID_PATH of the graphics card, for logs */
};

enum wire_input_kind {
	WIRE_INPUT_KEYBOARD = 1 << 0,
	WIRE_INPUT_POINTER = 1 << 1,
	WIRE_INPUT_TOUCH = 1 << 2,
	WIRE_INPUT_TABLET = 1 << 3,
	WIRE_INPUT_GAMEPAD = 1 << 4, /* not libinput's: read raw */
	WIRE_INPUT_SWITCH = 1 << 5,
};

struct wire_input_add {
	uint32_t id;          /* irorid's, not 0 */
	uint32_t kind;        /* enum wire_input_kind, or'ed */
	char path[WIRE_PATH]; /* /dev/input/eventN */
	char name[WIRE_NAME]; /* for people; cut if longer */
};

struct wire_input_remove {
	uint32_t id;
};

/* Empty strings: the server's default. "path:ID_PATH" is the sink (source) of the sound card there. */
struct wire_sound {
	char server[WIRE_PATH];
	char sink[WIRE_PATH];
	char source[WIRE_PATH];
	uint32_t volume; /* per cent, when the seat begins */
	uint32_t reserved;
};

enum wire_guest_state {
	WIRE_GUEST_OFF,
	WIRE_GUEST_STARTING,  /* its process is not there yet, or is between two tries */
	WIRE_GUEST_RUNNING,
	WIRE_GUEST_RESETTING,
	WIRE_GUEST_PAUSED,
	WIRE_GUEST_FROZEN,    /* its person's time is over */
	WIRE_GUEST_CRASHED,
	WIRE_GUEST_STATES,
};

struct wire_guest {
	uint32_t id;            /* irorid's, not 0; stays as long as the guest is configured */
	uint32_t state;         /* enum wire_guest_state */
	char name[WIRE_NAME];
	char title[WIRE_NAME];  /* for people */
	char person[WIRE_NAME]; /* whose it is; "": everybody's */
};

enum wire_link_kind {
	WIRE_LINK_PICTURE, /* and hands */
	WIRE_LINK_SOUND,
	WIRE_LINKS,
};

/* LINK and WANT_LINK. HELLO has been said on it, WELCOME has not been read. */
struct wire_link {
	uint32_t guest; /* id */
	uint32_t kind;  /* enum wire_link_kind */
};

struct wire_guest_gone {
	uint32_t id;
};

struct wire_show {
	uint32_t id; /* 0: the list of guests */
};

struct wire_lock {
	uint32_t locked;
};

/* The time of the person whose guest is shown. */
struct wire_time {
	int64_t left_us;        /* -1: without a limit */
	uint32_t frozen;        /* it is over: the guest is frozen, and EXTEND with a PIN may help */
	uint32_t reserved;
	char person[WIRE_NAME];
};

enum wire_notice_kind {
	WIRE_NOTICE_INFO,
	WIRE_NOTICE_WARNING,
	WIRE_NOTICE_CLAIM, /* a device that belongs to no seat yet */
	WIRE_NOTICES,
};

struct wire_notice {
	uint32_t kind;
	uint32_t seconds; /* 0: until another with the same kind; text "": no more of this kind */
	char text[WIRE_TEXT];
};

/* A large number on each of the seat's monitors, with a line below. */
struct wire_identify {
	uint32_t on;
	uint32_t seconds; /* 0: until told otherwise */
	char text[WIRE_TEXT];
};

struct wire_answer {
	uint32_t cookie;
	int32_t result; /* 0 or -errno; -EACCES: a wrong PIN */
	char text[WIRE_TEXT];
};

struct wire_settings {
	uint32_t number;        /* as in HELLO; it is another when seats come and go */
	uint32_t width, height; /* to show where a monitor can; 0: what the monitor prefers */
	uint16_t chord[2];      /* evdev codes; 0, 0: none */
};

struct wire_welcome {
	uint32_t version;
	int32_t pid;
	uint32_t seated; /* READY was said to it, by this irorid or one before; 0: it only waits */
	uint32_t reserved;
};

enum wire_verb {
	WIRE_VERB_SWITCH = 1, /* argument: a guest's name, which is started if it is off; "": the list */
	WIRE_VERB_START,      /* a guest */
	WIRE_VERB_RESTART,
	WIRE_VERB_POWEROFF,
	WIRE_VERB_LOCK,
	WIRE_VERB_UNLOCK,     /* pin: of the person of the guest that is shown, or a parent's */
	WIRE_VERB_EXTEND,     /* argument: minutes, or "tonight"; pin: a parent's */
	WIRE_VERBS,           /* one more than the last */
};

struct wire_request {
	uint32_t cookie;
	uint32_t verb;
	char argument[WIRE_NAME];
	char pin[WIRE_PIN];
};

enum wire_state_flags {
	WIRE_STATE_LOCKED = 1 << 0,
	WIRE_STATE_MICROPHONE = 1 << 1, /* open */
	WIRE_STATE_MENU = 1 << 2,
	WIRE_STATE_GUEST = 1 << 3,      /* attached to the guest's seat link */
	WIRE_STATE_SOUND = 1 << 4,      /* the sound device is there */
};

struct wire_state {
	uint32_t guest;          /* id of what is shown; 0: the list */
	uint32_t flags;          /* enum wire_state_flags */
	uint32_t width, height;  /* of the first monitor; 0: none */
	uint32_t outputs;        /* monitors lit */
	uint32_t volume;
	/* From here on, figures that change all the time: told once in a while. */
	int64_t input_ns;        /* CLOCK_MONOTONIC of the last input */
	/* The guests' frames on the first monitor, since the seat began: see struct screen_counts. */
	uint64_t frames;         /* shown */
	uint64_t flips;          /* told to guests, those without a monitor as well */
	uint64_t came;
	uint64_t skipped;
	int64_t gap_ns;          /* the longest from one to the next since the STATE before */
};

#endif

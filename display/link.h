/*
 * The seat link: the wire protocol between a guest (irori-vmm) and whoever sits at it.
 *
 * This is an interface: a SOCK_SEQPACKET Unix socket on which every message is a header and a body
 * of exactly the size its opcode says (only LINK_AUDIO_DATA, LINK_AUDIO_CAPTURED and LINK_INPUT
 * vary, up to a maximum). File descriptors ride on the message that describes them (SCM_RIGHTS).
 * A message of wrong size, an unknown opcode, an fd where none belongs or a value out of range ends
 * the connection: the guest goes on, the seat may connect again.
 *
 * Heads: a guest may have several monitors, PORT_HEADS at most. Frames and their numbers, vblanks and the
 * cursor are of a head: each is paced by its own monitor, so the guest's fence for a frame follows the vblank
 * of the head that shows it. A seat without HEADS is told of head 0 only, and knows no other; if it is the
 * clock, the others are paced by the guest's own 60 Hz. A guest has as many monitors as the last seat with
 * HEADS had (RESIZE), side by side from the left; one where no such seat sits at it.
 *
 * Order: the seat sends HELLO first. The guest answers WELCOME, then the present state (buffers,
 * the last frame, cursor, LEDs, running streams) as if it had just happened, then news.
 *
 * Byte order is the host's. Structures have no padding (checked by link.c).
 */
#ifndef IRORI_DISPLAY_LINK_H
#define IRORI_DISPLAY_LINK_H

#include "display/port.h"

#define LINK_VERSION 2u
#define LINK_NAME_LEN 64u /* with the terminating zero */
#define LINK_WHY_LEN 128u /* the same */

enum link_limits {
	LINK_MAX_BODY = PORT_MAX_PCM + 64,
	LINK_MAX_INPUT = 64,    /* events in one message */
	LINK_MAX_BUFFERS = 64,  /* of one guest */
	LINK_MAX_THREADS = 160, /* in LINK_STAT_REPLY */
	LINK_MAX_EXITS = 48,    /* exit reasons in LINK_STAT_REPLY */
};

enum link_opcode {
	/* seat to guest */
	LINK_HELLO = 1,
	LINK_PRESENTED,      /* only from the clock seat */
	LINK_RESIZE,
	LINK_INPUT,
	LINK_AUDIO_CONSUMED, /* only from the sink seat */
	LINK_AUDIO_CAPTURED,
	LINK_REQUEST,        /* control: see enum link_verb; answered by LINK_REPLY */
	LINK_STAT,           /* answered by LINK_STAT_REPLY */
	LINK_SAVE,           /* with one fd, a file to save the guest in; answered by LINK_REPLY */

	/* guest to seat */
	LINK_WELCOME = 0x8001,
	LINK_BUFFER,         /* with one fd */
	LINK_BUFFER_GONE,
	LINK_FRAME,
	LINK_CURSOR,
	LINK_LEDS,
	LINK_AUDIO_START,
	LINK_AUDIO_STOP,
	LINK_AUDIO_DATA,
	LINK_GUEST,          /* the guest's state changed */
	LINK_REPLY,
	LINK_STAT_REPLY,
};

/* What a seat takes part in, in HELLO. */
enum link_wants {
	LINK_WANT_DISPLAY = 1 << 0, /* buffers, frames, cursor */
	LINK_WANT_CLOCK = 1 << 1,   /* its vblank is the guest's (first come; implies DISPLAY) */
	LINK_WANT_INPUT = 1 << 2,   /* may send LINK_INPUT, gets LEDs */
	LINK_WANT_AUDIO = 1 << 3,   /* gets sound */
	LINK_WANT_SINK = 1 << 4,    /* its sound device is the guest's clock (first come) */
	LINK_WANT_MIC = 1 << 5,     /* sends LINK_AUDIO_CAPTURED */
	LINK_WANT_CONTROL = 1 << 6, /* may send LINK_REQUEST and LINK_STAT */
	LINK_WANT_HEADS = 1 << 7,   /* shows all heads (implies DISPLAY), each at its own vblank if it is
	                             * the clock. Its tablet and touch screen cover all of them; those of
	                             * other seats cover head 0 */
};

enum link_guest_state {
	LINK_GUEST_RUNNING,
	LINK_GUEST_RESETTING, /* from the reset until the guest's driver presents its first frame */
	LINK_GUEST_PAUSED,
	LINK_GUEST_OFF,
	LINK_GUEST_CRASHED, /* stays attached, shows its last picture */
};

enum link_verb {
	LINK_VERB_RESET = 1,
	LINK_VERB_POWEROFF, /* at once */
	LINK_VERB_PAUSE,
	LINK_VERB_RESUME,
	/* argument: enum share_class of gpu-share/policy.h; -EINVAL: no such class, nothing changed.
	 * Lasts as long as the seat that asked is connected (resets do not matter): when it leaves,
	 * and nobody has asked since, the guest goes back to the class of its configuration. A
	 * supervisor that died must not leave a guest behind in a class that it was only lent. */
	LINK_VERB_CLASS,
	/* argument: MiB that the guest shall have. Down to its Memory= it is the balloon's work, above
	 * it memory that is plugged in; the guest does it in its own time: see memory_actual in
	 * struct link_stat. -ERANGE: more than MaxMemory=; -EOPNOTSUPP: the guest has no such device. */
	LINK_VERB_MEMORY,
	/* argument: processors, up to MaxVcpus=. What is plugged out goes when the guest lets it go. */
	LINK_VERB_VCPUS,
	/* The guest's power button: what comes of it is the guest's to say. -EOPNOTSUPP: nobody in it
	 * listens. */
	LINK_VERB_SHUTDOWN,
	LINK_VERBS, /* one more than the last */
};

/* What a thread of the guest's process does; for scheduling and for people. */
enum link_thread_role {
	LINK_THREAD_MAIN,
	LINK_THREAD_VCPU,
	LINK_THREAD_SEAT, /* display, input, sound */
	LINK_THREAD_IO,
};

struct link_header {
	uint16_t opcode;
	uint16_t size; /* of the body */
};

struct link_hello {
	uint32_t version;
	uint32_t wants;
	char name[LINK_NAME_LEN]; /* of the seat, for logs */
};

struct link_welcome {
	uint32_t version;
	uint32_t granted; /* of wants: CLOCK and SINK may be taken already */
	char name[LINK_NAME_LEN]; /* of the guest */
	uint32_t state; /* enum link_guest_state */
	uint32_t reboots;
};

struct link_presented {
	uint64_t seq;
	int64_t vblank_ns;
	int64_t period_ns;
	uint32_t head;
	uint32_t reserved;
};

/* More than one: only from a seat with HEADS. */
struct link_resize {
	uint32_t n; /* monitors */
	struct port_size head[PORT_HEADS]; /* those that are not there: 0 */
};

struct link_input_event {
	uint16_t device, type, code, reserved;
	int32_t value;
};

struct link_audio_consumed {
	uint32_t stream;
	uint32_t bytes;
};

struct link_request {
	uint32_t verb;
	uint32_t argument;
	uint32_t cookie; /* comes back in the reply */
};

/* The reply says whether saving begins: the guest is PAUSED then. When all of it is in the file it
 * hangs up, else it is RUNNING again (or PAUSED, as before), and the file says why not: see
 * vmm/save.h. */
struct link_save {
	uint32_t cookie;
};

struct link_reply {
	uint32_t cookie;
	int32_t result; /* 0 or -errno */
};

struct link_buffer {
	uint32_t id, width, height, stride;
};

struct link_buffer_gone {
	uint32_t id;
};

struct link_frame {
	uint64_t seq;
	int64_t flush_ns;
	uint32_t buffer;
	uint32_t head;
	struct rect source, damage; /* within the buffer; source is not empty */
};

struct link_cursor {
	uint32_t buffer;
	int32_t x, y;
	uint32_t hot_x, hot_y;
	uint32_t head;
};

struct link_leds {
	uint32_t leds;
};

struct link_audio_start {
	uint32_t stream;
	uint32_t rate, channels, period_bytes;
};

struct link_audio_stop {
	uint32_t stream;
};

struct link_guest {
	uint32_t state;   /* enum link_guest_state */
	uint32_t reboots; /* resets since the process started */
	int64_t since_ns; /* when it entered the state */
};

struct link_exit_count {
	char reason[24];
	uint64_t count;
};

struct link_thread {
	int32_t tid;
	uint32_t role;
};

struct link_stat {
	char name[LINK_NAME_LEN];
	uint32_t state, reboots;
	uint32_t share_class;
	int32_t pid;
	int64_t started_ns;       /* the process's main */
	int64_t first_entry_ns;   /* first KVM_RUN since the start */
	int64_t first_frame_ns;   /* first frame since the start; 0: none yet */
	int64_t reset_ns;         /* last reset; 0: none */
	int64_t reset_frame_ns;   /* first frame after the last reset */
	uint64_t frames, frames_presented;
	uint64_t audio_periods, audio_underruns;
	uint64_t memory_bytes;     /* Memory= */
	uint64_t memory_max;       /* MaxMemory= */
	uint64_t memory_target;    /* what was asked for: LINK_VERB_MEMORY */
	uint64_t memory_actual;    /* what the guest has now: without the balloon, with what is plugged */
	uint64_t memory_available; /* the guest's own opinion; 0: it has none */
	uint64_t memory_host;      /* pages of it that the host has given */
	char waits_for[LINK_WHY_LEN]; /* why the host has it PAUSED; empty: it has not */
	uint32_t vcpus, vcpus_max;
	uint32_t n_exits, n_threads;
	struct link_exit_count exits[LINK_MAX_EXITS];
	struct link_thread threads[LINK_MAX_THREADS];
};

#endif

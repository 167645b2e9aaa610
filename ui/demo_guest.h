/*
 * One guest of the demonstration: its irori-vmm, its seats' processes, the supervisor's connection to
 * it, and the meter that watches its scanout.
 *
 * Thread: the main thread, on the default main context.
 */
#ifndef IRORI_UI_DEMO_GUEST_H
#define IRORI_UI_DEMO_GUEST_H

#include <gio/gio.h>
#include <stdbool.h>

#include "display/link_client.h"
#include "display/meter.h"
#include "display/picture.h"
#include "gpu-share/policy.h"

/* How a guest is to be; strings live longer than the guest. */
struct demo_guest_config {
	const char *name, *role, *init, *options; /* options: more of the command line */
	enum share_class share_class;
	unsigned vcpus, memory_mib;
	const char *disk;   /* NULL: none */
	const char *kernel, *initrd;
	const char *folder; /* for its configuration, log and SPICE socket */
	const char *runtime; /* where its seat link's socket is */
	const char *monitor; /* irori-vmm */
	bool pulse, spice;
};

/* A reboot: frame_ns is 0 until its first frame is up. */
struct demo_boot {
	int64_t reset_ns, frame_ns;
};

struct demo_guest;

struct demo_guest_events {
	/* Its state changed; link is the state (enum link_guest_state). */
	void (*state)(void *data, struct demo_guest *guest, uint32_t state, int64_t since_ns);
};

struct demo_guest {
	const struct demo_guest_config *config;
	const struct demo_guest_events *events;
	void *data;
	uint32_t id; /* the policy's */
	GSubprocess *vmm, *remote, *sound;
	char *socket, *log, *spice;
	struct link_client *client;
	GSource *source;
	struct meter *meter;
	uint32_t state; /* enum link_guest_state */
	bool welcomed, gone; /* gone: the process has hung up */
	enum share_class share_class; /* what it was told last */
	bool busy;
	double wanted_s; /* processor time used and waited for, at the last look */
	int64_t wanted_ns;
	bool has_stat;
	struct link_stat stat;
	int64_t stat_ns; /* when that came */
	GArray *boots; /* struct demo_boot */
};

/* Starts the process and connects; returns once the guest has said WELCOME. */
struct demo_guest *demo_guest_start(const struct demo_guest_config *config, uint32_t id,
	const struct demo_guest_events *events, void *data, GError **error);
/* Switches it off, waits for it, removes its files but the log. NULL is allowed. */
void demo_guest_stop(struct demo_guest *guest);

void demo_guest_set_class(struct demo_guest *guest, enum share_class share_class);
/* Asks for figures: has_stat when they have come. */
void demo_guest_ask_stat(struct demo_guest *guest);
/* Looks whether most of its virtual processors want to run (also when they may not); true if that is
 * news, see `busy`. */
bool demo_guest_look_busy(struct demo_guest *guest);
pid_t demo_guest_pid(const struct demo_guest *guest);
/* A copy of what its seat shows; pixels NULL: nothing. */
struct picture demo_guest_picture(struct demo_guest *guest);
/* The last lines of its log; g_free. */
char *demo_guest_log(const struct demo_guest *guest);

#endif

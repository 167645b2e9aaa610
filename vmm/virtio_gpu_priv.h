/*
 * What virtio_gpu.c (commands, scanout) and virtio_gpu_device.c (options, set-up, saving) share.
 */
#ifndef IRORI_VMM_VIRTIO_GPU_PRIV_H
#define IRORI_VMM_VIRTIO_GPU_PRIV_H

#include "vmm/gpu_resource.h"
#include "vmm/gpu_wire.h"
#include "vmm/machine.h"
#include "vmm/vga_screen.h"
#include "vmm/virtio.h"

enum gpu_queues { CONTROL_QUEUE, CURSOR_QUEUE, GPU_QUEUES };

enum {
	GPU_TURN_COMMANDS = 64, /* then others on the seat thread have theirs */
	GPU_AHEAD_MAX = 32,     /* frames shown and not yet presented */
	GPU_TOLD_MAX = 48,      /* buffers the seats know at a time; LINK_MAX_BUFFERS is above */
	GPU_CURSOR_SIDE = 256,
	GPU_HZ = 60,
	GPU_BOOT_PAUSE_US = 33000, /* between two looks at the boot screen */
};

struct gpu_config {
	uint32_t width, height;
	uint64_t max_memory;
	unsigned vga;
	unsigned heads;
};

/* A scanout: what the guest shows on one monitor. Resource 0 is off. */
struct gpu_head {
	uint32_t width, height; /* preferred */
	uint32_t scanout;
	struct rect source;
	bool stale; /* set, and not shown yet */
	bool shown; /* the seats show a buffer */
	uint32_t last, before; /* resources of the last frame and the one it took the place of */
	uint32_t cursor;
	uint64_t seq; /* of the last frame; survives resets */
	uint64_t presented; /* the same, of the last that was on the screen */
	uint64_t waiting_seq; /* a flush waits for this frame; 0: none does */
};

/* A flush that is answered when all heads in `waits` (bits) have shown it; 0: none. */
struct gpu_flush {
	unsigned waits;
	struct gpu_header asked;
	struct vq_chain chain;
};

struct gpu {
	struct virtio_device dev; /* first */
	struct device device;
	struct machine *machine;
	struct seat_port *port;
	GSource *wake; /* another band, another turn, or what a reset left to tell */
	gint share_class;
	uint32_t events; /* events_read */
	size_t turn_left; /* bytes that this turn may still copy */
	struct gpu_budget budget;
	GHashTable *resources; /* by id */

	/* The boot screen, for as long as the driver has set no scanout since its reset. */
	struct vga_screen *vga; /* NULL: there is none */
	GSource *boot_tick;
	bool taken_over, boot_shown;

	struct gpu_head head[PORT_HEADS];
	unsigned n_heads;   /* that the guest has */
	unsigned connected; /* of them, from the first on: have a monitor */
	uint64_t tells;     /* how often a resource was shown, for who was longest ago */
	uint32_t last_port_id;
	struct gpu_flush flush[PORT_HEADS]; /* those that wait */

	/* The command under way, copied out of the guest's hands. */
	bool busy;
	struct vq_chain chain;
	union gpu_request request;
	size_t request_len;
	struct gpu_transfer transfer;

	bool loaded; /* from a saved guest: the seats are to be shown the scanouts */

	/* Left behind by a reset for the seat thread to tell the port. */
	bool tell_off;
	uint32_t gone[GPU_TOLD_MAX];
	unsigned n_gone;
};

extern const struct virtio_ops gpu_ops;
extern const struct seat_port_events gpu_events;

/* Flushes that wait are answered. With the device's lock held. */
void gpu_release_all(struct gpu *gpu);

/* For the sources that the device makes. On the seat thread. */
gboolean gpu_woken(gpointer data);
gboolean gpu_boot_ticked(gpointer data);

/* Has the seat thread look again. Any thread. */
static inline void gpu_wake(struct gpu *gpu)
{
	if (gpu->wake)
		g_source_set_ready_time(gpu->wake, 0);
}

static inline struct gpu_resource *gpu_resource_find(struct gpu *gpu, uint32_t id)
{
	return id ? g_hash_table_lookup(gpu->resources, GUINT_TO_POINTER(id)) : NULL;
}

#endif

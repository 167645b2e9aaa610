/*
 * What every virtio device is, whatever carries it. vmm/virtio_pci.c is the transport; unit tests
 * and fuzzers drive the ops directly.
 *
 * Thread: `lock` is held around every op and around every touch of the queues. Ops for kicks run on
 * the device's context (an I/O thread or the seat thread); configuration, activate and reset come
 * on vCPU threads or the main thread. Ops do not block on the guest or on a seat.
 *
 * Source: virtio 1.2, sections 2 and 4.1.
 */
#ifndef IRORI_VMM_VIRTIO_H
#define IRORI_VMM_VIRTIO_H

#include <glib.h>

#include "vmm/virtqueue.h"

enum virtio_limits {
	VIRTIO_MAX_QUEUES = 8,
};

enum virtio_status {
	VIRTIO_ACKNOWLEDGE = 1,
	VIRTIO_DRIVER = 2,
	VIRTIO_DRIVER_OK = 4,
	VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64,
	VIRTIO_FAILED = 128,
};

#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)

struct state;
struct virtio_device;

struct virtio_ops {
	const char *name;
	uint16_t id;               /* virtio 1.2, section 5 */
	uint8_t pci_class, pci_subclass;
	unsigned n_queues;
	uint16_t queue_size[VIRTIO_MAX_QUEUES];
	uint64_t features;         /* besides VERSION_1, INDIRECT_DESC, EVENT_IDX */
	size_t config_len;
	/* DRIVER_OK was set; dev->accepted and the queues are final. May be NULL. */
	void (*activate)(struct virtio_device *dev);
	/* Back to the beginning: forget every request; queues are reset by the transport after. */
	void (*reset)(struct virtio_device *dev);
	/* The driver kicked queue q. */
	void (*kick)(struct virtio_device *dev, unsigned q);
	/* Device configuration; [offset, offset + len) lies in config_len. write may be NULL. */
	void (*config_read)(struct virtio_device *dev, unsigned offset, void *to, unsigned len);
	void (*config_write)(struct virtio_device *dev, unsigned offset, const void *from,
		unsigned len);
};

/* How the device reaches its driver; the transport fills it, tests fill it with counters. */
struct virtio_notify {
	void (*queue)(struct virtio_device *dev, unsigned q); /* used buffers */
	void (*config)(struct virtio_device *dev);            /* configuration or status changed */
	void (*state)(struct virtio_device *dev, struct state *state); /* its own; may be NULL */
	void (*kick)(struct virtio_device *dev); /* every queue, on its context; may be NULL */
	void *data;
};

struct virtio_device {
	const struct virtio_ops *ops;
	GMutex lock;
	GMainContext *context;           /* where kicks are served */
	const struct guest_memory *memory;
	struct virtqueue queue[VIRTIO_MAX_QUEUES];
	uint64_t offered, accepted;
	uint8_t status;
	uint8_t config_generation;
	unsigned complaints; /* times NEEDS_RESET was set */
	bool held; /* atomic: the transport may not reach memory (PCI: it is no bus master) */
	struct virtio_notify notify;
};

void virtio_init(struct virtio_device *dev, const struct virtio_ops *ops,
	const struct guest_memory *memory, GMainContext *context);
void virtio_clear(struct virtio_device *dev);

/* For devices, under the lock. Pops nothing while the device is held: there is a kick when it goes
 * on. NEEDS_RESET on -EPROTO. */
int virtio_pop(struct virtio_device *dev, unsigned q, struct vq_chain *chain);
void virtio_push(struct virtio_device *dev, unsigned q, uint16_t head, uint32_t written);
/* Gives the last n chains that were popped, and not pushed, back to the ring: they are popped again,
 * by this guest or by the one that it is saved as. Every queue gets a kick. */
void virtio_unpop(struct virtio_device *dev, unsigned q, unsigned n);
void virtio_interrupt(struct virtio_device *dev, unsigned q); /* if the driver wants one */
/* The queues were served elsewhere: what was to be told of their use may not have been. The driver
 * hears of every queue. */
void virtio_interrupt_all(struct virtio_device *dev);
bool virtio_held(const struct virtio_device *dev);
void virtio_needs_reset(struct virtio_device *dev, const char *why);
void virtio_config_changed(struct virtio_device *dev);

/* For transports: the driver's side of the state machine. Take the lock themselves. */
void virtio_set_status(struct virtio_device *dev, uint8_t status);
void virtio_kick(struct virtio_device *dev, unsigned q); /* no-op before DRIVER_OK */
void virtio_reset(struct virtio_device *dev);
/* From any thread, without the lock. Both ways every queue gets a kick: a device whose queues are
 * served elsewhere takes them back, or hands them over. */
void virtio_hold(struct virtio_device *dev, bool held);

/*
 * For a device's `state` (state.h), first of all: the transport with its PCI function, status,
 * features and queues. Requests that were popped must have been given back before. Loading, the
 * device must be as after create(); its `activate` is called if the driver was running, so what is
 * loaded after this call has the last word, and every queue gets a kick, which is served when the
 * threads run (they do not yet).
 */
void virtio_state(struct virtio_device *dev, struct state *state);

#endif

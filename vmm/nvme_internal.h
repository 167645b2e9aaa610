/*
 * The NVMe controller's insides, for nvme*.c and their tests. NVM Express 1.4.
 *
 * Thread: everything under `lock`, but for the doorbells, which are atomic words that vCPU threads
 * write and the I/O thread reads.
 */
#ifndef IRORI_VMM_NVME_INTERNAL_H
#define IRORI_VMM_NVME_INTERNAL_H

#include "vmm/device.h"
#include "vmm/disk.h"
#include "vmm/machine.h"
#include "vmm/pci.h"

enum nvme_limits {
	NVME_IO_QUEUES = 8,
	NVME_QUEUES = NVME_IO_QUEUES + 1, /* number 0 is the admin queue */
	NVME_ENTRIES_MAX = 1024,
	NVME_PAGE = 4096,
	NVME_MDTS = 8, /* a transfer has at most 2^8 pages */
	NVME_TRANSFER_MAX = NVME_PAGE << NVME_MDTS,
	NVME_SEGMENTS = (1 << NVME_MDTS) + 1, /* it may begin within a page */
	NVME_EVENTS = 4,                      /* event requests that may wait */
	NVME_RANGES = 256,                    /* of one deallocation */
	NVME_LIST_HOPS = 4,
	NVME_FEATURES = 0x0c,
};

enum nvme_status {
	NVME_OK = 0,
	NVME_LATER = 0xffff, /* ours: it is answered when the disk has */
	NVME_MORE_NOT = 0x4000, /* DNR: another try will not help */
	NVME_BAD_OPCODE = 0x4001,
	NVME_BAD_FIELD = 0x4002,
	NVME_TRANSFER_ERROR = 0x4004,
	NVME_INTERNAL = 0x0006,
	NVME_ABORTED = 0x0007,
	NVME_BAD_NAMESPACE = 0x400b,
	NVME_BAD_SEQUENCE = 0x400c,
	NVME_BAD_PRP_OFFSET = 0x4013,
	NVME_BAD_LBA = 0x4080,
	NVME_CAPACITY = 0x4081,
	NVME_BAD_CQ = 0x4100,
	NVME_BAD_QUEUE_ID = 0x4101,
	NVME_BAD_QUEUE_SIZE = 0x4102,
	NVME_TOO_MANY_EVENTS = 0x4105,
	NVME_BAD_VECTOR = 0x4108,
	NVME_BAD_LOG = 0x4109,
	NVME_BAD_DELETION = 0x410c,
	NVME_NOT_CHANGEABLE = 0x410e,
	NVME_READ_ONLY = 0x4182,
	NVME_WRITE_FAULT = 0x0280,
	NVME_READ_FAULT = 0x0281,
};

struct nvme_command {
	uint8_t opcode, flags;
	uint16_t cid;
	uint32_t nsid, cdw2, cdw3;
	uint64_t metadata, prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
G_STATIC_ASSERT(sizeof(struct nvme_command) == 64);

struct nvme_completion {
	uint32_t dw0, dw1;
	uint16_t sq_head, sq_id, cid, status; /* status: bit 0 is the phase */
};
G_STATIC_ASSERT(sizeof(struct nvme_completion) == 16);

struct nvme_range {
	uint32_t attributes, blocks;
	uint64_t block;
};

struct nvme_sq {
	uint64_t base; /* guest physical */
	struct nvme_command *entries;
	uint16_t size, head, cq; /* size 0: there is no such queue */
	unsigned under_way;
};

struct nvme_cq {
	uint64_t base;
	struct nvme_completion *entries;
	uint16_t size, head, tail, vector;
	uint8_t phase;
	uint8_t interrupts; /* a bool that may be loaded */
	bool raise;
	unsigned owed; /* answers that will come and have their place */
	unsigned queues; /* that answer here */
};

struct nvme;

struct nvme_request {
	struct disk_io io; /* first */
	struct nvme *nvme;
	struct nvme_request *next_free;
	uint16_t sq, cid;
	unsigned range, n_ranges;
	union {
		struct iovec iov[NVME_SEGMENTS];
		struct nvme_range ranges[NVME_RANGES];
	};
};

struct nvme {
	struct device device; /* first */
	struct pci_device pci;
	struct machine *machine;
	const struct guest_memory *memory;
	struct disk *disk;
	bool read_only;
	char serial[DISK_ID_LEN], model[DISK_MODEL_LEN];
	uint8_t uuid[16];
	GMutex lock;
	/* Registers. */
	uint32_t cc, csts, aqa, masked;
	uint64_t asq, acq;
	uint32_t feature[NVME_FEATURES];
	/* Queues. Doorbell 2y is the tail of submission queue y, 2y + 1 the head of completion queue
	 * y, as in the BAR. */
	int doorbell[2 * NVME_QUEUES];
	struct nvme_sq sq[NVME_QUEUES];
	struct nvme_cq cq[NVME_QUEUES];
	/* Doorbell buffers: the driver writes the doorbells there, and rings only when asked. */
	uint64_t shadow_at, wanted_at;
	uint32_t *shadow, *wanted; /* NULL: not in use */
	uint16_t events[NVME_EVENTS];
	unsigned n_events;
	/* Towards the host. */
	struct nvme_request *free;
	unsigned under_way;
	bool resetting, level;
	struct disk_io shutdown;
	bool shutting_down;
	int kick_fd;
	GSource *kick;
	uint64_t base; /* of the BAR, 0: nowhere */
	bool kernel_kicks[NVME_QUEUES];
	unsigned complaints;
};

/* nvme_queue.c */

/* Has the I/O thread look at the queues. Any thread. */
void nvme_again(struct nvme *nvme);
/* Everything there is to do in the queues. */
void nvme_serve(struct nvme *nvme);
void nvme_complete(struct nvme *nvme, unsigned sq, uint16_t cid, uint16_t status, uint32_t dw0);
/* Takes in the heads that the driver has moved, and drives the pin if there is no MSI-X. */
void nvme_pin(struct nvme *nvme);
/* Tells the driver of answers that it has not been told of. */
void nvme_interrupt(struct nvme *nvme);
/* The buffers of a transfer as host memory; NVME_OK, *n of them. */
uint16_t nvme_map(struct nvme *nvme, const struct nvme_command *command, uint32_t len,
	struct iovec iov[NVME_SEGMENTS], unsigned *n);
/* A queue of `entries` at `base` within RAM: its place, or NULL. */
void *nvme_queue_at(struct nvme *nvme, uint64_t base, unsigned entries, size_t entry);
/* False, and no queue: it does not lie in memory. */
bool nvme_sq_open(struct nvme *nvme, unsigned id, uint64_t base, unsigned size, unsigned cq);
bool nvme_cq_open(struct nvme *nvme, unsigned id, uint64_t base, unsigned size);
/* Ends what is under way without an answer, and forgets all queues. */
void nvme_queues_reset(struct nvme *nvme);
void nvme_free_requests(struct nvme *nvme);
void nvme_complain(struct nvme *nvme, const char *why);

/* nvme_admin.c */

/* A command of queue 0. NVME_LATER: it keeps its id and answers by itself, or never. */
uint16_t nvme_admin(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0);
void nvme_features_reset(struct nvme *nvme);
bool nvme_write_cache(const struct nvme *nvme);

/* nvme.c */

/* The kernel takes the doorbells of submission queues, or gives them back. */
void nvme_kernel_kicks(struct nvme *nvme, bool on);

#endif

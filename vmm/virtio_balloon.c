/*
 * virtio-balloon: memory that the guest does without goes back to the host. Three ways: the host
 * sets a target and the guest inflates (each page it names is punched out of the memfd and comes
 * back, zeroed, when it is touched again); the guest deflates by itself before it runs out of memory;
 * and it reports what its own allocator has no use for at the moment. Source: virtio 1.2, section 5.5.
 *
 * Pages the guest names are its own: whatever it names, only it loses what was there.
 *
 * Thread: the I/O context; figures and target from any thread, under the device's lock; create and
 * destroy on the main thread.
 */
#define G_LOG_DOMAIN "virtio-balloon"

#include "vmm/virtio_balloon.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/virtio_pci.h"

#define BALLOON_F_STATS (1ull << 1)
#define BALLOON_F_DEFLATE_ON_OOM (1ull << 2)
#define BALLOON_F_REPORTING (1ull << 5)

enum balloon_limits {
	BALLOON_PAGE_SHIFT = 12, /* of the protocol, whatever pages the guest has */
	BALLOON_PFNS = 256,      /* looked at together; what a Linux driver sends at once */
	BALLOON_CHAIN = 16 * BALLOON_PFNS, /* page numbers of one request; Windows sends 1024 */
	BALLOON_TURN = 4096,     /* holes before the lock is let go, microseconds each */
	BALLOON_STAT_LEN = 10,
	BALLOON_STATS_MAX = 64,  /* entries of a driver that knows more than we do */
};

#define BALLOON_STATS_AGE_NS 1000000000ll

enum balloon_queue {
	BALLOON_INFLATE,
	BALLOON_DEFLATE,
	BALLOON_THIRD, /* statistics, or what comes next when there are none */
	BALLOON_QUEUES = 5,
};

/* virtio 1.2, 5.5.6.4: those that we look at. */
enum balloon_stat {
	BALLOON_STAT_FREE = 4,
	BALLOON_STAT_TOTAL = 5,
	BALLOON_STAT_AVAILABLE = 6,
	BALLOON_STATS_KNOWN,
};

/* The device's configuration; the two fields of features that we do not offer are left out. */
struct balloon_wire {
	uint32_t num_pages, actual;
};

struct balloon {
	struct device device;
	struct machine *machine;
	struct virtio_device virtio;
	struct vq_chain chain;
	struct balloon_wire wire;
	struct balloon_figures figures; /* reported, discarded */
	uint64_t stat[BALLOON_STATS_KNOWN];
	uint8_t has_stats_buffer; /* the driver's; it comes back to ask for new figures */
	uint16_t stats_head;
	int64_t asked_ns;
	unsigned holes;    /* made in this turn */
	unsigned unserved; /* 1 << queue: there is more in it than one turn takes */
	GSource *next_turn; /* runs while there is, else NULL */
};

static struct balloon *balloon_of(struct virtio_device *dev)
{
	return (struct balloon *)((char *)dev - offsetof(struct balloon, virtio));
}

static int pfn_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* In runs: a hole costs a system call, whatever its length. */
static void balloon_discard(struct balloon *balloon, uint32_t *pfn, unsigned n)
{
	qsort(pfn, n, sizeof(*pfn), pfn_compare);
	for (unsigned i = 0, end; i < n; i = end) {
		uint64_t len;

		for (end = i + 1; end < n && pfn[end] - pfn[end - 1] <= 1; end++)
			;
		len = ((uint64_t)pfn[end - 1] - pfn[i] + 1) << BALLOON_PAGE_SHIFT;
		balloon->holes++;
		if (!memory_discard(balloon->virtio.memory, (uint64_t)pfn[i] << BALLOON_PAGE_SHIFT,
			    len))
			balloon->figures.discarded += len;
	}
}

/* What is not a whole number of page numbers is not looked at. */
static void balloon_inflate(struct balloon *balloon)
{
	uint32_t pfn[BALLOON_PFNS];
	size_t at = 0, len;

	while ((len = chain_read(&balloon->chain, at, pfn, sizeof(pfn)) / sizeof(pfn[0]))) {
		for (unsigned i = 0; i < len; i++)
			pfn[i] = GUINT32_FROM_LE(pfn[i]);
		balloon_discard(balloon, pfn, (unsigned)len);
		at += len * sizeof(pfn[0]);
		/* A driver sends at most so many; a hostile one does not keep the thread. */
		if (len < BALLOON_PFNS || at >= BALLOON_CHAIN * sizeof(pfn[0]))
			break;
	}
}

/* Free page reporting: the buffers themselves are the pages. */
static void balloon_report(struct balloon *balloon)
{
	if (!(balloon->virtio.accepted & BALLOON_F_REPORTING))
		return;
	for (unsigned i = 0; i < balloon->chain.n_in; i++) {
		const struct iovec *page = &balloon->chain.segment[balloon->chain.n_out + i];

		balloon->holes++;
		if (!memory_discard_at(balloon->virtio.memory, page->iov_base, page->iov_len))
			balloon->figures.reported += page->iov_len;
	}
}

static void balloon_stats_read(struct balloon *balloon)
{
	uint8_t entry[BALLOON_STAT_LEN];

	for (unsigned i = 0; i < BALLOON_STATS_MAX; i++) {
		uint16_t tag;
		uint64_t value;

		if (chain_read(&balloon->chain, i * sizeof(entry), entry, sizeof(entry)) !=
			sizeof(entry))
			return;
		memcpy(&tag, entry, sizeof(tag));
		memcpy(&value, entry + sizeof(tag), sizeof(value));
		if (GUINT16_FROM_LE(tag) < BALLOON_STATS_KNOWN)
			balloon->stat[GUINT16_FROM_LE(tag)] = GUINT64_FROM_LE(value);
	}
}

/* The driver puts one buffer in and waits until we give it back; then it fills it anew. */
static void balloon_stats(struct balloon *balloon)
{
	if (balloon->has_stats_buffer)
		virtio_push(&balloon->virtio, BALLOON_THIRD, balloon->stats_head, 0);
	balloon_stats_read(balloon);
	balloon->stats_head = balloon->chain.head;
	balloon->has_stats_buffer = 1;
}

static void balloon_stats_ask(struct balloon *balloon)
{
	int64_t now = balloon->machine->now();

	if (!balloon->has_stats_buffer || now - balloon->asked_ns < BALLOON_STATS_AGE_NS)
		return;
	balloon->asked_ns = now;
	balloon->has_stats_buffer = 0;
	virtio_push(&balloon->virtio, BALLOON_THIRD, balloon->stats_head, 0);
	virtio_interrupt(&balloon->virtio, BALLOON_THIRD);
}

/* The specification gives reporting queue 4; Linux and its peers number the queues that they use
 * one after the other, so that it is 3, or 2 without statistics. Both are right. False: the queue is
 * none that this driver may use. */
static bool balloon_serve(struct balloon *balloon, unsigned q)
{
	if (q == BALLOON_THIRD && (balloon->virtio.accepted & BALLOON_F_STATS)) {
		balloon_stats(balloon);
		return false; /* answered when there is a question */
	}
	if (q == BALLOON_INFLATE)
		balloon_inflate(balloon);
	else if (q != BALLOON_DEFLATE) /* which needs no work: a page comes back when touched */
		balloon_report(balloon);
	return true;
}

static gboolean balloon_turn(void *data);

/* As many requests as the queue can hold, and not too much work; a guest that goes on adding waits for
 * the next turn, and so do figures and target, which others ask for under the lock. */
static void balloon_kick(struct virtio_device *dev, unsigned q)
{
	struct balloon *balloon = balloon_of(dev);

	balloon->holes = 0;
	for (unsigned i = 0; i < dev->queue[q].size && balloon->holes < BALLOON_TURN; i++) {
		if (virtio_pop(dev, q, &balloon->chain) != 1) {
			virtio_interrupt(dev, q);
			return;
		}
		if (balloon_serve(balloon, q))
			virtio_push(dev, q, balloon->chain.head, 0);
	}
	virtio_interrupt(dev, q);
	balloon->unserved |= 1u << q;
	if (balloon->next_turn)
		return;
	balloon->next_turn = g_idle_source_new();
	g_source_set_callback(balloon->next_turn, balloon_turn, balloon, NULL);
	g_source_attach(balloon->next_turn, dev->context);
}

static gboolean balloon_turn(void *data)
{
	struct balloon *balloon = data;
	unsigned queues;

	g_mutex_lock(&balloon->virtio.lock);
	g_clear_pointer(&balloon->next_turn, g_source_unref);
	queues = balloon->unserved;
	balloon->unserved = 0;
	g_mutex_unlock(&balloon->virtio.lock);
	for (unsigned q = 0; q < BALLOON_QUEUES; q++)
		if (queues & 1u << q)
			virtio_kick(&balloon->virtio, q);
	return G_SOURCE_REMOVE;
}

static void balloon_virtio_reset(struct virtio_device *dev)
{
	struct balloon *balloon = balloon_of(dev);

	/* What the host asked for stays: the next driver is told of it. */
	balloon->wire.actual = 0;
	balloon->has_stats_buffer = 0;
	memset(balloon->stat, 0, sizeof(balloon->stat));
}

static void balloon_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	const struct balloon *balloon = balloon_of(dev);
	const struct balloon_wire wire = {
		.num_pages = GUINT32_TO_LE(balloon->wire.num_pages),
		.actual = GUINT32_TO_LE(balloon->wire.actual),
	};

	memcpy(to, (const char *)&wire + offset, len);
}

static void balloon_config_write(struct virtio_device *dev, unsigned offset, const void *from,
	unsigned len)
{
	uint32_t value;

	if (offset != offsetof(struct balloon_wire, actual) || len != sizeof(value))
		return;
	memcpy(&value, from, sizeof(value));
	balloon_of(dev)->wire.actual = GUINT32_FROM_LE(value);
}

static const struct virtio_ops balloon_ops = {
	.name = "virtio-balloon",
	.id = 5,
	.pci_class = 0xff,
	.n_queues = BALLOON_QUEUES,
	.queue_size = {128, 128, 32, 64, 64},
	.features = BALLOON_F_STATS | BALLOON_F_DEFLATE_ON_OOM | BALLOON_F_REPORTING,
	.config_len = sizeof(struct balloon_wire),
	.reset = balloon_virtio_reset,
	.kick = balloon_kick,
	.config_read = balloon_config_read,
	.config_write = balloon_config_write,
};

void balloon_set_target(struct balloon *balloon, uint64_t bytes)
{
	uint32_t pages = (uint32_t)MIN(bytes >> BALLOON_PAGE_SHIFT, UINT32_MAX);

	g_mutex_lock(&balloon->virtio.lock);
	if (balloon->wire.num_pages != pages) {
		balloon->wire.num_pages = pages;
		virtio_config_changed(&balloon->virtio);
	}
	g_mutex_unlock(&balloon->virtio.lock);
}

void balloon_figures(struct balloon *balloon, struct balloon_figures *figures)
{
	uint64_t size = memory_size(balloon->machine->memory);

	g_mutex_lock(&balloon->virtio.lock);
	balloon_stats_ask(balloon);
	*figures = balloon->figures;
	/* A guest, and a saved one's file, may claim anything. */
	figures->target = MIN((uint64_t)balloon->wire.num_pages << BALLOON_PAGE_SHIFT, size);
	figures->actual = MIN((uint64_t)balloon->wire.actual << BALLOON_PAGE_SHIFT, size);
	figures->free = balloon->stat[BALLOON_STAT_FREE];
	figures->total = balloon->stat[BALLOON_STAT_TOTAL];
	figures->available = balloon->stat[BALLOON_STAT_AVAILABLE];
	figures->driver = balloon->virtio.status & VIRTIO_DRIVER_OK;
	g_mutex_unlock(&balloon->virtio.lock);
}

static void balloon_reset(struct device *device)
{
	virtio_pci_reset(&((struct balloon *)device)->virtio);
}

static void balloon_state(struct device *device, struct state *state)
{
	struct balloon *balloon = (struct balloon *)device;

	virtio_state(&balloon->virtio, state);
	STATE(state, balloon->wire.num_pages);
	STATE(state, balloon->wire.actual);
	STATE(state, balloon->has_stats_buffer);
	STATE(state, balloon->stats_head);
	if (state_loading(state) && (balloon->has_stats_buffer > 1 ||
		balloon->stats_head >= balloon_ops.queue_size[BALLOON_THIRD]))
		state_fail(state, "descriptor %u", balloon->stats_head);
}

static void balloon_destroy(struct device *device)
{
	struct balloon *balloon = (struct balloon *)device;

	if (balloon->machine->balloon == balloon)
		balloon->machine->balloon = NULL;
	virtio_detach_pci(&balloon->virtio);
	if (balloon->next_turn) {
		g_source_destroy(balloon->next_turn);
		g_source_unref(balloon->next_turn);
	}
	virtio_clear(&balloon->virtio);
	g_free(balloon);
}

static struct device *balloon_create(struct machine *machine, const char *instance,
	const void *config, GError **error);

static const struct property balloon_properties[] = {
	{0},
};

static const struct device_type virtio_balloon = {
	.section = "Balloon",
	.help = "memory that the guest does without goes back to the host (virtio-balloon)",
	.always = true,
	.single = true,
	.properties = balloon_properties,
	.create = balloon_create,
};

static struct device *balloon_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	struct balloon *balloon = g_new0(struct balloon, 1);

	balloon->device = (struct device){
		.type = &virtio_balloon,
		.instance = instance,
		.reset = balloon_reset,
		.state = balloon_state,
		.destroy = balloon_destroy,
	};
	balloon->machine = machine;
	virtio_init(&balloon->virtio, &balloon_ops, machine->memory, machine->io_context);
	if (!virtio_attach_pci(machine, &balloon->virtio, error)) {
		balloon_destroy(&balloon->device);
		return NULL;
	}
	machine->balloon = balloon;
	return &balloon->device;
}

DEVICE_REGISTER(virtio_balloon);

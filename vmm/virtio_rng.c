/*
 * virtio-rng: random bytes from the host's generator, a bounded number of them each second, so that
 * a guest cannot make a heater of us. A request that finds the budget spent waits for the timer that
 * fills it up again. Source: virtio 1.2, section 5.4.
 *
 * Thread: the I/O context; create and destroy on the main thread.
 */
#define G_LOG_DOMAIN "virtio-rng"

#include <stddef.h>
#include <sys/random.h>

#include "vmm/machine.h"
#include "vmm/virtio_pci.h"

enum rng_limits {
	RNG_REFILLS = 10,       /* a second */
	RNG_REQUEST_MAX = 4096, /* a driver that asks for more takes it as it comes */
	RNG_REQUEST_MIN = 64,   /* what a request costs at least: empty ones are work as well */
};

struct rng_config {
	uint64_t rate;
};

struct rng {
	struct device device;
	struct virtio_device virtio;
	struct vq_chain chain;
	uint64_t portion; /* bytes between two refills */
	uint64_t budget;  /* bytes that may still be given before the next one */
	GSource *refill;  /* runs while the budget is spent, else NULL */
};

static void rng_answer(struct rng *rng)
{
	uint8_t bytes[RNG_REQUEST_MAX];
	uint64_t want = MIN(MIN(rng->chain.in_len, sizeof(bytes)), rng->budget);
	ssize_t got = want ? getrandom(bytes, want, 0) : 0;
	size_t given = got > 0 ? chain_write(&rng->chain, 0, bytes, (size_t)got) : 0;

	rng->budget -= MIN(rng->budget, MAX(given, RNG_REQUEST_MIN));
	virtio_push(&rng->virtio, 0, rng->chain.head, (uint32_t)given);
}

static gboolean rng_refilled(gpointer data);

static void rng_serve(struct rng *rng)
{
	while (rng->budget > 0 && virtio_pop(&rng->virtio, 0, &rng->chain) == 1)
		rng_answer(rng);
	virtio_interrupt(&rng->virtio, 0);
	if (rng->budget > 0 || rng->refill)
		return;
	rng->refill = g_timeout_source_new(1000 / RNG_REFILLS);
	g_source_set_callback(rng->refill, rng_refilled, rng, NULL);
	g_source_attach(rng->refill, rng->virtio.context);
}

static gboolean rng_refilled(gpointer data)
{
	struct rng *rng = data;

	g_mutex_lock(&rng->virtio.lock);
	g_clear_pointer(&rng->refill, g_source_unref);
	rng->budget = rng->portion;
	if (rng->virtio.status & VIRTIO_DRIVER_OK)
		rng_serve(rng);
	g_mutex_unlock(&rng->virtio.lock);
	return G_SOURCE_REMOVE;
}

static void rng_kick(struct virtio_device *dev, unsigned q)
{
	rng_serve((struct rng *)((char *)dev - offsetof(struct rng, virtio)));
}

/* A reset forgets no debt: the budget and its timer stay as they are. */
static const struct virtio_ops rng_ops = {
	.name = "virtio-rng",
	.id = 4,
	.pci_class = 0x10, /* encryption controller, as nothing fits better */
	.n_queues = 1,
	.queue_size = {64},
	.kick = rng_kick,
};

static void rng_reset(struct device *device)
{
	virtio_pci_reset(&((struct rng *)device)->virtio);
}

static void rng_state(struct device *device, struct state *state)
{
	virtio_state(&((struct rng *)device)->virtio, state);
}

static void rng_destroy(struct device *device)
{
	struct rng *rng = (struct rng *)device;

	virtio_detach_pci(&rng->virtio);
	if (rng->refill) {
		g_source_destroy(rng->refill);
		g_source_unref(rng->refill);
	}
	virtio_clear(&rng->virtio);
	g_free(rng);
}

static const struct property rng_properties[] = {
	{
		.key = "Rate",
		.type = PROPERTY_SIZE,
		.offset = offsetof(struct rng_config, rate),
		.fallback = "1M",
		.help = "random bytes a second, at most",
		.min = 1024,
		.max = 1 << 30,
	},
	{0},
};

static struct device *rng_create(struct machine *machine, const char *instance,
	const void *config, GError **error);

static const struct device_type virtio_rng = {
	.section = "Rng",
	.help = "random numbers from the host (virtio-rng)",
	.always = true,
	.properties = rng_properties,
	.config_size = sizeof(struct rng_config),
	.create = rng_create,
};

static struct device *rng_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	const struct rng_config *rng_config = config;
	struct rng *rng = g_new0(struct rng, 1);

	rng->device = (struct device){
		.type = &virtio_rng,
		.instance = instance,
		.reset = rng_reset,
		.state = rng_state,
		.destroy = rng_destroy,
	};
	rng->portion = MAX(rng_config->rate / RNG_REFILLS, 1);
	rng->budget = rng->portion;
	virtio_init(&rng->virtio, &rng_ops, machine->memory, machine->io_context);
	if (!virtio_attach_pci(machine, &rng->virtio, error)) {
		rng_destroy(&rng->device);
		return NULL;
	}
	return &rng->device;
}

DEVICE_REGISTER(virtio_rng);

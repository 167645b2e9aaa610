/*
 * virtio-gpu as a device of the machine: its options, its function with or without a VGA, its share
 * of a saved guest.
 */
#define G_LOG_DOMAIN "virtio-gpu"

#include "vmm/virtio_gpu.h"

#include <string.h>

#include "vmm/acpi.h"
#include "vmm/state.h"
#include "vmm/virtio_gpu_priv.h"
#include "vmm/virtio_pci.h"

enum {
	VGA_AUTO,
	VGA_YES,
};

static const char *const vga_values[] = { "auto", "yes", "no", NULL };

static const struct property gpu_properties[] = {
	{ .key = "Width", .type = PROPERTY_UINT, .offset = offsetof(struct gpu_config, width),
		.fallback = "1280", .min = 64, .max = PORT_MAX_SIDE,
		.help = "Preferred width until a seat says its own" },
	{ .key = "Height", .type = PROPERTY_UINT, .offset = offsetof(struct gpu_config, height),
		.fallback = "720", .min = 64, .max = PORT_MAX_SIDE,
		.help = "Preferred height" },
	{ .key = "MaxMemory", .type = PROPERTY_SIZE,
		.offset = offsetof(struct gpu_config, max_memory), .fallback = "256M",
		.min = 1 << 20, .max = 16ull << 30,
		.help = "Host memory that the guest's pictures may take" },
	{ .key = "Monitors", .type = PROPERTY_UINT, .offset = offsetof(struct gpu_config, heads),
		.fallback = "4", .min = 1, .max = PORT_HEADS,
		.help = "Monitors that the guest may have; those are plugged in that a seat has" },
	{ .key = "Vga", .type = PROPERTY_ENUM, .offset = offsetof(struct gpu_config, vga),
		.fallback = "auto", .values = vga_values,
		.help = "A VGA as well, for firmware and systems without a driver; auto: when a "
			"firmware boots the guest" },
	{ 0 },
};

static struct device *gpu_create(struct machine *machine, const char *instance,
	const void *config, GError **error);

static const struct device_type virtio_gpu = {
	.section = "Gpu",
	.help = "The screen: virtio-gpu, 2D, up to four monitors",
	.always = true,
	.single = true,
	.properties = gpu_properties,
	.config_size = sizeof(struct gpu_config),
	.create = gpu_create,
};
DEVICE_REGISTER(virtio_gpu);

static struct gpu *gpu_of_device(struct device *device)
{
	return (struct gpu *)((char *)device - offsetof(struct gpu, device));
}

static void gpu_device_reset(struct device *device)
{
	struct gpu *gpu = gpu_of_device(device);

	/* The seat thread may be drawing it; and is to, from virtio's reset on. */
	g_mutex_lock(&gpu->dev.lock);
	if (gpu->vga)
		vga_screen_reset(gpu->vga);
	g_mutex_unlock(&gpu->dev.lock);
	virtio_pci_reset(&gpu->dev);
	g_mutex_lock(&gpu->dev.lock);
	gpu->tell_off |= gpu->vga && gpu->head[0].shown;
	g_mutex_unlock(&gpu->dev.lock);
}

static void resources_state(struct gpu *gpu, struct state *state)
{
	uint32_t n = g_hash_table_size(gpu->resources);
	struct gpu_resource *resource;
	GHashTableIter iter;

	STATE(state, n);
	if (!state_loading(state)) {
		g_hash_table_iter_init(&iter, gpu->resources);
		while (g_hash_table_iter_next(&iter, NULL, (void **)&resource))
			gpu_resource_state(&resource, &gpu->budget, state);
		return;
	}
	if (n > GPU_MAX_RESOURCES)
		state_fail(state, "%u pictures", n);
	for (uint32_t i = 0; i < n && !state_failed(state); i++) {
		gpu_resource_state(&resource, &gpu->budget, state);
		if (resource)
			g_hash_table_replace(gpu->resources, GUINT_TO_POINTER(resource->id),
				resource);
	}
}

/* The command under way is carried out again from its beginning. Flushes before it that wait for a
 * vblank are not: what came after them may have been carried out. */
static void gpu_drain(struct device *device)
{
	struct gpu *gpu = gpu_of_device(device);

	g_mutex_lock(&gpu->dev.lock);
	virtio_unpop(&gpu->dev, CONTROL_QUEUE, gpu->busy);
	gpu->busy = false;
	gpu_release_all(gpu);
	g_mutex_unlock(&gpu->dev.lock);
}

static void head_state(struct gpu_head *head, struct state *state)
{
	STATE(state, head->width);
	STATE(state, head->height);
	STATE(state, head->scanout);
	STATE(state, head->source);
	STATE(state, head->cursor);
}

/* False: it shows what there is not. */
static bool head_loaded(struct gpu *gpu, struct gpu_head *head)
{
	const struct gpu_resource *resource = gpu_resource_find(gpu, head->scanout);

	head->width = CLAMP(head->width, 64, PORT_MAX_SIDE);
	head->height = CLAMP(head->height, 64, PORT_MAX_SIDE);
	if (head->scanout && !(resource && gpu_resource_has(resource, &head->source)))
		return false;
	return !head->cursor || gpu_resource_find(gpu, head->cursor);
}

/* Where the cursor is, its next move tells. */
static void gpu_state(struct device *device, struct state *state)
{
	struct gpu *gpu = gpu_of_device(device);
	uint8_t taken_over = gpu->taken_over;
	bool missing = false;

	virtio_state(&gpu->dev, state);
	STATE(state, gpu->events);
	STATE(state, gpu->connected);
	for (unsigned i = 0; i < gpu->n_heads; i++)
		head_state(&gpu->head[i], state);
	STATE(state, taken_over);
	if (gpu->vga)
		vga_screen_state(gpu->vga, state);
	resources_state(gpu, state);
	if (!state_loading(state) || state_failed(state))
		return;
	gpu->taken_over = taken_over;
	gpu->connected = CLAMP(gpu->connected, 1, gpu->n_heads);
	for (unsigned i = 0; i < gpu->n_heads; i++)
		missing |= !head_loaded(gpu, &gpu->head[i]);
	if (missing)
		state_fail(state, "it shows a picture that it has not got");
	gpu->loaded = true;
	gpu_wake(gpu);
}

static void gpu_destroy(struct device *device)
{
	struct gpu *gpu = gpu_of_device(device);

	virtio_detach_pci(&gpu->dev);
	g_source_destroy(gpu->wake);
	g_source_unref(gpu->wake);
	if (gpu->boot_tick) {
		g_source_destroy(gpu->boot_tick);
		g_source_unref(gpu->boot_tick);
	}
	vga_screen_free(gpu->vga);
	g_hash_table_destroy(gpu->resources);
	virtio_clear(&gpu->dev);
	g_free(gpu);
}

static void resource_free(void *resource)
{
	gpu_resource_free(resource);
}

static gboolean wake_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs gpu_wake_funcs = { .dispatch = wake_dispatch };

static GSource *source_new(struct gpu *gpu, gboolean (*woken)(gpointer data), gint64 ready)
{
	GSource *source = g_source_new(&gpu_wake_funcs, sizeof(GSource));

	g_source_set_callback(source, woken, gpu, NULL);
	g_source_set_ready_time(source, ready);
	g_source_attach(source, gpu->machine->seat_context);
	return source;
}

static bool gpu_attach(struct gpu *gpu, const struct gpu_config *config, GError **error)
{
	struct machine *machine = gpu->machine;

	if (config->vga != VGA_YES && !(config->vga == VGA_AUTO && machine->config->firmware))
		return virtio_attach_pci(machine, &gpu->dev, error);
	gpu->vga = vga_screen_new(machine, &gpu->budget, error);
	if (!gpu->vga)
		return false;
	acpi_present(machine, ACPI_VGA);
	gpu->boot_tick = source_new(gpu, gpu_boot_ticked, 0);
	return virtio_attach_pci_at(machine, &gpu->dev, vga_screen_place(gpu->vga), error);
}

static struct device *gpu_create(struct machine *machine, const char *instance,
	const void *data, GError **error)
{
	const struct gpu_config *config = data;
	struct gpu *gpu = g_new0(struct gpu, 1);

	virtio_init(&gpu->dev, &gpu_ops, machine->memory, machine->seat_context);
	gpu->device = (struct device) {
		.type = &virtio_gpu,
		.instance = instance,
		.reset = gpu_device_reset,
		.drain = gpu_drain,
		.state = gpu_state,
		.destroy = gpu_destroy,
	};
	gpu->machine = machine;
	gpu->port = machine->port;
	gpu->n_heads = CLAMP(config->heads, 1, PORT_HEADS);
	gpu->connected = 1;
	for (unsigned i = 0; i < gpu->n_heads; i++) {
		gpu->head[i].width = config->width;
		gpu->head[i].height = config->height;
	}
	gpu->budget.max = config->max_memory;
	gpu->share_class = (gint)MIN(machine->config->share_class, SHARE_IDLE);
	gpu->resources = g_hash_table_new_full(NULL, NULL, NULL, resource_free);
	gpu->wake = source_new(gpu, gpu_woken, -1);
	if (!gpu_attach(gpu, config, error)) {
		gpu_destroy(&gpu->device);
		return NULL;
	}
	machine_seat_events(machine, &gpu_events, gpu);
	return &gpu->device;
}

void virtio_gpu_set_class(struct device *device, enum share_class share_class)
{
	if (device->type == &virtio_gpu && share_class < SHARE_CLASSES)
		g_atomic_int_set(&gpu_of_device(device)->share_class, (gint)share_class);
}

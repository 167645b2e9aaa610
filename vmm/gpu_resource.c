/*
 * virtio-gpu 2D resources: their memory, their backing, and the copy from one to the other. Formats
 * other than the seats' own are turned into it on the way.
 */
#include "vmm/gpu_resource.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/state.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define PIXEL 4u

/* Where in the guest's pixel our bytes blue, green, red, alpha come from; virtio 1.2, 5.7.6.8. */
static const struct {
	uint32_t format;
	uint8_t order[PIXEL];
} formats[] = {
	{ 1, { 0, 1, 2, 3 } },   /* B8G8R8A8 */
	{ 2, { 0, 1, 2, 3 } },   /* B8G8R8X8 */
	{ 3, { 3, 2, 1, 0 } },   /* A8R8G8B8 */
	{ 4, { 3, 2, 1, 0 } },   /* X8R8G8B8 */
	{ 67, { 2, 1, 0, 3 } },  /* R8G8B8A8 */
	{ 68, { 1, 2, 3, 0 } },  /* X8B8G8R8 */
	{ 121, { 1, 2, 3, 0 } }, /* A8B8G8R8 */
	{ 134, { 2, 1, 0, 3 } }, /* R8G8B8X8 */
};

static const uint8_t *format_order(uint32_t format)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].format == format)
			return formats[i].order;
	return NULL;
}

static bool budget_take(struct gpu_budget *budget, uint64_t bytes)
{
	if (bytes > budget->max || budget->used > budget->max - bytes)
		return false;
	budget->used += bytes;
	return true;
}

/* Ours is the last writable mapping: nobody who is handed the descriptor can make another. */
static int pixels_new(struct gpu_resource *resource)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW;
	void *pixels;

	resource->fd = memfd_create("irori-scanout", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (resource->fd < 0 || ftruncate(resource->fd, (off_t)resource->len) < 0)
		return -ENOMEM;
	pixels = mmap(NULL, resource->len, PROT_READ | PROT_WRITE, MAP_SHARED, resource->fd, 0);
	if (pixels == MAP_FAILED)
		return -ENOMEM;
	resource->pixels = pixels;
	if (fcntl(resource->fd, F_ADD_SEALS, seals) < 0)
		return -ENOMEM;
	/* Linux 5.1; without it a seat could scribble on the picture, no more. */
	fcntl(resource->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	return 0;
}

int gpu_resource_new(uint32_t id, uint32_t format, uint32_t width, uint32_t height,
	struct gpu_budget *budget, struct gpu_resource **made)
{
	const uint8_t *order = format_order(format);
	struct gpu_resource *resource;
	size_t len = (size_t)width * height * PIXEL;
	int r;

	if (!order || !width || !height || width > PORT_MAX_SIDE || height > PORT_MAX_SIDE)
		return -EINVAL;
	len = (len + 4095) & ~(size_t)4095;
	if (!budget_take(budget, len))
		return -ENOMEM;
	resource = g_new0(struct gpu_resource, 1);
	resource->id = id;
	resource->format = format;
	resource->width = width;
	resource->height = height;
	resource->stride = width * PIXEL;
	resource->order = order[0] == 0 ? NULL : order;
	resource->len = len;
	resource->budget = budget;
	r = pixels_new(resource);
	if (r < 0) {
		gpu_resource_free(resource);
		return r;
	}
	*made = resource;
	return 0;
}

void gpu_resource_free(struct gpu_resource *resource)
{
	gpu_resource_detach(resource);
	if (resource->pixels)
		munmap(resource->pixels, resource->len);
	if (resource->fd >= 0)
		close(resource->fd);
	resource->budget->used -= resource->len;
	g_free(resource);
}

int gpu_resource_attach(struct gpu_resource *resource, const struct gpu_mem_entry *entry,
	unsigned n)
{
	uint64_t table_len = (uint64_t)n * sizeof(struct gpu_part);
	struct gpu_part *part;

	gpu_resource_detach(resource);
	if (!n || n > GPU_MAX_BACKING)
		return -EINVAL;
	if (!budget_take(resource->budget, table_len))
		return -ENOMEM;
	resource->table_len = table_len;
	part = resource->part = g_try_new0(struct gpu_part, n);
	if (!part) {
		gpu_resource_detach(resource);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < n; i++) {
		struct gpu_part *last = resource->n_parts ? &part[resource->n_parts - 1] : NULL;

		resource->backing_len += entry[i].len; /* 16384 * 4 GiB at most */
		if (last && entry[i].addr == last->addr + last->len && entry[i].addr >= last->addr)
			last->len += entry[i].len;
		else
			part[resource->n_parts++] =
				(struct gpu_part) { entry[i].addr, entry[i].len };
	}
	return 0;
}

void gpu_resource_detach(struct gpu_resource *resource)
{
	g_free(resource->part);
	resource->part = NULL;
	resource->n_parts = 0;
	resource->backing_len = 0;
	resource->budget->used -= resource->table_len;
	resource->table_len = 0;
}

bool gpu_resource_has(const struct gpu_resource *resource, const struct rect *rect)
{
	return rect->width && rect->height && rect->x < resource->width &&
		rect->width <= resource->width - rect->x && rect->y < resource->height &&
		rect->height <= resource->height - rect->y;
}

bool gpu_transfer_valid(const struct gpu_resource *resource, const struct gpu_transfer *transfer)
{
	const struct rect *rect = &transfer->rect;
	uint64_t span;

	if (!gpu_resource_has(resource, rect))
		return false;
	span = (uint64_t)(rect->height - 1) * resource->stride + rect->width * PIXEL;
	return span <= resource->backing_len && transfer->offset <= resource->backing_len - span;
}

/* Where in the backing a walk is; offsets only grow, so the parts are passed once. */
struct backing_walk {
	unsigned part;
	uint64_t part_offset; /* of the part's first byte */
};

static int backing_read(const struct gpu_resource *resource, const struct guest_memory *memory,
	struct backing_walk *walk, uint64_t offset, uint8_t *to, size_t len)
{
	while (len) {
		const struct gpu_part *part = &resource->part[walk->part];
		uint64_t at = offset - walk->part_offset, n;
		const void *from;

		if (walk->part >= resource->n_parts)
			return -EFAULT;
		if (at >= part->len) {
			walk->part_offset += part->len;
			walk->part++;
			continue;
		}
		n = MIN(part->len - at, len);
		from = part->addr <= UINT64_MAX - at ? memory_at(memory, part->addr + at, n) : NULL;
		if (!from)
			return -EFAULT;
		memcpy(to, from, n);
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static void pixels_reorder(uint32_t *pixel, size_t n, const uint8_t *order)
{
	unsigned blue = order[0] * 8, green = order[1] * 8, red = order[2] * 8, alpha = order[3] * 8;

	for (size_t i = 0; i < n; i++) {
		uint32_t p = pixel[i];

		pixel[i] = (p >> blue & 0xff) | (p >> green & 0xff) << 8 |
			(p >> red & 0xff) << 16 | (p >> alpha & 0xff) << 24;
	}
}

int gpu_transfer_step(const struct gpu_resource *resource, const struct guest_memory *memory,
	struct gpu_transfer *transfer, size_t max_bytes)
{
	const struct rect *rect = &transfer->rect;
	size_t row_bytes = (size_t)rect->width * PIXEL;
	uint32_t rows = (uint32_t)MAX(max_bytes / row_bytes, 1);
	bool whole = row_bytes == resource->stride; /* rows follow each other: one copy does */
	struct backing_walk walk = { 0 };

	rows = MIN(rows, rect->height - transfer->row);
	for (uint32_t done = 0, n; done < rows; done += n) {
		uint64_t row = transfer->row + done;
		uint64_t offset = transfer->offset + row * resource->stride;
		uint8_t *to = resource->pixels + (rect->y + row) * resource->stride +
			(size_t)rect->x * PIXEL;

		n = whole ? rows : 1;
		if (backing_read(resource, memory, &walk, offset, to, row_bytes * n) < 0)
			return -EFAULT;
		if (resource->order)
			pixels_reorder((uint32_t *)to, (size_t)rect->width * n, resource->order);
	}
	transfer->row += rows;
	return transfer->row < rect->height;
}

/* Its parts as a saved guest has them: as many bytes of table as the driver's own would have cost. */
static void backing_state(struct gpu_resource *resource, struct state *state)
{
	size_t len = resource->n_parts * sizeof(struct gpu_part);
	uint8_t *bytes = g_memdup2(resource->part, len);

	state_blob(state, "backing", &bytes, &len, GPU_MAX_BACKING * sizeof(struct gpu_part));
	if (!state_loading(state) || state_failed(state) || !len) {
		g_free(bytes);
		return;
	}
	if (len % sizeof(struct gpu_part) || !budget_take(resource->budget, len)) {
		g_free(bytes);
		state_fail(state, "a picture's backing is damaged");
		return;
	}
	resource->table_len = len;
	resource->part = (struct gpu_part *)bytes;
	resource->n_parts = (unsigned)(len / sizeof(struct gpu_part));
	for (unsigned i = 0; i < resource->n_parts; i++) {
		/* Sums stay far from wrapping, as those of 32-bit lengths do. */
		resource->part[i].len = MIN(resource->part[i].len, 1ull << 46);
		resource->backing_len += resource->part[i].len;
	}
}

void gpu_resource_state(struct gpu_resource **made, struct gpu_budget *budget, struct state *state)
{
	struct gpu_resource head = { 0 };

	if (!state_loading(state))
		head = **made;
	else
		*made = NULL;
	STATE(state, head.id);
	STATE(state, head.format);
	STATE(state, head.width);
	STATE(state, head.height);
	if (state_failed(state))
		return;
	if (state_loading(state) && (!head.id || gpu_resource_new(head.id, head.format, head.width,
		    head.height, budget, made))) {
		state_fail(state, "a picture of %u x %u, format %u", head.width, head.height,
			head.format);
		return;
	}
	state_bytes(state, "pixels", (*made)->pixels, (*made)->len);
	backing_state(*made, state);
}

/*
 * The virtio transport over PCI: capabilities, the common configuration structure as a table of
 * fields, a kick eventfd for each queue that follows the BAR, and MSI-X vectors.
 */
#define G_LOG_DOMAIN "virtio"

#include "vmm/virtio_pci.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/state.h"

/* virtio 1.2, 4.1.4: struct virtio_pci_cap. */
enum virtio_cap_type {
	CAP_COMMON = 1,
	CAP_NOTIFY = 2,
	CAP_ISR = 3,
	CAP_DEVICE = 4,
	CAP_WINDOW = 5, /* VIRTIO_PCI_CAP_PCI_CFG */
};

enum virtio_cap_layout {
	CAP_LEN = 16,
	CAP_OFFSET_LEN = 2,
	CAP_OFFSET_TYPE = 3,
	CAP_OFFSET_BAR = 4,
	CAP_OFFSET_OFFSET = 8,
	CAP_OFFSET_LENGTH = 12,
	CAP_OFFSET_EXTRA = 16, /* notify multiplier, window data */
};

enum isr_bits {
	ISR_QUEUE = 1,
	ISR_CONFIG = 2,
};

struct virtio_pci {
	struct pci_device pci;
	struct machine *machine;
	struct virtio_device *dev;
	const struct virtio_pci_place *place;
	unsigned window; /* offset of the CAP_WINDOW capability */
	uint64_t base;   /* of virtio in its BAR, 0: nowhere; under the PCI bus's lock */
	int kick_fd[VIRTIO_MAX_QUEUES];
	GSource *kick_source[VIRTIO_MAX_QUEUES];
	bool kernel_kicks[VIRTIO_MAX_QUEUES]; /* an ioeventfd is set at `base` */
	/* Under dev->lock. */
	uint32_t offered_select, accepted_select;
	uint16_t queue_select;
	uint16_t config_vector, queue_vector[VIRTIO_MAX_QUEUES];
	uint8_t isr;
};

/* What one access to the common structure works on. */
struct common {
	struct virtio_pci *vp;
	struct virtio_device *dev;
	struct virtqueue *queue; /* the selected one; NULL: there is none by that number */
	unsigned q;
};

static void half_set(uint64_t *field, unsigned half, uint32_t value)
{
	unsigned shift = half * 32;

	*field = (*field & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

static uint32_t half_get(uint64_t field, unsigned half)
{
	return half < 2 ? (uint32_t)(field >> (half * 32)) : 0;
}

static uint16_t vector_checked(const struct virtio_pci *vp, uint32_t vector)
{
	return vector < vp->pci.n_vectors ? (uint16_t)vector : VIRTIO_PCI_NO_VECTOR;
}

static uint32_t get_offered_select(struct common *c)
{
	return c->vp->offered_select;
}

static void set_offered_select(struct common *c, uint32_t value)
{
	c->vp->offered_select = value;
}

static uint32_t get_offered(struct common *c)
{
	return half_get(c->dev->offered, c->vp->offered_select);
}

static uint32_t get_accepted_select(struct common *c)
{
	return c->vp->accepted_select;
}

static void set_accepted_select(struct common *c, uint32_t value)
{
	c->vp->accepted_select = value;
}

static uint32_t get_accepted(struct common *c)
{
	return half_get(c->dev->accepted, c->vp->accepted_select);
}

static void set_accepted(struct common *c, uint32_t value)
{
	if (c->vp->accepted_select < 2 && !(c->dev->status & VIRTIO_FEATURES_OK))
		half_set(&c->dev->accepted, c->vp->accepted_select, value);
}

static uint32_t get_config_vector(struct common *c)
{
	return c->vp->config_vector;
}

static void set_config_vector(struct common *c, uint32_t value)
{
	c->vp->config_vector = vector_checked(c->vp, value);
}

static uint32_t get_n_queues(struct common *c)
{
	return c->dev->ops->n_queues;
}

static uint32_t get_status(struct common *c)
{
	return c->dev->status;
}

static uint32_t get_generation(struct common *c)
{
	return c->dev->config_generation;
}

static uint32_t get_queue_select(struct common *c)
{
	return c->vp->queue_select;
}

static void set_queue_select(struct common *c, uint32_t value)
{
	c->vp->queue_select = (uint16_t)value;
}

static uint32_t get_queue_size(struct common *c)
{
	return c->queue ? c->queue->size : 0;
}

/* Fields of a queue stay as they are once it is enabled. */
static bool queue_open(const struct common *c)
{
	return c->queue && !c->queue->ready;
}

static void set_queue_size(struct common *c, uint32_t value)
{
	if (queue_open(c))
		c->queue->size = (uint16_t)value; /* virtqueue_enable judges it */
}

static uint32_t get_queue_vector(struct common *c)
{
	return c->queue ? c->vp->queue_vector[c->q] : VIRTIO_PCI_NO_VECTOR;
}

static void set_queue_vector(struct common *c, uint32_t value)
{
	if (c->queue)
		c->vp->queue_vector[c->q] = vector_checked(c->vp, value);
}

static uint32_t get_queue_enable(struct common *c)
{
	return c->queue && c->queue->ready;
}

static void set_queue_enable(struct common *c, uint32_t value)
{
	if (value != 1 || !queue_open(c) || !(c->dev->status & VIRTIO_FEATURES_OK))
		return;
	if (virtqueue_enable(c->queue) < 0)
		virtio_needs_reset(c->dev, "a queue of a size or at a place that is not allowed");
}

static uint32_t get_notify_offset(struct common *c)
{
	return c->queue ? c->q : 0;
}

#define ADDRESS_FIELD(name)                                                                        \
	static uint32_t get_##name##_low(struct common *c)                                         \
	{                                                                                          \
		return c->queue ? half_get(c->queue->name, 0) : 0;                                 \
	}                                                                                          \
	static uint32_t get_##name##_high(struct common *c)                                        \
	{                                                                                          \
		return c->queue ? half_get(c->queue->name, 1) : 0;                                 \
	}                                                                                          \
	static void set_##name##_low(struct common *c, uint32_t value)                             \
	{                                                                                          \
		if (queue_open(c))                                                                 \
			half_set(&c->queue->name, 0, value);                                       \
	}                                                                                          \
	static void set_##name##_high(struct common *c, uint32_t value)                            \
	{                                                                                          \
		if (queue_open(c))                                                                 \
			half_set(&c->queue->name, 1, value);                                       \
	}

ADDRESS_FIELD(desc)
ADDRESS_FIELD(avail)
ADDRESS_FIELD(used)

/* virtio 1.2, 4.1.4.3. Offset, width, and what it means; set NULL: read-only. */
static const struct common_field {
	unsigned offset, size;
	uint32_t (*get)(struct common *c);
	void (*set)(struct common *c, uint32_t value);
} common_fields[] = {
	{0x00, 4, get_offered_select, set_offered_select},
	{0x04, 4, get_offered, NULL},
	{0x08, 4, get_accepted_select, set_accepted_select},
	{0x0c, 4, get_accepted, set_accepted},
	{0x10, 2, get_config_vector, set_config_vector},
	{0x12, 2, get_n_queues, NULL},
	{0x14, 1, get_status, NULL}, /* written through status_write: it locks for itself */
	{0x15, 1, get_generation, NULL},
	{0x16, 2, get_queue_select, set_queue_select},
	{0x18, 2, get_queue_size, set_queue_size},
	{0x1a, 2, get_queue_vector, set_queue_vector},
	{0x1c, 2, get_queue_enable, set_queue_enable},
	{0x1e, 2, get_notify_offset, NULL},
	{0x20, 4, get_desc_low, set_desc_low},
	{0x24, 4, get_desc_high, set_desc_high},
	{0x28, 4, get_avail_low, set_avail_low},
	{0x2c, 4, get_avail_high, set_avail_high},
	{0x30, 4, get_used_low, set_used_low},
	{0x34, 4, get_used_high, set_used_high},
};

enum common_layout {
	COMMON_STATUS = 0x14,
	COMMON_LEN = 0x38,
};

static const struct common_field *common_field_at(uint64_t offset, unsigned size)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(common_fields); i++)
		if (common_fields[i].offset == offset && common_fields[i].size == size)
			return &common_fields[i];
	return NULL;
}

static struct common common_for(struct virtio_pci *vp)
{
	unsigned q = vp->queue_select;
	bool there = q < vp->dev->ops->n_queues;

	return (struct common){
		.vp = vp,
		.dev = vp->dev,
		.queue = there ? &vp->dev->queue[q] : NULL,
		.q = there ? q : 0,
	};
}

static uint64_t common_read(struct virtio_pci *vp, uint64_t offset, unsigned size)
{
	const struct common_field *field = common_field_at(offset, size);
	struct common common;
	uint32_t value;

	if (size == 8)
		return common_read(vp, offset, 4) | common_read(vp, offset + 4, 4) << 32;
	if (!field)
		return 0;
	g_mutex_lock(&vp->dev->lock);
	common = common_for(vp);
	value = field->get(&common);
	g_mutex_unlock(&vp->dev->lock);
	return value;
}

/* The transport's own registers at power-on. Under dev->lock. */
static void virtio_pci_clear(struct virtio_pci *vp)
{
	vp->offered_select = vp->accepted_select = 0;
	vp->queue_select = 0;
	vp->isr = 0;
	pci_intx(&vp->pci, false);
	vp->config_vector = VIRTIO_PCI_NO_VECTOR;
	for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++)
		vp->queue_vector[q] = VIRTIO_PCI_NO_VECTOR;
}

static void status_write(struct virtio_pci *vp, uint8_t status)
{
	virtio_set_status(vp->dev, status);
	if (status != 0)
		return;
	g_mutex_lock(&vp->dev->lock);
	virtio_pci_clear(vp);
	g_mutex_unlock(&vp->dev->lock);
}

static void common_write(struct virtio_pci *vp, uint64_t offset, unsigned size, uint64_t value)
{
	const struct common_field *field = common_field_at(offset, size);
	struct common common;

	if (size == 8) {
		common_write(vp, offset, 4, (uint32_t)value);
		common_write(vp, offset + 4, 4, value >> 32);
	} else if (offset == COMMON_STATUS && size == 1) {
		status_write(vp, (uint8_t)value);
	} else if (field && field->set) {
		g_mutex_lock(&vp->dev->lock);
		common = common_for(vp);
		field->set(&common, (uint32_t)value);
		g_mutex_unlock(&vp->dev->lock);
	}
}

static uint64_t no_read(struct virtio_pci *vp, uint64_t offset, unsigned size)
{
	return 0;
}

static void no_write(struct virtio_pci *vp, uint64_t offset, unsigned size, uint64_t value)
{
}

static uint64_t isr_read(struct virtio_pci *vp, uint64_t offset, unsigned size)
{
	uint8_t isr;

	if (offset != 0)
		return 0;
	g_mutex_lock(&vp->dev->lock);
	isr = vp->isr;
	vp->isr = 0;
	pci_intx(&vp->pci, false);
	g_mutex_unlock(&vp->dev->lock);
	return isr;
}

static uint64_t device_read(struct virtio_pci *vp, uint64_t offset, unsigned size)
{
	const struct virtio_ops *ops = vp->dev->ops;
	uint64_t value = 0;

	if (!ops->config_read || offset >= ops->config_len)
		return 0;
	g_mutex_lock(&vp->dev->lock);
	ops->config_read(vp->dev, (unsigned)offset, &value,
		(unsigned)MIN(size, ops->config_len - offset));
	g_mutex_unlock(&vp->dev->lock);
	return value;
}

static void device_write(struct virtio_pci *vp, uint64_t offset, unsigned size, uint64_t value)
{
	const struct virtio_ops *ops = vp->dev->ops;

	if (!ops->config_write || offset >= ops->config_len)
		return;
	g_mutex_lock(&vp->dev->lock);
	ops->config_write(vp->dev, (unsigned)offset, &value,
		(unsigned)MIN(size, ops->config_len - offset));
	g_mutex_unlock(&vp->dev->lock);
}

static void kick_write(struct virtio_pci *vp, unsigned q)
{
	uint64_t one = 1;

	if (write(vp->kick_fd[q], &one, sizeof(one)) < 0)
		g_debug("%s: kick: %s", vp->dev->ops->name, g_strerror(errno));
}

/* Only where the kernel takes no kicks for us: hands them to the queue's context all the same. */
static void notify_write(struct virtio_pci *vp, uint64_t offset, unsigned size, uint64_t value)
{
	unsigned q = (unsigned)(offset / VIRTIO_PCI_NOTIFY_STEP);

	if (offset % VIRTIO_PCI_NOTIFY_STEP == 0 && q < vp->dev->ops->n_queues)
		kick_write(vp, q);
}

static uint64_t table_read(struct virtio_pci *vp, uint64_t offset, unsigned size)
{
	return msix_read(&vp->pci, offset, size);
}

static void table_write(struct virtio_pci *vp, uint64_t offset, unsigned size, uint64_t value)
{
	msix_write(&vp->pci, offset, size, value);
}

/* Virtio's BAR, a part for each 4 KiB page. */
static const struct bar_part {
	uint64_t (*read)(struct virtio_pci *vp, uint64_t offset, unsigned size);
	void (*write)(struct virtio_pci *vp, uint64_t offset, unsigned size, uint64_t value);
} bar_parts[VIRTIO_PCI_BAR_LEN >> 12] = {
	[VIRTIO_PCI_COMMON >> 12] = {common_read, common_write},
	[VIRTIO_PCI_ISR >> 12] = {isr_read, no_write},
	[VIRTIO_PCI_DEVICE >> 12] = {device_read, device_write},
	[VIRTIO_PCI_NOTIFY >> 12] = {no_read, notify_write},
	[VIRTIO_PCI_MSIX >> 12] = {table_read, table_write},
	[5] = {no_read, no_write},
	[6] = {no_read, no_write},
	[7] = {no_read, no_write},
};

static uint64_t bar_read(void *owner, uint64_t offset, unsigned size)
{
	return bar_parts[offset >> 12].read(owner, offset & 0xfff, size);
}

static void bar_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	bar_parts[offset >> 12].write(owner, offset & 0xfff, size, value);
}

static uint64_t place_read(void *owner, uint64_t offset, unsigned size)
{
	const struct virtio_pci_place *place = ((struct virtio_pci *)owner)->place;

	if (offset < place->offset)
		return place->below->read(place->below_owner, offset, size);
	offset -= place->offset;
	return offset < VIRTIO_PCI_BAR_LEN ? bar_read(owner, offset, size) : 0;
}

static void place_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	const struct virtio_pci_place *place = ((struct virtio_pci *)owner)->place;

	if (offset < place->offset)
		place->below->write(place->below_owner, offset, size, value);
	else if (offset - place->offset < VIRTIO_PCI_BAR_LEN)
		bar_write(owner, offset - place->offset, size, value);
}

static const struct region_ops place_ops = {
	.read = place_read,
	.write = place_write,
};

/* The window of CAP_WINDOW: virtio's BAR seen through configuration space (virtio 1.2, 4.1.4.9). */
static bool window_target(const struct virtio_pci *vp, unsigned offset, uint32_t *at,
	uint32_t *size)
{
	const uint8_t *cap = &vp->pci.config[vp->window];

	memcpy(at, cap + CAP_OFFSET_OFFSET, 4);
	memcpy(size, cap + CAP_OFFSET_LENGTH, 4);
	*at -= vp->place->offset; /* one below is huge now */
	return offset == vp->window + CAP_OFFSET_EXTRA && cap[CAP_OFFSET_BAR] == vp->place->bar &&
		(*size == 1 || *size == 2 || *size == 4) && *at % *size == 0 &&
		*at < VIRTIO_PCI_BAR_LEN;
}

static void window_reading(struct pci_device *pci, unsigned offset, unsigned size)
{
	struct virtio_pci *vp = (struct virtio_pci *)pci;
	uint32_t at, len, value;

	if (!window_target(vp, offset, &at, &len))
		return;
	value = (uint32_t)bar_read(vp, at, len);
	memcpy(&pci->config[vp->window + CAP_OFFSET_EXTRA], &value, 4);
}

static void window_written(struct pci_device *pci, unsigned offset, unsigned size)
{
	struct virtio_pci *vp = (struct virtio_pci *)pci;
	uint32_t at, len, value = 0;

	if (!window_target(vp, offset, &at, &len))
		return;
	memcpy(&value, &pci->config[vp->window + CAP_OFFSET_EXTRA], len);
	bar_write(vp, at, len, value);
}

static void kicks_at(struct virtio_pci *vp, uint64_t base, bool add)
{
	for (unsigned q = 0; q < vp->dev->ops->n_queues; q++) {
		uint64_t gpa = base + VIRTIO_PCI_NOTIFY + q * VIRTIO_PCI_NOTIFY_STEP;
		int result;

		if (add == vp->kernel_kicks[q])
			continue;
		result = machine_ioeventfd(vp->machine, gpa, 0, vp->kick_fd[q], add);
		vp->kernel_kicks[q] = add && result == 0;
		if (result < 0 && result != -ENOSYS)
			g_warning("%s: queue %u: ioeventfd: %s", vp->dev->ops->name, q,
				g_strerror(-result));
	}
}

static void virtio_bar_moved(struct pci_device *pci, unsigned bar, uint64_t base)
{
	struct virtio_pci *vp = (struct virtio_pci *)pci;

	if (bar != vp->place->bar)
		return;
	if (vp->base)
		kicks_at(vp, vp->base, false);
	vp->base = base ? base + vp->place->offset : 0;
	if (vp->base)
		kicks_at(vp, vp->base, true);
}

/* Under the bus's lock; off also means off after a reset, until the next driver. */
static void virtio_command_written(struct pci_device *pci)
{
	virtio_hold(((struct virtio_pci *)pci)->dev, !pci_master(pci));
}

static const struct pci_device_ops virtio_pci_ops = {
	.command_written = virtio_command_written,
	.config_reading = window_reading,
	.config_written = window_written,
	.bar_moved = virtio_bar_moved,
};

/* Virtio 1.2, 4.1.5.1.2 and 4.1.5.1.3: by the pin, which reading ISR lowers, without MSI-X. */
static void notify_vector(struct virtio_pci *vp, uint8_t isr, uint16_t vector)
{
	vp->isr |= isr;
	if (!msix_on(&vp->pci))
		pci_intx(&vp->pci, true);
	else if (vector != VIRTIO_PCI_NO_VECTOR)
		msix_raise(&vp->pci, vector);
}

static void notify_queue(struct virtio_device *dev, unsigned q)
{
	struct virtio_pci *vp = dev->notify.data;

	notify_vector(vp, ISR_QUEUE, vp->queue_vector[q]);
}

static void notify_config(struct virtio_device *dev)
{
	struct virtio_pci *vp = dev->notify.data;

	notify_vector(vp, ISR_CONFIG, vp->config_vector);
}

static void notify_kick(struct virtio_device *dev)
{
	for (unsigned q = 0; q < dev->ops->n_queues; q++)
		kick_write(dev->notify.data, q);
}

static void notify_state(struct virtio_device *dev, struct state *state)
{
	struct virtio_pci *vp = dev->notify.data;

	pci_state(&vp->pci, state);
	STATE(state, vp->offered_select);
	STATE(state, vp->accepted_select);
	STATE(state, vp->queue_select);
	STATE(state, vp->config_vector);
	STATE(state, vp->queue_vector);
	STATE(state, vp->isr);
	vp->config_vector = vector_checked(vp, vp->config_vector);
	for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++)
		vp->queue_vector[q] = vector_checked(vp, vp->queue_vector[q]);
}

static gboolean kicked(gint fd, GIOCondition condition, gpointer data)
{
	struct virtio_pci *vp = data;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return G_SOURCE_CONTINUE;
	for (unsigned q = 0; q < vp->dev->ops->n_queues; q++)
		if (vp->kick_fd[q] == fd)
			virtio_kick(vp->dev, q);
	return G_SOURCE_CONTINUE;
}

static unsigned add_cap(struct virtio_pci *vp, uint8_t type, unsigned len, uint32_t offset,
	uint32_t length)
{
	unsigned cap = pci_add_cap(&vp->pci, PCI_CAP_VENDOR, len);
	uint8_t *config = &vp->pci.config[cap];

	config[CAP_OFFSET_LEN] = (uint8_t)len;
	config[CAP_OFFSET_TYPE] = type;
	config[CAP_OFFSET_BAR] = (uint8_t)vp->place->bar;
	offset += vp->place->offset;
	memcpy(config + CAP_OFFSET_OFFSET, &offset, 4);
	memcpy(config + CAP_OFFSET_LENGTH, &length, 4);
	return cap;
}

static void add_caps(struct virtio_pci *vp)
{
	const struct virtio_ops *ops = vp->dev->ops;
	uint32_t step = VIRTIO_PCI_NOTIFY_STEP;
	unsigned cap;

	add_cap(vp, CAP_COMMON, CAP_LEN, VIRTIO_PCI_COMMON, COMMON_LEN);
	cap = add_cap(vp, CAP_NOTIFY, CAP_LEN + 4, VIRTIO_PCI_NOTIFY, ops->n_queues * step);
	memcpy(&vp->pci.config[cap + CAP_OFFSET_EXTRA], &step, 4);
	add_cap(vp, CAP_ISR, CAP_LEN, VIRTIO_PCI_ISR, 1);
	if (ops->config_len > 0)
		add_cap(vp, CAP_DEVICE, CAP_LEN, VIRTIO_PCI_DEVICE, (uint32_t)ops->config_len);
	vp->window = add_cap(vp, CAP_WINDOW, CAP_LEN + 4, 0, 0);
	memset(&vp->pci.config[vp->window + CAP_OFFSET_BAR], 0, CAP_LEN - CAP_OFFSET_BAR);
	vp->pci.writable[vp->window + CAP_OFFSET_BAR] = 0xff;
	memset(&vp->pci.writable[vp->window + CAP_OFFSET_OFFSET], 0xff, 12);
}

static bool open_kicks(struct virtio_pci *vp, GError **error)
{
	for (unsigned q = 0; q < vp->dev->ops->n_queues; q++) {
		vp->kick_fd[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (vp->kick_fd[q] < 0) {
			g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
				"%s: eventfd: %s", vp->dev->ops->name, g_strerror(errno));
			return false;
		}
		vp->kick_source[q] = g_unix_fd_source_new(vp->kick_fd[q], G_IO_IN);
		g_source_set_callback(vp->kick_source[q], G_SOURCE_FUNC(kicked), vp, NULL);
		g_source_attach(vp->kick_source[q], vp->dev->context);
	}
	return true;
}

static void function_init(struct virtio_pci *vp)
{
	const struct virtio_pci_place *place = vp->place;
	const struct virtio_ops *ops = vp->dev->ops;
	const struct pci_id id = {
		.vendor = 0x1af4,
		.device = (uint16_t)(0x1040 + ops->id),
		.subsystem_vendor = 0x1af4,
		.subsystem = (uint16_t)(0x1040 + ops->id),
		.class_code = ops->pci_class,
		.subclass = place->vga ? 0 : ops->pci_subclass,
		.revision = 1,
	};

	pci_init(&vp->pci, ops->name, &id, &virtio_pci_ops);
	pci_add_bar(&vp->pci, place->bar, place->len, &place_ops, vp, ops->name);
	add_caps(vp);
	pci_add_express(&vp->pci);
	pci_add_intx(&vp->pci);
	pci_add_msix(&vp->pci, ops->n_queues + 1, place->bar, place->offset + VIRTIO_PCI_MSIX);
	if (place->prepare)
		place->prepare(&vp->pci, place->owner);
}

bool virtio_attach_pci_at(struct machine *machine, struct virtio_device *dev,
	const struct virtio_pci_place *place, GError **error)
{
	struct virtio_pci *vp = g_new0(struct virtio_pci, 1);
	int result;

	vp->machine = machine;
	vp->dev = dev;
	vp->place = place;
	for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++)
		vp->kick_fd[q] = -1;
	virtio_pci_clear(vp);
	function_init(vp);
	dev->notify = (struct virtio_notify){
		.queue = notify_queue,
		.config = notify_config,
		.state = notify_state,
		.kick = notify_kick,
		.data = vp,
	};
	result = open_kicks(vp, error) ? pci_attach(machine->pci, &vp->pci, -1) : 1;
	if (result < 0)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "%s: no PCI slot is free",
			dev->ops->name);
	if (result != 0)
		virtio_detach_pci(dev);
	return result == 0;
}

bool virtio_attach_pci(struct machine *machine, struct virtio_device *dev, GError **error)
{
	static const struct virtio_pci_place alone = { .len = VIRTIO_PCI_BAR_LEN };

	return virtio_attach_pci_at(machine, dev, &alone, error);
}

void virtio_detach_pci(struct virtio_device *dev)
{
	struct virtio_pci *vp = dev->notify.data;

	if (!vp)
		return;
	pci_detach(&vp->pci);
	for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++) {
		if (vp->kick_source[q]) {
			g_source_destroy(vp->kick_source[q]);
			g_source_unref(vp->kick_source[q]);
		}
		if (vp->kick_fd[q] >= 0)
			close(vp->kick_fd[q]);
	}
	dev->notify = (struct virtio_notify){0};
	g_free(vp);
}

void virtio_pci_reset(struct virtio_device *dev)
{
	struct virtio_pci *vp = dev->notify.data;

	virtio_reset(dev);
	g_mutex_lock(&dev->lock);
	if (vp)
		virtio_pci_clear(vp);
	g_mutex_unlock(&dev->lock);
}

struct pci_device *virtio_pci_function(struct virtio_device *dev)
{
	struct virtio_pci *vp = dev->notify.data;

	return vp ? &vp->pci : NULL;
}

/*
 * The virtio status machine and the PCI transport, with a device of our own behind it: what a
 * driver may do, in which order, and what happens when it does something else.
 */
#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

#define TOY_FEATURE (1ull << 3)
#define TOY_OFFER                                                                                  \
	(TOY_FEATURE | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

struct toy {
	struct device device;
	struct virtio_device virtio;
	unsigned activated, resets, kicks[2];
	uint8_t config[10];
};

static struct toy toy;
static struct guest guest;

static struct toy *toy_of(struct virtio_device *dev)
{
	return (struct toy *)((char *)dev - offsetof(struct toy, virtio));
}

static void toy_activate(struct virtio_device *dev)
{
	toy_of(dev)->activated++;
}

static void toy_reset(struct virtio_device *dev)
{
	toy_of(dev)->resets++;
}

static void toy_kick(struct virtio_device *dev, unsigned q)
{
	struct vq_chain chain;

	toy_of(dev)->kicks[q]++;
	while (virtio_pop(dev, q, &chain) == 1)
		virtio_push(dev, q, chain.head, 0);
	virtio_interrupt(dev, q);
}

static void toy_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	test_assert(offset + len <= sizeof(toy.config));
	memcpy(to, toy.config + offset, len);
}

static void toy_config_write(struct virtio_device *dev, unsigned offset, const void *from,
	unsigned len)
{
	test_assert(offset + len <= sizeof(toy.config));
	memcpy(toy.config + offset, from, len);
}

static const struct virtio_ops toy_ops = {
	.name = "toy",
	.id = 42,
	.n_queues = 2,
	.queue_size = {16, 32},
	.features = TOY_FEATURE,
	.config_len = sizeof(toy.config),
	.activate = toy_activate,
	.reset = toy_reset,
	.kick = toy_kick,
	.config_read = toy_config_read,
	.config_write = toy_config_write,
};

static void toy_machine_reset(struct device *device)
{
	virtio_pci_reset(&toy.virtio);
}

static void toy_destroy(struct device *device)
{
	virtio_detach_pci(&toy.virtio);
	virtio_clear(&toy.virtio);
}

static struct device *toy_create(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	memset(&toy, 0, sizeof(toy));
	toy.device.reset = toy_machine_reset;
	toy.device.destroy = toy_destroy;
	virtio_init(&toy.virtio, &toy_ops, machine->memory, machine->io_context);
	return virtio_attach_pci(machine, &toy.virtio, error) ? &toy.device : NULL;
}

static const struct device_type toy_type = {.section = "Toy", .create = toy_create};

static void plug(void)
{
	guest_ioeventfds = 0;
	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &toy_type, NULL, NULL));
}

static uint8_t status(void)
{
	return (uint8_t)guest_read(&guest, COMMON_DEVICE_STATUS, 1);
}

static void set_status(uint8_t value)
{
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, value);
}

static uint64_t config_space(unsigned offset, unsigned size)
{
	uint64_t value;

	bus_read(guest.machine.mmio, MACHINE_ECAM_BASE + (1 << 15) + offset, size, &value);
	return value;
}

static void set_config_space(unsigned offset, unsigned size, uint64_t value)
{
	bus_write(guest.machine.mmio, MACHINE_ECAM_BASE + (1 << 15) + offset, size, value);
}

/* The offset of the capability of that type, as a driver finds it. */
static unsigned find_cap(unsigned type)
{
	for (unsigned cap = config_space(PCI_CAP_POINTER, 1); cap; cap = config_space(cap + 1, 1))
		if (config_space(cap, 1) == PCI_CAP_VENDOR && config_space(cap + 3, 1) == type)
			return cap;
	return 0;
}

static void capabilities(void)
{
	static const struct {
		unsigned type, offset, len;
	} caps[] = {
		{1, VIRTIO_PCI_COMMON, 0x38},
		{2, VIRTIO_PCI_NOTIFY, 8},
		{3, VIRTIO_PCI_ISR, 1},
		{4, VIRTIO_PCI_DEVICE, 10},
	};

	plug();
	test_equal(config_space(0, 4), 0x106a1af4); /* 0x1040 + 42 */
	test_equal(config_space(PCI_REVISION, 1), 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(caps); i++) {
		unsigned cap = find_cap(caps[i].type);

		test_assert(cap != 0);
		test_equal(config_space(cap + 4, 1), 0);
		test_equal(config_space(cap + 8, 4), caps[i].offset);
		test_equal(config_space(cap + 12, 4), caps[i].len);
	}
	test_equal(config_space(find_cap(2) + 16, 4), 4); /* the notify multiplier */
	test_assert(find_cap(5) != 0);
	guest_close(&guest);
}

static void features(void)
{
	static const struct {
		uint64_t accepted;
		bool ok;
	} cases[] = {
		{VIRTIO_F_VERSION_1, true},
		{TOY_OFFER, true},
		{0, false},                               /* a legacy driver */
		{TOY_FEATURE, false},
		{VIRTIO_F_VERSION_1 | 1, false},          /* not offered */
		{VIRTIO_F_VERSION_1 | 1ull << 63, false},
	};

	plug();
	guest_write(&guest, COMMON_OFFERED_SELECT, 4, 0);
	test_equal(guest_read(&guest, COMMON_OFFERED, 4), (uint32_t)TOY_OFFER);
	guest_write(&guest, COMMON_OFFERED_SELECT, 4, 1);
	test_equal(guest_read(&guest, COMMON_OFFERED, 4), TOY_OFFER >> 32);
	guest_write(&guest, COMMON_OFFERED_SELECT, 4, 2);
	test_equal(guest_read(&guest, COMMON_OFFERED, 4), 0);
	guest_write(&guest, COMMON_OFFERED_SELECT, 4, UINT32_MAX);
	test_equal(guest_read(&guest, COMMON_OFFERED, 4), 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t after = guest_negotiate(&guest, cases[i].accepted);

		test_equal(!!(after & VIRTIO_FEATURES_OK), cases[i].ok);
		set_status(after | VIRTIO_DRIVER_OK);
		test_equal(!!(status() & VIRTIO_DRIVER_OK), cases[i].ok);
	}
	test_equal(toy.activated, 2);
	/* Once they are settled they stay. */
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	guest_write(&guest, COMMON_ACCEPTED_SELECT, 4, 0);
	guest_write(&guest, COMMON_ACCEPTED, 4, 0xffffffff);
	test_equal(guest_read(&guest, COMMON_ACCEPTED, 4), 0);
	test_equal(toy.virtio.accepted, VIRTIO_F_VERSION_1);
	guest_close(&guest);
}

static void status_only_grows(void)
{
	plug();
	set_status(VIRTIO_DRIVER_OK); /* not before FEATURES_OK */
	test_equal(status(), 0);
	test_equal(toy.activated, 0);
	set_status(VIRTIO_ACKNOWLEDGE);
	set_status(VIRTIO_DRIVER);
	test_equal(status(), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	set_status(VIRTIO_NEEDS_RESET | 32 | 16); /* not the driver's to set */
	test_equal(status(), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	set_status(VIRTIO_FAILED);
	test_equal(status(), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FAILED);
	set_status(0);
	test_equal(status(), 0);
	test_equal(toy.resets, 1);
	guest_start(&guest, 0);
	test_equal(toy.activated, 1);
	set_status(status()); /* said twice, done once */
	test_equal(toy.activated, 1);
	guest_close(&guest);
}

static void queue_selection(void)
{
	plug();
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	test_equal(guest_read(&guest, COMMON_N_QUEUES, 2), 2);
	guest_write(&guest, COMMON_QUEUE_SELECT, 2, 1);
	test_equal(guest_read(&guest, COMMON_QUEUE_SIZE, 2), 32);
	test_equal(guest_read(&guest, COMMON_NOTIFY_OFFSET, 2), 1);
	test_equal(guest_read(&guest, COMMON_QUEUE_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	for (unsigned q = 2; q < 0x10000; q = q * 3 + 1) {
		guest_write(&guest, COMMON_QUEUE_SELECT, 2, q);
		test_equal(guest_read(&guest, COMMON_QUEUE_SIZE, 2), 0);
		guest_write(&guest, COMMON_QUEUE_SIZE, 2, 16);
		guest_write(&guest, COMMON_QUEUE_VECTOR, 2, 0);
		guest_write(&guest, COMMON_DESC, 8, 0x1000);
		guest_write(&guest, COMMON_QUEUE_ENABLE, 2, 1);
		test_equal(guest_read(&guest, COMMON_QUEUE_ENABLE, 2), 0);
		test_equal(guest_read(&guest, COMMON_QUEUE_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
		test_equal(guest_read(&guest, COMMON_DESC, 8), 0);
	}
	test_equal(status() & VIRTIO_NEEDS_RESET, 0);
	guest_close(&guest);
}

static void queue_stays_once_enabled(void)
{
	plug();
	guest_write(&guest, COMMON_QUEUE_ENABLE, 2, 1); /* before FEATURES_OK: nothing */
	test_equal(guest_read(&guest, COMMON_QUEUE_ENABLE, 2), 0);
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	guest_enable_queue(&guest, 0, 8); /* smaller than offered */
	test_equal(guest_read(&guest, COMMON_QUEUE_ENABLE, 2), 1);
	test_equal(toy.virtio.queue[0].size, 8);
	guest_write(&guest, COMMON_QUEUE_SIZE, 2, 16);
	guest_write(&guest, COMMON_DESC, 8, 0);
	guest_write(&guest, COMMON_AVAIL, 8, 0);
	guest_write(&guest, COMMON_USED, 8, 0);
	guest_write(&guest, COMMON_QUEUE_ENABLE, 2, 0);
	test_equal(guest_read(&guest, COMMON_QUEUE_SIZE, 2), 8);
	test_equal(guest_read(&guest, COMMON_DESC, 8), guest.queue[0].desc);
	test_equal(guest_read(&guest, COMMON_AVAIL, 8), guest.queue[0].avail);
	test_equal(guest_read(&guest, COMMON_USED + 4, 4), 0);
	test_equal(guest_read(&guest, COMMON_QUEUE_ENABLE, 2), 1);
	guest_close(&guest);
}

static void bad_queues_need_reset(void)
{
	static const struct {
		uint16_t size;
		uint64_t desc;
	} cases[] = {{0, 0x1000}, {3, 0x1000}, {64, 0x1000}, {16, 0x1001}, {16, UINT64_MAX - 15}};

	plug();
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		guest_negotiate(&guest, VIRTIO_F_VERSION_1);
		guest_write(&guest, COMMON_QUEUE_SELECT, 2, 0);
		guest_write(&guest, COMMON_QUEUE_SIZE, 2, cases[i].size);
		guest_write(&guest, COMMON_DESC, 8, cases[i].desc);
		guest_write(&guest, COMMON_QUEUE_ENABLE, 2, 1);
		test_equal(guest_read(&guest, COMMON_QUEUE_ENABLE, 2), 0);
		test_assert(guest_needs_reset(&guest));
	}
	guest_close(&guest);
}

static void odd_accesses(void)
{
	plug();
	guest_start(&guest, 0);
	for (unsigned offset = 0; offset < VIRTIO_PCI_DEVICE; offset++)
		for (unsigned size = 1; size <= 8; size *= 2)
			guest_read(&guest, offset, size);
	guest_write(&guest, COMMON_DEVICE_STATUS, 4, 0); /* wider than the field: ignored */
	guest_write(&guest, COMMON_DEVICE_STATUS - 1, 2, 0);
	test_assert(status() & VIRTIO_DRIVER_OK);
	guest_write(&guest, 0x37, 1, 0xff);
	guest_write(&guest, 0xffc, 8, UINT64_MAX);
	guest_write(&guest, 0x5000, 8, UINT64_MAX);
	test_equal(guest_read(&guest, 0x7ff8, 8), 0);
	guest_close(&guest);
}

static void device_config(void)
{
	plug();
	memcpy(toy.config, "0123456789", 10);
	test_equal(guest_config_read(&guest, 0, 4), 0x33323130);
	test_equal(guest_config_read(&guest, 8, 8), 0x3938); /* the end, then nothing */
	test_equal(guest_config_read(&guest, 9, 1), 0x39);
	test_equal(guest_config_read(&guest, 10, 1), 0);
	test_equal(guest_config_read(&guest, 0xffc, 4), 0);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 8, 4, 0x41424344);
	test_assert(memcmp(toy.config + 8, "DC", 2) == 0);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 10, 4, 0);
	guest_close(&guest);
}

static void config_change(void)
{
	uint8_t generation;

	plug();
	generation = (uint8_t)guest_read(&guest, COMMON_GENERATION, 1);
	g_mutex_lock(&toy.virtio.lock);
	virtio_config_changed(&toy.virtio); /* before DRIVER_OK: quietly */
	g_mutex_unlock(&toy.virtio.lock);
	test_equal(guest.raised[2], 0);
	guest_start(&guest, 0);
	g_mutex_lock(&toy.virtio.lock);
	virtio_config_changed(&toy.virtio);
	g_mutex_unlock(&toy.virtio.lock);
	test_equal((uint8_t)(guest_read(&guest, COMMON_GENERATION, 1) - generation), 2);
	test_equal(guest.raised[2], 1);
	test_equal(guest_read(&guest, VIRTIO_PCI_ISR, 1), 2);
	test_equal(guest_read(&guest, VIRTIO_PCI_ISR, 1), 0); /* reading takes it */
	guest_close(&guest);
}

static void kicks_and_vectors(void)
{
	uint32_t id, len;

	plug();
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	guest_open_vectors(&guest);
	guest_enable_queue(&guest, 1, 0);
	guest_add(&guest, 1, (struct guest_buffer[]){{0x100, 4, false}}, 1);
	guest_kick(&guest, 1); /* not before DRIVER_OK */
	test_equal(toy.kicks[1], 0);
	set_status(status() | VIRTIO_DRIVER_OK);
	guest_kick(&guest, 0); /* not a queue that was never enabled */
	test_equal(toy.kicks[0], 0);
	for (unsigned q = 2; q < 1024; q++)
		guest_kick(&guest, q);
	guest_write(&guest, VIRTIO_PCI_NOTIFY + 5, 1, 1); /* between two queues */
	guest_spin(&guest);
	test_equal(toy.kicks[1], 0);
	guest_kick(&guest, 1);
	test_equal(toy.kicks[1], 1);
	test_assert(guest_used(&guest, 1, &id, &len));
	test_equal(guest.raised[1], 1);
	/* Another vector; none; one that there is not. */
	guest_write(&guest, COMMON_QUEUE_VECTOR, 2, 2);
	guest_add(&guest, 1, (struct guest_buffer[]){{0x100, 4, false}}, 1);
	guest_kick(&guest, 1);
	test_equal(guest.raised[2], 1);
	guest_write(&guest, COMMON_QUEUE_VECTOR, 2, VIRTIO_PCI_NO_VECTOR);
	guest_add(&guest, 1, (struct guest_buffer[]){{0x100, 4, false}}, 1);
	guest_kick(&guest, 1);
	guest_write(&guest, COMMON_QUEUE_VECTOR, 2, 3);
	test_equal(guest_read(&guest, COMMON_QUEUE_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	guest_write(&guest, COMMON_CONFIG_VECTOR, 2, 3);
	test_equal(guest_read(&guest, COMMON_CONFIG_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	test_equal(guest.raised[0] + guest.raised[1] + guest.raised[2], 2);
	guest_close(&guest);
}

static void bad_ring(void)
{
	plug();
	guest_start(&guest, 0);
	guest_publish(&guest, 1, 33);
	guest_kick(&guest, 1);
	test_assert(guest_needs_reset(&guest));
	test_equal(guest.raised[2], 1);
	guest_kick(&guest, 1);
	guest_kick(&guest, 0); /* a device in trouble does nothing at all */
	test_equal(toy.kicks[0], 0);
	test_equal(toy.kicks[1], 1);
	test_equal(guest.raised[2], 1);
	guest_start(&guest, 0);
	guest_kick(&guest, 0);
	test_equal(toy.kicks[0], 1);
	guest_close(&guest);
}

static void reset_clears_all(void)
{
	plug();
	guest_start(&guest, TOY_FEATURE);
	set_status(0);
	test_equal(status(), 0);
	test_equal(guest_read(&guest, COMMON_CONFIG_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	test_equal(guest_read(&guest, COMMON_ACCEPTED, 4), 0);
	for (unsigned q = 0; q < 2; q++) {
		guest_write(&guest, COMMON_QUEUE_SELECT, 2, q);
		test_equal(guest_read(&guest, COMMON_QUEUE_ENABLE, 2), 0);
		test_equal(guest_read(&guest, COMMON_QUEUE_SIZE, 2), q ? 32 : 16);
		test_equal(guest_read(&guest, COMMON_QUEUE_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
		test_equal(guest_read(&guest, COMMON_DESC, 8), 0);
	}
	guest_start(&guest, TOY_FEATURE);
	guest_reset(&guest); /* the machine's */
	test_equal(status(), 0);
	test_equal(guest_read(&guest, COMMON_QUEUE_SELECT, 2), 0);
	test_equal(guest_read(&guest, VIRTIO_PCI_MSIX + 12, 4), 1);
	guest_close(&guest);
}

/* BAR 0 through configuration space, for those who have no MMIO yet. */
static void config_window(void)
{
	unsigned cap;

	plug();
	cap = find_cap(5);
	set_config_space(cap + 4, 1, 0);
	set_config_space(cap + 8, 4, COMMON_N_QUEUES);
	set_config_space(cap + 12, 4, 2);
	test_equal(config_space(cap + 16, 2), 2);
	set_config_space(cap + 8, 4, COMMON_DEVICE_STATUS);
	set_config_space(cap + 12, 4, 1);
	set_config_space(cap + 16, 1, VIRTIO_ACKNOWLEDGE);
	test_equal(status(), VIRTIO_ACKNOWLEDGE);
	/* Everything that is not allowed. */
	for (unsigned i = 0; i < 16; i++) {
		static const uint32_t offsets[] = {1, VIRTIO_PCI_BAR_LEN, UINT32_MAX, 0x7fff};
		static const uint32_t lengths[] = {0, 3, 8, UINT32_MAX};

		set_config_space(cap + 8, 4, offsets[i % 4]);
		set_config_space(cap + 12, 4, lengths[i / 4]);
		config_space(cap + 16, 4);
		set_config_space(cap + 16, 4, 0);
	}
	set_config_space(cap + 8, 4, VIRTIO_PCI_BAR_LEN);
	set_config_space(cap + 12, 4, 4);
	config_space(cap + 16, 4);
	set_config_space(cap + 4, 1, 5); /* no such BAR */
	set_config_space(cap + 8, 4, COMMON_DEVICE_STATUS);
	set_config_space(cap + 12, 4, 1);
	set_config_space(cap + 16, 1, 0);
	test_equal(status(), VIRTIO_ACKNOWLEDGE);
	guest_close(&guest);
}

static void kicks_follow_the_bar(void)
{
	plug();
	set_config_space(PCI_BAR0, 4, 0xd0000000);
	guest_negotiate(&guest, VIRTIO_F_VERSION_1); /* at the old place: nobody */
	test_equal(toy.virtio.status, 0);
	set_config_space(PCI_BAR0, 4, MACHINE_PCI_BASE);
	guest_start(&guest, 0);
	guest_kick(&guest, 0);
	test_equal(toy.kicks[0], 1);
	guest_close(&guest);
}

int main(void)
{
	test_run(capabilities);
	test_run(features);
	test_run(status_only_grows);
	test_run(queue_selection);
	test_run(queue_stays_once_enabled);
	test_run(bad_queues_need_reset);
	test_run(odd_accesses);
	test_run(device_config);
	test_run(config_change);
	test_run(kicks_and_vectors);
	test_run(bad_ring);
	test_run(reset_clears_all);
	test_run(config_window);
	test_run(kicks_follow_the_bar);
	return 0;
}

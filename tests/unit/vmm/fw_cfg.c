/*
 * fw_cfg as the firmware uses it, and as a hostile guest does.
 */
#include "vmm/fw_cfg.c"

#include "tests/unit/test.h"

enum {
	MEMORY = 1 << 20,
	DESCRIPTOR = 0x1000,
	BUFFER = 0x2000,
};

static struct machine machine;
static unsigned told;
static uint8_t told_bytes[16];
static size_t told_len;

static void written(void *owner, const uint8_t *content, size_t len)
{
	told++;
	told_len = len;
	memcpy(told_bytes, content, MIN(len, sizeof(told_bytes)));
}

static void open_machine(void)
{
	machine = (struct machine){ .memory = memory_new(MEMORY, NULL), .pio = bus_new("port") };
	machine.fw_cfg = fw_cfg_new(&machine);
	test_assert(machine.memory && machine.fw_cfg);
	told = 0;
}

static void close_machine(void)
{
	fw_cfg_free(machine.fw_cfg);
	bus_free(machine.pio);
	memory_free(machine.memory);
}

static void out(uint16_t port, unsigned size, uint64_t value)
{
	test_assert(bus_write(machine.pio, port, size, value));
}

static uint64_t in(uint16_t port, unsigned size)
{
	uint64_t value;

	test_assert(bus_read(machine.pio, port, size, &value));
	return value;
}

static void ports_read(uint16_t key, void *to, size_t len)
{
	out(0x510, 2, key);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)in(0x511, 1);
}

/* What is in the control field afterwards. */
static uint32_t dma_at(uint64_t at, uint32_t control, uint32_t length, uint64_t address)
{
	struct dma_descriptor dma = { GUINT32_TO_BE(control), GUINT32_TO_BE(length),
		GUINT64_TO_BE(address) };

	memory_write(machine.memory, at, &dma, sizeof(dma));
	out(0x514, 4, GUINT32_TO_BE((uint32_t)(at >> 32)));
	out(0x518, 4, GUINT32_TO_BE((uint32_t)at));
	dma.control = UINT32_MAX;
	memory_read(machine.memory, at, &dma, sizeof(dma));
	return GUINT32_FROM_BE(dma.control);
}

static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
	return dma_at(DESCRIPTOR, control, length, address);
}

static uint16_t key_of(const char *name)
{
	uint32_t n;
	struct directory_entry entry;

	ports_read(FW_CFG_DIRECTORY, &n, sizeof(n));
	for (unsigned i = 0; i < GUINT32_FROM_BE(n); i++) {
		for (size_t at = 0; at < sizeof(entry); at++)
			((uint8_t *)&entry)[at] = (uint8_t)in(0x511, 1);
		if (!strcmp(entry.name, name))
			return GUINT16_FROM_BE(entry.key);
	}
	return 0;
}

static void says_who_it_is(void)
{
	uint8_t bytes[8];

	open_machine();
	ports_read(0, bytes, 8);
	test_assert(!memcmp(bytes, "QEMU\0\0\0\0", 8));
	ports_read(1, bytes, 4);
	test_assert(!memcmp(bytes, "\3\0\0\0", 4));
	test_equal(in(0x514, 4), GUINT32_TO_LE(0x554d4551));
	test_equal(in(0x518, 4), GUINT32_TO_LE(0x47464320));
	ports_read(0x7777, bytes, 4); /* no such item: zeros */
	test_assert(!memcmp(bytes, "\0\0\0\0", 4));
	close_machine();
}

static void directory_is_sorted(void)
{
	char text[4] = "";

	open_machine();
	fw_cfg_add(&machine, "etc/b", g_bytes_new_static("bb", 2));
	fw_cfg_add(&machine, "vgaroms/x", g_bytes_new_static("x", 1));
	fw_cfg_add(&machine, "etc/a", g_bytes_new_static("aaa", 3));
	fw_cfg_add(&machine, "etc/b", g_bytes_new_static("cc", 2));
	test_equal(machine.fw_cfg->n_files, 3);
	test_equal(key_of("etc/a"), FW_CFG_FILE_FIRST);
	test_equal(key_of("etc/b"), FW_CFG_FILE_FIRST + 1);
	test_equal(key_of("vgaroms/x"), FW_CFG_FILE_FIRST + 2);
	ports_read(key_of("etc/b"), text, 3);
	test_assert(!strcmp(text, "cc"));
	test_assert(fw_cfg_has(&machine, "vgaroms/") && !fw_cfg_has(&machine, "bootorder"));
	close_machine();
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

static void too_many_are_refused(void)
{
	g_autofree char *long_name = g_strnfill(FW_CFG_NAME_MAX, 'x');

	open_machine();
	g_log_set_default_handler(quiet, NULL);
	for (unsigned i = 0; i < FW_CFG_FILES_MAX + 5; i++) {
		g_autofree char *name = g_strdup_printf("file%u", i);

		fw_cfg_add(&machine, name, g_bytes_new_static("x", 1));
	}
	test_equal(machine.fw_cfg->n_files, FW_CFG_FILES_MAX);
	fw_cfg_add(&machine, long_name, g_bytes_new_static("x", 1));
	for (unsigned i = 0; i < FW_CFG_ITEMS_MAX + 5; i++)
		fw_cfg_add_item(&machine, (uint16_t)(0x8100 + i), g_bytes_new_static("x", 1));
	test_equal(machine.fw_cfg->n_items, FW_CFG_ITEMS_MAX);
	close_machine();
}

static void dma_reads_and_skips(void)
{
	char text[8] = "";

	open_machine();
	fw_cfg_add(&machine, "file", g_bytes_new_static("0123456789", 10));
	test_equal(dma(DMA_SELECT | DMA_READ | FW_CFG_FILE_FIRST << 16, 2, BUFFER), 0);
	test_equal(dma(DMA_SKIP, 4, 0), 0);
	test_equal(dma(DMA_READ, 6, BUFFER + 2), 0);
	test_assert(memory_read(machine.memory, BUFFER, text, 8));
	test_assert(!memcmp(text, "016789\0\0", 8));
	close_machine();
}

static void files_can_be_written_where_they_may(void)
{
	open_machine();
	fw_cfg_add(&machine, "a", g_bytes_new_static("fixed", 5));
	fw_cfg_add_writable(&machine, "b", g_bytes_new_static("....", 4), written, NULL);
	memory_write(machine.memory, BUFFER, "wxyz!", 5);
	test_equal(dma(DMA_SELECT | DMA_WRITE | FW_CFG_FILE_FIRST << 16, 4, BUFFER), DMA_ERROR);
	test_equal(dma(DMA_SELECT | DMA_WRITE | (FW_CFG_FILE_FIRST + 1) << 16, 5, BUFFER),
		DMA_ERROR);
	test_equal(told, 0);
	test_equal(dma(DMA_SELECT | DMA_SKIP | (FW_CFG_FILE_FIRST + 1) << 16, 1, 0), 0);
	test_equal(dma(DMA_WRITE, 3, BUFFER), 0);
	test_equal(told, 1);
	test_assert(told_len == 4 && !memcmp(told_bytes, ".wxy", 4));
	test_equal(dma(DMA_WRITE, 1, BUFFER), DMA_ERROR); /* it is full */
	fw_cfg_reset(machine.fw_cfg);
	test_assert(!memcmp(machine.fw_cfg->file[1].copy, "....", 4));
	close_machine();
}

/* Everything that is not as it should be is an error in the descriptor, and nothing else. */
static void hostile_descriptors(void)
{
	static const struct {
		uint32_t control, length;
		uint64_t address;
	} bad[] = {
		{ DMA_READ, 4, MEMORY - 3 },
		{ DMA_READ, 4, UINT64_MAX - 1 },
		{ DMA_READ, 4, 0xfffffffffull },
		{ DMA_READ, UINT32_MAX, 0 },
		{ DMA_READ, FW_CFG_DMA_MAX + 1, 0 },
		{ DMA_READ, MEMORY + 1, 0 },
		{ DMA_WRITE, 4, BUFFER },
		{ DMA_WRITE, UINT32_MAX, UINT64_MAX },
		{ DMA_SELECT | DMA_WRITE | 0xffffu << 16, 4, BUFFER },
	};

	open_machine();
	fw_cfg_add(&machine, "file", g_bytes_new_static("0123456789", 10));
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
		test_equal(dma(bad[i].control, bad[i].length, bad[i].address), DMA_ERROR);
	/* The descriptor itself is not in memory, or not all of it. */
	dma_at(MEMORY - 8, DMA_READ, 4, BUFFER);
	dma_at(UINT64_MAX - 8, DMA_READ, 4, BUFFER);
	/* A transfer over its own descriptor. */
	test_equal(dma(DMA_SELECT | DMA_READ, 64, DESCRIPTOR), 0);
	/* Skipping does not come round to the beginning. */
	dma(DMA_SELECT | FW_CFG_FILE_FIRST << 16, 0, 0);
	for (unsigned i = 0; i < 3; i++)
		test_equal(dma(DMA_SKIP, UINT32_MAX, 0), 0);
	test_equal(in(0x511, 1), 0);
	close_machine();
}

static void odd_accesses_do_nothing(void)
{
	open_machine();
	out(0x510, 2, 1);
	out(0x510, 1, 0);
	out(0x510, 4, 0);
	out(0x511, 1, 7);
	out(0x518, 2, 0x1000);
	test_equal(in(0x510, 2), 0);
	test_equal(in(0x511, 2), 0);
	test_equal(in(0x511, 1), 3);
	close_machine();
}

static void boot_order(void)
{
	const struct pci_device disk = { .slot = 3 }, nvme = { .slot = 0x1f, .function = 2 };
	g_autofree char *order = NULL;

	open_machine();
	fw_cfg_add_boot(&machine, 2, &disk, "scsi", "disk@0,0");
	fw_cfg_add_boot(&machine, 1, &nvme, "pci8086,5845", "namespace@1,0");
	fw_cfg_add_boot(&machine, 2, &nvme, "ethernet", "ethernet-phy@0");
	order = fw_cfg_boot_order(machine.fw_cfg);
	test_assert(!strcmp(order, "/pci@i0cf8/pci8086,5845@1f,2/namespace@1,0\n"
		"/pci@i0cf8/scsi@3/disk@0,0\n/pci@i0cf8/ethernet@1f,2/ethernet-phy@0\n"));
	close_machine();
}

static void state_goes_both_ways(void)
{
	struct state *state;
	GBytes *saved;

	open_machine();
	fw_cfg_add_writable(&machine, "ramfb", g_bytes_new_static("....", 4), written, NULL);
	memory_write(machine.memory, BUFFER, "wxyz", 4);
	dma(DMA_SELECT | DMA_WRITE | FW_CFG_FILE_FIRST << 16, 3, BUFFER);
	state = state_new_saving();
	fw_cfg_state(machine.fw_cfg, state);
	saved = state_take(state);
	state_free(state);
	fw_cfg_reset(machine.fw_cfg);
	told = 0;
	state = state_new_loading(saved);
	fw_cfg_state(machine.fw_cfg, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_equal(told, 1);
	test_assert(!memcmp(told_bytes, "wxy.", 4));
	test_equal(in(0x511, 1), '.');
	close_machine();
}

static void without_firmware_nothing_is_kept(void)
{
	struct machine direct = { 0 };

	fw_cfg_add(&direct, "file", g_bytes_new_static("x", 1));
	fw_cfg_add_writable(&direct, "file", g_bytes_new_static("x", 1), written, NULL);
	fw_cfg_add_item(&direct, 5, g_bytes_new_static("x", 1));
	fw_cfg_add_boot(&direct, 0, NULL, "scsi", "");
	test_assert(!fw_cfg_has(&direct, ""));
}

int main(void)
{
	test_run(says_who_it_is);
	test_run(directory_is_sorted);
	test_run(too_many_are_refused);
	test_run(dma_reads_and_skips);
	test_run(files_can_be_written_where_they_may);
	test_run(hostile_descriptors);
	test_run(odd_accesses_do_nothing);
	test_run(boot_order);
	test_run(state_goes_both_ways);
	test_run(without_firmware_nothing_is_kept);
	return 0;
}

/*
 * fw_cfg: a selector port, a data port that reads the selected item byte by byte, and DMA by
 * descriptors in guest memory. Source: QEMU, docs/specs/fw_cfg.rst; numbers are little endian in items
 * and big endian in the directory, the descriptor and the DMA address.
 *
 * Everything is under one lock. A descriptor is copied, checked, carried out at once: its length is
 * bounded, and where it points must be RAM as a whole.
 */
#define G_LOG_DOMAIN "irori-fw-cfg"

#include "vmm/fw_cfg.h"

#include <string.h>

#include "vmm/machine.h"
#include "vmm/state.h"

enum fw_cfg_ports {
	PORT_BASE = 0x510, /* selector, 16 bits */
	PORT_LEN = 12,
	PORT_DATA = 1, /* from the base */
	PORT_DMA_HIGH = 4,
	PORT_DMA_LOW = 8, /* starts the transfer */

	KEY_MASK = 0x3fff | 0x8000, /* 0x4000 was a write channel once */
	BOOT_MAX = 32,
};

enum dma_control {
	DMA_ERROR = 1,
	DMA_READ = 2,
	DMA_SKIP = 4,
	DMA_SELECT = 8, /* the item is in the upper half */
	DMA_WRITE = 16,
};

struct dma_descriptor {
	uint32_t control, length;
	uint64_t address;
};

struct blob {
	uint16_t key;
	char name[FW_CFG_NAME_MAX]; /* of a file; empty: an item */
	GBytes *content;
	uint8_t *copy; /* of what the guest may write; else NULL */
	void (*written)(void *owner, const uint8_t *content, size_t len);
	void *owner;
};

struct directory_entry {
	uint32_t size;
	uint16_t key, reserved;
	char name[FW_CFG_NAME_MAX];
};

struct boot_entry_path {
	uint32_t index;
	char *path;
};

struct fw_cfg {
	struct machine *machine;
	struct region region;
	GMutex lock;
	struct blob file[FW_CFG_FILES_MAX]; /* sorted by name: file i has key FW_CFG_FILE_FIRST + i */
	struct blob item[FW_CFG_ITEMS_MAX];
	unsigned n_files, n_items, n_boot;
	struct boot_entry_path boot[BOOT_MAX];
	uint16_t key;
	uint32_t offset, dma_high;
};

static struct blob *blob_find(struct fw_cfg *fw, uint16_t key)
{
	if (key >= FW_CFG_FILE_FIRST && key < FW_CFG_FILE_FIRST + fw->n_files)
		return &fw->file[key - FW_CFG_FILE_FIRST];
	for (unsigned i = 0; i < fw->n_items; i++)
		if (fw->item[i].key == key)
			return &fw->item[i];
	return NULL;
}

static const uint8_t *blob_data(const struct blob *blob, size_t *len)
{
	const uint8_t *data = g_bytes_get_data(blob->content, len);

	return blob->copy ? blob->copy : data;
}

static void blob_clear(struct blob *blob)
{
	g_clear_pointer(&blob->content, g_bytes_unref);
	g_clear_pointer(&blob->copy, g_free);
}

static void fw_cfg_select(struct fw_cfg *fw, uint16_t key)
{
	fw->key = key & KEY_MASK;
	fw->offset = 0;
}

/* What lies beyond the end of an item, or of no item at all, reads as zeros. */
static void fw_cfg_take(struct fw_cfg *fw, uint8_t *to, size_t len)
{
	const struct blob *blob = blob_find(fw, fw->key);
	size_t size = 0, n;
	const uint8_t *data = blob ? blob_data(blob, &size) : NULL;

	n = fw->offset < size ? MIN(size - fw->offset, len) : 0;
	if (n)
		memcpy(to, data + fw->offset, n);
	memset(to + n, 0, len - n);
	fw->offset = (uint32_t)MIN((uint64_t)fw->offset + len, UINT32_MAX);
}

static bool dma_read(struct fw_cfg *fw, const struct dma_descriptor *dma)
{
	uint8_t *to = memory_at(fw->machine->memory, dma->address, dma->length);

	if (to)
		fw_cfg_take(fw, to, dma->length);
	return to;
}

static bool dma_write(struct fw_cfg *fw, const struct dma_descriptor *dma, struct blob **written)
{
	const uint8_t *from = memory_at(fw->machine->memory, dma->address, dma->length);
	struct blob *blob = blob_find(fw, fw->key);
	size_t size;

	if (!from || !blob || !blob->copy)
		return false;
	size = g_bytes_get_size(blob->content);
	if (fw->offset > size || dma->length > size - fw->offset)
		return false;
	memcpy(blob->copy + fw->offset, from, dma->length);
	fw->offset += dma->length;
	*written = blob;
	return true;
}

/* Under the lock. A transfer of nothing is good wherever it points. */
static bool dma_carry_out(struct fw_cfg *fw, const struct dma_descriptor *dma, struct blob **written)
{
	if (dma->control & DMA_SELECT)
		fw_cfg_select(fw, (uint16_t)(dma->control >> 16));
	if (!dma->length || !(dma->control & (DMA_READ | DMA_WRITE | DMA_SKIP)))
		return true;
	if (dma->control & DMA_READ)
		return dma->length <= FW_CFG_DMA_MAX && dma_read(fw, dma);
	if (dma->control & DMA_WRITE)
		return dma_write(fw, dma, written);
	fw->offset = (uint32_t)MIN((uint64_t)fw->offset + dma->length, UINT32_MAX);
	return true;
}

/* Outside the lock: it is no business of ours what the file's owner does. */
static void dma_tell(struct fw_cfg *fw, struct blob *blob)
{
	g_autofree uint8_t *copy = NULL;
	size_t len;

	g_mutex_lock(&fw->lock);
	len = g_bytes_get_size(blob->content);
	copy = g_memdup2(blob->copy, len);
	g_mutex_unlock(&fw->lock);
	if (blob->written)
		blob->written(blob->owner, copy, len);
}

static void dma_start(struct fw_cfg *fw, uint64_t at)
{
	const struct guest_memory *memory = fw->machine->memory;
	struct dma_descriptor dma;
	struct blob *written = NULL;
	uint32_t status;

	if (!memory_read(memory, at, &dma, sizeof(dma))) {
		g_debug("DMA descriptor at %#" G_GINT64_MODIFIER "x: not in memory", at);
		return;
	}
	dma.control = GUINT32_FROM_BE(dma.control);
	dma.length = GUINT32_FROM_BE(dma.length);
	dma.address = GUINT64_FROM_BE(dma.address);
	g_mutex_lock(&fw->lock);
	status = dma_carry_out(fw, &dma, &written) ? 0 : GUINT32_TO_BE(DMA_ERROR);
	g_mutex_unlock(&fw->lock);
	if (written)
		dma_tell(fw, written);
	memory_write(memory, at, &status, sizeof(status));
}

static uint64_t fw_cfg_port_read(void *owner, uint64_t offset, unsigned size)
{
	static const char signature[] = "QEMU CFG";
	struct fw_cfg *fw = owner;
	uint8_t byte = 0;
	uint64_t value = 0;

	if (offset >= PORT_DMA_HIGH) { /* says that there is DMA */
		memcpy(&value, signature + (offset - PORT_DMA_HIGH), size);
		return value;
	}
	if (offset != PORT_DATA || size != 1)
		return 0;
	g_mutex_lock(&fw->lock);
	fw_cfg_take(fw, &byte, 1);
	g_mutex_unlock(&fw->lock);
	return byte;
}

static void fw_cfg_port_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct fw_cfg *fw = owner;
	uint64_t dma = UINT64_MAX;

	g_mutex_lock(&fw->lock);
	if (offset == 0 && size == 2) {
		fw_cfg_select(fw, (uint16_t)value);
	} else if (offset == PORT_DMA_HIGH && size == 4) {
		fw->dma_high = GUINT32_FROM_BE((uint32_t)value);
	} else if (offset == PORT_DMA_LOW && size == 4) {
		dma = (uint64_t)fw->dma_high << 32 | GUINT32_FROM_BE((uint32_t)value);
		fw->dma_high = 0;
	}
	g_mutex_unlock(&fw->lock);
	if (dma != UINT64_MAX)
		dma_start(fw, dma);
}

static const struct region_ops fw_cfg_ops = {
	.read = fw_cfg_port_read,
	.write = fw_cfg_port_write,
};

static struct blob *item_place(struct fw_cfg *fw, uint16_t key)
{
	struct blob *blob = key < FW_CFG_FILE_FIRST || key >= 0x8000 ? blob_find(fw, key) : NULL;

	if (!blob && fw->n_items < FW_CFG_ITEMS_MAX)
		blob = &fw->item[fw->n_items++];
	if (blob)
		blob->key = key;
	return blob;
}

static void item_put(struct fw_cfg *fw, uint16_t key, GBytes *content)
{
	struct blob *blob = item_place(fw, key);

	if (!blob) {
		g_warning("item %#x: there are too many", key);
		g_bytes_unref(content);
		return;
	}
	blob_clear(blob);
	blob->content = content;
}

/* Item FW_CFG_DIRECTORY: how many, and of each its size, key and name. */
static void directory_put(struct fw_cfg *fw)
{
	uint32_t n = GUINT32_TO_BE(fw->n_files);
	GByteArray *out = g_byte_array_new();

	g_byte_array_append(out, (const guint8 *)&n, sizeof(n));
	for (unsigned i = 0; i < fw->n_files; i++) {
		struct directory_entry entry = {
			.size = GUINT32_TO_BE((uint32_t)g_bytes_get_size(fw->file[i].content)),
			.key = GUINT16_TO_BE((uint16_t)(FW_CFG_FILE_FIRST + i)),
		};

		memcpy(entry.name, fw->file[i].name, sizeof(entry.name));
		g_byte_array_append(out, (const guint8 *)&entry, sizeof(entry));
	}
	item_put(fw, FW_CFG_DIRECTORY, g_byte_array_free_to_bytes(out));
}

/* The place of a file of this name, a new one if there is none; NULL: there are too many. */
static struct blob *file_place(struct fw_cfg *fw, const char *name)
{
	unsigned i = 0;

	while (i < fw->n_files && strcmp(fw->file[i].name, name) < 0)
		i++;
	if (i < fw->n_files && !strcmp(fw->file[i].name, name))
		return &fw->file[i];
	if (fw->n_files == FW_CFG_FILES_MAX || strlen(name) >= FW_CFG_NAME_MAX)
		return NULL;
	memmove(&fw->file[i + 1], &fw->file[i], (fw->n_files - i) * sizeof(fw->file[0]));
	fw->n_files++;
	fw->file[i] = (struct blob){ 0 };
	g_strlcpy(fw->file[i].name, name, FW_CFG_NAME_MAX);
	return &fw->file[i];
}

static struct blob *file_put(struct fw_cfg *fw, const char *name, GBytes *content)
{
	struct blob *blob = file_place(fw, name);

	if (!blob) {
		g_warning("file %s: there are too many, or its name is too long", name);
		g_bytes_unref(content);
		return NULL;
	}
	blob_clear(blob);
	blob->content = content;
	blob->written = NULL;
	directory_put(fw);
	return blob;
}

void fw_cfg_add_writable(struct machine *machine, const char *name, GBytes *initial,
	void (*written)(void *owner, const uint8_t *content, size_t len), void *owner)
{
	struct fw_cfg *fw = machine->fw_cfg;
	struct blob *blob;
	size_t len;
	const void *data = g_bytes_get_data(initial, &len);

	if (!fw) {
		g_bytes_unref(initial);
		return;
	}
	g_mutex_lock(&fw->lock);
	blob = file_put(fw, name, initial);
	if (blob) {
		blob->copy = g_memdup2(data, len);
		blob->written = written;
		blob->owner = owner;
	}
	g_mutex_unlock(&fw->lock);
}

void fw_cfg_add(struct machine *machine, const char *name, GBytes *content)
{
	struct fw_cfg *fw = machine->fw_cfg;

	if (!fw) {
		g_bytes_unref(content);
		return;
	}
	g_mutex_lock(&fw->lock);
	file_put(fw, name, content);
	g_mutex_unlock(&fw->lock);
}

void fw_cfg_add_item(struct machine *machine, uint16_t key, GBytes *content)
{
	struct fw_cfg *fw = machine->fw_cfg;

	if (!fw) {
		g_bytes_unref(content);
		return;
	}
	g_mutex_lock(&fw->lock);
	item_put(fw, key, content);
	g_mutex_unlock(&fw->lock);
}

bool fw_cfg_has(const struct machine *machine, const char *name_prefix)
{
	const struct fw_cfg *fw = machine->fw_cfg;

	for (unsigned i = 0; fw && i < fw->n_files; i++)
		if (g_str_has_prefix(fw->file[i].name, name_prefix))
			return true;
	return false;
}

void fw_cfg_add_boot(struct machine *machine, uint32_t index, const struct pci_device *device,
	const char *type, const char *rest)
{
	struct fw_cfg *fw = machine->fw_cfg;
	unsigned i = 0;

	if (!fw)
		return;
	if (fw->n_boot == BOOT_MAX) {
		g_warning("more than %d devices to boot from: %s is not", BOOT_MAX, device->name);
		return;
	}
	while (i < fw->n_boot && fw->boot[i].index <= index)
		i++;
	memmove(&fw->boot[i + 1], &fw->boot[i], (fw->n_boot - i) * sizeof(fw->boot[0]));
	fw->n_boot++;
	fw->boot[i].index = index;
	fw->boot[i].path = device->function ?
		g_strdup_printf("/pci@i0cf8/%s@%x,%x/%s", type, device->slot, device->function, rest) :
		g_strdup_printf("/pci@i0cf8/%s@%x/%s", type, device->slot, rest);
}

char *fw_cfg_boot_order(const struct fw_cfg *fw)
{
	GString *out = g_string_new(NULL);

	for (unsigned i = 0; i < fw->n_boot; i++)
		g_string_append_printf(out, "%s\n", fw->boot[i].path);
	return g_string_free(out, FALSE);
}

struct fw_cfg *fw_cfg_new(struct machine *machine)
{
	struct fw_cfg *fw = g_new0(struct fw_cfg, 1);
	const uint32_t id = GUINT32_TO_LE(3); /* ports and DMA */

	fw->machine = machine;
	g_mutex_init(&fw->lock);
	fw->region = (struct region){ .name = "fw_cfg", .base = PORT_BASE, .len = PORT_LEN,
		.ops = &fw_cfg_ops, .owner = fw };
	item_put(fw, FW_CFG_SIGNATURE, g_bytes_new_static("QEMU", 4));
	item_put(fw, FW_CFG_ID, g_bytes_new(&id, sizeof(id)));
	directory_put(fw);
	if (bus_add(machine->pio, &fw->region) == 0)
		return fw;
	fw_cfg_free(fw);
	return NULL;
}

void fw_cfg_free(struct fw_cfg *fw)
{
	if (!fw)
		return;
	bus_remove(fw->machine->pio, &fw->region);
	for (unsigned i = 0; i < fw->n_files; i++)
		blob_clear(&fw->file[i]);
	for (unsigned i = 0; i < fw->n_items; i++)
		blob_clear(&fw->item[i]);
	for (unsigned i = 0; i < fw->n_boot; i++)
		g_free(fw->boot[i].path);
	g_mutex_clear(&fw->lock);
	g_free(fw);
}

void fw_cfg_reset(struct fw_cfg *fw)
{
	g_mutex_lock(&fw->lock);
	fw_cfg_select(fw, 0);
	fw->dma_high = 0;
	for (unsigned i = 0; i < fw->n_files; i++) {
		struct blob *blob = &fw->file[i];
		size_t len;
		const void *initial = g_bytes_get_data(blob->content, &len);

		if (blob->copy)
			memcpy(blob->copy, initial, len);
	}
	g_mutex_unlock(&fw->lock);
}

/* What read-only files say comes from the configuration, which the saved guest is loaded with. */
void fw_cfg_state(struct fw_cfg *fw, struct state *state)
{
	STATE(state, fw->key);
	STATE(state, fw->offset);
	STATE(state, fw->dma_high);
	for (unsigned i = 0; i < fw->n_files; i++) {
		struct blob *blob = &fw->file[i];

		if (!blob->copy)
			continue;
		state_bytes(state, blob->name, blob->copy, g_bytes_get_size(blob->content));
		if (state_loading(state) && !state_failed(state) && blob->written)
			blob->written(blob->owner, blob->copy, g_bytes_get_size(blob->content));
	}
}

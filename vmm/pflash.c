/*
 * Flash memory: a state machine of commands, a byte of data at a time. Wider accesses are so many
 * bytes, as a bus does that has an 8 bit part on it.
 *
 *	            ff, 50, unknown
 *	 ARRAY <--------------------- any state that awaits a command
 *	   |  70 -> STATUS   90 -> ID   98 -> QUERY
 *	   |  10, 40 -> PROGRAM -- byte --------------------> STATUS
 *	   |  20 -> ERASE -- d0 ----------------------------> STATUS
 *	   |  e8 -> COUNT -- n - 1 -> BUFFER -- n bytes -> CONFIRM -- d0 -> STATUS
 *	   |  60 -> LOCK -- 01, d0, 2f ---------------------> STATUS
 *
 * Programming stores bytes as they are: the firmware erases first, and does not find out that bits
 * could go from 0 to 1 here.
 */
#define G_LOG_DOMAIN "irori-firmware"

#include "vmm/pflash.h"

#include <errno.h>
#include <string.h>

#include "vmm/error.h"
#include "vmm/firmware.h"
#include "vmm/flash_file.h"
#include "vmm/machine.h"
#include "vmm/slot.h"
#include "vmm/state.h"

enum pflash_mode {
	MODE_ARRAY,
	MODE_STATUS,
	MODE_ID,
	MODE_QUERY,
	MODE_PROGRAM, /* from here on the next write is not a command */
	MODE_ERASE,
	MODE_COUNT,
	MODE_BUFFER,
	MODE_CONFIRM,
	MODE_LOCK,
	MODES
};

enum pflash_bytes {
	COMMAND_CONFIRM = 0xd0,
	STATUS_READY = 0x80,
	STATUS_ERASE_FAILED = 0x20, /* with the next one: a wrong sequence */
	STATUS_PROGRAM_FAILED = 0x10,
	ERASED = 0xff,
	ID_INTEL = 0x89,
	ID_DEVICE = 0x18,
	QUERY_SIZE = 0x27,
	QUERY_BLOCKS = 0x2d,
};

struct pflash {
	struct region region;
	struct memory_slot slot;
	struct machine *machine;
	struct firmware_image image;
	struct flash_file *file;
	GMutex lock; /* of what follows, of the image and of the slot */
	uint32_t mode;
	uint8_t status;
	uint32_t count, filled, start; /* of the buffer: bytes, those there, where the first one goes */
	uint8_t buffer[PFLASH_BUFFER];
};

/* What a driver asks about the part. */
static const uint8_t query[] = {
	[0x10] = 'Q', 'R', 'Y',
	[0x13] = 0x01, 0x00, /* command set */
	[0x15] = 0x31, 0x00, /* its extended table */
	[0x1b] = 0x45, 0x55, /* volts */
	[0x1f] = 0x07, 0x07, 0x0a, 0x00, /* how long things take, and at most */
	[0x23] = 0x04, 0x04, 0x04, 0x00,
	[0x2a] = 8, 0, /* 256 bytes of buffer */
	[0x2c] = 1,    /* regions of blocks: number and size are filled in */
	[0x2f] = PFLASH_BLOCK >> 8 & 0xff, PFLASH_BLOCK >> 16,
	[0x31] = 'P', 'R', 'I', '1', '0',
};

static uint8_t query_byte(const struct pflash *flash, uint8_t at)
{
	uint64_t blocks = flash->image.len / PFLASH_BLOCK - 1;

	if (at == QUERY_SIZE)
		return (uint8_t)g_bit_storage(flash->image.len - 1);
	if (at == QUERY_BLOCKS || at == QUERY_BLOCKS + 1)
		return (uint8_t)(blocks >> 8 * (at - QUERY_BLOCKS));
	return at < sizeof(query) ? query[at] : 0;
}

static uint8_t flash_byte(const struct pflash *flash, uint64_t offset)
{
	switch (flash->mode) {
	case MODE_ARRAY:
		return flash->image.data[offset];
	case MODE_ID:
		return (offset & 0xff) == 0 ? ID_INTEL : (offset & 0xff) == 1 ? ID_DEVICE : 0;
	case MODE_QUERY:
		return query_byte(flash, (uint8_t)offset);
	default:
		return flash->status;
	}
}

/* In and out of the array: memory to the guest, or not. */
static void mode_set(struct pflash *flash, enum pflash_mode mode)
{
	bool was = flash->mode == MODE_ARRAY;

	flash->mode = mode;
	if (was == (mode == MODE_ARRAY))
		return;
	if (was) {
		slot_unmap(&flash->slot);
		return;
	}
	/* Should the kernel refuse, accesses go on leaving the guest: slow, and right. */
	slot_map(&flash->slot, flash->region.base);
	if (flash->file)
		flash_file_kick(flash->file);
}

static void image_put(struct pflash *flash, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
	memcpy(flash->image.data + offset, bytes, len);
	if (flash->file)
		flash_file_write(flash->file, offset, bytes, len);
}

static void done(struct pflash *flash, uint8_t more)
{
	flash->status |= STATUS_READY | more;
	mode_set(flash, MODE_STATUS);
}

static void write_command(struct pflash *flash, uint64_t offset, uint8_t value)
{
	static const struct {
		uint8_t command;
		enum pflash_mode mode;
	} commands[] = {
		{ 0x10, MODE_PROGRAM }, { 0x40, MODE_PROGRAM }, { 0x20, MODE_ERASE },
		{ 0x60, MODE_LOCK }, { 0x70, MODE_STATUS }, { 0x90, MODE_ID },
		{ 0x98, MODE_QUERY }, { 0xe8, MODE_COUNT },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
		if (commands[i].command == value) {
			/* Of a buffer the status says that it is there. */
			flash->status |= value == 0xe8 ? STATUS_READY : 0;
			mode_set(flash, commands[i].mode);
			return;
		}
	/* OVMF takes a part for flash whose status is zero after this command: no ready bit. */
	if (value == 0x50)
		flash->status = 0;
	mode_set(flash, MODE_ARRAY);
}

static void write_program(struct pflash *flash, uint64_t offset, uint8_t value)
{
	image_put(flash, (uint32_t)offset, &value, 1);
	done(flash, 0);
}

static void write_erase(struct pflash *flash, uint64_t offset, uint8_t value)
{
	uint8_t block[PFLASH_BLOCK];

	if (value != COMMAND_CONFIRM) {
		done(flash, STATUS_ERASE_FAILED | STATUS_PROGRAM_FAILED);
		return;
	}
	memset(block, ERASED, sizeof(block));
	image_put(flash, (uint32_t)(offset & ~(uint64_t)(PFLASH_BLOCK - 1)), block, sizeof(block));
	done(flash, 0);
}

static void write_count(struct pflash *flash, uint64_t offset, uint8_t value)
{
	flash->count = value + 1u;
	flash->filled = 0;
	mode_set(flash, MODE_BUFFER);
}

/* The buffer's bytes come in the order of their places, none beyond an aligned 256. */
static void write_buffer(struct pflash *flash, uint64_t offset, uint8_t value)
{
	if (!flash->filled)
		flash->start = (uint32_t)offset;
	if (offset != (uint64_t)flash->start + flash->filled ||
		(offset ^ flash->start) & ~(uint64_t)(PFLASH_BUFFER - 1)) {
		done(flash, STATUS_PROGRAM_FAILED);
		return;
	}
	flash->buffer[flash->filled++] = value;
	if (flash->filled == flash->count)
		mode_set(flash, MODE_CONFIRM);
}

static void write_confirm(struct pflash *flash, uint64_t offset, uint8_t value)
{
	if (value != COMMAND_CONFIRM) {
		done(flash, STATUS_ERASE_FAILED | STATUS_PROGRAM_FAILED);
		return;
	}
	image_put(flash, flash->start, flash->buffer, flash->filled);
	done(flash, 0);
}

/* Blocks have no locks; who sets or clears one is told that it is done. */
static void write_lock(struct pflash *flash, uint64_t offset, uint8_t value)
{
	done(flash, 0);
}

static void (*const writes[MODES])(struct pflash *flash, uint64_t offset, uint8_t value) = {
	[MODE_ARRAY] = write_command,
	[MODE_STATUS] = write_command,
	[MODE_ID] = write_command,
	[MODE_QUERY] = write_command,
	[MODE_PROGRAM] = write_program,
	[MODE_ERASE] = write_erase,
	[MODE_COUNT] = write_count,
	[MODE_BUFFER] = write_buffer,
	[MODE_CONFIRM] = write_confirm,
	[MODE_LOCK] = write_lock,
};

static uint64_t pflash_read(void *owner, uint64_t offset, unsigned size)
{
	struct pflash *flash = owner;
	uint64_t value = 0;

	g_mutex_lock(&flash->lock);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)flash_byte(flash, offset + i) << 8 * i;
	g_mutex_unlock(&flash->lock);
	return value;
}

static void pflash_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pflash *flash = owner;

	g_mutex_lock(&flash->lock);
	for (unsigned i = 0; i < size; i++)
		writes[flash->mode](flash, offset + i, (uint8_t)(value >> 8 * i));
	g_mutex_unlock(&flash->lock);
}

static const struct region_ops pflash_ops = {
	.read = pflash_read,
	.write = pflash_write,
};

struct pflash *pflash_new(struct machine *machine, uint64_t base, const struct firmware_image *image,
	struct flash_file *file, GError **error)
{
	struct pflash *flash = g_new0(struct pflash, 1);
	int rc = image->len % PFLASH_BLOCK ? -EINVAL : 0;

	flash->machine = machine;
	flash->image = *image;
	flash->file = file;
	flash->status = STATUS_READY;
	g_mutex_init(&flash->lock);
	flash->region = (struct region){ .name = "flash", .base = base, .len = image->len,
		.ops = &pflash_ops, .owner = flash };
	if (!rc)
		rc = bus_add(machine->mmio, &flash->region);
	if (!rc)
		rc = slot_init(&flash->slot, machine->kvm, "flash", image->data, image->len,
			SLOT_READ_ONLY);
	if (!rc)
		rc = slot_map(&flash->slot, base);
	if (!rc)
		return flash;
	fail_as(error, EX_OSERR, "flash memory at %#" G_GINT64_MODIFIER "x: %s", base,
		g_strerror(-rc));
	pflash_free(flash);
	return NULL;
}

void pflash_free(struct pflash *flash)
{
	if (!flash)
		return;
	bus_remove(flash->machine->mmio, &flash->region);
	slot_unmap(&flash->slot);
	flash_file_free(flash->file);
	firmware_clear(&flash->image);
	g_mutex_clear(&flash->lock);
	g_free(flash);
}

void pflash_reset(struct pflash *flash)
{
	g_mutex_lock(&flash->lock);
	flash->status = STATUS_READY;
	flash->count = flash->filled = 0;
	mode_set(flash, MODE_ARRAY);
	g_mutex_unlock(&flash->lock);
}

void pflash_drain(struct pflash *flash)
{
	if (flash->file)
		flash_file_sync(flash->file);
}

/* The variables go with the guest: what it has read of them is what they are when it goes on. */
void pflash_state(struct pflash *flash, struct state *state)
{
	uint32_t mode = flash->mode;

	STATE(state, mode);
	STATE(state, flash->status);
	STATE(state, flash->count);
	STATE(state, flash->filled);
	STATE(state, flash->start);
	STATE(state, flash->buffer);
	if (state_loading(state) && (mode >= MODES || flash->count > PFLASH_BUFFER ||
		flash->filled > flash->count || (mode == MODE_BUFFER && flash->filled >= flash->count) ||
		flash->start > flash->image.len - flash->filled))
		state_fail(state, "mode %u, %u of %u bytes at %#x", mode, flash->filled, flash->count,
			flash->start);
	state_bytes(state, "contents", flash->image.data, flash->image.len);
	if (!state_loading(state) || state_failed(state))
		return;
	if (flash->file)
		flash_file_write(flash->file, 0, flash->image.data, (uint32_t)flash->image.len);
	mode_set(flash, mode);
}

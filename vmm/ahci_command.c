/*
 * AHCI commands: from the slot's header in guest memory to the FIS that says how it ended. One at a
 * time, the drive being a CD's. What is read from the guest is copied first; a read of many blocks
 * goes through a buffer, so that a list of regions of a byte each costs nothing but their number.
 * Source: AHCI 1.3, sections 4.2 and 5.3; Serial ATA 2.6, 10.3; ATA/ATAPI-7, 6.21 and 6.48.
 */
#include "vmm/ahci_internal.h"

#include <string.h>

enum fis_types {
	FIS_HOST_TO_DEVICE = 0x27,
	FIS_DEVICE_TO_HOST = 0x34,
	FIS_PIO_SETUP = 0x5f,
	FIS_INTERRUPT = 0x40,
	FIS_IS_COMMAND = 0x80,
	FIS_LEN = 20,
	FIS_CONTROL_RESET = 0x04,
	AREA_PIO = 0x20,    /* where each lies in the area for received ones */
	AREA_REGISTER = 0x40,
};

enum table_layout {
	TABLE_PACKET = 0x40,
	TABLE_REGIONS = 0x80,
	TABLE_BASE = 0xffffff80,
	LIST_BASE = 0xfffffc00,
	FIS_BASE = 0xffffff00,
	REGION_LEN = 0x3fffff,
};

enum ata_commands {
	ATA_DEVICE_RESET = 0x08,
	ATA_PACKET = 0xa0,
	ATA_IDENTIFY_PACKET = 0xa1,
	ATA_IDENTIFY = 0xec,
	ATA_SET_FEATURES = 0xef,
	IDENTIFY_LEN = 512,
};

struct command_header {
	uint32_t flags, moved, table_low, table_high;
};

struct command_region {
	uint64_t address;
	uint32_t reserved, len;
};

/* ---- FIS to the guest ---- */

static void fis_send(struct ahci *ahci, unsigned at, const uint8_t fis[FIS_LEN])
{
	const struct ahci_port *port = &ahci->port;
	uint64_t area = (uint64_t)port->fis_high << 32 | (port->fis_low & FIS_BASE);

	if (port->command & AHCI_CMD_RECEIVE && pci_master(&ahci->pci))
		memory_write(ahci->memory, area + at, fis, FIS_LEN);
}

static void fis_register(struct ahci *ahci, uint8_t count, const uint8_t lba[3])
{
	uint8_t fis[FIS_LEN] = {
		FIS_DEVICE_TO_HOST, FIS_INTERRUPT, ahci->port.status, ahci->port.error,
		lba[0], lba[1], lba[2],
		[12] = count,
	};

	fis_send(ahci, AREA_REGISTER, fis);
	ahci->port.interrupts |= AHCI_PXI_D2H;
}

/* Data of `len` bytes came the way of PIO. */
static void fis_pio(struct ahci *ahci, uint32_t len)
{
	uint8_t fis[FIS_LEN] = {
		FIS_PIO_SETUP, FIS_INTERRUPT | 0x20, ATA_GOOD | ATA_DATA,
		[12] = 2,
		[15] = ATA_GOOD,
		[16] = (uint8_t)len, (uint8_t)(len >> 8),
	};

	fis_send(ahci, AREA_PIO, fis);
	ahci->port.interrupts |= AHCI_PXI_PIO;
}

static const uint8_t signature[3] = { 0x01, 0x14, 0xeb };

void ahci_report(struct ahci *ahci)
{
	ahci->port.status = 0;
	ahci->port.error = 1; /* the drive has passed its test */
	fis_register(ahci, 1, signature);
}

/* ---- data to the guest ---- */

static bool region_next(struct ahci *ahci, struct command_region *region)
{
	struct ahci_transfer *t = &ahci->transfer;

	if (t->region >= t->n_regions ||
		!memory_read(ahci->memory, t->regions + (uint64_t)t->region * sizeof(*region),
			region, sizeof(*region)))
		return false;
	region->address = GUINT64_FROM_LE(region->address);
	region->len = (GUINT32_FROM_LE(region->len) & REGION_LEN) + 1;
	return true;
}

/* Into the guest's regions, from where the last piece ended. False: memory that is not there. What
 * finds no region is dropped, as a drive's data is that nobody takes. */
static bool transfer_put(struct ahci *ahci, const uint8_t *data, uint32_t len)
{
	struct ahci_transfer *t = &ahci->transfer;

	while (len) {
		struct command_region region;
		uint32_t n;

		if (!region_next(ahci, &region))
			return t->region >= t->n_regions;
		/* It may have shrunk since the last piece. */
		n = region.len > t->filled ? MIN(len, region.len - t->filled) : 0;
		if (n && !memory_write(ahci->memory, region.address + t->filled, data, n))
			return false;
		data += n;
		len -= n;
		t->moved += n;
		t->filled += n;
		if (t->filled >= region.len) {
			t->region++;
			t->filled = 0;
		}
	}
	return true;
}

/* ---- ends ---- */

static void transfer_store(struct ahci *ahci)
{
	uint32_t moved = GUINT32_TO_LE(ahci->transfer.moved);

	memory_write(ahci->memory, ahci->transfer.header + 4, &moved, sizeof(moved));
}

static void end_good(struct ahci *ahci, uint8_t count)
{
	static const uint8_t none[3] = { 0 };

	ahci->port.status = ATA_GOOD;
	ahci->port.error = 0;
	transfer_store(ahci);
	fis_register(ahci, count, none);
	ahci->port.issued &= ~(1u << ahci->transfer.slot);
	ahci->transfer.active = false;
}

/* The port stands until the guest starts it anew; the slot stays, so that it sees which it was. */
static void end_error(struct ahci *ahci, uint8_t error, const uint8_t lba[3])
{
	static const uint8_t none[3] = { 0 };

	ahci->port.status = ATA_GOOD | ATA_ERROR;
	ahci->port.error = error;
	transfer_store(ahci);
	fis_register(ahci, 3, lba ? lba : none);
	ahci->port.interrupts |= AHCI_PXI_TASK_FILE;
	ahci->port.halted = 1;
	ahci->transfer.active = false;
}

static void end_fatal(struct ahci *ahci)
{
	ahci->port.interrupts |= AHCI_PXI_HOST_FATAL;
	ahci->port.halted = 1;
	ahci->transfer.active = false;
}

/* ---- a packet ---- */

static void end_packet(struct ahci *ahci)
{
	static const uint8_t none[3] = { 0 };

	if (ahci->answer.kind == ATAPI_FAILED) {
		end_error(ahci, (uint8_t)(ahci->atapi.key << 4 | ATA_ABORTED), none);
		return;
	}
	if (!ahci->transfer.by_dma && ahci->transfer.moved)
		fis_pio(ahci, ahci->transfer.moved);
	end_good(ahci, 3);
}

static void read_done(struct disk_io *io, int result)
{
	struct ahci *ahci = (struct ahci *)((char *)io - offsetof(struct ahci, transfer.io));
	struct ahci_transfer *t = &ahci->transfer;
	uint32_t n = t->piece / ATAPI_BLOCK;

	t->under_way = false;
	if (t->stale) {
		t->stale = false;
		t->active = false;
		return;
	}
	t->block += n;
	t->blocks -= n;
	if (result < 0) {
		atapi_read_failed(&ahci->atapi);
		ahci->answer.kind = ATAPI_FAILED;
		end_packet(ahci);
	} else if (!transfer_put(ahci, ahci->buffer, t->piece)) {
		end_fatal(ahci);
	} else if (!t->blocks) {
		end_packet(ahci);
	}
}

/* The next piece; it may have ended before this returns. */
static void read_next(struct ahci *ahci)
{
	struct ahci_transfer *t = &ahci->transfer;
	uint64_t len = MIN((uint64_t)t->blocks * ATAPI_BLOCK, AHCI_PIECE);

	t->piece = (uint32_t)len;
	t->iov = (struct iovec){ .iov_base = ahci->buffer, .iov_len = len };
	t->io = (struct disk_io){
		.operation = DISK_READ,
		.offset = (uint64_t)t->block * ATAPI_BLOCK,
		.len = len,
		.iov = &t->iov,
		.n_iov = 1,
		.done = read_done,
	};
	t->under_way = true;
	disk_queue(ahci->disk, &t->io);
	disk_submit(ahci->disk);
}

static void run_packet(struct ahci *ahci, uint64_t table)
{
	uint8_t packet[ATAPI_PACKET];

	if (!memory_read(ahci->memory, table + TABLE_PACKET, packet, sizeof(packet))) {
		end_fatal(ahci);
		return;
	}
	atapi_command(&ahci->atapi, packet, &ahci->answer);
	if (ahci->answer.kind == ATAPI_READ && ahci->disk) {
		ahci->transfer.block = ahci->answer.block;
		ahci->transfer.blocks = ahci->answer.blocks;
		return;
	}
	if (ahci->answer.kind == ATAPI_REPLY &&
		!transfer_put(ahci, ahci->answer.data, (uint32_t)ahci->answer.len)) {
		end_fatal(ahci);
		return;
	}
	end_packet(ahci);
}

/* ---- other commands ---- */

/* ATA strings have the bytes of each word the other way round. */
static void identify_text(uint16_t *word, const char *text, size_t len)
{
	size_t have = strnlen(text, len);

	for (size_t i = 0; i < len; i++) {
		uint16_t c = i < have ? (uint8_t)text[i] : ' ';

		word[i / 2] |= (uint16_t)(i % 2 ? c : c << 8);
	}
}

static void run_identify(struct ahci *ahci)
{
	uint16_t word[IDENTIFY_LEN / 2] = {
		[0] = 0x85c0,  /* a CD drive, removable disc, packets of 12 bytes */
		[49] = 0x0f00, /* DMA, LBA, IORDY */
		[53] = 0x0006,
		[62] = 0x0000,
		[63] = 0x0007, /* multiword DMA 0 to 2 */
		[64] = 0x0003,
		[65] = 120, [66] = 120, [67] = 120, [68] = 120,
		[76] = 0x0002, /* SATA, 1.5 Gb/s */
		[80] = 0x00f0, /* ATA/ATAPI-4 to 7 */
		[82] = 0x4210, [83] = 0x4000, [84] = 0x4000, /* NOP, DEVICE RESET, PACKET */
		[85] = 0x4210, [86] = 0x0000, [87] = 0x4000,
		[88] = 0x203f, /* Ultra DMA 0 to 5, 5 chosen */
	};

	identify_text(word + 10, ahci->serial, sizeof(ahci->serial));
	identify_text(word + 23, "1.0", 8);
	identify_text(word + 27, ahci->model, sizeof(ahci->model));
	for (unsigned i = 0; i < G_N_ELEMENTS(word); i++)
		word[i] = GUINT16_TO_LE(word[i]);
	if (!transfer_put(ahci, (const uint8_t *)word, sizeof(word))) {
		end_fatal(ahci);
		return;
	}
	fis_pio(ahci, IDENTIFY_LEN);
	end_good(ahci, 0);
}

static void run_command(struct ahci *ahci, const uint8_t *fis, uint64_t table)
{
	switch (fis[2]) {
	case ATA_PACKET:
		ahci->transfer.by_dma = fis[3] & 1;
		run_packet(ahci, table);
		break;
	case ATA_IDENTIFY_PACKET:
		run_identify(ahci);
		break;
	case ATA_IDENTIFY: /* how a driver learns what it has before it */
		end_error(ahci, ATA_ABORTED, signature);
		break;
	case ATA_DEVICE_RESET:
		atapi_reset(&ahci->atapi);
		ahci->port.issued &= ~(1u << ahci->transfer.slot);
		ahci->transfer.active = false;
		ahci_report(ahci);
		break;
	case ATA_SET_FEATURES:
	case 0xe0: /* standby, idle, sleep and what there is of them */
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe6:
		end_good(ahci, 0);
		break;
	case 0xe5: /* CHECK POWER MODE: it is awake */
		end_good(ahci, 0xff);
		break;
	default:
		end_error(ahci, ATA_ABORTED, NULL);
		break;
	}
}

/* A FIS that only writes the control register: a reset has two of them. */
static void run_control(struct ahci *ahci, const uint8_t *fis)
{
	bool reset = fis[15] & FIS_CONTROL_RESET;

	if (ahci->port.resetting && !reset) {
		atapi_reset(&ahci->atapi);
		ahci_report(ahci);
	}
	ahci->port.resetting = reset;
	ahci->port.issued &= ~(1u << ahci->transfer.slot);
	ahci->transfer.active = false;
}

static void slot_run(struct ahci *ahci, unsigned slot)
{
	struct ahci_port *port = &ahci->port;
	struct ahci_transfer *t = &ahci->transfer;
	struct command_header header;
	uint8_t fis[FIS_LEN];
	uint64_t table;

	memset(t, 0, sizeof(*t));
	t->active = true;
	t->slot = slot;
	t->header = ((uint64_t)port->list_high << 32 | (port->list_low & LIST_BASE)) +
		slot * 32ull;
	port->command = (port->command & ~(uint32_t)AHCI_CMD_SLOT) | slot << 8;
	if (!memory_read(ahci->memory, t->header, &header, sizeof(header))) {
		end_fatal(ahci);
		return;
	}
	table = (uint64_t)GUINT32_FROM_LE(header.table_high) << 32 |
		(GUINT32_FROM_LE(header.table_low) & TABLE_BASE);
	t->regions = table + TABLE_REGIONS;
	t->n_regions = GUINT32_FROM_LE(header.flags) >> 16;
	if (!memory_read(ahci->memory, table, fis, sizeof(fis)))
		end_fatal(ahci);
	else if (fis[0] != FIS_HOST_TO_DEVICE)
		end_error(ahci, ATA_ABORTED, NULL);
	else if (fis[1] & FIS_IS_COMMAND)
		run_command(ahci, fis, table);
	else
		run_control(ahci, fis);
}

static bool port_runs(const struct ahci *ahci)
{
	return ahci->port.command & AHCI_CMD_START && !ahci->port.halted &&
		pci_master(&ahci->pci);
}

void ahci_run(struct ahci *ahci)
{
	struct ahci_transfer *t = &ahci->transfer;
	for (unsigned left = AHCI_TURN; !t->under_way; left--) {
		if (!t->active && (!port_runs(ahci) || !ahci->port.issued))
			return;
		/* A guest that issues as fast as we work, or reads all of a disc that is in the
		 * host's memory, has its turn again. */
		if (!left) {
			ahci_wake(ahci);
			return;
		}
		if (t->active)
			read_next(ahci);
		else
			slot_run(ahci, (unsigned)__builtin_ctz(ahci->port.issued));
	}
}

void ahci_forget(struct ahci *ahci)
{
	if (ahci->transfer.under_way)
		ahci->transfer.stale = true;
	else
		ahci->transfer.active = false;
}

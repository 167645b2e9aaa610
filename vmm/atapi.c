/*
 * A CD or DVD drive's commands, as a table. What an installer, its boot loader and its firmware ask
 * of a read-only disc with one data track. Source: MMC-3, SPC-2; the sections stand at the commands.
 */
#include "vmm/atapi.h"

#include <glib.h>
#include <string.h>

enum atapi_codes {
	ASC_READ_ERROR = 0x11,
	ASC_INVALID_COMMAND = 0x20,
	ASC_OUT_OF_RANGE = 0x21,
	ASC_INVALID_FIELD = 0x24,
	ASC_MEDIUM_CHANGED = 0x28,
	ASC_RESET = 0x29,
	ASC_NO_MEDIUM = 0x3a,
	ASC_REMOVAL_PREVENTED = 0x53,
	PROFILE_CD = 0x08,
	PROFILE_DVD = 0x10,
	CD_BLOCKS_MAX = 405000, /* 90 minutes; what is larger is a DVD */
	EVENT_NEW_MEDIA = 2,
	EVENT_REMOVAL = 3,
	MSF_OFFSET = 150, /* two seconds before the first block */
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static void fail(struct atapi *atapi, struct atapi_answer *answer, uint8_t key, uint8_t asc,
	uint8_t ascq)
{
	atapi->key = key;
	atapi->asc = asc;
	atapi->ascq = ascq;
	answer->kind = ATAPI_FAILED;
	answer->len = 0;
}

static void fail_field(struct atapi *atapi, struct atapi_answer *answer)
{
	fail(atapi, answer, ATAPI_ILLEGAL, ASC_INVALID_FIELD, 0);
}

/* The answer is `len` bytes of data, of which the guest has room for `room`. */
static void reply(struct atapi_answer *answer, size_t len, size_t room)
{
	answer->len = MIN(MIN(len, room), ATAPI_REPLY_MAX);
	answer->kind = answer->len ? ATAPI_REPLY : ATAPI_DONE;
}

static bool is_dvd(const struct atapi *atapi)
{
	return atapi->disc && atapi->blocks > CD_BLOCKS_MAX;
}

static uint16_t profile(const struct atapi *atapi)
{
	if (!atapi->disc)
		return 0;
	return is_dvd(atapi) ? PROFILE_DVD : PROFILE_CD;
}

typedef void (*atapi_verb)(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer);

static void do_nothing(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
}

static void request_sense(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	uint8_t *d = answer->data;

	if (atapi->attention && !atapi->key) {
		atapi->key = ATAPI_ATTENTION;
		atapi->asc = atapi->attention;
		atapi->ascq = 0;
		atapi->attention = 0;
	}
	d[0] = 0x70;
	d[2] = atapi->key;
	d[7] = 10;
	d[12] = atapi->asc;
	d[13] = atapi->ascq;
	atapi->key = atapi->asc = atapi->ascq = 0;
	reply(answer, 18, packet[4]);
}

static void inquiry(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	uint8_t *d = answer->data;

	if (packet[1] & 3 || packet[2]) {
		fail_field(atapi, answer);
		return;
	}
	d[0] = 5;    /* a CD drive */
	d[1] = 0x80; /* whose disc can be taken out */
	d[3] = 0x32; /* ATAPI */
	d[4] = 31;
	memcpy(d + 8, "Irori   DVD-ROM         1.0 ", 28);
	reply(answer, 36, get16(packet + 3));
}

/* MMC-3, 5.21: LoEj and Start. */
static void start_stop(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	if (!(packet[4] & 2))
		return;
	if (packet[4] & 1) {
		if (atapi->open && atapi->disc)
			atapi_change(atapi, atapi->blocks);
		atapi->open = 0;
	} else if (atapi->locked) {
		fail(atapi, answer, ATAPI_ILLEGAL, ASC_REMOVAL_PREVENTED, 2);
	} else {
		atapi->open = 1;
		atapi->event = EVENT_REMOVAL;
	}
}

static void prevent_removal(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	atapi->locked = packet[4] & 1;
}

static void read_capacity(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	put32(answer->data, atapi->blocks - 1);
	put32(answer->data + 4, ATAPI_BLOCK);
	reply(answer, 8, 8);
}

static void read_blocks(struct atapi *atapi, struct atapi_answer *answer, uint32_t block,
	uint32_t blocks)
{
	if (block > atapi->blocks || blocks > atapi->blocks - block) {
		fail(atapi, answer, ATAPI_ILLEGAL, ASC_OUT_OF_RANGE, 0);
		return;
	}
	answer->kind = blocks ? ATAPI_READ : ATAPI_DONE;
	answer->block = block;
	answer->blocks = blocks;
}

static void read_10(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	read_blocks(atapi, answer, get32(packet + 2), get16(packet + 7));
}

static void read_12(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	read_blocks(atapi, answer, get32(packet + 2), get32(packet + 6));
}

/* Only what a data disc's blocks are: user data without headers. */
static void read_cd(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	if ((packet[9] & 0xf8) != 0x10 || packet[10] & 7)
		fail_field(atapi, answer);
	else
		read_blocks(atapi, answer, get32(packet + 2), get32(packet + 5) & 0xffffff);
}

static void put_address(uint8_t *at, uint32_t block, bool msf)
{
	if (!msf) {
		put32(at, block);
		return;
	}
	block += MSF_OFFSET;
	at[0] = 0;
	at[1] = (uint8_t)MIN(block / 75 / 60, 255);
	at[2] = (uint8_t)(block / 75 % 60);
	at[3] = (uint8_t)(block % 75);
}

static void toc_track(uint8_t *at, uint8_t track, uint32_t block, bool msf)
{
	at[1] = 0x14; /* data */
	at[2] = track;
	put_address(at + 4, block, msf);
}

/* The lead-in as a drive reads it, MMC-3 table 238: first and last track, lead-out, track 1. */
static size_t toc_raw(const struct atapi *atapi, uint8_t *d, bool msf)
{
	static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 1 };
	uint8_t *at = d + 4;

	for (unsigned i = 0; i < sizeof(points); i++, at += 11) {
		at[0] = 1;
		at[1] = 0x14;
		at[3] = points[i];
		if (points[i] == 0xa0 || points[i] == 0xa1)
			at[8] = 1;
		else
			put_address(at + 7, points[i] == 1 ? 0 : atapi->blocks, true);
	}
	return (size_t)(at - d);
}

static void read_toc(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	unsigned format = packet[2] & 0xf ? packet[2] & 0xf : packet[9] >> 6;
	bool msf = packet[1] & 2;
	uint8_t *d = answer->data;
	size_t len = 4;

	d[2] = d[3] = 1; /* first and last track, or session */
	if (format == 0 && packet[6] > 1 && packet[6] != 0xaa) {
		fail_field(atapi, answer);
		return;
	}
	if (format == 0 && packet[6] <= 1) {
		toc_track(d + len, 1, 0, msf);
		len += 8;
	}
	if (format == 0) {
		toc_track(d + len, 0xaa, atapi->blocks, msf);
		len += 8;
	} else if (format == 1) {
		toc_track(d + len, 1, 0, msf);
		len += 8;
	} else if (format == 2) {
		len = toc_raw(atapi, d, msf);
	} else {
		fail_field(atapi, answer);
		return;
	}
	put16(d, (uint32_t)len - 2);
	reply(answer, len, get16(packet + 7));
}

static size_t feature(uint8_t *at, uint16_t code, uint8_t flags, const void *data, uint8_t len)
{
	put16(at, code);
	at[2] = flags;
	at[3] = len;
	if (len)
		memcpy(at + 4, data, len);
	return 4u + len;
}

/* MMC-3, 5.6: profiles, core, removable medium, random reading, and one of CD or DVD reading. */
static void get_configuration(struct atapi *atapi, const uint8_t *packet,
	struct atapi_answer *answer)
{
	uint8_t profiles[8] = { 0, PROFILE_DVD, is_dvd(atapi), 0, 0, PROFILE_CD,
		profile(atapi) == PROFILE_CD, 0 };
	static const uint8_t core[4] = { 0, 0, 0, 7 }, removable[4] = { 0x29 };
	static const uint8_t random[8] = { 0, 0, ATAPI_BLOCK >> 8, 0, 0, 1, 0, 0 };
	uint8_t *d = answer->data;
	const struct {
		uint16_t code;
		uint8_t flags, len;
		const uint8_t *data;
	} features[] = {
		{ 0x00, 3, sizeof(profiles), profiles },
		{ 0x01, 7, sizeof(core), core },
		{ 0x03, 3, sizeof(removable), removable },
		{ 0x10, atapi->disc, sizeof(random), random },
		{ 0x1e, profile(atapi) == PROFILE_CD ? 9 : 8, 4, (const uint8_t[4]){ 0 } },
		{ 0x1f, is_dvd(atapi), 0, NULL },
	};
	unsigned how = packet[1] & 3, first = get16(packet + 2);
	size_t len = 8;

	for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
		bool current = features[i].flags & 1;

		if (features[i].code < first || (how == 2 && features[i].code != first) ||
			(how == 1 && !current))
			continue;
		len += feature(d + len, features[i].code, features[i].flags, features[i].data,
			features[i].len);
	}
	put32(d, (uint32_t)len - 4);
	put16(d + 6, profile(atapi));
	reply(answer, len, get16(packet + 7));
}

/* MMC-3, 5.7: the media class, polled. */
static void get_event(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	uint8_t *d = answer->data;

	if (!(packet[1] & 1)) {
		fail_field(atapi, answer);
		return;
	}
	d[3] = 0x10; /* what we have: media */
	if (!(packet[4] & 0x10)) {
		d[2] = 0x80;
		put16(d, 2);
		reply(answer, 4, get16(packet + 7));
		return;
	}
	d[2] = 4;
	d[4] = atapi->event;
	d[5] = (uint8_t)((atapi->disc && !atapi->open ? 2 : 0) | atapi->open);
	put16(d, 6);
	if (get16(packet + 7) > 4)
		atapi->event = 0;
	reply(answer, 8, get16(packet + 7));
}

static void read_disc_information(struct atapi *atapi, const uint8_t *packet,
	struct atapi_answer *answer)
{
	uint8_t *d = answer->data;

	put16(d, 32);
	d[2] = 0x0e; /* complete, and so is its last session */
	d[3] = d[4] = d[5] = d[6] = 1;
	d[7] = 0x20; /* for unrestricted use */
	memset(d + 16, 0xff, 8);
	reply(answer, 34, get16(packet + 7));
}

static void read_track_information(struct atapi *atapi, const uint8_t *packet,
	struct atapi_answer *answer)
{
	uint8_t *d = answer->data;

	put16(d, 34);
	d[2] = d[3] = 1;
	d[5] = 4; /* data */
	d[6] = 1;
	put32(d + 24, atapi->blocks);
	reply(answer, 36, get16(packet + 7));
}

static void mechanism_status(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	answer->data[1] = atapi->open << 4;
	answer->data[5] = 1;
	reply(answer, 8, get16(packet + 8));
}

/* Pages of MODE SENSE: errors are corrected as the drive likes; what it can do. */
static size_t mode_pages(const struct atapi *atapi, uint8_t *d, unsigned page)
{
	size_t len = 0;

	if (page == 0x01 || page == 0x3f) {
		d[len] = 0x01;
		d[len + 1] = 6;
		len += 8;
	}
	if (page == 0x2a || page == 0x3f) {
		uint8_t *p = d + len;

		p[0] = 0x2a;
		p[1] = 20;
		p[2] = 0x08; /* reads DVD-ROM */
		p[4] = 0x70;
		p[6] = (uint8_t)(0x29 | atapi->locked << 1); /* a tray that ejects and locks */
		put16(p + 8, 706);
		put16(p + 12, 512);
		put16(p + 14, 706);
		len += 22;
	}
	return len;
}

static void mode_sense(struct atapi *atapi, const uint8_t *packet, struct atapi_answer *answer)
{
	bool wide = packet[0] == 0x5a;
	size_t head = wide ? 8 : 4, len;
	uint8_t *d = answer->data;

	/* Saved values there are none; nothing can be changed. */
	len = packet[2] >> 6 == 3 ? 0 : mode_pages(atapi, d + head, packet[2] & 0x3f);
	if (!len) {
		fail_field(atapi, answer);
		return;
	}
	if (packet[2] >> 6 == 1)
		memset(d + head + 2, 0, len - 2);
	len += head;
	if (wide)
		put16(d, (uint32_t)len - 2);
	else
		d[0] = (uint8_t)(len - 1);
	reply(answer, len, wide ? get16(packet + 7) : packet[4]);
}

/* MMC-3, 5.19: the physical format, the copyright, and that there is no more. */
static void read_dvd_structure(struct atapi *atapi, const uint8_t *packet,
	struct atapi_answer *answer)
{
	uint8_t *d = answer->data;
	size_t len;

	if (!is_dvd(atapi) || packet[6] || (packet[7] > 1 && packet[7] != 0xff)) {
		fail_field(atapi, answer);
		return;
	}
	switch (packet[7]) {
	case 0:
		len = 2052;
		d[4] = 1;    /* DVD-ROM, version 1 */
		d[5] = 0x0f; /* 120 mm, no rate given */
		d[6] = 1;    /* one layer, embossed */
		put32(d + 8, 0x30000);
		put32(d + 12, 0x30000 + atapi->blocks - 1);
		break;
	case 1:
		len = 8;
		break;
	default:
		len = 12;
		d[5] = d[9] = 0x40; /* readable: */
		d[8] = 1;
		put16(d + 6, 2052);
		put16(d + 10, 8);
		break;
	}
	put16(d, (uint32_t)len - 2);
	reply(answer, len, get16(packet + 8));
}

enum verb_flags {
	NEEDS_DISC = 1,
	BEFORE_ATTENTION = 2, /* is answered even if there is something to tell first */
};

static const struct {
	uint8_t code, flags;
	atapi_verb carry_out;
} verbs[] = {
	{ 0x00, NEEDS_DISC, do_nothing }, /* TEST UNIT READY */
	{ 0x03, BEFORE_ATTENTION, request_sense },
	{ 0x12, BEFORE_ATTENTION, inquiry },
	{ 0x1a, 0, mode_sense },
	{ 0x1b, 0, start_stop },
	{ 0x1e, 0, prevent_removal },
	{ 0x25, NEEDS_DISC, read_capacity },
	{ 0x28, NEEDS_DISC, read_10 },
	{ 0x2b, NEEDS_DISC, do_nothing }, /* SEEK */
	{ 0x35, 0, do_nothing },          /* SYNCHRONIZE CACHE */
	{ 0x43, NEEDS_DISC, read_toc },
	{ 0x46, BEFORE_ATTENTION, get_configuration },
	{ 0x4a, BEFORE_ATTENTION, get_event },
	{ 0x51, NEEDS_DISC, read_disc_information },
	{ 0x52, NEEDS_DISC, read_track_information },
	{ 0x5a, 0, mode_sense },
	{ 0xa8, NEEDS_DISC, read_12 },
	{ 0xad, NEEDS_DISC, read_dvd_structure },
	{ 0xbb, 0, do_nothing },          /* SET CD SPEED */
	{ 0xbd, 0, mechanism_status },
	{ 0xbe, NEEDS_DISC, read_cd },
};

void atapi_command(struct atapi *atapi, const uint8_t packet[ATAPI_PACKET],
	struct atapi_answer *answer)
{
	unsigned i = 0;

	memset(answer, 0, sizeof(*answer));
	while (i < G_N_ELEMENTS(verbs) && verbs[i].code != packet[0])
		i++;
	if (i == G_N_ELEMENTS(verbs)) {
		fail(atapi, answer, ATAPI_ILLEGAL, ASC_INVALID_COMMAND, 0);
		return;
	}
	if (atapi->attention && !(verbs[i].flags & BEFORE_ATTENTION)) {
		uint8_t asc = atapi->attention;

		atapi->attention = 0;
		fail(atapi, answer, ATAPI_ATTENTION, asc, 0);
		return;
	}
	if (verbs[i].flags & NEEDS_DISC && (!atapi->disc || atapi->open)) {
		fail(atapi, answer, ATAPI_NOT_READY, ASC_NO_MEDIUM, atapi->open ? 2 : 1);
		return;
	}
	if (packet[0] != 0x03)
		atapi->key = atapi->asc = atapi->ascq = 0;
	verbs[i].carry_out(atapi, packet, answer);
}

void atapi_read_failed(struct atapi *atapi)
{
	atapi->key = ATAPI_MEDIUM_ERROR;
	atapi->asc = ASC_READ_ERROR;
	atapi->ascq = 0;
}

void atapi_reset(struct atapi *atapi)
{
	atapi->key = atapi->asc = atapi->ascq = 0;
	atapi->locked = atapi->open = atapi->event = 0;
	atapi->attention = ASC_RESET;
}

void atapi_change(struct atapi *atapi, uint32_t blocks)
{
	atapi->blocks = blocks;
	atapi->disc = blocks != 0;
	atapi->open = 0;
	atapi->event = blocks ? EVENT_NEW_MEDIA : EVENT_REMOVAL;
	atapi->attention = blocks ? ASC_MEDIUM_CHANGED : 0;
}

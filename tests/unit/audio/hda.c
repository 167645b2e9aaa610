/*
 * Intel HD Audio by its registers and rings, as Linux's driver does it, against a seat port whose
 * clock is turned by hand.
 */
#include "tests/unit/test.h"

#include "tests/unit/virtio/guest.h"
#include "vmm/hda_internal.h"
#include "vmm/sound.c"
#include "vmm/state.h"

enum {
	MS = 1000000, /* ns */
	AHEAD_MS = 40,
	RATE = 48000 * 4, /* bytes a second */
	LEAD = RATE / 1000 * AHEAD_MS,
	SLACK = LEAD / 2,
	PERIOD = 1920, /* 10 ms */
	PERIODS = 4,
	BUFFER = PERIOD * PERIODS,
	OUT = 4, /* the first output stream */
	IN = 0,
	CORB = 0x1000,
	RIRB = 0x2000,
	POSITIONS = 0x3000,
	BDL = 0x4000,
	PCM = 0x100000,
};

static struct {
	struct seat_port port;
	unsigned starts[2], stops[2];
	struct port_audio_format format;
	size_t written;
	uint8_t pcm[1 << 20];
} seat;

static void seat_start(struct seat_port *port, unsigned stream,
	const struct port_audio_format *format)
{
	test_equal(seat.starts[stream], seat.stops[stream]);
	seat.starts[stream]++;
	seat.format = *format;
	if (stream == 0)
		seat.written = 0;
}

static void seat_stop(struct seat_port *port, unsigned stream)
{
	seat.stops[stream]++;
	test_equal(seat.starts[stream], seat.stops[stream]);
}

static void seat_write(struct seat_port *port, const void *pcm, size_t bytes)
{
	test_assert(bytes && bytes <= PORT_MAX_PCM && seat.starts[0] > seat.stops[0]);
	test_equal(bytes % 4, 0);
	test_assert(seat.written + bytes <= sizeof(seat.pcm));
	memcpy(seat.pcm + seat.written, pcm, bytes);
	seat.written += bytes;
}

static const struct seat_port_ops seat_ops = {
	.audio_start = seat_start,
	.audio_stop = seat_stop,
	.audio_write = seat_write,
};

static struct guest guest;
static struct intx_sink pins;
static bool pin;
static unsigned pin_rises;
static uint8_t rirb_read;

static void pin_set(struct intx_sink *sink, unsigned line, bool level)
{
	pin_rises += level && !pin;
	pin = level;
}

static uint32_t rd(uint32_t offset, unsigned size)
{
	return (uint32_t)guest_read(&guest, offset, size);
}

static void wr(uint32_t offset, unsigned size, uint32_t value)
{
	guest_write(&guest, offset, size, value);
}

static void turn(void)
{
	hda_wake((struct hda *)guest.machine.sound);
	guest_spin(&guest);
}

static void pass(int64_t ns)
{
	guest_now_ns += ns;
	turn();
}

static uint32_t sd(unsigned i)
{
	return 0x80 + 0x20 * i;
}

/* What azx_init_chip does. */
static void driver_up(void)
{
	wr(0x08, 4, 0);
	test_equal(rd(0x08, 1), 0);
	wr(0x08, 4, 1);
	test_equal(rd(0x08, 1), 1);
	test_equal(rd(0x0e, 2), 1); /* codec 0 */
	wr(0x0e, 2, 1);
	wr(0x40, 4, CORB);
	wr(0x44, 4, 0);
	wr(0x4e, 1, 2);
	wr(0x48, 2, 0);
	wr(0x4a, 2, 0x8000);
	test_equal(rd(0x4a, 2), 0x8000);
	wr(0x4a, 2, 0);
	test_equal(rd(0x4a, 2), 0);
	wr(0x4c, 1, 2);
	wr(0x50, 4, RIRB);
	wr(0x5e, 1, 2);
	wr(0x58, 2, 0x8000);
	wr(0x5a, 2, 1);
	wr(0x5c, 1, 3);
	wr(0x70, 4, POSITIONS | 1);
	wr(0x20, 4, 0xc00000ff);
	rirb_read = 0;
}

static void up(void)
{
	static const struct sound_config config = { .ahead = AHEAD_MS };

	memset(&seat, 0, sizeof(seat));
	seat.port.ops = &seat_ops;
	guest_open(&guest, GUEST_MEMORY);
	guest.machine.port = &seat.port;
	guest_now_ns = 5000 * (int64_t)MS;
	pins.set = pin_set;
	pin = false;
	pin_rises = 0;
	pci_bus_intx(guest.machine.pci, &pins);
	test_assert(guest_plug(&guest, &sound_type, &config, NULL));
	driver_up();
}

static void down(void)
{
	guest_close(&guest);
}

/* A verb through the rings, its answer. */
static uint32_t verb(uint32_t node, uint32_t id, uint32_t payload)
{
	uint32_t command = node << 20 | (id > 0xf ? id << 8 : id << 16) | payload, answer[2];
	uint8_t at = (uint8_t)(rd(0x48, 1) + 1);

	memory_write(guest.machine.memory, CORB + 4 * at, &command, 4);
	wr(0x48, 2, at);
	test_equal(rd(0x5d, 1), 1);
	test_assert(pin);
	wr(0x5d, 1, 5);
	test_assert(!pin);
	rirb_read++;
	test_equal(rd(0x58, 1), rirb_read);
	memory_read(guest.machine.memory, RIRB + 8 * rirb_read, answer, 8);
	test_equal(answer[1], 0);
	return answer[0];
}

/* The verb without its interrupt, for where the pin is not looked at. */
static void quiet_verb(uint32_t node, uint32_t id, uint32_t payload)
{
	wr(0x60, 4, node << 20 | (id > 0xf ? id << 8 : id << 16) | payload);
	wr(0x68, 2, 1);
}

static void list(unsigned i, uint64_t address, uint32_t len, uint32_t flags)
{
	struct {
		uint64_t address;
		uint32_t len, flags;
	} entry = { address, len, flags };

	memory_write(guest.machine.memory, BDL + 16 * i, &entry, sizeof(entry));
}

/* A stream of four periods as azx_pcm_prepare makes it, not yet running. */
static void prepare(unsigned i, unsigned tag)
{
	wr(sd(i), 1, 1);
	test_equal(rd(sd(i), 1) & 1, 1);
	wr(sd(i), 1, 0);
	test_equal(rd(sd(i), 1) & 1, 0);
	for (unsigned p = 0; p < PERIODS; p++)
		list(p, PCM + PERIOD * p, PERIOD, 1);
	wr(sd(i) + 2, 1, tag << 4);
	wr(sd(i) + 8, 4, BUFFER);
	wr(sd(i) + 0x12, 2, 0x0011);
	wr(sd(i) + 0x0c, 2, PERIODS - 1);
	wr(sd(i) + 0x18, 4, BDL);
	wr(sd(i) + 0x1c, 4, 0);
}

/* Samples that count up; never 0, so that silence can be told apart. */
static uint16_t ramp(size_t i)
{
	return (uint16_t)(1 + i % (BUFFER / 2));
}

static void play(void)
{
	uint16_t *at = guest_at(&guest, PCM, BUFFER);

	for (size_t i = 0; i < BUFFER / 2; i++)
		at[i] = ramp(i);
	prepare(OUT, 5);
	quiet_verb(HDA_DAC, 0x706, 0x50);
	quiet_verb(HDA_DAC, 0x2, 0x0011);
	wr(sd(OUT), 1, 0x1e);
	turn();
}

static void consume(size_t bytes)
{
	guest_events->audio_consumed(guest_events_device, 0, bytes);
}

static uint32_t position(unsigned i)
{
	return rd(sd(i) + 4, 4);
}

static uint32_t position_stored(unsigned i)
{
	uint32_t value;

	memory_read(guest.machine.memory, POSITIONS + 8 * i, &value, 4);
	return value;
}

static void test_probe(void)
{
	up();
	test_equal(rd(0, 2), 0x4401);
	test_equal(rd(2, 1), 0);
	test_equal(rd(3, 1), 1);
	test_equal(verb(0, 0xf00, 4), 0x00010001);
	test_equal(verb(1, 0xf00, 5), 1);
	test_equal(verb(1, 0xf00, 4), 0x00020004);
	test_equal(verb(HDA_DAC, 0xf00, 9) >> 20, 0);
	test_equal(verb(HDA_ADC, 0xf00, 9) >> 20, 1);
	test_equal(verb(HDA_LINE_OUT, 0xf00, 9) >> 20, 4);
	test_equal(verb(HDA_LINE_OUT, 0xf02, 0), HDA_DAC);
	test_equal(verb(HDA_ADC, 0xf02, 0), HDA_MICROPHONE);
	test_equal(verb(HDA_LINE_OUT, 0xf1c, 0) >> 20 & 0xf, 0); /* line out */
	test_equal(verb(HDA_MICROPHONE, 0xf1c, 0) >> 20 & 0xf, 0xa); /* microphone */
	test_assert(verb(HDA_LINE_OUT, 0xf09, 0) >> 31);
	test_equal(verb(1, 0x705, 3), 0);
	test_equal(verb(1, 0xf05, 0), 0x33);
	verb(HDA_DAC, 0x3, 0xa000 | 0x85); /* output, left */
	test_equal(verb(HDA_DAC, 0xb, 0xa000), 0x85);
	test_equal(verb(HDA_DAC, 0xb, 0x8000), HDA_AMP_STEPS);
	verb(HDA_MICROPHONE, 0x71e, 0xee);
	test_equal(verb(HDA_MICROPHONE, 0xf1c, 0) >> 16 & 0xff, 0xee);
	verb(1, 0x7ff, 0);
	test_equal(verb(HDA_DAC, 0xb, 0xa000), HDA_AMP_STEPS);
	test_equal(verb(HDA_MICROPHONE, 0xf1c, 0) >> 16 & 0xff, 0xee);
	test_equal(verb(200, 0xf00, 9), 0);
	down();
}

static void test_immediate(void)
{
	up();
	wr(0x60, 4, 0xf0005 | 1 << 20);
	wr(0x68, 2, 1);
	test_equal(rd(0x68, 2), 2);
	test_equal(rd(0x64, 4), 1);
	wr(0x68, 2, 2);
	test_equal(rd(0x68, 2), 0);
	down();
}

static void test_absent_codec(void)
{
	uint32_t command = 0x3 << 28 | 0xf0000;

	up();
	memory_write(guest.machine.memory, CORB + 4, &command, 4);
	wr(0x48, 2, 1);
	test_equal(rd(0x4a, 2), 1);
	test_equal(rd(0x58, 1), 0); /* nobody answered */
	test_equal(rd(0x5d, 1), 0);
	down();
}

static void test_plays(void)
{
	const uint16_t *heard = (const uint16_t *)seat.pcm;

	up();
	play();
	test_equal(seat.starts[0], 1);
	test_equal(seat.format.rate, 48000);
	test_equal(seat.format.channels, 2);
	test_equal(seat.written, LEAD);
	test_equal(position(OUT), 0);
	/* Two times through the buffer. */
	for (unsigned i = 0; i < 160; i++) {
		pass(MS / 2);
		if (i % 10 == 9)
			consume(RATE / 200);
	}
	test_equal(seat.starts[0], 1);
	test_assert(seat.written > 2 * BUFFER - PERIOD + LEAD);
	for (size_t i = 0; i < LEAD / 2; i++)
		test_equal(heard[i], 0);
	for (size_t i = 0; i < (seat.written - LEAD) / 2; i++)
		test_equal(heard[LEAD / 2 + i], ramp(i));
	down();
}

/* Nobody sees a step as large as the sink's. */
static void test_position_is_smooth(void)
{
	uint32_t last = 0, now, owed = 0, step, largest = 0;

	up();
	play();
	for (unsigned i = 1; i < 20000; i++) {
		guest_now_ns += MS / 10;
		if (i % 10 == 0)
			turn();
		owed += RATE / 10000;
		/* Reports of 10 ms, up to 3 ms late. */
		if (i % 100 == (i / 100 * 7) % 30) {
			consume(owed);
			owed = 0;
		}
		now = position(OUT);
		test_equal(position_stored(OUT), now);
		step = (now + BUFFER - last) % BUFFER;
		test_assert(step < BUFFER / 2);
		if (i > 1000)
			largest = MAX(largest, step);
		last = now;
	}
	test_assert(largest <= RATE / 1000);
	down();
}

/* A sink that stands still is not run away from. */
static void test_sink_stands(void)
{
	struct hda *hda;

	up();
	play();
	hda = (struct hda *)guest.machine.sound;
	for (unsigned i = 0; i < 2000; i++)
		pass(MS);
	test_equal(hda->stream[OUT].moved, SLACK);
	test_assert(seat.written <= LEAD + SLACK);
	consume(PERIOD);
	pass(100 * MS);
	test_equal(hda->stream[OUT].moved, PERIOD + SLACK);
	consume(1 << 20); /* more than there is */
	pass(1);
	test_assert(hda->lane[HDA_PLAYBACK].in_hand <= LEAD + SLACK);
	down();
}

static void test_interrupts(void)
{
	unsigned periods = 0, before;

	up();
	play();
	before = pin_rises;
	for (unsigned i = 0; i < 200; i++) {
		pass(MS);
		if (i % 5 == 4)
			consume(RATE / 200);
		if (!pin)
			continue;
		test_equal(rd(0x24, 4), 0x80000000u | 1 << OUT);
		/* The position has passed the period's end. */
		test_assert(position_stored(OUT) % PERIOD < PERIOD / 2);
		wr(sd(OUT) + 3, 1, 0x1c);
		test_assert(!pin);
		periods++;
	}
	test_assert(periods >= 18 && periods <= 21);
	test_equal(pin_rises - before, periods);
	/* Not asked for: none. */
	wr(sd(OUT), 1, 0x02);
	pass(20 * MS);
	test_assert(!pin);
	test_assert(rd(sd(OUT) + 3, 1) & 4);
	down();
}

static void test_msi(void)
{
	uint64_t ecam = MACHINE_ECAM_BASE + (GUEST_SLOT << 15);

	up();
	bus_write(guest.machine.mmio, ecam + 0x64, 4, 0xfee00000);
	bus_write(guest.machine.mmio, ecam + 0x6c, 2, 0x4041);
	bus_write(guest.machine.mmio, ecam + 0x62, 2, 1);
	test_equal(guest.routed[0], 1);
	play();
	pin_rises = 0;
	test_assert(!pin);
	guest.raised[0] = 0;
	for (unsigned i = 0; i < 30; i++)
		pass(MS);
	consume(PERIOD);
	test_equal(guest.raised[0], 1); /* once, as it is not acknowledged */
	wr(sd(OUT) + 3, 1, 4);
	consume(PERIOD);
	pass(9 * MS);
	test_equal(guest.raised[0], 2);
	test_equal(pin_rises, 0);
	down();
}

static void test_gain_acts(void)
{
	int16_t *at, *heard = (int16_t *)seat.pcm;
	size_t n;

	up();
	at = guest_at(&guest, PCM, BUFFER);
	play();
	for (size_t i = 0; i < BUFFER / 2; i++)
		at[i] = i % 2 ? 10000 : -10000;
	quiet_verb(HDA_DAC, 0x3, 0xa000 | (HDA_AMP_STEPS - 20)); /* left: a tenth */
	quiet_verb(HDA_DAC, 0x3, 0x9000 | 0x80 | HDA_AMP_STEPS); /* right: mute */
	pass(15 * MS);
	n = seat.written / 2;
	test_assert(n > LEAD / 2);
	test_assert(heard[n - 2] >= -1010 && heard[n - 2] <= -990);
	test_equal(heard[n - 1], 0);
	quiet_verb(HDA_LINE_OUT, 0x707, 0); /* the pin off */
	consume(PERIOD);
	pass(10 * MS);
	test_assert(seat.written / 2 > n);
	test_equal(heard[seat.written / 2 - 2], 0);
	down();
}

static void test_stop_plays_the_rest(void)
{
	size_t in_hand;

	up();
	play();
	pass(12 * MS);
	wr(sd(OUT), 1, 0);
	turn();
	test_equal(seat.stops[0], 0);
	in_hand = seat.written;
	test_assert(in_hand > LEAD + PERIOD);
	consume(in_hand - 4);
	guest_spin(&guest);
	test_equal(seat.stops[0], 0);
	consume(4);
	guest_spin(&guest);
	test_equal(seat.stops[0], 1);
	/* A sink that does not play is not waited for for ever. */
	wr(sd(OUT), 1, 0x02);
	turn();
	test_equal(seat.starts[0], 2);
	wr(sd(OUT), 1, 0);
	turn();
	pass(1000 * (int64_t)MS);
	test_equal(seat.stops[0], 2);
	down();
}

static void test_goes_on_after_a_pause(void)
{
	uint32_t stopped;

	up();
	play();
	pass(12 * MS);
	wr(sd(OUT), 1, 0x1c);
	stopped = position(OUT);
	test_assert(stopped > PERIOD);
	pass(20 * MS);
	test_equal(position(OUT), stopped);
	wr(sd(OUT), 1, 0x1e);
	turn();
	test_equal(position(OUT), stopped);
	test_equal(seat.starts[0], 1); /* the same stream at the port */
	pass(5 * MS);
	test_equal(position(OUT), stopped + RATE / 1000 * 5);
	/* The synchronisation register holds it as well. */
	wr(0x38, 4, 1 << OUT);
	turn();
	pass(20 * MS);
	test_equal(position(OUT), stopped + RATE / 1000 * 5);
	wr(0x34, 4, 0);
	turn();
	pass(5 * MS);
	test_equal(position(OUT), stopped + RATE / 1000 * 10);
	down();
}

static void test_records(void)
{
	uint16_t pcm[PERIOD / 2], *at;
	size_t next = 0;

	up();
	at = guest_at(&guest, PCM, BUFFER);
	prepare(IN, 3);
	verb(HDA_ADC, 0x706, 0x30);
	wr(sd(IN), 1, 0x1e);
	turn();
	test_equal(seat.starts[1], 1);
	for (unsigned i = 0; i < 10; i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(pcm); k++)
			pcm[k] = ramp(next++);
		pass(5 * MS);
		pass(5 * MS);
		guest_events->audio_captured(guest_events_device, pcm, sizeof(pcm));
	}
	pass(5 * MS);
	/* 85 ms less the slack, twice around the buffer less that. */
	test_assert(position(IN) > 0);
	for (size_t k = 0; k < BUFFER / 2; k++)
		test_equal(at[k], ramp(k));
	test_assert(rd(sd(IN) + 3, 1) & 4);
	wr(sd(IN), 1, 0);
	turn();
	test_equal(seat.stops[1], 1);
	down();
}

/* A stream without a converter runs by time, into nothing. */
static void test_unheard(void)
{
	up();
	prepare(OUT, 5);
	wr(sd(OUT), 1, 0x02);
	turn();
	pass(10 * MS);
	test_equal(position(OUT), PERIOD);
	test_equal(seat.starts[0], 0);
	pass(3600 * 1000 * (int64_t)MS);
	turn();
	test_equal(seat.starts[0], 0);
	/* Now the DAC listens. */
	quiet_verb(HDA_DAC, 0x706, 0x50);
	turn();
	test_equal(seat.starts[0], 1);
	quiet_verb(HDA_DAC, 0x706, 0);
	turn();
	test_equal(seat.starts[0], 1);
	down();
}

/* It goes on for as long as it runs: minutes, that nobody reports. */
static void test_unheard_for_long(void)
{
	uint32_t before;

	up();
	prepare(OUT, 5);
	wr(sd(OUT), 1, 0x02);
	turn();
	for (unsigned i = 0; i < 13000; i++) {
		before = position(OUT);
		pass(10 * MS);
		test_equal(position(OUT), (before + PERIOD) % BUFFER);
	}
	down();
}

static void run_for(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		pass(MS);
		consume(RATE / 1000);
	}
}

static void test_bad_lists(void)
{
	up();
	play();
	/* empty buffers between full ones */
	list(1, PCM, 0, 1);
	list(2, PCM, 0, 1);
	run_for(30);
	test_equal(rd(sd(OUT) + 3, 1) & 0x10, 0);
	/* nothing but empty ones */
	for (unsigned i = 0; i < 256; i++)
		list(i, PCM, 0, 1);
	wr(sd(OUT) + 0x0c, 2, 0xffff);
	test_equal(rd(sd(OUT) + 0x0c, 2), 0xff);
	run_for(60);
	test_equal(rd(sd(OUT) + 3, 1) & 0x10, 0x10);
	test_equal(rd(sd(OUT), 1) & 2, 0);
	/* a list that is not in memory */
	play();
	wr(sd(OUT) + 0x1c, 4, 0xffffffff);
	wr(sd(OUT) + 0x18, 4, 0xffffff80);
	run_for(30);
	test_equal(rd(sd(OUT), 1) & 2, 0);
	/* no cyclic buffer at all */
	play();
	wr(sd(OUT) + 8, 4, 0);
	run_for(30);
	test_equal(position(OUT), 0);
	/* one shorter than what it holds, and one byte long */
	wr(sd(OUT) + 8, 4, 100);
	run_for(30);
	test_assert(position(OUT) < 100);
	wr(sd(OUT) + 8, 4, 1);
	run_for(10);
	test_equal(position(OUT), 0);
	down();
}

static void test_bad_memory(void)
{
	const int16_t *heard = (const int16_t *)seat.pcm;

	up();
	play();
	for (unsigned p = 0; p < PERIODS; p++)
		list(p, p % 2 ? UINT64_MAX - 100 : GUEST_MEMORY - 100, UINT32_MAX, 1);
	wr(0x74, 4, 0xfffffff0);
	run_for(50);
	test_equal(heard[seat.written / 2 - 1], 0);
	test_assert(rd(sd(OUT), 1) & 2);
	/* entries of a byte each: no interrupt is worth more than a turn's bound */
	play();
	for (unsigned i = 0; i < 256; i++)
		list(i, PCM + i, 1, 1);
	wr(sd(OUT) + 0x0c, 2, 255);
	run_for(100);
	test_assert(rd(sd(OUT), 1) & 2);
	/* rings outside of memory */
	wr(0x44, 4, 0x1000);
	wr(0x48, 2, 0x77);
	test_equal(rd(0x4d, 1), 1);
	test_equal(rd(0x4c, 1) & 2, 0);
	wr(0x44, 4, 0);
	wr(0x54, 4, 0x1000);
	wr(0x4c, 1, 2);
	test_equal(rd(0x4a, 2), 0x77);
	down();
}

static void test_formats_we_do_not_do(void)
{
	static const uint16_t formats[] = { 0x8011, 0x0001, 0x0041, 0x0811, 0x0111, 0x0012, 0xffff };

	up();
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
		play();
		wr(sd(OUT) + 0x12, 2, formats[i]);
		turn();
		run_for(20);
		wr(sd(OUT), 1, 0);
		turn();
		pass(1000 * (int64_t)MS);
		test_equal(seat.starts[0], seat.stops[0]);
	}
	/* mono, at the other rate */
	play();
	wr(sd(OUT), 1, 0);
	wr(sd(OUT) + 0x12, 2, 0x4010);
	wr(sd(OUT), 1, 2);
	turn();
	test_equal(seat.format.rate, 44100);
	test_equal(seat.format.channels, 1);
	down();
}

static void test_resets(void)
{
	up();
	play();
	pass(5 * MS);
	wr(0x08, 4, 0);
	turn();
	test_equal(position(OUT), 0);
	wr(sd(OUT), 1, 2); /* in reset */
	test_equal(rd(sd(OUT), 1), 0);
	pass(1000 * (int64_t)MS);
	test_equal(seat.stops[0], 1);
	driver_up();
	play();
	guest_reset(&guest);
	turn();
	pass(1000 * (int64_t)MS);
	test_equal(seat.stops[0], 2);
	test_assert(!pin);
	driver_up();
	play();
	pass(5 * MS);
	test_equal(seat.starts[0], 3);
	wr(sd(OUT), 1, 3); /* reset and run at once */
	turn();
	test_equal(rd(sd(OUT), 4), 1);
	down();
}

static void test_state(void)
{
	struct state *state = state_new_saving();
	struct device *device;
	uint32_t at, wall;
	GBytes *saved;

	up();
	device = guest.device;
	play();
	verb(HDA_DAC, 0x3, 0xa000 | 0x85);
	pass(13 * MS);
	at = position(OUT);
	wall = rd(0x30, 4);
	device->state(device, state);
	saved = state_take(state);
	state_free(state);
	guest_reset(&guest);
	turn();
	pass(1000 * (int64_t)MS);
	test_equal(rd(0x08, 1), 0);
	for (unsigned cut = 0; cut < g_bytes_get_size(saved); cut += 7) {
		state = state_new_loading(g_bytes_new_from_bytes(saved, 0, cut));
		device->state(device, state);
		test_assert(state_failed(state));
		state_free(state);
	}
	state = state_new_loading(g_bytes_ref(saved));
	device->state(device, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	g_bytes_unref(saved);
	test_equal(position(OUT), at);
	test_equal(rd(0x30, 4), wall);
	turn();
	pass(5 * MS);
	test_equal(position(OUT), at + RATE / 1000 * 5);
	wr(sd(OUT) + 3, 1, 4);
	test_equal(verb(HDA_DAC, 0xb, 0xa000), 0x85);
	down();
}

int main(void)
{
	test_run(test_probe);
	test_run(test_immediate);
	test_run(test_absent_codec);
	test_run(test_plays);
	test_run(test_position_is_smooth);
	test_run(test_sink_stands);
	test_run(test_interrupts);
	test_run(test_msi);
	test_run(test_gain_acts);
	test_run(test_stop_plays_the_rest);
	test_run(test_goes_on_after_a_pause);
	test_run(test_records);
	test_run(test_unheard);
	test_run(test_unheard_for_long);
	test_run(test_bad_lists);
	test_run(test_bad_memory);
	test_run(test_formats_we_do_not_do);
	test_run(test_resets);
	test_run(test_state);
	return 0;
}

/*
 * virtio-snd by its rings, against a seat port whose clock is turned by hand.
 */
#include "tests/unit/test.h"

#include <linux/virtio_snd.h>

#include "tests/unit/virtio/guest.h"
#include "vmm/sound.c"
#include "vmm/state.h"

enum {
	CONTROL = VIRTIO_SND_VQ_CONTROL,
	TX = VIRTIO_SND_VQ_TX,
	RX = VIRTIO_SND_VQ_RX,
	PERIOD = 1920, /* 10 ms of 48 kHz stereo */
	AHEAD = 7680,
	NOTHING = -1,
};

#define OK VIRTIO_SND_S_OK
#define BAD VIRTIO_SND_S_BAD_MSG

static struct {
	struct seat_port port;
	unsigned starts[2], stops[2], writes;
	struct port_audio_format format;
	size_t written, largest;
	uint8_t next; /* the bytes written count up */
	bool broken;
} seat;

static void seat_start(struct seat_port *port, unsigned stream,
	const struct port_audio_format *format)
{
	seat.starts[stream]++;
	seat.format = *format;
}

static void seat_stop(struct seat_port *port, unsigned stream)
{
	seat.stops[stream]++;
}

static void seat_write(struct seat_port *port, const void *pcm, size_t bytes)
{
	const uint8_t *p = pcm;

	for (size_t i = 0; i < bytes; i++)
		if (p[i] != seat.next++)
			seat.broken = true;
	seat.writes++;
	seat.written += bytes;
	seat.largest = MAX(seat.largest, bytes);
}

static const struct seat_port_ops seat_ops = {
	.audio_start = seat_start,
	.audio_stop = seat_stop,
	.audio_write = seat_write,
};

static struct guest guest;
static uint8_t next_byte; /* what the guest plays next */

static struct sound_counters counted(void)
{
	struct sound_counters counters;

	guest.machine.sound->ops->counters(guest.machine.sound, &counters);
	return counters;
}

static void driver_up(void)
{
	guest_start(&guest, 0);
	next_byte = 0;
	seat.next = 0;
}

static void up(void)
{
	static const struct sound_config config = { .model = SOUND_VIRTIO, .ahead = 40 };

	memset(&seat, 0, sizeof(seat));
	seat.port.ops = &seat_ops;
	guest_open(&guest, GUEST_MEMORY);
	guest.machine.port = &seat.port;
	test_assert(guest_plug(&guest, &sound_type, &config, NULL));
	driver_up();
}

static void down(void)
{
	test_assert(!seat.broken);
	test_assert(!guest_needs_reset(&guest));
	guest_close(&guest);
}

/* A control request; the status, and the rest of the reply in *rest. */
static uint32_t ask(const void *request, size_t len, void *rest, size_t rest_len)
{
	uint64_t reply = guest_alloc(&guest, 4 + rest_len);
	struct guest_buffer buffer[] = {
		{ guest_put(&guest, request, len), len, false },
		{ reply, 4 + rest_len, true },
	};
	uint32_t id, written, status = 0;

	guest_add(&guest, CONTROL, buffer, 2);
	guest_kick(&guest, CONTROL);
	test_assert(guest_used(&guest, CONTROL, &id, &written));
	test_assert(written >= 4 && written <= 4 + rest_len);
	memory_read(guest.machine.memory, reply, &status, 4);
	if (rest_len)
		memory_read(guest.machine.memory, reply + 4, rest, rest_len);
	return status;
}

static uint32_t command(uint32_t code, uint32_t stream)
{
	struct virtio_snd_pcm_hdr request = { .hdr.code = code, .stream_id = stream };

	return ask(&request, sizeof(request), NULL, 0);
}

static uint32_t set_params(uint32_t stream, uint32_t buffer, uint32_t period)
{
	struct virtio_snd_pcm_set_params request = {
		.hdr = { .hdr.code = VIRTIO_SND_R_PCM_SET_PARAMS, .stream_id = stream },
		.buffer_bytes = buffer,
		.period_bytes = period,
		.channels = 2,
		.format = VIRTIO_SND_PCM_FMT_S16,
		.rate = VIRTIO_SND_PCM_RATE_48000,
	};

	return ask(&request, sizeof(request), NULL, 0);
}

static void prepare(uint32_t stream, uint32_t period)
{
	test_equal(set_params(stream, period * 4, period), OK);
	test_equal(command(VIRTIO_SND_R_PCM_PREPARE, stream), OK);
}

static void start(uint32_t stream, uint32_t period)
{
	prepare(stream, period);
	test_equal(command(VIRTIO_SND_R_PCM_START, stream), OK);
}

static uint64_t last_status;

/* A playback buffer for `stream`; where its status will lie. */
static uint64_t play_to(uint32_t stream, size_t len)
{
	struct virtio_snd_pcm_xfer xfer = { .stream_id = stream };
	uint64_t pcm = guest_alloc(&guest, len ? len : 1), status = guest_alloc(&guest, 8);
	struct guest_buffer buffer[] = {
		{ guest_put(&guest, &xfer, sizeof(xfer)), sizeof(xfer), false },
		{ pcm, len, false },
		{ status, 8, true },
	};
	uint8_t *at = guest_at(&guest, pcm, len ? len : 1);

	for (size_t i = 0; i < len; i++)
		at[i] = next_byte++;
	guest_add(&guest, TX, buffer, 3);
	guest_kick(&guest, TX);
	last_status = status;
	return status;
}

static uint64_t play(size_t len)
{
	return play_to(0, len);
}

static void consume(size_t bytes)
{
	guest_events->audio_consumed(guest_events_device, 0, bytes);
}

/* The status of the next buffer that came back; NOTHING if none did. */
static int64_t finished(unsigned q)
{
	uint32_t id, len;

	return guest_used(&guest, q, &id, &len) ? (int64_t)len : NOTHING;
}

static struct virtio_snd_pcm_status status_at(uint64_t gpa)
{
	struct virtio_snd_pcm_status status;

	memory_read(guest.machine.memory, gpa, &status, sizeof(status));
	return status;
}

static void test_says_what_it_is(void)
{
	struct virtio_snd_query_info query = { .hdr.code = VIRTIO_SND_R_PCM_INFO, .count = 2,
		.size = sizeof(struct virtio_snd_pcm_info) };
	struct virtio_snd_pcm_info info[2];
	struct virtio_snd_chmap_info chmap[1];
	uint8_t wide[2 * 200];

	up();
	test_equal(guest_config_read(&guest, 0, 4), 2); /* jacks */
	test_equal(guest_config_read(&guest, 4, 4), 2); /* streams */
	test_equal(guest_config_read(&guest, 8, 4), 2); /* channel maps */
	test_equal(ask(&query, sizeof(query), info, sizeof(info)), OK);
	test_equal(info[0].direction, VIRTIO_SND_D_OUTPUT);
	test_equal(info[1].direction, VIRTIO_SND_D_INPUT);
	test_equal(info[0].formats, 1 << VIRTIO_SND_PCM_FMT_S16);
	query.size = 200; /* a later specification's */
	test_equal(ask(&query, sizeof(query), wide, sizeof(wide)), OK);
	test_equal(wide[200 + offsetof(struct virtio_snd_pcm_info, direction)],
		VIRTIO_SND_D_INPUT);
	query = (struct virtio_snd_query_info){ .hdr.code = VIRTIO_SND_R_CHMAP_INFO,
		.start_id = 1, .count = 1, .size = sizeof(chmap[0]) };
	test_equal(ask(&query, sizeof(query), chmap, sizeof(chmap)), OK);
	test_equal(chmap[0].positions[1], VIRTIO_SND_CHMAP_FR);
	query.hdr.code = VIRTIO_SND_R_JACK_INFO;
	test_equal(ask(&query, sizeof(query), chmap, sizeof(chmap)), OK);
	down();
}

static void test_bad_requests(void)
{
	static const struct {
		uint32_t code, start, count, size;
	} query[] = {
		{ VIRTIO_SND_R_PCM_INFO, 0, 3, 32 },
		{ VIRTIO_SND_R_PCM_INFO, 3, 0, 32 },
		{ VIRTIO_SND_R_PCM_INFO, 1, UINT32_MAX, 32 },
		{ VIRTIO_SND_R_PCM_INFO, UINT32_MAX, 2, 32 },
		{ VIRTIO_SND_R_PCM_INFO, 0, 2, 31 },
		{ VIRTIO_SND_R_PCM_INFO, 0, 2, UINT32_MAX },
		{ VIRTIO_SND_R_JACK_INFO, 0, 2, 0 },
		{ VIRTIO_SND_R_CHMAP_INFO, 2, 1, 24 },
		{ VIRTIO_SND_R_PCM_INFO, 0, 2, 256 }, /* no room for the answer */
	};
	uint8_t rest[64];

	up();
	for (unsigned i = 0; i < G_N_ELEMENTS(query); i++) {
		struct virtio_snd_query_info q = { .hdr.code = query[i].code,
			.start_id = query[i].start, .count = query[i].count,
			.size = query[i].size };

		test_equal(ask(&q, sizeof(q), rest, sizeof(rest)), BAD);
		test_equal(ask(&q, sizeof(q) - 1, rest, sizeof(rest)), BAD);
		test_equal(ask(&q, 3, rest, sizeof(rest)), BAD);
	}
	test_equal(command(0, 0), VIRTIO_SND_S_NOT_SUPP);
	test_equal(command(UINT32_MAX, 0), VIRTIO_SND_S_NOT_SUPP);
	for (uint32_t code = VIRTIO_SND_R_PCM_SET_PARAMS; code <= VIRTIO_SND_R_PCM_STOP; code++) {
		test_equal(command(code, 0), BAD);
		test_equal(command(code, 2), BAD);
		test_equal(command(code, UINT32_MAX), BAD);
	}
	test_equal(set_params(2, 7680, PERIOD), BAD);
	down();
}

static void test_no_room_for_a_status(void)
{
	struct virtio_snd_hdr hdr = { .code = VIRTIO_SND_R_PCM_INFO };
	struct guest_buffer buffer[] = {
		{ 0x7000, 4, false },
		{ 0x8000, 3, true },
	};

	up();
	memory_write(guest.machine.memory, 0x7000, &hdr, 4);
	guest_add(&guest, CONTROL, buffer, 1);
	guest_add(&guest, CONTROL, buffer, 2);
	guest_kick(&guest, CONTROL);
	test_equal(finished(CONTROL), 0);
	test_equal(finished(CONTROL), 0);
	down();
}

static void test_a_period_is_done_when_it_is_consumed(void)
{
	uint64_t status[6];

	up();
	start(0, PERIOD);
	test_equal(seat.starts[0], 1);
	test_equal(seat.format.rate, 48000);
	test_equal(seat.format.period_bytes, PERIOD);
	for (unsigned i = 0; i < 6; i++)
		status[i] = play(PERIOD);
	test_equal(seat.written, AHEAD); /* no more than that, whatever is queued */
	test_equal(finished(TX), NOTHING);
	consume(PERIOD - 1);
	test_equal(finished(TX), NOTHING);
	consume(1);
	test_equal(finished(TX), 8);
	test_equal(finished(TX), NOTHING);
	test_equal(status_at(status[0]).status, OK);
	test_equal(status_at(status[0]).latency_bytes, AHEAD - 4); /* whole frames */
	test_equal(seat.written, AHEAD + PERIOD);
	consume(3 * PERIOD);
	for (unsigned i = 1; i < 4; i++) {
		test_equal(finished(TX), 8);
		test_equal(status_at(status[i]).status, OK);
	}
	test_equal(finished(TX), NOTHING);
	consume(1000000); /* a sink that tells more than it was given */
	test_equal(finished(TX), 8);
	test_equal(finished(TX), 8);
	test_equal(finished(TX), NOTHING);
	test_equal(counted().periods, 6);
	down();
}

static void test_prepared_waits(void)
{
	up();
	prepare(0, PERIOD);
	play(PERIOD);
	play(PERIOD);
	test_equal(seat.written, 0);
	test_equal(finished(TX), NOTHING);
	consume(PERIOD);
	test_equal(finished(TX), NOTHING);
	test_equal(command(VIRTIO_SND_R_PCM_START, 0), OK);
	test_equal(seat.written, 2 * PERIOD);
	test_equal(command(VIRTIO_SND_R_PCM_STOP, 0), OK);
	down();
}

static void test_long_periods_in_pieces(void)
{
	const uint32_t period = 1 << 17;
	size_t eaten = 0;

	up();
	start(0, period);
	play(period);
	test_equal(seat.written, AHEAD);
	while (eaten < period) {
		test_equal(finished(TX), NOTHING);
		consume(1000);
		eaten += 1000;
		test_assert(seat.written <= eaten + AHEAD);
	}
	test_equal(finished(TX), 8);
	test_equal(seat.written, period);
	test_assert(seat.largest <= PORT_MAX_PCM);
	down();
}

static void test_stop_and_release_give_everything_back(void)
{
	up();
	start(0, PERIOD);
	for (unsigned i = 0; i < 7; i++)
		play(PERIOD);
	test_equal(command(VIRTIO_SND_R_PCM_STOP, 0), OK);
	test_equal(seat.stops[0], 1);
	for (unsigned i = 0; i < 7; i++)
		test_equal(finished(TX), 8);
	test_equal(finished(TX), NOTHING);
	consume(PERIOD); /* crossed the stop */
	test_equal(counted().periods, 0);
	test_equal(command(VIRTIO_SND_R_PCM_RELEASE, 0), OK);

	prepare(0, PERIOD);
	play(PERIOD);
	test_equal(command(VIRTIO_SND_R_PCM_RELEASE, 0), OK);
	test_equal(finished(TX), 8);
	test_equal(status_at(last_status).status, OK);
	down();
}

static void test_stop_in_the_middle_of_a_long_period(void)
{
	up();
	start(0, 1 << 15);
	play(1 << 15);
	play(1 << 15);
	consume(4000);
	test_equal(command(VIRTIO_SND_R_PCM_STOP, 0), OK);
	test_equal(finished(TX), 8);
	test_equal(finished(TX), 8);
	next_byte = seat.next = 0;
	test_equal(command(VIRTIO_SND_R_PCM_START, 0), OK);
	seat.written = 0;
	play(PERIOD);
	test_equal(seat.written, PERIOD); /* nothing of the old one */
	down();
}

static void test_what_is_not_playable(void)
{
	up();
	play(PERIOD); /* no parameters yet */
	test_equal(finished(TX), 8);
	test_equal(status_at(last_status).status, VIRTIO_SND_S_IO_ERR);
	start(0, PERIOD);
	next_byte = 0;
	static const struct {
		uint32_t stream;
		size_t len;
	} bad[] = {
		{ 1, PERIOD }, { 2, PERIOD }, { UINT32_MAX, PERIOD },
		{ 0, 0 }, { 0, PERIOD + 4 }, { 0, PERIOD - 1 }, { 0, 3 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		play_to(bad[i].stream, bad[i].len);
		test_equal(finished(TX), 8);
		test_equal(status_at(last_status).status, BAD);
	}
	test_equal(seat.written, 0);
	next_byte = 0;
	play(PERIOD);
	consume(PERIOD);
	test_equal(finished(TX), 8);
	test_equal(status_at(last_status).status, OK);
	down();
}

static void test_broken_buffers(void)
{
	struct virtio_snd_pcm_xfer xfer = { .stream_id = 0 };
	struct guest_buffer short_head = { 0x8000, 3, false };
	struct guest_buffer only_in = { 0x8000, 8, true };
	struct guest_buffer small_status[3];

	up();
	start(0, PERIOD);
	guest_add(&guest, TX, &short_head, 1);
	guest_add(&guest, TX, &only_in, 1);
	small_status[0] = (struct guest_buffer){ guest_put(&guest, &xfer, 4), 4, false };
	small_status[1] = (struct guest_buffer){ 0x8000, PERIOD, false };
	small_status[2] = (struct guest_buffer){ 0x9000, 7, true };
	guest_add(&guest, TX, small_status, 3);
	guest_kick(&guest, TX);
	test_equal(finished(TX), 0);
	test_equal(finished(TX), 8);
	test_equal(finished(TX), 7); /* as much as fits */
	test_equal(seat.written, 0);
	down();
}

/* The header in two parts, the status in eight. */
static void test_scattered(void)
{
	struct virtio_snd_pcm_xfer xfer = { .stream_id = 0 };
	uint64_t head, pcm, status;
	struct guest_buffer buffer[11];
	struct virtio_snd_pcm_status got;

	up();
	start(0, PERIOD);
	head = guest_put(&guest, &xfer, 4);
	pcm = guest_alloc(&guest, PERIOD);
	for (unsigned i = 0; i < PERIOD; i++)
		((uint8_t *)guest_at(&guest, pcm, PERIOD))[i] = next_byte++;
	status = guest_alloc(&guest, 64);
	buffer[0] = (struct guest_buffer){ head, 1, false };
	buffer[1] = (struct guest_buffer){ head + 1, 3, false };
	buffer[2] = (struct guest_buffer){ pcm, PERIOD, false };
	for (unsigned i = 0; i < 8; i++)
		buffer[3 + i] = (struct guest_buffer){ status + 2 * i, 1, true };
	guest_add(&guest, TX, buffer, 11);
	guest_kick(&guest, TX);
	consume(PERIOD);
	test_equal(finished(TX), 8);
	for (unsigned i = 0; i < 8; i++)
		((uint8_t *)&got)[i] = *(uint8_t *)guest_at(&guest, status + 2 * i, 1);
	test_equal(got.status, OK);
	test_equal(got.latency_bytes, 0);
	down();
}

static void test_underruns(void)
{
	up();
	start(0, PERIOD);
	consume(0);
	test_equal(counted().underruns, 0); /* it has not begun */
	play(PERIOD);
	consume(PERIOD);
	test_equal(counted().underruns, 0); /* may be the end */
	play(PERIOD);
	test_equal(counted().underruns, 1); /* was not */
	play(PERIOD);
	consume(PERIOD);
	play(PERIOD);
	test_equal(counted().underruns, 1);
	consume(2 * PERIOD);
	test_equal(command(VIRTIO_SND_R_PCM_STOP, 0), OK);
	test_equal(command(VIRTIO_SND_R_PCM_START, 0), OK);
	play(PERIOD);
	test_equal(counted().underruns, 1);
	down();
}

static void test_reset_while_playing(void)
{
	up();
	start(0, PERIOD);
	start(1, PERIOD);
	for (unsigned i = 0; i < 6; i++)
		play(PERIOD);
	guest_reset(&guest);
	test_equal(seat.stops[0], 0); /* the port is the seat thread's */
	consume(PERIOD);
	guest_events->audio_captured(guest_events_device, "quiet", 4);
	guest_spin(&guest);
	test_equal(seat.stops[0], 1);
	test_equal(seat.stops[1], 1);
	guest_spin(&guest);
	test_equal(seat.stops[0], 1);
	driver_up();
	seat.written = 0;
	start(0, PERIOD);
	play(PERIOD);
	test_equal(seat.written, PERIOD);
	consume(PERIOD);
	test_equal(finished(TX), 8);
	test_equal(seat.starts[0], 2);
	down();
}

/* A capture buffer; where its sound will lie, the status behind it. */
static uint64_t record_from(uint32_t stream, size_t len)
{
	struct virtio_snd_pcm_xfer xfer = { .stream_id = stream };
	uint64_t pcm = guest_alloc(&guest, len + 8);
	struct guest_buffer buffer[] = {
		{ guest_put(&guest, &xfer, sizeof(xfer)), sizeof(xfer), false },
		{ pcm, len + 8, true },
	};

	guest_add(&guest, RX, buffer, 2);
	guest_kick(&guest, RX);
	return pcm;
}

static void hear(const void *pcm, size_t len)
{
	guest_events->audio_captured(guest_events_device, pcm, len);
}

static void test_capture(void)
{
	uint8_t sound[3 * PERIOD];
	uint64_t a, b;

	up();
	for (size_t i = 0; i < sizeof(sound); i++)
		sound[i] = i * 3;
	record_from(1, PERIOD);
	test_equal(finished(RX), 8 + PERIOD); /* no parameters */
	prepare(1, PERIOD);
	hear(sound, 100); /* not yet */
	test_equal(command(VIRTIO_SND_R_PCM_START, 1), OK);
	test_equal(seat.starts[1], 1);
	a = record_from(1, PERIOD);
	b = record_from(1, PERIOD);
	hear(sound, 1000);
	test_equal(finished(RX), NOTHING);
	hear(sound + 1000, PERIOD);
	test_equal(finished(RX), PERIOD + 8);
	test_assert(!memcmp(guest_at(&guest, a, PERIOD), sound, PERIOD));
	test_equal(status_at(a + PERIOD).status, OK);
	test_equal(finished(RX), NOTHING);
	hear(sound + 1000 + PERIOD, 2 * PERIOD - 1000);
	test_equal(finished(RX), PERIOD + 8);
	test_assert(!memcmp(guest_at(&guest, b, PERIOD), sound + PERIOD, PERIOD));
	test_equal(counted().overruns, 1);
	b = record_from(1, PERIOD);
	hear(sound, 4);
	record_from(1, PERIOD);
	test_equal(command(VIRTIO_SND_R_PCM_STOP, 1), OK);
	test_equal(finished(RX), PERIOD + 8);
	test_equal(finished(RX), PERIOD + 8);
	test_equal(status_at(b + PERIOD).status, OK);
	down();
}

static void test_capture_buffers_that_are_wrong(void)
{
	struct virtio_snd_pcm_xfer xfer = { .stream_id = 1 };
	struct guest_buffer no_room[] = {
		{ 0x7000, 4, false },
		{ 0x8000, 7, true },
	};
	uint64_t pcm;

	up();
	memory_write(guest.machine.memory, 0x7000, &xfer, 4);
	start(1, PERIOD);
	pcm = record_from(0, PERIOD);
	record_from(1, PERIOD + 4);
	record_from(1, 0);
	record_from(1, 5);
	guest_add(&guest, RX, no_room, 2);
	guest_add(&guest, RX, no_room, 1);
	hear("quiet", 4);
	test_equal(finished(RX), PERIOD + 8);
	test_equal(status_at(pcm + PERIOD).status, BAD);
	test_equal(finished(RX), PERIOD + 4 + 8);
	test_equal(finished(RX), 8);
	test_equal(finished(RX), 13);
	test_equal(finished(RX), 7);
	test_equal(finished(RX), 0);
	test_equal(counted().overruns, 1);
	down();
}

/* Any order of writing and consuming: every byte to the port once, in order (seat.broken). */
static void test_every_byte_once(void)
{
	uint32_t seed = 7, queued = 0;
	size_t given = 0, eaten = 0;

	up();
	start(0, PERIOD);
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		if ((seed >> 16) % 3 && queued < 20) {
			size_t len = 4 * (1 + (seed >> 20) % (PERIOD / 4));

			if (guest.heap > GUEST_MEMORY / 2)
				guest.heap = GUEST_MEMORY / 4;
			play(len);
			given += len;
			queued++;
		} else {
			size_t len = MIN((seed >> 18) % 4000, seat.written - eaten);

			consume(len);
			eaten += len;
			while (finished(TX) == 8)
				queued--;
		}
		test_assert(seat.written - eaten <= AHEAD);
	}
	while (eaten < given) {
		size_t len = seat.written - eaten;

		test_assert(len);
		consume(len);
		eaten += len;
	}
	while (finished(TX) == 8)
		queued--;
	test_equal(queued, 0);
	test_equal(seat.written, given);
	down();
}

static void test_saved(void)
{
	struct state *state = state_new_saving();
	GBytes *saved;

	up();
	start(0, PERIOD);
	play(PERIOD);
	play(PERIOD);
	test_equal(finished(TX), NOTHING);
	guest.device->drain(guest.device);
	test_equal(finished(TX), 8);
	test_equal(finished(TX), 8);
	guest.device->state(guest.device, state);
	saved = state_take(state);
	state_free(state);
	/* It goes on if it was not saved after all. */
	play(PERIOD);
	test_equal(seat.written, 3 * PERIOD);
	/* Into a card that has just been made. */
	guest.device->reset(guest.device);
	guest_spin(&guest);
	test_equal(seat.stops[0], 1);
	for (unsigned cut = 0; cut < g_bytes_get_size(saved); cut += 7) {
		state = state_new_loading(g_bytes_new_from_bytes(saved, 0, cut));
		guest.device->state(guest.device, state);
		test_assert(state_failed(state));
		state_free(state);
		guest.device->reset(guest.device);
	}
	guest_spin(&guest);
	state = state_new_loading(saved);
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	seat.next = (uint8_t)(2 * PERIOD); /* the third is in the ring still */
	seat.written = 0;
	guest_spin(&guest);
	test_equal(seat.starts[0], 2);
	test_equal(seat.written, PERIOD);
	down();
}

int main(void)
{
	test_run(test_says_what_it_is);
	test_run(test_bad_requests);
	test_run(test_no_room_for_a_status);
	test_run(test_a_period_is_done_when_it_is_consumed);
	test_run(test_prepared_waits);
	test_run(test_long_periods_in_pieces);
	test_run(test_stop_and_release_give_everything_back);
	test_run(test_stop_in_the_middle_of_a_long_period);
	test_run(test_what_is_not_playable);
	test_run(test_broken_buffers);
	test_run(test_scattered);
	test_run(test_underruns);
	test_run(test_reset_while_playing);
	test_run(test_capture);
	test_run(test_capture_buffers_that_are_wrong);
	test_run(test_every_byte_once);
	test_run(test_saved);
	return 0;
}

/*
 * HD Audio at the seats: which stream plays and which records there, and what is in their hands.
 *
 * The DAC plays the running output stream whose tag it has been told; it is at the port, with so many
 * milliseconds of silence before it as the seats are to have in hand. From then on DMA fetches as
 * much as the seats consume, so that the guest's position is theirs, and its sound reaches them with
 * the delay of that silence, as through a card's FIFO. The ADC likewise, the other way.
 */
#include "vmm/hda_internal.h"

#include <string.h>

enum {
	PORT_CHUNKS = 200, /* messages a second, as long as it is not stopped */
	PORT_PERIODS = 100, /* what the port is told */
	PORT_PATIENCE_MS = 200, /* for a sink that plays what is left */
};

uint32_t hda_fifo_put(struct hda_fifo *fifo, const void *from, uint32_t n)
{
	uint32_t done = 0, part;

	for (n = MIN(n, HDA_FIFO - fifo->n); done < n; done += part) {
		uint32_t at = (fifo->first + fifo->n) % HDA_FIFO;

		part = MIN(n - done, HDA_FIFO - at);
		if (from)
			memcpy(fifo->byte + at, (const uint8_t *)from + done, part);
		else
			memset(fifo->byte + at, 0, part);
		fifo->n += part;
	}
	return n;
}

uint32_t hda_fifo_get(struct hda_fifo *fifo, void *to, uint32_t n)
{
	uint32_t done = 0, part;

	for (n = MIN(n, fifo->n); done < n; done += part) {
		part = MIN(n - done, HDA_FIFO - fifo->first);
		if (to)
			memcpy((uint8_t *)to + done, fifo->byte + fifo->first, part);
		fifo->first = (fifo->first + part) % HDA_FIFO;
		fifo->n -= part;
	}
	return n;
}

static uint32_t format_frame(const struct port_audio_format *format)
{
	return 2 * format->channels;
}

static uint32_t format_bytes(const struct port_audio_format *format, unsigned ms)
{
	return (uint32_t)((uint64_t)format->rate * ms / 1000) * format_frame(format);
}

static unsigned lane_converter(unsigned lane)
{
	return lane == HDA_PLAYBACK ? HDA_DAC : HDA_ADC;
}

/* The stream that the converter listens to; -1: none. */
static int lane_wanted(const struct hda *hda, unsigned lane)
{
	unsigned tag = hda_codec_tag(&hda->codec, lane_converter(lane));
	unsigned from = lane == HDA_PLAYBACK ? HDA_INPUTS : 0;
	unsigned to = lane == HDA_PLAYBACK ? HDA_STREAMS : HDA_INPUTS;
	struct hda_format format;

	for (unsigned i = from; tag && i < to; i++)
		if (hda_stream_runs(hda, i) && hda_tag(&hda->stream[i]) == tag &&
			hda_format_parse(hda->stream[i].format, &format))
			return (int)i;
	return -1;
}

static bool lane_bound(const struct hda *hda, unsigned lane)
{
	int stream = hda->lane[lane].stream;

	return stream >= 0 && hda->stream[stream].bound;
}

static void lane_close(struct hda *hda, unsigned lane)
{
	if (hda->lane[lane].open)
		hda->port->ops->audio_stop(hda->port, lane);
	hda->lane[lane].open = false;
}

static void lane_write(struct hda *hda, uint32_t n)
{
	hda->lane[HDA_PLAYBACK].in_hand += n;
	hda->port->ops->audio_write(hda->port, hda->piece, n);
}

/* What has been fetched, in messages of `least` bytes or more. */
static void lane_flush(struct hda *hda, uint32_t least)
{
	struct hda_lane *l = &hda->lane[HDA_PLAYBACK];
	uint32_t frame = format_frame(&l->format), n;

	while (l->open && l->fifo.n >= MAX(least, frame)) {
		n = MIN(l->fifo.n, PORT_MAX_PCM);
		n -= n % frame;
		hda_fifo_get(&l->fifo, hda->piece, n);
		hda_codec_amplify(&hda->codec, HDA_DAC, hda->piece, n / frame, l->format.channels);
		if (l->dry)
			__atomic_fetch_add(&hda->counters.underruns, 1, __ATOMIC_RELAXED);
		l->dry = false;
		lane_write(hda, n);
	}
}

/* The stream goes; what it has given to be played is played. */
static void lane_unbind(struct hda *hda, unsigned lane, int64_t now)
{
	struct hda_lane *l = &hda->lane[lane];

	if (l->stream < 0)
		return;
	hda->stream[l->stream].bound = hda->stream[l->stream].clocked = false;
	l->stream = -1;
	l->until = now + (2 * hda->ahead_ms + PORT_PATIENCE_MS) * 1000000ll;
	if (lane == HDA_PLAYBACK)
		lane_flush(hda, 0);
}

static void lane_open(struct hda *hda, unsigned lane, const struct hda_format *format)
{
	struct hda_lane *l = &hda->lane[lane];

	if (l->open && (l->format.rate != format->rate || l->format.channels != format->channels))
		lane_close(hda, lane);
	if (l->open)
		return;
	l->open = true;
	l->format = (struct port_audio_format){
		.rate = format->rate,
		.channels = format->channels,
		.period_bytes = format->rate / PORT_PERIODS * 2 * format->channels,
	};
	l->in_hand = 0;
	hda->port->ops->audio_start(hda->port, lane, &l->format);
}

/* Silence, until the seats have in hand what they are to have. */
static void lane_fill(struct hda *hda)
{
	struct hda_lane *l = &hda->lane[HDA_PLAYBACK];
	uint64_t want = format_bytes(&l->format, hda->ahead_ms);

	memset(hda->piece, 0, sizeof(hda->piece));
	while (l->in_hand < want)
		lane_write(hda, (uint32_t)MIN(want - l->in_hand, PORT_MAX_PCM));
}

static void lane_bind(struct hda *hda, unsigned lane, unsigned stream, int64_t now)
{
	struct hda_lane *l = &hda->lane[lane];
	struct hda_stream *s = &hda->stream[stream];
	struct hda_format format;

	hda_format_parse(s->format, &format);
	lane_open(hda, lane, &format);
	l->stream = (int)stream;
	l->dry = false;
	l->fifo.first = l->fifo.n = 0;
	if (lane == HDA_PLAYBACK)
		lane_fill(hda);
	s->frame = format_frame(&l->format);
	s->bound = s->clocked = true;
	s->moved = 0;
	sound_clock_start(&s->clock, now, format.rate * s->frame,
		format_bytes(&l->format, hda->ahead_ms / 2));
}

/* Streams that nobody listens to run by time alone. */
static void streams_clock(struct hda *hda, int64_t now)
{
	for (unsigned i = 0; i < HDA_STREAMS; i++) {
		struct hda_stream *s = &hda->stream[i];
		struct hda_format format;

		if (s->clocked || !hda_stream_runs(hda, i))
			continue;
		s->frame = hda_format_parse(s->format, &format) ? 2 * format.channels : 0;
		s->moved = 0;
		s->clocked = true;
		sound_clock_start(&s->clock, now, s->frame ? format.rate * s->frame : 0, 0);
	}
}

void hda_port_settle(struct hda *hda, int64_t now)
{
	for (unsigned lane = 0; lane < HDA_LANES; lane++) {
		struct hda_lane *l = &hda->lane[lane];
		int wanted = lane_wanted(hda, lane);

		if (wanted >= 0 && l->stream == wanted && lane_bound(hda, lane))
			continue;
		lane_unbind(hda, lane, now);
		if (wanted >= 0)
			lane_bind(hda, lane, (unsigned)wanted, now);
		else if (lane == HDA_CAPTURE || !l->in_hand || now >= l->until)
			lane_close(hda, lane);
	}
	streams_clock(hda, now);
}

int64_t hda_port_due(const struct hda *hda)
{
	const struct hda_lane *l = &hda->lane[HDA_PLAYBACK];

	return l->open && l->stream < 0 ? l->until : INT64_MAX;
}

void hda_port_flush(struct hda *hda)
{
	const struct port_audio_format *format = &hda->lane[HDA_PLAYBACK].format;

	if (lane_bound(hda, HDA_PLAYBACK))
		lane_flush(hda, format->rate / PORT_CHUNKS * format_frame(format));
}

void hda_port_consumed(struct hda *hda, size_t bytes)
{
	struct hda_lane *l = &hda->lane[HDA_PLAYBACK];
	uint64_t n = MIN(bytes, l->in_hand);
	int64_t now = hda->now();

	if (!l->open || !n)
		return;
	l->in_hand -= n;
	if (!lane_bound(hda, HDA_PLAYBACK)) {
		hda_wake(hda);
		return;
	}
	l->dry = l->in_hand == 0;
	sound_clock_report(&hda->stream[l->stream].clock, now, n);
	hda_streams_run(hda, now);
	hda_port_flush(hda);
}

/* Whole frames; what finds no room is lost, and counted. */
void hda_port_captured(struct hda *hda, const uint8_t *pcm, size_t bytes)
{
	struct hda_lane *l = &hda->lane[HDA_CAPTURE];
	int64_t now = hda->now();
	uint32_t frame = format_frame(&l->format), n, put;

	if (!lane_bound(hda, HDA_CAPTURE))
		return;
	for (; bytes >= frame; pcm += n, bytes -= n) {
		n = (uint32_t)MIN(bytes, sizeof(hda->piece));
		n -= n % frame;
		memcpy(hda->piece, pcm, n);
		hda_codec_amplify(&hda->codec, HDA_ADC, hda->piece, n / frame, l->format.channels);
		put = hda_fifo_put(&l->fifo, hda->piece, n);
		if (put < n)
			__atomic_fetch_add(&hda->counters.overruns, 1, __ATOMIC_RELAXED);
		sound_clock_report(&hda->stream[l->stream].clock, now, put);
		hda_streams_run(hda, now);
	}
}

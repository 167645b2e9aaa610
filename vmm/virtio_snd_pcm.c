/*
 * virtio-snd's data: playback buffers to the seat port and back when the sink has consumed them,
 * recorded sound into capture buffers.
 *
 * Buffers stay in the driver's ring until they are needed, so what a guest can make us hold is a
 * small fixed table. Every loop over a ring ends after a ring's length; a driver that fills faster
 * is served again from the main loop.
 */
#define G_LOG_DOMAIN "virtio-snd"

#include "vmm/virtio_snd_internal.h"

#include <string.h>

static struct virtqueue *snd_queue(struct virtio_snd *snd, unsigned q)
{
	return &snd->dev.queue[q];
}

static bool snd_pop(struct virtio_snd *snd, unsigned q, struct vq_chain *chain)
{
	if (!snd_queue(snd, q)->ready || (snd->dev.status & VIRTIO_NEEDS_RESET))
		return false;
	return virtio_pop(&snd->dev, q, chain) == 1;
}

/* Counters are read on other threads without the lock. */
static void snd_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* Gives a chain back at once; the status lies at `at` of its in-buffers. */
static void snd_answer(struct virtio_snd *snd, unsigned q, const struct vq_chain *chain, size_t at,
	uint32_t code)
{
	struct virtio_snd_pcm_status status = { .status = code };
	size_t done = chain_write(chain, at, &status, sizeof(status));

	virtio_push(&snd->dev, q, chain->head, done ? at + done : 0);
}

/* The part of a transfer that must be right before its stream is looked at. */
static bool snd_is_for(const struct vq_chain *chain, unsigned stream)
{
	struct virtio_snd_pcm_xfer xfer;

	return chain_read(chain, 0, &xfer, sizeof(xfer)) == sizeof(xfer) &&
	       xfer.stream_id == stream && chain->in_len >= SND_STATUS_BYTES;
}

static bool snd_length_fits(const struct snd_stream *s, size_t length)
{
	return length && length <= s->params.period_bytes &&
	       length % snd_frame_bytes(&s->params) == 0;
}

/* Gives everything in a ring back unplayed. */
static void snd_drain(struct virtio_snd *snd, unsigned q, uint32_t code)
{
	struct vq_chain *chain = &snd->stream[q == VIRTIO_SND_VQ_RX].chain;
	bool rx = q == VIRTIO_SND_VQ_RX;
	unsigned left = SND_QUEUE_SIZE;

	while (left && snd_pop(snd, q, chain)) {
		bool whole = chain->in_len >= SND_STATUS_BYTES;

		snd_answer(snd, q, chain, rx && whole ? chain->in_len - SND_STATUS_BYTES : 0,
			code);
		left--;
	}
	if (!left)
		snd_wake(snd);
}

/* ---- playback ---- */

static size_t playback_ahead(const struct virtio_snd *snd)
{
	const struct snd_params *p = &snd->stream[SND_PLAYBACK].params;

	return (size_t)p->rate * snd->ahead_ms / 1000 * snd_frame_bytes(p);
}

static void playback_remember(struct snd_stream *s)
{
	struct snd_period *period = &s->period[(s->first + s->n_periods++) % SND_PERIODS];
	size_t want = SND_STATUS_BYTES;

	period->head = s->chain.head;
	period->end = s->written + s->length;
	period->n_status = 0;
	for (unsigned i = 0; i < s->chain.n_in && want; i++) {
		struct iovec part = s->chain.segment[s->chain.n_out + i];

		part.iov_len = MIN(part.iov_len, want);
		want -= part.iov_len;
		if (part.iov_len)
			period->status[period->n_status++] = part;
	}
}

static void playback_complete(struct virtio_snd *snd, uint32_t latency_bytes)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];
	struct snd_period *period = &s->period[s->first];
	struct virtio_snd_pcm_status status = {
		.status = VIRTIO_SND_S_OK,
		.latency_bytes = latency_bytes,
	};
	const uint8_t *from = (const uint8_t *)&status;

	for (unsigned i = 0; i < period->n_status; i++) {
		memcpy(period->status[i].iov_base, from, period->status[i].iov_len);
		from += period->status[i].iov_len;
	}
	virtio_push(&snd->dev, VIRTIO_SND_VQ_TX, period->head, SND_STATUS_BYTES);
	s->first = (s->first + 1) % SND_PERIODS;
	s->n_periods--;
}

/* Takes the next buffer from the ring; false when there is none for us now. */
static bool playback_next(struct virtio_snd *snd, unsigned *left)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];

	while (s->n_periods < SND_PERIODS && *left) {
		if (!snd_pop(snd, VIRTIO_SND_VQ_TX, &s->chain))
			return false;
		--*left;
		s->length = s->chain.out_len - sizeof(struct virtio_snd_pcm_xfer);
		if (!snd_is_for(&s->chain, SND_PLAYBACK) || !snd_length_fits(s, s->length)) {
			snd_answer(snd, VIRTIO_SND_VQ_TX, &s->chain, 0, VIRTIO_SND_S_BAD_MSG);
			continue;
		}
		s->offset = 0;
		s->open = true;
		playback_remember(s);
		if (s->starved)
			snd_count(&snd->counters.underruns);
		s->starved = false;
		return true;
	}
	if (!*left)
		snd_wake(snd);
	return false;
}

static void playback_write(struct virtio_snd *snd, size_t room)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];
	size_t n = MIN(MIN(room, s->length - s->offset), PORT_MAX_PCM);

	n -= n % snd_frame_bytes(&s->params);
	chain_read(&s->chain, sizeof(struct virtio_snd_pcm_xfer) + s->offset, snd->piece, n);
	s->offset += n;
	s->written += n;
	s->open = s->offset < s->length;
	snd->port->ops->audio_write(snd->port, snd->piece, n);
}

/* Keeps `ahead` of sound at the port. */
static void playback_pump(struct virtio_snd *snd)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];
	size_t ahead = playback_ahead(snd), flying;
	unsigned left = SND_QUEUE_SIZE;

	for (;;) {
		flying = s->written - s->consumed;
		/* A sink that counts in parts of frames does not make us do so. */
		if (flying + snd_frame_bytes(&s->params) > ahead)
			break;
		if (!s->open && !playback_next(snd, &left))
			break;
		playback_write(snd, ahead - flying);
	}
}

static void playback_reap(struct virtio_snd *snd)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];

	while (s->n_periods && s->period[s->first].end <= s->consumed) {
		playback_complete(snd, s->written - s->consumed);
		snd_count(&snd->counters.periods);
	}
}

void snd_playback_kick(struct virtio_snd *snd)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];

	if (s->state == SND_RUNNING)
		playback_pump(snd);
	else if (s->state == SND_UNSET || s->state == SND_SET)
		snd_drain(snd, VIRTIO_SND_VQ_TX, VIRTIO_SND_S_IO_ERR);
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_TX);
}

void snd_playback_consumed(struct virtio_snd *snd, size_t bytes)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];

	if (s->state != SND_RUNNING)
		return;
	s->consumed += MIN(bytes, s->written - s->consumed);
	playback_reap(snd);
	playback_pump(snd);
	/* Whether that was a gap or the end shows when more comes, or does not. */
	if (s->written && s->written == s->consumed)
		s->starved = true;
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_TX);
}

static void playback_give_back(struct virtio_snd *snd)
{
	struct snd_stream *s = &snd->stream[SND_PLAYBACK];

	while (s->n_periods)
		playback_complete(snd, 0);
	s->open = false;
	s->starved = false;
	s->written = s->consumed = 0;
	snd_drain(snd, VIRTIO_SND_VQ_TX, VIRTIO_SND_S_OK);
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_TX);
}

/* ---- capture ---- */

static bool capture_next(struct virtio_snd *snd)
{
	struct snd_stream *s = &snd->stream[SND_CAPTURE];

	for (unsigned left = SND_QUEUE_SIZE; left; left--) {
		if (!snd_pop(snd, VIRTIO_SND_VQ_RX, &s->chain))
			return false;
		s->length = s->chain.in_len - SND_STATUS_BYTES;
		if (snd_is_for(&s->chain, SND_CAPTURE) && snd_length_fits(s, s->length)) {
			s->offset = 0;
			s->open = true;
			return true;
		}
		snd_answer(snd, VIRTIO_SND_VQ_RX, &s->chain,
			s->chain.in_len >= SND_STATUS_BYTES ? s->length : 0, VIRTIO_SND_S_BAD_MSG);
	}
	return false;
}

static void capture_finish(struct virtio_snd *snd)
{
	struct snd_stream *s = &snd->stream[SND_CAPTURE];

	s->open = false;
	snd_answer(snd, VIRTIO_SND_VQ_RX, &s->chain, s->length, VIRTIO_SND_S_OK);
}

void snd_capture_data(struct virtio_snd *snd, const uint8_t *pcm, size_t bytes)
{
	struct snd_stream *s = &snd->stream[SND_CAPTURE];
	size_t n;

	if (s->state != SND_RUNNING)
		return;
	for (; bytes; pcm += n, bytes -= n) {
		if (!s->open && !capture_next(snd)) {
			snd_count(&snd->counters.overruns);
			break;
		}
		n = chain_write(&s->chain, s->offset, pcm, MIN(bytes, s->length - s->offset));
		s->offset += n;
		if (s->offset == s->length)
			capture_finish(snd);
	}
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_RX);
}

void snd_capture_kick(struct virtio_snd *snd)
{
	enum snd_state state = snd->stream[SND_CAPTURE].state;

	if (state == SND_UNSET || state == SND_SET)
		snd_drain(snd, VIRTIO_SND_VQ_RX, VIRTIO_SND_S_IO_ERR);
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_RX);
}

static void capture_give_back(struct virtio_snd *snd)
{
	if (snd->stream[SND_CAPTURE].open)
		capture_finish(snd);
	snd_drain(snd, VIRTIO_SND_VQ_RX, VIRTIO_SND_S_OK);
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_RX);
}

/* ---- both ---- */

static void snd_port_start(struct virtio_snd *snd, unsigned stream)
{
	struct snd_stream *s = &snd->stream[stream];
	struct port_audio_format format = {
		.rate = s->params.rate,
		.channels = s->params.channels,
		.period_bytes = s->params.period_bytes,
	};

	s->at_port = true;
	snd->port->ops->audio_start(snd->port, stream, &format);
}

static void snd_port_stop(struct virtio_snd *snd, unsigned stream)
{
	struct snd_stream *s = &snd->stream[stream];

	s->stop_at_port = false;
	if (!s->at_port)
		return;
	s->at_port = false;
	snd->port->ops->audio_stop(snd->port, stream);
}

void snd_enter(struct virtio_snd *snd, unsigned stream, enum snd_state state)
{
	struct snd_stream *s = &snd->stream[stream];
	enum snd_state before = s->state;

	s->state = state;
	if (before == SND_RUNNING)
		snd_port_stop(snd, stream);
	/* What was queued while PREPARED goes back only by RELEASE or new parameters. */
	if (before == SND_RUNNING || state == SND_SET) {
		if (stream == SND_PLAYBACK)
			playback_give_back(snd);
		else
			capture_give_back(snd);
	}
	if (state != SND_RUNNING)
		return;
	snd_port_start(snd, stream);
	if (stream == SND_PLAYBACK)
		snd_playback_kick(snd);
}

void snd_settle_port(struct virtio_snd *snd)
{
	for (unsigned i = 0; i < SND_STREAMS; i++) {
		if (snd->stream[i].stop_at_port)
			snd_port_stop(snd, i);
		if (snd->stream[i].start_at_port) {
			snd->stream[i].start_at_port = false;
			snd_port_start(snd, i);
		}
	}
}

void snd_drain_streams(struct virtio_snd *snd)
{
	struct snd_stream *playback = &snd->stream[SND_PLAYBACK];

	while (playback->n_periods)
		playback_complete(snd, 0);
	playback->open = false;
	playback->consumed = playback->written;
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_TX);
	if (snd->stream[SND_CAPTURE].open)
		capture_finish(snd);
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_RX);
}

void snd_forget(struct virtio_snd *snd)
{
	for (unsigned i = 0; i < SND_STREAMS; i++) {
		struct snd_stream *s = &snd->stream[i];

		s->state = SND_UNSET;
		memset(&s->params, 0, sizeof(s->params));
		s->stop_at_port = s->at_port;
		s->start_at_port = false;
		s->open = false;
		s->n_periods = 0;
		s->written = s->consumed = 0;
		s->starved = false;
	}
	snd_wake(snd);
}

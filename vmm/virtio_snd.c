/*
 * virtio-snd: the control queue and the device's life. The streams' data is in virtio_snd_pcm.c, the
 * rules of their states in snd_pcm.c.
 */
#define G_LOG_DOMAIN "virtio-snd"

#include "vmm/virtio_snd_internal.h"

#include <string.h>

#include "vmm/state.h"

enum {
	SND_JACKS = 2,
	SND_CHMAPS = 2,
	SND_ITEM_MAX = 256, /* bytes a driver may ask for each item; ours are at most 32 */
	SND_REPLY_MAX = SND_STREAMS * SND_ITEM_MAX,
};

union snd_request {
	struct virtio_snd_hdr hdr;
	struct virtio_snd_query_info query;
	struct virtio_snd_jack_remap remap;
	struct virtio_snd_pcm_hdr pcm;
	struct virtio_snd_pcm_set_params params;
};

struct snd_reply {
	size_t len;
	uint8_t items[SND_REPLY_MAX];
};

/* HDA pin configuration defaults: a green line-out and a pink microphone on the rear panel. */
static const struct virtio_snd_jack_info jacks[SND_JACKS] = {
	{ .hda_reg_defconf = 0x01014010, .hda_reg_caps = 0x10, .connected = 1 },
	{ .hda_reg_defconf = 0x01a19020, .hda_reg_caps = 0x20, .connected = 1 },
};

#define SND_FORMATS (1ull << VIRTIO_SND_PCM_FMT_S16)
#define SND_RATES (1ull << VIRTIO_SND_PCM_RATE_44100 | 1ull << VIRTIO_SND_PCM_RATE_48000)

static const struct virtio_snd_pcm_info streams[SND_STREAMS] = {
	[SND_PLAYBACK] = { .formats = SND_FORMATS, .rates = SND_RATES,
		.direction = VIRTIO_SND_D_OUTPUT, .channels_min = 1, .channels_max = 2 },
	[SND_CAPTURE] = { .formats = SND_FORMATS, .rates = SND_RATES,
		.direction = VIRTIO_SND_D_INPUT, .channels_min = 1, .channels_max = 2 },
};

static const struct virtio_snd_chmap_info chmaps[SND_CHMAPS] = {
	{ .direction = VIRTIO_SND_D_OUTPUT, .channels = 2,
		.positions = { VIRTIO_SND_CHMAP_FL, VIRTIO_SND_CHMAP_FR } },
	{ .direction = VIRTIO_SND_D_INPUT, .channels = 2,
		.positions = { VIRTIO_SND_CHMAP_FL, VIRTIO_SND_CHMAP_FR } },
};

static struct virtio_snd *snd_of(struct virtio_device *dev)
{
	return (struct virtio_snd *)((char *)dev - offsetof(struct virtio_snd, dev));
}

/* ---- control ---- */

static uint32_t snd_info(const struct virtio_snd_query_info *query, const void *items,
	size_t item_size, uint32_t n_items, struct snd_reply *reply)
{
	if (query->start_id > n_items || query->count > n_items - query->start_id ||
		query->size < item_size || query->size > SND_ITEM_MAX)
		return VIRTIO_SND_S_BAD_MSG;
	reply->len = (size_t)query->count * query->size;
	memset(reply->items, 0, reply->len);
	/* A driver of a later specification asks for longer items: the rest is zero. */
	for (uint32_t i = 0; i < query->count; i++)
		memcpy(reply->items + (size_t)i * query->size,
			(const uint8_t *)items + (query->start_id + i) * item_size, item_size);
	return VIRTIO_SND_S_OK;
}

static uint32_t snd_jack_info(struct virtio_snd *snd, const union snd_request *request,
	struct snd_reply *reply)
{
	return snd_info(&request->query, jacks, sizeof(jacks[0]), SND_JACKS, reply);
}

static uint32_t snd_pcm_info(struct virtio_snd *snd, const union snd_request *request,
	struct snd_reply *reply)
{
	return snd_info(&request->query, streams, sizeof(streams[0]), SND_STREAMS, reply);
}

static uint32_t snd_chmap_info(struct virtio_snd *snd, const union snd_request *request,
	struct snd_reply *reply)
{
	return snd_info(&request->query, chmaps, sizeof(chmaps[0]), SND_CHMAPS, reply);
}

static uint32_t snd_jack_remap(struct virtio_snd *snd, const union snd_request *request,
	struct snd_reply *reply)
{
	return request->remap.hdr.jack_id < SND_JACKS ? VIRTIO_SND_S_NOT_SUPP
						      : VIRTIO_SND_S_BAD_MSG;
}

static uint32_t snd_pcm_set_params(struct virtio_snd *snd, const union snd_request *request,
	struct snd_reply *reply)
{
	uint32_t stream = request->pcm.stream_id, status;
	struct snd_params params;
	int state;

	if (stream >= SND_STREAMS)
		return VIRTIO_SND_S_BAD_MSG;
	state = snd_transition(snd->stream[stream].state, SND_SET_PARAMS);
	if (state < 0)
		return VIRTIO_SND_S_BAD_MSG;
	status = snd_params_check(&request->params, &params);
	if (status != VIRTIO_SND_S_OK)
		return status;
	snd_enter(snd, stream, state);
	snd->stream[stream].params = params;
	return VIRTIO_SND_S_OK;
}

static uint32_t snd_pcm_command(struct virtio_snd *snd, const union snd_request *request,
	struct snd_reply *reply)
{
	enum snd_command command = request->hdr.code - VIRTIO_SND_R_PCM_SET_PARAMS;
	uint32_t stream = request->pcm.stream_id;
	int state;

	if (stream >= SND_STREAMS)
		return VIRTIO_SND_S_BAD_MSG;
	state = snd_transition(snd->stream[stream].state, command);
	if (state < 0)
		return VIRTIO_SND_S_BAD_MSG;
	snd_enter(snd, stream, state);
	return VIRTIO_SND_S_OK;
}

static const struct snd_verb {
	uint32_t code;
	size_t size; /* of the request */
	uint32_t (*carry_out)(struct virtio_snd *snd, const union snd_request *request,
		struct snd_reply *reply);
} verbs[] = {
	{ VIRTIO_SND_R_JACK_INFO, sizeof(struct virtio_snd_query_info), snd_jack_info },
	{ VIRTIO_SND_R_JACK_REMAP, sizeof(struct virtio_snd_jack_remap), snd_jack_remap },
	{ VIRTIO_SND_R_PCM_INFO, sizeof(struct virtio_snd_query_info), snd_pcm_info },
	{ VIRTIO_SND_R_PCM_SET_PARAMS, sizeof(struct virtio_snd_pcm_set_params),
		snd_pcm_set_params },
	{ VIRTIO_SND_R_PCM_PREPARE, sizeof(struct virtio_snd_pcm_hdr), snd_pcm_command },
	{ VIRTIO_SND_R_PCM_RELEASE, sizeof(struct virtio_snd_pcm_hdr), snd_pcm_command },
	{ VIRTIO_SND_R_PCM_START, sizeof(struct virtio_snd_pcm_hdr), snd_pcm_command },
	{ VIRTIO_SND_R_PCM_STOP, sizeof(struct virtio_snd_pcm_hdr), snd_pcm_command },
	{ VIRTIO_SND_R_CHMAP_INFO, sizeof(struct virtio_snd_query_info), snd_chmap_info },
};

static uint32_t snd_carry_out(struct virtio_snd *snd, const union snd_request *request, size_t len,
	struct snd_reply *reply)
{
	if (len < sizeof(request->hdr))
		return VIRTIO_SND_S_BAD_MSG;
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (verbs[i].code == request->hdr.code)
			return len < verbs[i].size ? VIRTIO_SND_S_BAD_MSG
						   : verbs[i].carry_out(snd, request, reply);
	return VIRTIO_SND_S_NOT_SUPP;
}

static void snd_control(struct virtio_snd *snd, const struct vq_chain *chain)
{
	union snd_request request = { 0 };
	struct snd_reply reply;
	struct virtio_snd_hdr status;
	size_t len = chain_read(chain, 0, &request, sizeof(request)), done = 0;

	reply.len = 0;
	status.code = snd_carry_out(snd, &request, len, &reply);
	/* A driver that left no room gets an answer as far as it fits, at least that it is bad. */
	if (chain->in_len < sizeof(status) + reply.len && status.code == VIRTIO_SND_S_OK &&
		reply.len) {
		status.code = VIRTIO_SND_S_BAD_MSG;
		reply.len = 0;
	}
	if (chain->in_len >= sizeof(status)) {
		done = chain_write(chain, 0, &status, sizeof(status));
		done += chain_write(chain, sizeof(status), reply.items, reply.len);
	}
	virtio_push(&snd->dev, VIRTIO_SND_VQ_CONTROL, chain->head, done);
}

static void snd_control_kick(struct virtio_snd *snd)
{
	/* The streams' own chains are in use: this one is on the stack of the seat thread. */
	struct vq_chain chain;
	unsigned left = SND_QUEUE_SIZE;

	while (left && virtio_pop(&snd->dev, VIRTIO_SND_VQ_CONTROL, &chain) == 1) {
		snd_control(snd, &chain);
		left--;
	}
	if (!left)
		snd_wake(snd);
	virtio_interrupt(&snd->dev, VIRTIO_SND_VQ_CONTROL);
}

/* ---- the device ---- */

static void snd_kick(struct virtio_device *dev, unsigned q)
{
	struct virtio_snd *snd = snd_of(dev);

	snd_settle_port(snd);
	switch (q) {
	case VIRTIO_SND_VQ_CONTROL:
		snd_control_kick(snd);
		break;
	case VIRTIO_SND_VQ_TX:
		snd_playback_kick(snd);
		break;
	case VIRTIO_SND_VQ_RX:
		snd_capture_kick(snd);
		break;
	default:
		break; /* the event queue: our jacks do not move */
	}
}

static void snd_reset(struct virtio_device *dev)
{
	snd_forget(snd_of(dev));
}

static void snd_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	static const struct virtio_snd_config config = {
		.jacks = SND_JACKS,
		.streams = SND_STREAMS,
		.chmaps = SND_CHMAPS,
	};

	memcpy(to, (const uint8_t *)&config + offset, len);
}

static const struct virtio_ops snd_ops = {
	.name = "virtio-snd",
	.id = 25,
	.pci_class = 0x04,
	.pci_subclass = 0x01,
	.n_queues = VIRTIO_SND_VQ_MAX,
	.queue_size = { SND_QUEUE_SIZE, SND_QUEUE_SIZE, SND_QUEUE_SIZE, SND_QUEUE_SIZE },
	.config_len = sizeof(struct virtio_snd_config),
	.reset = snd_reset,
	.kick = snd_kick,
	.config_read = snd_config_read,
};

void snd_wake(struct virtio_snd *snd)
{
	g_source_set_ready_time(snd->source, 0);
}

static gboolean snd_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct virtio_snd *snd = data;

	g_source_set_ready_time(source, -1);
	g_mutex_lock(&snd->dev.lock);
	snd_settle_port(snd);
	g_mutex_unlock(&snd->dev.lock);
	for (unsigned q = 0; q < VIRTIO_SND_VQ_MAX; q++)
		virtio_kick(&snd->dev, q);
	return G_SOURCE_CONTINUE;
}

static void snd_event_consumed(void *device, unsigned stream, size_t bytes)
{
	struct virtio_snd *snd = device;

	g_mutex_lock(&snd->dev.lock);
	if (stream == SND_PLAYBACK)
		snd_playback_consumed(snd, bytes);
	g_mutex_unlock(&snd->dev.lock);
}

static void snd_event_captured(void *device, const void *pcm, size_t bytes)
{
	struct virtio_snd *snd = device;

	g_mutex_lock(&snd->dev.lock);
	snd_capture_data(snd, pcm, bytes);
	g_mutex_unlock(&snd->dev.lock);
}

const struct seat_port_events virtio_snd_events = {
	.audio_consumed = snd_event_consumed,
	.audio_captured = snd_event_captured,
};

struct virtio_snd *virtio_snd_new(const struct guest_memory *memory, GMainContext *context,
	struct seat_port *port, unsigned ahead_ms)
{
	static GSourceFuncs funcs = { .dispatch = snd_dispatch };
	struct virtio_snd *snd = g_new0(struct virtio_snd, 1);

	virtio_init(&snd->dev, &snd_ops, memory, context);
	snd->port = port;
	snd->ahead_ms = ahead_ms;
	snd->source = g_source_new(&funcs, sizeof(GSource));
	g_source_set_callback(snd->source, NULL, snd, NULL);
	g_source_attach(snd->source, context);
	return snd;
}

void virtio_snd_free(struct virtio_snd *snd)
{
	g_source_destroy(snd->source);
	g_source_unref(snd->source);
	virtio_clear(&snd->dev);
	g_free(snd);
}

struct virtio_device *virtio_snd_device(struct virtio_snd *snd)
{
	return &snd->dev;
}

void virtio_snd_counters(struct virtio_snd *snd, struct sound_counters *counters)
{
	counters->periods = __atomic_load_n(&snd->counters.periods, __ATOMIC_RELAXED);
	counters->underruns = __atomic_load_n(&snd->counters.underruns, __ATOMIC_RELAXED);
	counters->overruns = __atomic_load_n(&snd->counters.overruns, __ATOMIC_RELAXED);
}

void virtio_snd_drain(struct virtio_snd *snd)
{
	g_mutex_lock(&snd->dev.lock);
	snd_drain_streams(snd);
	g_mutex_unlock(&snd->dev.lock);
}

/* Parameters as snd_params_check lets them through. */
static bool params_are_ours(const struct snd_params *p)
{
	return (p->rate == 44100 || p->rate == 48000) && p->channels >= 1 && p->channels <= 2 &&
		p->period_bytes >= SND_MIN_PERIOD * snd_frame_bytes(p) &&
		p->period_bytes <= MIN(SND_MAX_PERIOD, p->buffer_bytes) &&
		p->period_bytes % snd_frame_bytes(p) == 0 && p->buffer_bytes <= SND_MAX_BUFFER;
}

static void stream_state(struct snd_stream *s, struct state *state)
{
	uint8_t now = (uint8_t)s->state;
	struct snd_params params = s->params;

	STATE(state, now);
	STATE(state, params);
	if (!state_loading(state) || state_failed(state))
		return;
	if (now >= SND_STATES || (now != SND_UNSET && !params_are_ours(&params))) {
		state_fail(state, "a stream that cannot be");
		return;
	}
	s->state = now;
	s->params = params;
	s->start_at_port = now == SND_RUNNING;
}

void virtio_snd_state(struct virtio_snd *snd, struct state *state)
{
	virtio_state(&snd->dev, state);
	g_mutex_lock(&snd->dev.lock);
	for (unsigned i = 0; i < SND_STREAMS; i++)
		stream_state(&snd->stream[i], state);
	snd_wake(snd);
	g_mutex_unlock(&snd->dev.lock);
}

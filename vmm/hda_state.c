/*
 * HD Audio in a saved guest: registers, the rings' pointers, the codec's nodes, and where each
 * stream's DMA is. What is at the seats is not saved: a stream that was running is bound to them
 * anew, and goes on where it was.
 */
#include "vmm/hda_internal.h"
#include "vmm/state.h"

static void rings_state(struct hda_rings *r, struct state *state)
{
	STATE(state, r->corb_low);
	STATE(state, r->corb_high);
	STATE(state, r->rirb_low);
	STATE(state, r->rirb_high);
	STATE(state, r->corb_write);
	STATE(state, r->corb_read);
	STATE(state, r->rirb_write);
	STATE(state, r->threshold);
	STATE(state, r->answered);
	STATE(state, r->corb_control);
	STATE(state, r->corb_status);
	STATE(state, r->rirb_control);
	STATE(state, r->rirb_status);
	STATE(state, r->command);
	STATE(state, r->answer);
	STATE(state, r->immediate);
	if (r->corb_write > 255 || (r->corb_read > 255 && r->corb_read != 0x8000) ||
		r->rirb_write > 255 || r->threshold > 255)
		state_fail(state, "a pointer that is outside of its ring");
}

static void codec_state(struct hda_codec *codec, struct state *state)
{
	STATE(state, codec->subsystem);
	for (unsigned i = 0; i < HDA_NODES; i++) {
		struct hda_node *node = &codec->node[i];

		STATE(state, node->power);
		STATE(state, node->converter);
		STATE(state, node->pin_control);
		STATE(state, node->unsolicited);
		STATE(state, node->format);
		STATE(state, node->amp);
		STATE(state, node->config_default);
	}
}

static void stream_state(struct hda_stream *s, struct state *state)
{
	STATE(state, s->control);
	STATE(state, s->status);
	STATE(state, s->position);
	STATE(state, s->cyclic);
	STATE(state, s->bdl_low);
	STATE(state, s->bdl_high);
	STATE(state, s->last);
	STATE(state, s->format);
	STATE(state, s->index);
	STATE(state, s->at);
	STATE(state, s->left);
	STATE(state, s->interrupts);
	if (s->last > 255)
		state_fail(state, "a list of %u buffers", s->last + 1u);
	if (state_loading(state))
		s->clocked = s->bound = false;
}

void hda_state(struct sound_card *card, struct state *state)
{
	struct hda *hda = (struct hda *)card;
	int64_t age;

	pci_state(&hda->pci, state);
	g_mutex_lock(&hda->lock);
	if (!state_loading(state))
		hda_streams_run(hda, hda->now());
	age = hda->now() - hda->born;
	STATE(state, hda->global);
	STATE(state, hda->interrupt_control);
	STATE(state, hda->hold);
	STATE(state, hda->wake_enable);
	STATE(state, hda->wake);
	STATE(state, hda->positions_low);
	STATE(state, hda->positions_high);
	STATE(state, age);
	rings_state(&hda->rings, state);
	codec_state(&hda->codec, state);
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		stream_state(&hda->stream[i], state);
	if (state_loading(state)) {
		hda->born = (int64_t)((uint64_t)hda->now() - (uint64_t)age);
		hda->signalled = 0;
		hda_signal(hda);
		hda_wake(hda);
	}
	g_mutex_unlock(&hda->lock);
}

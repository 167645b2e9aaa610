/*
 * virtio-snd as a sound card of the machine.
 */
#include "vmm/sound.h"
#include "vmm/virtio_pci.h"
#include "vmm/virtio_snd.h"

struct virtio_card {
	struct sound_card card;
	struct virtio_snd *snd;
};

static struct virtio_snd *snd_of_card(struct sound_card *card)
{
	return ((struct virtio_card *)card)->snd;
}

static void card_reset(struct sound_card *card)
{
	virtio_pci_reset(virtio_snd_device(snd_of_card(card)));
}

static void card_drain(struct sound_card *card)
{
	virtio_snd_drain(snd_of_card(card));
}

static void card_state(struct sound_card *card, struct state *state)
{
	virtio_snd_state(snd_of_card(card), state);
}

static void card_counters(struct sound_card *card, struct sound_counters *counters)
{
	virtio_snd_counters(snd_of_card(card), counters);
}

static void card_free(struct sound_card *card)
{
	virtio_detach_pci(virtio_snd_device(snd_of_card(card)));
	virtio_snd_free(snd_of_card(card));
	g_free(card);
}

static const struct sound_card_ops card_ops = {
	.reset = card_reset,
	.drain = card_drain,
	.state = card_state,
	.counters = card_counters,
	.free = card_free,
};

struct sound_card *virtio_snd_card_new(struct machine *machine, unsigned ahead_ms, GError **error)
{
	struct virtio_card *card = g_new0(struct virtio_card, 1);

	card->card.ops = &card_ops;
	card->snd = virtio_snd_new(machine->memory, machine->seat_context, machine->port, ahead_ms);
	if (!virtio_attach_pci(machine, virtio_snd_device(card->snd), error)) {
		virtio_snd_free(card->snd);
		g_free(card);
		return NULL;
	}
	machine_seat_events(machine, &virtio_snd_events, card->snd);
	return &card->card;
}

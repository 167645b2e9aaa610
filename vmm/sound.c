/*
 * [Sound]: the guest's sound card, of the model that its system has a driver for.
 */
#include "vmm/sound.h"

#include "vmm/machine.h"

enum sound_model {
	SOUND_HDA,
	SOUND_VIRTIO,
};

struct sound_config {
	unsigned model;
	uint32_t ahead;
};

static const char *const sound_models[] = {
	[SOUND_HDA] = "hda",
	[SOUND_VIRTIO] = "virtio",
	NULL,
};

static const struct property sound_properties[] = {
	{ .key = "Model", .type = PROPERTY_ENUM, .offset = offsetof(struct sound_config, model),
		.fallback = "hda", .values = sound_models,
		.help = "hda: Intel HD Audio, which every system knows; virtio: virtio-snd" },
	{ .key = "Ahead", .type = PROPERTY_UINT, .offset = offsetof(struct sound_config, ahead),
		.fallback = "60", .min = 10, .max = 200,
		.help = "Milliseconds of sound that the seat has in hand" },
	{ 0 },
};

struct sound {
	struct device device;
	struct sound_card *card;
};

static struct sound_card *card_of(struct device *device)
{
	return ((struct sound *)((char *)device - offsetof(struct sound, device)))->card;
}

static void sound_reset(struct device *device)
{
	card_of(device)->ops->reset(card_of(device));
}

static void sound_drain(struct device *device)
{
	if (card_of(device)->ops->drain)
		card_of(device)->ops->drain(card_of(device));
}

static void sound_state(struct device *device, struct state *state)
{
	card_of(device)->ops->state(card_of(device), state);
}

static void sound_destroy(struct device *device)
{
	struct sound *sound = (struct sound *)((char *)device - offsetof(struct sound, device));

	sound->card->ops->free(sound->card);
	g_free(sound);
}

static const struct device_type sound_type;

static struct device *sound_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	static struct sound_card *(*const make[])(struct machine *, unsigned, GError **) = {
		[SOUND_HDA] = hda_card_new,
		[SOUND_VIRTIO] = virtio_snd_card_new,
	};
	const struct sound_config *options = config;
	struct sound_card *card = make[options->model](machine, options->ahead, error);
	struct sound *sound;

	if (!card)
		return NULL;
	sound = g_new0(struct sound, 1);
	sound->card = card;
	sound->device = (struct device){
		.type = &sound_type,
		.instance = instance,
		.reset = sound_reset,
		.drain = sound_drain,
		.state = sound_state,
		.destroy = sound_destroy,
	};
	machine->sound = card;
	return &sound->device;
}

static const struct device_type sound_type = {
	.section = "Sound",
	.help = "Sound card: playback and capture, S16 at 44100 or 48000 Hz",
	.always = true,
	.single = true,
	.properties = sound_properties,
	.config_size = sizeof(struct sound_config),
	.create = sound_create,
};
DEVICE_REGISTER(sound_type);

/*
 * [Sound]: a virtio sound card in the machine.
 */
#include "vmm/virtio_pci.h"
#include "vmm/virtio_snd.h"

struct sound_config {
	uint32_t ahead;
};

static const struct property sound_properties[] = {
	{ .key = "Ahead", .type = PROPERTY_UINT, .offset = offsetof(struct sound_config, ahead),
		.fallback = "60", .min = 10, .max = 200,
		.help = "Milliseconds of sound that the seat has in hand" },
	{ 0 },
};

struct sound {
	struct device device;
	struct virtio_snd *snd;
};

static struct sound *sound_of(struct device *device)
{
	return (struct sound *)((char *)device - offsetof(struct sound, device));
}

static void sound_reset(struct device *device)
{
	virtio_pci_reset(virtio_snd_device(sound_of(device)->snd));
}

static void sound_destroy(struct device *device)
{
	struct sound *sound = sound_of(device);

	virtio_detach_pci(virtio_snd_device(sound->snd));
	virtio_snd_free(sound->snd);
	g_free(sound);
}

static const struct device_type virtio_sound;

static struct device *sound_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	const struct sound_config *options = config;
	struct sound *sound = g_new0(struct sound, 1);

	sound->device.type = &virtio_sound;
	sound->device.instance = instance;
	sound->device.reset = sound_reset;
	sound->device.destroy = sound_destroy;
	sound->snd = virtio_snd_new(machine->memory, machine->seat_context, machine->port,
		options->ahead);
	if (!virtio_attach_pci(machine, virtio_snd_device(sound->snd), error)) {
		virtio_snd_free(sound->snd);
		g_free(sound);
		return NULL;
	}
	machine->sound = sound->snd;
	machine_seat_events(machine, &virtio_snd_events, sound->snd);
	return &sound->device;
}

static const struct device_type virtio_sound = {
	.section = "Sound",
	.help = "Sound card: playback and capture, S16 at 44100 or 48000 Hz",
	.always = true,
	.single = true,
	.properties = sound_properties,
	.config_size = sizeof(struct sound_config),
	.create = sound_create,
};
DEVICE_REGISTER(virtio_sound);

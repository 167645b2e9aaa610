/*
 * /dev/audio: virtio-snd, playback on stream 0. The ring of periods is the program's and the
 * device's; the kernel only hands slots over. Source: virtio 1.2, 5.14.
 */
#include "demo/abi.h"
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/virtio.h"

enum { MAX_PERIODS = 16, MAX_RING = 256 << 10, CONTROL = 0, EVENT = 1, TX = 2 };
enum { PCM_SET_PARAMS = 0x101, PCM_PREPARE, PCM_RELEASE, PCM_START, PCM_STOP };
enum { STATUS_OK = 0x8000, FORMAT_S16 = 5, STREAM = 0 };

struct control { /* struct virtio_snd_pcm_set_params; the others are its first two fields */
	uint32_t code, stream, buffer_bytes, period_bytes, features;
	uint8_t channels, format, rate, padding;
	uint32_t reply;
};

struct period { /* descriptors 3 * slot: transfer header, data, status */
	uint32_t stream;
	struct { uint32_t status, latency_bytes; } status;
	bool busy;
};

static const struct { uint32_t hz; uint8_t code; } rates[] = {
	{ 8000, 1 }, { 16000, 3 }, { 22050, 4 }, { 32000, 5 }, { 44100, 6 }, { 48000, 7 },
};

static struct virtq control_queue, tx;
static struct control *control; /* NULL: no device */
static struct period *periods;
static struct audio_start setting;
static struct audio_status status;
static void *ring; /* MAX_RING bytes */
static bool prepared, running;

void audio_init(void)
{
	struct virtio device;
	struct virtq events;
	uint8_t *page = page_alloc();

	if (!page || virtio_open(&device, VIRTIO_SOUND, 0) ||
		virtio_queue(&device, &control_queue, CONTROL, 4) ||
		virtio_queue(&device, &events, EVENT, 4) ||
		virtio_queue(&device, &tx, TX, VIRTQ_MAX) || tx.size < 3 * MAX_PERIODS)
		return;
	virtio_start(&device);
	control = (struct control *)page;
	periods = (struct period *)(page + sizeof(*control));
	virtq_describe(&control_queue, 1, &control->reply, 4, DESC_WRITE, 0);
}

static int command(uint32_t code, uint32_t length)
{
	control->code = code;
	control->stream = STREAM;
	virtq_describe(&control_queue, 0, control, length, DESC_NEXT, 1);
	virtq_do(&control_queue, 0);
	return control->reply == STATUS_OK ? 0 : -EIO;
}

static void audio_collect(void)
{
	int head;

	while (control && (head = virtq_get(&tx, NULL)) >= 0) {
		struct period *period = &periods[head / 3];

		period->busy = false;
		status.played++;
		status.queued--;
		status.latency_bytes = period->status.latency_bytes;
		status.ns = clock_now();
	}
}

static void audio_stop(void)
{
	if (running)
		command(PCM_STOP, 8);
	if (prepared)
		command(PCM_RELEASE, 8); /* gives all periods back */
	running = prepared = false;
	audio_collect();
}

static int set_parameters(const struct audio_start *start)
{
	uint32_t ring_bytes = start->period_bytes * start->periods;

	for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
		if (rates[i].hz == start->rate) {
			*control = (struct control){
				.buffer_bytes = ring_bytes,
				.period_bytes = start->period_bytes,
				.channels = (uint8_t)start->channels,
				.format = FORMAT_S16,
				.rate = rates[i].code,
			};
			return command(PCM_SET_PARAMS, 24);
		}
	}
	return -EINVAL;
}

static int64_t audio_start(uint64_t at)
{
	const struct audio_start *wanted = (const struct audio_start *)at;
	int ret;

	if (!user_range(at, sizeof(*wanted)))
		return -EFAULT;
	setting = *wanted;
	if (!setting.periods || setting.periods > MAX_PERIODS || !setting.period_bytes ||
		setting.period_bytes > MAX_RING / setting.periods || setting.channels - 1 > 1)
		return -EINVAL;
	audio_stop();
	if (!ring)
		ring = large_alloc(1);
	if (!ring)
		return -ENOMEM;
	ret = set_parameters(&setting);
	if (!ret)
		ret = command(PCM_PREPARE, 8);
	if (ret)
		return ret;
	prepared = true;
	status = (struct audio_status){ .played = 0 };
	for (uint16_t i = 0; i < setting.periods; i++) {
		uint16_t d = 3 * i;

		periods[i] = (struct period){ .stream = STREAM };
		virtq_describe(&tx, d, &periods[i].stream, 4, DESC_NEXT, d + 1);
		virtq_describe(&tx, d + 1, ring + i * setting.period_bytes, setting.period_bytes,
			DESC_NEXT, d + 2);
		virtq_describe(&tx, d + 2, &periods[i].status, 8, DESC_WRITE, 0);
	}
	return 0;
}

/* The stream begins to run with the first period, so that it never runs empty-handed. */
static int64_t audio_queue(uint64_t slot)
{
	if (!prepared || slot >= setting.periods)
		return -EINVAL;
	if (periods[slot].busy)
		return -EBUSY;
	periods[slot].busy = true;
	status.queued++;
	virtq_put(&tx, (uint16_t)(3 * slot));
	virtq_kick(&tx);
	if (running)
		return 0;
	running = true;
	return command(PCM_START, 8);
}

static int64_t audio_tell(uint64_t to)
{
	if (!user_range(to, sizeof(status)))
		return -EFAULT;
	*(struct audio_status *)to = status;
	return 0;
}

static int64_t audio_ioctl(struct file *file, uint32_t request, uint64_t argument)
{
	audio_collect();
	switch (request) {
	case AUDIO_START: return audio_start(argument);
	case AUDIO_QUEUE: return audio_queue(argument);
	case AUDIO_STATUS: return audio_tell(argument);
	case AUDIO_STOP: audio_stop(); return 0;
	default: return -ENOTTY;
	}
}

static int64_t audio_mmap(struct file *file, uint64_t length, uint64_t offset)
{
	if (offset || length > MAX_RING)
		return -EINVAL;
	if (!ring)
		ring = large_alloc(1);
	return ring ? space_show(physical(ring), length) : -ENOMEM;
}

static unsigned audio_poll(struct file *file)
{
	audio_collect();
	return status.queued < setting.periods ? POLLOUT : 0;
}

static void audio_arm(struct file *file)
{
	virtq_arm(&tx, 1);
}

static int audio_open(struct file *file)
{
	return control ? 0 : -ENODEV;
}

const struct file_ops audio_file = {
	.path = "/dev/audio",
	.open = audio_open,
	.ioctl = audio_ioctl,
	.mmap = audio_mmap,
	.poll = audio_poll,
	.arm = audio_arm,
};

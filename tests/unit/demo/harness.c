/* The fakes behind the demonstration's programs: see harness.h. */
#define HARNESS_ITSELF
#include "tests/unit/demo/harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

enum {
	FD_CMDLINE = 1000,
	FD_DISPLAY,
	FD_AUDIO,
	FD_INPUT,
	FD_CPU,
	FD_DISK,
	EVENTS_MAX = 64,
	INPUT_MAX = 256,
};

struct harness_buffer {
	uint32_t width, height;
	uint32_t *guest, *host;
};

static struct {
	struct harness *h;
	jmp_buf out;
	int disk;
	size_t cmdline_at;

	struct harness_buffer buffers[DISPLAY_MAX_BUFFERS];
	unsigned buffer_count;
	struct display_present queue[DISPLAY_MAX_QUEUED];
	unsigned queued;
	const struct harness_buffer *scanout;
	struct display_event events[EVENTS_MAX];
	unsigned event_count;
	int64_t next_vblank;

	struct audio_start audio;
	int16_t *ring;
	unsigned slots[16], slot_count;
	int64_t next_period;
	uint64_t played;

	struct input_record input[INPUT_MAX];
	unsigned input_count;
} fake;

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0"; /* programs of the demonstration end with their machine */
}

static void harness_end(int how)
{
	fake.h->ended = how;
	longjmp(fake.out, 1);
}

static void harness_copy(struct harness_buffer *b, const struct display_rect *r)
{
	if (r->x + r->width > b->width || r->y + r->height > b->height) {
		fprintf(stderr, "harness: damage outside the buffer\n");
		exit(1);
	}
	for (uint32_t y = r->y; y < r->y + r->height; y++)
		memcpy(b->host + (size_t)y * b->width + r->x, b->guest + (size_t)y * b->width + r->x,
		       r->width * 4);
}

/* The presentation at the head of the queue is carried out. */
static bool harness_show(void)
{
	struct display_present p = fake.queue[0];
	struct harness_buffer *b = &fake.buffers[p.handle - 1];

	memmove(fake.queue, fake.queue + 1, --fake.queued * sizeof p);
	if (p.damage.width)
		harness_copy(b, &p.damage);
	fake.scanout = b;
	if (fake.event_count < EVENTS_MAX)
		fake.events[fake.event_count++] =
			(struct display_event){ .cookie = p.cookie, .ns = fake.h->now_ns };
	return p.damage.width != 0;
}

static void harness_vblank(void)
{
	struct harness *h = fake.h;
	bool held = !fake.queued, fresh = !held && harness_show();
	struct harness_picture picture = { 0 };

	if (held && fake.scanout)
		h->idle_vblanks++;
	if (fake.scanout)
		picture = (struct harness_picture){ fake.scanout->host, fake.scanout->width,
						    fake.scanout->height, fake.scanout->width };
	if (h->vblank)
		h->vblank(h, h->vblanks, fake.scanout ? &picture : NULL, fresh, held);
	h->vblanks++;
	fake.next_vblank += (int64_t)(1000000000000 / h->refresh_mhz);
}

static void harness_period(void)
{
	struct harness *h = fake.h;
	unsigned frames = fake.audio.period_bytes / (2 * fake.audio.channels);
	int64_t length = (int64_t)frames * 1000000000 / fake.audio.rate;

	if (fake.slot_count) {
		if (h->period)
			h->period(h, fake.ring + (size_t)fake.slots[0] * fake.audio.period_bytes / 2,
				  frames);
		memmove(fake.slots, fake.slots + 1, --fake.slot_count * sizeof *fake.slots);
		fake.played++;
		h->periods++;
	} else {
		h->underruns++;
	}
	fake.next_period += length - length * h->sound_skew_ppm / 1000000;
}

/* Lets time pass to `until`, with all that happens on the way; or to the first thing that
 * happens, when `once`. */
static void harness_pass(int64_t until, bool once)
{
	struct harness *h = fake.h;

	for (;;) {
		int64_t next = until;
		bool vblank = h->refresh_mhz && fake.next_vblank <= next;
		bool period;

		if (vblank)
			next = fake.next_vblank;
		period = fake.next_period && fake.next_period <= next;
		if (period) {
			next = fake.next_period;
			vblank = vblank && fake.next_vblank <= next;
		}
		if (next > h->now_ns)
			h->now_ns = next;
		if (h->now_ns >= h->limit_ns)
			harness_end(0);
		if (!vblank && !period)
			return;
		if (vblank)
			harness_vblank();
		if (period)
			harness_period();
		if (once)
			return;
	}
}

static short harness_ready(int fd)
{
	if (fd == FD_DISPLAY)
		return fake.event_count ? POLLIN : 0;
	if (fd == FD_INPUT)
		return fake.input_count ? POLLIN : 0;
	if (fd == FD_AUDIO)
		return fake.slot_count < fake.audio.periods ? POLLOUT : 0;
	return POLLIN | POLLOUT;
}

int harness_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct harness *h = fake.h;
	int64_t until = timeout < 0 ? h->limit_ns : h->now_ns + (int64_t)timeout * 1000000;

	if (h->stall_ns && h->now_ns >= h->stall_at_ns) {
		int64_t stall = h->stall_ns;

		h->stall_ns = 0;
		harness_pass(h->now_ns + stall, false);
	}
	for (;;) {
		int ready = 0;

		for (nfds_t i = 0; i < count; i++) {
			fds[i].revents = fds[i].fd < 0 ? 0 : harness_ready(fds[i].fd) & fds[i].events;
			ready += fds[i].revents != 0;
		}
		if (ready || h->now_ns >= until)
			return ready;
		harness_pass(until, count != 0);
	}
}

int harness_nanosleep(const struct timespec *t, struct timespec *left)
{
	harness_pass(fake.h->now_ns + t->tv_sec * 1000000000 + t->tv_nsec, false);
	return 0;
}

int harness_clock_gettime(clockid_t clock, struct timespec *t)
{
	if (fake.h->clock_cost_ns)
		harness_pass(fake.h->now_ns + fake.h->clock_cost_ns, false);
	t->tv_sec = fake.h->now_ns / 1000000000;
	t->tv_nsec = fake.h->now_ns % 1000000000;
	return 0;
}

int harness_open(const char *path, int flags, ...)
{
	static const struct {
		const char *path;
		int fd;
	} files[] = {
		{ "/proc/cmdline", FD_CMDLINE }, { "/dev/display", FD_DISPLAY },
		{ "/dev/audio", FD_AUDIO },      { "/dev/input", FD_INPUT },
		{ "/dev/cpu", FD_CPU },          { "/dev/disk0", FD_DISK },
	};

	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		if (strcmp(path, files[i].path))
			continue;
		if ((files[i].fd == FD_AUDIO && fake.h->no_sound) ||
		    (files[i].fd == FD_DISK && fake.disk < 0)) {
			errno = ENODEV;
			return -1;
		}
		if (files[i].fd == FD_CMDLINE)
			fake.cmdline_at = 0;
		return files[i].fd;
	}
	errno = ENOENT;
	return -1;
}

int harness_close(int fd)
{
	return 0;
}

/* Whole records from the head of a queue. */
static ssize_t harness_take(void *from, unsigned *count, size_t record, void *to, size_t size)
{
	size_t n = size / record < *count ? size / record : *count;

	if (!n) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(to, from, n * record);
	memmove(from, (char *)from + n * record, (*count - n) * record);
	*count -= (unsigned)n;
	return (ssize_t)(n * record);
}

ssize_t harness_read(int fd, void *to, size_t size)
{
	const char *line = fake.h->cmdline ? fake.h->cmdline : "";
	size_t left = strlen(line) - fake.cmdline_at;

	switch (fd) {
	case FD_CMDLINE:
		size = size < left ? size : left;
		memcpy(to, line + fake.cmdline_at, size);
		fake.cmdline_at += size;
		return (ssize_t)size;
	case FD_DISPLAY:
		return harness_take(fake.events, &fake.event_count, sizeof *fake.events, to, size);
	case FD_INPUT:
		return harness_take(fake.input, &fake.input_count, sizeof *fake.input, to, size);
	case FD_DISK:
		return read(fake.disk, to, size);
	default:
		errno = EBADF;
		return -1;
	}
}

ssize_t harness_pread(int fd, void *to, size_t size, off_t at)
{
	return fd == FD_DISK ? pread(fake.disk, to, size, at) : -1;
}

off_t harness_lseek(int fd, off_t at, int whence)
{
	return fd == FD_DISK ? lseek(fake.disk, at, whence) : -1;
}

void *harness_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	unsigned handle = (unsigned)((uint64_t)offset >> 32);

	if (fd < FD_CMDLINE)
		return mmap(at, size, prot, flags, fd, offset);
	if (fd == FD_DISPLAY && handle && handle <= fake.buffer_count)
		return fake.buffers[handle - 1].guest;
	if (fd == FD_AUDIO && fake.ring)
		return fake.ring;
	errno = EINVAL;
	return MAP_FAILED;
}

static int harness_display_buffer(struct display_buffer *b)
{
	struct harness_buffer *own = &fake.buffers[fake.buffer_count];

	if (fake.buffer_count == DISPLAY_MAX_BUFFERS) {
		errno = ENOSPC;
		return -1;
	}
	own->width = b->width;
	own->height = b->height;
	own->guest = calloc((size_t)b->width * b->height, 4);
	own->host = calloc((size_t)b->width * b->height, 4);
	b->stride = b->width * 4;
	b->handle = ++fake.buffer_count;
	return 0;
}

static int harness_present(const struct display_present *p)
{
	if (fake.queued == DISPLAY_MAX_QUEUED || !p->handle || p->handle > fake.buffer_count) {
		errno = fake.queued == DISPLAY_MAX_QUEUED ? EAGAIN : EINVAL;
		return -1;
	}
	fake.queue[fake.queued++] = *p;
	if (!fake.h->refresh_mhz)
		harness_show();
	return 0;
}

static int harness_audio_start(const struct audio_start *start)
{
	if (!start->rate || !start->channels || !start->period_bytes || start->periods > 16) {
		errno = EINVAL;
		return -1;
	}
	fake.audio = *start;
	fake.ring = calloc(start->periods, start->period_bytes);
	fake.next_period = fake.h->now_ns + (int64_t)(start->period_bytes / (2 * start->channels)) *
						    1000000000 / start->rate;
	return 0;
}

static int harness_audio_queue(unsigned slot)
{
	if (slot >= fake.audio.periods || fake.slot_count >= fake.audio.periods) {
		errno = EINVAL;
		return -1;
	}
	fake.slots[fake.slot_count++] = slot;
	return 0;
}

static void *harness_cpu(void *data)
{
	struct cpu_start *start = data;
	void (*entry)(uint64_t) = (void (*)(uint64_t))(uintptr_t)start->entry;

	entry(start->arg);
	return NULL;
}

static int harness_cpu_start(const struct cpu_start *start)
{
	struct cpu_start *own = malloc(sizeof *own);
	pthread_t thread;

	*own = *start;
	if (start->cpu < 1 || start->cpu >= fake.h->cpus || start->stack_top % 16 ||
	    pthread_create(&thread, NULL, harness_cpu, own)) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int harness_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *p;

	va_start(list, request);
	p = va_arg(list, void *);
	va_end(list);
	switch (request) {
	case DISPLAY_INFO:
		*(struct display_info *)p =
			(struct display_info){ fake.h->width, fake.h->height };
		return 0;
	case DISPLAY_BUFFER:
		return harness_display_buffer(p);
	case DISPLAY_PRESENT:
		return harness_present(p);
	case AUDIO_START:
		return harness_audio_start(p);
	case AUDIO_QUEUE:
		return harness_audio_queue((unsigned)(uintptr_t)p);
	case AUDIO_STATUS:
		*(struct audio_status *)p = (struct audio_status){
			.played = fake.played, .queued = fake.slot_count, .ns = fake.h->now_ns
		};
		return 0;
	case CPU_TOTAL:
		return (int)fake.h->cpus;
	case CPU_START:
		return harness_cpu_start(p);
	default:
		errno = ENOTTY;
		return -1;
	}
}

int harness_reboot(int how)
{
	harness_end(how);
	return 0;
}

void harness_input(uint16_t device, uint16_t type, uint16_t code, int32_t value)
{
	if (fake.input_count < INPUT_MAX)
		fake.input[fake.input_count++] = (struct input_record){
			.device = device, .type = type, .code = code, .value = value
		};
}

void harness_run(struct harness *h)
{
	fake.h = h;
	fake.disk = h->disk ? open(h->disk, O_RDONLY) : -1;
	h->now_ns = 1000000000; /* never 0, as on a machine that had to boot first */
	h->limit_ns += h->now_ns;
	h->stall_at_ns += h->now_ns;
	fake.next_vblank = h->now_ns + 5000000; /* somewhere between */
	h->cpus = h->cpus ? h->cpus : 1;
	h->width = h->width ? h->width : 1280;
	h->height = h->height ? h->height : 720;
	if (!setjmp(fake.out)) {
		program_main();
		h->ended = -1;
	}
	if (fake.disk >= 0)
		close(fake.disk);
}

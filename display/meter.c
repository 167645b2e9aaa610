/*
 * The meter's thread: sleep until the vblank, drain the link, latch, read, write down, answer.
 */
#include "display/meter.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "display/link_client.h"
#include "display/reader.h"

enum {
	PENDING = 8,      /* frames that came but whose vblank has not */
	HOST_EVERY = 6,   /* vblanks between looks at the host's counters */
	DRAIN_ROUNDS = 64, /* a guest that floods the link gets no more of one vblank */
};

struct watched {
	struct meter *meter;
	struct link_client *client;
	struct link_frame pending[PENDING]; /* oldest first */
	unsigned n_pending;
	struct link_frame shown; /* seq 0: none */
	GArray *observations;    /* meter::lock */
	bool attached;           /* meter::lock */
};

struct meter {
	int64_t period_ns;
	struct watched guest[METER_MAX_GUESTS];
	int n_guests;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	pthread_mutex_t lock;
	struct meter_host host; /* lock */
	int64_t steal_ticks, first_steal_ticks;
	int stat_fd, schedstat_fd;
};

static int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void frame_arrived(void *data, const struct link_frame *frame,
	const struct link_picture *picture)
{
	struct watched *guest = data;

	if (guest->n_pending == PENDING) {
		memmove(guest->pending, guest->pending + 1,
			sizeof(guest->pending) - sizeof(*guest->pending));
		guest->n_pending--;
	}
	guest->pending[guest->n_pending++] = *frame;
}

static const struct link_client_events events = {
	.frame = frame_arrived,
};

/* What a monitor would show from this vblank on: the newest frame that was ready before it. */
static void frame_latch(struct watched *guest, int64_t vblank_ns)
{
	unsigned taken = 0;

	while (taken < guest->n_pending && guest->pending[taken].flush_ns <= vblank_ns)
		taken++;
	if (!taken)
		return;
	guest->shown = guest->pending[taken - 1];
	guest->n_pending -= taken;
	memmove(guest->pending, guest->pending + taken,
		guest->n_pending * sizeof(*guest->pending));
}

static void picture_observe(struct watched *guest, struct observation *observation)
{
	const struct link_picture *buffer = NULL;
	const struct rect *source = &guest->shown.source;
	struct picture picture;

	if (guest->client && guest->shown.buffer)
		buffer = link_client_picture(guest->client, guest->shown.buffer);
	/* The rectangle was checked against the buffer that had this id when the frame came. */
	if (!buffer || source->x > buffer->width || source->width > buffer->width - source->x ||
		source->y > buffer->height || source->height > buffer->height - source->y)
		return;
	picture = (struct picture){
		.pixels = buffer->pixels + (size_t)source->y * buffer->stride +
			(size_t)source->x * 4,
		.width = source->width,
		.height = source->height,
		.stride = buffer->stride,
	};
	if (reader_player(&picture, &observation->number))
		observation->flags |= OBSERVED_NUMBER;
	if (reader_clip(&picture, &observation->clip))
		observation->flags |= OBSERVED_CLIP;
}

static void guest_drain(struct watched *guest)
{
	int ret = 0;

	for (unsigned i = 0; i < DRAIN_ROUNDS && (ret = link_client_dispatch(guest->client)) > 0; i++)
		;
	if (ret >= 0)
		return;
	link_client_free(guest->client);
	guest->client = NULL;
	guest->n_pending = 0;
	pthread_mutex_lock(&guest->meter->lock);
	guest->attached = false;
	pthread_mutex_unlock(&guest->meter->lock);
}

static void guest_vblank(struct watched *guest, uint32_t vblank, int64_t vblank_ns)
{
	struct observation observation = { .vblank = vblank, .vblank_ns = vblank_ns };
	uint64_t before = guest->shown.seq;

	if (guest->client)
		guest_drain(guest);
	frame_latch(guest, vblank_ns);
	observation.flush_ns = guest->shown.flush_ns;
	observation.taken_ns = clock_now();
	picture_observe(guest, &observation);
	if (guest->client && guest->shown.seq != before)
		link_client_presented(guest->client, 0, guest->shown.seq, vblank_ns,
			guest->meter->period_ns);
	pthread_mutex_lock(&guest->meter->lock);
	g_array_append_val(guest->observations, observation);
	pthread_mutex_unlock(&guest->meter->lock);
}

static int64_t steal_read(int fd)
{
	char text[512];
	int64_t steal = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = 0;
	/* cpu user nice system idle iowait irq softirq steal */
	sscanf(text, "cpu %*s %*s %*s %*s %*s %*s %*s %" SCNd64, &steal);
	return steal;
}

static int64_t run_delay_read(int fd)
{
	char text[128];
	int64_t delay = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = 0;
	sscanf(text, "%*s %" SCNd64, &delay);
	return delay;
}

/* What the host took since the last look taints the observations made since then. */
static void host_look(struct meter *meter)
{
	int64_t ticks = steal_read(meter->stat_fd);
	bool taken = ticks > meter->steal_ticks;

	pthread_mutex_lock(&meter->lock);
	meter->steal_ticks = ticks;
	meter->host.steal_ns = (ticks - meter->first_steal_ticks) *
		(1000000000ll / sysconf(_SC_CLK_TCK));
	meter->host.run_delay_ns = run_delay_read(meter->schedstat_fd);
	for (int i = 0; taken && i < meter->n_guests; i++) {
		GArray *all = meter->guest[i].observations;

		for (unsigned k = all->len; k > 0 && k + HOST_EVERY > all->len; k--)
			g_array_index(all, struct observation, k - 1).flags |= OBSERVED_HOST;
	}
	pthread_mutex_unlock(&meter->lock);
}

static const char *scheduling_raise(void)
{
	struct sched_param param = { .sched_priority = 10 };

	if (!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		return "SCHED_FIFO";
	return setpriority(PRIO_PROCESS, (id_t)gettid(), -20) ? "none" : "nice";
}

static void *meter_run(void *data)
{
	struct meter *meter = data;
	int64_t next;
	uint32_t vblank = 0;

	prctl(PR_SET_NAME, "meter");
	prctl(PR_SET_TIMERSLACK, 1);
	meter->schedstat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	pthread_mutex_lock(&meter->lock);
	meter->host.scheduling = scheduling_raise();
	pthread_mutex_unlock(&meter->lock);
	meter->first_steal_ticks = meter->steal_ticks = steal_read(meter->stat_fd);
	/* All meters beat together. */
	next = (clock_now() / meter->period_ns + 1) * meter->period_ns;
	while (!atomic_load(&meter->stop)) {
		struct timespec until = {
			.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000,
		};
		int64_t over;

		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
			continue;
		over = (clock_now() - next) / meter->period_ns;
		vblank += 1 + (uint32_t)over;
		next += over * meter->period_ns;
		for (int i = 0; i < meter->n_guests; i++)
			guest_vblank(&meter->guest[i], vblank, next);
		if (vblank % HOST_EVERY < 1 + over)
			host_look(meter);
		next += meter->period_ns;
	}
	return NULL;
}

struct meter *meter_new(int64_t period_ns)
{
	struct meter *meter = g_new0(struct meter, 1);
	pthread_mutexattr_t attributes;

	meter->period_ns = period_ns;
	meter->host.scheduling = "none";
	meter->stat_fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	meter->schedstat_fd = -1;
	/* The owner's thread may hold it while somebody else has the processor: lend it our priority. */
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&meter->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return meter;
}

int meter_add(struct meter *meter, const char *path, GError **error)
{
	struct watched *guest = &meter->guest[meter->n_guests];

	if (meter->started || meter->n_guests == METER_MAX_GUESTS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the meter takes no more guests");
		return -1;
	}
	guest->meter = meter;
	guest->client = link_client_connect(path, LINK_WANT_DISPLAY | LINK_WANT_CLOCK, "meter",
		&events, guest, error);
	if (!guest->client)
		return -1;
	guest->attached = true;
	/* An hour's worth, so that the thread hardly ever waits for memory to be moved. */
	guest->observations = g_array_sized_new(FALSE, FALSE, sizeof(struct observation), 1 << 16);
	return meter->n_guests++;
}

bool meter_start(struct meter *meter, GError **error)
{
	int ret = pthread_create(&meter->thread, NULL, meter_run, meter);

	if (ret) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(ret), "meter: %s",
			g_strerror(ret));
		return false;
	}
	meter->started = true;
	return true;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	atomic_store(&meter->stop, true);
	if (meter->started)
		pthread_join(meter->thread, NULL);
	for (int i = 0; i < meter->n_guests; i++) {
		link_client_free(meter->guest[i].client);
		g_array_free(meter->guest[i].observations, TRUE);
	}
	if (meter->stat_fd >= 0)
		close(meter->stat_fd);
	if (meter->schedstat_fd >= 0)
		close(meter->schedstat_fd);
	pthread_mutex_destroy(&meter->lock);
	g_free(meter);
}

size_t meter_count(struct meter *meter, int guest)
{
	size_t n;

	pthread_mutex_lock(&meter->lock);
	n = meter->guest[guest].observations->len;
	pthread_mutex_unlock(&meter->lock);
	return n;
}

GArray *meter_observations(struct meter *meter, int guest, size_t from)
{
	GArray *copy = g_array_new(FALSE, FALSE, sizeof(struct observation));
	GArray *all;

	pthread_mutex_lock(&meter->lock);
	all = meter->guest[guest].observations;
	if (from < all->len)
		g_array_append_vals(copy, &g_array_index(all, struct observation, from),
			all->len - (guint)from);
	pthread_mutex_unlock(&meter->lock);
	return copy;
}

bool meter_attached(struct meter *meter, int guest)
{
	bool attached;

	pthread_mutex_lock(&meter->lock);
	attached = meter->guest[guest].attached;
	pthread_mutex_unlock(&meter->lock);
	return attached;
}

void meter_host(struct meter *meter, struct meter_host *host)
{
	pthread_mutex_lock(&meter->lock);
	*host = meter->host;
	pthread_mutex_unlock(&meter->lock);
}

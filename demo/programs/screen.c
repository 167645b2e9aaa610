/* /dev/display as programs use it: thin, so that the kernel's contract stays in sight. */
#include "demo/programs/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int screen_open(struct screen *screen)
{
	*screen = (struct screen){ .fd = open("/dev/display", O_RDWR | O_CLOEXEC) };
	if (screen->fd < 0)
		return -errno;
	if (ioctl(screen->fd, DISPLAY_INFO, &screen->info))
		return -errno;
	return 0;
}

int screen_surface(struct screen *screen, uint32_t width, uint32_t height, struct surface *out)
{
	struct display_buffer buffer = { .width = width, .height = height };
	void *pixels;

	if (ioctl(screen->fd, DISPLAY_BUFFER, &buffer))
		return -errno;
	pixels = mmap(NULL, (size_t)buffer.stride * height, PROT_READ | PROT_WRITE, MAP_SHARED,
		      screen->fd, (off_t)((uint64_t)buffer.handle << 32));
	if (pixels == MAP_FAILED)
		return -errno;
	*out = (struct surface){
		.pixels = pixels,
		.width = width,
		.height = height,
		.stride = buffer.stride / 4,
		.handle = buffer.handle,
	};
	return 0;
}

int screen_present(struct screen *screen, const struct surface *surface,
		   const struct display_rect *damage, uint64_t cookie)
{
	struct display_present present = { .handle = surface->handle, .cookie = cookie };

	if (screen->queued >= DISPLAY_MAX_QUEUED)
		return -EAGAIN;
	if (damage)
		present.damage = *damage;
	if (ioctl(screen->fd, DISPLAY_PRESENT, &present))
		return -errno;
	screen->queued++;
	return 0;
}

int screen_events(struct screen *screen, struct display_event *events, unsigned count)
{
	ssize_t got;

	if (!screen->queued) /* a system call saved: they are dear under some hypervisors */
		return 0;
	got = read(screen->fd, events, count * sizeof *events);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	count = (unsigned)((size_t)got / sizeof *events);
	if (count && !screen->seen) { /* a mark for whoever times the start from outside */
		printf("screen: first frame\n");
		screen->seen = true;
	}
	screen->queued -= count < screen->queued ? count : screen->queued;
	return (int)count;
}

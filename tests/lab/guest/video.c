/*
 * A picture that changes steadily, on the frame buffer of a guest: a bar moves, ten pictures a second. COM1
 * hears once in five seconds how many were drawn, how many came more than 100 ms late, and the latest.
 *
 * usage: video /dev/fb0 SECONDS
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/fb.h>

enum {
	PERIOD_MS = 100,
	BAR = 32, /* lines */
	REPORT = 50,
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int frame_draw(int fd, const struct fb_fix_screeninfo *fix, unsigned height, unsigned frame)
{
	size_t size = (size_t)fix->line_length * BAR;
	uint8_t *bar = malloc(size);
	unsigned places = height / BAR, at = frame % places, before = (frame + places - 1) % places;
	int rc = 0;

	if (!bar)
		return -1;
	memset(bar, 0, size);
	if (pwrite(fd, bar, size, (off_t)before * (off_t)size) < 0)
		rc = -1;
	memset(bar, 0xff, size);
	if (pwrite(fd, bar, size, (off_t)at * (off_t)size) < 0)
		rc = -1;
	free(bar);
	return rc;
}

int main(int argc, char **argv)
{
	struct fb_fix_screeninfo fix;
	struct fb_var_screeninfo var;
	int64_t begin, worst = 0;
	unsigned late = 0, frames;
	int fd = argc == 3 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0 || ioctl(fd, FBIOGET_FSCREENINFO, &fix) || ioctl(fd, FBIOGET_VSCREENINFO, &var)) {
		perror("video");
		return 1;
	}
	begin = now_ms();
	frames = (unsigned)atoi(argv[2]) * 1000 / PERIOD_MS;
	for (unsigned frame = 1; frame <= frames; frame++) {
		int64_t behind;

		if (frame_draw(fd, &fix, var.yres, frame)) {
			perror("video: write");
			return 1;
		}
		behind = now_ms() - begin - (int64_t)frame * PERIOD_MS;
		if (behind < 0)
			usleep((useconds_t)(-behind * 1000));
		behind = now_ms() - begin - (int64_t)frame * PERIOD_MS;
		late += behind > PERIOD_MS;
		worst = behind > worst ? behind : worst;
		if (frame % REPORT == 0) {
			printf("VIDEO %u late %u worst %lld\n", frame, late, (long long)worst);
			fflush(stdout);
			late = 0;
			worst = 0;
		}
	}
	return 0;
}

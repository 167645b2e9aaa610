/*
 * Runs a program of the demonstration OS inside a test, on a host: included before everything else in
 * the program's sources (-include), it sends the few calls that reach the demonstration kernel to
 * fakes. Time is virtual: it passes only in poll() and nanosleep(), and at once (and see clock_cost_ns). Behind demo/abi.h
 * stand a display with a vblank clock, a sound device that eats periods, an input queue and a disk.
 *
 * One run a process: harness_run() comes back when the program ends itself or the time is up, and
 * leaves the program's memory as it lies.
 */
#ifndef IRORI_TESTS_DEMO_HARNESS_H
#define IRORI_TESTS_DEMO_HARNESS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "demo/abi.h"

struct harness_picture {
	const uint32_t *pixels; /* what the host has: copied from the buffer at the vblank */
	uint32_t width, height, stride /* in pixels */;
};

struct harness {
	/* In, before harness_run(). */
	const char *cmdline;
	const char *disk; /* a file, or NULL */
	uint32_t width, height;
	uint32_t refresh_mhz; /* 0: fences come at once, nobody paces */
	bool no_sound;
	int64_t sound_skew_ppm; /* the sound device's clock against the display's */
	int64_t limit_ns; /* all times count from the start of the run */
	int64_t stall_at_ns, stall_ns; /* the processor is taken away for a while */
	int64_t clock_cost_ns; /* each look at the clock takes so long: work makes time pass */
	unsigned cpus;
	/* At each vblank; fresh: a presentation with damage was carried out. picture NULL: none yet.
	 * held: nothing was queued, so the picture stood still by neglect. */
	void (*vblank)(struct harness *, uint64_t number, const struct harness_picture *,
		       bool fresh, bool held);
	void (*period)(struct harness *, const int16_t *samples, unsigned frames);
	void *data;

	/* Out. */
	int64_t now_ns;
	uint64_t vblanks, idle_vblanks; /* idle: nothing queued although something had been shown */
	uint64_t periods, underruns;
	int ended; /* RB_ code of reboot(), or 0: time was up, or -1: main returned */
};

void harness_run(struct harness *h);

/* An input record for the program, from within a callback. */
void harness_input(uint16_t device, uint16_t type, uint16_t code, int32_t value);

int harness_open(const char *path, int flags, ...);
int harness_close(int fd);
int harness_ioctl(int fd, unsigned long request, ...);
int harness_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t harness_read(int fd, void *to, size_t size);
ssize_t harness_pread(int fd, void *to, size_t size, off_t at);
off_t harness_lseek(int fd, off_t at, int whence);
void *harness_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int harness_clock_gettime(clockid_t clock, struct timespec *t);
int harness_nanosleep(const struct timespec *t, struct timespec *left);
int harness_reboot(int how);
int program_main(void);

#ifndef HARNESS_ITSELF
#define open harness_open
#define close harness_close
#define ioctl harness_ioctl
#define poll(fds, count, timeout) harness_poll(fds, count, timeout)
#define read(fd, to, size) harness_read(fd, to, size)
#define pread harness_pread
#define lseek harness_lseek
#define mmap harness_mmap
#define clock_gettime harness_clock_gettime
#define nanosleep harness_nanosleep
#define reboot(how) harness_reboot(how)
#define main(arguments) program_main(arguments)
#endif

#endif

/*
 * What a program of the demonstration OS may ask of its kernel.
 *
 * Programs are ordinary static Linux x86-64 ELF files (glibc or musl). The kernel answers the system
 * calls that their start-up and a single-threaded program need, with Linux's numbers and meanings:
 *
 *	read write readv writev open openat close lseek pread64 fstat newfstatat ioctl poll
 *	mmap (anonymous private; devices, shared) munmap mprotect mremap brk
 *	clock_gettime clock_nanosleep nanosleep gettimeofday time
 *	exit exit_group reboot uname getpid gettid sched_yield getrandom arch_prctl
 *	set_tid_address set_robust_list rseq rt_sigaction rt_sigprocmask prlimit64 readlink
 *	sysinfo sched_getaffinity madvise futex (answers only the uncontended cases)
 *
 * Everything else answers -ENOSYS. The files are those of the initial ramdisk (a "newc" cpio,
 * read only) and the devices below. /proc/cmdline is the kernel's command line.
 *
 * The command line says which program runs: init=/player.  reboot(2) with
 * LINUX_REBOOT_CMD_RESTART or _POWER_OFF does what it says.
 */
#ifndef IRORI_DEMO_ABI_H
#define IRORI_DEMO_ABI_H

#include <stdint.h>

/*
 * /dev/display: virtio-gpu 2D.
 *
 * DISPLAY_BUFFER makes a buffer (at most DISPLAY_MAX_BUFFERS): resource, backing, and pixels to map
 * with mmap(..., MAP_SHARED, fd, handle << 32). DISPLAY_PRESENT queues, without waiting: transfer of
 * `damage` to the host (when damage.width is not 0), scanout on this buffer, flush with a fence.
 * Presentations are carried out in order, one at each vblank of the seat; presenting the same buffer
 * again with no damage holds it for one more vblank. -EAGAIN: DISPLAY_MAX_QUEUED are queued already.
 * read() gives display_events (whole ones, -EAGAIN for none); poll() POLLIN says there is one.
 */
enum {
	DISPLAY_MAX_BUFFERS = 4,
	DISPLAY_MAX_QUEUED = 8,
};

struct display_info {
	uint32_t width, height; /* preferred by the seat */
};

struct display_buffer {
	uint32_t width, height; /* in */
	uint32_t handle;        /* out */
	uint32_t stride;        /* out, bytes; XRGB8888 */
};

struct display_rect {
	uint32_t x, y, width, height;
};

struct display_present {
	uint32_t handle;
	struct display_rect damage;
	uint64_t cookie; /* comes back in the event */
};

struct display_event {
	uint64_t cookie;
	int64_t ns; /* CLOCK_MONOTONIC of the guest, when the fence was seen */
};

/*
 * /dev/input: the virtio-input devices, merged. read() gives whole input_records, -EAGAIN for none;
 * poll() POLLIN. device: 0 keyboard, 1 tablet (ABS 0..32767), 2 mouse.
 */
struct input_record {
	uint16_t device, type, code, reserved;
	int32_t value;
};

/*
 * /dev/audio: virtio-snd playback, S16LE. AUDIO_START sets parameters, prepares and starts; write()
 * takes whole periods (copied by the program's own pages: the kernel hands their addresses to the
 * device, so each period is a slot of the ring that mmap(..., MAP_SHARED, fd, 0) gives; write() is
 * not used). AUDIO_QUEUE hands slot `slot` to the device; poll() POLLOUT says a slot is free;
 * AUDIO_STATUS tells how many periods have been played and how long the device says it will be
 * until the last of them is heard. -ENODEV on open: no sound device (QEMU 7.2 has none).
 */
struct audio_start {
	uint32_t rate, channels;
	uint32_t period_bytes, periods; /* slots in the ring, at most 16; ring at most 256 KiB */
};

struct audio_status {
	uint64_t played;     /* periods completed */
	uint32_t queued;     /* periods at the device now */
	uint32_t latency_bytes;
	int64_t ns;          /* guest CLOCK_MONOTONIC of the last completion */
};

/* /dev/disk0: virtio-blk, read, pread64, lseek; st_size is the disk's. /dev/console: writes. */

/*
 * /dev/cpu: the other processors. CPU_START runs entry(arg) in ring 3 on processor `cpu` (1 to
 * count - 1) on the given stack, in this program's memory, with interrupts off; it must not make
 * system calls other than exit(2), which halts the processor again.
 */
struct cpu_start {
	uint32_t cpu, reserved;
	uint64_t entry, stack_top, arg;
};

#define DEMO_IOCTL(n) (0x1d0000u + (n))
#define DISPLAY_INFO DEMO_IOCTL(1)    /* struct display_info * */
#define DISPLAY_BUFFER DEMO_IOCTL(2)  /* struct display_buffer * */
#define DISPLAY_PRESENT DEMO_IOCTL(3) /* struct display_present * */
#define AUDIO_START DEMO_IOCTL(16)    /* struct audio_start * */
#define AUDIO_QUEUE DEMO_IOCTL(17)    /* slot */
#define AUDIO_STATUS DEMO_IOCTL(18)   /* struct audio_status * */
#define AUDIO_STOP DEMO_IOCTL(19)
#define CPU_TOTAL DEMO_IOCTL(32)      /* returns it: all of them, this one too */
#define CPU_START DEMO_IOCTL(33)      /* struct cpu_start * */

#endif

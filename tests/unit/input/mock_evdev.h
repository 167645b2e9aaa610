/*
 * Input devices that are not there, for libinput: what a device is comes from a table, its events from
 * the test, what is written to it goes to the test. umockdev has /sys and udev's properties; the rest
 * is here, as functions of the C library and of libudev that this program has in their place:
 *	- ioctl and fstat on the descriptor of such a device, which is a socket, and stat of its node
 *	  (umockdev has nodes, but none that could be there a second time);
 *	- udev's word that a device is ready (its file in /run/udev is none that umockdev redirects).
 *
 * One file includes this, once.
 */
#ifndef IRORI_TESTS_UNIT_INPUT_MOCK_EVDEV_H
#define IRORI_TESTS_UNIT_INPUT_MOCK_EVDEV_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/input.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <umockdev.h>
#include <unistd.h>

#include "tests/unit/test.h"

enum mock_limits {
	MOCK_DEVICES = 8,
	MOCK_MAJOR = 13,
	MOCK_MINOR = 64,
};

struct mock_range {
	uint16_t type, first, last; /* ends with type 0 */
};

struct mock_axis {
	uint16_t code;
	int32_t min, max, resolution; /* ends with max 0 */
};

struct mock_kind {
	const char *name;
	const char *property; /* what udev says that it is */
	unsigned props;       /* bits: INPUT_PROP_DIRECT */
	struct mock_range range[6];
	struct mock_axis axis[10];
};

static struct mock_device {
	const struct mock_kind *kind;
	int ours;    /* the test's end of the socket */
	ino_t inode; /* of the device's end */
	struct input_absinfo abs[ABS_CNT];
	uint8_t key[(KEY_CNT + 7) / 8]; /* EVIOCGKEY */
	bool grabbed;
} mocks[MOCK_DEVICES];

static UMockdevTestbed *mock_bed;

/* The functions that are not the C library's */

static int mock_real_fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

static struct mock_device *mock_of(int fd)
{
	struct stat st;

	if (mock_real_fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		return NULL;
	for (unsigned i = 0; i < MOCK_DEVICES; i++)
		if (mocks[i].kind && mocks[i].inode == st.st_ino)
			return &mocks[i];
	return NULL;
}

static void mock_is_node(struct stat *st, unsigned n)
{
	st->st_mode = S_IFCHR | 0660;
	st->st_rdev = makedev(MOCK_MAJOR, MOCK_MINOR + n);
}

/* Under both of its names, whichever of them <sys/stat.h> means. */
int mock_fstat(int fd, struct stat *st) __asm__("fstat");
int mock_fstat64(int fd, struct stat *st) __asm__("fstat64");

int mock_fstat(int fd, struct stat *st)
{
	int ret = mock_real_fstat(fd, st);
	const struct mock_device *mock = ret ? NULL : mock_of(fd);

	if (mock)
		mock_is_node(st, (unsigned)(mock - mocks));
	return ret;
}

int mock_fstat64(int fd, struct stat *st)
{
	return mock_fstat(fd, st);
}

int mock_stat(const char *path, struct stat *st) __asm__("stat");
int mock_stat64(const char *path, struct stat *st) __asm__("stat64");

int mock_stat(const char *path, struct stat *st)
{
	unsigned n;

	if (sscanf(path, "/dev/input/event%u", &n) != 1)
		return ((int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat64"))(path, st);
	if (n >= MOCK_DEVICES || !mocks[n].kind) {
		errno = ENOENT;
		return -1;
	}
	memset(st, 0, sizeof(*st));
	mock_is_node(st, n);
	return 0;
}

int mock_stat64(const char *path, struct stat *st)
{
	return mock_stat(path, st);
}

int udev_device_get_is_initialized(struct udev_device *device)
{
	return 1;
}

static void mock_bits(const struct mock_kind *kind, unsigned type, uint8_t *bits, size_t len)
{
	for (const struct mock_range *range = kind->range; range->type; range++) {
		if (!type && range->type / 8u < len)
			bits[range->type / 8] |= (uint8_t)(1 << range->type % 8);
		for (unsigned i = range->first; range->type == type && i <= range->last; i++)
			if (i / 8 < len)
				bits[i / 8] |= (uint8_t)(1 << i % 8);
	}
}

static int mock_text(void *to, size_t len, const char *text)
{
	strncpy(to, text, len - 1);
	return (int)strlen(text) + 1;
}

/* EVIOCG...: `len` is the caller's. */
static int mock_query(struct mock_device *mock, unsigned nr, void *to, size_t len)
{
	const struct mock_kind *kind = mock->kind;

	if (nr == _IOC_NR(EVIOCGMTSLOTS(0))) { /* all fingers are up */
		memset((uint32_t *)to + 1, *(uint32_t *)to == ABS_MT_TRACKING_ID ? 0xff : 0, len - 4);
		return (int)len;
	}
	memset(to, 0, len);
	if (nr >= 0x20 && nr < 0x20 + EV_CNT) {
		mock_bits(kind, nr - 0x20, to, len);
	} else if (nr >= 0x40 && nr < 0x40 + ABS_CNT) {
		memcpy(to, &mock->abs[nr - 0x40], len < sizeof(mock->abs[0]) ? len : sizeof(mock->abs[0]));
	} else if (nr == _IOC_NR(EVIOCGVERSION)) {
		*(int *)to = 0x10001;
	} else if (nr == _IOC_NR(EVIOCGID)) {
		*(struct input_id *)to = (struct input_id){BUS_USB, 1, 2, 3};
	} else if (nr == _IOC_NR(EVIOCGNAME(0))) {
		return mock_text(to, len, kind->name);
	} else if (nr == _IOC_NR(EVIOCGPROP(0))) {
		*(uint8_t *)to = (uint8_t)kind->props;
	} else if (nr == _IOC_NR(EVIOCGKEY(0))) {
		memcpy(to, mock->key, len < sizeof(mock->key) ? len : sizeof(mock->key));
	} else if (nr == _IOC_NR(EVIOCGPHYS(0)) || nr == _IOC_NR(EVIOCGUNIQ(0))) {
		errno = ENOENT;
		return -1;
	} /* nothing lit, nothing sounding */
	return (int)len;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct mock_device *mock = mock_of(fd);
	void *argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (!mock || _IOC_TYPE(request) != 'E')
		return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request,
			argument);
	if (request == EVIOCGRAB) {
		mock->grabbed = argument != NULL;
		return 0;
	}
	if (_IOC_DIR(request) == _IOC_READ)
		return mock_query(mock, _IOC_NR(request), argument, _IOC_SIZE(request));
	return 0; /* the clock, the repeat rate */
}

/* For the tests */

/* umockdev's own answer would be true only when there is a testbed already. */
static inline bool mock_possible(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "libumockdev-preload");
}

static inline const char *mock_path(unsigned n)
{
	static char path[32];

	snprintf(path, sizeof(path), "/dev/input/event%u", n);
	return path;
}

/* Device n is there: its descriptor, as irorid would open it. */
static inline int mock_plug(unsigned n, const struct mock_kind *kind)
{
	struct mock_device *mock = &mocks[n];
	int pair[2];
	struct stat st;
	char *text;
	GError *error = NULL;

	test_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	test_equal(mock_real_fstat(pair[1], &st), 0);
	*mock = (struct mock_device){kind, pair[0], st.st_ino, {{0}}, {0}, false};
	for (const struct mock_axis *axis = kind->axis; axis->max; axis++)
		mock->abs[axis->code] = (struct input_absinfo){0, axis->min, axis->max, 0, 0,
			axis->resolution};
	text = g_strdup_printf("P: /devices/mock/input/input%u\n"
			       "E: SUBSYSTEM=input\nE: PRODUCT=3/1/2/3\nE: NAME=\"%s\"\n"
			       "E: ID_INPUT=1\nE: %s=1\n\n"
			       "P: /devices/mock/input/input%u/event%u\n"
			       "E: SUBSYSTEM=input\nE: MAJOR=%u\nE: MINOR=%u\n"
			       "E: DEVNAME=/dev/input/event%u\nE: ID_INPUT=1\nE: %s=1\n"
			       "A: dev=%u:%u\n",
		n, kind->name, kind->property, n, n, MOCK_MAJOR, MOCK_MINOR + n, n,
		kind->property, MOCK_MAJOR, MOCK_MINOR + n);
	if (!umockdev_testbed_add_from_string(mock_bed, text, &error)) {
		fprintf(stderr, "%s\n", error->message);
		exit(1);
	}
	g_free(text);
	return pair[1];
}

/* Pulled out; whoever had the descriptor has closed it. */
static inline void mock_unplug(unsigned n)
{
	char *parent = g_strdup_printf("/sys/devices/mock/input/input%u", n);
	char *child = g_strdup_printf("%s/event%u", parent, n);

	umockdev_testbed_remove_device(mock_bed, child);
	umockdev_testbed_remove_device(mock_bed, parent);
	g_free(child);
	g_free(parent);
	close(mocks[n].ours);
	mocks[n].kind = NULL;
}

static inline void mock_event(unsigned n, uint16_t type, uint16_t code, int32_t value)
{
	struct input_event event = {.type = type, .code = code, .value = value};
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	event.input_event_sec = now.tv_sec;
	event.input_event_usec = now.tv_nsec / 1000;
	test_equal(write(mocks[n].ours, &event, sizeof(event)), sizeof(event));
}

static inline void mock_sync(unsigned n)
{
	mock_event(n, EV_SYN, SYN_REPORT, 0);
}

/* What was written to the device. */
static inline bool mock_written(unsigned n, struct input_event *event)
{
	return read(mocks[n].ours, event, sizeof(*event)) == sizeof(*event);
}

#endif

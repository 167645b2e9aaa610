/*
 * See vt.h.
 */
#include "seats/vt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/error.h"

#ifndef K_OFF
#define K_OFF 0x04
#endif

struct vt {
	int fd, keyboard, mode;
};

/* tty0 is whichever is in front; what is muted must be that one by its own name, for it stays so when
 * another comes in front. */
static int active_open(GError **error)
{
	int console = open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC), fd = -1;
	g_autofree char *path = NULL;
	struct vt_stat stat;

	if (console < 0 || ioctl(console, VT_GETSTATE, &stat) < 0) {
		fail_errno(error, errno, "/dev/tty0: %s", g_strerror(errno));
	} else {
		path = g_strdup_printf("/dev/tty%u", stat.v_active);
		fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
	}
	if (console >= 0)
		close(console);
	return fd;
}

struct vt *vt_mute(GError **error)
{
	struct vt *vt;
	int fd = active_open(error);

	if (fd < 0)
		return NULL;
	vt = g_new0(struct vt, 1);
	vt->fd = fd;
	if (ioctl(fd, KDGKBMODE, &vt->keyboard) < 0 || ioctl(fd, KDGETMODE, &vt->mode) < 0 ||
		ioctl(fd, KDSKBMODE, K_OFF) < 0 || ioctl(fd, KDSETMODE, KD_GRAPHICS) < 0) {
		fail_errno(error, errno, "console: %s", g_strerror(errno));
		vt_restore(vt);
		return NULL;
	}
	/* One that we died with is not how it is to be left. */
	if (vt->keyboard == K_OFF)
		vt->keyboard = K_UNICODE;
	if (vt->mode == KD_GRAPHICS)
		vt->mode = KD_TEXT;
	return vt;
}

void vt_restore(struct vt *vt)
{
	if (!vt)
		return;
	ioctl(vt->fd, KDSETMODE, vt->mode);
	ioctl(vt->fd, KDSKBMODE, vt->keyboard);
	close(vt->fd);
	g_free(vt);
}

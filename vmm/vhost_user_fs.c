/*
 * virtio-fs: a folder of the host in the guest, served by virtiofsd through vhost-user. virtiofsd is
 * a child of ours, one a share, confined to the folder. Each driver gets a new one: what a guest had
 * open does not outlive its reboot. When it dies under a driver that uses it, the device asks for a
 * reset (the files that the driver knows by number are gone); the next driver finds a new one.
 *
 * Kicks and calls pass through the net thread: an eventfd each way.
 *
 * Source: virtio 1.2, section 5.11.
 */
#define G_LOG_DOMAIN "irori-share"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/helper.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/vhost_user.h"
#include "vmm/vhost_user_fs.h"
#include "vmm/virtio_pci.h"

enum fs_numbers {
	FS_TAG_LEN = 36,
	FS_QUEUES = 2, /* hiprio, and one for requests */
};

/* struct virtio_fs_config. */
struct fs_space {
	char tag[FS_TAG_LEN];
	uint32_t num_request_queues;
} __attribute__((packed));

struct fs {
	struct device device;
	struct virtio_device virtio;
	struct fs_room room;
	struct fs_space space;
	/* The helper and the connection are replaced on the net thread (or where it does not run),
	 * under the lock. */
	struct helper *helper;
	struct vhost_user *back;
	GSource *hung_up, *timer, *resume, *call_source[FS_QUEUES];
	int kick[FS_QUEUES], call[FS_QUEUES];
	bool serving;  /* it has the queues */
	bool used;     /* it has had a driver's queues */
	bool replaced; /* its end is our doing */
	bool loading;  /* memory is not the guest's yet */
	unsigned failures;
};

static struct fs *fs_of(struct virtio_device *dev)
{
	return (struct fs *)((char *)dev - offsetof(struct fs, virtio));
}

static void fs_unwatch(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void fs_wake(struct fs *fs, unsigned q)
{
	const uint64_t one = 1;

	if (write(fs->kick[q], &one, sizeof(one)) < 0)
		g_debug("kick: %s", g_strerror(errno));
}

/* Hands the queues over if the driver is ready and so is the back end. Under the lock. */
static void fs_serve(struct fs *fs)
{
	int result;

	if (fs->serving || fs->replaced || fs->loading || !fs->back || virtio_held(&fs->virtio) ||
		!(fs->virtio.status & VIRTIO_DRIVER_OK) ||
		(fs->virtio.status & VIRTIO_NEEDS_RESET))
		return;
	fs->serving = fs->used = true; /* also when half of it went well */
	result = vhost_user_start(fs->back, &fs->virtio, fs->kick, fs->call);
	if (result < 0)
		virtio_needs_reset(&fs->virtio, g_strerror(-result));
	/* The driver may have kicked while nobody was there. */
	for (unsigned q = 0; q < FS_QUEUES; q++)
		fs_wake(fs, q);
}

/* Takes the queues back. Under the lock. */
static void fs_take_back(struct fs *fs)
{
	if (!fs->serving)
		return;
	if (fs->back && vhost_user_stop(fs->back, &fs->virtio) < 0)
		virtio_needs_reset(&fs->virtio, "its back end does not stop");
	fs->serving = false;
	virtio_interrupt_all(&fs->virtio);
}

/* A device that may not reach memory is not served, whoever does it. */
static void fs_kick(struct virtio_device *dev, unsigned q)
{
	struct fs *fs = fs_of(dev);

	if (virtio_held(dev))
		fs_take_back(fs);
	else if (fs->serving)
		fs_wake(fs, q);
	else
		fs_serve(fs);
}

static gboolean fs_again(gpointer data);

static void fs_timer(struct fs *fs, unsigned ms)
{
	fs_unwatch(&fs->timer);
	fs->timer = g_timeout_source_new(ms);
	g_source_set_callback(fs->timer, fs_again, fs, NULL);
	g_source_attach(fs->timer, fs->virtio.context);
}

/* The back end is gone. Net thread. */
static void fs_lost(struct fs *fs, const char *why)
{
	g_mutex_lock(&fs->virtio.lock);
	fs_unwatch(&fs->hung_up);
	g_clear_pointer(&fs->back, vhost_user_free);
	if (fs->serving)
		virtio_needs_reset(&fs->virtio, "its back end ended");
	fs->serving = fs->used = false;
	if (!fs->replaced)
		g_warning("Share %s: %s", fs->device.instance, why);
	fs->failures = fs->replaced ? 0 : fs->failures + 1;
	fs->replaced = false;
	g_mutex_unlock(&fs->virtio.lock);
	fs_timer(fs, helper_back_off(fs->failures));
}

static void fs_ended(void *data, const char *why)
{
	fs_lost(data, why);
}

/* It hung up, or speaks without being asked. What it has to say about it comes with its end. */
static gboolean fs_hung_up(gint fd, GIOCondition condition, gpointer data)
{
	struct fs *fs = data;

	g_mutex_lock(&fs->virtio.lock);
	fs_unwatch(&fs->hung_up);
	if (fs->helper)
		helper_kill(fs->helper);
	g_mutex_unlock(&fs->virtio.lock);
	return G_SOURCE_REMOVE;
}

/* Starts a back end: the main thread before the guest runs, then the net thread. */
static bool fs_start(struct fs *fs, GError **error)
{
	const struct helper_owner owner = {
		.context = fs->virtio.context,
		.ended = fs_ended,
		.data = fs,
	};
	int fd;
	struct helper *helper = fs_room_enter(&fs->room, &owner, &fd, error);
	struct vhost_user *back = helper ? vhost_user_new(fd, fs->virtio.memory, error) : NULL;

	if (!back) {
		const char *last = helper ? helper_last_word(helper) : NULL;

		if (last)
			g_prefix_error(error, "%s: ", last);
		helper_stop(helper);
		return false;
	}
	g_mutex_lock(&fs->virtio.lock);
	fs->helper = helper;
	fs->back = back;
	fs->hung_up = g_unix_fd_source_new(vhost_user_fd(back), G_IO_IN);
	g_source_set_callback(fs->hung_up, G_SOURCE_FUNC(fs_hung_up), fs, NULL);
	g_source_attach(fs->hung_up, fs->virtio.context);
	fs_serve(fs);
	g_mutex_unlock(&fs->virtio.lock);
	return true;
}

static gboolean fs_again(gpointer data)
{
	struct fs *fs = data;
	g_autoptr(GError) error = NULL;
	struct helper *old;

	fs_unwatch(&fs->timer);
	g_mutex_lock(&fs->virtio.lock);
	old = g_steal_pointer(&fs->helper);
	g_mutex_unlock(&fs->virtio.lock);
	helper_stop(old);
	if (!fs_start(fs, &error))
		fs_lost(fs, error->message);
	return G_SOURCE_REMOVE;
}

/* The back end has something for the driver, and has looked whether it wants to hear of it. */
static gboolean fs_called(gint fd, GIOCondition condition, gpointer data)
{
	struct fs *fs = data;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return G_SOURCE_CONTINUE;
	g_mutex_lock(&fs->virtio.lock);
	for (unsigned q = 0; q < FS_QUEUES; q++)
		if (fs->call[q] == fd && fs->serving && fs->virtio.notify.queue)
			fs->virtio.notify.queue(&fs->virtio, q);
	g_mutex_unlock(&fs->virtio.lock);
	return G_SOURCE_CONTINUE;
}

static void fs_activate(struct virtio_device *dev)
{
	fs_serve(fs_of(dev));
}

/* When this returns nobody touches guest memory: it gave the queues back, and it is dead. */
static void fs_forget(struct virtio_device *dev)
{
	struct fs *fs = fs_of(dev);

	if (!fs->used)
		return;
	if (fs->serving && fs->back)
		vhost_user_stop(fs->back, dev);
	fs->serving = fs->used = false;
	if (fs->helper) {
		fs->replaced = true;
		helper_kill(fs->helper);
	}
}

static void fs_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	memcpy(to, (const uint8_t *)&fs_of(dev)->space + offset, len);
}

static const struct virtio_ops fs_ops = {
	.name = "virtio-fs",
	.id = 26,
	.pci_class = 0x01, /* mass storage, other */
	.pci_subclass = 0x80,
	.n_queues = FS_QUEUES,
	.queue_size = {128, 128},
	.config_len = sizeof(struct fs_space),
	.activate = fs_activate,
	.reset = fs_forget,
	.kick = fs_kick,
	.config_read = fs_config_read,
};

static void fs_reset(struct device *device)
{
	virtio_pci_reset(&((struct fs *)device)->virtio);
}

static gboolean fs_resume(gpointer data)
{
	struct fs *fs = data;

	g_mutex_lock(&fs->virtio.lock);
	fs_unwatch(&fs->resume);
	fs->loading = false;
	fs_serve(fs);
	g_mutex_unlock(&fs->virtio.lock);
	return G_SOURCE_REMOVE;
}

/* Requests under way are finished, and the queues are ours to save. Should the guest go on after all,
 * the net thread goes on as well, with this. */
static void fs_drain(struct device *device)
{
	struct fs *fs = (struct fs *)device;

	g_mutex_lock(&fs->virtio.lock);
	fs_take_back(fs);
	fs_unwatch(&fs->resume);
	fs->resume = g_idle_source_new();
	g_source_set_callback(fs->resume, fs_resume, fs, NULL);
	g_source_attach(fs->resume, fs->virtio.context);
	g_mutex_unlock(&fs->virtio.lock);
}

/* What the driver has open lives in virtiofsd and is not saved: a driver that has used the share must
 * begin anew, and hears so. */
static void fs_state(struct device *device, struct state *state)
{
	struct fs *fs = (struct fs *)device;

	if (state_loading(state)) {
		fs_drain(device);
		fs->loading = true;
	}
	virtio_state(&fs->virtio, state);
	g_mutex_lock(&fs->virtio.lock);
	if (state_loading(state) && !state_failed(state) && fs->virtio.queue[1].next_used != 0)
		virtio_needs_reset(&fs->virtio, "saved and brought back: it has to be mounted again");
	g_mutex_unlock(&fs->virtio.lock);
}

static void fs_destroy(struct device *device)
{
	struct fs *fs = (struct fs *)device;

	virtio_reset(&fs->virtio);
	virtio_detach_pci(&fs->virtio);
	fs_unwatch(&fs->timer);
	fs_unwatch(&fs->resume);
	fs_unwatch(&fs->hung_up);
	helper_stop(fs->helper);
	vhost_user_free(fs->back);
	for (unsigned q = 0; q < FS_QUEUES; q++) {
		fs_unwatch(&fs->call_source[q]);
		if (fs->kick[q] >= 0)
			close(fs->kick[q]);
		if (fs->call[q] >= 0)
			close(fs->call[q]);
	}
	virtio_clear(&fs->virtio);
	g_free(fs);
}

static bool fs_eventfds(struct fs *fs, GError **error)
{
	for (unsigned q = 0; q < FS_QUEUES; q++) {
		fs->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		fs->call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (fs->kick[q] < 0 || fs->call[q] < 0) {
			g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "eventfd: %s",
				g_strerror(errno));
			return false;
		}
		fs->call_source[q] = g_unix_fd_source_new(fs->call[q], G_IO_IN);
		g_source_set_callback(fs->call_source[q], G_SOURCE_FUNC(fs_called), fs, NULL);
		g_source_attach(fs->call_source[q], fs->virtio.context);
	}
	return true;
}

struct fs_config {
	char *path, *tag;
	bool read_only;
};

static const struct property fs_properties[] = {
	{ "Path", PROPERTY_PATH, offsetof(struct fs_config, path), NULL,
		"the folder", .required = true, .exists = true },
	{ "Tag", PROPERTY_STRING, offsetof(struct fs_config, tag), NULL,
		"what the guest mounts it by: mount -t virtiofs TAG /mnt (default: NAME)",
		.required = false },
	{ "ReadOnly", PROPERTY_BOOL, offsetof(struct fs_config, read_only), "no",
		"the guest cannot change anything in it", .required = false },
	{ 0 }
};

static struct device *fs_create(struct machine *machine, const char *instance, const void *config,
	GError **error);

static const char *fs_tag(const struct fs_config *config, const char *instance)
{
	return config->tag ? config->tag : instance;
}

static bool fs_check(const struct guest_config *guest, const char *instance, const void *data,
	GError **error)
{
	const struct fs_config *config = data;
	const char *tag = fs_tag(config, instance);

	if (!tag[0] || strlen(tag) > FS_TAG_LEN)
		return fail(error, "[Share %s] Tag=%s: from 1 to %d bytes", instance, tag, FS_TAG_LEN);
	return g_file_test(config->path, G_FILE_TEST_IS_DIR) ||
		fail_as(error, EX_NOINPUT, "[Share %s] %s: not a folder", instance, config->path);
}

static const struct device_type vhost_user_fs = {
	.section = "Share",
	.help = "a folder of the host (virtio-fs, served by virtiofsd)",
	.properties = fs_properties,
	.config_size = sizeof(struct fs_config),
	.create = fs_create,
	.check = fs_check,
};

static bool fs_open(struct fs *fs, const struct fs_config *config, GError **error)
{
	const char *tag = fs_tag(config, fs->device.instance);

	memcpy(fs->space.tag, tag, strlen(tag));
	fs->space.num_request_queues = FS_QUEUES - 1;
	fs->room = (struct fs_room){config->path, config->read_only};
	if (!fs_eventfds(fs, error) || !fs_start(fs, error))
		return false;
	fs->virtio.offered &= vhost_user_features(fs->back);
	return true;
}

static struct device *fs_create(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	struct fs *fs;

	if (!fs_check(machine->config, instance, config, error))
		return NULL;
	fs = g_new0(struct fs, 1);
	fs->device = (struct device){
		.type = &vhost_user_fs,
		.instance = instance,
		.reset = fs_reset,
		.drain = fs_drain,
		.state = fs_state,
		.destroy = fs_destroy,
	};
	for (unsigned q = 0; q < FS_QUEUES; q++)
		fs->kick[q] = fs->call[q] = -1;
	virtio_init(&fs->virtio, &fs_ops, machine->memory, machine->net_context);
	if (fs_open(fs, config, error) && virtio_attach_pci(machine, &fs->virtio, error))
		return &fs->device;
	g_prefix_error(error, "[Share %s] ", instance);
	fs_destroy(&fs->device);
	return NULL;
}

DEVICE_REGISTER(vhost_user_fs);

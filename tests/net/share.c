/* virtio-fs with a real virtiofsd behind it, from the guest's side: it greets, it reads and cannot
 * write where it may not, it does not outlive its driver, and its death is told. */
#include "vmm/helper.c"
#undef G_LOG_DOMAIN
#include "vmm/vhost_user_fs.c"

#include <glib/gstdio.h>
#include <signal.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum {
	PATIENCE_MS = 5000,
	REPLY = 4096,
	/* The FUSE protocol, linux/fuse.h. */
	FUSE_LOOKUP = 1,
	FUSE_MKDIR = 9,
	FUSE_INIT = 26,
	FUSE_ROOT = 1,
};

struct fuse_in {
	uint32_t len, opcode;
	uint64_t unique, node;
	uint32_t uid, gid, pid, padding;
};

struct fuse_out {
	uint32_t len;
	int32_t error;
	uint64_t unique;
};

static struct guest guest;
static char folder[] = "/tmp/irori-test-share-XXXXXX";
static uint64_t unique;

static struct fs *fs(void)
{
	return (struct fs *)guest.device;
}

static void plug(bool read_only)
{
	struct fs_config config = {.path = folder, .tag = (char *)"family", .read_only = read_only};
	g_autoptr(GError) error = NULL;

	guest_open(&guest, GUEST_MEMORY);
	if (!guest_plug(&guest, &vhost_user_fs, &config, &error)) {
		if (strstr(error->message, "not installed") || strstr(error->message, "namespace"))
			test_skip(error->message);
		fprintf(stderr, "%s\n", error->message);
	}
	test_assert(guest.device);
	guest_start(&guest, VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC);
}

/* One FUSE request; its error, or 1: no answer came. */
static int ask(uint32_t opcode, const void *body, uint32_t len)
{
	struct fuse_in in = {.len = sizeof(in) + len, .opcode = opcode, .unique = ++unique,
		.node = FUSE_ROOT};
	struct guest_buffer buffer[3] = {
		{guest_put(&guest, &in, sizeof(in)), sizeof(in), false},
		{guest_put(&guest, body, len), len, false},
		{guest_alloc(&guest, REPLY), REPLY, true},
	};
	struct fuse_out out = {0};
	uint32_t id, written;

	guest_add(&guest, 1, buffer, 3);
	guest_kick(&guest, 1);
	if (!guest_wait_used(&guest, 1, &id, &written))
		return 1;
	memcpy(&out, guest_at(&guest, buffer[2].addr, sizeof(out)), sizeof(out));
	test_equal(out.unique, unique);
	return out.error;
}

static int greet(void)
{
	const uint32_t init[4] = {7, 31, 65536, 0};

	return ask(FUSE_INIT, init, sizeof(init));
}

static int mkdir_in_share(void)
{
	const struct {
		uint32_t mode, umask;
		char name[4];
	} body = {0755, 0, "new"};

	return ask(FUSE_MKDIR, &body, sizeof(body));
}

static void greets_and_writes(void)
{
	g_autofree char *made = g_build_filename(folder, "new", NULL);

	plug(false);
	test_equal(guest_config_read(&guest, 0, 4), 'f' | 'a' << 8 | 'm' << 16 | 'i' << 24);
	test_equal(guest_config_read(&guest, FS_TAG_LEN, 4), 1);
	test_equal(greet(), 0);
	test_equal(ask(FUSE_LOOKUP, "file", 5), 0);
	test_equal(ask(FUSE_LOOKUP, "none", 5), -ENOENT);
	test_equal(mkdir_in_share(), 0);
	test_assert(g_file_test(made, G_FILE_TEST_IS_DIR));
	test_assert(guest.raised[1] > 0);
	test_equal(g_rmdir(made), 0);
	guest_close(&guest);
}

static void read_only(void)
{
	plug(true);
	test_equal(greet(), 0);
	test_equal(ask(FUSE_LOOKUP, "file", 5), 0);
	test_equal(mkdir_in_share(), -EROFS);
	guest_close(&guest);
}

/* A reset gives the next driver a server of its own. */
static void a_new_one_each(void)
{
	pid_t before;

	plug(false);
	before = fs()->helper->pid;
	test_equal(greet(), 0);
	guest_reset(&guest);
	guest_start(&guest, 0); /* not yet there: it waits */
	test_equal(greet(), 0);
	test_equal(guest_needs_reset(&guest), false);
	test_assert(fs()->helper->pid != before);
	before = fs()->helper->pid;
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 0); /* the driver's own reset */
	memory_clear(guest.machine.memory);
	guest.heap = GUEST_HEAP;
	memset(guest.queue, 0, sizeof(guest.queue));
	guest_start(&guest, 0);
	test_equal(greet(), 0);
	test_assert(fs()->helper->pid != before);
	guest_close(&guest);
}

static void dies(void)
{
	plug(false);
	test_equal(greet(), 0);
	kill(-fs()->helper->pid, SIGKILL);
	for (unsigned i = 0; i < PATIENCE_MS && !guest_needs_reset(&guest); i++, g_usleep(1000))
		guest_spin(&guest);
	test_assert(guest_needs_reset(&guest));
	guest_reset(&guest);
	guest_start(&guest, 0);
	test_equal(greet(), 0);
	guest_close(&guest);
}

/* Drained for saving, and then going on after all. */
static void goes_on(void)
{
	plug(false);
	test_equal(greet(), 0);
	guest.device->drain(guest.device);
	test_equal(fs()->virtio.queue[1].last_avail, 1);
	test_equal(fs()->virtio.queue[1].next_used, 1);
	test_equal(ask(FUSE_LOOKUP, "file", 5), 0);
	guest_close(&guest);
}

static void master(bool on)
{
	bus_write(guest.machine.mmio, MACHINE_ECAM_BASE + ((uint64_t)GUEST_SLOT << 15) + PCI_COMMAND, 2,
		on ? PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER : PCI_COMMAND_MEMORY);
	guest_spin(&guest);
}

/* Not while it is no bus master; what the guest has open is there afterwards. */
static void held(void)
{
	plug(false);
	test_equal(greet(), 0);
	master(false);
	test_assert(!fs()->serving);
	test_equal(fs()->virtio.queue[1].next_used, 1);
	master(true);
	test_assert(fs()->serving);
	test_equal(ask(FUSE_LOOKUP, "file", 5), 0);
	test_assert(!guest_needs_reset(&guest));
	guest_close(&guest);
}

static void saved(void)
{
	struct state *state;
	GBytes *bytes;

	plug(false);
	test_equal(greet(), 0);
	guest.device->drain(guest.device);
	state = state_new_saving();
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	guest_reset(&guest);
	state = state_new_loading(bytes);
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state));
	state_free(state);
	test_assert(fs()->virtio.status & VIRTIO_NEEDS_RESET);
	guest_close(&guest);
}

static void bad_configuration(void)
{
	static const struct fs_config bad[] = {
		{.path = (char *)"/nowhere/at/all", .tag = (char *)"t"},
		{.path = (char *)"/dev/null", .tag = (char *)"t"},
		{.path = (char *)"/tmp", .tag = (char *)""},
		{.path = (char *)"/tmp", .tag = (char *)"thirty-seven bytes are more than fits"},
	};

	guest_open(&guest, GUEST_MEMORY);
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		test_assert(!guest_plug(&guest, &vhost_user_fs, &bad[i], &error));
		test_assert(error);
	}
	guest_close(&guest);
}

int main(void)
{
	g_autofree char *file = NULL;

	test_run(bad_configuration);
	test_assert(g_mkdtemp(folder));
	file = g_build_filename(folder, "file", NULL);
	test_assert(g_file_set_contents(file, "text", 4, NULL));
	test_run(greets_and_writes);
	test_run(read_only);
	test_run(a_new_one_each);
	test_run(dies);
	test_run(goes_on);
	test_run(held);
	test_run(saved);
	g_unlink(file);
	g_rmdir(folder);
	return 0;
}

/* Raw files and overlays, and a host that is full. */
#include "tests/unit/disk/host.h"

#include <sys/stat.h>
#include <sys/statfs.h>

#include "vmm/state.h"

enum {
	SIZE = 1 << 20,
	SECTORS = SIZE / 512,
};

static char *folder, *path;
static unsigned engine;

static struct disk *open_as(bool ephemeral, uint64_t max)
{
	struct disk_config config = {
		.path = path,
		.ephemeral = ephemeral,
		.ephemeral_max = max,
		.scratch = folder,
		.engine = engine,
	};
	g_autoptr(GError) error = NULL;
	struct disk *disk = disk_open(&host, "test", &config, &error);

	if (!disk)
		fprintf(stderr, "%s\n", error->message);
	test_assert(disk);
	disk_watch(disk, g_main_context_default(), host_ready, disk);
	return disk;
}

static void fresh(int byte)
{
	g_autofree char *data = g_malloc(SIZE);

	memset(data, byte, SIZE);
	test_assert(g_file_set_contents(path, data, SIZE, NULL));
}

static void expect(struct disk *disk, uint64_t sector, unsigned n, int byte)
{
	g_autofree uint8_t *data = g_malloc(n * 512);

	memset(data, ~byte, n * 512);
	test_equal(request_run(disk, DISK_READ, sector * 512, data, n * 512), 0);
	for (unsigned i = 0; i < n * 512; i++)
		test_equal(data[i], byte);
}

static void put(struct disk *disk, uint64_t sector, unsigned n, int byte)
{
	g_autofree uint8_t *data = g_malloc(n * 512);

	memset(data, byte, n * 512);
	test_equal(request_run(disk, DISK_WRITE, sector * 512, data, n * 512), 0);
}

/* Two guests on one base; what each writes is its own, and gone at reset. */
static void two_overlays(void)
{
	struct disk *a, *b;

	fresh(1);
	a = open_as(true, SIZE);
	b = open_as(true, SIZE);
	put(a, 10, 5, 2);
	put(b, 12, 1, 3);
	expect(a, 0, 10, 1);
	expect(a, 10, 5, 2);
	expect(a, 15, 8, 1);
	expect(b, 10, 2, 1);
	expect(b, 12, 1, 3);
	test_equal(request_run(a, DISK_PUNCH, 11 * 512, NULL, 1024), 0);
	expect(a, 11, 2, 0);
	expect(a, 13, 2, 2);
	test_equal(request_run(a, DISK_ZERO, 100 * 512, NULL, 512 * 512), 0);
	expect(a, 100, 512, 0);
	expect(a, 612, 4, 1);
	test_equal(request_run(a, DISK_FLUSH, 0, NULL, 0), 0);
	disk_cancel(a);
	disk_reset(a);
	expect(a, 0, SECTORS, 1);
	expect(b, 12, 1, 3);
	disk_close(a);
	disk_close(b);
	a = open_as(false, 0);
	expect(a, 0, SECTORS, 1);
	disk_close(a);
}

/* Reads over sectors that lie here and there, sector by sector. */
static void mixed(void)
{
	struct disk *disk;
	g_autofree uint8_t *data = g_malloc(SIZE);

	fresh(7);
	disk = open_as(true, SIZE);
	for (unsigned i = 0; i < SECTORS; i += 2)
		put(disk, i, 1, 8);
	test_equal(request_run(disk, DISK_READ, 0, data, SIZE), 0);
	for (unsigned i = 0; i < SIZE; i++)
		test_equal(data[i], i / 512 % 2 ? 7 : 8);
	disk_close(disk);
}

static void bound(void)
{
	struct disk *disk;
	uint8_t data[4096] = {0};

	fresh(1);
	disk = open_as(true, SIZE / 4);
	put(disk, 0, SECTORS / 4, 4);
	test_equal(request_run(disk, DISK_WRITE, SIZE / 2, data, 4096), -EFBIG);
	expect(disk, 0, SECTORS / 4, 4);
	expect(disk, SECTORS / 2, 8, 1);
	test_equal(request_run(disk, DISK_PUNCH, 0, NULL, SIZE / 8), 0); /* makes room */
	put(disk, SECTORS / 2, 8, 5);
	expect(disk, SECTORS / 2, 8, 5);
	disk_cancel(disk);
	disk_reset(disk);
	put(disk, SECTORS / 2, 8, 5);
	disk_close(disk);
}

static void saved(void)
{
	struct state *state = state_new_saving();
	struct disk *disk;
	GBytes *bytes;

	fresh(1);
	disk = open_as(true, SIZE);
	put(disk, 3, 2, 9);
	put(disk, 2000, 48, 8);
	disk_state(disk, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	disk_close(disk);
	disk = open_as(true, SIZE);
	expect(disk, 0, 8, 1);
	state = state_new_loading(bytes);
	disk_state(disk, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	expect(disk, 3, 2, 9);
	expect(disk, 5, 1, 1);
	expect(disk, 2000, 48, 8);
	disk_close(disk);
}

/* A layer that the host has no room for, as long as we say so. */
struct fake {
	struct disk disk;
	bool full;
	unsigned asked;
};

static void fake_queue(struct disk *disk, struct disk_io *io)
{
	struct fake *fake = (struct fake *)disk;

	fake->asked++;
	disk_ended(disk, io, fake->full ? -ENOSPC : 0);
}

static void fake_nothing(struct disk *disk)
{
}

static void fake_reap(struct disk *disk, bool wait)
{
}

static bool fake_busy(struct disk *disk)
{
	return false;
}

static void fake_watch(struct disk *disk, GMainContext *context)
{
}

static const struct disk_layer_ops fake_ops = {
	.queue = fake_queue,
	.submit = fake_nothing,
	.reap = fake_reap,
	.busy = fake_busy,
	.watch = fake_watch,
	.close = fake_nothing,
};

static void guard_init(struct fake *fake, struct disk_guard *guard)
{
	*guard = (struct disk_guard){.machine = &host, .name = (char *)"disk test"};
	*fake = (struct fake){.disk = {.ops = &fake_ops, .guard = guard, .size = SIZE}, .full = true};
	disk_watch(&fake->disk, g_main_context_default(), host_ready, &fake->disk);
	host_pauses = host_resumes = 0;
}

static void spin(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(1000);
	}
}

static void full_host(void)
{
	struct disk_guard guard;
	struct request a, b;
	struct fake fake;

	guard_init(&fake, &guard);
	request_start(&a, &fake.disk, DISK_WRITE, 0, NULL, 512);
	request_start(&b, &fake.disk, DISK_WRITE, 512, NULL, 512);
	test_assert(!a.ended && !b.ended);
	test_equal(disk_kept(&fake.disk), 2);
	test_equal(host_pauses, 1);
	test_assert(strcmp(host_why, "disk test: the host's disk is full") == 0);
	spin(1300);
	test_assert(!a.ended && fake.asked >= 4); /* more on a busy machine */
	test_equal(host_resumes, 0);
	fake.full = false;
	spin(1300);
	test_assert(a.ended && b.ended && a.result == 0);
	test_equal(host_resumes, 1);
	test_equal(disk_kept(&fake.disk), 0);
	test_assert(!guard.retry);
	/* A guest that is reset has forgotten what it wanted. */
	fake.full = true;
	request_start(&a, &fake.disk, DISK_WRITE, 0, NULL, 512);
	test_equal(host_pauses, 2);
	disk_cancel(&fake.disk);
	test_assert(a.ended && a.result == -EIO);
	test_assert(!guard.retry);
	test_equal(host_resumes, 2);
}

static void cannot_be_saved_while_full(void)
{
	struct state *state = state_new_saving();
	struct disk_guard guard;
	struct request a;
	struct fake fake;

	guard_init(&fake, &guard);
	request_start(&a, &fake.disk, DISK_WRITE, 0, NULL, 512);
	disk_reap(&fake.disk, true);
	test_assert(!a.ended);
	disk_state(&fake.disk, state);
	test_assert(state_failed(state));
	state_free(state);
	disk_cancel(&fake.disk);
}

static void fake_state(struct disk *disk, struct state *state)
{
	state_fail(state, "the base is gone");
}

/* What stands below an overlay has its say as well. */
static void base_cannot_be_saved(void)
{
	static const struct disk_layer_ops ops = {
		.queue = fake_queue,
		.submit = fake_nothing,
		.reap = fake_reap,
		.busy = fake_busy,
		.watch = fake_watch,
		.state = fake_state,
		.close = fake_nothing,
	};
	struct fake fake = {.disk = {.ops = &ops, .size = SIZE}};
	struct state *state = state_new_saving();
	struct disk *disk = disk_overlay_new(&fake.disk, folder, 1 << 20, false, NULL);

	test_assert(disk);
	disk->ops->state(disk, state);
	test_assert(state_failed(state));
	state_free(state);
	disk->ops->close(disk);
}

static void refused(const char *what, const char *name, bool read_only, unsigned format,
	const char *expected)
{
	g_autofree char *file = name ? g_build_filename(folder, name, NULL) : NULL;
	struct disk_config config = {.path = file, .read_only = read_only, .format = format};
	g_autoptr(GError) error = NULL;

	test_assert(!disk_open(&host, "test", &config, &error));
	if (!strstr(error->message, expected) || (file && !strstr(error->message, file))) {
		fprintf(stderr, "%s: %s\n", what, error->message);
		test_assert(!"the message that is expected");
	}
}

static void write_file(const char *name, const char *head, size_t head_len, off_t len)
{
	g_autofree char *file = g_build_filename(folder, name, NULL);

	test_assert(g_file_set_contents(file, head, (gssize)head_len, NULL));
	test_equal(truncate(file, len), 0);
}

static void bad_files(void)
{
	struct disk *disk;

	write_file("odd", "", 0, 1000);
	write_file("short", "", 0, 100);
	write_file("magic.img", "QFI\xfb", 4, 65536);
	write_file("raw.qcow2", "", 0, 65536);
	write_file("cut.qcow2", "QFI\xfb\0\0\0\3", 8, 90);
	refused("missing", "missing", false, 0, "No such file");
	refused("a folder", ".", false, 0, "directory");
	refused("odd size", "odd", false, 0, "not a multiple of 512");
	refused("short", "short", false, 0, "smaller than one sector");
	refused("magic", "magic.img", false, 0, "Format=qcow2 or Format=raw");
	refused("no magic", "raw.qcow2", false, 0, "Format=raw");
	refused("no magic", "raw.qcow2", false, DISK_FORMAT_QCOW2, "not a qcow2 image");
	refused("cut off", "cut.qcow2", false, 0, "cut off");
	refused("nothing", NULL, false, 0, "Path=");
	fresh(1);
	disk = open_as(false, 0);
	refused("in use", "disk", false, 0, "in use by another guest");
	refused("in use", "disk", true, 0, "in use by another guest that writes");
	disk_close(disk);
}

static void all(void)
{
	test_run(two_overlays);
	test_run(mixed);
	test_run(bound);
	test_run(saved);
}

int main(void)
{
	g_autofree char *clean = NULL;

	g_log_set_default_handler(host_quiet, NULL);
	host_open();
	folder = host_folder();
	path = g_build_filename(folder, "disk", NULL);
	engine = DISK_ENGINE_AUTO;
	all();
	engine = DISK_ENGINE_SYNC;
	all();
	test_run(full_host);
	test_run(cannot_be_saved_while_full);
	test_run(base_cannot_be_saved);
	test_run(bad_files);
	clean = g_strdup_printf("rm -rf '%s'", folder);
	return system(clean);
}

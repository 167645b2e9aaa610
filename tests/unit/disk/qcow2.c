/* qcow2: headers right and wrong, chains of images, and the daemon itself where it is installed. */
#include "tests/unit/disk/host.h"

#include <signal.h>

#include "vmm/disk_daemon.h"
#include "vmm/disk_qcow2.h"

enum {
	FILE_LEN = 4 << 20,
	HEAD = 512,
};

static uint8_t head[HEAD];
static char *folder;

static void put(unsigned at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		head[at + i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

/* Version 3, 1 GiB, clusters of 64 KiB, a backing file with its format. */
static void good_head(void)
{
	memset(head, 0, sizeof(head));
	memcpy(head, "QFI\xfb", 4);
	put(4, 3, 4);
	put(8, 200, 8);
	put(16, 8, 4);
	put(20, 16, 4);
	put(24, 1 << 30, 8);
	put(36, 2, 4);
	put(40, 0x30000, 8);
	put(48, 0x10000, 8);
	put(56, 1, 4);
	put(96, 4, 4);
	put(100, 104, 4);
	put(104, 0xe2792aca, 4);
	put(108, 3, 4);
	memcpy(head + 112, "raw", 3);
	memcpy(head + 200, "base.img", 8);
}

static void headers(void)
{
	static const struct {
		unsigned at, size;
		uint64_t value;
		const char *expected;
	} cases[] = {
		{0, 4, 0, "not a qcow2"},
		{4, 4, 4, "version 4"},
		{4, 4, 1, "version 1"},
		{8, 8, 600, "backing file"},
		{8, 8, UINT64_MAX, "backing file"},
		{16, 4, 0, "backing file"},
		{16, 4, 1024, "backing file"},
		{16, 4, UINT32_MAX, "backing file"},
		{20, 4, 8, "clusters"},
		{20, 4, 22, "clusters"},
		{20, 4, UINT32_MAX, "clusters"},
		{24, 8, 0, "a disk of 0"},
		{24, 8, 513, "a disk of 513"},
		{24, 8, UINT64_MAX & ~511ull, "a disk of"},
		{24, 8, 1ull << 40, "L1 table is too short"},
		{32, 4, 2, "encrypted"},
		{36, 4, 0, "too short"},
		{36, 4, UINT32_MAX, "cut off"},
		{40, 8, 0, "L1 table"},
		{40, 8, 0x30001, "L1 table"},
		{40, 8, FILE_LEN, "cut off"},
		{40, 8, UINT64_MAX & ~0xffffull, "cut off"},
		{48, 8, FILE_LEN, "cut off"},
		{56, 4, UINT32_MAX, "cut off"},
		{72, 8, 2, "corrupt"},
		{72, 8, 4, "another file"},
		{72, 8, 32, "newer"},
		{72, 8, 1ull << 63, "newer"},
		{100, 4, 100, "header of 100"},
		{100, 4, UINT32_MAX, "header of"},
		{108, 4, UINT32_MAX, "extension"},
		{108, 4, 16, "format"},
		{201, 1, 0, "backing file"},
		{201, 1, 0xff, "backing file"},
	};
	struct qcow2_head parsed;

	good_head();
	test_assert(qcow2_parse(head, HEAD, FILE_LEN, &parsed, NULL));
	test_equal(parsed.size, 1 << 30);
	test_assert(strcmp(parsed.backing, "base.img") == 0);
	test_assert(strcmp(parsed.backing_format, "raw") == 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		good_head();
		put(cases[i].at, cases[i].value, cases[i].size);
		test_assert(!qcow2_parse(head, HEAD, FILE_LEN, &parsed, &error));
		if (!strstr(error->message, cases[i].expected)) {
			fprintf(stderr, "case %u: %s\n", i, error->message);
			test_assert(!"the message that is expected");
		}
	}
	good_head();
	for (size_t len = 0; len < 208; len++) {
		g_autofree uint8_t *cut = g_memdup2(head, len + 1);

		test_assert(!qcow2_parse(cut, len, len, &parsed, NULL));
	}
}

static void run(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void run(const char *format, ...)
{
	g_autofree char *command = NULL, *inside = NULL;
	va_list args;

	va_start(args, format);
	command = g_strdup_vprintf(format, args);
	va_end(args);
	inside = g_strdup_printf("cd '%s' && (%s) >/dev/null 2>&1", folder, command);
	test_equal(system(inside), 0);
}

static struct disk *open_as(const char *name, bool read_only, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	struct disk_config config = {.path = path, .read_only = read_only};
	struct disk *disk = disk_open(&host, "test", &config, error);

	if (disk)
		disk_watch(disk, g_main_context_default(), host_ready, disk);
	return disk;
}

static void refused(const char *name, const char *expected)
{
	g_autoptr(GError) error = NULL;

	test_assert(!open_as(name, false, &error));
	if (!strstr(error->message, expected) || !strstr(error->message, name)) {
		fprintf(stderr, "%s: %s\n", name, error->message);
		test_assert(!"the message that is expected");
	}
}

static void chains(void)
{
	GError *error = NULL;
	struct disk *a, *b;
	char data[4096] = "base", back[4096];

	run("truncate -s 1M base.img && printf base | dd of=base.img conv=notrunc");
	run("qemu-img create -f qcow2 -b base.img -F raw mid.qcow2");
	run("qemu-img create -f qcow2 -b mid.qcow2 -F qcow2 a.qcow2");
	run("qemu-img create -f qcow2 -b mid.qcow2 -F qcow2 b.qcow2");
	a = open_as("a.qcow2", false, &error);
	if (!a)
		fprintf(stderr, "%s\n", error->message);
	test_assert(a);
	b = open_as("b.qcow2", false, NULL);
	test_assert(b);
	test_equal(disk_size(a), 1 << 20);
	test_equal(request_run(a, DISK_READ, 0, back, 4096), 0);
	test_assert(memcmp(back, "base", 5) == 0);
	memset(data, 'a', sizeof(data));
	test_equal(request_run(a, DISK_WRITE, 8192, data, 4096), 0);
	test_equal(request_run(a, DISK_FLUSH, 0, NULL, 0), 0);
	test_equal(request_run(b, DISK_READ, 8192, back, 4096), 0);
	test_equal(back[0], 0);
	test_equal(request_run(a, DISK_READ, 8192, back, 4096), 0);
	test_equal(back[4095], 'a');
	refused("a.qcow2", "in use by another guest");
	refused("mid.qcow2", "in use by another guest");
	test_equal(request_run(a, DISK_PUNCH, 8192, NULL, 4096), 0);
	test_equal(request_run(a, DISK_READ, 8192, back, 4096), 0);
	test_equal(back[4095], 0);
	disk_close(a);
	disk_close(b);
	run("qemu-img check a.qcow2");
}

static void bad_chains(void)
{
	run("qemu-img create -f qcow2 one.qcow2 1M");
	run("qemu-img create -f qcow2 -u -b gone.img -F raw none.qcow2 1M");
	run("qemu-img create -f qcow2 self.qcow2 1M && "
	    "qemu-img rebase -u -b self.qcow2 -F qcow2 self.qcow2");
	run("qemu-img create -f qcow2 -u -b nbd://host/x -F raw far.qcow2 1M");
	run("cp one.qcow2 cut.qcow2; truncate -s 70000 cut.qcow2");
	refused("none.qcow2", "gone.img: cannot be opened");
	refused("self.qcow2", "backing file");
	refused("far.qcow2", "not a file on this host");
	refused("cut.qcow2", "cut off");
	refused("one.qcow2x", "No such file");
}

/* The daemon is killed: the guest is paused, another is started, nothing is lost. */
static void daemon_dies(void)
{
	char data[4096] = "after", back[4096] = "";
	struct disk *disk;
	struct request request;

	run("qemu-img create -f qcow2 dies.qcow2 1M");
	disk = open_as("dies.qcow2", false, NULL);
	test_assert(disk);
	test_equal(request_run(disk, DISK_WRITE, 0, data, 4096), 0);
	test_equal(request_run(disk, DISK_FLUSH, 0, NULL, 0), 0);
	host_pauses = host_resumes = 0;
	run("pkill -KILL -P %d qemu-storage-da", (int)getpid());
	for (unsigned i = 0; i < 5000 && !host_resumes; i++) {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(1000);
	}
	test_equal(host_pauses, 1);
	test_equal(host_resumes, 1);
	request_start(&request, disk, DISK_READ, 0, back, 4096);
	disk_reap(disk, true);
	test_assert(request.ended && request.result == 0);
	test_assert(strcmp(back, "after") == 0);
	test_equal(request_run(disk, DISK_FLUSH, 0, NULL, 0), 0);
	disk_close(disk);
}

int main(void)
{
	g_autofree char *daemon = g_find_program_in_path("qemu-storage-daemon");
	g_autofree char *img = g_find_program_in_path("qemu-img");
	g_autofree char *clean = NULL;

	g_log_set_default_handler(host_quiet, NULL);
	host_open();
	test_run(headers);
	if (!daemon || !img)
		test_skip("qemu-storage-daemon and qemu-img are not both there");
	folder = host_folder();
	test_run(chains);
	test_run(bad_chains);
	test_run(daemon_dies);
	clean = g_strdup_printf("rm -rf '%s'", folder);
	return system(clean);
}

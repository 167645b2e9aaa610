/* virtio-blk, from its guest's side: on io_uring and without, and with a driver that means harm. */
#include "vmm/virtio_blk.c"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/blk_type.h"
#include "tests/unit/virtio/guest.h"

enum {
	DISK = 1 << 20,
	SECTORS = DISK / 512,
};

static struct guest guest;
static char path[] = "/tmp/irori-test-blk-XXXXXX";
static unsigned engine;

static void plug_as(bool read_only, uint64_t features)
{
	struct disk_config config = {.path = path, .read_only = read_only, .engine = engine};

	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &blk_type, &config, NULL));
	guest_start(&guest, features);
}

static void plug(void)
{
	plug_as(false, BLK_F_FLUSH | BLK_F_DISCARD | BLK_F_WRITE_ZEROES);
}

static void disk_put(off_t offset, const char *text)
{
	int fd = open(path, O_WRONLY);

	test_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
	close(fd);
}

static void disk_get(off_t offset, char *text, size_t len)
{
	int fd = open(path, O_RDONLY);

	test_equal(pread(fd, text, len, offset), len);
	close(fd);
}

static void disk_fresh(void)
{
	test_equal(truncate(path, 0), 0);
	test_equal(truncate(path, DISK), 0);
}

static uint64_t put_header(uint32_t type, uint64_t sector)
{
	struct blk_header header = {.type = type, .sector = sector};

	return guest_put(&guest, &header, sizeof(header));
}

/* One request with `len` bytes of data at `data`; its status, or -1 when none came. */
static int request_at(uint32_t type, uint64_t sector, uint64_t data, uint32_t len,
	uint32_t *written)
{
	uint64_t status = guest_alloc(&guest, 1);
	struct guest_buffer buffer[3] = {{put_header(type, sector), 16, false}};
	bool in = type == BLK_T_IN || type == BLK_T_GET_ID;
	unsigned n = 1;
	uint32_t id;

	if (len > 0)
		buffer[n++] = (struct guest_buffer){data, len, in};
	buffer[n++] = (struct guest_buffer){status, 1, true};
	*(uint8_t *)guest_at(&guest, status, 1) = 0xff;
	guest_add(&guest, 0, buffer, n);
	guest_kick(&guest, 0);
	if (!guest_wait_used(&guest, 0, &id, written))
		return -1;
	return *(uint8_t *)guest_at(&guest, status, 1);
}

static int request(uint32_t type, uint64_t sector, uint64_t data, uint32_t len)
{
	uint32_t written;

	return request_at(type, sector, data, len, &written);
}

static void configuration(void)
{
	disk_fresh();
	plug();
	test_equal(guest_config_read(&guest, 0, 8), SECTORS);
	test_equal(guest_config_read(&guest, 12, 4), BLK_SEGMENTS);
	test_equal(guest_config_read(&guest, 20, 4), 512);
	test_equal(sizeof(struct blk_space), 60);
	guest_close(&guest);
}

static void reads_and_writes(void)
{
	char text[6] = "";
	uint64_t data;
	uint32_t written;

	disk_fresh();
	disk_put(512 * 3 + 5, "hello");
	plug();
	data = guest_alloc(&guest, 4096);
	test_equal(request_at(BLK_T_IN, 2, data, 1024, &written), BLK_S_OK);
	test_equal(written, 1025);
	test_assert(memcmp(guest_at(&guest, data + 512 + 5, 5), "hello", 5) == 0);
	memcpy(guest_at(&guest, data, 5), "world", 5);
	test_equal(request_at(BLK_T_OUT, SECTORS - 8, data, 4096, &written), BLK_S_OK);
	test_equal(written, 1);
	disk_get(DISK - 4096, text, 5);
	test_assert(strcmp(text, "world") == 0);
	test_equal(request(BLK_T_FLUSH, 0, 0, 0), BLK_S_OK);
	test_equal(request(BLK_T_IN, 0, data, 0), BLK_S_OK); /* nothing is no error */
	test_assert(guest.raised[0] > 0);
	guest_close(&guest);
}

static void write_through(void)
{
	uint64_t data;

	disk_fresh();
	plug_as(false, 0); /* a driver that never flushes */
	data = guest_alloc(&guest, 512);
	test_equal(request(BLK_T_OUT, 0, data, 512), BLK_S_OK);
	guest_close(&guest);
}

static void beyond_the_end(void)
{
	static const struct {
		uint64_t sector;
		uint32_t len;
	} cases[] = {
		{SECTORS, 512},
		{SECTORS - 1, 1024},
		{UINT64_MAX, 512},
		{UINT64_MAX / 512, 512},
		{1ull << 55, 512},
		{0, 511},
		{0, 513},
		{0, 1},
	};
	char text[4] = "";
	uint64_t data;

	disk_fresh();
	plug();
	data = guest_alloc(&guest, 4096);
	memset(guest_at(&guest, data, 4096), 7, 4096);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		test_equal(request(BLK_T_IN, cases[i].sector, data, cases[i].len), BLK_S_IOERR);
		test_equal(request(BLK_T_OUT, cases[i].sector, data, cases[i].len), BLK_S_IOERR);
	}
	test_equal(*(uint8_t *)guest_at(&guest, data, 1), 7);
	disk_get(0, text, 1);
	test_equal(text[0], 0);
	test_equal(request(BLK_T_IN, 0, data, 512), BLK_S_OK); /* and the disk goes on */
	guest_close(&guest);
}

static void read_only(void)
{
	uint64_t data;

	disk_fresh();
	plug_as(true, BLK_F_RO);
	data = guest_alloc(&guest, 512);
	guest_write(&guest, COMMON_OFFERED_SELECT, 4, 0);
	test_assert(guest_read(&guest, COMMON_OFFERED, 4) & BLK_F_RO);
	test_assert(!(guest_read(&guest, COMMON_OFFERED, 4) & BLK_F_DISCARD));
	test_equal(request(BLK_T_OUT, 0, data, 512), BLK_S_IOERR);
	test_equal(request(BLK_T_DISCARD, 0, data, 16), BLK_S_IOERR);
	test_equal(request(BLK_T_IN, 0, data, 512), BLK_S_OK);
	guest_close(&guest);
}

static void identity_and_strangers(void)
{
	uint64_t data;
	uint32_t written;

	disk_fresh();
	plug();
	data = guest_alloc(&guest, 64);
	test_equal(request_at(BLK_T_GET_ID, 0, data, 20, &written), BLK_S_OK);
	test_equal(written, 21);
	test_assert(strcmp(guest_at(&guest, data, 20), "test") == 0);
	test_equal(request_at(BLK_T_GET_ID, 0, data, 3, &written), BLK_S_OK);
	test_equal(written, 4);
	test_equal(request(2, 0, data, 16), BLK_S_UNSUPP);
	test_equal(request(BLK_T_COUNT, 0, data, 16), BLK_S_UNSUPP);
	test_equal(request(UINT32_MAX, 0, data, 16), BLK_S_UNSUPP);
	guest_close(&guest);
}

static int erase(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct blk_erase range = {sector, sectors, flags};

	return request(type, sector, guest_put(&guest, &range, sizeof(range)), sizeof(range));
}

static void erasing(void)
{
	char text[8];

	disk_fresh();
	disk_put(4096, "discard");
	disk_put(8192, "zeroes");
	disk_put(12288, "stays");
	plug();
	test_equal(erase(BLK_T_DISCARD, 8, 8, 0), BLK_S_OK);
	disk_get(4096, text, 8);
	test_equal(text[0], 0);
	test_equal(erase(BLK_T_WRITE_ZEROES, 16, 8, BLK_ERASE_UNMAP), BLK_S_OK);
	disk_get(8192, text, 8);
	test_equal(text[0], 0);
	/* A file system may not know how to; it is no error of the disk then. */
	test_assert(erase(BLK_T_WRITE_ZEROES, 40, 8, 0) != BLK_S_IOERR);
	test_equal(erase(BLK_T_DISCARD, 24, 0, 0), BLK_S_OK);
	test_equal(erase(BLK_T_DISCARD, 24, 8, BLK_ERASE_UNMAP), BLK_S_UNSUPP);
	test_equal(erase(BLK_T_WRITE_ZEROES, 24, 8, 2), BLK_S_UNSUPP);
	test_equal(erase(BLK_T_DISCARD, SECTORS - 1, 2, 0), BLK_S_IOERR);
	test_equal(erase(BLK_T_DISCARD, UINT64_MAX, 1, 0), BLK_S_IOERR);
	test_equal(erase(BLK_T_DISCARD, 24, UINT32_MAX, 0), BLK_S_IOERR);
	test_equal(request(BLK_T_DISCARD, 0, 0x100, 15), BLK_S_IOERR);
	test_equal(request(BLK_T_DISCARD, 0, 0x100, 32), BLK_S_IOERR);
	disk_get(12288, text, 8);
	test_assert(strcmp(text, "stays") == 0);
	guest_close(&guest);
}

/* The header in pieces, data in the header's buffer, the status at the end of the data's. */
static void odd_framing(void)
{
	uint64_t header, status, both;
	uint32_t id, written;
	char text[4];

	disk_fresh();
	plug();
	header = guest_alloc(&guest, 16 + 512);
	memcpy(guest_at(&guest, header, 16), &(struct blk_header){.type = BLK_T_OUT, .sector = 1},
		16);
	memcpy(guest_at(&guest, header + 16, 3), "abc", 3);
	status = guest_alloc(&guest, 1);
	guest_add(&guest, 0,
		(struct guest_buffer[]){{header, 3, false}, {header + 3, 10, false},
			{header + 13, 400, false}, {header + 413, 115, false}, {status, 1, true}},
		5);
	guest_kick(&guest, 0);
	test_assert(guest_wait_used(&guest, 0, &id, &written));
	test_equal(*(uint8_t *)guest_at(&guest, status, 1), BLK_S_OK);
	disk_get(512, text, 3);
	test_assert(memcmp(text, "abc", 3) == 0);
	both = guest_alloc(&guest, 513);
	guest_add(&guest, 0,
		(struct guest_buffer[]){{put_header(BLK_T_IN, 1), 16, false}, {both, 100, true},
			{both + 100, 413, true}},
		3);
	guest_kick(&guest, 0);
	test_assert(guest_wait_used(&guest, 0, &id, &written));
	test_equal(written, 513);
	test_assert(memcmp(guest_at(&guest, both, 3), "abc", 3) == 0);
	test_equal(*(uint8_t *)guest_at(&guest, both + 512, 1), BLK_S_OK);
	guest_close(&guest);
}

static void short_header(void)
{
	uint64_t status;
	uint32_t id, written;

	disk_fresh();
	plug();
	status = guest_alloc(&guest, 1);
	guest_add(&guest, 0,
		(struct guest_buffer[]){{put_header(BLK_T_IN, 0), 15, false}, {status, 1, true}}, 2);
	guest_kick(&guest, 0);
	test_assert(guest_wait_used(&guest, 0, &id, &written));
	test_equal(*(uint8_t *)guest_at(&guest, status, 1), BLK_S_IOERR);
	guest_close(&guest);
}

static void no_status_byte(void)
{
	disk_fresh();
	plug();
	guest_add(&guest, 0, (struct guest_buffer[]){{put_header(BLK_T_IN, 0), 16, false}}, 1);
	guest_kick(&guest, 0);
	test_assert(guest_needs_reset(&guest));
	guest_start(&guest, 0);
	test_equal(request(BLK_T_IN, 0, guest_alloc(&guest, 512), 512), BLK_S_OK);
	guest_close(&guest);
}

/* Somebody cuts the file under the guest's feet. */
static void file_fails(void)
{
	uint64_t data;

	disk_fresh();
	plug();
	data = guest_alloc(&guest, 1024);
	test_equal(truncate(path, 512), 0);
	test_equal(request(BLK_T_IN, 100, data, 512), BLK_S_IOERR);
	test_equal(request(BLK_T_IN, 0, data, 1024), BLK_S_IOERR); /* half of it is there */
	test_equal(request(BLK_T_IN, 0, data, 512), BLK_S_OK);
	guest_close(&guest);
}

/* The same bytes of guest memory over and over, adding up to more than a request may have. */
static void too_long(void)
{
	uint64_t table, data, status;
	uint32_t id, written, part = 1 << 21;

	disk_fresh();
	plug_as(false, VIRTIO_F_INDIRECT_DESC);
	table = guest_alloc(&guest, 16 * 256);
	status = guest_alloc(&guest, 1);
	data = guest_alloc(&guest, part);
	guest_desc_in(&guest, table, 0, put_header(BLK_T_IN, 0), 16, DESC_NEXT, 1);
	for (unsigned i = 1; i < 255; i++)
		guest_desc_in(&guest, table, i, data, part, DESC_NEXT | DESC_WRITE, i + 1);
	guest_desc_in(&guest, table, 255, status, 1, DESC_WRITE, 0);
	guest_desc(&guest, 0, 0, table, 16 * 256, DESC_INDIRECT, 0);
	guest_make_available(&guest, 0, 0);
	guest_kick(&guest, 0);
	test_assert(guest_wait_used(&guest, 0, &id, &written));
	test_equal(*(uint8_t *)guest_at(&guest, status, 1), BLK_S_IOERR);
	test_equal(written, 1);
	guest_close(&guest);
}

static void fill_ring(unsigned n, uint64_t data, uint64_t status)
{
	for (unsigned i = 0; i < n; i++)
		guest_add(&guest, 0,
			(struct guest_buffer[]){{put_header(BLK_T_IN, i), 16, false},
				{data + 512 * i, 512, true}, {status + i, 1, true}},
			3);
}

static void more_than_fit(void)
{
	unsigned n = 85; /* of three descriptors each, in a ring of 256; 64 go at once */
	uint64_t data, status;
	uint32_t id, written;

	disk_fresh();
	disk_put(512 * 84, "last");
	plug();
	data = guest_alloc(&guest, 512 * n);
	status = guest_alloc(&guest, n);
	memset(guest_at(&guest, status, n), 0xff, n);
	fill_ring(n, data, status);
	guest_kick(&guest, 0);
	for (unsigned i = 0; i < n; i++)
		test_assert(guest_wait_used(&guest, 0, &id, &written));
	for (unsigned i = 0; i < n; i++)
		test_equal(*(uint8_t *)guest_at(&guest, status + i, 1), BLK_S_OK);
	test_assert(memcmp(guest_at(&guest, data + 512 * 84, 4), "last", 4) == 0);
	test_equal(((struct blk *)guest.device)->under_way, 0);
	guest_close(&guest);
}

static void reset_with_requests_under_way(void)
{
	uint64_t data, status;
	uint32_t id, written;
	uint16_t used = 0;

	disk_fresh();
	plug();
	for (unsigned round = 0; round < 20; round++) {
		data = guest_alloc(&guest, 512 * 64);
		status = guest_alloc(&guest, 64);
		memset(guest_at(&guest, status, 64), 0xff, 64);
		fill_ring(64, data, status);
		guest_write(&guest, VIRTIO_PCI_NOTIFY, 2, 0);
		g_main_context_iteration(guest.machine.main_context, FALSE);
		guest_write(&guest, COMMON_DEVICE_STATUS, 1, 0);
		test_equal(((struct blk *)guest.device)->under_way, 0);
		/* From here on the pages are the guest's alone. */
		memset(guest_at(&guest, data, 512 * 64), 0x5a, 512 * 64);
		memory_read(guest.machine.memory, guest.queue[0].used + 2, &used, 2);
		guest_spin(&guest);
		test_equal(used, *(uint16_t *)guest_at(&guest, guest.queue[0].used + 2, 2));
		for (unsigned i = 0; i < 512 * 64; i++)
			test_equal(*(uint8_t *)guest_at(&guest, data + i, 1), 0x5a);
		guest.heap = GUEST_HEAP;
		memset(guest.queue, 0, sizeof(guest.queue));
		memset(guest_at(&guest, 0, GUEST_MEMORY), 0, GUEST_MEMORY);
		guest_start(&guest, BLK_F_FLUSH);
	}
	test_equal(request(BLK_T_IN, 0, guest_alloc(&guest, 512), 512), BLK_S_OK);
	test_assert(!guest_used(&guest, 0, &id, &written));
	guest_close(&guest);
}

static void files_refused(void)
{
	static const char *const wrong[] = {"/nonexistent/disk", "/tmp", "/dev/null"};
	struct disk_config config = {.path = path};
	struct guest second;
	GError *error = NULL;

	disk_fresh();
	guest_open(&guest, GUEST_MEMORY);
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct disk_config bad = {.path = (char *)wrong[i]};

		test_assert(!guest_plug(&guest, &blk_type, &bad, &error));
		test_assert(strstr(error->message, wrong[i]));
		g_clear_error(&error);
	}
	/* One writer, or any number of readers. */
	test_assert(guest_plug(&guest, &blk_type, &config, NULL));
	guest_open(&second, GUEST_MEMORY);
	test_assert(!guest_plug(&second, &blk_type, &config, &error));
	g_clear_error(&error);
	config.read_only = true;
	test_assert(!guest_plug(&second, &blk_type, &config, &error));
	g_clear_error(&error);
	guest_unplug(&guest);
	test_assert(guest_plug(&guest, &blk_type, &config, NULL));
	test_assert(guest_plug(&second, &blk_type, &config, NULL));
	guest_close(&second);
	guest_close(&guest);
	test_equal(truncate(path, 511), 0);
	guest_open(&guest, GUEST_MEMORY);
	test_assert(!guest_plug(&guest, &blk_type, &config, NULL));
	guest_close(&guest);
}

static void all(void)
{
	test_run(configuration);
	test_run(reads_and_writes);
	test_run(write_through);
	test_run(beyond_the_end);
	test_run(read_only);
	test_run(identity_and_strangers);
	test_run(erasing);
	test_run(odd_framing);
	test_run(short_header);
	test_run(no_status_byte);
	test_run(file_fails);
	test_run(too_long);
	test_run(more_than_fit);
	test_run(reset_with_requests_under_way);
	test_run(files_refused);
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

int main(void)
{
	int fd = mkstemp(path);

	test_assert(fd >= 0);
	close(fd);
	g_log_set_default_handler(quiet, NULL);
	printf("# engine auto\n");
	engine = DISK_ENGINE_AUTO;
	all();
	printf("# engine sync\n");
	engine = DISK_ENGINE_SYNC;
	all();
	unlink(path);
	return 0;
}

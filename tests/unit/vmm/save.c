/*
 * The file of a saved guest: its memory and state come back, holes stay holes, and a header that
 * lies about any length is refused before anything is allocated for it.
 */
#include "vmm/save.c"

#include "tests/unit/test.h"

static char *folder, *path;
static uint32_t secret;

/* In the place of machine.c: a machine of one number. */
void machine_state(struct machine *machine, struct state *state, int64_t slept_ns)
{
	test_assert(slept_ns >= 0);
	state_section(state, "Test");
	STATE(state, secret);
}

static struct config_file *config(void)
{
	static const char text[] = "[Guest]\nName=test\n";

	return config_file_parse(text, strlen(text), path, NULL);
}

static void write_guest(void)
{
	struct machine machine = { .memory = memory_new(1 << 20, NULL) };
	struct config_file *file = config();
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memory_write(machine.memory, 0x12345, "hello", 6);
	memory_write(machine.memory, (1 << 20) - 4, "end", 4);
	secret = 42;
	test_assert(save_write(&machine, file, fd, NULL));
	close(fd);
	config_file_free(file);
	memory_free(machine.memory);
}

static void comes_back(void)
{
	struct machine machine = { .memory = memory_new(1 << 20, NULL) };
	struct save_file *file;
	struct stat status;
	char text[6], end[4];

	write_guest();
	test_assert(!stat(path, &status));
	test_assert(status.st_blocks * 512 < 1 << 19); /* 1 MiB of which two pages are in use */
	file = save_open(path, NULL);
	test_assert(file);
	test_assert(!strcmp(config_file_name(save_config(file)), path));
	memory_write(machine.memory, 0x5000, "old", 4);
	secret = 0;
	test_assert(save_load(file, &machine, NULL));
	test_equal(secret, 42);
	memory_read(machine.memory, 0x12345, text, 6);
	memory_read(machine.memory, (1 << 20) - 4, end, 4);
	test_assert(!strcmp(text, "hello") && !strcmp(end, "end"));
	memory_read(machine.memory, 0x5000, end, 4);
	test_equal(end[0], 0);
	save_close(file);
	memory_free(machine.memory);
}

/* What was plugged in comes back as well; a machine without the room is another one. */
static void room_comes_back(void)
{
	struct machine machine = { .memory = memory_new_with_room(1 << 20, 2 * MEMORY_BLOCK, NULL) };
	uint64_t at = memory_room(machine.memory)->gpa + MEMORY_BLOCK + 0x3000;
	struct config_file *text = config();
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct save_file *file;
	char back[6] = "";

	memory_plug(machine.memory, 1, 1);
	test_assert(memory_write(machine.memory, at, "hello", 6));
	test_assert(save_write(&machine, text, fd, NULL));
	memory_clear(machine.memory);
	file = save_open(path, NULL);
	test_assert(file && save_load(file, &machine, NULL));
	test_assert(memory_read(machine.memory, at, back, 6) && !strcmp(back, "hello"));
	memory_free(machine.memory);
	machine.memory = memory_new(1 << 20, NULL);
	test_assert(!save_load(file, &machine, NULL));
	memory_free(machine.memory);
	save_close(file);
	close(fd);
	config_file_free(text);
	write_guest();
}

static void another_size_is_refused(void)
{
	struct machine machine = { .memory = memory_new(2 << 20, NULL) };
	struct save_file *file = save_open(path, NULL);
	g_autoptr(GError) error = NULL;

	test_assert(!save_load(file, &machine, &error));
	test_assert(strstr(error->message, path));
	save_close(file);
	memory_free(machine.memory);
}

static void lying_headers_are_refused(void)
{
	static const uint64_t lies[] = { 0, 1, 1 << 20, UINT32_MAX, 1ull << 40, INT64_MAX, UINT64_MAX };
	struct save_header good, bad;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	test_assert(read_at(fd, &good, sizeof(good), 0));
	for (unsigned field = 0; field < 7; field++)
		for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
			g_autoptr(GError) error = NULL;

			bad = good;
			switch (field) {
			case 0: bad.path_len = (uint32_t)lies[i]; break;
			case 1: bad.config_len = (uint32_t)lies[i]; break;
			case 2: bad.memory_len = lies[i]; break;
			case 3: bad.memory_offset = lies[i]; break;
			case 4: bad.version = (uint32_t)lies[i]; break;
			case 5: bad.realtime_ns = INT64_MIN + (int64_t)(lies[i] & 0xff); break;
			default: bad.magic[i] ^= 1; break;
			}
			if (!memcmp(&bad, &good, sizeof(good)))
				continue;
			test_assert(write_at(fd, &bad, sizeof(bad), 0, NULL));
			struct save_file *file = save_open(path, &error);

			test_assert(file || error);
			/* A configuration that is cut off may still be one. */
			test_assert(!file || field == 1 || field == 0);
			save_close(file);
		}
	close(fd);
}

static void a_refusal_can_be_read(void)
{
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	save_refuse(fd, "no room");
	test_equal(pread(fd, text, sizeof(text), 0), 15);
	test_assert(!memcmp(text, "IRORIERRno room", 15));
	test_assert(!save_open(path, NULL));
	close(fd);
}

int main(void)
{
	folder = g_dir_make_tmp("irori-save-XXXXXX", NULL);
	path = g_build_filename(folder, "guest", NULL);
	test_run(comes_back);
	test_run(room_comes_back);
	test_run(another_size_is_refused);
	test_run(lying_headers_are_refused);
	test_run(a_refusal_can_be_read);
	unlink(path);
	rmdir(folder);
	g_free(path);
	g_free(folder);
	return 0;
}

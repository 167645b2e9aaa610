/*
 * Writing and reading the file of a saved guest. What is read is hostile: every length is checked
 * against the file before anything is allocated for it.
 */
#include "vmm/save.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/machine.h"
#include "vmm/property.h"
#include "vmm/state.h"

enum save_limits {
	SAVE_VERSION = 1,
	SAVE_PATH_MAX = 4096,
	SAVE_CONFIG_MAX = 1 << 20,
	SAVE_CHUNK = 64 << 10,
};

static const char save_magic[8] = "IRORISAV", save_error_magic[8] = "IRORIERR";

struct save_header {
	char magic[8];
	uint32_t version, path_len, config_len, reserved;
	uint64_t state_len, memory_len, memory_offset;
	int64_t realtime_ns;
};

struct save_file {
	int fd;
	char *path;
	struct save_header header;
	struct config_file *config;
};

static bool write_at(int fd, const void *from, size_t len, uint64_t at, GError **error)
{
	const uint8_t *bytes = from;

	while (len) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(error, errno, "the saved guest cannot be written: %s",
				g_strerror(n ? errno : ENOSPC));
		bytes += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_at(int fd, void *to, size_t len, uint64_t at)
{
	uint8_t *bytes = to;

	while (len) {
		ssize_t n = pread(fd, bytes, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

/* A part of memory from where the memfd has pages on; what is zero is left a hole in the file. */
static bool write_part(int fd, const struct guest_memory *memory, const struct memory_part *part,
	uint64_t in_memfd, uint64_t at, GError **error)
{
	uint64_t done = 0;

	while (done < part->len) {
		off_t data = lseek(memory_fd(memory), (off_t)(in_memfd + done), SEEK_DATA);
		size_t len;

		if (data < 0 || (uint64_t)data >= in_memfd + part->len)
			return data >= 0 || errno == ENXIO ||
				fail_errno(error, errno, "guest memory: %s", g_strerror(errno));
		done = ((uint64_t)data - in_memfd) & ~(uint64_t)(SAVE_CHUNK - 1);
		len = (size_t)MIN(SAVE_CHUNK, part->len - done);
		if (!is_zero((const uint8_t *)part->host + done, len) &&
			!write_at(fd, (const uint8_t *)part->host + done, len, at + done, error))
			return false;
		done += len;
	}
	return true;
}

static bool write_memory(int fd, const struct guest_memory *memory, uint64_t at, GError **error)
{
	const struct memory_part *part;
	uint64_t offset = 0;

	for (unsigned i = 0; (part = memory_mapping(memory, i)); i++) {
		if (!write_part(fd, memory, part, offset, at + offset, error))
			return false;
		offset += part->len;
	}
	if (ftruncate(fd, (off_t)(at + offset)) < 0)
		return fail_errno(error, errno, "the saved guest cannot be written: %s",
			g_strerror(errno));
	return true;
}

static GBytes *state_save(struct machine *machine, GError **error)
{
	struct state *state = state_new_saving();
	GBytes *bytes = NULL;
	GError *failed;

	machine_state(machine, state, 0);
	failed = state_error(state);
	if (failed)
		g_propagate_error(error, failed);
	else
		bytes = state_take(state);
	state_free(state);
	return bytes;
}

static bool write_all(struct machine *machine, const struct config_file *config, int fd,
	GError **error)
{
	g_autofree char *path = g_canonicalize_filename(config_file_name(config), NULL);
	g_autofree char *text = config_file_text(config);
	g_autoptr(GBytes) state = state_save(machine, error);
	struct save_header header = {
		.version = SAVE_VERSION,
		.path_len = (uint32_t)strlen(path),
		.config_len = (uint32_t)strlen(text),
		.memory_len = memory_total(machine->memory),
		.realtime_ns = g_get_real_time() * 1000,
	};
	uint64_t at = sizeof(header);

	if (!state)
		return false;
	if (header.path_len > SAVE_PATH_MAX || header.config_len > SAVE_CONFIG_MAX)
		return fail(error, "its configuration is too long to be saved");
	memcpy(header.magic, save_magic, sizeof(header.magic));
	header.state_len = g_bytes_get_size(state);
	header.memory_offset = (at + header.path_len + header.config_len + header.state_len +
		SAVE_CHUNK - 1) & ~(uint64_t)(SAVE_CHUNK - 1);
	if (!write_at(fd, path, header.path_len, at, error) ||
		!write_at(fd, text, header.config_len, at += header.path_len, error) ||
		!write_at(fd, g_bytes_get_data(state, NULL), header.state_len,
			at += header.config_len, error) ||
		!write_memory(fd, machine->memory, header.memory_offset, error))
		return false;
	/* The header comes when everything else is there. */
	if (fsync(fd) < 0)
		return fail_errno(error, errno, "the saved guest cannot be written: %s",
			g_strerror(errno));
	return write_at(fd, &header, sizeof(header), 0, error) &&
		(!fsync(fd) || fail_errno(error, errno, "the saved guest cannot be written: %s",
			g_strerror(errno)));
}

/* On a full disk this takes back what was written, and so finds room. */
void save_refuse(int fd, const char *why)
{
	if (ftruncate(fd, 0) == 0 &&
		write_at(fd, why, strlen(why), sizeof(save_error_magic), NULL))
		write_at(fd, save_error_magic, sizeof(save_error_magic), 0, NULL);
}

bool save_write(struct machine *machine, const struct config_file *config, int fd, GError **error)
{
	g_autoptr(GError) inner = NULL;

	if (ftruncate(fd, 0) < 0)
		return fail_errno(error, errno, "the saved guest cannot be written: %s",
			g_strerror(errno));
	if (write_all(machine, config, fd, &inner))
		return true;
	save_refuse(fd, inner->message);
	g_propagate_error(error, g_steal_pointer(&inner));
	return false;
}

static bool header_check(const struct save_header *header, uint64_t size, GError **error)
{
	uint64_t head = sizeof(*header);

	if (memcmp(header->magic, save_magic, sizeof(save_magic)))
		return fail_as(error, EX_DATAERR, "not a saved guest");
	if (header->version != SAVE_VERSION)
		return fail_as(error, EX_DATAERR, "saved in format %u, this is %u",
			header->version, SAVE_VERSION);
	head += (uint64_t)header->path_len + header->config_len;
	if (header->path_len == 0 || header->path_len > SAVE_PATH_MAX ||
		header->config_len > SAVE_CONFIG_MAX || header->state_len > STATE_MAX ||
		header->memory_offset < head + header->state_len || header->memory_offset > size ||
		header->memory_len != size - header->memory_offset || header->realtime_ns < 0)
		return fail_as(error, EX_DATAERR, "damaged, or not whole");
	return true;
}

static bool config_load(struct save_file *file, GError **error)
{
	const struct save_header *header = &file->header;
	g_autofree char *path = g_malloc0(header->path_len + 1u);
	g_autofree char *text = g_malloc0(header->config_len + 1u);

	if (!read_at(file->fd, path, header->path_len, sizeof(*header)) ||
		!read_at(file->fd, text, header->config_len, sizeof(*header) + header->path_len) ||
		strlen(path) != header->path_len || !g_path_is_absolute(path))
		return fail_as(error, EX_DATAERR, "damaged, or not whole");
	file->config = config_file_parse(text, header->config_len, path, error);
	return file->config;
}

struct save_file *save_open(const char *path, GError **error)
{
	struct save_file *file = g_new0(struct save_file, 1);
	g_autoptr(GError) inner = NULL;
	struct stat status;

	file->path = g_strdup(path);
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &status) < 0)
		fail_errno(&inner, errno, "%s", g_strerror(errno));
	else if (!S_ISREG(status.st_mode) ||
		!read_at(file->fd, &file->header, sizeof(file->header), 0))
		fail_as(&inner, EX_DATAERR, "not a saved guest");
	else if (header_check(&file->header, (uint64_t)status.st_size, &inner) &&
		config_load(file, &inner))
		return file;
	g_propagate_prefixed_error(error, g_steal_pointer(&inner), "%s: ", path);
	save_close(file);
	return NULL;
}

void save_close(struct save_file *file)
{
	if (!file)
		return;
	config_file_free(file->config);
	if (file->fd >= 0)
		close(file->fd);
	g_free(file->path);
	g_free(file);
}

const struct config_file *save_config(const struct save_file *file)
{
	return file->config;
}

static bool read_part(struct save_file *file, const struct memory_part *part, uint64_t at)
{
	uint64_t done = 0;

	while (done < part->len) {
		off_t data = lseek(file->fd, (off_t)(at + done), SEEK_DATA), hole;
		uint64_t len;

		if (data < 0)
			return errno == ENXIO;
		if ((uint64_t)data >= at + part->len)
			return true;
		hole = lseek(file->fd, data, SEEK_HOLE);
		if (hole <= data)
			return false;
		done = (uint64_t)data - at;
		len = MIN((uint64_t)hole - (uint64_t)data, part->len - done);
		if (!read_at(file->fd, (uint8_t *)part->host + done, len, (uint64_t)data))
			return false;
		done += len;
	}
	return true;
}

static bool load_memory(struct save_file *file, struct guest_memory *memory, GError **error)
{
	const struct memory_part *part;
	uint64_t offset = file->header.memory_offset;

	if (file->header.memory_len != memory_total(memory))
		return fail_as(error, EX_DATAERR, "has %" G_GUINT64_FORMAT " bytes of memory, its "
			"configuration %" G_GUINT64_FORMAT, file->header.memory_len, memory_total(memory));
	if (memory_clear(memory))
		return fail_as(error, EX_OSERR, "guest memory cannot be cleared");
	for (unsigned i = 0; (part = memory_mapping(memory, i)); i++) {
		if (!read_part(file, part, offset))
			return fail_as(error, EX_IOERR, "its memory cannot be read: %s",
				g_strerror(errno));
		offset += part->len;
	}
	return true;
}

static bool load_state(struct save_file *file, struct machine *machine, GError **error)
{
	const struct save_header *header = &file->header;
	uint64_t at = sizeof(*header) + header->path_len + header->config_len;
	uint8_t *bytes = g_try_malloc(header->state_len + 1);
	int64_t slept = g_get_real_time() * 1000 - header->realtime_ns;
	struct state *state;
	GError *failed;

	if (!bytes || !read_at(file->fd, bytes, header->state_len, at)) {
		g_free(bytes);
		return fail_as(error, EX_IOERR, "its state cannot be read");
	}
	state = state_new_loading(g_bytes_new_take(bytes, header->state_len));
	/* A clock of the host that was set back must not set the guest's back. */
	machine_state(machine, state, MAX(slept, 0));
	if (!state_failed(state) && !state_at_end(state))
		state_fail(state, "there is more than this configuration has");
	failed = state_error(state);
	state_free(state);
	if (failed)
		g_propagate_error(error, failed);
	return !failed;
}

bool save_load(struct save_file *file, struct machine *machine, GError **error)
{
	g_autoptr(GError) inner = NULL;

	if (load_memory(file, machine->memory, &inner) && load_state(file, machine, &inner))
		return true;
	g_propagate_prefixed_error(error, g_steal_pointer(&inner), "%s: ", file->path);
	return false;
}

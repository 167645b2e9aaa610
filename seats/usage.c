/*
 * See usage.h. A line a number, in one order; whatever differs is damage.
 */
#include "seats/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "seats/file.h"
#include "vmm/error.h"

enum {
	USAGE_MAX_BYTES = 512,
};

static const char header[] = "irori usage 1\n";

static const struct usage_field {
	const char *name;
	size_t offset;
} fields[] = {
	{ "day", offsetof(struct usage, day) },
	{ "used_us", offsetof(struct usage, used_us) },
	{ "extra_us", offsetof(struct usage, extra_us) },
	{ "extra_until_s", offsetof(struct usage, extra_until_s) },
	{ "free_until_s", offsetof(struct usage, free_until_s) },
};

/* "NAME NUMBER\n" at *at, which is moved behind it. */
static bool parse_line(const char **at, const char *name, int64_t *value)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(*at, name, len) || (*at)[len] != ' ')
		return false;
	*at += len + 1;
	if (!g_ascii_isdigit(**at) && **at != '-')
		return false;
	errno = 0;
	*value = g_ascii_strtoll(*at, &end, 10);
	if (errno || *end != '\n')
		return false;
	*at = end + 1;
	return true;
}

static bool parse_fields(const char *at, struct usage *usage)
{
	int64_t warned;

	if (strncmp(at, header, strlen(header)))
		return false;
	at += strlen(header);
	for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
		if (!parse_line(&at, fields[i].name,
			    (int64_t *)((char *)usage + fields[i].offset)))
			return false;
	if (!parse_line(&at, "warned", &warned) || warned < 0 || warned > UINT32_MAX || *at)
		return false;
	usage->warned = (uint32_t)warned;
	return true;
}

bool usage_parse(const char *text, size_t len, struct usage *usage)
{
	char copy[USAGE_MAX_BYTES + 1];

	memset(usage, 0, sizeof(*usage));
	if (len > USAGE_MAX_BYTES || memchr(text, '\0', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (parse_fields(copy, usage))
		return true;
	memset(usage, 0, sizeof(*usage));
	return false;
}

char *usage_text(const struct usage *usage)
{
	GString *out = g_string_new(header);

	for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
		g_string_append_printf(out, "%s %" G_GINT64_FORMAT "\n", fields[i].name,
			*(const int64_t *)((const char *)usage + fields[i].offset));
	g_string_append_printf(out, "warned %u\n", usage->warned);
	return g_string_free(out, FALSE);
}

bool usage_load(const char *folder, const char *person, struct usage *usage, GError **error)
{
	g_autofree char *path = g_build_filename(folder, person, NULL);
	char text[USAGE_MAX_BYTES + 1];
	ssize_t n;
	int fd;

	memset(usage, 0, sizeof(*usage));
	if (!household_name_valid(person))
		return fail(error, "'%.64s' is no person's name", person);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ||
			fail_errno(error, errno, "%s: %s; time begins anew", path, g_strerror(errno));
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n >= 0 && usage_parse(text, (size_t)n, usage))
		return true;
	return fail_as(error, EX_DATAERR, "%s: damaged; time begins anew", path);
}

bool usage_store(const char *folder, const char *person, const struct usage *usage, GError **error)
{
	g_autofree char *path = g_build_filename(folder, person, NULL);
	g_autofree char *text = usage_text(usage);

	if (!household_name_valid(person))
		return fail(error, "'%.64s' is no person's name", person);
	return file_write(path, text, 0600, true, error);
}

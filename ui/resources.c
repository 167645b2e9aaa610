/*
 * irori memory, vcpus: how much of the PC a guest has, changed while it runs.
 */
#include <errno.h>
#include <string.h>

#include "ui/attach.h"
#include "ui/command.h"

/* A number with an optional K, M, G or T; 0: it is none. */
static uint64_t number_parse(const char *text, bool suffix)
{
	static const char suffixes[] = "KMGT";
	const char *found;
	unsigned shift = 0;
	uint64_t value;
	char *end;

	if (!g_ascii_isdigit(text[0]))
		return 0;
	errno = 0;
	value = g_ascii_strtoull(text, &end, 10);
	if (suffix && *end && (found = strchr(suffixes, g_ascii_toupper(*end)))) {
		shift = 10 * (unsigned)(found - suffixes + 1);
		end++;
	}
	return *end || errno || value > UINT64_MAX >> shift ? 0 : value << shift;
}

static int request(const char *name, const char *guest, enum link_verb verb, uint32_t argument)
{
	GError *error = NULL;
	struct attached *attached = attach(guest, LINK_WANT_CONTROL, &error);
	bool done = attached && attach_request(attached, verb, argument, &error);

	attach_free(attached);
	return done ? EX_OK : command_fail_error(EX_UNAVAILABLE, name, error);
}

static int memory_run(const char *name, char **args, int n)
{
	uint64_t bytes = number_parse(args[1], true);

	if (bytes < 1 << 20 || bytes >> 20 > UINT32_MAX)
		return command_fail(EX_USAGE, name, "%s: bytes are expected, K, M, G or T may follow, "
			"1M at least", args[1]);
	return request(name, args[0], LINK_VERB_MEMORY, (uint32_t)(bytes >> 20));
}

const struct command command_memory = {
	.name = "memory",
	.arguments = "GUEST SIZE",
	.help = "how much memory the guest shall have, from now on",
	.more = "SIZE is bytes; K, M, G or T may follow. Below the guest's Memory= its balloon takes\n"
		"pages and the host gets them back, above it memory is plugged in, up to MaxMemory=.\n"
		"The guest does it in its own time: irori stat shows how far it is.",
	.min = 2,
	.max = 2,
	.run = memory_run,
};

static int vcpus_run(const char *name, char **args, int n)
{
	uint64_t vcpus = number_parse(args[1], false);

	if (vcpus < 1 || vcpus > UINT32_MAX)
		return command_fail(EX_USAGE, name, "%s: a number of processors is expected",
			args[1]);
	return request(name, args[0], LINK_VERB_VCPUS, (uint32_t)vcpus);
}

const struct command command_vcpus = {
	.name = "vcpus",
	.arguments = "GUEST NUMBER",
	.help = "how many processors the guest shall have, from now on",
	.more = "At most the guest's MaxVcpus=. One that is plugged out goes when the guest has let it\n"
		"go: irori stat shows how many there are.",
	.min = 2,
	.max = 2,
	.run = vcpus_run,
};

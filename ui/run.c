/*
 * irori run: a guest in the foreground, without seats or supervisor; the monitor takes our place.
 */
#include <errno.h>
#include <unistd.h>

#include "ui/command.h"
#include "ui/runtime.h"

static int run_run(const char *name, char **args, int n)
{
	g_autofree char *program = runtime_program("irori-vmm");
	char *argv[] = { program, args[0], NULL };

	if (!program)
		return command_fail(EX_UNAVAILABLE, name, "irori-vmm is not installed");
	if (access(args[0], R_OK))
		return command_fail(EX_NOINPUT, name, "%s: %s", args[0], g_strerror(errno));
	execv(program, argv);
	return command_fail(EX_OSERR, name, "%s: %s", program, g_strerror(errno));
}

const struct command command_run = {
	.name = "run",
	.arguments = "CONFIG",
	.help = "run a guest from its configuration file, in the foreground",
	.more = "irori-vmm --help lists all that a configuration file can say.",
	.min = 1,
	.max = 1,
	.run = run_run,
};

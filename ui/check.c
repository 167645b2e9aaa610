/*
 * irori check: all that is configured is read as irorid and irori-vmm will read it, and what they would
 * complain of is said. Nothing is changed or started.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "seats/household.h"
#include "ui/command.h"
#include "ui/runtime.h"

static char *folder, *root;

static const GOptionEntry options[] = {
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &folder,
		"configuration (default /etc/irori)", "FOLDER" },
	{ "root", 0, 0, G_OPTION_ARG_FILENAME, &root,
		"of another system, whose files are in FOLDER: absolute paths lead there", "FOLDER" },
	{ 0 },
};

/* What irori-vmm says of a guest's file, on standard error; true: it is good. One that cannot say anything is told of
 * here. */
static bool guest_good(const char *program, const struct guest_entry *guest)
{
	const char *argv[] = { program, "--check", guest->path, NULL, NULL, NULL };
	g_auto(GStrv) environment = g_get_environ();
	g_autoptr(GError) error = NULL;
	int status = -1;

	if (root) {
		argv[2] = "--root";
		argv[3] = root;
		argv[4] = guest->path;
		/* What this system keeps for a guest of the same name is not that one's. */
		environment = g_environ_setenv(environment, "XDG_STATE_HOME", "/nonexistent", TRUE);
	}
	if (!g_spawn_sync(NULL, (char **)argv, environment, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
		    NULL, &status, &error))
		fprintf(stderr, "%s: not checked: %s\n", guest->path, error->message);
	else if (!WIFEXITED(status))
		fprintf(stderr, "%s: not checked: irori-vmm was ended by signal %d\n", guest->path,
			WTERMSIG(status));
	else
		return !WEXITSTATUS(status);
	return false;
}

static const char *plural(guint n)
{
	return n == 1 ? "" : "s";
}

static int check_run(const char *name, char **args, int n)
{
	g_autofree char *program = runtime_program("irori-vmm");
	g_autofree char *config = folder ? g_strdup(folder) :
		g_build_filename(root ? root : "/", "etc", "irori", NULL);
	struct household *household;
	guint wrong;

	if (!program)
		return command_fail(EX_UNAVAILABLE, name, "irori-vmm is not installed");
	/* A PC without it has nothing configured, and that is good. */
	if ((folder || root) && !g_file_test(config, G_FILE_TEST_IS_DIR))
		return command_fail(EX_NOINPUT, name, "%s: not a folder", config);
	household = household_load(config);
	wrong = household->complaints->len;
	for (guint i = 0; i < wrong; i++)
		fprintf(stderr, "%s\n", (const char *)g_ptr_array_index(household->complaints, i));
	for (guint i = 0; i < household->guests->len; i++)
		wrong += !guest_good(program, g_ptr_array_index(household->guests, i));
	if (!wrong)
		printf("%s: good: %u guest%s, %u seat%s, %u %s\n", config, household->guests->len,
			plural(household->guests->len), household->seats->len,
			plural(household->seats->len), household->people->len,
			household->people->len == 1 ? "person" : "people");
	household_free(household);
	return wrong ? EX_CONFIG : EX_OK;
}

const struct command command_check = {
	.name = "check",
	.arguments = "",
	.help = "say what is wrong with the configuration of seats, guests and people",
	.more = "A line for each thing, with file and line; also for files that a guest names and that are not there.\n"
		"Nothing is changed. Seats that guests name count once a seat is configured.",
	.options = options,
	.min = 0,
	.max = 0,
	.run = check_run,
};

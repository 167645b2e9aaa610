/*
 * irori pin: a person's PIN, hashed, in a drop-in beside their file.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "seats/file.h"
#include "seats/household.h"
#include "seats/pin.h"
#include "ui/appliance.h"
#include "ui/command.h"

static gboolean none;
static char *folder = "/etc/irori";

static const GOptionEntry options[] = {
	{ "none", 0, 0, G_OPTION_ARG_NONE, &none, "take the PIN away", NULL },
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &folder, "configuration (default /etc/irori)",
		"FOLDER" },
	{ 0 },
};

/* A line without its end; on a terminal it is not shown. False: there is none. */
static bool ask(const char *prompt, char *line, size_t size)
{
	struct termios before, silent;
	bool terminal = !tcgetattr(STDIN_FILENO, &before), read;

	if (terminal) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
		fputs(prompt, stderr);
	}
	read = fgets(line, (int)size, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (read)
		line[strcspn(line, "\r\n")] = 0;
	return read;
}

static int pin_ask(const char *name, char **hash)
{
	char pin[64], again[64];
	int status = EX_OK;

	if (!ask("PIN: ", pin, sizeof(pin)))
		status = command_fail(EX_NOINPUT, name, "no PIN was given");
	else if (!pin_valid(pin))
		status = command_fail(EX_DATAERR, name, "a PIN is 4 to 31 digits");
	else if (isatty(STDIN_FILENO) && (!ask("Again: ", again, sizeof(again)) || strcmp(pin, again)))
		status = command_fail(EX_DATAERR, name, "that was not the same");
	else if (!(*hash = pin_hash(pin)))
		status = command_fail(EX_OSERR, name, "crypt does not work here");
	explicit_bzero(pin, sizeof(pin));
	explicit_bzero(again, sizeof(again));
	return status;
}

static int pin_write(const char *name, const char *person, const char *hash)
{
	g_autofree char *base = g_strconcat(person, ".conf", NULL);
	g_autofree char *main_file = g_build_filename(folder, "people.d", base, NULL);
	g_autofree char *drop_in = g_strconcat(main_file, ".d/pin.conf", NULL);
	g_autofree char *text = g_strdup_printf("# Written by irori pin.\n[Person]\nPin=%s\n", hash);
	GError *error = NULL;

	if (g_access(main_file, F_OK) && !file_write(main_file, "[Person]\n", 0644, false, &error))
		return command_fail_error(EX_CANTCREAT, name, error);
	if (!file_write(drop_in, text, 0600, true, &error))
		return command_fail_error(EX_CANTCREAT, name, error);
	return EX_OK;
}

static int pin_run(const char *name, char **args, int n)
{
	g_autofree char *hash = NULL;
	g_autoptr(GVariant) told = NULL;
	int status;

	if (!household_name_valid(args[0]))
		return command_fail(EX_USAGE, name, "\"%s\" is no name: letters, digits, '-', '_', '.'",
			args[0]);
	status = none ? EX_OK : pin_ask(name, &hash);
	if (!status)
		status = pin_write(name, args[0], hash ? hash : "");
	if (!status) /* if it runs */
		told = appliance_call(NULL, APPLIANCE_MANAGER, "Reload", NULL, NULL);
	return status;
}

const struct command command_pin = {
	.name = "pin",
	.arguments = "PERSON",
	.help = "set a person's PIN",
	.more = "The PIN is asked for, or read from standard input. A parent's (Parent=yes) gives others more time.",
	.options = options,
	.min = 1,
	.max = 1,
	.run = pin_run,
};

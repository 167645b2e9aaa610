/*
 * irori, the command: finds the command in the table, reads its options, runs it.
 */
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ui/command.h"

static const struct command *const commands[] = {
	&command_demo,
	&command_run,
	&command_view,
	&command_list,
	&command_stat,
	&command_reset,
	&command_poweroff,
	&command_pause,
	&command_resume,
	&command_save,
	&command_restore,
	&command_memory,
	&command_vcpus,
	&command_screenshot,
	&command_send_keys,
	&command_devices,
	&command_seats,
	&command_status,
	&command_attach,
	&command_switch,
	&command_lock,
	&command_unlock,
	&command_identify,
	&command_extend,
	&command_pin,
	&command_start,
	&command_doctor,
	&command_check,
};

int command_fail(int status, const char *name, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "irori %s: ", name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

int command_fail_error(int status, const char *name, GError *error)
{
	command_fail(status, name, "%s", error->message);
	g_error_free(error);
	return status;
}

static int help(FILE *to, int status)
{
	fprintf(to, "Usage: irori COMMAND [OPTIONS] [ARGUMENTS]\n\n"
		"Several operating systems on one PC, each with a seat of its own.\n\n");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *usage =
			g_strconcat(commands[i]->name, " ", commands[i]->arguments, NULL);

		fprintf(to, "  %-24s %s\n", usage, commands[i]->help);
	}
	fprintf(to, "\nirori COMMAND --help tells more. Guests are found by their sockets in\n"
		"$XDG_RUNTIME_DIR/irori and /run/irori/guests. Exit statuses are those of sysexits(3).\n");
	return status;
}

static int command_run_with(const struct command *command, int argc, char **argv)
{
	GOptionContext *context = g_option_context_new(command->arguments);
	g_autofree char *program = g_strconcat("irori ", command->name, NULL);
	GError *error = NULL;
	bool parsed;

	g_set_prgname(program);
	argv[0] = program;
	g_option_context_set_summary(context, command->help);
	if (command->more)
		g_option_context_set_description(context, command->more);
	if (command->options)
		g_option_context_add_main_entries(context, command->options, NULL);
	parsed = g_option_context_parse(context, &argc, &argv, &error);
	g_option_context_free(context);
	if (!parsed)
		return command_fail_error(EX_USAGE, command->name, error);
	argc--;
	argv++;
	if (argc && !strcmp(*argv, "--")) {
		argc--;
		argv++;
	}
	if (argc < command->min || (command->max >= 0 && argc > command->max))
		return command_fail(EX_USAGE, command->name, "usage: irori %s %s; see --help",
			command->name, command->arguments);
	return command->run(command->name, argv, argc);
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C"); /* figures are for scripts too */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return help(stderr, EX_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout, EX_OK);
	if (!strcmp(argv[1], "--version")) {
		printf("irori %s\n", IRORI_VERSION);
		return EX_OK;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(argv[1], commands[i]->name))
			return command_run_with(commands[i], argc - 1, argv + 1);
	fprintf(stderr, "irori: there is no command \"%s\"; see irori --help\n", argv[1]);
	return EX_USAGE;
}

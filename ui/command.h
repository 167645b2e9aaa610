/*
 * The commands of irori: one table in main.c, from which dispatch and --help come; each command's
 * options are a GOptionEntry table, from which its own --help comes.
 *
 * Exit statuses are those of sysexits(3); 0 is success.
 */
#ifndef IRORI_UI_COMMAND_H
#define IRORI_UI_COMMAND_H

#include <glib.h>
#include <sysexits.h>

struct command {
	const char *name;
	const char *arguments; /* for the usage line: "GUEST" */
	const char *help;      /* one line */
	const char *more;      /* after the options; may be NULL */
	const GOptionEntry *options;
	int min, max;          /* arguments; max -1: any number */
	int (*run)(const char *name, char **args, int n);
};

extern const struct command command_demo, command_run, command_view, command_list, command_stat,
	command_reset, command_poweroff, command_pause, command_resume, command_save, command_restore,
	command_memory, command_vcpus, command_screenshot, command_send_keys, command_doctor,
	command_devices, command_seats, command_status, command_attach, command_switch, command_lock,
	command_unlock, command_identify, command_extend, command_start, command_pin,
	command_check;

/* "irori NAME: message" on stderr; returns `status`. */
int command_fail(int status, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with an error, which is freed. */
int command_fail_error(int status, const char *name, GError *error);

#endif

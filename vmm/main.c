/*
 * irori-vmm CONFIG: one guest, one process.
 */
#define G_LOG_DOMAIN "irori-vmm"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <glib-unix.h>

#include "vmm/machine.h"
#include "vmm/property.h"
#include "vmm/save.h"

enum {
	EXIT_BAD_CONFIG = 2,
};

static const char *log_name = "?";

static GLogWriterOutput log_writer(GLogLevelFlags level, const GLogField *fields, gsize n,
	gpointer data)
{
	const char *message = "", *domain = NULL;

	for (gsize i = 0; i < n; i++) {
		if (!strcmp(fields[i].key, "MESSAGE"))
			message = fields[i].value;
		else if (!strcmp(fields[i].key, "GLIB_DOMAIN"))
			domain = fields[i].value;
	}
	if (g_log_writer_default_would_drop(level, domain))
		return G_LOG_WRITER_HANDLED;
	fprintf(stderr, "irori-vmm: %s: %s%s\n", log_name,
		level & G_LOG_LEVEL_WARNING ? "warning: " : "", message);
	return G_LOG_WRITER_HANDLED;
}

/* What ps and top show: the arguments give way to the guest's name. */
static void title_set(int argc, char **argv, const char *name)
{
	char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	size_t room = (size_t)(end - argv[0]);

	memset(argv[0], 0, room);
	g_snprintf(argv[0], (gulong)room, "irori-vmm: %s", name);
	prctl(PR_SET_NAME, "irori-vmm");
}

/* From here on nothing that a guest or a seat does can gain this process anything it has not got.
 * TODO: a seccomp filter, a mount namespace. */
static void sandbox_enter(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
}

static gboolean signal_arrived(int fd, GIOCondition condition, gpointer data)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) == sizeof(info))
		machine_request(data, MACHINE_POWEROFF, "signal");
	return G_SOURCE_CONTINUE;
}

/* Blocked before the first thread starts, so that no thread but the main loop gets them. */
static int signals_block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int help(FILE *out)
{
	g_autofree char *sections = machine_help();

	fprintf(out,
		"irori-vmm CONFIG            run the guest that CONFIG describes\n"
		"irori-vmm --restore FILE    go on with the guest that was saved in FILE, which is removed:\n"
		"                            the guest's disks go on, and it must not be loaded twice\n"
		"irori-vmm --check CONFIG    say what is wrong with it, and do not run it\n"
		"irori-vmm --version | --help\n\n"
		"Exit status: 0 powered off, 1 could not start, 2 bad command or configuration,\n"
		"3 crashed (with OnCrash=exit).\n\n"
		"CONFIG has these sections and keys:\n\n%s", sections);
	return out == stdout ? 0 : EXIT_BAD_CONFIG;
}

/* The machine of a configuration, with what was saved in it if anything was. */
static struct machine *machine_get(const struct config_file *config, struct save_file *saved,
	int64_t started_ns, GError **error)
{
	struct machine *machine = machine_new(config, started_ns, error);

	if (!machine || !saved || save_load(saved, machine, error))
		return machine;
	machine_free(machine);
	return NULL;
}

static int run(int argc, char **argv, const struct config_file *config, struct save_file *saved,
	int64_t started_ns)
{
	bool check = !saved && argc == 3;
	g_autoptr(GError) error = NULL;
	int signals = signals_block(), status;
	struct machine *machine = machine_get(config, saved, started_ns, &error);

	if (!machine) {
		fprintf(stderr, "irori-vmm: %s\n", error->message);
		return 1;
	}
	if (saved && unlink(argv[2]) < 0)
		g_warning("%s: %s; it must not be loaded again", argv[2], g_strerror(errno));
	if (check) {
		printf("%s: good\n", machine->config->name);
		machine_free(machine);
		return 0;
	}
	log_name = machine->config->name;
	title_set(argc, argv, machine->config->name);
	g_unix_fd_add(signals, G_IO_IN, signal_arrived, machine);
	sandbox_enter();
	status = machine_run(machine);
	log_name = "?";
	machine_free(machine);
	return status;
}

/* What there is to run: a configuration, or a saved guest and its own. */
static int start(int argc, char **argv, int64_t started_ns)
{
	bool restore = !strcmp(argv[1], "--restore");
	g_autoptr(GError) error = NULL;
	struct save_file *saved = restore ? save_open(argv[2], &error) : NULL;
	struct config_file *file = restore ? NULL : config_file_load(argv[argc - 1], &error);
	int status = EXIT_BAD_CONFIG;

	if (saved || file) {
		log_name = "configuration";
		status = run(argc, argv, saved ? save_config(saved) : file, saved, started_ns);
	} else {
		fprintf(stderr, "irori-vmm: %s\n", error->message);
	}
	save_close(saved);
	config_file_free(file);
	return status;
}

int main(int argc, char **argv)
{
	int64_t started_ns = machine_clock();
	bool option = argc == 3 && (!strcmp(argv[1], "--check") || !strcmp(argv[1], "--restore"));

	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	g_log_set_writer_func(log_writer, NULL, NULL);
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return help(stdout);
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return printf("irori-vmm %s\n", IRORI_VERSION) < 0;
	if (argc != 2 + option || argv[1 + option][0] == '-')
		return help(stderr);
	log_name = argv[1 + option];
	return start(argc, argv, started_ns);
}

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

#include "vmm/error.h"
#include "vmm/machine.h"
#include "vmm/machine_config.h"
#include "vmm/property.h"
#include "vmm/save.h"

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

static int help(void)
{
	g_autofree char *sections = machine_help();

	printf(
		"irori-vmm CONFIG            run the guest that CONFIG describes\n"
		"irori-vmm --socket PATH CONFIG\n"
		"                            its seat link there, unless CONFIG says where ([Guest] Socket=)\n"
		"irori-vmm --restore FILE    go on with the guest that was saved in FILE, which is removed:\n"
		"                            the guest's disks go on, and it must not be loaded twice\n"
		"irori-vmm --check CONFIG    say what is wrong with it or a file that it names; run and\n"
		"                            change nothing\n"
		"irori-vmm --check --root FOLDER CONFIG\n"
		"                            the same for another system, whose files are in FOLDER\n"
		"irori-vmm --version | --help\n\n"
		"Exit status: 0 powered off, 3 crashed (with OnCrash=exit); if it could not start, that\n"
		"of sysexits(3): 64 bad command, 65 a file is damaged or not what it should be,\n"
		"66 a file is not there, 69 /dev/kvm or another program is not there, 71 and 74 errors\n"
		"of the system and of I/O, 75 a file is in use by another guest, 77 not permitted,\n"
		"78 bad configuration.\n\n"
		"CONFIG has these sections and keys:\n\n%s", sections);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "irori-vmm: usage: irori-vmm [--check [--root FOLDER] | --socket PATH] CONFIG, "
			"--restore FILE, --version or --help\n");
	return EX_USAGE;
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

static int refuse(const GError *error)
{
	fprintf(stderr, "irori-vmm: %s\n", error->message);
	return error_status(error);
}

static int check(const struct config_file *config)
{
	g_autoptr(GError) error = NULL;

	if (!machine_check(config, &error))
		return refuse(error);
	printf("%s: good\n", config_file_name(config));
	return 0;
}

/* What the command line asks for. */
struct request {
	bool check, restore;
	const char *file, *socket; /* socket NULL: as the configuration says */
	const char *root; /* NULL: this system */
};

static int run(int argc, char **argv, const struct config_file *config, struct save_file *saved,
	int64_t started_ns)
{
	g_autoptr(GError) error = NULL;
	int signals = signals_block(), status;
	struct machine *machine = machine_get(config, saved, started_ns, &error);

	if (!machine)
		return refuse(error);
	if (saved && unlink(argv[2]) < 0)
		g_warning("%s: %s; it must not be loaded again", argv[2], g_strerror(errno));
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
static int start(int argc, char **argv, const struct request *request, int64_t started_ns)
{
	g_autoptr(GError) error = NULL;
	struct save_file *saved = request->restore ? save_open(request->file, &error) : NULL;
	struct config_file *file = request->restore ? NULL : config_file_load(request->file, &error);
	int status;

	log_name = "configuration";
	if (file && request->socket)
		config_file_default(file, "Guest", "Socket", request->socket);
	if (file && request->root)
		config_file_root(file, request->root);
	if (!saved && !file)
		status = refuse(error);
	else if (request->check)
		status = check(file);
	else
		status = run(argc, argv, saved ? save_config(saved) : file, saved, started_ns);
	save_close(saved);
	config_file_free(file);
	return status;
}

static bool arguments_read(int argc, char **argv, struct request *request)
{
	*request = (struct request){ .file = argv[argc - 1] };
	if (argc == 3 && !strcmp(argv[1], "--check"))
		request->check = true;
	else if (argc == 5 && !strcmp(argv[1], "--check") && !strcmp(argv[2], "--root")) {
		request->check = true;
		request->root = argv[3];
	} else if (argc == 3 && !strcmp(argv[1], "--restore"))
		request->restore = true;
	else if (argc == 4 && !strcmp(argv[1], "--socket") && argv[2][0] == '/')
		request->socket = argv[2];
	else if (argc != 2)
		return false;
	return request->file[0] != '-';
}

int main(int argc, char **argv)
{
	int64_t started_ns = machine_clock();
	struct request request;

	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	g_log_set_writer_func(log_writer, NULL, NULL);
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return help();
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return printf("irori-vmm %s\n", IRORI_VERSION) < 0;
	if (!arguments_read(argc, argv, &request))
		return usage();
	log_name = request.file;
	return start(argc, argv, &request, started_ns);
}

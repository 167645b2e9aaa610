/*
 * Facts about the host; see host.h.
 */
#include "ui/host.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum host_kvm host_kvm(void)
{
	static const struct {
		const char *path;
		enum host_kvm kvm;
	} modules[] = {
		{ "/sys/module/kvm_pvm", HOST_KVM_PVM },
		{ "/sys/module/kvm_intel", HOST_KVM_INTEL },
		{ "/sys/module/kvm_amd", HOST_KVM_AMD },
		{ "/dev/kvm", HOST_KVM_OTHER },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(modules); i++)
		if (!access(modules[i].path, F_OK))
			return modules[i].kvm;
	return HOST_KVM_NONE;
}

const char *host_kvm_name(enum host_kvm kvm)
{
	static const char *const names[] = {
		[HOST_KVM_NONE] = "none",
		[HOST_KVM_INTEL] = "VT-x (kvm_intel)",
		[HOST_KVM_AMD] = "AMD-V (kvm_amd)",
		[HOST_KVM_PVM] = "no hardware assist (kvm_pvm)",
		[HOST_KVM_OTHER] = "unknown",
	};

	return names[kvm];
}

/* The value after "name" and a separator in a file of lines; NULL: none. */
static char *field(const char *path, const char *name, char separator)
{
	g_autofree char *text = NULL;
	size_t len = strlen(name);

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	for (char *line = text; line; line = strchr(line, '\n')) {
		char *value, *end;

		line += *line == '\n';
		if (strncmp(line, name, len))
			continue;
		value = strchr(line, separator);
		end = strchr(line, '\n');
		if (!value || (end && value > end))
			continue;
		value++;
		return g_strstrip(end ? g_strndup(value, (size_t)(end - value)) : g_strdup(value));
	}
	return NULL;
}

char *host_cpu_model(void)
{
	char *model = field("/proc/cpuinfo", "model name", ':');

	return model ? model : g_strdup("unknown processor");
}

unsigned host_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

char *host_kernel(void)
{
	struct utsname name;

	return uname(&name) ? g_strdup("unknown")
			    : g_strdup_printf("%s %s", name.sysname, name.release);
}

char *host_system(void)
{
	char *name = field("/etc/os-release", "PRETTY_NAME", '=');

	if (name && *name == '"' && strlen(name) > 1) {
		memmove(name, name + 1, strlen(name));
		name[strlen(name) - 1] = 0;
	}
	return name ? name : g_strdup("unknown");
}

int64_t host_meminfo(const char *name)
{
	g_autofree char *value = field("/proc/meminfo", name, ':');

	return value ? g_ascii_strtoll(value, NULL, 10) : 0;
}

double host_load(void)
{
	double load = 0;

	return getloadavg(&load, 1) == 1 ? load : 0;
}

double host_cpu_seconds(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	unsigned long long user = 0, system = 0;
	char *after;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	/* The name may contain anything, also ')': fields count from the last one. */
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu",
			&user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double host_run_delay(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *tid;
	double sum = 0;

	while (dir && (tid = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, tid, "schedstat", NULL);
		g_autofree char *text = NULL;
		unsigned long long delay;

		if (g_file_get_contents(file, &text, NULL, NULL) &&
			sscanf(text, "%*s %llu", &delay) == 1)
			sum += (double)delay / 1e9;
	}
	if (dir)
		g_dir_close(dir);
	return sum;
}

double host_steal(void)
{
	g_autofree char *text = NULL;
	unsigned long long steal = 0;

	if (g_file_get_contents("/proc/stat", &text, NULL, NULL))
		sscanf(text, "cpu %*s %*s %*s %*s %*s %*s %*s %llu", &steal);
	return (double)steal / (double)sysconf(_SC_CLK_TCK);
}

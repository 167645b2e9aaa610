/*
 * See appetite.h.
 */
#include "gpu-share/appetite.h"

#include <glib.h>
#include <stdio.h>

enum {
	THREADS_MAX = 512, /* looked at, of one process */
};

/* schedstat: time on a processor, time waiting for one, in ns. */
static int64_t wanted_by(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *tid;
	int64_t sum = 0;

	for (unsigned i = 0; dir && i < THREADS_MAX && (tid = g_dir_read_name(dir)); i++) {
		g_autofree char *file = g_build_filename(path, tid, "schedstat", NULL);
		g_autofree char *text = NULL;
		unsigned long long ran, waited;

		if (g_file_get_contents(file, &text, NULL, NULL) &&
			sscanf(text, "%llu %llu", &ran, &waited) == 2)
			sum += (int64_t)(ran + waited);
	}
	return sum;
}

bool appetite_judge(struct appetite *appetite, int64_t wanted_ns, unsigned vcpus, int64_t now_ns)
{
	int64_t passed = now_ns - appetite->looked_ns, wanted = wanted_ns - appetite->wanted_ns;
	bool before = appetite->busy;

	if (appetite->looked_ns && passed > 0)
		appetite->busy = wanted > passed / 2 * vcpus;
	appetite->wanted_ns = wanted_ns;
	appetite->looked_ns = now_ns;
	return appetite->busy != before;
}

bool appetite_look(struct appetite *appetite, pid_t pid, unsigned vcpus, int64_t now_ns)
{
	return appetite_judge(appetite, wanted_by(pid), vcpus, now_ns);
}

/*
 * What a class does to a thread, asked of the kernel afterwards; and the files of a control group, in
 * a folder that only looks like one.
 */
#include "gpu-share/cpu.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gpu-share/group.h"
#include "tests/unit/test.h"

static void classes_reach_the_scheduler(void)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	cpu_set_t before, now;

	sched_getaffinity(0, sizeof(before), &before);
	test_equal(cpu_share_apply(tid, CPU_ROLE_VCPU, SHARE_IDLE), 0);
	if (cpu_share_how() == CPU_SHARE_NICE) {
		test_equal(sched_getscheduler(0), SCHED_IDLE);
		test_equal(cpu_share_apply(tid, CPU_ROLE_VCPU, SHARE_VIDEO), 0);
		/* Real time, or where that is not permitted a nice level. */
		if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_RR)
			test_equal(getpriority(PRIO_PROCESS, 0), -10);
		test_equal(cpu_share_apply(tid, CPU_ROLE_DEVICE, SHARE_VIDEO), 0);
		if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_RR)
			test_equal(getpriority(PRIO_PROCESS, 0), -15);
		else
			printf("   real time is permitted\n");
		test_equal(cpu_share_apply(tid, CPU_ROLE_DEVICE, SHARE_INTERACTIVE), 0);
		test_equal(sched_getscheduler(0), SCHED_OTHER);
		test_equal(getpriority(PRIO_PROCESS, 0), -7);
		test_equal(cpu_share_apply(tid, CPU_ROLE_DEVICE, SHARE_FAIR), 0);
		test_equal(getpriority(PRIO_PROCESS, 0), 0);
	} else {
		sched_getaffinity(0, sizeof(now), &now);
		test_equal(CPU_COUNT(&now), 1);
		test_equal(cpu_share_apply(tid, CPU_ROLE_VCPU, SHARE_VIDEO), 0);
		sched_getaffinity(0, sizeof(now), &now);
		test_assert(CPU_EQUAL(&now, &before));
	}
}

static void wrong_arguments(void)
{
	test_equal(cpu_share_apply(0x3fffffff, CPU_ROLE_VCPU, SHARE_FAIR), 0); /* gone */
	test_equal(cpu_share_apply(0, CPU_ROLE_VCPU, SHARE_CLASSES), -EINVAL);
	test_equal(cpu_share_apply(0, 2, SHARE_FAIR), -EINVAL);
}

static char *fake_file(const char *dir, const char *name, const char *text)
{
	char *path = g_build_filename(dir, name, NULL);

	g_file_set_contents(path, text, -1, NULL);
	return path;
}

static void expect(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *is = NULL;

	test_assert(g_file_get_contents(path, &is, NULL, NULL));
	test_assert(g_str_has_prefix(is, text));
}

static void folder_remove(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_unlink(file);
	}
	if (dir)
		g_dir_close(dir);
	g_rmdir(path);
}

static void group_files(void)
{
	g_autofree char *dir = g_dir_make_tmp("irori-group-XXXXXX", NULL);
	g_autofree char *leaf = g_build_filename(dir, "supervisor", NULL);
	g_autofree char *guest = g_build_filename(dir, "theater", NULL);
	const char *const files[] = { "cgroup.procs", "cpu.idle", "cpu.weight" };
	struct group_root *root;

	test_assert(!group_root_open(dir, NULL)); /* no controllers */
	g_free(fake_file(dir, "cgroup.controllers", "cpuset io\n"));
	test_assert(!group_root_open(dir, NULL));
	g_free(fake_file(dir, "cgroup.controllers", "cpuset cpu io\n"));
	test_assert(!group_root_open(dir, NULL)); /* no subtree_control */
	g_mkdir(leaf, 0755);
	g_free(fake_file(dir, "cgroup.subtree_control", ""));
	g_free(fake_file(dir, "cgroup.procs", ""));
	g_free(fake_file(leaf, "cgroup.procs", ""));
	root = group_root_open(dir, NULL);
	test_assert(root);
	expect(dir, "cgroup.subtree_control", "+cpu");

	g_mkdir(guest, 0755);
	for (unsigned i = 0; i < 3; i++)
		g_free(fake_file(guest, files[i], ""));
	test_equal(group_add(root, "../escape", 1), -EINVAL);
	test_equal(group_add(root, "", 1), -EINVAL);
	test_equal(group_add(root, "theater", 4711), 0);
	expect(guest, "cgroup.procs", "4711");
	test_equal(group_set_class(root, "theater", SHARE_VIDEO), 0);
	expect(guest, "cpu.weight", "10000");
	expect(guest, "cpu.idle", "0");
	test_equal(group_set_class(root, "theater", SHARE_IDLE), 0);
	expect(guest, "cpu.idle", "1");
	test_equal(group_set_class(root, "nobody", SHARE_IDLE), -ENOENT);
	group_root_close(root);
	folder_remove(guest);
	folder_remove(leaf);
	folder_remove(dir);
}

static void vcpus_leave_the_host_a_processor(void)
{
	test_equal(cpu_share_vcpus(SHARE_VIDEO, 1, 2), SHARE_VIDEO);
	test_equal(cpu_share_vcpus(SHARE_VIDEO, 2, 2), SHARE_INTERACTIVE);
	test_equal(cpu_share_vcpus(SHARE_VIDEO, 1, 1), SHARE_INTERACTIVE);
	test_equal(cpu_share_vcpus(SHARE_IDLE, 8, 2), SHARE_IDLE);
	test_equal(cpu_share_vcpus(SHARE_FAIR, 8, 2), SHARE_FAIR);
}

static gpointer clock_try(gpointer data)
{
	int ret = cpu_share_clock(), policy = sched_getscheduler(0);

	if (ret) /* a container */
		return (policy & ~SCHED_RESET_ON_FORK) == SCHED_OTHER ? data : NULL;
	if ((policy & ~SCHED_RESET_ON_FORK) != SCHED_RR)
		return getpriority(PRIO_PROCESS, 0) == -16 ? data : NULL;
	return data;
}

/* In a thread of its own: the others stay as they are. */
static void a_clock_comes_first(void)
{
	test_assert(g_thread_join(g_thread_new("clock", clock_try, "as promised")));
	test_equal(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, SCHED_OTHER);
}

int main(void)
{
	test_run(vcpus_leave_the_host_a_processor);
	test_run(classes_reach_the_scheduler);
	test_run(wrong_arguments);
	test_run(group_files);
	test_run(a_clock_comes_first);
	return 0;
}

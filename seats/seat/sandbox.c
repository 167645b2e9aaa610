/*
 * Four fences, each of which holds without the others: another user, no privileges, no files (Landlock, where
 * the kernel has it), no other system calls (seccomp).
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEY_BYTES = 256 }; /* PulseAudio's protocol has them so long */

/* None of these comes with a thread. CLONE_NEWTIME is a bit of the signal's number here, and means that. */
#define NOT_A_THREAD \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const struct {
	int call;
	const char *why;
} allowed[] = {
	/* what is there already */
	{ SCMP_SYS(read), "wake-ups, event devices, timers" },
	{ SCMP_SYS(readv), "the sound server" },
	{ SCMP_SYS(pread64), "fonts" },
	{ SCMP_SYS(write), "wake-ups, LEDs, the log" },
	{ SCMP_SYS(writev), "the sound server, the journal" },
	{ SCMP_SYS(close), "guests and devices go" },
	{ SCMP_SYS(dup), "libinput's copies" },
	{ SCMP_SYS(lseek), "a memfd's size" },
	{ SCMP_SYS(ftruncate), "the sound's shared memory" },
	{ SCMP_SYS(fallocate), "the same" },
	/* files: fonts, the sound server's settings, sysfs and udev's database of a device that comes */
	{ SCMP_SYS(openat), "those; Landlock says which" },
	{ SCMP_SYS(newfstatat), "the same" },
	{ SCMP_SYS(fstat), "the same" },
	{ SCMP_SYS(stat), "the same" },
	{ SCMP_SYS(lstat), "the same" },
	{ SCMP_SYS(statx), "the same" },
	{ SCMP_SYS(statfs), "fonts' cache" },
	{ SCMP_SYS(fstatfs), "the same" },
	{ SCMP_SYS(access), "the same" },
	{ SCMP_SYS(faccessat), "the same" },
	{ SCMP_SYS(faccessat2), "the same" },
	{ SCMP_SYS(readlink), "sysfs" },
	{ SCMP_SYS(readlinkat), "the same" },
	{ SCMP_SYS(getdents64), "sysfs, fonts" },
	{ SCMP_SYS(getcwd), "the sound server's client looks for itself" },
	{ SCMP_SYS(mkdir), "its folder; there is one, or it is refused" },
	/* sockets: guests, irorid, sound */
	{ SCMP_SYS(connect), "the sound server" },
	{ SCMP_SYS(accept4), "irorid" },
	{ SCMP_SYS(sendmsg), "all of them" },
	{ SCMP_SYS(sendto), "the same; the journal" },
	{ SCMP_SYS(recvmsg), "all of them" },
	{ SCMP_SYS(recvfrom), "the same" },
	{ SCMP_SYS(getsockopt), "who is at the other end" },
	{ SCMP_SYS(setsockopt), "credentials to the sound server" },
	{ SCMP_SYS(getsockname), "the sound server" },
	{ SCMP_SYS(getpeername), "the same" },
	{ SCMP_SYS(shutdown), "the same" },
	/* waiting, and time */
	{ SCMP_SYS(poll), "main loops" },
	{ SCMP_SYS(ppoll), "the same" },
	{ SCMP_SYS(epoll_create1), "libinput" },
	{ SCMP_SYS(epoll_ctl), "the same" },
	{ SCMP_SYS(epoll_wait), "the same" },
	{ SCMP_SYS(epoll_pwait), "the same" },
	{ SCMP_SYS(timerfd_create), "libinput" },
	{ SCMP_SYS(timerfd_settime), "the same" },
	{ SCMP_SYS(eventfd2), "wake-ups of the sound" },
	{ SCMP_SYS(pipe2), "the sound's library" },
	{ SCMP_SYS(clock_gettime), "where there is no vDSO" },
	{ SCMP_SYS(clock_getres), "the sound's library" },
	{ SCMP_SYS(clock_nanosleep), "the same" },
	{ SCMP_SYS(gettimeofday), "where there is no vDSO" },
	{ SCMP_SYS(restart_syscall), "a wait that a signal broke" },
	/* memory */
	{ SCMP_SYS(mmap), "guests' pictures, framebuffers, fonts" },
	{ SCMP_SYS(munmap), "the same" },
	{ SCMP_SYS(mprotect), "threads' stacks" },
	{ SCMP_SYS(mremap), "malloc" },
	{ SCMP_SYS(madvise), "the same" },
	{ SCMP_SYS(brk), "the same" },
	{ SCMP_SYS(memfd_create), "sound to the server" },
	{ SCMP_SYS(mlock), "a key of the sound's library" },
	/* threads */
	{ SCMP_SYS(set_robust_list), "the sound's threads" },
	{ SCMP_SYS(rseq), "the same" },
	{ SCMP_SYS(futex), "locks" },
	{ SCMP_SYS(sched_yield), "the same" },
	{ SCMP_SYS(sched_getaffinity), "how many processors there are" },
	{ SCMP_SYS(sched_getscheduler), "the sound's library looks whether it has real time" },
	{ SCMP_SYS(sched_getparam), "the same" },
	{ SCMP_SYS(sched_get_priority_min), "the same" },
	{ SCMP_SYS(sched_get_priority_max), "the same" },
	{ SCMP_SYS(getpriority), "sound before others" },
	{ SCMP_SYS(prctl), "names of threads" },
	{ SCMP_SYS(exit), "a thread's end" },
	{ SCMP_SYS(exit_group), "the process's" },
	/* signals and oneself */
	{ SCMP_SYS(rt_sigaction), "SIGTERM; SIGPIPE around a send" },
	{ SCMP_SYS(rt_sigprocmask), "the same" },
	{ SCMP_SYS(rt_sigreturn), "the same" },
	{ SCMP_SYS(rt_sigtimedwait), "the same" },
	{ SCMP_SYS(sigaltstack), "threads" },
	{ SCMP_SYS(getpid), "the log, irorid" },
	{ SCMP_SYS(gettid), "the same" },
	{ SCMP_SYS(getuid), "the sound server's client" },
	{ SCMP_SYS(geteuid), "the same" },
	{ SCMP_SYS(getgid), "the same" },
	{ SCMP_SYS(getegid), "the same" },
	{ SCMP_SYS(getresuid), "the same" },
	{ SCMP_SYS(getresgid), "the same" },
	{ SCMP_SYS(getrlimit), "the same" },
	{ SCMP_SYS(getrusage), "the same" },
	{ SCMP_SYS(sysinfo), "the same" },
	{ SCMP_SYS(uname), "the same" },
	{ SCMP_SYS(getrandom), "hash tables" },
};

/* Those that are let through with some arguments only. Several rules of one call: any of them. */
enum { EXACTLY = -1 };

static const struct {
	int call;
	struct {
		unsigned argument;
		int64_t mask; /* what of it is compared; EXACTLY: all */
		uint64_t is;
	} when[2];
	unsigned n; /* of `when`, all of which must hold */
	const char *why;
} restricted[] = {
	/* Unix sockets only: the network is nobody's here. */
	{ SCMP_SYS(socket), { { 0, EXACTLY, AF_UNIX } }, 1, "the sound server" },
	{ SCMP_SYS(socketpair), { { 0, EXACTLY, AF_UNIX } }, 1, "threads among themselves" },
	/* By its kind of device: not by which descriptor's events another process gets signals (FIOSETOWN, FIOASYNC).
	 * The kernel looks at the lower half of the argument only, and so do we. */
	{ SCMP_SYS(ioctl), { { 1, 0xff00, 'd' << 8 } }, 1, "KMS" },
	{ SCMP_SYS(ioctl), { { 1, 0xff00, 'E' << 8 } }, 1, "event devices" },
	/* The same: no owners, no leases, no notices. */
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_DUPFD_CLOEXEC } }, 1, "descriptors that come in" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_GETFD } }, 1, "the libraries" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_SETFD } }, 1, "the same" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_GETFL } }, 1, "the same" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_SETFL }, { 2, O_ASYNC, 0 } }, 2, "the same" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_ADD_SEALS } }, 1, "the sound's shared memory" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_GET_SEALS } }, 1, "a guest's picture" },
	{ SCMP_SYS(fcntl), { { 1, EXACTLY, F_SETLKW } }, 1, "the sound server's key" },
	/* Threads and no processes, and so neither namespaces nor a signal to a parent. */
	{ SCMP_SYS(clone), { { 0, NOT_A_THREAD | CLONE_THREAD, CLONE_THREAD } }, 1, "the sound's threads" },
	/* Who asks for it, and not for another of the same user. */
	{ SCMP_SYS(setpriority), { { 0, EXACTLY, PRIO_PROCESS }, { 1, EXACTLY, 0 } }, 2, "sound before others" },
	{ SCMP_SYS(sched_setscheduler), { { 0, EXACTLY, 0 } }, 1, "the sound's library asks for real time" },
	{ SCMP_SYS(prlimit64), { { 0, EXACTLY, 0 } }, 1, "limits" },
};

/* ---- who it is ---- */

/* All threads are: glibc sees to that. */
static int become(const struct passwd *who)
{
	const struct group *sound = getgrnam(SANDBOX_SOUND_GROUP);
	gid_t group = sound ? sound->gr_gid : 0;

	if (setgroups(sound ? 1 : 0, &group) < 0 ||
		setresgid(who->pw_gid, who->pw_gid, who->pw_gid) < 0 ||
		setresuid(who->pw_uid, who->pw_uid, who->pw_uid) < 0)
		return -errno;
	/* What these name is root's, and refused. */
	g_setenv("HOME", who->pw_dir, TRUE);
	g_unsetenv("XDG_RUNTIME_DIR");
	return 0;
}

/* systemd says whom it has started: who has started us by fork may be a service itself. */
static bool is_service(void)
{
	const char *started = g_getenv("SYSTEMD_EXEC_PID");

	return started && strtol(started, NULL, 10) == getpid();
}

static int drop_user(const char *name)
{
	const struct passwd *who;

	if (!name || geteuid() != 0)
		return 0;
	who = getpwnam(name);
	/* Others are nobody as well, and would be the same one: passt, which is a guest's network. */
	if (!who && is_service()) {
		g_critical("there is no user %s: systemd-sysusers makes it, from sysusers.d/irori-seat.conf", name);
		return -ESRCH;
	}
	if (!who) {
		g_warning("there is no user %s (see sysusers.d): " SANDBOX_FALLBACK " it is", name);
		who = getpwnam(SANDBOX_FALLBACK);
	}
	if (!who)
		return -ESRCH;
	return who->pw_uid ? become(who) : 0;
}

static int drop_privileges(const char *user)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* refused where there is none to drop */
	r = drop_user(user);
	if (r < 0)
		return r;
	if (syscall(SYS_capset, &header, none) < 0)
		return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	/* Other seats are the same user. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/* ---- the sound server's key ---- */

/* Its client wants one, looks for it at home, and complains where it may make none. The appliance's server asks
 * for none: it is all zeroes, as the client itself would send then. */
static void key_lend(void)
{
	g_autofree char *own = g_build_filename(g_get_home_dir(), ".config", "pulse", "cookie", NULL);
	g_autofree char *old = g_build_filename(g_get_home_dir(), ".pulse-cookie", NULL);
	g_autofree char *path = NULL;
	int fd;

	if (g_getenv("PULSE_COOKIE") || !access(own, R_OK) || !access(old, R_OK))
		return;
	fd = memfd_create("sound-key", MFD_CLOEXEC); /* stays open as long as we live */
	if (fd < 0 || ftruncate(fd, KEY_BYTES) < 0)
		return;
	path = g_strdup_printf("/proc/self/fd/%d", fd);
	g_setenv("PULSE_COOKIE", path, FALSE);
}

/* ---- files ---- */

static const char *const readable[] = {
	"/usr", "/lib", "/etc", "/sys", "/run/udev", "/var/cache/fontconfig", "/proc/self", "/proc/cpuinfo",
	/* the sound server's client: its settings and its key */
	"/run/pulse", "/var/run/pulse",
};

static void allow_path(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = access };

	beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		/* a file and not a folder takes less */
		beneath.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE,
			syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	close(beneath.parent_fd);
}

/* 0; -EOPNOTSUPP: the kernel has no Landlock; or -errno. */
static int fence_files(void)
{
	const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	const char *home = g_get_home_dir(), *runtime = g_get_user_runtime_dir();
	struct landlock_ruleset_attr all = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	g_autofree char *config = g_build_filename(home, ".config", "pulse", NULL);
	g_autofree char *pulse = g_build_filename(runtime, "pulse", NULL);
	int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0), r;

	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? -EOPNOTSUPP : -errno;
	for (unsigned i = 0; i < G_N_ELEMENTS(readable); i++)
		allow_path(rules, readable[i], read);
	allow_path(rules, config, read);
	allow_path(rules, pulse, read);
	r = syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
	close(rules);
	return r;
}

/* ---- system calls ---- */

static int allow_restricted(scmp_filter_ctx filter, unsigned i)
{
	struct scmp_arg_cmp when[G_N_ELEMENTS(restricted[i].when)];

	for (unsigned w = 0; w < restricted[i].n; w++)
		when[w] = restricted[i].when[w].mask == EXACTLY ?
			SCMP_CMP(restricted[i].when[w].argument, SCMP_CMP_EQ, restricted[i].when[w].is) :
			SCMP_CMP(restricted[i].when[w].argument, SCMP_CMP_MASKED_EQ,
				(scmp_datum_t)restricted[i].when[w].mask, restricted[i].when[w].is);
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, restricted[i].call, restricted[i].n, when);
}

static int fence_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? 0 : -ENOMEM;

	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1); /* threads that run already */
	for (unsigned i = 0; r == 0 && i < G_N_ELEMENTS(allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].call, 0);
	for (unsigned i = 0; r == 0 && i < G_N_ELEMENTS(restricted); i++)
		r = allow_restricted(filter, i);
	/* To itself only, not to other seats of the same user. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* Its flags are in memory, where nobody here can look: the library makes a thread by clone then. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return r;
}

bool sandbox_enter(const char *user, GError **error)
{
	int r = drop_privileges(user), files;

	key_lend();
	if (r < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "privileges: %s",
			g_strerror(-r));
		return false;
	}
	files = fence_files();
	if (files == -EOPNOTSUPP)
		g_message("no Landlock in this kernel: files are fenced by rights and system calls only");
	else if (files < 0)
		r = files;
	if (r == 0)
		r = fence_calls();
	if (r < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "sandbox: %s",
			g_strerror(-r));
	return r == 0;
}

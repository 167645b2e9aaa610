/*
 * What a process can still ask the kernel for in the seat's sandbox: what seats need, and nothing that reaches another
 * process of the same user.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seats/seat/sandbox.h"

static pid_t other;

#define refused(call)                                                                              \
	do {                                                                                       \
		errno = 0;                                                                         \
		test_equal((call), -1);                                                            \
		test_equal(errno, EPERM);                                                          \
	} while (0)

static void *thread(void *data)
{
	*(int *)data = 1;
	return NULL;
}

/* A thread that is made by the library, which cannot have clone3. */
static void threads(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int ran = 0;
	pthread_t id;

	errno = 0;
	test_equal(syscall(SYS_clone3, &args, sizeof(args)), -1);
	test_equal(errno, ENOSYS);
	test_equal(pthread_create(&id, NULL, thread, &ran), 0);
	test_equal(pthread_join(id, NULL), 0);
	test_equal(ran, 1);
}

/* No other user's rights in a namespace, and no other process at all. */
static void processes(void)
{
	refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
	refused(syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, NULL, NULL, NULL, NULL));
	refused(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	refused(syscall(SYS_clone, CLONE_PARENT | SIGKILL, NULL, NULL, NULL, NULL));
	refused(unshare(CLONE_NEWUSER));
}

/* Signals by descriptors. */
static void owners(void)
{
	struct f_owner_ex owner = { F_OWNER_PID, other };
	int pair[2], pid = other, on = 1, copy;

	test_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	refused(fcntl(pair[0], F_SETOWN, other));
	refused(fcntl(pair[0], F_SETOWN_EX, &owner));
	refused(fcntl(pair[0], F_SETSIG, SIGKILL));
	refused(fcntl(pair[0], F_NOTIFY, DN_MODIFY));
	refused(fcntl(pair[0], F_SETLEASE, F_RDLCK));
	refused(fcntl(pair[0], F_SETFL, O_ASYNC));
	refused(ioctl(pair[0], FIOASYNC, &on));
	refused(ioctl(pair[0], 0x8901, &pid)); /* FIOSETOWN */
	refused(ioctl(pair[0], 0x8902, &pid)); /* SIOCSPGRP */
	/* The kernel does not look at the upper half. */
	refused(syscall(SYS_ioctl, pair[0], 0x100008902, &pid));
	refused(syscall(SYS_fcntl, pair[0], 0x100000000 | F_SETOWN, other));
	test_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	test_assert(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	copy = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
	test_assert(copy > pair[0]);
	test_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	test_equal(fcntl(copy, F_SETFD, 0), 0);
}

static void seals(void)
{
	int fd = memfd_create("seals", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	test_assert(fd >= 0);
	test_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	test_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK);
}

/* Its own, and no other's. */
static void priorities(void)
{
	struct sched_param none = { 0 };
	struct rlimit limit;

	test_equal(setpriority(PRIO_PROCESS, 0, 19), 0);
	refused(setpriority(PRIO_PROCESS, (id_t)other, 19));
	refused(setpriority(PRIO_PGRP, 0, 19));
	refused(setpriority(PRIO_USER, 0, 19));
	test_equal(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	refused(sched_setscheduler(other, SCHED_OTHER, &none));
	test_equal(prlimit(0, RLIMIT_NOFILE, NULL, &limit), 0);
	refused(prlimit(other, RLIMIT_NOFILE, NULL, &limit));
	refused(kill(other, 0));
	refused(socket(AF_INET, SOCK_STREAM, 0));
}

int main(void)
{
	int status;

	other = fork();
	if (!other)
		for (;;)
			pause();
	/* Whoever looks for leaks at the end must not be fenced in. */
	if (!fork()) {
		GError *error = NULL;

		if (!sandbox_enter(NULL, &error)) {
			fprintf(stderr, "%s\n", error->message);
			_exit(1);
		}
		test_run(threads);
		test_run(processes);
		test_run(owners);
		test_run(seals);
		test_run(priorities);
		_exit(0);
	}
	while (wait(&status) == other)
		;
	kill(other, SIGKILL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

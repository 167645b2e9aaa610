/* Helpers: started, heard, ended, and what is said of it. */
#include "vmm/helper.c"

#include <fcntl.h>

#include "tests/unit/test.h"

static char *why;

static void on_ended(void *data, const char *text)
{
	test_assert(!why);
	why = g_strdup(text);
}

static struct helper *start(const struct helper_prepare *prepare, const char *script, int fd)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct helper_owner owner = {g_main_context_default(), on_ended, NULL};
	struct helper *helper = helper_start_in(prepare, argv, fd, &owner, NULL);

	test_assert(helper);
	return helper;
}

static void wait_end(void)
{
	for (unsigned i = 0; i < 5000 && !why; i++, g_usleep(1000))
		while (g_main_context_iteration(NULL, FALSE))
			;
	test_assert(why);
}

static void ends_with(const struct helper_prepare *prepare, const char *script, const char *expected)
{
	struct helper *helper = start(prepare, script, -1);

	wait_end();
	if (strcmp(why, expected))
		fprintf(stderr, "'%s' is not '%s'\n", why, expected);
	test_assert(!strcmp(why, expected));
	helper_stop(helper);
	g_clear_pointer(&why, g_free);
}

static void last_words(void)
{
	ends_with(NULL, "exit 0", "sh: ended with status 0");
	ends_with(NULL, "exit 3", "sh: ended with status 3");
	ends_with(NULL, "echo one >&2; echo two >&2; exit 1", "sh: ended with status 1: two");
	ends_with(NULL, "printf 'no end' >&2; exit 1", "sh: ended with status 1: no end");
	ends_with(NULL, "printf 'bell\\007\\n' >&2; exit 1", "sh: ended with status 1: bell?");
	ends_with(NULL, "echo x >&2; echo Failed to send 3 bytes to syslog >&2; exit 1",
		"sh: ended with status 1: x");
	ends_with(NULL, "kill -9 $$", "sh: killed by signal 9");
}

/* Endless lines are cut, and do not fill anything. */
static void talks_on(void)
{
	struct helper *helper = start(NULL, "yes | tr -d '\\n' | head -c 300000 >&2; exit 1", -1);

	wait_end();
	test_assert(strlen(why) < 400);
	helper_stop(helper);
	g_clear_pointer(&why, g_free);
}

static void stops(void)
{
	struct helper *helper = start(NULL, "trap '' TERM; while :; do sleep 0.1; done", -1);

	helper_stop(helper); /* it ignores being asked */
	helper = start(NULL, "sleep 1000 & wait", -1);
	helper_kill(helper);
	wait_end();
	helper_stop(helper);
	g_clear_pointer(&why, g_free);
	helper_stop(NULL);
}

/* Its end of the pipe closed, it lives on: nobody turns in circles because of it. */
static void falls_silent(void)
{
	struct helper *helper = start(NULL, "exec 2>&-; sleep 1000", -1);
	unsigned turns = 0;

	for (unsigned i = 0; i < 300; i++, g_usleep(1000)) {
		errno = EAGAIN; /* as any other source may have left it */
		turns += g_main_context_iteration(NULL, FALSE);
	}
	test_assert(turns < 10);
	helper_stop(helper);
	test_assert(!why);
}

static void *iterate(void *data)
{
	while (g_atomic_int_get((int *)data))
		g_main_context_iteration(NULL, FALSE);
	return NULL;
}

/* Stopped while its words and its end are being heard elsewhere. */
static void stopped_from_elsewhere(void)
{
	int run = 1;
	GThread *thread = g_thread_new("context", iterate, &run);

	for (unsigned i = 0; i < 50; i++) {
		struct helper *helper = start(NULL, "yes >&2 & sleep 0.01; kill $!", -1);

		g_usleep(i * 500);
		helper_stop(helper);
		g_clear_pointer(&why, g_free);
	}
	g_atomic_int_set(&run, 0);
	g_thread_join(thread);
	test_assert(!why);
}

static void gets_its_descriptor(void)
{
	int pair[2];
	char text[3] = "";

	test_equal(pipe2(pair, O_CLOEXEC), 0);
	helper_stop(NULL);
	{
		struct helper *helper = start(NULL, "echo hi >&3; ls /proc/self/fd | wc -l >&2", pair[1]);

		wait_end();
		test_equal(read(pair[0], text, 2), 2);
		test_assert(!strcmp(text, "hi"));
		/* 0, 1, 2, 3 and the one that ls has the folder open with. */
		test_assert(strstr(why, "status 0: 5"));
		helper_stop(helper);
		g_clear_pointer(&why, g_free);
	}
	close(pair[0]);
	close(pair[1]);
}

static const char *refuse(void *data)
{
	return data;
}

static void prepared(void)
{
	const struct helper_prepare good = {refuse, NULL}, bad = {refuse, (void *)"not today"};

	ends_with(&good, "exit 2", "sh: ended with status 2");
	ends_with(&bad, "exit 2", "sh: killed by signal 9: not today");
}

static void not_there(void)
{
	const char *const argv[] = {"irori-no-such-program", NULL};
	const struct helper_owner owner = {g_main_context_default(), on_ended, NULL};
	g_autoptr(GError) error = NULL;

	test_assert(!helper_start(argv, -1, &owner, &error));
	test_assert(strstr(error->message, "irori-no-such-program"));
}

static void backs_off(void)
{
	test_equal(helper_back_off(0), 0);
	test_equal(helper_back_off(1), 500);
	test_equal(helper_back_off(2), 1000);
	test_equal(helper_back_off(7), 30000);
	test_equal(helper_back_off(4000000000u), 30000);
}

int main(void)
{
	test_run(last_words);
	test_run(talks_on);
	test_run(stops);
	test_run(falls_silent);
	test_run(stopped_from_elsewhere);
	test_run(gets_its_descriptor);
	test_run(prepared);
	test_run(not_there);
	test_run(backs_off);
	return 0;
}

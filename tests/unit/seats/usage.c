/*
 * What people have used, on the disk: it comes back; a damaged file is told of and begins anew.
 */
#include "seats/usage.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/test.h"

static void what_is_stored_is_loaded(void)
{
	g_autofree char *top = g_dir_make_tmp("irori-usage-XXXXXX", NULL);
	g_autofree char *folder = g_build_filename(top, "a", "usage", NULL);
	g_autofree char *file = g_build_filename(folder, "mika", NULL);
	g_autofree char *between = g_build_filename(top, "a", NULL);
	struct usage usage = { 19723, 1, INT64_MAX, 3, -4, UINT32_MAX }, back;
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = NULL;

	test_assert(usage_load(folder, "mika", &back, &error)); /* begins */
	test_equal(back.day, 0);
	for (int i = 0; i < 3; i++) {
		usage.used_us++;
		test_assert(usage_store(folder, "mika", &usage, &error));
		test_assert(usage_load(folder, "mika", &back, &error));
		test_assert(!memcmp(&usage, &back, sizeof(usage)));
	}
	dir = g_dir_open(folder, 0, NULL);
	test_assert(!strcmp(g_dir_read_name(dir), "mika") && !g_dir_read_name(dir));
	test_assert(!usage_store(folder, "../x", &usage, NULL));
	test_assert(!usage_load(folder, "../x", &back, NULL));

	test_assert(g_file_set_contents(file, "irori usage 1\nday 1\n", -1, NULL));
	test_assert(!usage_load(folder, "mika", &back, &error));
	test_assert(strstr(error->message, "anew"));
	test_equal(back.day, 0);
	test_assert(usage_store(folder, "mika", &usage, NULL));
	test_assert(usage_load(folder, "mika", &back, NULL));
	g_remove(file);
	g_remove(folder);
	g_remove(between);
	g_remove(top);
}

static void damage_is_seen(void)
{
	struct usage usage = { 1, 2, 3, 4, 5, 6 }, back;
	g_autofree char *text = usage_text(&usage);
	size_t len = strlen(text);
	char longer[600];

	test_assert(usage_parse(text, len, &back));
	test_equal(back.warned, 6);
	for (size_t i = 0; i < len; i++) {
		g_autofree char *bad = g_strdup(text);

		test_assert(!usage_parse(text, i, &back));
		bad[i] = g_ascii_isdigit(bad[i]) ? 'x' : '\0';
		test_assert(!usage_parse(bad, len, &back));
		test_equal(back.used_us, 0);
	}
	memset(longer, ' ', sizeof(longer));
	memcpy(longer, text, len);
	test_assert(!usage_parse(longer, len + 1, &back));
	test_assert(!usage_parse(longer, sizeof(longer), &back));
}

int main(void)
{
	test_run(what_is_stored_is_loaded);
	test_run(damage_is_seen);
	return 0;
}

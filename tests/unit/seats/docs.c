/*
 * docs/seats.md says what each key is, and what its default is. usage: docs FILE
 */
#include <string.h>

#include "seats/household_priv.h"
#include "tests/unit/test.h"

/* The line of the table whose first cell has the key, BackoffMinMs= beside others. */
static char *line_of(char *const *lines, const char *key)
{
	g_autofree char *quoted = g_strdup_printf("`%s=`", key);

	for (; *lines; lines++) {
		const char *at = strstr(*lines, quoted), *cell = strstr(*lines, " | ");

		if (**lines == '|' && at && cell && at < cell)
			return *lines;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	unsigned n = 0;

	test_assert(argc == 2 && g_file_get_contents(argv[1], &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (unsigned kind = 0; kind < HOUSEHOLD_KINDS; kind++) {
		g_autofree char *section = g_strdup_printf("[%s]", household_types[kind].section);

		test_assert(strstr(text, section));
		for (const struct property *p = household_types[kind].table; p->key; p++, n++) {
			const char *line = line_of(lines, p->key);

			if (!line || (p->fallback && strcmp(p->fallback, "0") && !strstr(line, p->fallback)))
				printf("docs/seats.md: %s= (default %s)\n", p->key, p->fallback);
			test_assert(line);
			test_assert(!p->fallback || !strcmp(p->fallback, "0") || strstr(line, p->fallback));
		}
	}
	printf("ok %u keys\n", n);
	return n ? 0 : 1;
}

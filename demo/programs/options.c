/* Options from the kernel's command line: words of the form name=value, separated by blanks. */
#include "demo/programs/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *options_line(void)
{
	static char line[2048];
	static int asked;

	if (!asked) {
		int fd = open("/proc/cmdline", O_RDONLY);
		ssize_t got = fd < 0 ? 0 : read(fd, line, sizeof line - 1);

		if (fd >= 0)
			close(fd);
		line[got > 0 ? got : 0] = 0;
		asked = 1;
	}
	return line;
}

const char *option_find(const char *line, const char *name, char *word, unsigned size)
{
	size_t length = strlen(name);
	const char *found = NULL;

	while (*line) {
		size_t end;

		line += strspn(line, " \t\n");
		end = strcspn(line, " \t\n");
		if (end > length && !strncmp(line, name, length) && line[length] == '=') {
			size_t n = end - length - 1;

			if (n >= size)
				n = size - 1;
			memcpy(word, line + length + 1, n);
			word[n] = 0;
			found = word;
		}
		line += end;
	}
	return found;
}

const char *option_word(const char *name, const char *otherwise)
{
	static char word[256];
	const char *found = option_find(options_line(), name, word, sizeof word);

	return found ? found : otherwise;
}

long option_number(const char *name, long otherwise)
{
	char word[32], *end;
	const char *found = option_find(options_line(), name, word, sizeof word);
	long value;

	if (!found || !*found)
		return otherwise;
	errno = 0;
	value = strtol(found, &end, 10);
	return errno || *end ? otherwise : value;
}

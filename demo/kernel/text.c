/*
 * The little of libc that the kernel uses, and its log.
 */
#include <stdarg.h>

#include "demo/kernel/kernel.h"

bool log_quiet;

void *memcpy(void *to, const void *from, size_t n)
{
	void *start = to;
	size_t words = n / 8;

	n %= 8;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) :: "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
	return start;
}

void *memset(void *to, int c, size_t n)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

struct line {
	char text[160];
	unsigned n;
};

static void line_put(struct line *line, char c)
{
	if (line->n < sizeof(line->text))
		line->text[line->n++] = c;
}

static void line_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		line_put(line, digits[--n]);
}

static void line_format(struct line *line, const char *format, va_list args)
{
	for (; *format; format++) {
		bool wide = false;

		if (*format != '%') {
			line_put(line, *format);
			continue;
		}
		while (*++format == 'l')
			wide = true;
		if (*format == 's') {
			for (const char *s = va_arg(args, const char *); *s; s++)
				line_put(line, *s);
		} else if (*format == 'c') {
			line_put(line, (char)va_arg(args, int));
		} else if (*format == 'd') {
			int64_t value = wide ? va_arg(args, int64_t) : va_arg(args, int);

			if (value < 0)
				line_put(line, '-');
			line_number(line, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
		} else if (*format == 'u' || *format == 'x') {
			uint64_t value = wide ? va_arg(args, uint64_t) : va_arg(args, unsigned);

			line_number(line, value, *format == 'x' ? 16 : 10);
		} else {
			return; /* not one of ours */
		}
	}
}

void log_line(const char *format, ...)
{
	struct line line;
	va_list args;

	line.n = 0;
	if (log_quiet)
		return;
	va_start(args, format);
	line_format(&line, format, args);
	va_end(args);
	line_put(&line, '\n');
	console_write(line.text, line.n);
}

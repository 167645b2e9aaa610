/*
 * What the kernel's command line says to a program: "player.loop=3" and the like. The line is read
 * once, from /proc/cmdline; a name that is not there, or that has no number after it, has its
 * default. Single thread.
 */
#ifndef IRORI_DEMO_OPTIONS_H
#define IRORI_DEMO_OPTIONS_H

/* The decimal number after `name`=, else `otherwise`. The last mention wins. */
long option_number(const char *name, long otherwise);

/* The word after `name`=, in a buffer that the next call reuses, else `otherwise`. */
const char *option_word(const char *name, const char *otherwise);

/* The same on a line that the caller gives: NULL when it is not there. For tests. */
const char *option_find(const char *line, const char *name, char *word, unsigned size);

#endif

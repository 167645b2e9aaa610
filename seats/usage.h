/*
 * What people have used of their time, kept over restarts: a file a person in a folder of irorid's
 * (/var/lib/irori/usage/PERSON).
 *
 * Thread: any.
 */
#ifndef IRORI_SEATS_USAGE_H
#define IRORI_SEATS_USAGE_H

#include "seats/hours.h"

/* False, and usage zeroed, if the text is not one that usage_text made. */
bool usage_parse(const char *text, size_t len, struct usage *usage);
char *usage_text(const struct usage *usage); /* g_free */

/* A person without a file begins. So does one whose file is damaged or cannot be read: false then, with
 * error set to what to say; usage is good in any case. */
bool usage_load(const char *folder, const char *person, struct usage *usage, GError **error);
/* Whole or not at all; the folder is made. */
bool usage_store(const char *folder, const char *person, const struct usage *usage, GError **error);

#endif

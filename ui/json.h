/*
 * JSON out, shared by all commands that have --json.
 *
 * Thread: any.
 */
#ifndef IRORI_UI_JSON_H
#define IRORI_UI_JSON_H

#include <json-glib/json-glib.h>
#include <stdint.h>

void json_int(JsonBuilder *json, const char *name, int64_t value);
void json_number(JsonBuilder *json, const char *name, double value); /* three decimals */
void json_text(JsonBuilder *json, const char *name, const char *value); /* NULL: null */
void json_bool(JsonBuilder *json, const char *name, gboolean value);

/* The finished text, indented, with a newline; unrefs the builder. g_free. */
char *json_finish(JsonBuilder *json);

#endif

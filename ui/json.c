/*
 * JSON out; see json.h.
 */
#include "ui/json.h"

#include <math.h>

void json_int(JsonBuilder *json, const char *name, int64_t value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_int_value(json, value);
}

void json_number(JsonBuilder *json, const char *name, double value)
{
	json_builder_set_member_name(json, name);
	if (isfinite(value))
		json_builder_add_double_value(json, round(value * 1000) / 1000);
	else
		json_builder_add_null_value(json);
}

void json_text(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	if (value && g_utf8_validate(value, -1, NULL))
		json_builder_add_string_value(json, value);
	else
		json_builder_add_null_value(json);
}

void json_bool(JsonBuilder *json, const char *name, gboolean value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_boolean_value(json, value);
}

/* json-glib writes 17 digits: 56.893999999999998. */
static gboolean number_shorten(const GMatchInfo *match, GString *text, gpointer data)
{
	g_autofree char *digits = g_match_info_fetch(match, 0);
	char shorter[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(shorter, sizeof(shorter), "%.10g", g_ascii_strtod(digits, NULL));
	g_string_append(text, shorter);
	return FALSE;
}

char *json_finish(JsonBuilder *json)
{
	JsonNode *root = json_builder_get_root(json);
	g_autofree char *text = json_to_string(root, TRUE);
	g_autoptr(GRegex) number = g_regex_new("(?<=: )-?[0-9]+\\.[0-9]{6,}(e-?[0-9]+)?(?=,?$)",
		G_REGEX_MULTILINE, 0, NULL);
	g_autofree char *shorter =
		g_regex_replace_eval(number, text, -1, 0, 0, number_shorten, NULL, NULL);

	json_node_unref(root);
	g_object_unref(json);
	return g_strconcat(shorter, "\n", NULL);
}

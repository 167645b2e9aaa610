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

char *json_finish(JsonBuilder *json)
{
	JsonNode *root = json_builder_get_root(json);
	char *text = json_to_string(root, TRUE), *line = g_strconcat(text, "\n", NULL);

	g_free(text);
	json_node_unref(root);
	g_object_unref(json);
	return line;
}

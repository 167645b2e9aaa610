/*
 * Property tables and the configuration files they parse: GKeyFile reads the text, and a second
 * look at it remembers on which line each key stands, so that a message can say so.
 */
#define G_LOG_DOMAIN "irori-config"

#include "vmm/property.h"

#include <errno.h>
#include <string.h>

enum {
	CONFIG_MAX_BYTES = 1 << 20,
};

struct config_file {
	char *name;
	GKeyFile *keys;
	char **sections;
	GHashTable *lines; /* "section\nkey" -> line */
};

static GQuark config_error(void)
{
	return g_quark_from_static_string("irori-config");
}

static char *line_key(const char *section, const char *key)
{
	return g_strconcat(section, "\n", key, NULL);
}

/* GKeyFile has accepted the text, so its shape is known: groups, keys, comments, empty lines. */
static void lines_remember(struct config_file *file, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *section = NULL;

	for (int i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);
		char *end;

		if (line[0] == '[' && (end = strrchr(line, ']'))) {
			g_free(section);
			section = g_strndup(line + 1, (gsize)(end - line - 1));
		} else if (section && line[0] != '#' && (end = strchr(line, '='))) {
			*end = '\0';
			g_hash_table_insert(file->lines, line_key(section, g_strchomp(line)),
				GINT_TO_POINTER(i + 1));
		}
	}
}

struct config_file *config_file_parse(const char *text, size_t len, const char *name, GError **error)
{
	g_autoptr(GError) inner = NULL;
	struct config_file *file;
	g_autofree char *copy = NULL;

	if (len > CONFIG_MAX_BYTES || memchr(text, '\0', len)) {
		g_set_error(error, config_error(), 0, "%s: not a configuration file (%s)", name,
			len > CONFIG_MAX_BYTES ? "larger than 1 MiB" : "it has zero bytes");
		return NULL;
	}
	file = g_new0(struct config_file, 1);
	file->name = g_strdup(name);
	file->keys = g_key_file_new();
	file->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	/* A file of comments only is an empty configuration, to us; GKeyFile takes it as well. */
	if (!g_key_file_load_from_data(file->keys, len ? text : "#", len ? len : 1,
		    G_KEY_FILE_NONE, &inner)) {
		g_set_error(error, config_error(), 0, "%s: %s", name, inner->message);
		config_file_free(file);
		return NULL;
	}
	copy = g_strndup(text, len);
	lines_remember(file, copy);
	file->sections = g_key_file_get_groups(file->keys, NULL);
	return file;
}

struct config_file *config_file_load(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize len;

	if (!g_file_get_contents(path, &text, &len, error))
		return NULL;
	return config_file_parse(text, len, path, error);
}

void config_file_free(struct config_file *file)
{
	if (!file)
		return;
	g_strfreev(file->sections);
	g_hash_table_destroy(file->lines);
	g_key_file_free(file->keys);
	g_free(file->name);
	g_free(file);
}

const char *const *config_file_sections(const struct config_file *file)
{
	return (const char *const *)file->sections;
}

const char *config_file_name(const struct config_file *file)
{
	return file->name;
}

char *config_file_text(const struct config_file *file)
{
	return g_key_file_to_data(file->keys, NULL, NULL);
}

int config_file_line(const struct config_file *file, const char *section, const char *key)
{
	g_autofree char *name = line_key(section, key);

	return GPOINTER_TO_INT(g_hash_table_lookup(file->lines, name));
}

/* A number with an optional suffix; false if there is more or less to it, or it is too large. */
static bool parse_number(const char *text, bool suffix, uint64_t *value)
{
	static const char suffixes[] = "KMGT";
	const char *found;
	unsigned shift = 0;
	char *end;

	if (!g_ascii_isdigit(text[0]))
		return false;
	errno = 0;
	*value = g_ascii_strtoull(text, &end, 0);
	if (errno)
		return false;
	if (suffix && *end && (found = strchr(suffixes, g_ascii_toupper(*end)))) {
		shift = 10 * (unsigned)(found - suffixes + 1);
		end++;
	}
	if (*end || *value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

static bool parse_bool(const char *text, bool *value)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		if (!g_ascii_strcasecmp(text, words[i])) {
			*value = i & 1;
			return true;
		}
	return false;
}

static bool parse_enum(const struct property *property, const char *text, unsigned *value)
{
	for (unsigned i = 0; property->values[i]; i++)
		if (!g_ascii_strcasecmp(text, property->values[i])) {
			*value = i;
			return true;
		}
	return false;
}

/* What was expected, in words; g_free. */
static char *expectation(const struct property *property)
{
	g_autofree char *list = NULL;

	switch (property->type) {
	case PROPERTY_UINT:
		return g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
			property->min, property->max);
	case PROPERTY_SIZE:
		return g_strdup_printf("bytes, K, M, G or T may follow the number, "
				       "from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
			property->min, property->max);
	case PROPERTY_BOOL:
		return g_strdup("yes or no");
	case PROPERTY_ENUM:
		list = g_strjoinv(", ", (char **)property->values);
		return g_strdup_printf("one of %s", list);
	case PROPERTY_STRING:
	case PROPERTY_PATH:
		break;
	}
	return g_strdup("text");
}

static char *path_of(const struct config_file *file, const char *text)
{
	g_autofree char *folder = NULL;

	if (!text[0])
		return NULL;
	if (!file)
		return g_canonicalize_filename(text, NULL);
	folder = g_path_get_dirname(file->name);
	if (!g_path_is_absolute(folder)) {
		g_autofree char *here = g_canonicalize_filename(folder, NULL);

		return g_canonicalize_filename(text, here);
	}
	return g_canonicalize_filename(text, folder);
}

static bool value_store(const struct property *property, const struct config_file *file,
	const char *text, void *into)
{
	char *field = (char *)into + property->offset;
	uint64_t number;

	switch (property->type) {
	case PROPERTY_STRING:
		*(char **)field = g_strdup(text);
		return true;
	case PROPERTY_PATH:
		*(char **)field = path_of(file, text);
		return true;
	case PROPERTY_BOOL:
		return parse_bool(text, (bool *)field);
	case PROPERTY_ENUM:
		return parse_enum(property, text, (unsigned *)field);
	case PROPERTY_UINT:
	case PROPERTY_SIZE:
		if (!parse_number(text, property->type == PROPERTY_SIZE, &number) ||
			number < property->min || number > property->max)
			return false;
		if (property->type == PROPERTY_SIZE)
			*(uint64_t *)field = number;
		else
			*(uint32_t *)field = (uint32_t)number;
		return true;
	}
	return false;
}

static bool is_text(const struct property *property)
{
	return property->type == PROPERTY_STRING || property->type == PROPERTY_PATH;
}

static bool property_fill(const struct property *property, const struct config_file *file,
	const char *section, void *into, GError **error)
{
	g_autofree char *text = NULL, *wanted = NULL;
	bool given;

	if (file && section)
		text = g_key_file_get_string(file->keys, section, property->key, NULL);
	given = text;
	if (!given) {
		if (property->required || (!property->fallback && !is_text(property))) {
			g_set_error(error, config_error(), 0, "%s: [%s] lacks %s=",
				file ? file->name : "configuration", section ? section : "",
				property->key);
			return false;
		}
		if (!property->fallback)
			return true;
		text = g_strdup(property->fallback);
	}
	g_strstrip(text);
	if (value_store(property, file, text, into) && !(property->required && !text[0]))
		return true;
	wanted = expectation(property);
	g_set_error(error, config_error(), 0, "%s:%d: %s=%s: expected %s",
		file ? file->name : "default", file && given ?
		config_file_line(file, section, property->key) : 0, property->key, text, wanted);
	return false;
}

static void warn_unknown(const struct property *table, const struct config_file *file,
	const char *section)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file->keys, section, NULL, NULL);

	for (char **key = keys; key && *key; key++) {
		const struct property *property = table;

		while (property && property->key && strcmp(property->key, *key))
			property++;
		if (!property || !property->key)
			g_warning("%s:%d: unknown key %s in [%s], ignored", file->name,
				config_file_line(file, section, *key), *key, section);
	}
}

bool property_parse(const struct property *table, const struct config_file *file,
	const char *section, void *into, GError **error)
{
	if (file && section)
		warn_unknown(table, file, section);
	for (const struct property *property = table; property && property->key; property++)
		if (!property_fill(property, file, section, into, error)) {
			property_clear(table, into);
			return false;
		}
	return true;
}

void property_clear(const struct property *table, void *from)
{
	for (const struct property *property = table; property && property->key; property++)
		if (is_text(property))
			g_clear_pointer((char **)((char *)from + property->offset), g_free);
}

char *property_help(const struct property *table)
{
	static const char *const kinds[] = {
		[PROPERTY_STRING] = "TEXT", [PROPERTY_PATH] = "PATH", [PROPERTY_UINT] = "NUMBER",
		[PROPERTY_SIZE] = "SIZE", [PROPERTY_BOOL] = "yes|no", [PROPERTY_ENUM] = NULL,
	};
	GString *out = g_string_new(NULL);

	for (const struct property *property = table; property && property->key; property++) {
		g_autofree char *choice = property->type == PROPERTY_ENUM ?
			g_strjoinv("|", (char **)property->values) : NULL;
		g_autofree char *head = g_strdup_printf("%s=%s", property->key,
			choice ? choice : kinds[property->type]);
		bool must = property->required || (!property->fallback && !is_text(property));

		g_string_append_printf(out, "  %-24s %s", head, property->help);
		if (must)
			g_string_append(out, " (required)");
		else if (property->fallback && property->fallback[0])
			g_string_append_printf(out, " (default %s)", property->fallback);
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

static void json_text(GString *out, const char *text)
{
	if (!text) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_c(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(out, '\\');
		if ((unsigned char)*text < 0x20)
			g_string_append_printf(out, "\\u%04x", (unsigned char)*text);
		else
			g_string_append_c(out, *text);
	}
	g_string_append_c(out, '"');
}

char *property_json(const struct property *table, const void *from)
{
	GString *out = g_string_new("{");

	for (const struct property *property = table; property && property->key; property++) {
		const char *field = (const char *)from + property->offset;

		g_string_append_printf(out, "%s\"%s\":", property == table ? "" : ",", property->key);
		if (is_text(property))
			json_text(out, *(char *const *)field);
		else if (property->type == PROPERTY_UINT)
			g_string_append_printf(out, "%u", *(const uint32_t *)field);
		else if (property->type == PROPERTY_SIZE)
			g_string_append_printf(out, "%" G_GUINT64_FORMAT, *(const uint64_t *)field);
		else if (property->type == PROPERTY_BOOL)
			g_string_append(out, *(const bool *)field ? "true" : "false");
		else
			json_text(out, property->values[*(const unsigned *)field]);
	}
	g_string_append_c(out, '}');
	return g_string_free(out, FALSE);
}

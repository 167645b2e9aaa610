/*
 * Property tables and the configuration files they parse: GKeyFile reads the text, and a second
 * look at it remembers on which line each key stands, so that a message can say so.
 */
#define G_LOG_DOMAIN "irori-config"

#include "vmm/property.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vmm/error.h"

enum {
	CONFIG_MAX_BYTES = 1 << 20,
};

struct config_file {
	char *name;
	char *root; /* NULL: paths are this system's */
	GKeyFile *keys;
	char **sections;
	GHashTable *lines; /* "section\nkey" -> line */
};

static char *line_key(const char *section, const char *key)
{
	return g_strconcat(section, "\n", key, NULL);
}

/* Remembers a section (key "") or a key; each is said once, or the later one would hide the earlier. */
static bool line_remember(struct config_file *file, const char *section, const char *key, int line,
	GError **error)
{
	char *name = line_key(section, key);
	int before = GPOINTER_TO_INT(g_hash_table_lookup(file->lines, name));

	if (before == 0)
		return g_hash_table_insert(file->lines, name, GINT_TO_POINTER(line));
	g_free(name);
	if (!key[0])
		return fail(error, "%s:%d: [%s] is in line %d already", file->name, line, section,
			before);
	return fail(error, "%s:%d: %s= of [%s] is in line %d already", file->name, line, key, section,
		before);
}

/* On which line what stands; refuses lines that are neither groups, keys nor comments before GKeyFile
 * does, which does not say where they are. */
static bool lines_remember(struct config_file *file, const char *text, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *section = NULL;

	for (int i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);
		char *end;

		if (!line[0] || line[0] == '#')
			continue;
		if (line[0] == '[' && (end = strrchr(line, ']'))) {
			g_free(section);
			section = g_strndup(line + 1, (gsize)(end - line - 1));
			if (!line_remember(file, section, "", i + 1, error))
				return false;
		} else if (section && line[0] != '=' && (end = strchr(line, '='))) {
			*end = '\0';
			if (!line_remember(file, section, g_strchomp(line), i + 1, error))
				return false;
		} else {
			return fail(error, "%s:%d: expected [SECTION], KEY=VALUE after one, or a "
				"# comment, not '%.60s'", file->name, i + 1, line);
		}
	}
	return true;
}

static const char *text_wrong(const char *text, size_t len)
{
	if (len > CONFIG_MAX_BYTES)
		return "larger than 1 MiB";
	if (memchr(text, '\0', len))
		return "it has zero bytes";
	return g_utf8_validate(text, (gssize)len, NULL) ? NULL : "it is not UTF-8";
}

struct config_file *config_file_parse(const char *text, size_t len, const char *name, GError **error)
{
	const char *wrong = text_wrong(text, len);
	g_autofree char *copy = wrong ? NULL : g_strndup(text, len);
	g_autoptr(GError) inner = NULL;
	struct config_file *file;

	if (wrong) {
		fail(error, "%s: not a configuration file (%s)", name, wrong);
		return NULL;
	}
	file = g_new0(struct config_file, 1);
	file->name = g_strdup(name);
	file->keys = g_key_file_new();
	file->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	/* A file of comments only is an empty configuration, to us; GKeyFile takes it as well. */
	if (!lines_remember(file, copy, error) ||
		(!g_key_file_load_from_data(file->keys, len ? text : "#", len ? len : 1,
			 G_KEY_FILE_NONE, &inner) && !fail(error, "%s: %s", name, inner->message))) {
		config_file_free(file);
		return NULL;
	}
	file->sections = g_key_file_get_groups(file->keys, NULL);
	return file;
}

struct config_file *config_file_load(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	int code = access(path, R_OK) < 0 ? errno : g_file_test(path, G_FILE_TEST_IS_DIR) ? EISDIR : 0;
	gsize len;

	/* g_file_get_contents has a longer way to say the same. */
	if (code) {
		fail_errno(error, code, "%s: %s", path, g_strerror(code));
		return NULL;
	}
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
	g_free(file->root);
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

void config_file_root(struct config_file *file, const char *root)
{
	g_free(file->root);
	file->root = g_canonicalize_filename(root, NULL);
}

char *config_file_text(const struct config_file *file)
{
	return g_key_file_to_data(file->keys, NULL, NULL);
}

void config_file_default(struct config_file *file, const char *section, const char *key,
	const char *value)
{
	if (g_key_file_has_group(file->keys, section) &&
		!g_key_file_has_key(file->keys, section, key, NULL))
		g_key_file_set_string(file->keys, section, key, value);
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
	if (file->root && g_path_is_absolute(text)) {
		g_autofree char *inside = g_canonicalize_filename(text, NULL);

		return g_build_filename(file->root, inside, NULL);
	}
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

/* Its text as the file has it, or its default; *text NULL: neither. */
static bool property_text(const struct property *property, const struct config_file *file,
	const char *section, char **text, GError **error)
{
	g_autoptr(GError) inner = NULL;

	*text = file && section ?
		g_key_file_get_string(file->keys, section, property->key, &inner) : NULL;
	if (inner && !g_error_matches(inner, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND) &&
		!g_error_matches(inner, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND))
		return fail(error, "%s:%d: %s=: a '\\' that means nothing; write '\\\\' for one",
			file->name, config_file_line(file, section, property->key), property->key);
	if (!*text && (property->required || (!property->fallback && !is_text(property))))
		return fail(error, "%s: [%s] lacks %s=", file ? file->name : "configuration",
			section ? section : "", property->key);
	if (!*text)
		*text = g_strdup(property->fallback);
	return true;
}

static bool property_fill(const struct property *property, const struct config_file *file,
	const char *section, void *into, GError **error)
{
	g_autofree char *text = NULL, *wanted = NULL;
	int line = file && section ? config_file_line(file, section, property->key) : 0;

	if (!property_text(property, file, section, &text, error))
		return false;
	if (!text)
		return true;
	g_strstrip(text);
	if (value_store(property, file, text, into) && !(property->required && !text[0]))
		return true;
	wanted = expectation(property);
	return fail(error, "%s:%d: %s=%s: expected %s", file ? file->name : "default", line,
		property->key, text, wanted);
}

static const struct property *property_find(const struct property *table, const char *key)
{
	for (; table && table->key; table++)
		if (!strcmp(table->key, key))
			return table;
	return NULL;
}

/* A key that nobody knows is a key that somebody relies on. */
static bool keys_known(const struct property *table, const struct config_file *file,
	const char *section, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file->keys, section, NULL, NULL);

	for (char **key = keys; key && *key; key++)
		if (!property_find(table, *key))
			return fail(error, "%s:%d: there is no %s= in [%s]; irori-vmm --help lists all",
				file->name, config_file_line(file, section, *key), *key, section);
	return true;
}

static bool table_fill(const struct property *table, const struct config_file *file,
	const char *section, void *into, GError **error)
{
	for (const struct property *property = table; property && property->key; property++)
		if (!property_fill(property, file, section, into, error)) {
			property_clear(table, into);
			return false;
		}
	return true;
}

bool property_parse(const struct property *table, const struct config_file *file,
	const char *section, void *into, GError **error)
{
	if (file && section && !keys_known(table, file, section, error))
		return false;
	return table_fill(table, file, section, into, error);
}

bool property_parse_known(const struct property *table, const struct config_file *file,
	const char *section, void *into, property_unknown_fn *unknown, void *data, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file->keys, section, NULL, NULL);

	for (char **key = keys; unknown && key && *key; key++) {
		g_autofree char *message = NULL;

		if (property_find(table, *key))
			continue;
		message = g_strdup_printf("%s:%d: there is no %s= in [%s]; it is ignored", file->name,
			config_file_line(file, section, *key), *key, section);
		unknown(data, message);
	}
	return table_fill(table, file, section, into, error);
}

bool property_override(const struct property *table, const struct config_file *file,
	const char *section, void *into, GError **error)
{
	for (const struct property *property = table; property && property->key; property++) {
		if (!config_file_line(file, section, property->key))
			continue;
		if (is_text(property))
			g_clear_pointer((char **)((char *)into + property->offset), g_free);
		if (!property_fill(property, file, section, into, error))
			return false;
	}
	return true;
}

/* As the file says it: without the root. */
static const char *path_within(const struct config_file *file, const char *path)
{
	size_t len = file->root ? strlen(file->root) : 0;

	return strncmp(path, file->root ? file->root : "", len) ? path : path + len;
}

bool property_exists(const struct property *table, const struct config_file *file,
	const char *section, const void *from, bool *elsewhere, GError **error)
{
	*elsewhere = false;
	for (const struct property *p = table; p && p->key; p++) {
		const char *path = p->exists ? *(char *const *)((const char *)from + p->offset) : NULL;

		if (path && file->root && g_str_has_prefix(path_within(file, path), "/dev/"))
			*elsewhere = true;
		else if (path && access(path, F_OK) < 0)
			return fail_errno(error, errno, "%s:%d: %s=%s: %s", file->name,
				config_file_line(file, section, p->key), p->key,
				path_within(file, path), g_strerror(errno));
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

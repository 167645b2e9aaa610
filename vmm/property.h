/*
 * Property tables: one table makes the parser of a configuration section, its --help, its JSON, and
 * its man page.
 *
 * Configuration is INI (GKeyFile) with systemd's habits: a bad value is an error with file, line and what
 * was expected; an unknown key is an error for a guest's machine, a warning for a household.
 *
 * Thread: any; tables are const.
 */
#ifndef IRORI_VMM_PROPERTY_H
#define IRORI_VMM_PROPERTY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum property_type {
	PROPERTY_STRING, /* char *, owned by the structure */
	PROPERTY_PATH,   /* char *, relative to the file's folder, made absolute */
	PROPERTY_UINT,   /* uint32_t within min..max */
	PROPERTY_SIZE,   /* uint64_t bytes with K, M, G, T suffix, within min..max */
	PROPERTY_BOOL,   /* bool: yes, no, true, false, on, off, 1, 0 */
	PROPERTY_ENUM,   /* unsigned: index in `values` */
};

struct property {
	const char *key; /* CamelCase */
	enum property_type type;
	size_t offset;   /* in the structure */
	const char *fallback; /* the default, as text; NULL: required unless a string */
	const char *help;
	uint64_t min, max;          /* UINT, SIZE */
	const char *const *values;  /* ENUM, NULL-terminated */
	bool required;
	bool exists; /* PATH: it has to be there already */
};

/* A parsed file that remembers the line of each key. */
struct config_file;

struct config_file *config_file_load(const char *path, GError **error);
struct config_file *config_file_parse(const char *text, size_t len, const char *name, GError **error);
void config_file_free(struct config_file *file);
/* Sections in file order, NULL-terminated, owned by the file: "Guest", "Disk system". */
const char *const *config_file_sections(const struct config_file *file);
/* As it was given to load or parse. */
const char *config_file_name(const struct config_file *file);
/* Its sections and keys as text that parses to the same; g_free. */
char *config_file_text(const struct config_file *file);
/* Gives a key of a section that is there a value if the file has none for it. */
void config_file_default(struct config_file *file, const char *section, const char *key,
	const char *value);
/* Of a key, or of a section (key ""); 0: it is not there. */
int config_file_line(const struct config_file *file, const char *section, const char *key);

/* The file is for another system, whose files are below this folder: absolute paths in it lead there. */
void config_file_root(struct config_file *file, const char *root);
/* What of the table has to be there is: false and error set, with file and line, if it is not. *elsewhere: one
 * is a device of that other system (/dev), of which nothing is known here. */
bool property_exists(const struct property *table, const struct config_file *file,
	const char *section, const void *from, bool *elsewhere, GError **error);

/* Fills `into` (zeroed by the caller) from a section (NULL or absent: defaults only). A key of it that
 * is not in the table is an error. */
bool property_parse(const struct property *table, const struct config_file *file,
	const char *section, void *into, GError **error);
/* The same, but a key that is not in the table is only told of, with file and line (unknown may be NULL). */
typedef void property_unknown_fn(void *data, const char *message);
bool property_parse_known(const struct property *table, const struct config_file *file,
	const char *section, void *into, property_unknown_fn *unknown, void *data, GError **error);
/* Only the keys of the table that the section has, over what `into` has already, as a drop-in does. False:
 * a value is wrong, and so is `into` then: parse the file alone first. */
bool property_override(const struct property *table, const struct config_file *file,
	const char *section, void *into, GError **error);
void property_clear(const struct property *table, void *from);
/* "Key=VALUE  help (default X)" lines, and a JSON object text; g_free. */
char *property_help(const struct property *table);
char *property_json(const struct property *table, const void *from);

#endif

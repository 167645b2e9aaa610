/*
 * See household.h. Each file is parsed and checked alone; then a file's drop-ins are laid over it.
 */
#define G_LOG_DOMAIN "irori-household"

#include "seats/household.h"

#include <string.h>

#include "seats/household_priv.h"
#include "vmm/error.h"

static void complain(struct household *household, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void complain(struct household *household, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(household->complaints, g_strdup_vprintf(format, args));
	va_end(args);
}

static void complain_unknown(void *data, const char *message)
{
	complain(data, "%s", message);
}

bool household_name_valid(const char *name)
{
	size_t len = strnlen(name, HOUSEHOLD_MAX_NAME + 1);

	return len && len <= HOUSEHOLD_MAX_NAME && name[0] != '.' && name[0] != '-' &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
			len;
}

/* Its values into a zeroed draft, if all of them are good. */
static bool draft_read(struct household *household, const struct household_type *type,
	const struct config_file *file, union household_draft *draft)
{
	g_autoptr(GError) error = NULL;
	bool good = property_parse_known(type->table, file, type->section, draft, complain_unknown,
		household, &error);

	if (good && !type->check(draft, file, &error)) {
		property_clear(type->table, draft);
		good = false;
	}
	if (!good)
		complain(household, "%s", error->message);
	return good;
}

/* A guest's file has irori-vmm's sections as well, which are irori-vmm's to know. */
static void sections_check(struct household *household, const struct household_type *type,
	const struct config_file *file, bool drop_in)
{
	if (type == &household_types[HOUSEHOLD_GUEST] && !drop_in)
		return;
	for (const char *const *section = config_file_sections(file); *section; section++)
		if (strcmp(*section, type->section))
			complain(household, "%s:%d: only [%s] counts here; [%s] is ignored",
				config_file_name(file), config_file_line(file, *section, ""),
				type->section, *section);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* seat2 before seat10: seats are numbered in this order. */
static int compare_numbered(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder that end with .conf, sorted; how many is bounded. */
static char **folder_list(struct household *household, const char *folder, GCompareFunc compare)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		if (name[0] == '.' || !g_str_has_suffix(name, ".conf"))
			continue;
		if (names->len == HOUSEHOLD_MAX) {
			complain(household, "%s: more than %d files; some are left out", folder,
				HOUSEHOLD_MAX);
			break;
		}
		g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_sort(names, compare);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static struct config_file *file_load(struct household *household, const char *path)
{
	g_autoptr(GError) error = NULL;
	struct config_file *file = config_file_load(path, &error);

	if (!file)
		complain(household, "%s", error->message);
	return file;
}

/* One more file over what there is; a wrong one changes nothing. */
static void drop_in_lay(struct household *household, const struct household_type *type,
	const char *path, union household_draft *draft)
{
	struct config_file *file = file_load(household, path);
	union household_draft alone;

	memset(&alone, 0, sizeof(alone));
	if (!file)
		return;
	sections_check(household, type, file, true);
	if (draft_read(household, type, file, &alone)) {
		property_clear(type->table, &alone);
		property_override(type->table, file, type->section, draft, NULL);
	}
	config_file_free(file);
}

static void drop_ins_lay(struct household *household, const struct household_type *type,
	const char *path, union household_draft *draft)
{
	g_autofree char *folder = g_strconcat(path, ".d", NULL);
	g_auto(GStrv) names = folder_list(household, folder, compare_names);

	for (char **name = names; *name; name++) {
		g_autofree char *drop_in = g_build_filename(folder, *name, NULL);

		drop_in_lay(household, type, drop_in, draft);
	}
}

/* `file` is NULL for what has drop-ins only. */
static void file_take(struct household *household, const struct household_type *type,
	const char *name, const char *path, const struct config_file *file, bool drop_ins)
{
	g_autoptr(GError) error = NULL;
	struct config_file *empty = file ? NULL : config_file_parse("", 0, path, NULL);
	union household_draft draft;

	memset(&draft, 0, sizeof(draft));
	file = file ? file : empty;
	sections_check(household, type, file, false);
	if (draft_read(household, type, file, &draft)) {
		if (drop_ins)
			drop_ins_lay(household, type, path, &draft);
		if (!type->read || type->read(name, file, &draft, &error))
			type->make(household, name, path, &draft);
		else
			complain(household, "%s", error->message);
		property_clear(type->table, &draft);
	}
	config_file_free(empty);
}

static void folder_take(struct household *household, const struct household_type *type,
	const char *root)
{
	g_autofree char *folder = g_build_filename(root, type->folder, NULL);
	g_auto(GStrv) files = folder_list(household, folder, compare_numbered);

	for (char **base = files; *base; base++) {
		g_autofree char *path = g_build_filename(folder, *base, NULL);
		g_autofree char *name = g_strndup(*base, strlen(*base) - strlen(".conf"));
		struct config_file *file;

		if (!household_name_valid(name)) {
			complain(household, "%s: expected a name of 1 to %d letters, digits, '-', "
				"'_', '.'", path, HOUSEHOLD_MAX_NAME);
			continue;
		}
		file = file_load(household, path);
		if (file)
			file_take(household, type, name, path, file, true);
		config_file_free(file);
	}
}

static void irori_take(struct household *household, const char *root)
{
	g_autofree char *path = g_build_filename(root, "irori.conf", NULL);
	struct config_file *file = NULL;

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		file = file_load(household, path);
	file_take(household, &household_types[HOUSEHOLD_IRORI], "irori", path, file, true);
	config_file_free(file);
}

/* Names that lead nowhere: they may be meant for later, and are no error. */
static void names_check(struct household *household)
{
	for (guint i = 0; i < household->seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(household->seats, i);

		for (char **guest = seat->guests; *guest; guest++)
			if (!household_guest(household, *guest))
				complain(household, "seat %s: there is no guest %s", seat->name, *guest);
	}
	for (guint i = 0; i < household->guests->len; i++) {
		const struct guest_entry *guest = g_ptr_array_index(household->guests, i);

		if (guest->person && !household_person(household, guest->person))
			complain(household, "guest %s: there is no person %s: it does not start",
				guest->name, guest->person);
		/* Before the first run there is no seat at all, and it makes them. */
		for (char **seat = guest->seats; household->seats->len && *seat; seat++)
			if (!household_seat(household, *seat))
				complain(household, "guest %s: there is no seat %s", guest->name, *seat);
	}
}

struct household *household_new(void)
{
	struct household *household = g_new0(struct household, 1);

	household->seats = g_ptr_array_new_with_free_func((GDestroyNotify)seat_config_free);
	household->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_entry_free);
	household->people = g_ptr_array_new_with_free_func((GDestroyNotify)person_free);
	household->complaints = g_ptr_array_new_with_free_func(g_free);
	household_parse(household, HOUSEHOLD_IRORI, "irori", "irori.conf", "", 0);
	return household;
}

void household_parse(struct household *household, enum household_kind kind, const char *name,
	const char *path, const char *text, size_t len)
{
	g_autoptr(GError) error = NULL;
	struct config_file *file = config_file_parse(text, len, path, &error);

	if (file)
		file_take(household, &household_types[kind], name, path, file, false);
	else
		complain(household, "%s", error->message);
	config_file_free(file);
}

struct household *household_load(const char *folder)
{
	struct household *household = household_new();

	irori_take(household, folder);
	for (unsigned kind = HOUSEHOLD_SEAT; kind < HOUSEHOLD_KINDS; kind++)
		folder_take(household, &household_types[kind], folder);
	names_check(household);
	return household;
}

void household_free(struct household *household)
{
	if (!household)
		return;
	g_ptr_array_free(household->seats, TRUE);
	g_ptr_array_free(household->guests, TRUE);
	g_ptr_array_free(household->people, TRUE);
	g_ptr_array_free(household->complaints, TRUE);
	irori_config_clear(&household->irori);
	g_free(household);
}

const struct seat_config *household_seat(const struct household *household, const char *name)
{
	for (guint i = 0; i < household->seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(household->seats, i);

		if (!strcmp(seat->name, name))
			return seat;
	}
	return NULL;
}

const struct guest_entry *household_guest(const struct household *household, const char *name)
{
	for (guint i = 0; i < household->guests->len; i++) {
		const struct guest_entry *guest = g_ptr_array_index(household->guests, i);

		if (!strcmp(guest->name, name))
			return guest;
	}
	return NULL;
}

const struct person *household_person(const struct household *household, const char *name)
{
	for (guint i = 0; i < household->people->len; i++) {
		const struct person *person = g_ptr_array_index(household->people, i);

		if (!strcmp(person->name, name))
			return person;
	}
	return NULL;
}

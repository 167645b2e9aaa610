/*
 * The keys of each kind of file, what their values may be, and what becomes of them.
 */
#include "seats/household_priv.h"

#include <string.h>

#include "display/mode.h"
#include "input/chord.h"
#include "seats/hours.h"
#include "seats/inventory.h"
#include "seats/wire.h"
#include "vmm/error.h"

enum {
	MAX_WARNINGS = 8,
	MAX_PIN = 127,
};

#define TEXT(kind, key, member, help) \
	{ key, PROPERTY_STRING, offsetof(struct kind, member), NULL, help, .min = 0 }

static const struct property irori_table[] = {
	TEXT(irori_draft, "SoundServer", made.sound_server, "the sound server (default: what is there)"),
	{ "BackoffMinMs", PROPERTY_UINT, offsetof(struct irori_draft, made.backoff_min_ms), "200",
		"how long to wait before what died is started again, at first", .min = 1,
		.max = 3600000 },
	{ "BackoffMaxMs", PROPERTY_UINT, offsetof(struct irori_draft, made.backoff_max_ms), "30000",
		"the same, at last", .min = 1, .max = 3600000 },
	{ "Spares", PROPERTY_BOOL, offsetof(struct irori_draft, made.spares), "yes",
		"a second process for each seat, which takes over at once when the first dies", .min = 0 },
	{ "ShutdownSeconds", PROPERTY_UINT, offsetof(struct irori_draft, made.shutdown_seconds), "60",
		"how long guests have to switch off by themselves", .min = 0, .max = 3600 },
	{ 0 }
};

static const struct property seat_table[] = {
	TEXT(seat_draft, "Outputs", outputs, "connectors, or monitor:IDENTITY"),
	TEXT(seat_draft, "Inputs", inputs, "ports or hubs of keyboards, mice and so on"),
	TEXT(seat_draft, "Sound", made.sound, "a sound card's place"),
	TEXT(seat_draft, "Guests", guests, "that may be shown, the first at first (default: all)"),
	TEXT(seat_draft, "Mode", made.mode, "WIDTHxHEIGHT (default: what the monitor prefers)"),
	TEXT(seat_draft, "Chord", made.chord, "keys that call the menu (default: ctrl+ctrl_r)"),
	{ "Volume", PROPERTY_UINT, offsetof(struct seat_draft, made.volume), "70",
		"per cent, when the seat begins", .min = 0, .max = 100 },
	{ 0 }
};

static const struct property guest_table[] = {
	TEXT(guest_draft, "Title", made.title, "what people call it (default: its name)"),
	TEXT(guest_draft, "Person", made.person, "whose it is (default: everybody's)"),
	{ "Autostart", PROPERTY_BOOL, offsetof(struct guest_draft, made.autostart), "no",
		"start with the PC", .min = 0 },
	{ "Kiosk", PROPERTY_BOOL, offsetof(struct guest_draft, made.kiosk), "no",
		"reset when the visitor leaves", .min = 0 },
	{ "Restart", PROPERTY_BOOL, offsetof(struct guest_draft, made.restart), "yes",
		"start again after a crash", .min = 0 },
	TEXT(guest_draft, "Seats", seats, "where it may be shown (default: everywhere)"),
	{ "CpuWeight", PROPERTY_UINT, offsetof(struct guest_draft, made.cpu_weight), "100",
		"its share of processors when guests compete", .min = 1, .max = 10000 },
	{ "CpuQuota", PROPERTY_UINT, offsetof(struct guest_draft, made.cpu_quota), "0",
		"per cent of one processor; 0: no limit", .min = 0, .max = 1000000 },
	{ "MemoryMax", PROPERTY_SIZE, offsetof(struct guest_draft, made.memory_max), "0",
		"of its processes; 0: no limit", .min = 0, .max = 1ull << 44 },
	{ 0 }
};

static const struct property person_table[] = {
	TEXT(person_draft, "Title", made.title, "what people call them (default: the name)"),
	TEXT(person_draft, "Pin", made.pin, "by crypt(5), as mkpasswd makes it"),
	{ "Parent", PROPERTY_BOOL, offsetof(struct person_draft, made.parent), "no",
		"the PIN gives time to others and unlocks for them", .min = 0 },
	TEXT(person_draft, "Hours", hours, "Mon-Fri 15:00-19:30, Sat 9-21 (default: always)"),
	{ "Budget", PROPERTY_UINT, offsetof(struct person_draft, made.budget), "0",
		"minutes a day; 0: no limit", .min = 0, .max = 1440 },
	{ "Warnings", PROPERTY_STRING, offsetof(struct person_draft, warnings), "15 5 1",
		"minutes before the end", .min = 0 },
	{ 0 }
};

static bool expected(const struct config_file *file, const char *section, const char *key,
	const char *value, const char *what, GError **error)
{
	return fail(error, "%s:%d: %s=%.80s: expected %s", config_file_name(file),
		config_file_line(file, section, key), key, value, what);
}

/* NULL-terminated; empty for NULL. */
static char **list_split(const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text ? text : "", " \t", -1);
	GPtrArray *list = g_ptr_array_new();

	for (char **word = words; *word; word++)
		if (**word)
			g_ptr_array_add(list, g_strdup(*word));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

static bool text_clean(const char *text, size_t max)
{
	for (const char *c = text; *c; c++)
		if (g_ascii_iscntrl(*c))
			return false;
	return strlen(text) <= max;
}

/* At most `max` words, each a place, or a name where `names`. */
static bool list_good(const char *text, unsigned max, bool names)
{
	g_auto(GStrv) list = list_split(text);

	for (char **word = list; *word; word++)
		if (names ? !household_name_valid(*word) : !text_clean(*word, INVENTORY_PLACE - 1))
			return false;
	return g_strv_length(list) <= max;
}

/* crypt(5) has no spaces, colons and the like, and begins with what kind it is. */
static bool pin_good(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!g_ascii_isgraph(*c) || strchr(":;*!\\", *c))
			return false;
	return text[0] == '$' && strlen(text) <= MAX_PIN;
}

static bool has(const char *text)
{
	return text && *text;
}

static bool irori_check(const union household_draft *draft, const struct config_file *file,
	GError **error)
{
	const struct irori_draft *irori = &draft->irori;

	if (has(irori->made.sound_server) && !text_clean(irori->made.sound_server, WIRE_PATH - 1))
		return expected(file, "Irori", "SoundServer", irori->made.sound_server,
			"a server's address, 107 bytes at most", error);
	return true;
}

static bool seat_check(const union household_draft *draft, const struct config_file *file,
	GError **error)
{
	const struct seat_draft *seat = &draft->seat;
	const struct seat_config *made = &seat->made;
	uint32_t width, height;
	uint16_t keys[2];

	if (!list_good(seat->outputs, HOUSEHOLD_MAX_OUTPUTS, false))
		return expected(file, "Seat", "Outputs", seat->outputs,
			"at most 16 connectors or monitor:IDENTITY (irori devices lists them)", error);
	if (!list_good(seat->inputs, WIRE_INPUTS, false))
		return expected(file, "Seat", "Inputs", seat->inputs,
			"at most 64 places (irori devices lists them)", error);
	if (!list_good(seat->guests, WIRE_GUESTS, true))
		return expected(file, "Seat", "Guests", seat->guests, "at most 16 guests' names", error);
	if (has(made->sound) && (!text_clean(made->sound, WIRE_PATH - 6) || strchr(made->sound, ' ')))
		return expected(file, "Seat", "Sound", made->sound,
			"a place (irori devices lists them)", error);
	if (has(made->mode) && !mode_parse(made->mode, &width, &height))
		return expected(file, "Seat", "Mode", made->mode, "WIDTHxHEIGHT", error);
	if (has(made->chord) && !chord_parse(made->chord, keys))
		return expected(file, "Seat", "Chord", made->chord,
			"two keys, such as ctrl+ctrl_r, or none", error);
	return true;
}

/* The file is irori-vmm's as well, and irorid has to find the process by what is said there. */
struct guest_vmm {
	char *name, *socket;
};

static const struct property vmm_table[] = {
	TEXT(guest_vmm, "Name", name, ""),
	{ "Socket", PROPERTY_PATH, offsetof(struct guest_vmm, socket), NULL, "", .min = 0 },
	{ 0 }
};

static bool guest_read(const char *name, const struct config_file *file,
	union household_draft *draft, GError **error)
{
	struct guest_vmm vmm = { 0 };
	bool good = property_parse_known(vmm_table, file, "Guest", &vmm, NULL, NULL, error);

	if (good && (!vmm.name || strcmp(vmm.name, name)))
		good = expected(file, "Guest", "Name", vmm.name ? vmm.name : "",
			"what the file is called", error);
	if (good && vmm.socket && strlen(vmm.socket) >= WIRE_PATH)
		good = expected(file, "Guest", "Socket", vmm.socket, "107 bytes at most", error);
	if (good)
		draft->guest.made.socket = g_steal_pointer(&vmm.socket);
	property_clear(vmm_table, &vmm);
	return good;
}

static bool guest_check(const union household_draft *draft, const struct config_file *file,
	GError **error)
{
	const struct guest_draft *guest = &draft->guest;

	if (!list_good(guest->seats, HOUSEHOLD_MAX, true))
		return expected(file, "Household", "Seats", guest->seats, "at most 64 seats' names",
			error);
	if (has(guest->made.person) && !household_name_valid(guest->made.person))
		return expected(file, "Household", "Person", guest->made.person, "a person's name",
			error);
	if (has(guest->made.title) && !text_clean(guest->made.title, WIRE_NAME - 1))
		return expected(file, "Household", "Title", guest->made.title,
			"a text, 63 bytes at most", error);
	return true;
}

static bool warnings_parse(const char *text, GArray *warnings)
{
	g_auto(GStrv) list = list_split(text);

	for (char **word = list; *word; word++) {
		guint64 minutes;
		uint32_t value;

		if (!g_ascii_string_to_unsigned(*word, 10, 1, 1440, &minutes, NULL))
			return false;
		value = (uint32_t)minutes;
		if (warnings->len && g_array_index(warnings, uint32_t, warnings->len - 1) <= value)
			return false;
		g_array_append_val(warnings, value);
	}
	return warnings->len <= MAX_WARNINGS;
}

static bool person_check(const union household_draft *draft, const struct config_file *file,
	GError **error)
{
	const struct person_draft *person = &draft->person;
	g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(struct hours_span));
	g_autoptr(GArray) warnings = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	if (has(person->hours) && !hours_parse(person->hours, spans, error)) {
		g_prefix_error(error, "%s:%d: Hours=: ", config_file_name(file),
			config_file_line(file, "Person", "Hours"));
		return false;
	}
	if (!warnings_parse(person->warnings, warnings))
		return expected(file, "Person", "Warnings", person->warnings,
			"at most 8 numbers of minutes, falling, such as 15 5 1", error);
	if (has(person->made.pin) && !pin_good(person->made.pin))
		return fail(error, "%s:%d: Pin=: expected a hash by crypt(5), as mkpasswd makes it",
			config_file_name(file), config_file_line(file, "Person", "Pin"));
	if (has(person->made.title) && !text_clean(person->made.title, WIRE_NAME - 1))
		return expected(file, "Person", "Title", person->made.title,
			"a text, 63 bytes at most", error);
	return true;
}

/* An empty value is none. */
static char *take(char **text)
{
	if (*text && !**text)
		g_clear_pointer(text, g_free);
	return g_steal_pointer(text);
}

static void irori_make(struct household *household, const char *name, const char *path,
	union household_draft *draft)
{
	struct irori_config *made = &household->irori;

	irori_config_clear(made);
	*made = draft->irori.made;
	made->sound_server = take(&draft->irori.made.sound_server);
	made->backoff_max_ms = MAX(made->backoff_max_ms, made->backoff_min_ms);
}

static void seat_make(struct household *household, const char *name, const char *path,
	union household_draft *draft)
{
	struct seat_draft *from = &draft->seat;
	struct seat_config *seat = g_new(struct seat_config, 1);

	*seat = from->made;
	seat->name = g_strdup(name);
	seat->outputs = list_split(from->outputs);
	seat->inputs = list_split(from->inputs);
	seat->guests = list_split(from->guests);
	seat->sound = take(&from->made.sound);
	seat->mode = take(&from->made.mode);
	seat->chord = take(&from->made.chord);
	g_ptr_array_add(household->seats, seat);
	seat->number = household->seats->len;
}

static void guest_make(struct household *household, const char *name, const char *path,
	union household_draft *draft)
{
	struct guest_draft *from = &draft->guest;
	struct guest_entry *guest = g_new(struct guest_entry, 1);

	*guest = from->made;
	guest->name = g_strdup(name);
	guest->path = g_strdup(path);
	guest->title = take(&from->made.title);
	if (!guest->title)
		guest->title = g_strdup(name);
	guest->person = take(&from->made.person);
	from->made.socket = NULL;
	guest->seats = list_split(from->seats);
	g_ptr_array_add(household->guests, guest);
}

static void person_make(struct household *household, const char *name, const char *path,
	union household_draft *draft)
{
	struct person_draft *from = &draft->person;
	struct person *person = g_new(struct person, 1);

	*person = from->made;
	person->name = g_strdup(name);
	person->title = take(&from->made.title);
	if (!person->title)
		person->title = g_strdup(name);
	person->pin = take(&from->made.pin);
	person->hours = g_array_new(FALSE, FALSE, sizeof(struct hours_span));
	person->warnings = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (from->hours)
		hours_parse(from->hours, person->hours, NULL);
	warnings_parse(from->warnings, person->warnings);
	g_ptr_array_add(household->people, person);
}

const struct household_type household_types[HOUSEHOLD_KINDS] = {
	[HOUSEHOLD_IRORI] = { NULL, "Irori", irori_table, NULL, irori_check, irori_make },
	[HOUSEHOLD_SEAT] = { "seats.d", "Seat", seat_table, NULL, seat_check, seat_make },
	[HOUSEHOLD_GUEST] = { "guests.d", "Household", guest_table, guest_read, guest_check,
		guest_make },
	[HOUSEHOLD_PERSON] = { "people.d", "Person", person_table, NULL, person_check, person_make },
};

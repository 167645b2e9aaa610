/*
 * What a household is made of: copies, texts and files of seats, and the end of each part.
 */
#include <string.h>

#include "seats/file.h"
#include "seats/household_priv.h"
#include "vmm/error.h"

static char **empty_list(void)
{
	return g_new0(char *, 1);
}

struct seat_config *seat_config_new(const char *name)
{
	struct seat_config *seat = g_new0(struct seat_config, 1);

	seat->name = g_strdup(name);
	seat->outputs = empty_list();
	seat->inputs = empty_list();
	seat->guests = empty_list();
	seat->volume = 70;
	return seat;
}

struct seat_config *seat_config_copy(const struct seat_config *seat)
{
	struct seat_config *copy = g_new(struct seat_config, 1);

	*copy = *seat;
	copy->name = g_strdup(seat->name);
	copy->outputs = g_strdupv(seat->outputs);
	copy->inputs = g_strdupv(seat->inputs);
	copy->guests = g_strdupv(seat->guests);
	copy->sound = g_strdup(seat->sound);
	copy->mode = g_strdup(seat->mode);
	copy->chord = g_strdup(seat->chord);
	return copy;
}

void seat_config_free(struct seat_config *seat)
{
	if (!seat)
		return;
	g_free(seat->name);
	g_strfreev(seat->outputs);
	g_strfreev(seat->inputs);
	g_strfreev(seat->guests);
	g_free(seat->sound);
	g_free(seat->mode);
	g_free(seat->chord);
	g_free(seat);
}

void guest_entry_free(struct guest_entry *guest)
{
	g_free(guest->name);
	g_free(guest->title);
	g_free(guest->path);
	g_free(guest->socket);
	g_free(guest->person);
	g_strfreev(guest->seats);
	g_free(guest);
}

void person_free(struct person *person)
{
	g_free(person->name);
	g_free(person->title);
	g_free(person->pin);
	g_array_free(person->hours, TRUE);
	g_array_free(person->warnings, TRUE);
	g_free(person);
}

void irori_config_clear(struct irori_config *config)
{
	g_clear_pointer(&config->sound_server, g_free);
}

static void set_list(GKeyFile *keys, const char *key, char *const *list)
{
	g_autofree char *text = g_strjoinv(" ", (char **)list);

	if (*text)
		g_key_file_set_string(keys, "Seat", key, text);
}

static void set_text(GKeyFile *keys, const char *key, const char *text)
{
	if (text)
		g_key_file_set_string(keys, "Seat", key, text);
}

char *household_seat_text(const struct seat_config *seat)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();
	g_autofree char *text = NULL;

	set_list(keys, "Outputs", seat->outputs);
	set_list(keys, "Inputs", seat->inputs);
	set_text(keys, "Sound", seat->sound);
	set_list(keys, "Guests", seat->guests);
	set_text(keys, "Mode", seat->mode);
	set_text(keys, "Chord", seat->chord);
	g_key_file_set_uint64(keys, "Seat", "Volume", seat->volume);
	text = g_key_file_to_data(keys, NULL, NULL);
	return g_steal_pointer(&text);
}

bool household_write_seat(const char *folder, const struct seat_config *seat, bool replace,
	GError **error)
{
	g_autofree char *text = household_seat_text(seat);
	g_autofree char *base = g_strconcat(seat->name, ".conf", NULL);
	g_autofree char *path = g_build_filename(folder, "seats.d", base, NULL);

	if (!household_name_valid(seat->name))
		return fail(error, "'%.64s' is no seat's name", seat->name);
	return file_write(path, text, 0644, replace, error);
}

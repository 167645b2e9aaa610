/*
 * irori seats: lists them (irorid's answer). irori seats propose|accept: seats for a PC that has none
 * configured, as files; by itself, from udev, or by irorid where it runs.
 */
#include <stdio.h>
#include <string.h>

#include "seats/household.h"
#include "seats/inventory.h"
#include "seats/seating.h"
#include "ui/appliance.h"
#include "ui/command.h"
#include "ui/json.h"
#include "ui/seat.h"
#include "vmm/error.h"

static gboolean as_json, force;
static char *folder;

static const GOptionEntry options[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "print JSON", NULL },
	{ "force", 0, 0, G_OPTION_ARG_NONE, &force,
		"accept: although seats are configured; files of the same names are replaced", NULL },
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &folder,
		"configuration (default /etc/irori)", "FOLDER" },
	{ 0 },
};

static const char *config_folder(void)
{
	return folder ? folder : "/etc/irori";
}

static char *seat_path(const struct seat_config *seat)
{
	g_autofree char *base = g_strconcat(seat->name, ".conf", NULL);

	return g_build_filename(config_folder(), "seats.d", base, NULL);
}

static void list_json(JsonBuilder *json, const char *name, char *const *list)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_array(json);
	for (; *list; list++)
		json_builder_add_string_value(json, *list);
	json_builder_end_array(json);
}

static void propose_json(const GPtrArray *seats)
{
	JsonBuilder *json = json_builder_new();
	g_autofree char *text = NULL;

	json_builder_begin_array(json);
	for (guint i = 0; i < seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(seats, i);
		g_autofree char *path = seat_path(seat);

		json_builder_begin_object(json);
		json_text(json, "name", seat->name);
		json_int(json, "number", seat->number);
		json_text(json, "file", path);
		list_json(json, "outputs", seat->outputs);
		list_json(json, "inputs", seat->inputs);
		json_text(json, "sound", seat->sound);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
	text = json_finish(json);
	fputs(text, stdout);
}

static int propose(const GPtrArray *seats)
{
	if (as_json) {
		propose_json(seats);
		return EX_OK;
	}
	for (guint i = 0; i < seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(seats, i);
		g_autofree char *path = seat_path(seat), *text = household_seat_text(seat);

		printf("%s# %s\n", i ? "\n" : "", path);
		if (!seat->inputs[0])
			printf("# No keyboard is known to be this seat's: press F%u on it when its monitor "
			       "asks.\n", seat->number);
		fputs(text, stdout);
	}
	return EX_OK;
}

/* Seats that are there stay as they are, unless force says otherwise. */
static int accept(const char *name, const GPtrArray *seats)
{
	struct household *there = household_load(config_folder());
	guint configured = there->seats->len;
	GError *error = NULL;

	household_free(there);
	if (configured && !force)
		return command_fail(EX_CANTCREAT, name, "%s: %u seat%s configured already; --force for "
			"all the same", config_folder(), configured, configured == 1 ? " is" : "s are");
	for (guint i = 0; i < seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(seats, i);
		g_autofree char *path = seat_path(seat);

		if (!household_write_seat(config_folder(), seat, force, &error)) {
			int status = error_status(error);

			return command_fail_error(status, name, error);
		}
		printf("%s\n", path);
	}
	return EX_OK;
}

static int seats_run(const char *name, char **args, int n)
{
	bool accepts = n && !strcmp(args[0], "accept");
	GError *error = NULL;
	struct inventory *inventory;
	GPtrArray *seats;
	int status;

	if (!n)
		return seats_list(name, as_json);
	if (!accepts && strcmp(args[0], "propose"))
		return command_fail(EX_USAGE, name, "expected propose or accept, not '%s'", args[0]);
	/* irorid has asked at the monitors already, and knows who has answered. */
	if (accepts && !folder && appliance_first_run())
		return appliance_accept(name);
	inventory = inventory_new(NULL, NULL, &error);
	if (!inventory)
		return command_fail_error(EX_OSERR, name, error);
	seats = seating_propose(inventory_items(inventory));
	if (!seats->len)
		status = command_fail(EX_UNAVAILABLE, name, "no monitor is connected");
	else
		status = accepts ? accept(name, seats) : propose(seats);
	g_ptr_array_free(seats, TRUE);
	inventory_free(inventory);
	return status;
}

const struct command command_seats = {
	.name = "seats",
	.arguments = "[propose|accept]",
	.help = "list the seats; propose some for what is plugged in, write them",
	.more = "One seat a connected monitor; keyboards, mice and sound cards by the hub or port that they are\n"
		"plugged into. propose prints the files that accept would write.",
	.options = options,
	.min = 0,
	.max = 1,
	.run = seats_run,
};

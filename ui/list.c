/*
 * irori list: the guests that have a socket in the runtime folder, and how they are.
 */
#include <stdio.h>

#include "gpu-share/policy.h"
#include "ui/attach.h"
#include "ui/command.h"
#include "ui/json.h"
#include "ui/runtime.h"

static gboolean as_json;

static const GOptionEntry options[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "print JSON", NULL },
	{ 0 },
};

static void guest_json(JsonBuilder *json, const char *name, const struct link_stat *stat)
{
	json_builder_begin_object(json);
	json_text(json, "name", name);
	json_bool(json, "answers", stat != NULL);
	if (stat) {
		json_text(json, "state", attach_state_name(stat->state));
		json_text(json, "waits_for", stat->waits_for);
		json_text(json, "class", share_class_name(stat->share_class));
		json_int(json, "pid", stat->pid);
		json_int(json, "reboots", stat->reboots);
		json_int(json, "memory_bytes", (int64_t)stat->memory_bytes);
		json_number(json, "up_s",
			(double)(g_get_monotonic_time() - stat->started_ns / 1000) / 1e6);
	}
	json_builder_end_object(json);
}

static void guest_line(const char *name, const struct link_stat *stat)
{
	int64_t up;

	if (!stat) {
		printf("%-16s does not answer\n", name);
		return;
	}
	up = (g_get_monotonic_time() - stat->started_ns / 1000) / 1000000;
	printf("%-16s %-10s %-12s %7d %8u %6llu MiB %4lld:%02lld:%02lld%s%s\n", name,
		attach_state_name(stat->state), share_class_name(stat->share_class), stat->pid,
		stat->reboots, (unsigned long long)stat->memory_bytes >> 20, (long long)up / 3600,
		(long long)up / 60 % 60, (long long)up % 60, stat->waits_for[0] ? "  " : "",
		stat->waits_for);
}

static int list_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	g_auto(GStrv) guests = runtime_guests(&error);
	JsonBuilder *json = json_builder_new();
	g_autofree char *text = NULL;

	if (!guests) {
		g_object_unref(json);
		return command_fail_error(EX_UNAVAILABLE, name, error);
	}
	json_builder_begin_array(json);
	if (!as_json && guests[0])
		printf("%-16s %-10s %-12s %7s %8s %10s %10s\n", "GUEST", "STATE", "CLASS", "PID",
			"REBOOTS", "MEMORY", "UP");
	for (unsigned i = 0; guests[i]; i++) {
		struct attached *attached = attach(guests[i], LINK_WANT_CONTROL, NULL);
		const struct link_stat *stat = attached ? attach_stat(attached, NULL) : NULL;

		if (as_json)
			guest_json(json, guests[i], stat);
		else
			guest_line(guests[i], stat);
		attach_free(attached);
	}
	json_builder_end_array(json);
	text = json_finish(json);
	if (as_json)
		fputs(text, stdout);
	else if (!guests[0])
		printf("No guest is running.\n");
	return EX_OK;
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.help = "list the guests",
	.options = options,
	.run = list_run,
};

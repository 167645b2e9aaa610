/*
 * irori reset, poweroff, pause, resume, screenshot, send-keys: one request to one guest.
 */
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "input/script.h"
#include "ui/attach.h"
#include "ui/command.h"
#include "ui/seat.h"

static const struct {
	const char *name;
	enum link_verb verb;
} verbs[] = {
	{ "reset", LINK_VERB_RESET },
	{ "poweroff", LINK_VERB_SHUTDOWN },
	{ "pause", LINK_VERB_PAUSE },
	{ "resume", LINK_VERB_RESUME },
};

static gboolean off_force, off_guests;

static const GOptionEntry off_options[] = {
	{ "force", 'f', 0, G_OPTION_ARG_NONE, &off_force,
		"at once, whatever the guest is doing, as if the plug were pulled", NULL },
	{ "guests", 0, 0, G_OPTION_ARG_NONE, &off_guests,
		"without GUEST: only switch all guests off, and wait for it", NULL },
	{ 0 },
};

static int request_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	struct attached *attached = attach(args[0], LINK_WANT_CONTROL, &error);
	bool done = false;

	if (!attached)
		return command_fail_error(EX_UNAVAILABLE, name, error);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			done = attach_request(attached, off_force ? LINK_VERB_POWEROFF :
				verbs[i].verb, 0, &error);
	attach_free(attached);
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)) {
		g_clear_error(&error);
		return command_fail(EX_UNAVAILABLE, name, "%s: nothing in the guest listens to its power "
			"button; --force switches it off at once", args[0]);
	}
	return done ? EX_OK : command_fail_error(EX_UNAVAILABLE, name, error);
}

#define REQUEST(name_, help_)                                                                      \
	{ .name = name_, .arguments = "GUEST", .help = help_, .min = 1, .max = 1, .run = request_run }

const struct command command_reset = REQUEST("reset", "press the guest's reset button");

static int off_run(const char *name, char **args, int n)
{
	return n ? request_run(name, args, n) : appliance_off(name, off_guests, off_guests);
}

const struct command command_poweroff = {
	.name = "poweroff",
	.arguments = "[GUEST]",
	.help = "press a guest's power button; without one, switch the PC off in order",
	.more = "The guest shuts itself down in its own time, or asks, or does nothing, as it is set up.\n"
		"Without a guest irorid switches all of them off, those that do not go by force after\n"
		"ShutdownSeconds=, and then the machine.",
	.options = off_options,
	.min = 0,
	.max = 1,
	.run = off_run,
};
const struct command command_pause = REQUEST("pause", "stop the guest's processors");
const struct command command_resume = REQUEST("resume", "let a paused guest go on");

static char *shot_path;

static const GOptionEntry shot_options[] = {
	{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &shot_path,
		"PNG file to write, - for standard output (default: GUEST.png)", "FILE" },
	{ 0 },
};

static int shot_write(const char *name, const struct picture *picture, const char *path)
{
	GError *error = NULL;
	GByteArray *png;
	bool done;

	if (strcmp(path, "-")) {
		if (!picture_write_png(picture, path, &error))
			return command_fail_error(EX_CANTCREAT, name, error);
		printf("%s\n", path);
		return EX_OK;
	}
	png = picture_png(picture, &error);
	if (!png)
		return command_fail_error(EX_SOFTWARE, name, error);
	done = fwrite(png->data, 1, png->len, stdout) == png->len && !fflush(stdout);
	g_byte_array_unref(png);
	return done ? EX_OK : command_fail(EX_IOERR, name, "%s", g_strerror(errno));
}

static int shot_run(const char *name, char **args, int n)
{
	g_autofree char *base = g_path_get_basename(args[0]);
	g_autofree char *path = shot_path ? g_strdup(shot_path) : g_strconcat(base, ".png", NULL);
	GError *error = NULL;
	struct attached *attached = attach(args[0], LINK_WANT_DISPLAY, &error);
	struct picture picture;
	bool done;
	int status;

	if (!attached)
		return command_fail_error(EX_UNAVAILABLE, name, error);
	done = attach_picture(attached, &picture, &error);
	attach_free(attached);
	if (!done)
		return command_fail_error(EX_UNAVAILABLE, name, error);
	status = shot_write(name, &picture, path);
	picture_clear(&picture);
	return status;
}

const struct command command_screenshot = {
	.name = "screenshot",
	.arguments = "GUEST",
	.help = "write what the guest's seat shows as a PNG file",
	.options = shot_options,
	.min = 1,
	.max = 1,
	.run = shot_run,
};

static gboolean keys_text;

static const GOptionEntry keys_options[] = {
	{ "text", 't', 0, G_OPTION_ARG_NONE, &keys_text,
		"type the arguments as text, with spaces between them", NULL },
	{ 0 },
};

static bool keys_parse(GArray *keys, char **words, int n, GError **error)
{
	for (int i = 0; i < n; i++) {
		if (keys_text && i && !script_text(keys, " ", error))
			return false;
		if (!(keys_text ? script_text : script_word)(keys, words[i], error))
			return false;
	}
	return true;
}

static int keys_send(const char *name, struct attached *attached, const GArray *keys)
{
	for (unsigned i = 0; i < keys->len; i++) {
		struct port_input report[2];
		int ret;

		script_report(&g_array_index(keys, struct script_key, i), report);
		while ((ret = link_client_input(attach_client(attached), report, 2)) == -EAGAIN)
			g_usleep(SCRIPT_GAP_MS * 1000);
		if (ret)
			return command_fail(EX_UNAVAILABLE, name, "%s", g_strerror(-ret));
		g_usleep(SCRIPT_GAP_MS * 1000);
		/* Keep the link's queue empty, or the guest hangs up on us. */
		while (link_client_dispatch(attach_client(attached)) > 0)
			;
	}
	return EX_OK;
}

static int keys_run(const char *name, char **args, int n)
{
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct script_key));
	GError *error = NULL;
	struct attached *attached = NULL;
	int status;

	if (!keys_parse(keys, args + 1, n - 1, &error)) {
		status = command_fail_error(EX_USAGE, name, error);
	} else {
		attached = attach(args[0], LINK_WANT_INPUT, &error);
		status = attached ? keys_send(name, attached, keys)
				  : command_fail_error(EX_UNAVAILABLE, name, error);
	}
	attach_free(attached);
	g_array_free(keys, TRUE);
	return status;
}

const struct command command_send_keys = {
	.name = "send-keys",
	.arguments = "GUEST KEYS...",
	.help = "press keys in the guest: a ret f1 ctrl-alt-delete",
	.more = "Keys joined by '-' are held together; each word is pressed and released in turn.\n"
		"--text types the words as they are, on a US keyboard.",
	.options = keys_options,
	.min = 2,
	.max = -1,
	.run = keys_run,
};

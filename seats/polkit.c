/*
 * Who may: root and irorid's own user may everything, of others polkit is asked. Where there is no
 * polkit, others may nothing.
 */
#define G_LOG_DOMAIN "irorid"

#include <unistd.h>

#include "seats/bus_internal.h"

enum {
	ALLOW_INTERACTION = 1,   /* CheckAuthorizationFlags */
	PASSWORD_MS = 120000,    /* a person types */
	ANSWER_MS = 5000,
};

struct asking {
	GDBusConnection *connection;
	char *sender, *action;
	bool interactive;
	polkit_answer_fn *answer;
	void *data;
};

static void answered(struct asking *asking, const char *answer)
{
	asking->answer(asking->data, answer);
	g_object_unref(asking->connection);
	g_free(asking->sender);
	g_free(asking->action);
	g_free(asking);
}

static void polkit_said(GObject *source, GAsyncResult *result, gpointer data)
{
	struct asking *asking = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(asking->connection, result, &error);
	gboolean allowed = FALSE, challenge = FALSE;

	if (!reply)
		g_message("polkit: %s", error->message);
	else
		g_variant_get(reply, "((bba{ss}))", &allowed, &challenge, NULL);
	answered(asking, allowed ? "yes" : challenge ? "challenge" : "no");
}

static void check(struct asking *asking)
{
	GVariantBuilder subject, details;

	g_variant_builder_init(&subject, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&subject, "{sv}", "name", g_variant_new_string(asking->sender));
	g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
	g_dbus_connection_call(asking->connection, "org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization", g_variant_new("((sa{sv})sa{ss}us)", "system-bus-name", &subject,
			asking->action, &details, asking->interactive ? ALLOW_INTERACTION : 0, ""),
		G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
		asking->interactive ? PASSWORD_MS : ANSWER_MS, NULL, polkit_said, asking);
}

static void user_said(GObject *source, GAsyncResult *result, gpointer data)
{
	struct asking *asking = data;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(asking->connection, result, NULL);
	guint32 uid = G_MAXUINT32;

	if (reply)
		g_variant_get(reply, "(u)", &uid);
	if (reply && (uid == 0 || uid == getuid()))
		answered(asking, "yes");
	else
		check(asking);
}

void polkit_ask(GDBusConnection *connection, const char *sender, const char *action, bool interactive,
	polkit_answer_fn *answer, void *data)
{
	struct asking *asking = g_new0(struct asking, 1);

	*asking = (struct asking){
		.connection = g_object_ref(connection),
		.sender = g_strdup(sender),
		.action = g_strconcat(BUS_NAME ".", action, NULL),
		.interactive = interactive,
		.answer = answer,
		.data = data,
	};
	g_dbus_connection_call(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus", "GetConnectionUnixUser", g_variant_new("(s)", sender),
		G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, ANSWER_MS, NULL, user_said, asking);
}

/*
 * systemd's way: each process a transient service, so that it has a cgroup, limits and a journal of
 * its own, and no parent that it could die with. We hear of its end by its unit's state.
 *
 * The bus's connection is the system bus, shared with bus.c. It is asked without waiting: what comes of it
 * arrives in the loop.
 */
#define G_LOG_DOMAIN "irorid"

#include <gio/gio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "seats/spawn_internal.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define UNIT SYSTEMD ".Unit"

enum { ANSWER_MS = 10000, CPUS_BYTES = 128, REFUSED_S = 10 };

struct systemd {
	GDBusConnection *bus;
	uint8_t cpus[CPUS_BYTES]; /* ours, a bit each, as AllowedCPUs= wants it */
	gsize n_cpus;             /* bytes; 0: all */
};

struct unit {
	struct spawn_child *child; /* NULL: forgotten while systemd was being asked */
	struct systemd *systemd;
	GCancellable *cancel;
	char *name, *path;
	guint watch, refused;
	bool active, pending; /* pending: systemd has not answered yet */
	bool found;           /* it was there already: how it ends says nothing of one that we started */
};

static void unit_free(struct unit *unit)
{
	if (unit->watch)
		g_dbus_connection_signal_unsubscribe(unit->systemd->bus, unit->watch);
	g_clear_handle_id(&unit->refused, g_source_remove);
	g_object_unref(unit->cancel);
	g_free(unit->name);
	g_free(unit->path);
	g_free(unit);
}

/* Hears nothing more; freed now or when systemd answers. */
static void unit_drop(struct unit *unit)
{
	unit->child = NULL;
	if (unit->watch)
		g_dbus_connection_signal_unsubscribe(unit->systemd->bus, unit->watch);
	unit->watch = 0;
	g_clear_handle_id(&unit->refused, g_source_remove);
	if (unit->pending)
		g_cancellable_cancel(unit->cancel);
	else
		unit_free(unit);
}

static void unit_over(struct unit *unit, int status)
{
	struct spawn_child *child = unit->child;

	unit_drop(unit);
	spawn_child_ended(child, status);
}

static void unit_changed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *arguments, gpointer data)
{
	struct unit *unit = data;
	g_autoptr(GVariant) changed = NULL;
	const char *state;

	if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sa{sv}as)")))
		return;
	changed = g_variant_get_child_value(arguments, 1);
	if (!g_variant_lookup(changed, "ActiveState", "&s", &state))
		return;
	if (!strcmp(state, "active"))
		unit->active = true;
	else if (!strcmp(state, "failed"))
		unit_over(unit, -1);
	else if (!strcmp(state, "inactive") && unit->active) /* not the one before it */
		unit_over(unit, unit->found ? -1 : 0);
}

static bool error_is(const GError *error, const char *what)
{
	g_autofree char *name = g_dbus_error_get_remote_error(error);

	return !g_strcmp0(name, what);
}

static gboolean refused(gpointer data)
{
	struct unit *unit = data;

	unit->refused = 0;
	unit_over(unit, -1);
	return G_SOURCE_REMOVE;
}

static void unit_started(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	struct unit *unit = data;

	unit->pending = false;
	if (!unit->child) {
		unit_free(unit);
	} else if (!reply && error_is(error, SYSTEMD ".UnitExists")) {
		/* One that an irorid before us started and that does not listen yet, or one that is on its
		 * way out: it is this one that we hear of, and that is killed if it takes too long. */
		unit->active = unit->found = true;
	} else if (!reply && error_is(error, SYSTEMD ".TransactionIsDestructive")) {
		/* The machine is going down. Who tries again in a moment is in its way. */
		unit->refused = g_timeout_add_seconds(REFUSED_S, refused, unit);
	} else if (!reply) {
		g_warning("%s: %s", unit->name, error->message);
		unit_over(unit, -1);
	}
}

/* Properties: a(sv) */

static void add(GVariantBuilder *list, const char *name, GVariant *value)
{
	g_variant_builder_add(list, "(sv)", name, value);
}

static void add_exec(GVariantBuilder *list, const char *const *argv)
{
	GVariantBuilder commands;

	g_variant_builder_init(&commands, G_VARIANT_TYPE("a(sasb)"));
	g_variant_builder_add(&commands, "(s^asb)", argv[0], argv, FALSE);
	add(list, "ExecStart", g_variant_builder_end(&commands));
}

static void add_bind(GVariantBuilder *binds, const char *path, bool optional)
{
	g_variant_builder_add(binds, "(ssbt)", path, path, optional, UINT64_C(0));
}

/* A seat sees no socket but those that it has to do with: of all of /run and /tmp there are its own folder, which
 * only root may enter, the sound server, and what udev knows of devices. (What it says goes to the journal by its
 * standard error.) Without a network of its own it could still reach sockets that have a name and no file. */
static void add_view(GVariantBuilder *list, const char *runtime)
{
	static const char *const empty[] = { "/run", "/tmp", "/var/tmp" };
	static const char *const seen[] = { "/run/irori/pulse", "/run/udev/data" };
	g_autofree char *own = g_build_filename(runtime, "seats", NULL);
	GVariantBuilder none, writable, readable;

	g_variant_builder_init(&none, G_VARIANT_TYPE("a(ss)"));
	for (unsigned i = 0; i < G_N_ELEMENTS(empty); i++)
		g_variant_builder_add(&none, "(ss)", empty[i], "ro");
	g_variant_builder_init(&readable, G_VARIANT_TYPE("a(ssbt)"));
	for (unsigned i = 0; i < G_N_ELEMENTS(seen); i++)
		add_bind(&readable, seen[i], true);
	g_variant_builder_init(&writable, G_VARIANT_TYPE("a(ssbt)"));
	add_bind(&writable, own, false);
	add(list, "TemporaryFileSystem", g_variant_builder_end(&none));
	add(list, "BindReadOnlyPaths", g_variant_builder_end(&readable));
	add(list, "BindPaths", g_variant_builder_end(&writable));
	add(list, "PrivateNetwork", g_variant_new_boolean(TRUE));
}

/* What it may open in /dev besides what everybody may. A seat gets its monitors and its input as
 * descriptors, and opens nothing. */
static void add_devices(GVariantBuilder *list, enum spawn_kind kind)
{
	static const char *const guest[] = { "/dev/kvm", "/dev/vhost-net", "/dev/net/tun", "/dev/vfio/vfio",
		"char-vfio", "block-*", NULL };
	GVariantBuilder allowed;

	g_variant_builder_init(&allowed, G_VARIANT_TYPE("a(ss)"));
	for (const char *const *device = guest; kind == SPAWN_GUEST && *device; device++)
		g_variant_builder_add(&allowed, "(ss)", *device, "rw");
	add(list, "DevicePolicy", g_variant_new_string("closed"));
	add(list, "DeviceAllow", g_variant_builder_end(&allowed));
}

static void add_sandbox(GVariantBuilder *list, enum spawn_kind kind)
{
	static const char *const yes[] = { "NoNewPrivileges", "ProtectClock", "ProtectControlGroups",
		"ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
		"LockPersonality" };

	for (unsigned i = 0; i < G_N_ELEMENTS(yes); i++)
		add(list, yes[i], g_variant_new_boolean(TRUE));
	/* A guest's disks may be anywhere but in the system; a seat makes nothing but its socket. */
	add(list, "ProtectSystem", g_variant_new_string(kind == SPAWN_SEAT ? "strict" : "full"));
	add_devices(list, kind);
	if (kind == SPAWN_SEAT) {
		add(list, "ProtectHome", g_variant_new_string("yes"));
		add(list, "RestrictSUIDSGID", g_variant_new_boolean(TRUE));
		add(list, "MemoryDenyWriteExecute", g_variant_new_boolean(TRUE));
		add(list, "RestrictNamespaces", g_variant_new_uint64(0)); /* of all kinds, none */
		add(list, "OOMScoreAdjust", g_variant_new_int32(-400));
		/* Its clock is the guest's: it must be on time. */
		add(list, "CPUWeight", g_variant_new_uint64(1000));
		add(list, "LimitRTPRIO", g_variant_new_uint64(10));
		add(list, "LimitNICE", g_variant_new_uint64(31));
	} else {
		add(list, "OOMScoreAdjust", g_variant_new_int32(200));
		add(list, "LimitRTPRIO", g_variant_new_uint64(10));
		add(list, "LimitNICE", g_variant_new_uint64(35));
	}
}

static void add_limits(GVariantBuilder *list, const struct systemd *systemd,
	const struct spawn_spec *spec)
{
	if (spec->cpu_weight)
		add(list, "CPUWeight", g_variant_new_uint64(spec->cpu_weight));
	if (spec->cpu_quota) /* microseconds a second */
		add(list, "CPUQuotaPerSecUSec", g_variant_new_uint64(spec->cpu_quota * UINT64_C(10000)));
	if (spec->memory_max)
		add(list, "MemoryMax", g_variant_new_uint64(spec->memory_max));
	if (systemd->n_cpus)
		add(list, "AllowedCPUs", g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, systemd->cpus,
			systemd->n_cpus, 1));
}

static GVariant *properties(const struct systemd *systemd, const struct spawn_child *child,
	const struct spawn_spec *spec)
{
	static const char *const before[] = { "irori-guests.service", NULL };
	g_autofree char *about = g_strdup_printf("Irori %s", child->name);
	g_autofree char *slice = spec->seat ? g_strdup_printf("irori-%s.slice", spec->seat) :
		g_strdup("irori.slice");
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(sv)"));
	add(&list, "Description", g_variant_new_string(about));
	add(&list, "Slice", g_variant_new_string(slice));
	add(&list, "CollectMode", g_variant_new_string("inactive-or-failed"));
	add(&list, "SyslogIdentifier", g_variant_new_string(child->name));
	add_exec(&list, spec->argv);
	add_limits(&list, systemd, spec);
	add_sandbox(&list, spec->kind);
	if (spec->kind == SPAWN_SEAT)
		add_view(&list, child->spawn->runtime);
	else /* stopped after it, so that they are switched off in order: irori-guests.service */
		add(&list, "Before", g_variant_new_strv(before, -1));
	return g_variant_builder_end(&list);
}

/* irori-guest-mika.service; a name has no character that systemd would escape but '-', which is fine
 * in services and means a parent in slices. */
static char *unit_name(const struct spawn_child *child)
{
	return g_strdup_printf("irori-%s.service", child->name);
}

static char *unit_path(const char *name)
{
	GString *path = g_string_new(MANAGER_PATH "/unit/");

	for (const char *c = name; *c; c++)
		if (g_ascii_isalpha(*c) || (g_ascii_isdigit(*c) && c != name))
			g_string_append_c(path, *c);
		else
			g_string_append_printf(path, "_%02x", (unsigned char)*c);
	return g_string_free(path, FALSE);
}

static bool systemd_start(struct spawn_child *child, const struct spawn_spec *spec, GError **error)
{
	struct systemd *systemd = child->spawn->own;
	struct unit *unit = g_new0(struct unit, 1);

	unit->child = child;
	unit->systemd = systemd;
	unit->cancel = g_cancellable_new();
	unit->name = unit_name(child);
	unit->path = unit_path(unit->name);
	unit->watch = g_dbus_connection_signal_subscribe(systemd->bus, SYSTEMD,
		"org.freedesktop.DBus.Properties", "PropertiesChanged", unit->path, UNIT,
		G_DBUS_SIGNAL_FLAGS_NONE, unit_changed, unit, NULL);
	unit->pending = true;
	child->own = unit;
	g_dbus_connection_call(systemd->bus, SYSTEMD, MANAGER_PATH, MANAGER, "StartTransientUnit",
		g_variant_new("(ss@a(sv)a(sa(sv)))", unit->name, "replace",
			properties(systemd, child, spec), NULL),
		G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE, ANSWER_MS, unit->cancel, unit_started,
		unit);
	return true;
}

static void systemd_kill(struct spawn_child *child, int signal)
{
	struct unit *unit = child->own;

	g_dbus_connection_call(unit->systemd->bus, SYSTEMD, MANAGER_PATH, MANAGER, "KillUnit",
		g_variant_new("(ssi)", unit->name, "all", signal), NULL, G_DBUS_CALL_FLAGS_NONE,
		ANSWER_MS, NULL, NULL, NULL);
}

static void systemd_forget(struct spawn_child *child)
{
	unit_drop(child->own);
}

static void systemd_free(struct spawn *spawn)
{
	struct systemd *systemd = spawn->own;

	g_object_unref(systemd->bus);
	g_free(systemd);
}

static const struct spawn_ops systemd_ops = {
	.way = "systemd",
	.start = systemd_start,
	.kill = systemd_kill,
	.forget = systemd_forget,
	.free = systemd_free,
};

/* Where we are confined to some processors, so is what we start. */
static void cpus_find(struct systemd *systemd)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) >= n)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set)) {
			systemd->cpus[cpu / 8] |= (uint8_t)(1 << cpu % 8);
			systemd->n_cpus = (gsize)cpu / 8 + 1;
		}
}

bool spawn_systemd_init(struct spawn *spawn, GError **error)
{
	GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
	struct systemd *systemd;

	if (!bus)
		return false;
	/* systemd says what its units do only to those who ask. */
	g_dbus_connection_call(bus, SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe", NULL, NULL,
		G_DBUS_CALL_FLAGS_NONE, ANSWER_MS, NULL, NULL, NULL);
	systemd = g_new0(struct systemd, 1);
	systemd->bus = bus;
	cpus_find(systemd);
	spawn->ops = &systemd_ops;
	spawn->own = systemd;
	return true;
}

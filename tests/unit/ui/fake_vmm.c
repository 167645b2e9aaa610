/*
 * irori-vmm's stand-in for tests of the demonstration's runner without /dev/kvm: takes the same
 * configuration file, and is a guest that plays (class video) or one that reboots every second. With
 * the class "fair" the player loses frames, as it does beside a load when nobody puts it first.
 */
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gpu-share/policy.h"
#include "tests/unit/ui/fake_guest.h"

enum {
	REBOOT_EVERY_MS = 1000,
	REBOOT_TAKES_MS = 200,
};

struct fake_vmm {
	struct fake_guest guest;
	GMainLoop *loop;
	bool video;
	unsigned reboots;
	uint32_t share_class;
	int64_t started_ns;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static gboolean end(gpointer data)
{
	g_main_loop_quit(((struct fake_vmm *)data)->loop);
	return G_SOURCE_REMOVE;
}

static int requested(void *data, enum link_verb verb, uint32_t argument)
{
	struct fake_vmm *vmm = data;

	if (verb == LINK_VERB_CLASS) {
		vmm->share_class = argument;
		vmm->guest.faults = vmm->video && argument == SHARE_FAIR;
	} else if (verb == LINK_VERB_POWEROFF) {
		g_idle_add(end, vmm);
	}
	return 0;
}

static void stat_fill(void *data, struct link_stat *stat)
{
	struct fake_vmm *vmm = data;

	stat->pid = getpid();
	stat->share_class = vmm->share_class;
	stat->started_ns = vmm->started_ns;
	stat->n_exits = 2;
	strcpy(stat->exits[0].reason, "mmio");
	stat->exits[0].count = vmm->guest.seq * 3;
	strcpy(stat->exits[1].reason, "<hlt & co>"); /* a page must not believe it */
	stat->exits[1].count = vmm->guest.seq;
}

static const struct link_server_owner owner = { .request = requested, .stat = stat_fill };

static gboolean booted(gpointer data)
{
	struct fake_vmm *vmm = data;

	vmm->guest.stopped = false;
	fake_guest_play(&vmm->guest);
	return G_SOURCE_REMOVE;
}

static gboolean reboot(gpointer data)
{
	struct fake_vmm *vmm = data;

	vmm->guest.stopped = true;
	link_server_set_state(vmm->guest.server, LINK_GUEST_RESETTING, ++vmm->reboots);
	g_timeout_add(REBOOT_TAKES_MS, booted, vmm);
	return G_SOURCE_CONTINUE;
}

static gboolean begin(gpointer data)
{
	fake_guest_play(&((struct fake_vmm *)data)->guest);
	return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
	GKeyFile *file = g_key_file_new();
	struct fake_vmm vmm = { .started_ns = now() };
	g_autofree char *name = NULL, *path = NULL, *share = NULL;
	struct link_server_config config = { .owner = &owner, .owner_data = &vmm, .now = now };
	GError *error = NULL;

	if (argc != 2 || !g_key_file_load_from_file(file, argv[1], 0, &error) ||
		!(name = g_key_file_get_string(file, "Guest", "Name", &error)) ||
		!(path = g_key_file_get_string(file, "Guest", "Socket", &error)) ||
		!(share = g_key_file_get_string(file, "Guest", "Class", &error))) {
		fprintf(stderr, "fake-vmm: %s\n", error ? error->message : "usage: CONFIG");
		return 64;
	}
	if (g_getenv("FAKE_VMM_FAILS")) {
		fprintf(stderr, "fake-vmm: no kernel today\n");
		return 1;
	}
	vmm.video = !strcmp(share, "video");
	vmm.guest.bars = vmm.video;
	vmm.loop = g_main_loop_new(NULL, FALSE);
	config.name = name;
	config.path = path;
	if (!fake_guest_start(&vmm.guest, g_main_context_default(), &config, &error)) {
		fprintf(stderr, "fake-vmm: %s\n", error ? error->message : "no memory");
		return 1;
	}
	g_unix_signal_add(SIGTERM, end, &vmm);
	g_timeout_add(100, begin, &vmm);
	if (!vmm.video)
		g_timeout_add(REBOOT_EVERY_MS, reboot, &vmm);
	g_main_loop_run(vmm.loop);
	fake_guest_stop(&vmm.guest);
	return 0;
}

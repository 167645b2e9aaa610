/*
 * irori doctor: what this host can do for guests, what it cannot, and what to do about it. A table of
 * questions, each asked of the host itself (by trying), never guessed from a version.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpu-share/cpu.h"
#include "gpu-share/group.h"
#include "ui/command.h"
#include "ui/host.h"
#include "ui/json.h"
#include "ui/runtime.h"

static gboolean as_json;

static const GOptionEntry options[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "print JSON", NULL },
	{ 0 },
};

enum level {
	GOOD,
	NOTE,    /* works, but not as well as it could */
	TROUBLE, /* guests cannot run */
};

static const char *const level_names[] = {
	[GOOD] = "ok",
	[NOTE] = "note",
	[TROUBLE] = "trouble",
};

struct finding {
	enum level level;
	char *found;        /* g_free */
	const char *advice; /* NULL: none */
};

static struct finding finding(enum level level, char *found, const char *advice)
{
	return (struct finding){ level, found, advice };
}

static int kvm_open(void)
{
	return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

static struct finding check_kvm(void)
{
	int fd = kvm_open(), version;

	if (fd < 0 && errno == ENOENT)
		return finding(TROUBLE, g_strdup("there is no /dev/kvm"),
			"Switch on virtualization (VT-x, AMD-V) in the firmware's set-up, and load "
			"kvm_intel or kvm_amd. In a virtual machine: nested virtualization.");
	if (fd < 0)
		return finding(TROUBLE, g_strdup_printf("/dev/kvm: %s", g_strerror(errno)),
			"Add yourself to the group that owns it: adduser $USER kvm, then log in "
			"again.");
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	close(fd);
	if (version != KVM_API_VERSION)
		return finding(TROUBLE, g_strdup_printf("API version %d instead of %d", version,
			KVM_API_VERSION), "This kernel's KVM is not one that we know.");
	return finding(GOOD, g_strdup_printf("/dev/kvm opens, API version %d", version), NULL);
}

static const struct {
	int cap;
	const char *name;
	bool needed;
} caps[] = {
	{ KVM_CAP_IRQCHIP, "irqchip", true },
	{ KVM_CAP_USER_MEMORY, "user memory", true },
	{ KVM_CAP_IRQFD, "irqfd", true },
	{ KVM_CAP_IOEVENTFD, "ioeventfd", true },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "ioeventfd of any length", false },
	{ KVM_CAP_IRQ_ROUTING, "interrupt routing", true },
	{ KVM_CAP_SIGNAL_MSI, "MSI", true },
	{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit", true },
	{ KVM_CAP_MP_STATE, "MP state", true },
	{ KVM_CAP_READONLY_MEM, "read-only memory", false },
	{ KVM_CAP_SPLIT_IRQCHIP, "split irqchip", false },
	{ KVM_CAP_X86_SMM, "SMM", false },
};

static struct finding check_caps(void)
{
	GString *missing = g_string_new(NULL);
	enum level level = GOOD;
	int fd = kvm_open();

	if (fd < 0) {
		g_string_free(missing, TRUE);
		return finding(TROUBLE, g_strdup("not asked: /dev/kvm does not open"), NULL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(caps); i++) {
		if (ioctl(fd, KVM_CHECK_EXTENSION, caps[i].cap) > 0)
			continue;
		g_string_append_printf(missing, "%s%s", missing->len ? ", " : "no ", caps[i].name);
		level = MAX(level, caps[i].needed ? TROUBLE : NOTE);
	}
	close(fd);
	if (!missing->len)
		g_string_assign(missing, "all there");
	return finding(level, g_string_free(missing, FALSE), level == TROUBLE ?
		"Irori needs a newer kernel, or one with these built in." :
		level == NOTE ? "Irori does without; some guests may not (SMM: Secure Boot)." :
		NULL);
}

static struct finding check_assist(void)
{
	switch (host_kvm()) {
	case HOST_KVM_INTEL:
		return finding(GOOD, g_strdup("VT-x (kvm_intel)"), NULL);
	case HOST_KVM_AMD:
		return finding(GOOD, g_strdup("AMD-V (kvm_amd)"), NULL);
	case HOST_KVM_PVM:
		return finding(NOTE, g_strdup("none: KVM by page tables (kvm_pvm)"),
			"Guests' programs run at full speed, but their kernels are interpreted at "
			"about a million instructions a second, and some instructions are missing: "
			"the demonstration runs, stock Linux and Windows do not boot.");
	case HOST_KVM_OTHER:
		return finding(NOTE, g_strdup("of a kind we do not know"),
			"The demonstration shows what works: irori demo.");
	case HOST_KVM_NONE:
		break;
	}
	return finding(TROUBLE, g_strdup("no KVM module is loaded"), "modprobe kvm_intel, or kvm_amd");
}

static struct finding check_shares(void)
{
	enum cpu_share_how how = cpu_share_how();

	return finding(how == CPU_SHARE_NICE ? GOOD : NOTE, g_strdup(cpu_share_how_name(how)),
		how == CPU_SHARE_NICE ? NULL :
		"Without the right to raise a nice level a guest's reboot can only be confined to "
		"some processors. LimitNICE=-20 (systemd), or \"- nice -20\" in limits.conf.");
}

static struct finding check_cgroup(void)
{
	g_autofree char *path = group_own_path();

	if (path)
		return finding(GOOD, g_strdup_printf("%s is ours", path), NULL);
	return finding(NOTE, g_strdup("no group with a cpu controller is delegated to us"),
		"Nice levels do instead. For control groups: systemd-run --user --scope "
		"-p Delegate=yes irori ...");
}

static struct finding check_realtime(void)
{
	struct sched_param param = { .sched_priority = 1 }, none = { 0 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		return finding(NOTE, g_strdup_printf("SCHED_FIFO: %s", g_strerror(errno)),
			"The seat's clock runs at a raised nice level at best, and may be late under "
			"load. LimitRTPRIO=20 allows more.");
	sched_setscheduler(0, SCHED_OTHER, &none);
	return finding(GOOD, g_strdup("SCHED_FIFO is permitted"), NULL);
}

static struct finding check_memory(void)
{
	int64_t free_kib = host_meminfo("MemAvailable");
	g_autofree char *huge = NULL;
	bool none, small;

	g_file_get_contents("/sys/kernel/mm/transparent_hugepage/shmem_enabled", &huge, NULL, NULL);
	if (huge)
		g_strdelimit(g_strstrip(huge), "\n", ' ');
	small = free_kib < 512 * 1024;
	none = huge && (strstr(huge, "[never]") || strstr(huge, "[deny]"));
	return finding(small || none ? NOTE : GOOD,
		g_strdup_printf("%lld MiB available, huge pages for shared memory: %s",
			(long long)free_kib / 1024, huge ? huge : "not known"),
		small ? "The demonstration takes about 400 MiB." :
		none ? "Guests' memory is in small pages, which is slower: echo advise "
			">/sys/kernel/mm/transparent_hugepage/shmem_enabled" : NULL);
}

static struct finding check_sound(void)
{
	const char *server = g_getenv("PULSE_SERVER"), *dir = g_getenv("XDG_RUNTIME_DIR");
	g_autofree char *path = dir ? g_build_filename(dir, "pulse", "native", NULL) : NULL;

	if (server)
		return finding(GOOD, g_strdup_printf("PULSE_SERVER is %s", server), NULL);
	if (path && !access(path, W_OK))
		return finding(GOOD, g_strdup(path), NULL);
	return finding(NOTE, g_strdup("no PulseAudio (or PipeWire) server of yours"),
		"Guests' sound is played to nobody, at the right speed.");
}

static struct finding check_display(void)
{
	const char *wayland = g_getenv("WAYLAND_DISPLAY"), *x = g_getenv("DISPLAY");

	if (wayland && *wayland)
		return finding(GOOD, g_strdup_printf("Wayland, %s", wayland), NULL);
	if (x && *x)
		return finding(GOOD, g_strdup_printf("X11, %s", x), NULL);
	return finding(NOTE, g_strdup("no display"), "irori demo runs headless; remote-viewer shows "
		"the seats over SPICE.");
}

static struct finding check_spice(void)
{
	g_autofree char *remote = runtime_program("irori-remote");
	g_autofree char *viewer = g_find_program_in_path("remote-viewer");

	if (!remote)
		return finding(NOTE, g_strdup("irori-remote is not there"),
			"Remote seats need it; it is built where libspice-server-dev is.");
	return finding(GOOD, g_strdup_printf("%s%s", remote, viewer ? ", remote-viewer" :
		" (remote-viewer is not installed here)"), NULL);
}

static struct finding check_demo(void)
{
	static const char *const files[] = {
		"demo/kernel/hearth", "demo/initrd/initrd.cpio", "demo/clip/clip.ogv",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = runtime_file(files[i]);

		if (!path)
			return finding(NOTE, g_strdup_printf("%s is missing", files[i]),
				"./dev demo builds it.");
	}
	return finding(GOOD, g_strdup("kernel, programs and clip are there"), NULL);
}

static const struct {
	const char *name, *title;
	struct finding (*check)(void);
} checks[] = {
	{ "kvm", "KVM", check_kvm },
	{ "capabilities", "What KVM can do", check_caps },
	{ "assist", "Hardware assist", check_assist },
	{ "shares", "Sharing processors", check_shares },
	{ "cgroup", "Control groups", check_cgroup },
	{ "realtime", "Real-time threads", check_realtime },
	{ "memory", "Memory", check_memory },
	{ "sound", "Sound", check_sound },
	{ "display", "Display", check_display },
	{ "spice", "Remote seats", check_spice },
	{ "demo", "Demonstration", check_demo },
};

static void finding_text(const char *title, const struct finding *f)
{
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31;1m" };
	bool colour = isatty(STDOUT_FILENO);

	printf("%s%-8s%s %-20s %s\n", colour ? colours[f->level] : "", level_names[f->level],
		colour ? "\033[0m" : "", title, f->found);
	if (f->advice)
		printf("%-29s > %s\n", "", f->advice);
}

static int doctor_run(const char *name, char **args, int n)
{
	JsonBuilder *json = json_builder_new();
	enum level worst = GOOD;
	g_autofree char *text = NULL;

	json_builder_begin_object(json);
	json_builder_set_member_name(json, "checks");
	json_builder_begin_array(json);
	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
		struct finding f = checks[i].check();

		worst = MAX(worst, f.level);
		if (!as_json)
			finding_text(checks[i].title, &f);
		json_builder_begin_object(json);
		json_text(json, "check", checks[i].name);
		json_text(json, "level", level_names[f.level]);
		json_text(json, "found", f.found);
		json_text(json, "advice", f.advice);
		json_builder_end_object(json);
		g_free(f.found);
	}
	json_builder_end_array(json);
	json_text(json, "worst", level_names[worst]);
	json_builder_end_object(json);
	text = json_finish(json);
	if (as_json)
		fputs(text, stdout);
	else
		printf("\n%s\n", worst == TROUBLE ? "Guests cannot run on this host as it is." :
			worst == NOTE ? "Guests can run; the notes say what could be better." :
			"All is well.");
	return worst == TROUBLE ? EX_UNAVAILABLE : EX_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.help = "look at this host: what it can do for guests",
	.options = options,
	.run = doctor_run,
};

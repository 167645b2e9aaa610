/*
 * The VM as the kernel has it: capabilities, interrupt chips, memory slots, ioeventfds. MSI routes
 * are in kvm_msi.c, CPUID is in kvm_cpuid.c.
 */
#define G_LOG_DOMAIN "irori-kvm"

#include "vmm/kvm_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/state.h"

enum kvm_addresses {
	/* Three pages and one that some processors need for real mode; above the local APIC, below
	 * what firmware has its flash memory in (0xff000000 and on). */
	KVM_TSS_ADDR = 0xfeffd000u,
	KVM_IDENTITY_ADDR = 0xfeffc000u,
};

/* What we cannot do without, and what it is called where people read about it. */
static const struct {
	int cap;
	const char *name;
} needed[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	{ KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
	{ KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS" },
};

static bool failed(GError **error, const char *what)
{
	return fail_as(error, EX_UNAVAILABLE, "%s: %s", what, g_strerror(errno));
}

static bool kvm_open(struct kvm *kvm, GError **error)
{
	int version;

	kvm->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0) {
		int code = errno;

		return fail_as(error, EX_UNAVAILABLE, "/dev/kvm: %s%s", g_strerror(code),
			code == ENOENT ? "; is virtualization enabled and the kvm module loaded?" :
			code == EACCES ? "; this user must be in the group that owns it" : "");
	}
	version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return fail_as(error, EX_UNAVAILABLE, "/dev/kvm: API version %d, %d is needed",
			version, KVM_API_VERSION);
	for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++)
		if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, needed[i].cap) <= 0)
			return fail_as(error, EX_UNAVAILABLE, "/dev/kvm: this kernel lacks %s",
				needed[i].name);
	return true;
}

bool kvm_create_chips(struct kvm *kvm, GError **error)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int rc;

	if (ioctl(kvm->vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return failed(error, "in-kernel interrupt controllers");
	for (unsigned i = 0; i < G_N_ELEMENTS(kvm->chip); i++) {
		kvm->chip[i].chip_id = i;
		if (ioctl(kvm->vm, KVM_GET_IRQCHIP, &kvm->chip[i]) < 0)
			return failed(error, "state of the interrupt controllers");
	}
	/* The kernel's own table has the PIT elsewhere than our ACPI tables say. */
	rc = kvm_routing_set(kvm);
	if (rc) {
		errno = -rc;
		return failed(error, "routes of interrupts");
	}
	/* A timer that old guests calibrate with; a machine without it is still a machine. */
	kvm->has_pit = !ioctl(kvm->vm, KVM_CREATE_PIT2, &pit) &&
		!ioctl(kvm->vm, KVM_GET_PIT2, &kvm->pit);
	if (!kvm->has_pit)
		g_message("no in-kernel PIT: %s", g_strerror(errno));
	return true;
}

static bool vm_new(struct kvm *kvm, GError **error)
{
	uint64_t identity = KVM_IDENTITY_ADDR;

	do
		kvm->vm = ioctl(kvm->fd, KVM_CREATE_VM, 0);
	while (kvm->vm < 0 && errno == EINTR);
	if (kvm->vm < 0)
		return failed(error, "/dev/kvm: a new virtual machine");
	kvm->run_len = (size_t)MAX(ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0), 0);
	if (kvm->run_len < sizeof(struct kvm_run))
		return failed(error, "/dev/kvm: size of a processor's page");
	if (ioctl(kvm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
		ioctl(kvm->vm, KVM_SET_TSS_ADDR, (unsigned long)KVM_TSS_ADDR) < 0)
		return failed(error, "/dev/kvm: pages for real mode");
	return true;
}

static void msrs_list(struct kvm *kvm)
{
	struct kvm_msr_list probe = { .nmsrs = 0 };

	if (ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, &probe) == 0 || errno != E2BIG ||
		probe.nmsrs > 4096)
		return;
	kvm->msrs = g_malloc0(sizeof(*kvm->msrs) + probe.nmsrs * sizeof(kvm->msrs->indices[0]));
	kvm->msrs->nmsrs = probe.nmsrs;
	if (ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, kvm->msrs) < 0)
		kvm->msrs->nmsrs = 0;
}

struct kvm *kvm_new(GError **error)
{
	struct kvm *kvm = g_new0(struct kvm, 1);

	kvm->fd = kvm->vm = -1;
	kvm->n_slots = KVM_SLOTS_RAM;
	g_mutex_init(&kvm->lock);
	kvm_msi_init(kvm);
	if (!kvm_open(kvm, error) || !vm_new(kvm, error) || !kvm_cpuid_init(kvm, error)) {
		kvm_free(kvm);
		return NULL;
	}
	msrs_list(kvm);
	return kvm;
}

void kvm_free(struct kvm *kvm)
{
	if (!kvm)
		return;
	kvm_msi_clear(kvm);
	if (kvm->vm >= 0)
		close(kvm->vm);
	if (kvm->fd >= 0)
		close(kvm->fd);
	g_free(kvm->cpuid);
	g_free(kvm->hyperv);
	g_free(kvm->msrs);
	g_mutex_clear(&kvm->lock);
	g_free(kvm);
}

int kvm_add_memory(struct kvm *kvm, unsigned slot, uint64_t gpa, uint64_t len, void *host)
{
	return kvm_set_slot(kvm, slot, 0, gpa, len, host);
}

int kvm_new_slot(struct kvm *kvm)
{
	int slot;

	g_mutex_lock(&kvm->lock);
	slot = kvm->n_slots < KVM_SLOTS_MAX ? (int)kvm->n_slots++ : -ENOSPC;
	g_mutex_unlock(&kvm->lock);
	return slot;
}

int kvm_slot_dirty(struct kvm *kvm, unsigned slot, uint64_t *bitmap)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	return ioctl(kvm->vm, KVM_GET_DIRTY_LOG, &log) < 0 ? -errno : 0;
}

int kvm_set_slot(struct kvm *kvm, unsigned slot, uint32_t flags, uint64_t gpa, uint64_t len,
	void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};

	return ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

int kvm_irq_line(struct kvm *kvm, unsigned gsi, bool level)
{
	struct kvm_irq_level irq = { .irq = gsi, .level = level };

	return ioctl(kvm->vm, KVM_IRQ_LINE, &irq) < 0 ? -errno : 0;
}

int kvm_ioeventfd(struct kvm *kvm, uint64_t gpa, unsigned len, int fd, bool add)
{
	struct kvm_ioeventfd event = {
		.addr = gpa,
		.len = len,
		.fd = fd,
		.flags = add ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
	};

	return ioctl(kvm->vm, KVM_IOEVENTFD, &event) < 0 ? -errno : 0;
}

int kvm_create_vcpu(struct kvm *kvm, unsigned index, struct kvm_run **run, size_t *run_len)
{
	int fd = ioctl(kvm->vm, KVM_CREATE_VCPU, (unsigned long)index);

	if (fd < 0)
		return -errno;
	*run = mmap(NULL, kvm->run_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*run == MAP_FAILED) {
		int code = errno;

		close(fd);
		return -code;
	}
	*run_len = kvm->run_len;
	return fd;
}

const struct kvm_msr_list *kvm_msrs(const struct kvm *kvm)
{
	return kvm->msrs;
}

int kvm_reset_chips(struct kvm *kvm)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(kvm->chip); i++)
		if (ioctl(kvm->vm, KVM_SET_IRQCHIP, &kvm->chip[i]) < 0)
			return -errno;
	if (kvm->has_pit && ioctl(kvm->vm, KVM_SET_PIT2, &kvm->pit) < 0)
		return -errno;
	return 0;
}

static void chips_state(struct kvm *kvm, struct state *state)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(kvm->chip); i++) {
		struct kvm_irqchip chip = { .chip_id = i };

		if (!state_loading(state) && ioctl(kvm->vm, KVM_GET_IRQCHIP, &chip) < 0)
			state_fail(state, "interrupt controllers: %s", g_strerror(errno));
		STATE(state, chip);
		chip.chip_id = i;
		if (state_loading(state) && !state_failed(state) &&
			ioctl(kvm->vm, KVM_SET_IRQCHIP, &chip) < 0)
			state_fail(state, "interrupt controllers: %s", g_strerror(errno));
	}
}

static void pit_state(struct kvm *kvm, struct state *state)
{
	struct kvm_pit_state2 pit = { 0 };

	if (!state_loading(state) && ioctl(kvm->vm, KVM_GET_PIT2, &pit) < 0)
		state_fail(state, "PIT: %s", g_strerror(errno));
	STATE(state, pit);
	if (state_loading(state) && !state_failed(state) &&
		ioctl(kvm->vm, KVM_SET_PIT2, &pit) < 0)
		state_fail(state, "PIT: %s", g_strerror(errno));
}

void kvm_state(struct kvm *kvm, struct state *state, int64_t slept_ns)
{
	struct kvm_clock_data clock = { 0 };
	uint64_t clock_ns;

	state_section(state, "interrupt controllers and clock");
	chips_state(kvm, state);
	if (kvm->has_pit)
		pit_state(kvm, state);
	if (!state_loading(state) && ioctl(kvm->vm, KVM_GET_CLOCK, &clock) < 0)
		state_fail(state, "clock: %s", g_strerror(errno));
	clock_ns = clock.clock;
	STATE(state, clock_ns);
	/* It goes on as if the guest had been running all the time: so its wall clock is right. */
	clock = (struct kvm_clock_data){ .clock = clock_ns + (uint64_t)slept_ns };
	if (state_loading(state) && !state_failed(state) &&
		ioctl(kvm->vm, KVM_SET_CLOCK, &clock) < 0)
		state_fail(state, "clock: %s", g_strerror(errno));
}

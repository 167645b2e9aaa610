/*
 * A processor's registers: kept as they are when it is new, put back at reset, set for the kernel's
 * entry, and written to the log when the guest crashes. Taking the new processor's own state, and
 * not a list of ours, means that nothing is forgotten.
 */
#define G_LOG_DOMAIN "irori-vcpu"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/kvm.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/vcpu.h"

enum {
	MSR_TSC = 0x10, /* goes on counting: the processors' clocks stay in step */
	MSR_TSC_ADJUST = 0x3b,
	MSR_TSC_DEADLINE = 0x6e0,
	MSRS_MAX = 4096,

	CR0_PE = 1u << 0,
	CR0_ET = 1u << 4,
	CR0_NE = 1u << 5,
	CR0_PG = 1u << 31,
	CR4_PAE = 1u << 5,
	EFER_LME = 1u << 8,
	EFER_LMA = 1u << 10,
	CODE_LEN = 16,
};

/* A processor on which the guest runs guests of its own: what the kernel keeps of them, at most. */
struct vcpu_nested {
	struct kvm_nested_state head;
	uint8_t data[sizeof(struct kvm_vmx_nested_state_data)];
};

_Static_assert(sizeof(struct kvm_vmx_nested_state_data) >= sizeof(struct kvm_svm_nested_state_data),
	"Intel's is the larger");

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	struct vcpu_nested nested;
	bool has_xsave, has_xcrs, has_nested;
	struct kvm_msrs *msrs;
	struct kvm_xsave xsave; /* last: its type has an open end, which we have no use for */
};

/* One by one: a kernel may list what it does not let one read. */
static void msrs_save(const struct vcpu *vcpu, const struct kvm *kvm, struct vcpu_state *state)
{
	const struct kvm_msr_list *list = kvm_msrs(kvm);
	unsigned n = list ? list->nmsrs : 0;

	g_autofree struct kvm_msrs *one = g_malloc0(sizeof(*one) + sizeof(one->entries[0]));

	state->msrs = g_malloc0(sizeof(*state->msrs) + n * sizeof(state->msrs->entries[0]));
	one->nmsrs = 1;
	for (unsigned i = 0; i < n; i++) {
		one->entries[0] = (struct kvm_msr_entry){ .index = list->indices[i] };
		if (list->indices[i] == MSR_TSC || list->indices[i] == MSR_TSC_ADJUST)
			continue;
		if (ioctl(vcpu->fd, KVM_GET_MSRS, one) == 1)
			state->msrs->entries[state->msrs->nmsrs++] = one->entries[0];
	}
}

struct vcpu_state *vcpu_state_save(const struct vcpu *vcpu, const struct kvm *kvm)
{
	struct vcpu_state *state = g_new0(struct vcpu_state, 1);

	ioctl(vcpu->fd, KVM_GET_REGS, &state->regs);
	ioctl(vcpu->fd, KVM_GET_SREGS, &state->sregs);
	ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &state->debugregs);
	ioctl(vcpu->fd, KVM_GET_LAPIC, &state->lapic);
	ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &state->events);
	ioctl(vcpu->fd, KVM_GET_MP_STATE, &state->mp_state);
	state->has_xsave = !ioctl(vcpu->fd, KVM_GET_XSAVE, &state->xsave);
	state->has_xcrs = !ioctl(vcpu->fd, KVM_GET_XCRS, &state->xcrs);
	state->nested.head.size = sizeof(state->nested);
	state->has_nested = !ioctl(vcpu->fd, KVM_GET_NESTED_STATE, &state->nested);
	if (!state->has_nested)
		state->nested = (struct vcpu_nested){ 0 };
	msrs_save(vcpu, kvm, state);
	return state;
}

void vcpu_state_free(struct vcpu_state *state)
{
	if (!state)
		return;
	g_free(state->msrs);
	g_free(state);
}

/* What cannot be written back (read-only ones) is skipped: it cannot have changed either. */
static void msrs_restore(const struct vcpu *vcpu, const struct vcpu_state *state)
{
	const struct kvm_msrs *all = state->msrs;

	for (unsigned done = 0; done < all->nmsrs;) {
		g_autofree struct kvm_msrs *rest = g_malloc0(sizeof(*rest) +
			all->nmsrs * sizeof(rest->entries[0]));
		int n;

		rest->nmsrs = all->nmsrs - done;
		memcpy(rest->entries, all->entries + done, rest->nmsrs * sizeof(rest->entries[0]));
		n = ioctl(vcpu->fd, KVM_SET_MSRS, rest);
		done += (unsigned)MAX(n, 0) + 1;
	}
}

/* While it is where a guest's guest can be, a processor does not take every control register: so it
 * leaves there first. */
static int sregs_restore(const struct vcpu *vcpu, const struct vcpu_state *state)
{
	const struct vcpu_state *initial = vcpu->initial ? vcpu->initial : state;

	if (initial->has_nested && ioctl(vcpu->fd, KVM_SET_NESTED_STATE, &initial->nested) < 0)
		return -errno;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &state->sregs) < 0)
		return -errno;
	return state->has_nested && ioctl(vcpu->fd, KVM_SET_NESTED_STATE, &state->nested) < 0 ?
		-errno : 0;
}

int vcpu_state_restore(const struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct kvm_vcpu_events events = state->events;
	struct kvm_fpu fpu = { .fcw = 0x37f, .mxcsr = 0x1f80 };
	int rc = sregs_restore(vcpu, state);

	if (rc)
		return rc;
	events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	if (ioctl(vcpu->fd, KVM_SET_REGS, &state->regs) < 0)
		return -errno;
	if (state->has_xcrs && ioctl(vcpu->fd, KVM_SET_XCRS, &state->xcrs) < 0)
		return -errno;
	if (state->has_xsave ? ioctl(vcpu->fd, KVM_SET_XSAVE, &state->xsave) < 0 :
		ioctl(vcpu->fd, KVM_SET_FPU, &fpu) < 0)
		return -errno;
	msrs_restore(vcpu, state);
	if (ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &state->debugregs) < 0 ||
		ioctl(vcpu->fd, KVM_SET_LAPIC, &state->lapic) < 0 ||
		ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) < 0 ||
		ioctl(vcpu->fd, KVM_SET_MP_STATE, &state->mp_state) < 0)
		return -errno;
	return 0;
}

static uint64_t msr_get(const struct vcpu *vcpu, uint32_t index)
{
	g_autofree struct kvm_msrs *one = g_malloc0(sizeof(*one) + sizeof(one->entries[0]));

	one->nmsrs = 1;
	one->entries[0].index = index;
	return ioctl(vcpu->fd, KVM_GET_MSRS, one) == 1 ? one->entries[0].data : 0;
}

static void msr_set(const struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	g_autofree struct kvm_msrs *one = g_malloc0(sizeof(*one) + sizeof(one->entries[0]));

	one->nmsrs = 1;
	one->entries[0] = (struct kvm_msr_entry){ .index = index, .data = value };
	ioctl(vcpu->fd, KVM_SET_MSRS, one);
}

/* The time stamp counter goes on as if the guest had been running, in step with its clock; the
 * kernel keeps the processors' in step when they are set to nearly the same. A timer that it drives
 * comes last: it needs the counter and the local APIC as they were. */
static void tsc_transfer(const struct vcpu *vcpu, struct state *state, int64_t slept_ns)
{
	bool loading = state_loading(state);
	uint64_t tsc = loading ? 0 : msr_get(vcpu, MSR_TSC);
	uint64_t adjust = loading ? 0 : msr_get(vcpu, MSR_TSC_ADJUST);
	uint64_t deadline = loading ? 0 : msr_get(vcpu, MSR_TSC_DEADLINE);
	int khz = loading ? 0 : ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	STATE(state, tsc);
	STATE(state, adjust);
	STATE(state, deadline);
	STATE(state, khz);
	if (!loading || state_failed(state))
		return;
	if (khz > 0 && ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0) != khz)
		ioctl(vcpu->fd, KVM_SET_TSC_KHZ, (unsigned long)khz);
	tsc += (uint64_t)((__int128)slept_ns * MAX(khz, 0) / 1000000);
	msr_set(vcpu, MSR_TSC_ADJUST, adjust);
	msr_set(vcpu, MSR_TSC, tsc);
	msr_set(vcpu, MSR_TSC_DEADLINE, deadline);
	/* Its watchdogs are not to count the time it slept; a guest without the clock has none. */
	ioctl(vcpu->fd, KVM_KVMCLOCK_CTRL, 0);
}

static void msrs_transfer(struct vcpu_state *registers, struct state *state)
{
	struct kvm_msrs *msrs = registers->msrs;
	size_t len = sizeof(*msrs) + msrs->nmsrs * sizeof(msrs->entries[0]);
	uint8_t *bytes = g_memdup2(msrs, len);

	state_blob(state, "msrs", &bytes, &len, sizeof(*msrs) + MSRS_MAX * sizeof(msrs->entries[0]));
	g_free(registers->msrs);
	registers->msrs = (struct kvm_msrs *)bytes;
	if (len < sizeof(*msrs) ||
		len != sizeof(*msrs) + registers->msrs->nmsrs * sizeof(msrs->entries[0])) {
		state_fail(state, "'msrs' is damaged");
		registers->msrs = g_malloc0(sizeof(*msrs));
		g_free(bytes);
	}
}

/* Saving, the registers as they are; loading, they are read too, for what they cannot differ in. */
void vcpu_state_transfer(const struct vcpu *vcpu, const struct kvm *kvm, struct state *state,
	int64_t slept_ns)
{
	struct vcpu_state *registers = vcpu_state_save(vcpu, kvm);
	int rc;

	STATE(state, registers->regs);
	STATE(state, registers->sregs);
	STATE(state, registers->xcrs);
	STATE(state, registers->debugregs);
	STATE(state, registers->lapic);
	STATE(state, registers->events);
	STATE(state, registers->mp_state);
	STATE(state, registers->nested);
	state_bytes(state, "xsave", &registers->xsave, sizeof(struct kvm_xsave));
	msrs_transfer(registers, state);
	if (!registers->has_nested && registers->nested.head.size > sizeof(registers->nested.head))
		state_fail(state, "has guests of its own, which this host does not support");
	if (state_loading(state) && !state_failed(state)) {
		rc = vcpu_state_restore(vcpu, registers);
		if (rc)
			state_fail(state, "registers: %s", g_strerror(-rc));
	}
	tsc_transfer(vcpu, state, slept_ns);
	vcpu_state_free(registers);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type, bool code, bool wide)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = !(code && wide),
		.l = code && wide,
		.s = 1,
		.g = 1,
	};
}

/* Flat segments; what a 64-bit entry needs more is in boot.c's tables. */
static void sregs_enter(struct kvm_sregs *sregs, const struct boot_entry *entry)
{
	bool wide = entry->mode == BOOT_LONG;
	struct kvm_segment data = flat_segment(BOOT_DATA_SELECTOR, 3, false, wide);

	sregs->cs = flat_segment(BOOT_CODE_SELECTOR, 11, true, wide);
	sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
	sregs->tr = (struct kvm_segment){ .limit = 0x67, .type = 11, .present = 1 };
	sregs->gdt = (struct kvm_dtable){ .base = BOOT_GDT, .limit = BOOT_GDT_LEN - 1 };
	sregs->idt = (struct kvm_dtable){ 0 };
	sregs->cr0 = CR0_PE | CR0_ET;
	sregs->cr4 = 0;
	sregs->efer = 0;
	if (wide) {
		sregs->cr0 |= CR0_NE | CR0_PG;
		sregs->cr3 = BOOT_PAGES;
		sregs->cr4 = CR4_PAE;
		sregs->efer = EFER_LME | EFER_LMA;
	}
}

int vcpu_state_enter(const struct vcpu *vcpu, const struct boot_entry *entry)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs = { .rip = entry->ip, .rflags = 2 };
	struct kvm_sregs sregs;

	if (entry->mode == BOOT_RESET) /* that is what restoring made of it */
		return 0;
	if (entry->mode == BOOT_LONG)
		regs.rsi = entry->info;
	else
		regs.rbx = entry->info;
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs_enter(&sregs, entry);
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 ||
		ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0 ||
		ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable) < 0)
		return -errno;
	return 0;
}

static void describe_code(const struct vcpu *vcpu, uint64_t linear, GString *out)
{
	struct kvm_translation where = { .linear_address = linear };
	uint8_t code[CODE_LEN];

	if (ioctl(vcpu->fd, KVM_TRANSLATE, &where) < 0 || !where.valid ||
		!memory_read(vcpu->machine->memory, where.physical_address, code, sizeof(code))) {
		g_string_append(out, "code: not in memory");
		return;
	}
	g_string_append(out, "code:");
	for (unsigned i = 0; i < sizeof(code); i++)
		g_string_append_printf(out, " %02x", code[i]);
}

#define LINE(a, b, c, d) a " %016llx  " b " %016llx  " c " %016llx  " d " %016llx\n"

char *vcpu_state_describe(const struct vcpu *vcpu)
{
	struct kvm_regs r = { 0 };
	struct kvm_sregs s = { 0 };
	GString *out = g_string_new(NULL);

	if (ioctl(vcpu->fd, KVM_GET_REGS, &r) < 0 || ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0) {
		g_string_append(out, "its registers cannot be read");
		return g_string_free(out, FALSE);
	}
	g_string_append_printf(out, LINE("rax", "rbx", "rcx", "rdx"), r.rax, r.rbx, r.rcx, r.rdx);
	g_string_append_printf(out, LINE("rsi", "rdi", "rbp", "rsp"), r.rsi, r.rdi, r.rbp, r.rsp);
	g_string_append_printf(out, LINE(" r8", " r9", "r10", "r11"), r.r8, r.r9, r.r10, r.r11);
	g_string_append_printf(out, LINE("r12", "r13", "r14", "r15"), r.r12, r.r13, r.r14, r.r15);
	g_string_append_printf(out, LINE("rip", "flg", "cr2", "cr3"), r.rip, r.rflags, s.cr2, s.cr3);
	g_string_append_printf(out, LINE("cr0", "cr4", "efe", "apb"), s.cr0, s.cr4, s.efer,
		s.apic_base);
	g_string_append_printf(out, "cs %04x base %llx  ss %04x  tr %04x  gdt %llx+%x  idt %llx+%x\n",
		s.cs.selector, s.cs.base, s.ss.selector, s.tr.selector, s.gdt.base, s.gdt.limit,
		s.idt.base, s.idt.limit);
	describe_code(vcpu, s.cs.base + r.rip, out);
	return g_string_free(out, FALSE);
}

/*
 * Why a processor left the guest, and what is done about it: one table.
 */
#define G_LOG_DOMAIN "irori-vcpu"

#include <string.h>

#include "vmm/bus.h"
#include "vmm/machine.h"
#include "vmm/vcpu.h"

/* INS and OUTS bring up to a page of repetitions at once. */
static bool exit_io(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool in = run->io.direction == KVM_EXIT_IO_IN;

	vcpu->count[in ? VCPU_COUNT_IN : VCPU_COUNT_OUT]++;
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		uint64_t value = 0;

		if (in) {
			bus_read(vcpu->machine->pio, run->io.port, run->io.size, &value);
			memcpy(data, &value, run->io.size);
		} else {
			memcpy(&value, data, run->io.size);
			bus_write(vcpu->machine->pio, run->io.port, run->io.size, value);
		}
	}
	return true;
}

static void mmio_access(struct vcpu *vcpu, uint64_t addr, uint8_t *data, unsigned size, bool write)
{
	uint64_t value = 0;

	if (write) {
		memcpy(&value, data, size);
		bus_write(vcpu->machine->mmio, addr, size, value);
	} else {
		bus_read(vcpu->machine->mmio, addr, size, &value);
		memcpy(data, &value, size);
	}
}

/* Accesses that straddle something arrive in pieces of 3, 5, 6 or 7 bytes: the bus gets bytes. */
static bool exit_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint32_t len = MIN(run->mmio.len, sizeof(run->mmio.data));
	unsigned size = len && !(len & (len - 1)) ? len : 1;

	vcpu->count[run->mmio.is_write ? VCPU_COUNT_MMIO_WRITE : VCPU_COUNT_MMIO_READ]++;
	for (uint32_t i = 0; i < len; i += size)
		mmio_access(vcpu, run->mmio.phys_addr + i, run->mmio.data + i, size,
			run->mmio.is_write);
	return true;
}

static bool exit_nothing(struct vcpu *vcpu)
{
	return true;
}

static bool exit_shutdown(struct vcpu *vcpu)
{
	return vcpu_crash(vcpu, "triple fault");
}

static bool exit_fail_entry(struct vcpu *vcpu)
{
	g_autofree char *why = g_strdup_printf("the processor refused to enter the guest (%#llx)",
		(unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);

	return vcpu_crash(vcpu, why);
}

static bool exit_internal(struct vcpu *vcpu)
{
	g_autofree char *why = g_strdup_printf("KVM internal error, suberror %u%s",
		vcpu->run->internal.suberror,
		vcpu->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION ?
		" (an instruction that it cannot emulate)" : "");

	return vcpu_crash(vcpu, why);
}

static bool exit_system(struct vcpu *vcpu)
{
	uint32_t type = vcpu->run->system_event.type;

	if (type == KVM_SYSTEM_EVENT_CRASH)
		return vcpu_crash(vcpu, "the guest says that it crashed");
	machine_request(vcpu->machine,
		type == KVM_SYSTEM_EVENT_RESET ? MACHINE_RESET : MACHINE_POWEROFF, "system event");
	return true;
}

/* Registers of the SynIC are the kernel's; a hypercall that it leaves to us is none that we offered. */
static bool exit_hyperv(struct vcpu *vcpu)
{
	enum { HV_STATUS_INVALID_HYPERCALL_CODE = 2 };

	if (vcpu->run->hyperv.type == KVM_EXIT_HYPERV_HCALL)
		vcpu->run->hyperv.u.hcall.result = HV_STATUS_INVALID_HYPERCALL_CODE;
	return true;
}

/* `name` is what people read in `irori stat`; a reason without handler is a crash. */
static const struct {
	const char *name;
	bool (*handle)(struct vcpu *vcpu);
} exits[VCPU_COUNTERS] = {
	[KVM_EXIT_UNKNOWN] = { "unknown", NULL },
	[KVM_EXIT_EXCEPTION] = { "exception", NULL },
	[KVM_EXIT_IO] = { "io", exit_io },
	[KVM_EXIT_HYPERCALL] = { "hypercall", NULL },
	[KVM_EXIT_DEBUG] = { "debug", NULL },
	[KVM_EXIT_HLT] = { "hlt", exit_nothing },
	[KVM_EXIT_MMIO] = { "mmio", exit_mmio },
	[KVM_EXIT_IRQ_WINDOW_OPEN] = { "irq-window", exit_nothing },
	[KVM_EXIT_SHUTDOWN] = { "shutdown", exit_shutdown },
	[KVM_EXIT_FAIL_ENTRY] = { "fail-entry", exit_fail_entry },
	[KVM_EXIT_INTR] = { "signal", exit_nothing },
	[KVM_EXIT_SET_TPR] = { "set-tpr", exit_nothing },
	[KVM_EXIT_TPR_ACCESS] = { "tpr-access", exit_nothing },
	[KVM_EXIT_NMI] = { "nmi", exit_nothing },
	[KVM_EXIT_INTERNAL_ERROR] = { "internal-error", exit_internal },
	[KVM_EXIT_SYSTEM_EVENT] = { "system-event", exit_system },
	[KVM_EXIT_HYPERV] = { "hyperv", exit_hyperv },
	[KVM_EXIT_IOAPIC_EOI] = { "ioapic-eoi", exit_nothing },
	[KVM_EXIT_X86_RDMSR] = { "rdmsr", NULL },
	[KVM_EXIT_X86_WRMSR] = { "wrmsr", NULL },
	/* counters only */
	[VCPU_COUNT_IN] = { "io-in", NULL },
	[VCPU_COUNT_OUT] = { "io-out", NULL },
	[VCPU_COUNT_MMIO_READ] = { "mmio-read", NULL },
	[VCPU_COUNT_MMIO_WRITE] = { "mmio-write", NULL },
	[VCPU_COUNT_KICK] = { "kick", NULL },
	[VCPU_COUNT_UNKNOWN] = { "unlisted", NULL },
};

/* in and out, and read and write, add up to io and mmio; those are not reported as well. */
const char *vcpu_counter_name(unsigned counter)
{
	if (counter >= VCPU_COUNTERS || counter == KVM_EXIT_IO || counter == KVM_EXIT_MMIO)
		return NULL;
	return exits[counter].name;
}

bool vcpu_exit(struct vcpu *vcpu)
{
	uint32_t reason = vcpu->run->exit_reason;
	g_autofree char *why = NULL;

	vcpu->count[reason < VCPU_KVM_EXITS ? reason : VCPU_COUNT_UNKNOWN]++;
	if (reason < VCPU_KVM_EXITS && exits[reason].handle)
		return exits[reason].handle(vcpu);
	why = g_strdup_printf("exit reason %u (%s), which we do not know how to handle", reason,
		reason < VCPU_KVM_EXITS && exits[reason].name ? exits[reason].name : "unlisted");
	return vcpu_crash(vcpu, why);
}

bool vcpu_crash(struct vcpu *vcpu, const char *why)
{
	g_autofree char *state = vcpu_state_describe(vcpu);

	g_warning("vcpu%u: %s\n%s", vcpu->index, why, state);
	machine_request(vcpu->machine, MACHINE_CRASHED, "a processor gave up");
	return false;
}

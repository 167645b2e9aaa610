/*
 * CPUID of the processors, asked of the kernel and given back to it; what is in it is cpuid.c's.
 */
#define G_LOG_DOMAIN "irori-kvm"

#include "vmm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/cpuid.h"
#include "vmm/error.h"

static size_t table_len(void)
{
	return sizeof(struct kvm_cpuid2) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2);
}

static struct kvm_cpuid2 *table_ask(const struct kvm *kvm, unsigned long request)
{
	struct kvm_cpuid2 *cpuid = g_malloc0(table_len());

	cpuid->nent = CPUID_SUPPORTED_MAX;
	if (!ioctl(kvm->fd, request, cpuid))
		return cpuid;
	g_free(cpuid);
	return NULL;
}

bool kvm_cpuid_init(struct kvm *kvm, GError **error)
{
	kvm->cpuid = table_ask(kvm, KVM_GET_SUPPORTED_CPUID);
	if (kvm->cpuid)
		return true;
	return fail_as(error, EX_UNAVAILABLE, "/dev/kvm: supported CPUID: %s", g_strerror(errno));
}

int kvm_use_hyperv(struct kvm *kvm)
{
	if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SYS_HYPERV_CPUID) <= 0)
		return -EOPNOTSUPP;
	kvm->hyperv = table_ask(kvm, KVM_GET_SUPPORTED_HV_CPUID);
	return kvm->hyperv ? 0 : -errno;
}

/* The interrupt controller that Hyper-V's timers need. Before the processor has its CPUID. */
static void synic_enable(const struct kvm *kvm, int vcpu_fd)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_SYNIC2 };

	if (ioctl(kvm->vm, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV_SYNIC2) <= 0 ||
		ioctl(vcpu_fd, KVM_ENABLE_CAP, &cap) < 0)
		g_message("no Hyper-V interrupt controller: %s", g_strerror(errno));
}

int kvm_set_cpuid(struct kvm *kvm, int vcpu_fd, unsigned index, unsigned n)
{
	g_autofree struct kvm_cpuid2 *cpuid = g_memdup2(kvm->cpuid, table_len());
	int khz = ioctl(vcpu_fd, KVM_GET_TSC_KHZ, 0);
	const struct cpuid_options options = {
		.index = index,
		.n = n,
		.tsc_deadline = ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0,
		.tsc_khz = (uint32_t)MAX(khz, 0),
		.lapic_khz = KVM_LAPIC_KHZ,
		.hyperv = kvm->hyperv,
	};

	if (kvm->hyperv)
		synic_enable(kvm, vcpu_fd);
	cpuid_make(cpuid, &options);
	return ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0 ? -errno : 0;
}

/*
 * /dev/cpu: the other processors. They run the program's code in ring 3 with interrupts off, and
 * know the kernel only for starting and for stopping. Their APIC ids are 1, 2, 3...; how many there
 * are, ACPI says, or cpus= on the command line.
 * Source: Intel SDM volume 3, 9.4.4 (INIT, start-up interrupt) and 11.6.1 (ICR).
 */
#include "demo/abi.h"
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"

enum { LAPIC_ICR = 0x300, LAPIC_ICR_TO = 0x310, ICR_INIT = 0x4500, ICR_START = 0x4600 };

extern const char ap_trampoline[], ap_trampoline_end[], ap_syscall_entry[];

/* For the one that is starting; read by boot.S. */
volatile uint32_t ap_boot_cpu;
void *volatile ap_boot_stack;
static volatile bool ap_taken;
static struct cpu_start starting;
static unsigned n_cpus;

void ap_main(uint32_t cpu);

unsigned cpu_count(void)
{
	return n_cpus;
}

void smp_init(uint64_t rsdp)
{
	uint64_t n = option_number("cpus", acpi_processors(rsdp));

	n_cpus = n < 1 ? 1 : n > MAX_CPUS ? MAX_CPUS : (unsigned)n;
}

void ap_main(uint32_t cpu)
{
	struct cpu_start start = starting;

	trap_init_processor(cpu, (void (*)(void))ap_syscall_entry, (uint64_t)ap_boot_stack);
	ap_taken = true;
	/* The stack as after a call, as the ABI has it at a function's beginning. */
	ring3_enter(start.entry, (start.stack_top & -16ul) - 8, start.arg);
}

static void send(uint32_t cpu, uint32_t what)
{
	mmio_write32(direct(0xfee00000 + LAPIC_ICR_TO), cpu << 24);
	mmio_write32(direct(0xfee00000 + LAPIC_ICR), what);
}

static int64_t cpu_start(uint64_t at)
{
	static void *stacks[MAX_CPUS];
	int64_t until;

	if (!user_range(at, sizeof(starting)))
		return -EFAULT;
	starting = *(const struct cpu_start *)at;
	if (!starting.cpu || starting.cpu >= cpu_count() || starting.entry >= USER_END ||
		!user_range(starting.stack_top - 16, 16))
		return -EINVAL;
	if (!stacks[starting.cpu])
		stacks[starting.cpu] = page_alloc();
	if (!stacks[starting.cpu])
		return -ENOMEM;
	memcpy(direct(AP_TRAMPOLINE), ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	ap_boot_cpu = starting.cpu;
	ap_boot_stack = stacks[starting.cpu] + PAGE;
	ap_taken = false;
	send(starting.cpu, ICR_INIT);
	send(starting.cpu, ICR_START | AP_TRAMPOLINE / PAGE);
	until = clock_now() + SECOND;
	while (!ap_taken) {
		if (clock_now() > until)
			return -ENODEV;
	}
	return 0;
}

static int64_t cpu_ioctl(struct file *file, uint32_t request, uint64_t argument)
{
	if (request == CPU_TOTAL)
		return cpu_count();
	return request == CPU_START ? cpu_start(argument) : -ENOTTY;
}

const struct file_ops cpu_file = { .path = "/dev/cpu", .ioctl = cpu_ioctl };

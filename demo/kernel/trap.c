/*
 * Descriptor tables, faults, and the ways to end: restart, power off.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"


struct fault { /* as trap.S leaves it */
	uint64_t rax, rbx, rcx, rdx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct tss {
	uint32_t reserved;
	uint64_t rsp[3], zero, ist[7];
	uint32_t zero2[2];
	uint16_t zero3, io_map;
} __attribute__((packed));

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

struct pointer {
	uint16_t limit;
	void *base;
} __attribute__((packed));

static uint64_t gdt[5 + 2 * MAX_CPUS] = {
	[KERNEL_CS / 8] = 0x00af9b000000ffff,
	[KERNEL_DS / 8] = 0x00cf93000000ffff,
	[USER_DS / 8] = 0x00cff3000000ffff,
	[USER_CS / 8] = 0x00affb000000ffff,
};
static struct tss tss[MAX_CPUS];
static struct gate idt[VECTOR_SPURIOUS + 1];

extern const char fault_entries[], wake_entry[], spurious_entry[], syscall_entry[],
	protection_entry[];
void fault_handle(struct fault *fault);

static void idt_set(unsigned vector, const void *handler)
{
	uint64_t offset = (uint64_t)handler;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = KERNEL_CS,
		.type = 0x8e, /* interrupt gate: interrupts off inside */
		.offset_middle = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

void trap_init_processor(unsigned cpu, void (*syscall)(void), uint64_t stack)
{
	struct pointer gdtr = { sizeof(gdt) - 1, gdt }, idtr = { sizeof(idt) - 1, idt };
	uint64_t base = (uint64_t)&tss[cpu];

	tss[cpu].rsp[0] = stack;
	tss[cpu].io_map = sizeof(struct tss);
	gdt[5 + 2 * cpu] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 |
		0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[6 + 2 * cpu] = base >> 32;
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2"
		:: "m"(gdtr), "m"(idtr), "r"(TSS_SELECTOR + 16 * cpu));
	wrmsr(MSR_STAR, (uint64_t)(USER_CS - 16) << 48 | (uint64_t)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall);
	wrmsr(MSR_FMASK, 0x47700); /* AC NT DF IF TF: off */
}

void trap_init(void)
{
	extern char fault_stack_top[];

	for (unsigned i = 0; i < 32; i++)
		idt_set(i, fault_entries + 16 * i);
	idt_set(13, protection_entry);
	idt_set(VECTOR_WAKE, wake_entry);
	idt_set(VECTOR_SPURIOUS, spurious_entry);
	outb(0x21, 0xff); /* nothing from the old interrupt controllers, */
	outb(0xa1, 0xff); /* which firmware may have left on */
	trap_init_processor(0, (void (*)(void))syscall_entry, (uint64_t)fault_stack_top);
}

/* What the kernel does in ring 3 that ring 3 must not; false if it is something else. */
static bool fault_privileged(struct fault *fault)
{
	const uint8_t *code = (const uint8_t *)fault->rip;
	bool word = *code == 0x66;
	uint16_t port = (uint16_t)fault->rdx;

	code += word;
	switch (*code) {
	case 0xec: /* in al, dx */
		fault->rax = (fault->rax & ~0xfful) | inb(port);
		break;
	case 0xed:
		fault->rax = word ? (fault->rax & ~0xfffful) | inw(port) : inl(port);
		break;
	case 0xee: /* out dx, al */
		outb(port, (uint8_t)fault->rax);
		break;
	case 0xef:
		word ? outw(port, (uint16_t)fault->rax) : outl(port, (uint32_t)fault->rax);
		break;
	case 0x0f: /* wrmsr */
		if (*++code != 0x30)
			return false;
		wrmsr((uint32_t)fault->rcx, fault->rdx << 32 | (uint32_t)fault->rax);
		break;
	default:
		return false;
	}
	fault->rip = (uint64_t)code + 1;
	return true;
}

static bool in_kernel(uint64_t address)
{
	return address - KERNEL_BASE < KERNEL_SIZE;
}

void fault_handle(struct fault *fault)
{
	uint64_t cr2;

	if (fault->vector == 13 && fault->cs & 3 && in_kernel(fault->rip) && fault_privileged(fault))
		return;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	log_quiet = false;
	log_line("hearth: fault %lu error %lx at %lx:%lx", fault->vector, fault->error, fault->cs,
		fault->rip);
	log_line("  cr2 %lx rflags %lx rsp %lx rbp %lx", cr2, fault->rflags, fault->rsp, fault->rbp);
	log_line("  rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx", fault->rax, fault->rbx,
		fault->rcx, fault->rdx, fault->rsi, fault->rdi);
	log_line("  r8 %lx r9 %lx r10 %lx r11 %lx", fault->r8, fault->r9, fault->r10, fault->r11);
	log_line("  r12 %lx r13 %lx r14 %lx r15 %lx", fault->r12, fault->r13, fault->r14, fault->r15);
	machine_panic();
}

void machine_restart(void)
{
	console_flush();
	outb(0xcf9, 2);
	outb(0xcf9, 6); /* ICH9: hard reset of the processors */
	cpu_stop();
}

void machine_power_off(void)
{
	console_flush();
	outw(0x604, 0x2000); /* ICH9 PM1a control where SeaBIOS and Irori put it: S5 */
	cpu_stop();
}

void machine_panic(void)
{
	if (option_is("panic", "reboot"))
		machine_restart();
	if (option_is("panic", "halt"))
		cpu_stop();
	machine_power_off();
}

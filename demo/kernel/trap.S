/*
 * The ways into the kernel: system calls, faults, and the one interrupt.
 *
 * The kernel does not mind in which ring it runs: where `syscall` leads to ring 0 (as the manual
 * says), it runs there; where `syscall` stays in ring 3 (KVM's pvm back end), it runs there. The
 * few instructions that ring 3 must not use fault, and fault_privileged does them in its place.
 */
#include "demo/kernel/layout.h"

	.text
	.code64
/* struct syscall on the kernel's stack. Only processor 0 gets here, interrupts off. */
	.globl syscall_entry
syscall_entry:
	movq	%rsp, user_rsp(%rip)
	movq	$boot_stack_top, %rsp
	pushq	$USER_DS
	pushq	user_rsp(%rip)
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	%rsp, %rdi
	call	syscall_dispatch
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rax
	movl	%cs, %ecx
	testb	$3, %cl
	jnz	1f
	iretq
1:	popq	%rcx			/* rip; cs and flags are what they were */
	movq	16(%rsp), %rsp
	jmp	*%rcx

/* Any system call of another processor ends its work. */
	.globl ap_syscall_entry
ap_syscall_entry:
	hlt
	jmp	ap_syscall_entry

/* void ring3_enter(rip, rsp, argument): from ring 0 to ring 3 with all else zero. */
	.globl ring3_enter
ring3_enter:
	pushq	$USER_DS
	pushq	%rsi
	pushq	$2
	pushq	$USER_CS
	pushq	%rdi
	movq	%rdx, %rdi
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%ebp, %ebp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	iretq

/*
 * The interrupt only says that it has been: the kernel looks at the devices' rings when it wakes. One that
 * comes between sti and hlt would be slept over. The processor keeps it back until hlt, QEMU's TCG as a
 * host of KVM sometimes does not (the shadow of sti is lost when the guest is left just there): so who is
 * interrupted at a hlt goes on behind it.
 */
	.globl wake_entry
wake_entry:
	pushq	%rax
	movq	8(%rsp), %rax		/* rip */
	cmpb	$0xf4, (%rax)
	jne	1f
	incq	8(%rsp)
1:
	movabsq	$DIRECT_BASE + 0xfee000b0, %rax	/* end of interrupt */
	movl	$0, (%rax)
	popq	%rax
	.globl spurious_entry
spurious_entry:
	iretq

/* General protection: most often it is the kernel in ring 3 that wants to sleep. */
	.globl protection_entry
protection_entry:
	testb	$3, 16(%rsp)		/* cs */
	jz	1f
	pushq	%rax
	movq	16(%rsp), %rax		/* rip */
	cmpb	$0xf4, (%rax)
	popq	%rax
	jne	1f
	incq	8(%rsp)
	addq	$8, %rsp		/* the error code */
	sti
	hlt
	cli
	iretq
1:	pushq	$13
	jmp	fault_common

/* Faults 0 to 31, each 16 bytes long: struct fault on the stack. */
	.globl fault_entries
	.align 16
fault_entries:
	.set	vector, 0
	.rept	32
	.align	16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	pushq	$0
	.endif
	pushq	$vector
	jmp	fault_common
	.set	vector, vector + 1
	.endr

fault_common:
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rdi
	pushq	%rsi
	pushq	%rbp
	pushq	%rdx
	pushq	%rcx
	pushq	%rbx
	pushq	%rax
	movq	%rsp, %rdi
	call	fault_handle		/* returns if the instruction has been carried out */
	popq	%rax
	popq	%rbx
	popq	%rcx
	popq	%rdx
	popq	%rbp
	popq	%rsi
	popq	%rdi
	popq	%r8
	popq	%r9
	popq	%r10
	popq	%r11
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	addq	$16, %rsp
	iretq

	.bss
	.align 16
user_rsp:
	.quad	0
	.fill	4096, 1, 0
	.globl fault_stack_top
	.align 16
fault_stack_top:

	.section .note.GNU-stack, "", @progbits

/*
 * The ways into ring 0: system calls, faults, and the one interrupt, whose handler only says that it
 * has been: ring 3 runs with interrupts off, and the kernel looks at the devices' rings itself when
 * it is asked something. The way back is iretq: sysretq is not to be had everywhere.
 */
#include "demo/kernel/layout.h"

	.text
	.code64
	.globl syscall_entry
syscall_entry:
	movq	%rsp, user_rsp(%rip)	/* only processor 0 gets here, interrupts off */
	movq	$boot_stack_top, %rsp
	pushq	$USER_DS
	pushq	user_rsp(%rip)
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax			/* struct syscall begins (at its end) */
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
	iretq

/* Any system call of another processor ends its work. r15 is not kept: nobody comes back. */
	.globl ap_syscall_entry
ap_syscall_entry:
	hlt
	jmp	ap_syscall_entry

/* void user_enter(rip, rsp, argument): to ring 3 with all else zero. */
	.globl user_enter
user_enter:
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

	.globl wake_entry
wake_entry:
	pushq	%rax
	movabsq	$DIRECT_BASE + 0xfee000b0, %rax	/* end of interrupt */
	movl	$0, (%rax)
	popq	%rax
	.globl spurious_entry
spurious_entry:
	iretq

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
	call	fault_handle		/* does not return */

	.bss
	.align 8
user_rsp:
	.quad	0

	.section .note.GNU-stack, "", @progbits

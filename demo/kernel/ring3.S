/*
 * What the kernel lets ring 3 do in its place: moving and clearing memory. Where ring 0 is
 * interpreted this is a thousand times faster; on any other machine it is no slower.
 *
 * A system call that has something to copy or to clear returns here instead of to its caller (see
 * memory.c), leaves a job { to, from, length, caller } below the caller's red zone, and this code
 * goes on to the caller. It may use only what a system call destroys: rcx and r11.
 */
#include "demo/kernel/layout.h"

	.section .ring3, "ax"
	.code64
	.globl ring3_page, ring3_copy, ring3_clear, ring3_load
ring3_page:
ring3_copy:
	leaq	-RING3_JOB(%rsp), %r11
	movq	%rdi, 32(%r11)
	movq	%rsi, 40(%r11)
	movq	0(%r11), %rdi
	movq	8(%r11), %rsi
	movq	16(%r11), %rcx
	rep movsb
	movq	32(%r11), %rdi
	movq	40(%r11), %rsi
	jmp	*24(%r11)

ring3_clear:
	leaq	-RING3_JOB(%rsp), %r11
	movq	%rdi, 32(%r11)
	movq	%rax, 40(%r11)
	movq	0(%r11), %rdi
	movq	16(%r11), %rcx
	xorl	%eax, %eax
	rep stosb
	movq	32(%r11), %rdi
	movq	40(%r11), %rax
	jmp	*24(%r11)

/*
 * void ring3_load(copies, stack): the first code of a program, still the kernel's; copies are its
 * segments { to, from, length }, the last { entry, 0, 0 }.
 */
ring3_load:
	movq	%rdi, %rbx
	movq	%rsi, %rsp
1:	movq	0(%rbx), %rdi
	movq	8(%rbx), %rsi
	movq	16(%rbx), %rcx
	jrcxz	2f
	rep movsb
	addq	$24, %rbx
	jmp	1b
2:	xorl	%ebx, %ebx
	xorl	%edx, %edx
	xorl	%ebp, %ebp
	jmp	*%rdi

	.section .note.GNU-stack, "", @progbits

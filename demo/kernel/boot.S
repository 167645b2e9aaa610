/*
 * From the PVH entry (32-bit protected mode, paging off, ebx = hvm_start_info) or from a start-up
 * interrupt (16-bit real mode) to C in long mode. The page tables that every mapping of the kernel
 * needs are constants of the image: ring 0 is precious, see demo/README.md.
 *
 * Source: Xen's docs/misc/pvh.pandoc; AMD APM volume 2, chapter 14.
 */
#include "demo/kernel/layout.h"

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)
#define CR0_START 0x80010033 /* PG WP NE ET MP PE */
#define CR4_START 0x620      /* OSXMMEXCPT OSFXSR PAE: SSE for ring 3 */
#define EFER 0xc0000080
#define EFER_START 0x101     /* LME, SCE */

	.section .note.pvh, "a", @note
	.align 4
	.long 4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long PHYSICAL(pvh_entry)

	.section .text.boot, "ax"
	.code32
	.globl pvh_entry
pvh_entry:
	cld
	movl	%ebx, %edi
	movl	$PHYSICAL(long_mode_start), %esi
	/* esi: where to go on in long mode; edi stays. */
to_long_mode:
	movl	$CR4_START, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	movl	$EFER_START, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_START, %eax
	movl	%eax, %cr0
	lgdt	PHYSICAL(boot_gdt_pointer)
	ljmp	$KERNEL_CS, $PHYSICAL(1f)
	.code64
1:	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	jmp	*%rsi

long_mode_start:
	movq	$2f, %rax
	jmp	*%rax
2:	movq	$boot_stack_top, %rsp
	movq	$PHYSICAL(kernel_pml4), %rax
	movq	%rax, %cr3
	call	kernel_main

/* Another processor, from the trampoline below. */
ap_long_mode_start:
	movq	$3f, %rax
	jmp	*%rax
3:	movl	ap_boot_cpu(%rip), %edi
	movq	ap_boot_stack(%rip), %rsp
	movq	$PHYSICAL(kernel_pml4), %rax
	movq	%rax, %cr3
	call	ap_main

/* Copied to AP_TRAMPOLINE; cs = AP_TRAMPOLINE / 16, ip = 0. */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	ap_gdt_pointer - ap_trampoline
	movl	$0x11, %eax	/* PE */
	movl	%eax, %cr0
	ljmpl	$KERNEL_CS32, $AP_TRAMPOLINE + 4f - ap_trampoline
	.code32
4:	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$PHYSICAL(ap_long_mode_start), %esi
	movl	$PHYSICAL(to_long_mode), %eax
	jmp	*%eax
	.align 4
ap_gdt_pointer:
	.word	boot_gdt_end - boot_gdt - 1
	.long	PHYSICAL(boot_gdt)
ap_trampoline_end:

	.section .tables, "aw"
	.align 4096
/* While switching: the low 1 GiB where it is, besides the kernel's own place. */
boot_pml4:
	.quad	PHYSICAL(boot_pdpt) + 7
	.fill	511, 8, 0
boot_pdpt:
	.quad	PHYSICAL(direct_pd) + 7
	.quad	PHYSICAL(kernel_pd) + 7
	.fill	510, 8, 0
/* From then on; what is 0 here is filled for the program. */
	.globl kernel_pml4
kernel_pml4:
	.quad	PHYSICAL(low_pdpt) + 7
	.fill	(DIRECT_BASE >> 39) - 1, 8, 0
	.quad	PHYSICAL(direct_pdpt) + 7
	.fill	511 - (DIRECT_BASE >> 39), 8, 0
low_pdpt:
	.quad	0
	.quad	PHYSICAL(kernel_pd) + 7
	.fill	510, 8, 0
kernel_pd:
	.fill	(KERNEL_BASE >> 21) & 511, 8, 0
	.quad	0x000087
	.quad	0x200087
	.fill	510 - ((KERNEL_BASE >> 21) & 511), 8, 0
direct_pdpt:
	.quad	PHYSICAL(direct_pd) + 0x0007
	.quad	PHYSICAL(direct_pd) + 0x1007
	.quad	PHYSICAL(direct_pd) + 0x2007
	.quad	PHYSICAL(direct_pd) + 0x3007
	.fill	508, 8, 0
direct_pd:
	.set	page, 0
	.rept	2048
	.quad	page + 0x87	/* 2 MiB, ring 3, writable, present */
	.set	page, page + 0x200000
	.endr

	.align 16
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* KERNEL_CS */
	.quad	0x00cf93000000ffff	/* KERNEL_DS */
	.quad	0
	.quad	0
	.quad	0x00cf9b000000ffff	/* KERNEL_CS32 */
boot_gdt_end:
	.align 4
boot_gdt_pointer:
	.word	boot_gdt_end - boot_gdt - 1
	.long	PHYSICAL(boot_gdt)
	.long	0

	.bss
	.align 16
	.fill	BOOT_STACK_SIZE, 1, 0
	.globl boot_stack_top
boot_stack_top:

	.section .note.GNU-stack, "", @progbits

/*
 * The start of every one-purpose guest: the PVH note, a stack, and the 16-bit code with which a
 * second processor comes up (copied to page 0x10 by guest_smp_start).
 */
	.section .note.Xen, "a"
	.align 4
	.long 4
	.long 4
	.long 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long guest_entry

	.text
	.code32
	.globl guest_entry
guest_entry:
	cli
	movl $stack_top, %esp
	pushl %ebx			/* hvm_start_info */
	call guest_main
	pushl %eax
	call guest_exit
1:	hlt
	jmp 1b

	.globl guest_ap_code, guest_ap_code_end
	.code16
guest_ap_code:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdtr - guest_ap_code
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $0x08, $ap_protected
	.align 8
ap_gdtr:
	.word 23
	.long ap_gdt
guest_ap_code_end:

	.code32
ap_protected:
	movw $0x10, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $ap_stack_top, %esp
	call guest_ap_main
1:	hlt
	jmp 1b

	.data
	.align 8
ap_gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff

	.bss
	.align 16
	.skip 4096
stack_top:
	.skip 4096
ap_stack_top:
	.section .note.GNU-stack, "", @progbits

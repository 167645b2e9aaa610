/*
 * The address space, for C and assembler. Everything is mapped in pages of 2 MiB, and all of it for
 * ring 3 (README.md says why).
 *
 *	0x0000'0000'0040'0000	the program, then its heap (brk)
 *	0x0000'0000'7000'0000	the kernel's image: physical memory from 0 on
 *	0x0000'0001'0000'0000	mmap
 *	0x0000'6000'0000'0000	physical memory, the low 4 GiB
 *	0x0000'7fff'4000'0000	the initial ramdisk, read only
 *	0x0000'7fff'7800'0000	end of the program's stack
 *	0x0000'7fff'7fe0'0000	ring3.S, one page
 */
#ifndef DEMO_KERNEL_LAYOUT_H
#define DEMO_KERNEL_LAYOUT_H

#define KERNEL_BASE 0x70000000
#define KERNEL_SIZE 0x400000
#define DIRECT_BASE 0x600000000000
#define DIRECT_SIZE 0x100000000

#define USER_HEAP_END KERNEL_BASE
#define USER_MMAP 0x100000000
#define USER_INITRD 0x7fff40000000
#define USER_STACK_TOP 0x7fff78000000
#define USER_STACK_SIZE 0x400000
#define USER_RING3 0x7fff7fe00000
#define USER_END 0x7fff80000000

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS 0x1b
#define USER_CS 0x23
#define KERNEL_CS32 0x28 /* only while starting; afterwards the first TSS is there */
#define TSS_SELECTOR 0x28

#define AP_TRAMPOLINE 0x8000
#define BOOT_STACK_SIZE 16384

/* The only interrupt: something happened, look. */
#define VECTOR_WAKE 0x20
#define VECTOR_SPURIOUS 0x2f

/* What ring3.S finds below the program's stack: past its red zone. */
#define RING3_JOB 192

#endif

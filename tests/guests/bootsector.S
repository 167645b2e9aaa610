/*
 * A boot sector and the sector behind it, as an installer would put them on a disk: the first one
 * says hello by the BIOS, reads the second one by int 13h, and that ends the machine.
 */
	.code16
	.globl _start
_start:
	ljmp $0, $begin
begin:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $0x7c00, %sp
	sti
	movb %dl, drive
	movw $hello, %si
	call print
	movw $packet, %si
	movb $0x42, %ah		/* extended read */
	movb drive, %dl
	int $0x13
	jc failed
	movw $second, %si
	call print
	movb $1, %al		/* exit status 3 */
	outb %al, $0xf4
halt:
	hlt
	jmp halt
failed:
	movw $bad, %si
	call print
	movb $2, %al
	outb %al, $0xf4
	jmp halt

print:
	lodsb
	testb %al, %al
	jz done
	movb $0x0e, %ah		/* teletype */
	movw $7, %bx
	int $0x10
	jmp print
done:
	ret

drive:	.byte 0
hello:	.asciz "first sector here\r\n"
bad:	.asciz "the disk cannot be read\r\n"
	.balign 4
packet:	.byte 16, 0
	.word 1			/* sectors */
	.word second, 0		/* to */
	.long 1, 0		/* from */

	.org 510
	.word 0xaa55
second:
	.asciz "second sector here\r\n"
	.org 1024

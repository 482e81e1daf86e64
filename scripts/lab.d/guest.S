# A guest of one boot sector, which writes without end to the disk it was booted from, through the BIOS.
# Block N is its N-th write: 128 times N. When the disk has taken it, N goes out at port 0xe9, 4 bytes, little-endian.
# A write that fails is the number 0xffffffff, and the end. 8 writes a tick of 55 ms at most, so the disk does not fill.
  .code16
  .globl start
start:
  ljmp $0, $1f
1:xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movw $0x7c00, %sp
  movb %dl, drive
  sti
  cld
next:
  incl block
  movl block, %eax
  movw $0x8000, %di
  movw $128, %cx
  rep stosl
  movw $packet, %si
  movb drive, %dl
  movw $0x4300, %ax                # extended write
  int $0x13
  jc failed
  movl block, %eax
  call say
  testb $7, block
  jnz next
  hlt
  jmp next
failed:
  movl $-1, %eax
  call say
stop:
  hlt
  jmp stop
say:
  movw $4, %cx
2:outb %al, $0xe9
  shrl $8, %eax
  loop 2b
  ret
drive: .byte 0
  .balign 4
packet:                            # 16 bytes, 1 block, from 0:8000
  .byte 16, 0
  .word 1, 0x8000, 0
block: .long 0, 0
  .org 510
  .word 0xaa55

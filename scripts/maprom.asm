; maprom.asm: an option ROM that answers INT 15h AX=E820h from a table of its own.
;
; Real mode, called by the BIOS during POST at ROM_SEG:0003. Hooks INT 15h; everything but E820h
; goes on to the BIOS, whose vector is kept in the unused slot of INT 66h. The table is included
; from entries.inc: 24 bytes an entry, entry_count of them, and their length as answered in a table
; of bytes. scripts/maprom makes it, and the checksum.

bits 16
org 0

SMAP     equ 0x534d4150
OLD_SLOT equ 0x66 * 4
HOOKED   equ 0x15 * 4
CARRY    equ 1

	db 0x55, 0xaa
	db ROM_BLOCKS           ; of 512 bytes
	jmp init

; IN - OUT - CLOBBERS -
init:
	push ds
	push ax
	xor ax, ax
	mov ds, ax
	mov ax, [HOOKED]
	mov [OLD_SLOT], ax
	mov ax, [HOOKED + 2]
	mov [OLD_SLOT + 2], ax
	cli
	mov word [HOOKED], handler
	mov [HOOKED + 2], cs
	pop ax
	pop ds
	retf

; INT 15h. AX=E820h: IN EBX entry number, EDX "SMAP", ES:DI buffer, ECX its size.
; OUT EAX "SMAP", EBX next number or 0, ECX bytes stored; carry clear. Past the end: carry set.
handler:
	cmp ax, 0xe820
	jne .pass_on
	cmp edx, SMAP
	jne .pass_on
	cmp ebx, entry_count
	jae .fail
	push si
	push di
	mov si, bx
	movzx ecx, byte [cs:lengths + si]
	imul si, bx, 24
	add si, entries
	push cx
.copy:
	mov al, [cs:si]
	mov [es:di], al
	inc si
	inc di
	loop .copy
	pop cx
	pop di
	pop si
	inc ebx
	cmp ebx, entry_count
	jb .more
	xor ebx, ebx
.more:
	mov eax, SMAP
	push bp
	mov bp, sp
	and word [bp + 6], ~CARRY ; FLAGS that iret restores
	pop bp
	iret
.fail:
	push bp
	mov bp, sp
	or word [bp + 6], CARRY
	pop bp
	iret
.pass_on:
	; Room for the vector, then it is put there: retf goes to the BIOS with the caller's frame.
	sub sp, 4
	push bp
	push ds
	push ax
	mov bp, sp
	xor ax, ax
	mov ds, ax
	mov ax, [OLD_SLOT]
	mov [bp + 6], ax
	mov ax, [OLD_SLOT + 2]
	mov [bp + 8], ax
	pop ax
	pop ds
	pop bp
	retf

%include "entries.inc"

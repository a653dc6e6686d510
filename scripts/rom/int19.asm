; int19.asm: the handler of INT 19h. It boots the first hard disk, in real mode, and hooks the services
; once it has read the boot sector.

LOADED        equ 0x7c00        ; where a boot sector is loaded; the stack lies below
STACK_BYTES   equ 0x200
USABLE        equ 0x600         ; below are the vectors and the BIOS's data
MIB           equ 0x100000
RAM_GARBAGE_WORD equ 0xdeadbeef ; as an entry of a page table it is present
CR0_PE        equ 1
BPB           equ 3
BPB_END       equ 0x3e

%macro hook 1                   ; hook INTERRUPT: saves its vector and sets ours
	mov eax, [0x%1 * 4]
	mov [old_%1], eax
	mov word [0x%1 * 4], int%1
	mov [0x%1 * 4 + 2], cs
%endmacro

int19:
	cli
	cld
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, LOADED
	mov di, variables
	mov cx, variables_end - variables
	rep stosb
	sti
	mov ax, 0x0201          ; read one sector
	mov cx, 1               ; the first one
	mov dx, DISK
	mov bx, LOADED
	int 0x13
	cli
	jc .halt
%ifdef MADT
	call madt_patch
%endif
%ifdef RAM_GARBAGE
; ram-garbage: RAM is full of garbage at boot, as after power-on
	call fill_low
	call fill_high
%endif
%ifdef BPB_SCRIBBLED
; bpb-scribbled: bytes 03h to 3Dh of the boot sector are overwritten before it runs
	mov ax, GARBAGE
	mov di, LOADED + BPB
	mov cx, BPB_END - BPB
	rep stosb
%endif
%ifdef A20_OFF
; a20-off: A20 is closed at boot
	mov ax, 0x2400
	int 0x15
	cli
%endif
	hook 10
	hook 12
	hook 13
	hook 15
	hook 16
	mov edx, DISK
%ifdef BOOT_DRIVE
; dl=N: DL, the boot drive, is N at boot; N is 0 to 255
	mov edx, BOOT_DRIVE
%endif
%ifdef ENTRY_DIRTY
; entry-dirty: at boot, all registers but CS, SS, SP and DL hold garbage, so do the high halves of ESP
; and EDX; the direction flag is set
	mov eax, GARBAGE << 16 | GARBAGE
	mov ebx, eax
	mov ecx, eax
	mov esi, eax
	mov edi, eax
	mov ebp, eax
	mov esp, GARBAGE << 16 | LOADED
	or edx, GARBAGE << 16 | 0xad00
	mov ds, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	std
%endif
%ifdef ENTRY_CLI
; entry-cli: interrupts are off at boot
%else
	sti
%endif
%ifdef CS_07C0
; cs-07c0: the boot sector is entered at 07C0:0000
	jmp 0x07c0:0
%else
	jmp 0:LOADED
%endif
.halt:
	hlt
	jmp .halt

%ifdef RAM_GARBAGE
; fill_low: fills all memory but the boot sector and the stack below it, up to what INT 12h reports.
; IN ES = 0. CLOBBERS EAX, ECX, EDI
fill_low:
	int 0x12
	movzx ecx, ax
	shl ecx, 10             ; end of low memory
	mov edi, LOADED + 512
	sub ecx, edi
	call flat_fill
	mov edi, USABLE
	mov ecx, LOADED - STACK_BYTES - USABLE
	jmp flat_fill

; fill_high: fills memory from 1 MiB to 1 MiB before the end that E801h reports: some BIOSes count the
; tables that they keep there as RAM. CLOBBERS all
fill_high:
	mov ax, 0xe801
	int 0x15
	cli
	movzx edx, dx
	shl edx, 16             ; bytes from 16 MiB on
	movzx ecx, cx
	shl ecx, 10             ; bytes from 1 MiB to 16 MiB
	add ecx, edx
	sub ecx, MIB
	mov edi, MIB
; flat_fill: fills memory with garbage. IN EDI = address, ECX = bytes. CLOBBERS EAX, BX, ECX, EDI, ES
flat_fill:
	call flat_es
	shr ecx, 2
	mov eax, RAM_GARBAGE_WORD
	a32 rep stosd
	xor ax, ax
	mov es, ax
	ret
%endif

; flat_es: makes ES a segment of 4 GiB, from 0. This ends when ES is loaded, or the BIOS is called.
; IN interrupts off. CLOBBERS EAX, BX
flat_es:
	push bp
	mov bp, sp
	xor eax, eax
	mov ax, cs
	shl eax, 4
	add eax, gdt
	push eax                ; the operand of LGDT: base,
	push word gdt_end - gdt - 1 ; and limit
	o32 lgdt [bp - 6]
	mov eax, cr0
	or al, CR0_PE
	mov cr0, eax
	mov bx, gdt_flat - gdt
	mov es, bx              ; its limit of 4 GiB stays in real mode
	and al, ~CR0_PE & 0xff
	mov cr0, eax
	leave
	ret

align 8
gdt:
	dq 0
gdt_flat:
	dw 0xffff, 0, 0x9300, 0x00cf ; data, from 0 to 4 GiB
gdt_end:

; entry.asm: the first code of stage2. It switches to protected mode and calls stage2_main().
;
; CPU mode: entered in 16-bit real mode, continues in 32-bit protected mode.
; Address:  0000:8000, where the boot sector loads it.
; Entry:    CS = 0, DL = boot drive, DH = the method that read stage2 (enum boot_disk_method).
;           Nothing else is relied on.
;
; From the label `protected` on, memory up to 512 KiB is used (low_memory.ld). check_low_memory() in
; memory.c decides later whether it is there. The GDT here is also used by bios.asm and long.asm.

%include "include/progress.inc"
%include "stage2/modes.inc"

STACK_CANARY equ 0x79726e63         ; "cnry"; bios.c checks it after each BIOS call

extern stage2_main, idt_register, real_stack_top, real_stack_bottom, stack_top, bss_start, bss_end
global bp_stage2, gdt_register, boot_drive, boot_method

bits 16
section .entry exec              ; without exec, nasm writes no line numbers for it

; bp_stage2: the entry point, also a named breakpoint.
; IN   the entry state above
; OUT  does not return
bp_stage2:
	cli
	cld
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, real_stack_top         ; the boot sector set SP only; this sets all 32 bits
	mov [boot_drive], dl
	mov [boot_method], dh
	mov dword [real_stack_bottom], STACK_CANARY
	mov al, PROGRESS_STAGE2
	out PORT_PROGRESS, al

	o32 lgdt [gdt_register]
	mov eax, cr0
	or al, CR0_PE
	mov cr0, eax
	jmp CODE32:protected

bits 32
; protected: sets up what C code needs and calls stage2_main().
; IN   32-bit protected mode, interrupts off
; OUT  does not return
protected:
	load_data32
	mov esp, stack_top
	lidt [idt_register]             ; from here on an exception prints a message
	mov edi, bss_start              ; clear .bss: RAM is not zero at power-on
	mov ecx, bss_end
	sub ecx, edi
	xor eax, eax
	rep stosb
	xor ebp, ebp                    ; ends every back-trace
	call stage2_main
.halt:
	cli
	hlt
	jmp .halt

section .data

boot_drive:  db 0
boot_method: db 0

; descriptor base, limit, access, flags: emits a segment descriptor (SDM volume 3, figure 3-8)
%macro descriptor 4
	dw (%2) & 0xffff, (%1) & 0xffff
	db ((%1) >> 16) & 0xff, %3, %4 | (((%2) >> 16) & 0xf), ((%1) >> 24) & 0xff
%endmacro
ACCESS_CODE  equ 0x9b                   ; present, ring 0, code, readable, accessed
ACCESS_DATA  equ 0x93                   ; present, ring 0, data, writable, accessed
FLAGS_16     equ 0x00                   ; limit in bytes
FLAGS_32     equ 0xc0                   ; 32-bit, limit in pages
FLAGS_64     equ 0xa0                   ; 64-bit code

align 16
gdt:
	dq 0
	descriptor 0, 0xfffff, ACCESS_CODE, FLAGS_32    ; CODE32
	descriptor 0, 0xfffff, ACCESS_DATA, FLAGS_32    ; DATA32
	descriptor 0, 0xffff, ACCESS_CODE, FLAGS_16     ; CODE16
	descriptor 0, 0xffff, ACCESS_DATA, FLAGS_16     ; DATA16
	descriptor 0, 0xfffff, ACCESS_CODE, FLAGS_64    ; CODE64
gdt_end:
	dw 0
gdt_register:
	dw gdt_end - gdt - 1
	dd gdt

; entry.asm: where stage2 begins, and the first way into protected mode.
;
; Mode: 16-bit real mode at 0000:8000, from the boot sector. DL = boot drive, DH = how it was read.
; Refuses a machine with less than 512 KiB of low memory, before anything up there is touched.
; Holds the GDT, which also takes the BIOS thunk and the jump to long mode.

%include "include/progress.inc"
%include "stage2/modes.inc"

PORT_E9          equ 0xe9
COM1_DATA        equ 0x3f8
COM1_LINE_CONTROL equ 0x3fb
COM1_LINE_STATUS equ 0x3fd
LINE_8N1         equ 0x03
LINE_READY       equ 0x20
LOW_MEMORY_KIB   equ 512
STACK_CANARY     equ 0x79726e63         ; "cnry"; bios.c looks for it after each call

extern stage2_main, idt_register, real_stack_top, real_stack_bottom, stack_top, bss_start, bss_end
global bp_stage2, gdt_register, boot_drive, boot_method

bits 16
section .entry exec              ; or nasm gives it no line numbers

bp_stage2:
	cli
	cld
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, real_stack_top         ; its high half is unknown until here
	mov [boot_drive], dl
	mov [boot_method], dh
	mov dword [real_stack_bottom], STACK_CANARY
	mov al, PROGRESS_STAGE2
	out PORT_PROGRESS, al

	sti
	int 0x12                        ; AX = KiB of low memory
	cli
	cld
	cmp ax, LOW_MEMORY_KIB
	jb refuse

	o32 lgdt [gdt_register]
	mov eax, cr0
	or al, CR0_PE
	mov cr0, eax
	jmp CODE32:protected

; refuse: say what is missing and stop. IN DS = 0
refuse:
	mov al, PROGRESS_FAILED
	out PORT_PROGRESS, al
	mov dx, COM1_LINE_CONTROL       ; Bochs leaves the line at 5 data bits; the rate is kept
	mov al, LINE_8N1
	out dx, al
	mov si, text_low_memory
.next:
	cld                             ; INT 10h may have set it
	lodsb
	test al, al
	jz .halt
	push si
	push ax
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	pop ax
	pop si
	out PORT_E9, al
	mov ah, al
	xor cx, cx
	mov dx, COM1_LINE_STATUS
.wait:
	in al, dx
	test al, LINE_READY
	loopz .wait
	mov al, ah
	mov dx, COM1_DATA
	out dx, al
	jmp .next
.halt:
	cli
	hlt
	jmp .halt

bits 32
protected:
	load_data32
	mov esp, stack_top
	lidt [idt_register]             ; from here on an exception is a message
	mov edi, bss_start              ; RAM is not zero at power-on
	mov ecx, bss_end
	sub ecx, edi
	xor eax, eax
	rep stosb
	xor ebp, ebp                    ; the end of back-traces
	call stage2_main
.halt:
	cli
	hlt
	jmp .halt

section .data

boot_drive:  db 0
boot_method: db 0
text_low_memory:                        ; behind what the boot sector has said
	db 13, 10, "firstpage: the BIOS reports less than 512 KiB of low memory (INT 12h); "
	db "firstpage needs it", 13, 10, "System halted.", 13, 10, 0

; descriptor base, limit, access, flags: a segment descriptor (SDM volume 3, figure 3-8)
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

; exception.asm: processor exceptions in protected mode become a message instead of a reset.
;
; Mode: 32-bit protected mode. One stub a vector, an interrupt gate each; all of them end here.
; Interrupts stay off while stage2 is in protected mode, so vectors above 31 are never used.

%include "stage2/modes.inc"

NR_EXCEPTIONS equ 32
GATE_386      equ 0x8e                  ; present, ring 0, 32-bit interrupt gate
WITH_CODE     equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17

extern exception
global idt_register

bits 32
section .text

%assign vector 0
%rep NR_EXCEPTIONS
stub_ %+ vector:
%if (WITH_CODE >> vector & 1) == 0
	push dword 0
%endif
	push dword vector
	jmp raise
%assign vector vector + 1
%endrep

; The stack holds vector, error code, EIP: the arguments of exception(), which does not return.
raise:
	cld
	push dword 0                    ; where a return address would be
	jmp exception

section .data

; Linked below 64 KiB: the high half of each offset is 0.
align 8
idt:
%assign vector 0
%rep NR_EXCEPTIONS
	dw stub_ %+ vector, CODE32
	db 0, GATE_386
	dw 0
%assign vector vector + 1
%endrep
idt_end:
	dw 0
idt_register:
	dw idt_end - idt - 1
	dd idt

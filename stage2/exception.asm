; exception.asm: turns a processor exception in protected mode into a message; without an IDT it
; would silently reset the machine.
;
; CPU mode: 32-bit protected mode, interrupts off.
; Address:  below 64 KiB, as all of stage2.
; Entry:    through an interrupt gate, on whatever stack was in use. No exception is returned from.
;
; Each vector has its own stub. Interrupts stay off while stage2 is in protected mode, so vectors
; above 31 never occur.

%include "stage2/modes.inc"

NR_EXCEPTIONS equ 32
GATE_386      equ 0x8e                  ; present, ring 0, 32-bit interrupt gate
; Bit n is set if the processor pushes an error code for vector n (SDM volume 3, table 6-1).
WITH_CODE     equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17

extern exception
global idt_register

bits 32
section .text

; stub_N: makes the stack alike for all vectors.
; IN   EFLAGS, CS, EIP and perhaps an error code, pushed by the processor
; OUT  jumps to raise with an error code (0 if the processor pushed none) and the vector pushed
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

; raise: calls exception() in main.c.
; IN   on the stack: vector, error code, EIP. These are its arguments, in order
; OUT  does not return
raise:
	cld
	push dword 0                    ; stands for the return address
	jmp exception

section .data

; The upper half of each offset is 0, because stage2 is linked below 64 KiB.
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

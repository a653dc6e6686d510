; exception64.asm: turns a processor exception in long mode into a message, from long.asm until the
; kernel loads an IDT of its own. Without this IDT it would silently reset the machine.
;
; CPU mode: entered in 64-bit mode; goes back to 32-bit protected mode without paging (SDM volume 3,
;           section 9.8.5.4), because stage2's C code is 32-bit.
; Address:  below 64 KiB. stage2's memory is mapped one to one as long as this IDT is in use.
; Entry:    through an interrupt gate, on whatever stack was in use. No exception is returned from.

%include "stage2/modes.inc"

NR_EXCEPTIONS equ 32
GATE_64       equ 0x8e                  ; present, ring 0, 64-bit interrupt gate
; Bit n is set if the processor pushes an error code for vector n (SDM volume 3, table 6-1).
WITH_CODE     equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17

extern exception_long, idt_register, stack_top
global idt64_register

section .text

bits 64
; stub64_N: makes the stack alike for all vectors.
; IN   SS, RSP, RFLAGS, CS, RIP and perhaps an error code, pushed by the processor
; OUT  jumps to raise with an error code (0 if the processor pushed none) and the vector pushed
%assign vector 0
%rep NR_EXCEPTIONS
stub64_ %+ vector:
%if (WITH_CODE >> vector & 1) == 0
	push 0
%endif
	push vector
	jmp raise
%assign vector vector + 1
%endrep

; raise: leaves long mode and calls exception_long() in main.c.
; IN   64-bit mode; on the stack, 8 bytes each: vector, error code, RIP
; OUT  does not return
raise:
	mov ebx, [rsp]                  ; vector
	mov esi, [rsp + 8]              ; error code
	mov edi, [rsp + 16]             ; RIP, low and high half
	mov ebp, [rsp + 20]
	mov esp, stack_top              ; the old stack may be out of 32-bit code's reach
	push CODE32
	push .compatible
	o64 retf
bits 32
.compatible:
	load_data32
	mov eax, cr0
	and eax, ~CR0_PG
	mov cr0, eax
	mov ecx, MSR_EFER
	rdmsr
	and eax, ~EFER_LME
	wrmsr
	lidt [idt_register]
	cld
	push ebp                        ; void exception_long(vector, code, uint64_t rip)
	push edi
	push esi
	push ebx
	push dword 0                    ; stands for the return address
	jmp exception_long

section .data

; The higher parts of each offset are 0, because stage2 is linked below 64 KiB.
align 8
idt64:
%assign vector 0
%rep NR_EXCEPTIONS
	dw stub64_ %+ vector, CODE64
	db 0, GATE_64
	dw 0
	dd 0, 0
%assign vector vector + 1
%endrep
idt64_end:
	dw 0
idt64_register:
	dw idt64_end - idt64 - 1
	dd idt64, 0

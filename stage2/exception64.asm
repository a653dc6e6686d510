; exception64.asm: the same for long mode, until the kernel has handlers of its own: an exception on
; the way there, or in its first steps, becomes a message instead of a silent reset.
;
; Mode: entered in 64-bit mode through the gates below, on whatever stack there is; goes back to
; 32-bit protected mode without paging (SDM volume 3, section 9.8.5.4), where stage2's consoles work:
; its memory is mapped one to one as long as this IDT is in force.

%include "stage2/modes.inc"

NR_EXCEPTIONS equ 32
GATE_64       equ 0x8e                  ; present, ring 0, 64-bit interrupt gate
WITH_CODE     equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17

extern exception_long, idt_register, stack_top
global idt64_register

section .text

bits 64
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

; The stack holds vector, error code, RIP, 8 bytes each.
raise:
	mov ebx, [rsp]
	mov esi, [rsp + 8]
	mov edi, [rsp + 16]
	mov ebp, [rsp + 20]
	mov esp, stack_top              ; what is on the kernel's stack is not needed any more
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
	push dword 0                    ; where a return address would be
	jmp exception_long

section .data

; Linked below 64 KiB: the higher parts of each offset are 0.
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

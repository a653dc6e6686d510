; long.asm: into long mode and to the kernel.
;
; Mode: entered in 32-bit protected mode without paging, interrupts off; leaves in 64-bit mode.
; The page tables must be complete and map this code one to one (SDM volume 3, section 9.8.5).

%include "stage2/modes.inc"

extern stack_top, idt64_register
global long_mode, bp_long

section .text

; void long_mode(uint32_t cr3, uint32_t efer, uint64_t entry, uint32_t boot_info)
; IN   cdecl; cr3: the PML4; efer: bits to set beside LME; entry: the kernel's, virtual
; OUT  does not return. At entry: RDI = boot_info, RSP valid, IF and DF clear, FPU reset
bits 32
long_mode:
	mov esi, [esp + 12]             ; entry, low and high half
	mov ebp, [esp + 16]
	mov edi, [esp + 20]
	mov eax, cr4
	or eax, CR4_PAE
	mov cr4, eax
	mov eax, [esp + 4]
	mov cr3, eax
	mov ecx, MSR_EFER
	rdmsr
	or eax, EFER_LME
	or eax, [esp + 8]
	wrmsr
	mov eax, cr0
	and eax, ~(CR0_EM | CR0_TS)
	or eax, CR0_PG | CR0_WP | CR0_NE | CR0_MP
	lidt [idt64_register]           ; from the next instruction on gates have 16 bytes
	mov cr0, eax
	jmp CODE64:.long
bits 64
.long:
	xor eax, eax
	mov ds, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	mov ss, ax
	mov esp, stack_top              ; high halves were undefined before: 32-bit moves clear them
	mov edi, edi
	mov eax, esi
	shl rbp, 32
	or rax, rbp
	xor ebp, ebp
	fninit
	cld
bp_long:
	jmp rax

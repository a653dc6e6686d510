; long.asm: switches to long mode and jumps to the kernel.
;
; CPU mode: entered in 32-bit protected mode without paging, interrupts off; leaves in 64-bit mode.
; Address:  below 64 KiB, as all of stage2.
; Entry:    the page tables are complete and map this code one to one (SDM volume 3, section 9.8.5).

%include "stage2/modes.inc"

extern stack_top, idt64_register
global long_mode, bp_long

section .text

; void long_mode(uint32_t cr3, uint32_t efer, uint64_t entry, uint32_t boot_info)
; Enters the kernel.
; IN   cdecl. cr3: physical address of the PML4; efer: bits of EFER to set besides LME; entry: the
;      kernel's virtual entry address; boot_info: its physical address
; OUT  does not return. The kernel starts with RDI = boot_info, a valid RSP, IF and DF clear and the
;      FPU reset
bits 32
long_mode:
	mov esi, [esp + 12]             ; entry, its low and its high half
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
	lidt [idt64_register]           ; once paging is on, gates have 16 bytes
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
	mov esp, stack_top              ; the switch leaves the upper halves of registers undefined;
	mov edi, edi                    ; a 32-bit move clears the upper half
	mov eax, esi
	shl rbp, 32
	or rax, rbp
	xor ebp, ebp
	fninit
	cld
bp_long:
	jmp rax

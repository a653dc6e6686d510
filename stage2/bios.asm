; bios.asm: calls the BIOS from protected mode.
;
; CPU mode: entered and left in 32-bit protected mode with interrupts off; switches to 16-bit real
;           mode (CS = 0) for the call.
; Address:  below 64 KiB, so that real mode reaches code and data by offset alone.
; Entry:    the segments of modes.inc, ESP on the protected-mode stack, interrupt vectors at 0.
;
; INT takes its number from the instruction, so a variable number would need self-modifying code.
; Instead this pushes the flags and makes a far call through the vector, which is what INT does.
; The GDT and the IDT are loaded again afterwards, because a BIOS may itself use protected mode.

%include "stage2/modes.inc"

struc regs                              ; struct bios_regs; bios.h asserts the offsets
.eax:   resd 1
.ebx:   resd 1
.ecx:   resd 1
.edx:   resd 1
.esi:   resd 1
.edi:   resd 1
.ebp:   resd 1
.ds:    resw 1
.es:    resw 1
.flags: resd 1
endstruc
ARGUMENTS equ 9 * 4                     ; above 8 registers (PUSHAD) and the return address

extern real_stack_top, gdt_register, idt_register
global bios_enter

section .text16 exec             ; without exec, nasm writes no line numbers for it

; void bios_enter(uint32_t interrupt, struct bios_regs *regs)
; Calls the BIOS interrupt with the registers in *regs.
; IN   cdecl. regs->flags: IF set lets the BIOS run with interrupts enabled
; OUT  *regs: all registers and FLAGS as the BIOS left them; interrupts off, DF clear
; CLOBBERS flags
bits 32
bios_enter:
	pushad
	mov eax, [esp + ARGUMENTS]
	mov eax, [eax * 4]              ; the vector: segment and offset of the BIOS's handler
	mov [vector], eax
	mov esi, [esp + ARGUMENTS + 4]
	mov edi, frame
	mov ecx, regs_size / 4
	rep movsd
	mov [saved_esp], esp
	lidt [real_idt_register]
	jmp CODE16:.to_real
bits 16
.to_real:
	mov ax, DATA16                  ; real mode keeps segment limits: set them to 64 KiB
	mov ds, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	mov ss, ax
	mov eax, cr0
	and al, ~CR0_PE & 0xff
	mov cr0, eax
	jmp 0:.real
.real:
	xor ax, ax
	mov fs, ax
	mov gs, ax
	mov ss, ax
	mov esp, real_stack_top         ; all 32 bits: some BIOS code addresses by ESP
	mov ds, ax
	mov eax, [frame + regs.eax]
	mov ebx, [frame + regs.ebx]
	mov ecx, [frame + regs.ecx]
	mov edx, [frame + regs.edx]
	mov esi, [frame + regs.esi]
	mov edi, [frame + regs.edi]
	mov ebp, [frame + regs.ebp]
	mov es, [frame + regs.es]
	mov ds, [frame + regs.ds]
	push word [cs:frame + regs.flags]
	call far [cs:vector]
	pushfd
	cli
	cld
	mov [cs:frame + regs.ds], ds
	mov [cs:frame + regs.es], es
	push cs
	pop ds
	mov [frame + regs.eax], eax
	mov [frame + regs.ebx], ebx
	mov [frame + regs.ecx], ecx
	mov [frame + regs.edx], edx
	mov [frame + regs.esi], esi
	mov [frame + regs.edi], edi
	mov [frame + regs.ebp], ebp
	pop dword [frame + regs.flags]

	o32 lgdt [gdt_register]
	mov eax, cr0
	or al, CR0_PE
	mov cr0, eax
	jmp CODE32:.protected
bits 32
.protected:
	load_data32
	mov esp, [saved_esp]
	lidt [idt_register]
	mov esi, frame
	mov edi, [esp + ARGUMENTS + 4]
	mov ecx, regs_size / 4
	rep movsd
	popad
	ret

section .data

align 4
frame:     times regs_size db 0
vector:    dd 0
saved_esp: dd 0
	dw 0
real_idt_register:
	dw 0x3ff
	dd 0

; rom.asm: an option ROM that gives the firmware faults, and boots the first hard disk under them.
;
; Real mode. The BIOS calls offset 3 during POST, which hooks INT 19h, "boot", and nothing else. The
; handler of INT 19h (int19.asm) hooks the services and boots. So POST itself runs on the BIOS as it is.
;
; Each hook saves the caller's registers in a frame on the stack, lets firmware faults answer or change
; the question, asks the BIOS, and lets faults change the answer. A fault is a part under %ifdef, in one
; or two places. Below the first %ifdef stand its name and what it does. scripts/firmware assembles all
; this: it finds the names there, defines the macros of the faults that were asked for, and seals the
; ROM.
;
;   rom.asm    frame, call of the BIOS, faults of all services, INT 10h, 12h and 16h
;   int13.asm  disk          int15.asm  memory map, A20          int19.asm  boot
;   madt.asm   the list of processors

bits 16
org 0

CARRY        equ 0x0001
DIRTY_FLAGS  equ 0x0600         ; interrupts on, direction down
GARBAGE      equ 0xdead
KEY_FLAGS    equ 0x02           ; of INT 16h
LEFT_SHIFT   equ 0x02

; A bit for each register that may hold a service's answer, in the order of PUSHAD.
KEEP_EBX     equ 0x10
KEEP_EDX     equ 0x20
KEEP_ECX     equ 0x40
KEEP_EAX     equ 0x80
REGISTERS    equ 8

struc frame                     ; what PUSHAD and enter_hook push, then what INT has pushed
.edi:   resd 1
.esi:   resd 1
.ebp:   resd 1
.esp:   resd 1                  ; POPAD skips it
.ebx:   resd 1
.edx:   resd 1
.ecx:   resd 1
.eax:   resd 1
.gs:    resw 1
.fs:    resw 1
.es:    resw 1
.ds:    resw 1
.ip:    resw 1
.cs:    resw 1
.flags: resw 1
endstruc

; Variables. A ROM cannot be written to; they lie in the vectors of INT A0h and up, which a PC does
; not use.
absolute 0x280
variables:
old_10:       resd 1
old_12:       resd 1
old_13:       resd 1
old_15:       resd 1
old_16:       resd 1
disk_function: resb 1           ; AH of the INT 13h that is being served
drive_ready:  resb 1            ; reads-fail-first: 1 after a reset, 0 after a read
caller_flags: resw 1            ; faults that keep carry: the flags before the BIOS is asked
e820_count:   resw 1            ; answers since the list began
e820_last:    resb 20           ; e820-changed-only: the last answer
e820_before:  resb 20           ; e820-changed-only: the caller's buffer before this answer
variables_end:

section .text

	db 0x55, 0xaa
	db 0                    ; number of 512-byte blocks, filled in by scripts/firmware
	jmp init
	times 0x1c - ($ - $$) db 0 ; neither a PCI nor a PnP header

; init: hooks INT 19h; the BIOS calls it during POST. IN - OUT - CLOBBERS -
init:
	push ds
	push word 0
	pop ds
	mov word [0x19 * 4], int19
	mov [0x19 * 4 + 2], cs
	pop ds
	retf

; enter_hook: makes the frame. OUT BP = its address, DS = 0, DF clear. CLOBBERS AX
%macro enter_hook 0
	push ds
	push es
	push fs
	push gs
	pushad
	mov bp, sp
	xor ax, ax
	mov ds, ax
	cld
%endmacro

; call_bios: calls the service that was hooked, with the registers in the frame, and puts its answer
; there.
; IN  BX = address of the service's old vector, BP = frame
; OUT frame. CLOBBERS all but BP
call_bios:
	push word [bp + frame.flags] ; as INT pushes them; the BIOS's IRET pops them
	push cs
	push word .back
	push dword [bx]
	mov gs, [bp + frame.gs]
	mov fs, [bp + frame.fs]
	mov es, [bp + frame.es]
	mov ds, [bp + frame.ds]
	mov eax, [bp + frame.eax]
	mov ebx, [bp + frame.ebx]
	mov ecx, [bp + frame.ecx]
	mov edx, [bp + frame.edx]
	mov esi, [bp + frame.esi]
	mov edi, [bp + frame.edi]
	mov ebp, [bp + frame.ebp]
	retf
.back:
	pushf
	cli
	cld
	push ebp
	mov bp, sp
	add bp, 8               ; above EBP, FLAGS and the return address
	pop dword [bp + frame.ebp]
	pop word [bp + frame.flags]
	mov [bp + frame.eax], eax
	mov [bp + frame.ebx], ebx
	mov [bp + frame.ecx], ecx
	mov [bp + frame.edx], edx
	mov [bp + frame.esi], esi
	mov [bp + frame.edi], edi
	mov [bp + frame.gs], gs
	mov [bp + frame.fs], fs
	mov [bp + frame.es], es
	mov [bp + frame.ds], ds
	xor ax, ax
	mov ds, ax
	ret

; refuse: returns to the caller with carry and a status. IN AH = status, BP = frame, DX as leave_hook
refuse:
	mov [bp + frame.eax + 1], ah
	or word [bp + frame.flags], CARRY
	jmp leave_hook

; leave_hook: returns to the caller, after the faults of every service.
; IN BP = frame, DL = KEEP_ bits of the registers with an answer, DH = those with an answer of 32 bits
leave_hook:
%ifdef TRASH_REGISTERS
; trash-registers: every service destroys the registers it does not answer in, ES, FS and GS too
	mov si, bp
	mov cx, REGISTERS
	mov al, dl
.low:
	shr al, 1
	jc .low_kept
	mov word [ss:si], GARBAGE
.low_kept:
	add si, 4
	loop .low
	mov word [bp + frame.es], GARBAGE
	mov word [bp + frame.fs], GARBAGE
	mov word [bp + frame.gs], GARBAGE
%endif
%ifdef TRASH_HIGH_HALVES
; trash-high-halves: every service leaves garbage in the high halves of all registers
	mov si, bp
	mov cx, REGISTERS
	mov al, dh
.high:
	shr al, 1
	jc .high_kept
	mov word [ss:si + 2], GARBAGE
.high_kept:
	add si, 4
	loop .high
%endif
%ifdef FLAGS_DIRTY
; flags-dirty: every service returns with interrupts on and the direction flag set
	or word [bp + frame.flags], DIRTY_FLAGS
%endif
	popad
	pop gs
	pop fs
	pop es
	pop ds
	iret

; hang: never returns, like a service that hangs; the timer and the keyboard still work
hang:
	sti
	hlt
	jmp hang

int10:                          ; screen
	enter_hook
	mov bx, old_10
	call call_bios
	mov dx, 0
	jmp leave_hook

int12:                          ; KiB of low memory
	enter_hook
	mov bx, old_12
	call call_bios
%ifdef LOW_KIB
; low-kib=N: INT 12h says that there are N KiB of low memory; N is 0 to 640
	mov word [bp + frame.eax], LOW_KIB
%endif
	mov dx, KEEP_EAX
	jmp leave_hook

int16:                          ; keyboard
	enter_hook
%ifdef SHIFT_HELD
; shift-held: INT 16h AH=02h says that SHIFT is held
	cmp byte [bp + frame.eax + 1], KEY_FLAGS
	jne .not_flags
	mov byte [bp + frame.eax], LEFT_SHIFT
	mov dx, KEEP_EAX
	jmp leave_hook
.not_flags:
%endif
	mov bx, old_16
	call call_bios
	mov dx, KEEP_EAX
	jmp leave_hook

%include "int13.asm"
%include "int15.asm"
%include "int19.asm"
%ifdef MADT
%include "madt.asm"
%endif

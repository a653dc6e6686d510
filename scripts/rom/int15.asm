; int15.asm: firmware faults of the memory map and of A20 (real mode; rom.asm has the frame), and the
; map that is played, when there is one.

SMAP         equ 0x534d4150
NOT_THERE    equ 0x86           ; function not supported

E820_BASE    equ 0              ; offsets in an answer
E820_SIZE    equ 8
E820_TYPE    equ 16
E820_ATTR    equ 20
E820_BYTES   equ 20
RESERVED     equ 2

; Continuation values that the faults use. Those of a BIOS and of the played map are small numbers.
MARK_OPAQUE  equ 0x5aa55aa5     ; combined with the BIOS's value
MARK_CARRY   equ 0x7ca40000     ; the next call must end the list
MARK_DEPTH   equ 0x7de00000     ; combined with the number of an invented entry

; unchanged: returns to the caller with all registers as they came, and carry clear
%macro unchanged 0
	and word [bp + frame.flags], ~CARRY
	mov dx, KEEP_EAX | KEEP_EBX | KEEP_ECX | KEEP_EDX
	jmp leave_hook
%endmacro

; keep_carry: stores the caller's carry. restore_carry: puts it into the frame. CLOBBER AX
%macro keep_carry 0
	mov ax, [bp + frame.flags]
	mov [caller_flags], ax
%endmacro
%macro restore_carry 0
	mov ax, [caller_flags]
	and ax, CARRY
	and word [bp + frame.flags], ~CARRY
	or [bp + frame.flags], ax
%endmacro

%macro not_served 0
	mov ah, NOT_THERE
	mov dx, KEEP_EAX
	jmp refuse
%endmacro

int15:
	enter_hook
	mov ax, [bp + frame.eax]
	cmp ax, 0xe820
	je e820
	cmp ax, 0xe801
	je e801
	cmp ah, 0x88
	je ah88
	cmp ax, 0x2401
	je a20_open
bios_15:
	mov bx, old_15
	call call_bios
	mov dx, KEEP_EAX | KEEP_EBX | KEEP_ECX | KEEP_EDX
	jmp leave_hook

a20_open:
%ifdef A20_BIOS_LIES
; a20-bios-lies: INT 15h AX=2401h reports that A20 is open, but does nothing
	mov byte [bp + frame.eax + 1], 0
	and word [bp + frame.flags], ~CARRY
	mov dx, KEEP_EAX
	jmp leave_hook
%endif
	jmp bios_15

ah88:
%ifdef AH88_MISSING
; ah88-missing: INT 15h AH=88h does not exist
	not_served
%endif
%ifdef AH88_UNCHANGED
; ah88-unchanged: AH=88h returns with all registers as they came, and carry clear
	unchanged
%endif
%ifdef AH88_CARRY_KEPT
; ah88-carry-kept: AH=88h answers in AX, and leaves carry as the caller had it
	keep_carry
	mov bx, old_15
	call call_bios
	restore_carry
	mov dx, KEEP_EAX | KEEP_EBX | KEEP_ECX | KEEP_EDX
	jmp leave_hook
%endif
	jmp bios_15

e801:
%ifdef E801_MISSING
; e801-missing: INT 15h AX=E801h does not exist
	not_served
%endif
%ifdef E801_UNCHANGED
; e801-unchanged: E801h returns with all registers as they came, and carry clear
	unchanged
%endif
%ifdef E801_CARRY_KEPT
; e801-carry-kept: E801h answers, and leaves carry as the caller had it
	keep_carry
%endif
	mov bx, old_15
	call call_bios
%ifdef E801_CARRY_KEPT
	restore_carry
%endif
%ifdef E801_TOO_MUCH
; e801-too-much: E801h counts 15 blocks of 64 KiB above 16 MiB that do not exist
	add word [bp + frame.ebx], 15
	add word [bp + frame.edx], 15
%endif
%ifdef E801_AX_BX
; e801-ax-bx: E801h answers in AX and BX only
	xor ecx, ecx
	mov [bp + frame.ecx], cx
	mov [bp + frame.edx], cx
%endif
%ifdef E801_CX_DX
; e801-cx-dx: E801h answers in CX and DX only
	xor ecx, ecx
	mov [bp + frame.eax], cx
	mov [bp + frame.ebx], cx
%endif
%ifdef E801_BOGUS
; e801-bogus: E801h reports 63 MiB between 1 and 16 MiB
	mov word [bp + frame.eax], 63 * 1024
	mov word [bp + frame.ecx], 63 * 1024
%endif
	mov dx, KEEP_EAX | KEEP_EBX | KEEP_ECX | KEEP_EDX
	jmp leave_hook

e820:
%ifdef E820_HANGS
; e820-hangs: INT 15h AX=E820h does not return
	jmp hang
%endif
%ifdef E820_MISSING
; e820-missing: INT 15h AX=E820h does not exist
	not_served
%endif
	cmp dword [bp + frame.edx], SMAP
	jne bios_15
	cmp dword [bp + frame.ebx], 0
	jne .goes_on
	mov word [e820_count], 0
.goes_on:
	inc word [e820_count]
%ifdef E820_OPAQUE
; e820-opaque: E820h's continuation values are not small numbers
	cmp dword [bp + frame.ebx], 0
	je .begins
	xor dword [bp + frame.ebx], MARK_OPAQUE
.begins:
%endif
%ifdef E820_CARRY_END
; e820-carry-end: E820h ends its list by carry, on the call after the last entry
	cmp dword [bp + frame.ebx], MARK_CARRY
	jne .not_behind
	not_served
.not_behind:
%endif
%ifdef E820_BOTTOMLESS
; e820-bottomless: E820h's list does not end, and every entry is a new one
	cmp word [bp + frame.ebx + 2], MARK_DEPTH >> 16
	jne .not_below
	call bottomless_entry
	jmp .answered
.not_below:
%endif
%ifdef E820_CARRY_KEPT
; e820-carry-kept: E820h leaves carry as the caller had it
	keep_carry
%endif
%ifdef E820_CHANGED_ONLY
; e820-changed-only: E820h stores only the fields that differ from the last entry
	call keep_buffer
%endif
	call e820_answer
%ifdef E820_CARRY_KEPT
	restore_carry
%endif
.answered:
	test word [bp + frame.flags], CARRY
	jnz .leave
	mov es, [bp + frame.es]
	mov di, [bp + frame.edi]
%ifdef E820_CHANGED_ONLY
	call restore_unchanged
%endif
%ifdef E820_24
; e820-24: E820h's entries have 24 bytes, with attributes that say "enabled"
	mov dword [es:di + E820_ATTR], 1
	mov dword [bp + frame.ecx], 24
%endif
%ifdef E820_24_ZERO
; e820-24-zero: E820h's entries have 24 bytes, with all attributes 0
	mov dword [es:di + E820_ATTR], 0
	mov dword [bp + frame.ecx], 24
%endif
%ifdef E820_STRAY_ATTRIBUTES
; e820-stray-attributes: E820h returns 20 bytes, but stores 0 in every second attribute word
	test word [e820_count], 1
	jz .no_stray
	mov dword [es:di + E820_ATTR], 0
.no_stray:
%endif
%ifdef E820_OVERLONG
; e820-overlong: E820h stores and reports 128 bytes
	mov dword [es:di + E820_ATTR], 1
	push di
	add di, 24
	mov cx, (128 - 24) / 2
	mov ax, GARBAGE
	rep stosw
	pop di
	mov dword [bp + frame.ecx], 128
%endif
%ifdef E820_SHORT
; e820-short: E820h reports entries of 16 bytes
	mov dword [bp + frame.ecx], 16
%endif
%ifdef E820_SMAP_LOST
; e820-smap-lost: from the third entry on E820h returns without its signature
	cmp word [e820_count], 3
	jb .signed
	mov dword [bp + frame.eax], 0
.signed:
%endif
	cmp dword [bp + frame.ebx], 0
	jne .more
%ifdef E820_ENDLESS
; e820-endless: after its last entry E820h goes on with the second one
	mov dword [bp + frame.ebx], 1
%endif
%ifdef E820_BOTTOMLESS
	mov dword [bp + frame.ebx], MARK_DEPTH
%endif
%ifdef E820_CARRY_END
	mov dword [bp + frame.ebx], MARK_CARRY
%endif
.more:
%ifdef E820_OPAQUE
	cmp dword [bp + frame.ebx], 0
	je .leave
	xor dword [bp + frame.ebx], MARK_OPAQUE
%endif
.leave:
	mov dx, (KEEP_EAX | KEEP_EBX | KEEP_ECX) * 0x101 ; all three with 32 bits
	jmp leave_hook

%ifdef E820_BOTTOMLESS
; bottomless_entry: answers with a reserved page above 1 TiB. IN BP = frame, with the entry's number in
; BX. OUT frame. CLOBBERS EAX, DI, ES
bottomless_entry:
	mov es, [bp + frame.es]
	mov di, [bp + frame.edi]
	movzx eax, word [bp + frame.ebx]
	shl eax, 13             ; every second page, so that nothing can be merged
	mov [es:di + E820_BASE], eax
	mov dword [es:di + E820_BASE + 4], 0x100
	mov dword [es:di + E820_SIZE], 0x1000
	mov dword [es:di + E820_SIZE + 4], 0
	mov dword [es:di + E820_TYPE], RESERVED
	inc word [bp + frame.ebx]
	mov dword [bp + frame.eax], SMAP
	mov dword [bp + frame.ecx], E820_BYTES
	and word [bp + frame.flags], ~CARRY
	ret
%endif

%ifdef E820_CHANGED_ONLY
; keep_buffer: saves the caller's buffer before the BIOS answers. IN BP = frame. CLOBBERS CX, SI, DI, ES
keep_buffer:
	push ds
	pop es
	mov di, e820_before
	mov ds, [bp + frame.es]
	mov si, [bp + frame.edi]
	mov cx, E820_BYTES
	rep movsb
	push es
	pop ds
	ret

; restore_unchanged: undoes the store of each word that equals that of the last answer. IN ES:DI = the
; caller's buffer. CLOBBERS EAX, BX
restore_unchanged:
	xor bx, bx
.next:
	mov eax, [es:di + bx]
	cmp eax, [e820_last + bx]
	mov [e820_last + bx], eax
	jne .changed
	cmp word [e820_count], 1 ; the first answer has none before it
	je .changed
	mov eax, [e820_before + bx]
	mov [es:di + bx], eax
.changed:
	add bx, 4
	cmp bx, E820_BYTES
	jb .next
	ret
%endif

; e820_answer: answers from the played map, or by the BIOS. IN BP = frame. OUT frame.
; CLOBBERS all but BP
e820_answer:
%ifdef MAP
	mov ebx, [bp + frame.ebx]
	cmp ebx, entry_count
	jae .beyond
	mov es, [bp + frame.es]
	mov di, [bp + frame.edi]
	movzx ecx, byte [cs:entry_lengths + bx]
	mov [bp + frame.ecx], ecx
	imul si, bx, 24
	add si, entries
	cs rep movsb
	mov dword [bp + frame.eax], SMAP
	and word [bp + frame.flags], ~CARRY
	inc ebx
	cmp ebx, entry_count
	jb .more
	xor ebx, ebx
.more:
	mov [bp + frame.ebx], ebx
	ret
.beyond:
	mov byte [bp + frame.eax + 1], NOT_THERE
	or word [bp + frame.flags], CARRY
	ret
%include "entries.inc"          ; entry_count, entry_lengths, entries: written by scripts/firmware
%else
	mov bx, old_15
	jmp call_bios
%endif

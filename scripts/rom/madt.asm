; madt.asm: firmware faults of the MADT, ACPI's list of processors (real mode). They change the table
; that the BIOS has made, in place, before the boot: int19.asm calls madt_patch when a fault is asked for.
;
; All faults look at one entry, then at the next one, in the order in which they stand here. Then the
; checksum is made right.

BIOS_AREA       equ 0xe0000     ; where the RSDP is, at a multiple of 16
BIOS_AREA_END   equ 0x100000
RSDP_BYTES      equ 20
RSDP_RSDT       equ 16

TABLE_LENGTH    equ 4
TABLE_CHECKSUM  equ 9
RSDT_TABLES     equ 36
MADT_ENTRIES    equ 44

ENTRY_TYPE      equ 0
ENTRY_LENGTH    equ 1
ENTRY_APIC_ID   equ 3           ; of TYPE_APIC
ENTRY_FLAGS     equ 4
ENTRY_ENABLED   equ 1

TYPE_APIC       equ 0           ; a processor
TYPE_IOAPIC     equ 1
TYPE_OVERRIDE   equ 2           ; the input of the I/O APIC that an ISA interrupt is at
TYPE_UNKNOWN    equ 0x7f

; madt_patch: patches each MADT that the RSDT lists. IN interrupts off. CLOBBERS all but SP, DS
madt_patch:
	call flat_es
	mov edi, BIOS_AREA
.next_rsdp:
	cmp dword [es:edi], 'RSD '
	jne .not_rsdp
	cmp dword [es:edi + 4], 'PTR '
	jne .not_rsdp
	mov ecx, RSDP_BYTES
	call sum_bytes
	jz .rsdp
.not_rsdp:
	add edi, 16
	cmp edi, BIOS_AREA_END
	jb .next_rsdp
	jmp .end
.rsdp:
	mov esi, [es:edi + RSDP_RSDT]
	mov ebp, [es:esi + TABLE_LENGTH]
	add ebp, esi            ; end of the RSDT
	add esi, RSDT_TABLES
.next_table:
	cmp esi, ebp
	jae .end
	mov ebx, [es:esi]
	cmp dword [es:ebx], 'APIC'
	jne .not_madt
	call patch_entries
.not_madt:
	add esi, 4
	jmp .next_table
.end:
	xor ax, ax
	mov es, ax
	ret

; patch_entries: IN ES:EBX = a MADT. CLOBBERS EAX, ECX, EDX, EDI
patch_entries:
	mov edx, [es:ebx + TABLE_LENGTH]
	add edx, ebx            ; end of the MADT
	lea edi, [ebx + MADT_ENTRIES]
	xor cx, cx              ; CL: processors so far; CH: the id of the last one
.next:
	cmp edi, edx
	jae .seal
	cmp byte [es:edi + ENTRY_TYPE], TYPE_APIC
	jne .not_apic
	inc cl
%ifdef MADT_FEWER
; madt-fewer=N: the MADT lists the first N processors only; N is 0 to 255
	cmp cl, MADT_FEWER
	jbe .listed
	mov byte [es:edi + ENTRY_TYPE], TYPE_UNKNOWN
	jmp .not_apic
.listed:
%endif
	mov ch, [es:edi + ENTRY_APIC_ID]
.not_apic:
%ifdef MADT_DEAD
; madt-dead=N: the MADT lists a processor with APIC id N, in place of the I/O APIC; N is 1 to 254
	cmp byte [es:edi + ENTRY_TYPE], TYPE_IOAPIC
	jne .not_dead
	mov byte [es:edi + ENTRY_TYPE], TYPE_APIC
	mov byte [es:edi + ENTRY_APIC_ID], MADT_DEAD
	mov dword [es:edi + ENTRY_FLAGS], ENTRY_ENABLED
.not_dead:
%endif
%ifdef MADT_DUPLICATE
; madt-duplicate: the MADT lists its last processor again, in place of each interrupt override
	cmp byte [es:edi + ENTRY_TYPE], TYPE_OVERRIDE
	jne .not_duplicate
	mov byte [es:edi + ENTRY_TYPE], TYPE_APIC
	mov [es:edi + ENTRY_APIC_ID], ch
	mov dword [es:edi + ENTRY_FLAGS], ENTRY_ENABLED
.not_duplicate:
%endif
%ifdef MADT_DISABLED
; madt-disabled=N: the MADT says that the processor with APIC id N is not enabled; N is 0 to 254
	cmp byte [es:edi + ENTRY_TYPE], TYPE_APIC
	jne .not_disabled
	cmp byte [es:edi + ENTRY_APIC_ID], MADT_DISABLED
	jne .not_disabled
	mov dword [es:edi + ENTRY_FLAGS], 0
.not_disabled:
%endif
	movzx eax, byte [es:edi + ENTRY_LENGTH]
	add edi, eax
	jmp .next
.seal:
	mov edi, ebx
	mov ecx, [es:ebx + TABLE_LENGTH]
	call sum_bytes
	sub [es:ebx + TABLE_CHECKSUM], al
%ifdef MADT_CHECKSUM
; madt-checksum: the MADT's checksum is wrong
	inc byte [es:ebx + TABLE_CHECKSUM]
%endif
%ifdef MADT_NONE
; madt-none: there is no MADT
	mov dword [es:ebx], 'NONE'
%endif
	ret

; sum_bytes: IN ES:EDI = address, ECX = bytes, not 0. OUT AL = their sum, ZF set if it is 0. CLOBBERS ECX
sum_bytes:
	xor al, al
.next:
	add al, [es:edi + ecx - 1]
	dec ecx
	jnz .next
	test al, al
	ret

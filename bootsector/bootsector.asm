; bootsector.asm: LBA 0. Finds stage2 behind it on the disk, checks it, jumps to it.
;
; Mode: 16-bit real mode, loaded by the BIOS at 0000:7C00 (or 07C0:0000), DL = boot drive, perhaps.
; Needs a 386. Gives stage2, at 0000:8000: DL = drive, DH = how it was read (1 EDD, 2 CHS).
;
;   000-059  a jump, and room where firmware may patch a BIOS parameter block: nothing lives here
;   05A-1B7  code
;   1B8-1BD  disk signature
;   1BE-1FD  partition table: one active FAT partition
;   1FE-1FF  55 AA
;
; One attempt loads all of stage2 and compares its CRC32 with the one linked in. Attempts go on
; until one succeeds: with the drive the BIOS named and then with 80h (Phoenix passes 0 at times);
; each by EDD where the BIOS has it and then by CHS (EDD may be announced and broken). Sectors are
; read one by one: no transfer crosses a 64 KiB border, and no BIOS has a limit below one.
;
; Screen, COM1 and port E9 say "firstpage: stage2 " first of all: where that stands alone, the BIOS
; does not come back from a disk call. When the last attempt has failed "R04" follows: R for
; unreadable or D for damaged (its CRC32 differs), then the BIOS's status; 07 when there is no EDD
; that works and the BIOS's geometry is zero. Then it halts.

%include "include/progress.inc"

PORT_E9             equ 0xe9            ; emulators' debug console
COM1_DATA           equ 0x3f8
COM1_LINE_CONTROL   equ 0x3fb
COM1_LINE_STATUS    equ 0x3fd
LINE_8N1            equ 0x03
LINE_READY          equ 0x20            ; in the line status: room for a byte
LINE_LOOKS          equ 0x4000          ; and up to 255 more: 16 ms; a byte at 1200 baud takes 8

FIRST_DRIVE         equ 0x80            ; the BIOS's first hard disk
METHOD_EDD          equ 1               ; enum boot_disk_method
METHOD_CHS          equ 2
TRIES               equ 3
STATUS_PARAMETERS   equ 0x07            ; the BIOS's for a bad table of drive parameters
SECTOR_SIZE         equ 512
CRC32_POLYNOMIAL    equ 0xedb88320      ; reflected
CODE_START          equ 0x5a            ; behind the longest BIOS parameter block, FAT32's
CODE_END            equ 0x1b8           ; the disk signature

%ifndef PART_SECTORS
%error the image's rule says where the partition lies: PART_LBA, PART_SECTORS, PART_TYPE, HEADS, TRACK
%endif

; stage2_limit: the low 16 bits of the address behind stage2. stage2_crc: its CRC32 before the last
; inversion. Both by bootsector.ld
extern real_stack_top, stage2_load, stage2_sectors, stage2_limit, stage2_crc
global bootsector_start, bp_bootsector

bits 16
section .text

bootsector_start:
	jmp short take_control
	nop
	times CODE_START - ($ - $$) db 0

take_control:                           ; CS may be 07C0; all jumps up to stage2 are relative
	xor ax, ax
	mov ds, ax
	mov ss, ax                      ; holds interrupts off for one instruction
	mov sp, real_stack_top
	sti
bp_bootsector:
	mov al, PROGRESS_TAKEN
	out PORT_PROGRESS, al
	push dx
	mov dx, COM1_LINE_CONTROL       ; Bochs leaves the line at 5 data bits; the rate is kept
	mov al, LINE_8N1
	out dx, al
	mov si, text
	mov cx, text_end - text
.print:
	cld                             ; lost by INT 10h, perhaps
	lodsb
	call print_char
	loop .print
	pop dx
	test dl, 0x70                   ; 00-0F and 80-8F are drives, anything else is a mistake
	jz try_drive
try_first_drive:
	mov dl, FIRST_DRIVE

try_drive:
	mov dh, METHOD_EDD
	mov [drive], dx
	cld                             ; some BIOSes leave it set, and expect it clear
	mov ah, 0x41                    ; EDD there? CF clear, BX turned round, CX bit 0
	mov bx, 0x55aa
	int 0x13
	jc .chs
	cmp bx, 0xaa55
	jne .chs
	shr cx, 1
	jnc .chs
	call attempt
.chs:
	inc byte [method]               ; METHOD_CHS
	call attempt
	cmp byte [drive], FIRST_DRIVE
	jne try_first_drive

	; Every attempt has failed: say so and stop
	call print_char                 ; AL: the reason
	mov al, PROGRESS_NO_STAGE2
	out PORT_PROGRESS, al
	mov al, [status]
	aam 16                          ; AH, AL = its hexadecimal digits
	push ax
	mov al, ah
	call print_digit
	pop ax
	call print_digit
.halt:
	hlt                             ; interrupts on: Ctrl-Alt-Del is the BIOS's
	jmp .halt

; print_digit, print_char: AL, as a hexadecimal digit or as it is, on screen, port E9 and COM1.
; CLOBBERS AX
print_digit:
	cmp al, 10                      ; 0-9: 30h up; A-F: 41h up
	sbb al, 0x69
	das
print_char:
	pusha                           ; INT 10h: some BIOSes lose BP
	out PORT_E9, al
	push ax
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	mov ch, LINE_LOOKS >> 8         ; so many looks at the line, then it is taken as dead
	mov dx, COM1_LINE_STATUS
.wait:
	in al, dx
	test al, LINE_READY
	loopz .wait
	mov dl, COM1_DATA & 0xff
	pop ax
	out dx, al
	popa
	ret

; attempt: load stage2, check it, run it.
; IN   [drive], [method]
; OUT  returns only if that failed; AL ('R', 'D') and [status] say why
; CLOBBERS all
attempt:
	mov dword [packet.segment], 1 << 16 | 0x800 ; segment of stage2_load, and LBA 1
.sector:
	mov cx, TRIES
.again:
	push cx
	call read
	mov [status], ah
	jnc .done
	mov ah, 0                       ; reset the drive, then try again
	call disk_call
	pop cx
	loop .again
	mov al, 'R'
	ret
.done:
	pop cx
	add dword [packet.segment], 1 << 16 | SECTOR_SIZE / 16
	cmp byte [packet.lba], stage2_sectors
	jbe .sector

	mov si, stage2_load
	or eax, -1
.byte:
	xor al, [si]
	inc si
	mov cl, 8
.bit:
	shr eax, 1
	jnc .zero
	xor eax, CRC32_POLYNOMIAL
.zero:
	loop .bit                       ; CH is 0: TRIES was in CX
	cmp si, stage2_limit
	jne .byte
	cmp eax, stage2_crc
	mov al, 'D'
	jne return
	mov dx, [drive]                 ; DL drive, DH method
	jmp 0:stage2_load               ; CS is 0 from here on

; read: read the sector that [packet] names to the place it names.
; disk_call: INT 13h for the drive, with what AH and the others say.
; IN   [drive], [method], [packet]
; OUT  CF, AH as INT 13h gives them
; CLOBBERS all
read:
	cmp byte [method], METHOD_EDD
	jne .chs
	mov byte [packet.count], 1      ; a failed call may have changed it
	mov si, packet
	mov ah, 0x42
	jmp disk_call
.chs:
	mov ah, 0x08                    ; the geometry is the BIOS's, never the BPB's
	call disk_call
	jc return
	movzx bx, dh
	inc bx                          ; heads, 1-256
	and cl, 0x3f                    ; sectors a track
	mov ah, STATUS_PARAMETERS
	stc
	jz return
	mov ax, [packet.lba]
	div cl                          ; AL = track, AH = sector from 0; no overflow, LBA is below 65
	inc ah
	mov cl, ah                      ; sector from 1
	cbw
	cwd
	div bx                          ; AX = cylinder, below 256; DX = head
	mov ch, al
	mov dh, dl
	les bx, [packet.offset]
	mov ax, 0x0201
disk_call:
	mov dl, [drive]
	cld
	int 0x13
return:
	ret

text:     db "firstpage: stage2 "
text_end:

packet:                                 ; disk address packet of AH=42h
	db 16, 0
.count:   dw 1
.offset:  dw 0
.segment: dw 0
.lba:     dq 0

%assign code_end $ - $$
%if code_end > CODE_END
%error the code reaches the disk signature
%endif

	times CODE_END - ($ - $$) db 0
	dd 0x67617031                   ; disk signature: fixed, so that images are reproducible
	dw 0

; The partition's borders as cylinder, head and sector; a stick's for 255 heads and 63 sectors a
; track, which firmware assumes, and infers from the end of the partition, a full cylinder.
%macro chs 1
	db (%1 / TRACK) % HEADS
	db (%1 % TRACK + 1) | ((%1 / (HEADS * TRACK)) >> 8 << 6)
	db (%1 / (HEADS * TRACK)) & 0xff
%endmacro
	db 0x80
	chs PART_LBA
	db PART_TYPE
	chs (PART_LBA + PART_SECTORS - 1)
	dd PART_LBA, PART_SECTORS
	times 48 db 0
	dw 0xaa55

; Variables, past the sector and before stage2
absolute 0x7e00
drive:  resb 1                          ; drive and method: DX for stage2
method: resb 1
status: resb 1

; bootsector.asm: the boot sector, LBA 0. It reads stage2 from the sectors that follow it on the
; disk, verifies its CRC32 and jumps to it.
;
; CPU mode: 16-bit real mode, on a 386 or later.
; Address:  0000:7C00. CS:IP may be 07C0:0000 instead, the same address.
; Entry:    DL should be the boot drive, but some BIOSes pass another value. No other register is
;           relied on.
; Exit:     jumps to 0000:8000 (stage2) with DL = boot drive, DH = the method that read it
;           (1 EDD, 2 CHS).
;
; Layout of the sector:
;
;   000-059  a jump, then unused bytes: some firmware patches a BIOS parameter block there
;   05A-1B7  code
;   1B8-1BD  disk signature
;   1BE-1FD  partition table: one active FAT partition
;   1FE-1FF  55 AA
;
; An attempt loads all of stage2 and compares its CRC32 with the one that is linked into this
; sector. There are up to four, in this order, until one succeeds: the drive that the BIOS passed,
; then drive 80h (some Phoenix BIOSes pass 0); each first by EDD, where the BIOS announces it, then
; by CHS, since some BIOSes announce an EDD that does not work. Each call reads a single sector: so
; no transfer crosses a 64 KiB border, and no BIOS has a lower limit.
;
; Before it reads, the boot sector prints "firstpage: stage2 " to the screen, COM1 and port E9. If
; nothing follows, the BIOS did not return from a disk call. If every attempt fails, it prints for
; example "R04" and halts: R means that a sector could not be read, D that the CRC32 differs
; (damaged); the number is the BIOS's status of the last call. 07 also means that EDD is absent or
; does not work and that the BIOS reports a geometry of zero sectors a track.

%include "include/progress.inc"

PORT_E9             equ 0xe9            ; emulators' debug console
COM1_DATA           equ 0x3f8
COM1_LINE_CONTROL   equ 0x3fb
COM1_LINE_STATUS    equ 0x3fd
LINE_8N1            equ 0x03
LINE_READY          equ 0x20            ; in the line status: the UART can take a byte
LINE_POLLS          equ 0x4000          ; and up to 255 more: 16 ms; a byte at 1200 baud takes 8

FIRST_DRIVE         equ 0x80            ; the BIOS's first hard disk
METHOD_EDD          equ 1               ; enum boot_disk_method
METHOD_CHS          equ 2
TRIES               equ 3
STATUS_PARAMETERS   equ 0x07            ; INT 13h: the drive's parameter table is bad
SECTOR_SIZE         equ 512
CRC32_POLYNOMIAL    equ 0xedb88320      ; bit-reversed
CODE_START          equ 0x5a            ; after the longest BIOS parameter block, that of FAT32
CODE_END            equ 0x1b8           ; offset of the disk signature

%ifndef PART_SECTORS
%error define PART_LBA, PART_SECTORS, PART_TYPE, HEADS and TRACK: disk.img.mk places the partition
%endif

; bootsector.ld computes two of these: stage2_limit, the low 16 bits of the address after stage2,
; and stage2_crc, its CRC32 without the final inversion.
extern real_stack_top, stage2_load, stage2_sectors, stage2_limit, stage2_crc
global bootsector_start, bp_bootsector

bits 16
section .text

bootsector_start:
	jmp short take_control
	nop
	times CODE_START - ($ - $$) db 0

; take_control: prints the message, then tries each drive and method until one reads stage2.
; IN   DL = boot drive, perhaps. CS may be 07C0: all jumps before the one to stage2 are relative
; OUT  does not return: jumps to stage2, or prints the reason and halts
take_control:
	xor ax, ax
	mov ds, ax
	mov ss, ax                      ; inhibits interrupts until SP is loaded as well
	mov sp, real_stack_top
	sti
bp_bootsector:
	mov al, PROGRESS_TAKEN
	out PORT_PROGRESS, al
	push dx
	mov dx, COM1_LINE_CONTROL       ; Bochs sets 5 data bits; the baud rate stays as it is
	mov al, LINE_8N1
	out dx, al
	mov si, text
	mov cx, text_end - text
.print:
	cld                             ; INT 10h may have set DF
	lodsb
	call print_char
	loop .print
	pop dx
	test dl, 0x70                   ; only 00-0F and 80-8F are plausible drive numbers
	jz try_drive
try_first_drive:
	mov dl, FIRST_DRIVE

try_drive:
	mov dh, METHOD_EDD
	mov [drive], dx
	cld                             ; some BIOSes return with DF set but need it clear on entry
	mov ah, 0x41                    ; EDD is present if CF = 0, BX = AA55h and CX bit 0 = 1
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

	; Every attempt has failed: print the reason and the status, then halt.
	call print_char                 ; AL = 'R' or 'D', from the last attempt
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
	hlt                             ; with interrupts on: the BIOS still handles Ctrl-Alt-Del
	jmp .halt

; print_digit: prints AL (0-15) as a hexadecimal digit on screen, port E9 and COM1.
; print_char: prints the character AL there.
; IN   AL
; CLOBBERS flags; print_digit also AL
print_digit:
	cmp al, 10                      ; 0-9: 30h up; A-F: 41h up
	sbb al, 0x69
	das
print_char:
	pusha                           ; in some BIOSes INT 10h destroys BP
	out PORT_E9, al
	push ax
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	mov ch, LINE_POLLS >> 8         ; bounded: a dead line must not stop the boot
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

; attempt: loads stage2, verifies it and jumps to it.
; IN   [drive], [method]
; OUT  returns only on failure: AL = 'R' (not readable) or 'D' (damaged), [status] = the status of
;      the last INT 13h
; CLOBBERS all registers
attempt:
	mov dword [packet.segment], 1 << 16 | 0x800 ; stage2_load's segment; LBA = 1
.sector:
	mov cx, TRIES
.again:
	push cx
	call read
	mov [status], ah
	jnc .done
	mov ah, 0                       ; reset the drive before the next try
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
	mov dx, [drive]                 ; DL = drive, DH = method
	jmp 0:stage2_load               ; the far jump also sets CS to 0

; read: reads one sector, LBA [packet.lba], to [packet.segment]:[packet.offset].
; IN   [drive], [method], [packet]
; OUT  CF and AH (status) as INT 13h returns them
; CLOBBERS all registers
;
; disk_call: calls INT 13h for the boot drive.
; IN   [drive], AH = function, other registers as it needs them
; OUT  as INT 13h returns it
; CLOBBERS all registers
read:
	cmp byte [method], METHOD_EDD
	jne .chs
	mov byte [packet.count], 1      ; a failed call may have changed it
	mov si, packet
	mov ah, 0x42
	jmp disk_call
.chs:
	mov ah, 0x08                    ; ask the BIOS for its geometry: a BPB may hold another
	call disk_call
	jc return
	movzx bx, dh
	inc bx                          ; BX = number of heads, 1-256
	and cl, 0x3f                    ; CL = sectors per track
	mov ah, STATUS_PARAMETERS
	stc
	jz return
	mov ax, [packet.lba]
	div cl                          ; AL = track, AH = sector, from 0. LBA < 65: no overflow
	inc ah
	mov cl, ah                      ; CHS counts sectors from 1
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

packet:                                 ; disk address packet for AH=42h (EDD 3.0, section 2.3)
	db 16, 0
.count:   dw 1
.offset:  dw 0
.segment: dw 0
.lba:     dq 0

%assign code_end $ - $$
%if code_end > CODE_END
%error the code of the boot sector has grown into the disk signature
%endif

	times CODE_END - ($ - $$) db 0
	dd 0x67617031                   ; disk signature: fixed, so that images are reproducible
	dw 0

; chs LBA: emits an LBA as the partition table's three CHS bytes: head, sector (with cylinder bits
; 8-9 in its upper bits), cylinder. A stick's image uses 255 heads and 63 sectors per track: that is
; what most firmware assumes, and what other firmware infers from the partition, which ends at the
; end of a cylinder.
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

; Variables, in the free memory between this sector and stage2
absolute 0x7e00
drive:  resb 1                          ; drive and method are loaded together as stage2's DX
method: resb 1
status: resb 1

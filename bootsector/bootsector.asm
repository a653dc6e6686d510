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
;   000-059  a jump, then room for a BIOS parameter block, which some firmware patches there. The
;            message lies where that of FAT32 has the volume's label and the name of its type
;   05A-1B7  code
;   1B8-1BD  disk signature
;   1BE-1FD  partition table: one active FAT partition
;   1FE-1FF  55 AA
;
; An attempt loads all of stage2 and compares its CRC32 with the one that is linked into this
; sector. There are up to eight, in this order, until one succeeds: the drive that the BIOS passed,
; then drive 80h (some Phoenix BIOSes pass 0); each first by EDD, where the BIOS announces it, then
; by CHS, since some BIOSes announce an EDD that does not work; each of these first with as many
; sectors a call as it can, then sector by sector, since some BIOSes refuse, or do not move, all the
; sectors that they are asked for.
;
; Every attempt reads backwards, from the last sector of stage2 to LBA 0, which goes to 7E00. So a
; call by CHS reads from the start of a track to the sector that is due, and needs to consider
; neither the end of the track nor that of stage2. To EDD the whole disk is one track. No transfer
; crosses a 64 KiB border: all lies between 7E00 and FFFF.
;
; The variables and the packet for EDD are addressed from BP = packet, which makes the instructions
; shorter.
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
; The ways to read, in the order in which they are tried. Each is a method and perhaps WAY_SINGLE.
WAY_SINGLE          equ 1               ; a bit: one sector a call
WAY_EDD             equ 2               ; twice DISK_EDD of enum boot_disk_method
WAY_CHS             equ 4               ; twice DISK_CHS; also a bit that tells it from EDD
WAYS_END            equ 6
TRIES               equ 3
STATUS_PARAMETERS   equ 0x07            ; INT 13h: the drive's parameter table is bad
CRC32_POLYNOMIAL    equ 0xedb88320      ; bit-reversed
EDD_TRACK           equ 255             ; sectors: more than are read
TEXT_START          equ 0x47            ; where a FAT32 parameter block has label and type
CODE_START          equ 0x5a            ; after the longest BIOS parameter block, that of FAT32
CODE_END            equ 0x1b8           ; offset of the disk signature

%ifndef PART_SECTORS
%error define PART_LBA, PART_SECTORS, PART_TYPE, HEADS and TRACK: disk.img.mk places the partition
%endif

; bootsector.ld computes three of these: stage2_limit, the low 16 bits of the address after stage2,
; lba0_segment, the segment to which LBA 0 is read, and stage2_crc, the CRC32 without the final
; inversion.
extern real_stack_top, stage2_load, lba0_segment, stage2_sectors, stage2_limit, stage2_crc
global bootsector_start, bp_bootsector

; at NAME: the address of a variable or of a field of the packet
%define at(name) bp + name - packet

bits 16
section .text

bootsector_start:
	jmp short take_control
	nop
	times TEXT_START - ($ - $$) db 0
text:
	db "firstpage: stage2 "
text_end:
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
	mov bp, packet
	mov dh, WAY_EDD
	mov [at(drive)], dx
	mov ah, 0x41                    ; EDD is present if CF = 0, BX = AA55h and CX bit 0 = 1
	mov bx, 0x55aa
	call disk_call
	jc .chs
	shr cx, 1
	sbb bx, 0xaa55 - 1              ; subtracts bit 0 of CX as well
	jz load
.chs:
	mov byte [at(way)], WAY_CHS

; load: loads stage2, verifies it and jumps to it. If that fails, goes on with the next way or drive.
; IN   [drive], [way]
; OUT  does not return: jumps to stage2, or prints the reason and halts
load:
	mov ax, stage2_sectors          ; the last sector that has not been read
.next:
	mov cx, TRIES
.again:
	mov [at(packet.lba)], al
	pusha
	call read
	mov [at(status)], ah
	jc .retry
	popa
	mov al, [at(packet.lba)]
	dec ax                          ; the sector before those that were read; there is none before 0
	jns .next

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
	jne .failed
	mov dx, [at(drive)]             ; DL = drive, DH = way
	shr dh, 1                       ; DH = enum boot_disk_method
	jmp 0:stage2_load               ; the far jump also sets CS to 0

.retry:
	mov ah, 0                       ; reset the drive before the next try
	call disk_call
	popa
	loop .again
	mov al, 'R'
.failed:
	inc byte [at(way)]
	cmp byte [at(way)], WAYS_END
	jne load
	cmp byte [at(drive)], FIRST_DRIVE
	jne try_first_drive

	; Every way has failed: print the reason and the status, then halt.
	call print_char                 ; AL = 'R' or 'D', from the last way
	mov al, PROGRESS_NO_STAGE2
	out PORT_PROGRESS, al
	mov al, [at(status)]
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

; read: reads the sector [packet.lba], and those before it that the way takes at once, to where they
; belong.
; IN   [drive], [way], [packet.lba]
; OUT  CF and AH (status) as INT 13h returns them; [packet.lba] = the first of the sectors
; CLOBBERS all registers but BP
;
; disk_call: calls INT 13h for the boot drive.
; IN   [drive], AH = function, other registers as it needs them
; OUT  as INT 13h returns it
; CLOBBERS all registers but BP
read:
	mov cl, EDD_TRACK
	test byte [at(way)], WAY_CHS
	jz .track
	mov ah, 0x08                    ; ask the BIOS for its geometry: a BPB may hold another
	call disk_call
	jc return
	movzx bx, dh
	inc bx                          ; BX = number of heads, 1-256
	and cl, 0x3f                    ; CL = sectors per track
	mov ah, STATUS_PARAMETERS
	stc
	jz return
.track:
	mov ax, [at(packet.lba)]
	mov dx, ax
	div cl                          ; AL = track, AH = sector in it, from 0. LBA < 65: no overflow
	mov cl, 0                       ; from the start of the track, CL = 0, on, and AH more sectors
	test byte [at(way)], WAY_SINGLE
	jz .first
	xchg cl, ah                     ; from the sector itself on, and no more
.first:
	sub dl, ah
	mov [at(packet.lba)], dl
	add dl, dl
	mov [at(packet.offset) + 1], dl ; 200h bytes a sector
	inc cx                          ; CHS counts sectors from 1
	inc ah
	mov [at(packet.count)], ah
	test byte [at(way)], WAY_CHS
	jnz .chs
	mov si, bp
	mov ah, 0x42
	jmp disk_call
.chs:
	cbw
	cwd
	div bx                          ; AX = cylinder, below 256; DX = head
	mov ch, al
	mov dh, dl
	les bx, [at(packet.offset)]
	mov al, [at(packet.count)]
	mov ah, 0x02
disk_call:
	mov dl, [at(drive)]
	cld                             ; some BIOSes return with DF set but need it clear on entry
	push bp
	int 0x13
	pop bp                          ; some BIOSes destroy it
return:
	ret

drive:  db 0                            ; drive and way are loaded together as stage2's DX
way:    db 0
status: db 0
packet:                                 ; disk address packet for AH=42h (EDD 3.0, section 2.3)
	db 16, 0
.count:   dw 0                           ; below 256: its low byte is set before each call
.offset:  dw 0
.segment: dw lba0_segment
.lba:     dq 0                           ; below 256, too

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

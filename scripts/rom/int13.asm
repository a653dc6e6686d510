; int13.asm: firmware faults of the disk (real mode; rom.asm has the frame). Only the first hard disk
; has them.

DISK            equ 0x80

DISK_RESET      equ 0x00
DISK_READ       equ 0x02
DISK_GEOMETRY   equ 0x08
EDD_FIRST       equ 0x41
EDD_READ        equ 0x42
EDD_PARAMETERS  equ 0x48        ; the last function of EDD too

STATUS_BAD      equ 0x01        ; function or parameter refused
STATUS_ABSENT   equ 0x04        ; sector not found
STATUS_BORDER   equ 0x09        ; transfer crosses a 64 KiB border
STATUS_NOT_READY equ 0x80

PACKET_COUNT    equ 2           ; in EDD's disk address packet
PACKET_OFFSET   equ 4
PACKET_SEGMENT  equ 6
PACKET_LBA      equ 8
SECTOR_SIZE_AT  equ 24          ; in the buffer that AH=48h fills

int13:
	enter_hook
	cmp byte [bp + frame.edx], DISK
	jne .bios
	mov ah, [bp + frame.eax + 1]
	mov [disk_function], ah
%ifdef EDD_MISSING
; edd-missing: INT 13h AH=41h to 48h do not exist
	mov al, ah
	sub al, EDD_FIRST
	cmp al, EDD_PARAMETERS - EDD_FIRST
	mov al, STATUS_BAD
	jbe .refuse
%endif
%ifdef EDD_PARAMETERS_MISSING
; edd-parameters-missing: EDD exists, but without AH=48h
	cmp ah, EDD_PARAMETERS
	mov al, STATUS_BAD
	je .refuse
%endif
%ifdef EDD_BROKEN
; edd-broken: EDD is announced, but AH=42h refuses
	cmp ah, EDD_READ
	mov al, STATUS_BAD
	je .refuse
%endif
%ifdef EDD_LIES
; edd-lies: AH=42h reports success, but has read nothing
	cmp ah, EDD_READ
	je .done
%endif
%ifdef EDD_ENDS_EARLY
; edd-ends-early: AH=42h reads the first MiB only, so it fails when stage2 already runs
	cmp ah, EDD_READ
	jne .not_late
	mov es, [bp + frame.ds]
	mov si, [bp + frame.esi]
	cmp dword [es:si + PACKET_LBA], 2048
	mov al, STATUS_ABSENT
	jae .refuse
.not_late:
%endif
%ifdef GEOMETRY_ZERO
; geometry-zero: AH=08h reports 0 heads and 0 sectors a track
	cmp ah, DISK_GEOMETRY
	jne .no_geometry
	mov word [bp + frame.ecx], 0
	mov word [bp + frame.edx], 1 ; DL: number of disks
	jmp .done
.no_geometry:
%endif
%ifdef GEOMETRY_MISSING
; geometry-missing: AH=08h refuses
	cmp ah, DISK_GEOMETRY
	mov al, STATUS_BAD
	je .refuse
%endif
	call describe_read
	jnc .bios
%ifdef READS_HANG
; reads-hang: a read does not return
	jmp hang
%endif
%ifdef READS_FAIL
; reads-fail: no read ever succeeds
	mov al, STATUS_NOT_READY
	jmp .refuse
%endif
%ifdef READS_FAIL_FIRST
; reads-fail-first: each read fails unless a reset of the drive came before it
	mov al, STATUS_NOT_READY
	test byte [drive_ready], 1
	mov byte [drive_ready], 0
	jz .refuse
%endif
%ifdef MAX_SECTORS
; max-sectors=N: a read of more than N sectors is refused; N is 1 to 127
	cmp cx, MAX_SECTORS
	mov al, STATUS_BAD
	ja .refuse
%endif
%ifdef EDD_MOVES_FEWER
; edd-moves-fewer=N: AH=42h reads N sectors when it is asked for more, and reports success; N is 1 to 127
	cmp byte [disk_function], EDD_READ
	jne .moves_all
	cmp cx, EDD_MOVES_FEWER
	jbe .moves_all
	mov word [es:si + PACKET_COUNT], EDD_MOVES_FEWER ; as EDD says how many they were
.moves_all:
%endif
%ifdef BORDER_64K
; border-64k: a read across a 64 KiB border is refused
	movzx ecx, cx
	shl ecx, 9
	movzx edi, di
	add edi, ecx
	cmp edi, 0x10000
	mov al, STATUS_BORDER
	ja .refuse
%endif
.bios:
	mov bx, old_13
	call call_bios
%ifdef SECTORS_OF_4096
; sectors-of-4096: AH=48h reports sectors of 4096 bytes
	cmp byte [disk_function], EDD_PARAMETERS
	jne .not_sizes
	mov es, [bp + frame.ds]
	mov si, [bp + frame.esi]
	mov word [es:si + SECTOR_SIZE_AT], 4096
.not_sizes:
%endif
	cmp byte [disk_function], DISK_RESET
	jne .leave
	mov byte [drive_ready], 1
	jmp .leave
.done:
	mov byte [bp + frame.eax + 1], 0
	and word [bp + frame.flags], ~CARRY
.leave:
	call after_disk
	jmp leave_hook

; IN AL = status. The packet of a read must say how much was read: nothing (EDD 3.0, 3.2)
.refuse:
	mov ah, al
	cmp byte [disk_function], EDD_READ
	jne .say_no
	mov es, [bp + frame.ds]
	mov si, [bp + frame.esi]
	mov word [es:si + PACKET_COUNT], 0
.say_no:
	push ax
	call after_disk
	pop ax
	jmp refuse

; describe_read: IN AH = function, BP = frame
; OUT CF set for a read; then CX = its sectors, DI = low 16 bits of the address it reads to
; CLOBBERS SI, ES
describe_read:
	cmp ah, EDD_READ
	je .edd
	cmp ah, DISK_READ
	clc
	jne .end
	movzx cx, byte [bp + frame.eax]
	mov di, [bp + frame.es]
	shl di, 4
	add di, [bp + frame.ebx]
	jmp .read
.edd:
	mov es, [bp + frame.ds]
	mov si, [bp + frame.esi]
	mov cx, [es:si + PACKET_COUNT]
	mov di, [es:si + PACKET_SEGMENT]
	shl di, 4
	add di, [es:si + PACKET_OFFSET]
.read:
	stc
.end:
	ret

; after_disk: the faults of every disk call. IN BP = frame. OUT DX for leave_hook. CLOBBERS all but BP
after_disk:
%ifdef LOW_MEMORY_IN_USE
; low-memory-in-use: every disk call writes to the 512 bytes below 7C00h (an AMI BIOS)
	xor ax, ax
	mov es, ax
	mov di, 0x7a00
	mov cx, 256
	mov ax, GARBAGE
	rep stosw
%endif
%ifdef TRASH_REGISTERS
	mov byte [bp + frame.eax], GARBAGE & 0xff ; AH holds the status, AL nothing
%endif
	mov dx, KEEP_EAX
	cmp byte [disk_function], DISK_GEOMETRY
	je .more
	cmp byte [disk_function], EDD_FIRST
	jne .end
.more:
	mov dx, KEEP_EAX | KEEP_EBX | KEEP_ECX | KEEP_EDX
.end:
	ret

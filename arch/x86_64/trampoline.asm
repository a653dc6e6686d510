; trampoline.asm: the first instructions of a processor that another one starts.
;
; CPU mode: from 16-bit real mode straight to 64-bit long mode.
; Address:  trampoline_start to trampoline_end is data in the image; start.c copies it to
;           TRAMPOLINE, with the registers that it is to load. ap_entry is in .text.
; Entry:    a start-up interrupt (SDM 3A, 8.4): CS:IP = 0800h:0000h, IF = 0.
;
; The page tables of low memory map the first 2 MiB one to one, and the kernel's image. Paging and
; protected mode are enabled by one write to CR0, which activates long mode as well (SDM 3A, 9.8.5
; goes by way of protected mode, which is needed for nothing). CR0 is that of CPU 0: after INIT the
; caches are disabled in it.
;
; ap_entry has no stack until it knows which CPU it is. It looks its APIC id up in start_calls[]
; (start.h), and claims the entry. A processor that finds none to claim was not called, or came too
; late: it is counted, and sleeps for good.

bits 16

TRAMPOLINE      equ 0x8000
MSR_EFER        equ 0xc0000080
MSR_GS_BASE     equ 0xc0000101
CODE64          equ 0x08
MSR_APIC_BASE   equ 0x1b
MSR_X2APIC_ID   equ 0x802
APIC_X2APIC     equ 1 << 10             ; in MSR_APIC_BASE
APIC_ID         equ 0x20                ; register: SDM 3A, table 10-1

CALL_APIC_ID    equ 0                   ; struct start_call
CALL_STATE      equ 4
CALL_AREA       equ 8
CALL_STACK      equ 16
CALL_SIZE       equ 24
STATE_CALLED    equ 1
STATE_CLAIMED   equ 2

%define LOW(label) (TRAMPOLINE + (label) - trampoline_start)

section .rodata

global trampoline_start
global trampoline_end
global trampoline_cr0, trampoline_cr3, trampoline_cr4, trampoline_efer
trampoline_start:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        o32 lgdt [gdt_pointer - trampoline_start]
        mov     eax, [trampoline_cr4 - trampoline_start]
        mov     cr4, eax
        mov     eax, [trampoline_cr3 - trampoline_start]
        mov     cr3, eax
        mov     ecx, MSR_EFER
        mov     eax, [trampoline_efer - trampoline_start]
        xor     edx, edx
        wrmsr
        mov     eax, [trampoline_cr0 - trampoline_start]
        mov     cr0, eax
        jmp     dword CODE64:LOW(long_mode)

bits 64
long_mode:
        mov     rax, ap_entry
        jmp     rax

align 8
gdt:            dq 0
                dq 0x00209b0000000000   ; code, long, present, accessed: SDM 3A, figure 3-8
gdt_pointer:    dw $ - gdt - 1
                dd LOW(gdt)
align 8
trampoline_cr0:  dd 0
trampoline_cr3:  dd 0
trampoline_cr4:  dd 0
trampoline_efer: dd 0
trampoline_end:

section .text
default rel

extern start_root
extern start_apic
extern start_calls
extern start_nr_calls
extern start_uninvited
extern start_arrived

; ap_entry: finds out which CPU this is, and calls start_arrived() on its stack.
; IN: long mode, interrupts off. OUT: does not return. CLOBBERS: all.
global ap_entry:function
ap_entry:
        mov     rax, [start_root]
        mov     cr3, rax                ; the kernel's own tables
        xor     ax, ax                  ; null selectors: only SS has to be valid for IRETQ, later
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        ; The APIC id, as apic_id() finds it.
        mov     ecx, MSR_APIC_BASE
        rdmsr
        test    eax, APIC_X2APIC
        jnz     .long_id
        mov     rdx, [start_apic]
        mov     edx, [rdx + APIC_ID]
        shr     edx, 24
        jmp     .have_id
.long_id:
        mov     ecx, MSR_X2APIC_ID
        rdmsr
        mov     edx, eax
.have_id:
        lea     rsi, [start_calls]
        mov     ecx, [start_nr_calls]
.next:
        test    ecx, ecx
        jz      .park
        cmp     [rsi + CALL_APIC_ID], edx
        je      .claim
        add     rsi, CALL_SIZE
        dec     ecx
        jmp     .next
.claim:
        mov     eax, STATE_CALLED
        mov     ebx, STATE_CLAIMED
        lock cmpxchg [rsi + CALL_STATE], ebx
        jne     .park
        mov     rdi, [rsi + CALL_AREA]
        mov     rsp, [rsi + CALL_STACK]
        mov     eax, edi
        mov     rdx, rdi
        shr     rdx, 32
        mov     ecx, MSR_GS_BASE
        wrmsr
        xor     ebp, ebp                ; ends every back-trace
        call    start_arrived
.park:
        lock inc dword [start_uninvited]
.sleep:
        cli
        hlt
        jmp     .sleep

; traps.asm: from the processor's interrupt to C and back.
;
; CPU mode: 64-bit long mode, ring 0. One stub a vector, all of one size, so that the IDT's entries
; are computed. A stub makes the frames alike (the error code's place is filled where the processor
; leaves it out), and all join in one tail that saves the registers as struct trap_frame
; (traps.h) has them.

bits 64
default rel

NR_VECTORS           equ 256
STUB_SIZE            equ 16             ; TRAP_STUB_SIZE

extern trap_dispatch

section .text

; %1: vector. Exceptions with an error code: SDM 3A, table 6-1.
%macro STUB 1
        align   STUB_SIZE
%if %1 == 8 || (%1 >= 10 && %1 <= 14) || %1 == 17 || %1 == 21 || %1 == 29 || %1 == 30
%else
        push    0
%endif
        push    strict qword %1
        jmp     strict near trap_common
%endmacro

align STUB_SIZE
global trap_stubs:function (trap_stubs_end - trap_stubs)
trap_stubs:
%assign vector 0
%rep NR_VECTORS
        STUB    vector
%assign vector vector + 1
%endrep
        align   STUB_SIZE
trap_stubs_end:

%if trap_stubs_end - trap_stubs != NR_VECTORS * STUB_SIZE
%error "a stub does not fit in STUB_SIZE bytes"
%endif

; IN: vector and error code above the processor's frame. OUT: everything as it was.
trap_common:
        push    rax
        push    rbx
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    rbp
        push    r8
        push    r9
        push    r10
        push    r11
        push    r12
        push    r13
        push    r14
        push    r15
        cld
        mov     rdi, rsp                ; 22 words below a 16-byte border: RSP is aligned for C
        call    trap_dispatch
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rbp
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rbx
        pop     rax
        add     rsp, 16                 ; vector and error code
        iretq

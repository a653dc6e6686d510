; traps.asm: the entry points of exceptions and interrupts, which call trap_dispatch() and return.
;
; CPU mode: 64-bit long mode, ring 0.
; Address:  in .text.
; Entry:    through an interrupt gate, so with interrupts off, on the interrupted stack or on one of
;           the TSS's.
;
; Each vector has a stub. All have the same size, so the IDT is computed from one address. A stub
; pushes 0 in place of the error code if the processor pushes none, so that all frames are alike.
; The common tail saves the other registers in the order of struct trap_frame (traps.h).

bits 64
default rel

NR_VECTORS           equ 256
STUB_SIZE            equ 16             ; TRAP_STUB_SIZE

extern trap_dispatch

section .text

; STUB vector: emits the entry point of a vector. SDM 3A, table 6-1 lists the exceptions with an
; error code.
; IN: the processor's frame. OUT: jumps to trap_common with error code and vector pushed.
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

; trap_common: saves all registers, calls trap_dispatch() and returns from the interrupt.
; IN: on the stack: vector, error code, the processor's frame. OUT: all registers as they were,
; unless trap_dispatch() changed them in the frame. CLOBBERS: nothing.
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
        mov     rdi, rsp                ; 22 words below a multiple of 16: aligned as C needs it
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

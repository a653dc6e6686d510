; panic.asm: the entry of panic(), which saves the registers as its caller had them. In a C function
; the compiler's own entry code would already have changed some.
;
; CPU mode: 64-bit long mode, ring 0.
; Address:  in .text.
; Entry:    called from C.
;
; The registers are saved in a struct trap_frame (traps.h) of this CPU's area (percpu.h). A panic
; within a panic overwrites it, but does not print it.

bits 64
default rel

VECTOR_NONE          equ 256            ; as in traps.h: there was no exception
PERCPU_PANIC         equ 64             ; percpu.h

struc frame
.r15:    resq 1
.r14:    resq 1
.r13:    resq 1
.r12:    resq 1
.r11:    resq 1
.r10:    resq 1
.r9:     resq 1
.r8:     resq 1
.rbp:    resq 1
.rdi:    resq 1
.rsi:    resq 1
.rdx:    resq 1
.rcx:    resq 1
.rbx:    resq 1
.rax:    resq 1
.vector: resq 1
.error:  resq 1
.rip:    resq 1
.cs:     resq 1
.rflags: resq 1
.rsp:    resq 1
.ss:     resq 1
endstruc
%if frame_size != 22 * 8
%error "struct trap_frame has 22 words: traps.h"
%endif

extern panic_report

section .text

; void panic(const char *fmt, ...)
; Fills the frame, disables interrupts and jumps to panic_report() with the same arguments.
; IN: the C arguments. OUT: nothing: it does not return. CLOBBERS: RAX, flags.
global panic:function (panic_end - panic)
panic:
        mov     [gs:PERCPU_PANIC + frame.rax], rax
        pushfq
        pop     rax
        cli
        mov     [gs:PERCPU_PANIC + frame.rflags], rax
        mov     [gs:PERCPU_PANIC + frame.rbx], rbx
        mov     [gs:PERCPU_PANIC + frame.rcx], rcx
        mov     [gs:PERCPU_PANIC + frame.rdx], rdx
        mov     [gs:PERCPU_PANIC + frame.rsi], rsi
        mov     [gs:PERCPU_PANIC + frame.rdi], rdi
        mov     [gs:PERCPU_PANIC + frame.rbp], rbp
        mov     [gs:PERCPU_PANIC + frame.r8], r8
        mov     [gs:PERCPU_PANIC + frame.r9], r9
        mov     [gs:PERCPU_PANIC + frame.r10], r10
        mov     [gs:PERCPU_PANIC + frame.r11], r11
        mov     [gs:PERCPU_PANIC + frame.r12], r12
        mov     [gs:PERCPU_PANIC + frame.r13], r13
        mov     [gs:PERCPU_PANIC + frame.r14], r14
        mov     [gs:PERCPU_PANIC + frame.r15], r15
        mov     rax, [rsp]              ; the return address
        mov     [gs:PERCPU_PANIC + frame.rip], rax
        lea     rax, [rsp + 8]
        mov     [gs:PERCPU_PANIC + frame.rsp], rax
        mov     eax, cs
        mov     [gs:PERCPU_PANIC + frame.cs], rax
        mov     eax, ss
        mov     [gs:PERCPU_PANIC + frame.ss], rax
        mov     qword [gs:PERCPU_PANIC + frame.vector], VECTOR_NONE
        mov     qword [gs:PERCPU_PANIC + frame.error], 0
        xor     eax, eax                ; ABI: no argument is in a vector register
        jmp     panic_report
panic_end:

; panic.asm: the entry of panic(), which saves the registers as its caller had them. In a C function
; the compiler's own entry code would already have changed some.
;
; CPU mode: 64-bit long mode, ring 0.
; Address:  in .text.
; Entry:    called from C.
;
; The registers are saved in a static struct trap_frame (traps.h). A panic within a panic overwrites
; it, but does not print it.

bits 64
default rel

VECTOR_NONE          equ 256            ; as in traps.h: there was no exception

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

section .bss
align 8
global panic_frame
panic_frame:    resb frame_size

section .text

; void panic(const char *fmt, ...)
; Fills panic_frame, disables interrupts and jumps to panic_report() with the same arguments.
; IN: the C arguments. OUT: nothing: it does not return. CLOBBERS: RAX, flags.
global panic:function (panic_end - panic)
panic:
        mov     [panic_frame + frame.rax], rax
        pushfq
        pop     rax
        cli
        mov     [panic_frame + frame.rflags], rax
        mov     [panic_frame + frame.rbx], rbx
        mov     [panic_frame + frame.rcx], rcx
        mov     [panic_frame + frame.rdx], rdx
        mov     [panic_frame + frame.rsi], rsi
        mov     [panic_frame + frame.rdi], rdi
        mov     [panic_frame + frame.rbp], rbp
        mov     [panic_frame + frame.r8], r8
        mov     [panic_frame + frame.r9], r9
        mov     [panic_frame + frame.r10], r10
        mov     [panic_frame + frame.r11], r11
        mov     [panic_frame + frame.r12], r12
        mov     [panic_frame + frame.r13], r13
        mov     [panic_frame + frame.r14], r14
        mov     [panic_frame + frame.r15], r15
        mov     rax, [rsp]              ; the return address
        mov     [panic_frame + frame.rip], rax
        lea     rax, [rsp + 8]
        mov     [panic_frame + frame.rsp], rax
        mov     eax, cs
        mov     [panic_frame + frame.cs], rax
        mov     eax, ss
        mov     [panic_frame + frame.ss], rax
        mov     qword [panic_frame + frame.vector], VECTOR_NONE
        mov     qword [panic_frame + frame.error], 0
        xor     eax, eax                ; ABI: no argument is in a vector register
        jmp     panic_report
panic_end:

; single_step.asm: calls a function so that each of its instructions traps.
;
; CPU mode: 64-bit long mode, ring 0.
; Address:  in .text.
; Entry:    called from C.
;
; An instruction that begins with TF set causes a debug exception after it (SDM 3B, 18.3.1.4). POPF
; begins with TF clear, so CALL is the first instruction that traps, and the first address that the
; handler sees is that of the callee's first instruction. The handler clears TF when it sees
; single_step_return, so nothing from there on traps.

bits 64
default rel

RFLAGS_TF            equ 1 << 8

section .text

; void single_step_call(void (*call)(void))
; IN: RDI = a function without arguments. OUT: nothing. CLOBBERS: what a C function may.
global single_step_call:function (single_step_end - single_step_call)
global single_step_return
align 16
single_step_call:
        push    rbp
        mov     rbp, rsp                ; a normal stack frame, for back-traces
        pushfq
        or      qword [rsp], RFLAGS_TF
        popfq
        call    rdi
single_step_return:
        pop     rbp
        ret
single_step_end:

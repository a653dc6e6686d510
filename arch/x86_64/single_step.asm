; single_step.asm: a call of which every instruction is trapped.
;
; CPU mode: 64-bit long mode, ring 0. An instruction that began with TF set ends in a debug
; exception (SDM 3B, 18.3.1.4). POPF began with it clear: so CALL is the first that traps, and what
; the handler sees first is the callee's first instruction. The handler clears TF at
; single_step_return, of which nothing is therefore trapped.

bits 64
default rel

RFLAGS_TF            equ 1 << 8

section .text

; IN: RDI = function without arguments. OUT -  CLOBBERS: what a C function may.
global single_step_call:function (single_step_end - single_step_call)
global single_step_return
align 16
single_step_call:
        push    rbp
        mov     rbp, rsp                ; a frame like every other, for back-traces
        pushfq
        or      qword [rsp], RFLAGS_TF
        popfq
        call    rdi
single_step_return:
        pop     rbp
        ret
single_step_end:

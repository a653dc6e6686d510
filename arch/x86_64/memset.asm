; memset.asm: the kernel's memset(), in place of the loop in lib/string.c.
;
; CPU mode: 64-bit long mode. Clearing pages is most of what sets memory, and rep stos is the
; instruction for that: microcode that fills whole cache lines (SDM 1, 7.3.9.3). Stores need no
; alignment.

bits 64
section .text

; IN: rdi where, sil the byte, rdx bytes; DF clear, as the ABI has it. OUT: rax where.
; CLOBBERS: rcx rdi r8
global memset:function (memset_end - memset)
memset:
        mov     r8, rdi
        movzx   eax, sil
        mov     rcx, 0x0101010101010101
        imul    rax, rcx
        mov     rcx, rdx
        shr     rcx, 3
        rep stosq
        mov     ecx, edx
        and     ecx, 7
        rep stosb
        mov     rax, r8
        ret
memset_end:

; memset.asm: the kernel's memset(), in place of the loop in lib/string.c.
;
; CPU mode: 64-bit long mode.
; Address:  in .text.
; Entry:    called from C.
;
; Most calls clear pages. REP STOS is made for that: its microcode fills whole cache lines (SDM 1,
; 7.3.9.3). The destination needs no alignment.

bits 64
section .text

; void *memset(void *dest, int value, size_t size)
; IN: RDI = dest, SIL = value, RDX = size in bytes; DF clear, as the ABI guarantees.
; OUT: RAX = dest. CLOBBERS: RCX, RDI, R8, flags.
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

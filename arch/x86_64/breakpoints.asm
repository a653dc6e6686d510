; breakpoints.asm: empty functions where a debugger can stop (breakpoints.h).
;
; CPU mode: 64-bit long mode.
; Address:  in .text. Aligned, so that no two are adjacent: gdb reports a stop one byte after a
;           breakpoint as a hit of that breakpoint.
; Entry:    called from C.

bits 64
section .text

global bp_memblock
global bp_mem_map
global bp_buddy
global bp_cpus

; Each returns at once.
; IN nothing  OUT nothing  CLOBBERS nothing
align 16
bp_memblock:
	ret
align 16
bp_mem_map:
	ret
align 16
bp_buddy:
	ret
align 16
bp_cpus:
	ret

; breakpoints.asm: places where a debugger stops, when the named thing has just been done.
;
; Long mode. Each is called from C and returns at once; it exists for its name and address.

bits 64
section .text

global bp_memblock
global bp_mem_map
global bp_buddy

; IN -  OUT -  CLOBBERS -
bp_memblock:
	ret
bp_mem_map:
	ret
bp_buddy:
	ret

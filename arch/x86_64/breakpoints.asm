; breakpoints.asm: places where a debugger stops, when the named thing has just been done.
;
; Long mode. Each is called from C and returns at once; it exists for its name and address. They do
; not lie side by side: gdb takes a stop one byte behind a breakpoint for a hit of that breakpoint.

bits 64
section .text

global bp_memblock
global bp_mem_map
global bp_buddy

; IN -  OUT -  CLOBBERS -
align 16
bp_memblock:
	ret
align 16
bp_mem_map:
	ret
align 16
bp_buddy:
	ret

; entry.asm: the kernel's first instructions.
;
; CPU mode: 64-bit long mode, the loader's GDT and page tables, no IDT.
; Address:  first byte of the image, linked at 0xffffffff80000000.
; Entry:    RDI = physical address of boot_info; IF = 0, DF = 0; .bss is zero; the first 4 GiB of
;           physical memory are mapped one to one. Nothing else is relied on.
;
; This code gives the kernel its own stack, and CPU 0 its area. It also makes the one-to-one mapping
; visible a second time at MM_DIRECT_MAP (mm/port.h), so that phys_to_virt() works for the first
; 4 GiB from here on. The kernel's own page tables replace the loader's later.

bits 64
default rel

%include "include/progress.inc"

MM_DIRECT_MAP        equ DIRECT_MAP     ; kernel.mk takes it from mm/port.h
PML4_SHIFT           equ 39             ; Intel SDM 3A, 4.5: a PML4 entry maps 512 GiB
PML4_ENTRIES         equ 512
PML4_SLOT            equ (MM_DIRECT_MAP >> PML4_SHIFT) & (PML4_ENTRIES - 1)
CR3_FLAGS            equ 0xfff
MSR_GS_BASE          equ 0xc0000101

extern start_kernel
extern __boot_stack_top
extern boot_area

; Offsets from the base of GS, as symbols: percpu.h.
PERCPU_CACHES        equ 1024
global cpu_table
global cpu_home
cpu_table            equ PERCPU_CACHES
cpu_home             equ PERCPU_CACHES

section .text.entry progbits alloc exec nowrite align=16

; _start: sets up the stack and the mapping, and calls start_kernel().
; IN: RDI = physical address of boot_info. OUT: does not return. CLOBBERS: all.
global _start:function
_start:
        cli
        cld
        mov     al, PROGRESS_ENTERED
        out     PORT_PROGRESS, al
        mov     rax, cr3
        and     rax, ~CR3_FLAGS
        mov     rcx, [rax]              ; entry 0 maps the first 512 GiB one to one
        mov     [rax + PML4_SLOT * 8], rcx
        lea     rsp, [__boot_stack_top]
        mov     r8, rdi
        lea     rdx, [boot_area]        ; CPU 0's area: percpu.h
        mov     [rdx], rdx              ; its member self
        mov     eax, edx
        shr     rdx, 32
        mov     ecx, MSR_GS_BASE
        wrmsr
        mov     rdi, r8
        xor     ebp, ebp                ; ends every back-trace

global bp_kernel
bp_kernel:
        call    start_kernel
.halt:
        cli
        hlt
        jmp     .halt

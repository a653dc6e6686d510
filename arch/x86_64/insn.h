/*
 * insn.h: tells which memory the next instruction will read and write, from its bytes and the
 * registers before it. Single step uses it.
 *
 * It knows the general instructions of 64-bit mode that the compiler and this project's assembly
 * use, not those of the FPU and of vectors. It never guesses: of any other instruction it says that
 * it does not know it.
 *
 * This is a pure function, which host programs use too. Source: Intel SDM volume 2, chapter 2 and
 * appendix A.
 */
#ifndef ARCH_X86_64_INSN_H
#define ARCH_X86_64_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/arch.h"

struct trap_frame;

struct insn {
	unsigned int length;
	unsigned int nr_accesses; /* the first of access[] that are in use */
	struct arch_access access[ARCH_MAX_ACCESSES];
};

/*
 * Decodes the instruction whose bytes are at code, of which at most 15 are read, for a CPU with
 * these registers and this base of GS. regs->rip is its address. Of a repeated string instruction
 * the accesses are those of one repetition, none when RCX is 0. What the processor itself keeps in
 * memory, such as page tables and descriptors, is no access, nor is fetching the instruction.
 * Returns false for an instruction that it does not know.
 */
bool insn_decode(struct insn *insn, const uint8_t *code, const struct trap_frame *regs,
		 uint64_t gs_base);

#endif

#include "arch/x86_64/insn.h"

#include <stddef.h>

#include "arch/x86_64/traps.h"

#define MAX_LENGTH    15 /* the processor refuses longer instructions */
#define MAX_PREFIXES  5  /* so that not more than MAX_LENGTH bytes are read */

#define PREFIX_DATA16 0x66
#define PREFIX_GS     0x65
#define PREFIX_LOCK   0xf0
#define PREFIX_REPNE  0xf2
#define PREFIX_REP    0xf3
#define TWO_BYTES     0x0f /* the second table's opcodes follow it */

/* What is known of an opcode; 0: nothing. */
#define KNOWN         0x0001u
#define MODRM         0x0002u /* a ModRM byte follows, and what belongs to it */
#define READS         0x0004u /* reads the operand of the ModRM byte, if that is memory */
#define WRITES        0x0008u /* writes that operand, if it is memory */
#define SIZE_1        0x0010u /* that operand has one byte; the next three: two, four, eight */
#define SIZE_2        0x0020u
#define SIZE_4        0x0040u
#define SIZE_8        0x0080u
#define IMM_1         0x0100u /* an immediate operand of one byte follows; the next two: of two, four */
#define IMM_2         0x0200u
#define IMM_4         0x0400u
#define IMM_Z         0x0800u  /* an immediate of the operands' size, at most four bytes */
#define IMM_FULL      0x1000u  /* an immediate of the operands' size */
#define PUSHES        0x2000u  /* writes eight bytes below the stack pointer */
#define POPS          0x4000u  /* reads eight bytes at the stack pointer */
#define MOFFS         0x10000u /* the operand's address follows, eight bytes, and no ModRM byte */
#define GROUP         0x8000u  /* the ModRM byte tells more: see of_group() */

#define NONE          KNOWN
#define RM_NONE       (KNOWN | MODRM)
#define RM_R          (KNOWN | MODRM | READS)
#define RM_W          (KNOWN | MODRM | WRITES)
#define RM_RW         (KNOWN | MODRM | READS | WRITES)
#define RM_GROUP      (KNOWN | MODRM | GROUP)
#define JUMP_1        (KNOWN | IMM_1)
#define JUMP_4        (KNOWN | IMM_4)

/* The row of an arithmetic instruction: memory and register, register and memory, immediate. */
#define ARITHMETIC(first, access)                                                             \
	[first] = (access) | SIZE_1, [(first) + 1] = (access), [(first) + 2] = RM_R | SIZE_1, \
	[(first) + 3] = RM_R, [(first) + 4] = KNOWN | IMM_1, [(first) + 5] = KNOWN | IMM_Z

static const uint32_t one_byte[256] = {
	ARITHMETIC(0x00, RM_RW),          /* ADD */
	ARITHMETIC(0x08, RM_RW),          /* OR */
	ARITHMETIC(0x10, RM_RW),          /* ADC */
	ARITHMETIC(0x18, RM_RW),          /* SBB */
	ARITHMETIC(0x20, RM_RW),          /* AND */
	ARITHMETIC(0x28, RM_RW),          /* SUB */
	ARITHMETIC(0x30, RM_RW),          /* XOR */
	ARITHMETIC(0x38, RM_R),           /* CMP */
	[0x50 ... 0x57] = KNOWN | PUSHES, /* PUSH */
	[0x58 ... 0x5f] = KNOWN | POPS,   /* POP */
	[0x63] = RM_R | SIZE_4,           /* MOVSXD */
	[0x68] = KNOWN | PUSHES | IMM_4,
	[0x69] = RM_R | IMM_Z, /* IMUL */
	[0x6a] = KNOWN | PUSHES | IMM_1,
	[0x6b] = RM_R | IMM_1,
	[0x70 ... 0x7f] = JUMP_1, /* Jcc */
	[0x80] = RM_GROUP | SIZE_1 | IMM_1,
	[0x81] = RM_GROUP | IMM_Z,
	[0x83] = RM_GROUP | IMM_1,
	[0x84] = RM_R | SIZE_1, /* TEST */
	[0x85] = RM_R,
	[0x86] = RM_RW | SIZE_1, /* XCHG */
	[0x87] = RM_RW,
	[0x88] = RM_W | SIZE_1, /* MOV */
	[0x89] = RM_W,
	[0x8a] = RM_R | SIZE_1,
	[0x8b] = RM_R,
	[0x8c] = RM_W | SIZE_2, /* MOV from and to a segment register */
	[0x8d] = RM_NONE,       /* LEA */
	[0x8e] = RM_R | SIZE_2,
	[0x90 ... 0x99] = NONE,  /* NOP, XCHG of registers, CBW, CWD */
	[0x9c] = KNOWN | PUSHES, /* PUSHF */
	[0x9d] = KNOWN | POPS,
	[0xa0] = KNOWN | MOFFS | READS | SIZE_1, /* MOV */
	[0xa1] = KNOWN | MOFFS | READS,
	[0xa2] = KNOWN | MOFFS | WRITES | SIZE_1,
	[0xa3] = KNOWN | MOFFS | WRITES,
	[0xa4 ... 0xa7] = NONE, /* string instructions: see decode_string() */
	[0xa8] = KNOWN | IMM_1, /* TEST */
	[0xa9] = KNOWN | IMM_Z,
	[0xaa ... 0xaf] = NONE,
	[0xb0 ... 0xb7] = KNOWN | IMM_1, /* MOV */
	[0xb8 ... 0xbf] = KNOWN | IMM_FULL,
	[0xc0] = RM_GROUP | SIZE_1 | IMM_1,
	[0xc1] = RM_GROUP | IMM_1,
	[0xc2] = KNOWN | POPS | IMM_2, /* RET */
	[0xc3] = KNOWN | POPS,
	[0xc6] = RM_GROUP | SIZE_1 | IMM_1,
	[0xc7] = RM_GROUP | IMM_Z,
	[0xc9] = KNOWN | POPS, /* LEAVE: from where RBP points */
	[0xd0] = RM_GROUP | SIZE_1,
	[0xd1] = RM_GROUP,
	[0xd2] = RM_GROUP | SIZE_1,
	[0xd3] = RM_GROUP,
	[0xe0 ... 0xe3] = JUMP_1,        /* LOOP, JRCXZ */
	[0xe4 ... 0xe7] = KNOWN | IMM_1, /* IN, OUT */
	[0xe8] = JUMP_4 | PUSHES,        /* CALL */
	[0xe9] = JUMP_4,
	[0xeb] = JUMP_1,
	[0xec ... 0xef] = NONE, /* IN, OUT */
	[0xf4] = NONE,          /* HLT */
	[0xf5] = NONE,          /* CMC */
	[0xf6] = RM_GROUP | SIZE_1,
	[0xf7] = RM_GROUP,
	[0xf8 ... 0xfd] = NONE, /* CLC to STD, with CLI and STI */
	[0xfe] = RM_GROUP | SIZE_1,
	[0xff] = RM_GROUP,
};

static const uint32_t two_bytes[256] = {
	[0x01] = RM_GROUP,
	[0x08 ... 0x09] = NONE,          /* INVD, WBINVD */
	[0x0b] = NONE,                   /* UD2 */
	[0x18] = RM_NONE,                /* prefetches: a hint is no access */
	[0x1e ... 0x1f] = RM_NONE,       /* ENDBR64, NOP */
	[0x20 ... 0x23] = RM_NONE,       /* MOV from and to control and debug registers */
	[0x30 ... 0x32] = NONE,          /* WRMSR, RDTSC, RDMSR */
	[0x40 ... 0x4f] = RM_R,          /* CMOVcc: reads even if it does not move */
	[0x80 ... 0x8f] = JUMP_4,        /* Jcc */
	[0x90 ... 0x9f] = RM_W | SIZE_1, /* SETcc */
	[0xa2] = NONE,                   /* CPUID */
	[0xa3] = RM_GROUP,               /* BT */
	[0xa4] = RM_RW | IMM_1,          /* SHLD */
	[0xa5] = RM_RW,
	[0xab] = RM_GROUP,      /* BTS */
	[0xac] = RM_RW | IMM_1, /* SHRD */
	[0xad] = RM_RW,
	[0xae] = RM_GROUP,
	[0xaf] = RM_R,           /* IMUL */
	[0xb0] = RM_RW | SIZE_1, /* CMPXCHG: writes even if it does not exchange */
	[0xb1] = RM_RW,
	[0xb3] = RM_GROUP,      /* BTR */
	[0xb6] = RM_R | SIZE_1, /* MOVZX */
	[0xb7] = RM_R | SIZE_2,
	[0xb8] = RM_R, /* POPCNT */
	[0xba] = RM_GROUP | IMM_1,
	[0xbb] = RM_GROUP,      /* BTC */
	[0xbc ... 0xbd] = RM_R, /* BSF, BSR, TZCNT, LZCNT */
	[0xbe] = RM_R | SIZE_1, /* MOVSX */
	[0xbf] = RM_R | SIZE_2,
	[0xc0] = RM_RW | SIZE_1, /* XADD */
	[0xc1] = RM_RW,
	[0xc3] = RM_GROUP, /* MOVNTI */
	[0xc7] = RM_GROUP,
	[0xc8 ... 0xcf] = NONE, /* BSWAP */
};

/* An instruction that is being decoded. */
struct decoder {
	const uint8_t *at; /* the next byte */
	const struct trap_frame *regs;
	bool wide, data16, gs;       /* REX.W, and these prefixes */
	uint8_t rep;                 /* PREFIX_REP, PREFIX_REPNE, or 0 */
	uint8_t rex_r, rex_x, rex_b; /* what they add to register numbers: 8 or 0 */
	uint8_t opcode;
	bool second; /* the opcode is one of two_bytes[] */
	uint8_t mod, reg, rm;
	uint64_t address; /* of the operand, if mod is not 3: a register */
	bool relative;    /* it counts from the end of the instruction */
};

/* Returns the value of the register with this number. */
static uint64_t value(const struct decoder *d, unsigned int reg)
{
	static const uint8_t places[] = {
		offsetof(struct trap_frame, rax), offsetof(struct trap_frame, rcx),
		offsetof(struct trap_frame, rdx), offsetof(struct trap_frame, rbx),
		offsetof(struct trap_frame, rsp), offsetof(struct trap_frame, rbp),
		offsetof(struct trap_frame, rsi), offsetof(struct trap_frame, rdi),
		offsetof(struct trap_frame, r8),  offsetof(struct trap_frame, r9),
		offsetof(struct trap_frame, r10), offsetof(struct trap_frame, r11),
		offsetof(struct trap_frame, r12), offsetof(struct trap_frame, r13),
		offsetof(struct trap_frame, r14), offsetof(struct trap_frame, r15),
	};

	return *(const uint64_t *)((const char *)d->regs + places[reg]);
}

/* Reads a number of this many bytes. */
static uint64_t number(struct decoder *d, unsigned int size)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < size; i++)
		bits |= (uint64_t)*d->at++ << 8 * i;
	return bits;
}

/* Reads a displacement of four bytes, which is extended by its sign. */
static uint64_t displacement(struct decoder *d)
{
	return (uint64_t)(int64_t)(int32_t)number(d, 4);
}

/* Returns whether there was one of the prefixes that count. Reads it. */
static bool read_prefix(struct decoder *d)
{
	switch (*d->at) {
	case PREFIX_LOCK: /* changes nothing that is of interest */
	case 0x26:        /* segment overrides that 64-bit mode ignores: ES, CS, SS, DS */
	case 0x2e:
	case 0x36:
	case 0x3e:
		break;
	case PREFIX_DATA16:
		d->data16 = true;
		break;
	case PREFIX_GS:
		d->gs = true;
		break;
	case PREFIX_REP:
	case PREFIX_REPNE:
		d->rep = *d->at;
		break;
	default:
		return false;
	}
	d->at++;
	return true;
}

static void read_rex(struct decoder *d)
{
	if ((*d->at & 0xf0) != 0x40)
		return;
	d->wide = *d->at & 8;
	d->rex_r = *d->at & 4 ? 8 : 0;
	d->rex_x = *d->at & 2 ? 8 : 0;
	d->rex_b = *d->at & 1 ? 8 : 0;
	d->at++;
}

/* Adds what the SIB byte names to the address. */
static void read_sib(struct decoder *d)
{
	uint8_t sib = *d->at++;
	unsigned int scale = sib >> 6, index = (sib >> 3 & 7) | d->rex_x, base = sib & 7;

	if (index != 4) /* RSP cannot be an index */
		d->address += value(d, index) << scale;
	if (base == 5 && d->mod == 0)
		d->address += displacement(d);
	else
		d->address += value(d, base | d->rex_b);
}

/* Reads the ModRM byte, the SIB byte and the displacement. */
static void read_modrm(struct decoder *d)
{
	uint8_t modrm = *d->at++;

	d->mod = modrm >> 6;
	d->reg = modrm >> 3 & 7;
	d->rm = modrm & 7;
	if (d->mod == 3)
		return;
	if (d->rm == 4) {
		read_sib(d);
	} else if (d->rm == 5 && d->mod == 0) {
		d->relative = true;
		d->address = displacement(d);
	} else {
		d->address = value(d, d->rm | d->rex_b);
	}
	if (d->mod == 1)
		d->address += (uint64_t)(int64_t)(int8_t)*d->at++;
	else if (d->mod == 2)
		d->address += displacement(d);
}

static unsigned int operand_size(const struct decoder *d, unsigned int what)
{
	if (what & SIZE_1)
		return 1;
	if (what & SIZE_2)
		return 2;
	if (what & SIZE_4)
		return 4;
	return what & SIZE_8 || d->wide ? 8 : d->data16 ? 2 : 4;
}

static unsigned int immediate_size(const struct decoder *d, unsigned int what)
{
	unsigned int size = operand_size(d, what & ~(SIZE_1 | SIZE_2 | SIZE_4 | SIZE_8));

	if (what & IMM_FULL)
		return size;
	if (what & IMM_Z)
		return size < 4 ? size : 4;
	return what & IMM_1 ? 1 : what & IMM_2 ? 2 : what & IMM_4 ? 4 : 0;
}

/* The groups of one_byte[]: returns what an opcode does, by the ModRM byte's middle field. */
static unsigned int of_group(const struct decoder *d, unsigned int what)
{
	switch (d->opcode) {
	case 0x80: /* ADD to XOR, CMP */
	case 0x81:
	case 0x83:
		return what | (d->reg == 7 ? READS : READS | WRITES);
	case 0xc0: /* rotates and shifts */
	case 0xc1:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return d->reg == 6 ? 0 : what | READS | WRITES;
	case 0xc6: /* MOV */
	case 0xc7:
		return d->reg ? 0 : what | WRITES;
	case 0xf6: /* TEST with an immediate; NOT, NEG; MUL, IMUL, DIV, IDIV */
	case 0xf7:
		if (d->reg == 0)
			return what | READS | (d->opcode & 1 ? IMM_Z : IMM_1);
		if (d->reg == 1)
			return 0;
		return what | (d->reg <= 3 ? READS | WRITES : READS);
	default: /* 0xfe, 0xff: INC, DEC; CALL, JMP, PUSH */
		if (d->reg <= 1)
			return what | READS | WRITES;
		if (d->opcode == 0xfe)
			return 0;
		if (d->reg == 2 || d->reg == 6)
			return what | READS | PUSHES | SIZE_8;
		return d->reg == 4 ? what | READS | SIZE_8 : 0;
	}
}

/* The groups of two_bytes[]. */
static unsigned int of_second_group(const struct decoder *d, unsigned int what)
{
	bool memory = d->mod != 3;

	switch (d->opcode) {
	case 0x01: /* INVLPG reads nothing; SWAPGS */
		return d->reg == 7 && (memory || d->rm == 0) ? what : 0;
	case 0xa3: /* in memory the register would choose the word as well as the bit */
	case 0xab:
	case 0xb3:
	case 0xbb:
		return memory ? 0 : what;
	case 0xae: /* LFENCE, MFENCE, SFENCE */
		return !memory && !d->data16 && d->reg >= 5 ? what : 0;
	case 0xba: /* BT; BTS, BTR, BTC */
		return d->reg < 4 ? 0 : what | (d->reg == 4 ? READS : READS | WRITES);
	case 0xc3: /* MOVNTI */
		return memory ? what | WRITES : 0;
	default: /* 0xc7: CMPXCHG8B, but of 16 bytes it is left to those that need it */
		return memory && d->reg == 1 && !d->wide ? what | READS | WRITES | SIZE_8 : 0;
	}
}

/* Returns whether the prefixes that change an instruction's meaning, not only its operands, are
   ones that this opcode is known with. */
static bool prefixes_known(const struct decoder *d, unsigned int what, bool string)
{
	if (d->second && d->opcode == 0xb8) /* POPCNT, and without the prefix another one */
		return d->rep == PREFIX_REP;
	if (d->data16 && what & (PUSHES | POPS | IMM_4))
		return false;
	if (string)
		return !d->gs;
	if (d->rep && d->second)
		return d->opcode == 0xbc || d->opcode == 0xbd || d->opcode == 0x1e;
	return !d->rep || d->opcode == 0x90 || d->opcode == 0xc3; /* PAUSE; REP RET */
}

static void add_access(struct insn *insn, uint64_t address, unsigned int size, bool read,
		       bool write)
{
	insn->access[insn->nr_accesses++] = (struct arch_access){ address, size, read, write };
}

static bool is_string(const struct decoder *d)
{
	return !d->second && ((d->opcode >= 0xa4 && d->opcode <= 0xa7) ||
			      (d->opcode >= 0xaa && d->opcode <= 0xaf));
}

static void add_string(struct insn *insn, const struct decoder *d)
{
	unsigned int size = operand_size(d, d->opcode & 1 ? 0 : SIZE_1);

	if (d->rep && !d->regs->rcx)
		return;
	switch (d->opcode & ~1u) {
	case 0xa4: /* MOVS */
		add_access(insn, d->regs->rsi, size, true, false);
		add_access(insn, d->regs->rdi, size, false, true);
		break;
	case 0xa6: /* CMPS */
		add_access(insn, d->regs->rsi, size, true, false);
		add_access(insn, d->regs->rdi, size, true, false);
		break;
	case 0xaa: /* STOS */
		add_access(insn, d->regs->rdi, size, false, true);
		break;
	case 0xac: /* LODS */
		add_access(insn, d->regs->rsi, size, true, false);
		break;
	default: /* 0xae, SCAS */
		add_access(insn, d->regs->rdi, size, true, false);
	}
}

static void add_stack(struct insn *insn, const struct decoder *d, unsigned int what)
{
	if (what & PUSHES)
		add_access(insn, d->regs->rsp - 8, 8, false, true);
	else if (what & POPS)
		add_access(insn, d->opcode == 0xc9 ? d->regs->rbp : d->regs->rsp, 8, true, false);
}

static unsigned int what_it_does(struct decoder *d)
{
	unsigned int what;

	d->opcode = *d->at++;
	if (d->opcode == TWO_BYTES) {
		d->second = true;
		d->opcode = *d->at++;
	}
	what = d->second ? two_bytes[d->opcode] : one_byte[d->opcode];
	if (what & MODRM)
		read_modrm(d);
	if (what & MOFFS)
		d->address = number(d, 8);
	if (what & GROUP)
		what = d->second ? of_second_group(d, what) : of_group(d, what);
	return what;
}

bool insn_decode(struct insn *insn, const uint8_t *code, const struct trap_frame *regs,
		 uint64_t gs_base)
{
	struct decoder d = { .at = code, .regs = regs };
	unsigned int what;

	insn->nr_accesses = 0;
	while (d.at < code + MAX_PREFIXES && read_prefix(&d))
		;
	read_rex(&d);
	what = what_it_does(&d);
	if (!what || !prefixes_known(&d, what, is_string(&d)))
		return false;
	d.at += immediate_size(&d, what);
	insn->length = (unsigned int)(d.at - code);
	if (insn->length > MAX_LENGTH)
		return false;
	if (what & (READS | WRITES) && d.mod != 3)
		add_access(insn,
			   d.address + (d.relative ? regs->rip + insn->length : 0) +
			       (d.gs ? gs_base : 0),
			   operand_size(&d, what), what & READS, what & WRITES);
	if (is_string(&d))
		add_string(insn, &d);
	add_stack(insn, &d, what);
	return true;
}

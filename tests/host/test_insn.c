/*
 * test_insn.c: compares arch/x86_64/insn.c with objdump: the length and the memory accesses of each
 * instruction of the kernel, and of samples below, which the kernel may not contain.
 *
 * What an instruction accesses is worked out here from objdump's text, that is, from the
 * instruction's name and operands, so without any knowledge of opcodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/insn.h"
#include "arch/x86_64/traps.h"

#define MAX_LENGTH   15
#define MAX_OPERANDS 3
#define GS_BASE      0xffff888012345000ull

/* Instructions that insn_decode() must know, and some that it must refuse. They never run. */
__asm__(
    ".pushsection .text\n"
    "	.type known_samples, @function\n"
    "known_samples:\n"
    /* addresses */
    "	mov (%rax), %rbx; mov (%r12), %rbx; mov (%r13), %rbx; mov (%rsp), %rbx\n"
    "	mov 8(%rbp), %ebx; mov -0x12345678(%r15), %bx; mov 0x12345678(%r12), %bl\n"
    "	mov (%rax,%rcx,2), %r8; mov -1(%r13,%r14,8), %r8d; mov 4(%rsp,%r12,4), %r8w\n"
    "	mov 0x100(,%rbp,8), %r8b; mov 0x1000, %rax; mov (%rbp,%rax,1), %ah\n"
    "	mov known_samples(%rip), %rdx; movl $1, known_samples(%rip)\n"
    "	movw $1, known_samples+5(%rip); cmpb $1, known_samples(%rip)\n"
    "	mov %gs:(%rax), %rbx; mov %gs:8, %rbx; addl $1, %gs:known_samples(%rip)\n"
    "	movabs 0x1122334455667788, %al; movabs %eax, 0x1122334455667788\n"
    "	movabs %gs:0x10, %rax; movabs $0x1122334455667788, %r9; mov $1, %r9w; mov $1, %r9b\n"
    /* arithmetic */
    "	add %al, (%rdi); or %ax, (%rdi); adc (%rdi), %eax; sbb (%rdi), %rax; and $1, %al\n"
    "	sub $0x1234, %ax; xor $0x12345678, %eax; cmp (%rdi), %r8b; cmp %r8, (%rdi)\n"
    "	addq $1, (%rdi); addq $0x12345678, (%rdi); orw $0x1234, (%rdi); andb $1, (%rdi)\n"
    "	cmpq $0x12345678, (%rdi); cmpw $0x1234, (%rdi); testb $1, (%rdi); testl $1, (%rdi)\n"
    "	testw $1, (%rdi); test %rax, (%rdi); test $1, %al; test $0x1234, %ax\n"
    "	notq (%rdi); negl (%rdi); mulq (%rdi); imull (%rdi); divq (%rdi); idivb (%rdi)\n"
    "	imul (%rdi), %rax; imul $3, (%rdi), %eax; imul $0x1234, (%rdi), %ax\n"
    "	incq (%rdi); decb (%rdi); shlq (%rdi); shrl $3, (%rdi); sarb %cl, (%rdi)\n"
    "	rolw $1, (%rdi); rorq %cl, (%rdi); shld $3, %rax, (%rdi); shrd %cl, %eax, (%rdi)\n"
    "	movzbl (%rdi), %eax; movzwl (%rdi), %eax; movzbw (%rdi), %ax; movsbq (%rdi), %rax\n"
    "	movswl (%rdi), %eax; movslq (%rdi), %rax; movzwq (%rdi), %r9; cltq; cqto; cwtl\n"
    "	mov %ds, (%rdi); mov (%rdi), %es; movnti %rax, (%rdi); bswap %r9\n"
    /* bits and conditions */
    "	btl $3, (%rdi); btsq $3, (%rdi); btrw $3, (%rdi); btcl $3, (%rdi); bt %rax, %rbx\n"
    "	bts %eax, %ebx; btr %ax, %bx; btc %rax, %rbx; bsf (%rdi), %rax; bsr (%rdi), %eax\n"
    "	tzcnt (%rdi), %rax; lzcnt (%rdi), %eax; popcnt (%rdi), %rax; popcnt %rax, %rax\n"
    "	cmove (%rdi), %rax; cmovbe (%rdi), %eax; cmovg %rax, %rax; setne (%rdi); seta %r9b\n"
    /* atomic */
    "	lock cmpxchg %rdx, (%rdi); cmpxchg %dl, (%rdi); lock xadd %rdx, (%rdi)\n"
    "	xchg %rdx, (%rdi); xchg %dl, (%rdi); xchg %rdx, %rcx; xchg %rdx, %rax\n"
    "	lock cmpxchg8b (%rdi); lock orq $1, (%rdi); lock incl (%rdi); lock btsq $3, (%rdi)\n"
    /* the stack and jumps */
    "	push %rax; push %r9; push $1; push $0x12345678; pushq 8(%rsp); pop %rax; pop %r9\n"
    "	pushfq; popfq; leave; ret; ret $8; rep ret; call known_samples; call *%rax\n"
    "	call *8(%rax); jmp *%rax; jmp *0x1000(,%rax,8); jmp known_samples\n"
    "	jmp .; jne .; jne known_samples-0x1000; jrcxz .; loop .\n"
    /* strings */
    "	movsb; movsw; movsl; movsq; rep movsb; rep movsq; stosb; stosl; rep stosq\n"
    "	lodsb; lodsq; scasb; repne scasb; cmpsb; repe cmpsq\n"
    /* without an operand in memory */
    "	lea 8(%rax), %rbx; lea known_samples(%rip), %rbx; nop; xchg %ax, %ax; nopl (%rax)\n"
    "	nopw 0x12345678(%rax,%rax,1); pause; lfence; mfence; sfence; cli; sti; cld; std; clc\n"
    "	stc; cmc; hlt; cpuid; rdtsc; rdmsr; wrmsr; wbinvd; invlpg (%rax); swapgs; ud2\n"
    "	endbr64; prefetcht0 (%rax); prefetchnta 8(%rax); mov %cr3, %rax; mov %rax, %cr3\n"
    "	mov %dr6, %rax; in %dx, %al; out %eax, %dx; in $0x60, %al; out %al, $0x80\n"
    "	.byte 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n" /* a long NOP */
    "	.size known_samples, . - known_samples\n"
    "	.type unknown_samples, @function\n"
    "unknown_samples:\n"
    "	bt %rax, (%rdi); bts %eax, (%rdi); mov %fs:8, %rax; mov (%eax), %rbx\n"
    "	gs movsb; pop (%rsp); pushw $1; popw %ax; enter $8, $0; int3; int $3; iretq; lretq\n"
    "	cmpxchg16b (%rdi); clflush (%rdi); clflushopt (%rdi); fxsave (%rdi); sgdt (%rdi)\n"
    "	lgdt (%rdi); ltr %ax; rdfsbase %rax; rdtscp; syscall; fwait; fldl (%rdi)\n"
    "	movaps (%rdi), %xmm0; movsd (%rdi), %xmm0; paddb (%rdi), %xmm1; movbe (%rdi), %eax\n"
    "	vmovaps (%rdi), %ymm0; andn (%rdi), %rax, %rbx; prefetchw (%rdi); xlat; ud1 %eax, %eax\n"
    "	.size unknown_samples, . - unknown_samples\n"
    "	.popsection");

/* Privileged instructions of the kernel that insn_decode() need not know. */
static const char *const refused[] = { "iretq", "lretq",   "lgdt",   "lidt", "lldt",
				       "ltr",   "clflush", "rdtscp", "int3", "sgdt" };

static const char *program; /* the path of this one */

/* ---- objdump's text ---- */

struct line {
	uint64_t address;
	uint8_t bytes[MAX_LENGTH];
	unsigned int length;
	char text[200]; /* as objdump prints it, for messages */
	char copy[200]; /* the same, in pieces */
	bool repeated;
	const char *name; /* without prefixes */
	char *operands[MAX_OPERANDS];
	unsigned int nr_operands;
};

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Skips a prefix, if objdump prints it as a word of its own. */
static bool skip_prefix(struct line *line, char **text)
{
	static const char *const prefixes[] = { "lock ", "rep ",   "repz ",   "repnz ", "data16 ",
						"cs ",   "rex.W ", "addr32 ", "gs ",    "bnd " };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (starts(*text, prefixes[i])) {
			line->repeated |= starts(prefixes[i], "rep");
			*text += strlen(prefixes[i]);
			return true;
		}
	return false;
}

/* Cuts the text into the name and the operands, at commas that are not in parentheses. */
static void cut(struct line *line)
{
	char *c;
	unsigned int depth = 0;

	memcpy(line->copy, line->text, sizeof(line->copy));
	line->copy[strcspn(line->copy, "#<\n")] = 0;
	for (size_t end = strlen(line->copy); end && line->copy[end - 1] == ' '; end--)
		line->copy[end - 1] = 0;
	c = line->copy;
	while (skip_prefix(line, &c))
		;
	line->name = c;
	c += strcspn(c, " ");
	if (*c)
		*c++ = 0;
	while (*c == ' ')
		c++;
	if (*c)
		line->operands[line->nr_operands++] = c;
	for (; *c; c++) {
		depth += *c == '(';
		depth -= *c == ')';
		if (*c == ',' && !depth) {
			*c = 0;
			assert_true(line->nr_operands < MAX_OPERANDS);
			line->operands[line->nr_operands++] = c + 1;
		}
	}
}

/* Takes a line "address:<tab>bytes<tab>text" apart. Returns false if it is another one. */
static bool parse(struct line *line, char *text)
{
	char *at;

	memset(line, 0, sizeof(*line));
	line->address = strtoull(text, &at, 16);
	if (at == text || *at++ != ':' || *at++ != '\t')
		return false;
	while (isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])) {
		assert_true(line->length < MAX_LENGTH);
		line->bytes[line->length++] = (uint8_t)strtoul(at, &at, 16);
		at += *at == ' ';
	}
	while (*at == ' ')
		at++;
	if (*at++ != '\t')
		return false;
	at[strcspn(at, "\n")] = 0;
	assert_true(strlen(at) < sizeof(line->text));
	memcpy(line->text, at, strlen(at));
	cut(line);
	return true;
}

/* ---- what the text says ---- */

static struct trap_frame regs;

static uint64_t register_value(const char *name, size_t length)
{
	static const struct {
		const char *name;
		const uint64_t *value;
	} registers[] = {
		{ "%rax", &regs.rax }, { "%rcx", &regs.rcx }, { "%rdx", &regs.rdx },
		{ "%rbx", &regs.rbx }, { "%rsp", &regs.rsp }, { "%rbp", &regs.rbp },
		{ "%rsi", &regs.rsi }, { "%rdi", &regs.rdi }, { "%r8", &regs.r8 },
		{ "%r9", &regs.r9 },   { "%r10", &regs.r10 }, { "%r11", &regs.r11 },
		{ "%r12", &regs.r12 }, { "%r13", &regs.r13 }, { "%r14", &regs.r14 },
		{ "%r15", &regs.r15 }, { "%rip", &regs.rip },
	};

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		if (strlen(registers[i].name) == length &&
		    !strncmp(registers[i].name, name, length))
			return *registers[i].value;
	fail_msg("no register: %s", name);
	return 0;
}

/* Returns the bytes of a register operand, or 0 if it is none. */
static unsigned int register_size(const char *operand)
{
	size_t length = strlen(operand);

	if (operand[0] != '%' || strpbrk(operand, ":("))
		return 0;
	if (operand[2] == 's' && length == 3) /* %ds and other segments */
		return 2;
	if (operand[1] == 'r')
		return operand[length - 1] == 'b'                                         ? 1
		       : operand[length - 1] == 'w'                                       ? 2
		       : operand[length - 1] == 'd' && isdigit((unsigned char)operand[2]) ? 4
											  : 8;
	if (operand[1] == 'e')
		return 4;
	return operand[length - 1] == 'l' || operand[length - 1] == 'h' ? 1 : 2;
}

static bool is_memory(const struct line *line, const char *operand)
{
	if (!strcmp(operand, "(%dx)")) /* a port */
		return false;
	if (strchr(operand, '(') || strchr(operand, ':'))
		return true;
	return *operand != '$' && *operand != '%' && line->nr_operands > 1;
}

/* Returns the address of an operand such as *%gs:-8(%rax,%rcx,4). */
static uint64_t address_of(const char *operand)
{
	uint64_t address = 0;
	char *at;

	operand += *operand == '*';
	if (starts(operand, "%gs:"))
		address += GS_BASE;
	if (operand[0] == '%')
		operand += 4;
	address += *operand == '-' ? -strtoull(operand + 1, &at, 16) : strtoull(operand, &at, 16);
	if (*at++ != '(')
		return address;
	if (*at == '%') {
		size_t length = strcspn(at, ",)");

		address += register_value(at, length);
		at += length;
	}
	if (*at == ',') {
		size_t length = strcspn(++at, ",)");

		if (strncmp(at, "%riz", length) != 0)
			address += register_value(at, length) * strtoull(at + length + 1, NULL, 10);
	}
	return address;
}

static unsigned int letter_size(char letter)
{
	switch (letter) {
	case 'b':
		return 1;
	case 'w':
		return 2;
	case 'l':
		return 4;
	case 'q':
		return 8;
	default:
		fail_msg("no size: %c", letter);
		return 0;
	}
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (starts(name, *names))
			return true;
	return false;
}

/* Returns the bytes of the operand in memory. */
static unsigned int size_of(const struct line *line)
{
	static const char *const shifts[] = { "shl", "shr", "sar", "sal", "rol", "ror", NULL };
	static const char *const stack[] = { "push", "call", "jmp", NULL };
	static const char *const extends[] = { "movz", "movs", NULL };
	const char *name = line->name;
	char last = name[strlen(name) - 1];

	if (starts(name, "set"))
		return 1;
	if (is_one_of(name, stack) || starts(name, "cmpxchg8b"))
		return 8;
	if (is_one_of(name, extends) && strlen(name) >= 6)
		return letter_size(name[4]);
	if (is_one_of(name, shifts) && !starts(name, "shld") && !starts(name, "shrd"))
		return letter_size(last);
	for (unsigned int i = line->nr_operands; i--;)
		if (register_size(line->operands[i]) &&
		    !(i == 0 && line->nr_operands == 3)) /* the %cl of shld */
			return register_size(line->operands[i]);
	return letter_size(last);
}

static void expect(struct insn *insn, uint64_t address, unsigned int size, bool read, bool write)
{
	assert_true(insn->nr_accesses < ARCH_MAX_ACCESSES);
	insn->access[insn->nr_accesses++] = (struct arch_access){ address, size, read, write };
}

/* What an instruction does with its operand in memory, which is its i-th. */
static void expect_operand(struct insn *insn, const struct line *line, unsigned int i)
{
	static const char *const readers[] = { "cmp",  "test", "mul",  "imul", "div",
					       "idiv", "push", "call", "jmp",  NULL };
	static const char *const writers[] = { "mov", "set", "stos", NULL };
	static const char *const neither[] = { "lea", "nop", "invlpg", "prefetch", NULL };
	const char *name = line->name, *operand = line->operands[i];
	bool first = i == 0 && line->nr_operands > 1;
	bool string = strstr(operand, ":(%rsi)") || strstr(operand, ":(%rdi)");

	if (is_one_of(name, neither) || !strcmp(name, "leave"))
		return;
	if (string && starts(name, "cmps"))
		first = true;
	if ((first && !starts(name, "xchg")) ||
	    (starts(name, "bt") && strlen(name) == 3 && !strchr("src", name[2])) ||
	    (is_one_of(name, readers) && !starts(name, "cmpxchg")) || starts(name, "scas"))
		expect(insn, address_of(operand), size_of(line), true, false);
	else
		expect(insn, address_of(operand), size_of(line), !is_one_of(name, writers), true);
}

/* Fills insn with what the text of a line says. */
static void expect_line(struct insn *insn, const struct line *line)
{
	static const char *const pushes[] = { "push", "call", NULL };
	static const char *const pops[] = { "pop", "ret", NULL };

	insn->length = line->length;
	insn->nr_accesses = 0;
	for (unsigned int i = 0; i < line->nr_operands; i++)
		if (is_memory(line, line->operands[i]))
			expect_operand(insn, line, i);
	if (is_one_of(line->name, pushes))
		expect(insn, regs.rsp - 8, 8, false, true);
	if (is_one_of(line->name, pops) && !starts(line->name, "popcnt"))
		expect(insn, regs.rsp, 8, true, false);
	if (starts(line->name, "leave"))
		expect(insn, regs.rbp, 8, true, false);
}

/* ---- the comparison ---- */

static bool same_access(const struct arch_access *a, const struct arch_access *b)
{
	return a->address == b->address && a->size == b->size && a->read == b->read &&
	       a->write == b->write;
}

/* The order of two accesses does not count. */
static bool same(const struct insn *a, const struct insn *b)
{
	if (a->length != b->length || a->nr_accesses != b->nr_accesses)
		return false;
	if (a->nr_accesses == 2 && same_access(&a->access[0], &b->access[1]))
		return same_access(&a->access[1], &b->access[0]);
	for (unsigned int i = 0; i < a->nr_accesses; i++)
		if (!same_access(&a->access[i], &b->access[i]))
			return false;
	return true;
}

static void describe(char *text, size_t size, const struct insn *insn)
{
	int at = snprintf(text, size, "%u bytes", insn->length);

	for (unsigned int i = 0; i < insn->nr_accesses; i++)
		at += snprintf(text + at, size - (size_t)at, ", %s%s %u at 0x%" PRIx64,
			       insn->access[i].read ? "r" : "", insn->access[i].write ? "w" : "",
			       insn->access[i].size, (uint64_t)insn->access[i].address);
}

static struct {
	unsigned int known, unknown, reads, writes, both;
} seen;

static void fill_registers(void)
{
	uint64_t *values = (uint64_t *)&regs, state = 0x123456789abcdef;

	for (size_t i = 0; i < sizeof(regs) / sizeof(*values); i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		values[i] = state ^ state >> 29;
	}
}

/* Decodes the instruction of a line, from a buffer of no more bytes than it may read. */
static bool decode(struct insn *insn, const struct line *line)
{
	uint8_t *code = malloc(MAX_LENGTH);
	bool known;

	memset(code, 0xcc, MAX_LENGTH);
	memcpy(code, line->bytes, line->length);
	regs.rip = line->address;
	known = insn_decode(insn, code, &regs, GS_BASE);
	free(code);
	return known;
}

static void count(const struct insn *insn)
{
	seen.known++;
	for (unsigned int i = 0; i < insn->nr_accesses; i++) {
		seen.reads += insn->access[i].read && !insn->access[i].write;
		seen.writes += !insn->access[i].read && insn->access[i].write;
		seen.both += insn->access[i].read && insn->access[i].write;
	}
}

static void compare(const struct line *line)
{
	struct insn got, expected;
	char got_text[150], expected_text[150];

	if (!decode(&got, line)) {
		seen.unknown++;
		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
			if (!strcmp(line->name, refused[i]))
				return;
		fail_msg("%" PRIx64 ": %s: insn_decode() does not know it", line->address,
			 line->text);
	}
	regs.rip = line->address + line->length; /* what %rip stands for in the text */
	expect_line(&expected, line);
	describe(got_text, sizeof(got_text), &got);
	describe(expected_text, sizeof(expected_text), &expected);
	if (!same(&got, &expected))
		fail_msg("%" PRIx64 ": %s: %s; objdump says %s", line->address, line->text,
			 got_text, expected_text);
	count(&got);
}

static void refuse(const struct line *line)
{
	struct insn got;

	seen.unknown++;
	if (decode(&got, line))
		fail_msg("%s: insn_decode() knows it", line->text);
}

/* Calls visit for each instruction of a program, or of one function of it. */
static void for_each_line(const char *path, const char *function,
			  void (*visit)(const struct line *))
{
	char command[400], text[300];
	struct line line;
	FILE *pipe;

	snprintf(command, sizeof(command), "objdump -d -w --insn-width=15 -j .text %s%s '%s'",
		 function ? "--disassemble=" : "", function ? function : "", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	memset(&seen, 0, sizeof(seen));
	fill_registers();
	while (fgets(text, sizeof(text), pipe))
		if (parse(&line, text))
			visit(&line);
	assert_int_equal(pclose(pipe), 0);
}

static void kernel(void **state)
{
	const char *build = getenv("B");
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/kernel.elf", build ? build : "build");
	for_each_line(path, NULL, compare);
	print_message("# %u instructions, %u refused; %u reads, %u writes, %u of both\n",
		      seen.known, seen.unknown, seen.reads, seen.writes, seen.both);
	assert_true(seen.known > 20000 && seen.reads > 5000 && seen.writes > 5000 &&
		    seen.both > 200);
}

static void samples(void **state)
{
	(void)state;
	for_each_line(program, "known_samples", compare);
	assert_true(seen.known > 150 && !seen.unknown);
}

static void refusals(void **state)
{
	(void)state;
	for_each_line(program, "unknown_samples", refuse);
	assert_true(seen.unknown > 30);
}

/* Bytes that are no instruction in the manual. */
static void no_instructions(void **state)
{
	static const uint8_t bytes[][MAX_LENGTH] = {
		{ 0x06 },       { 0xd6 },       { 0xff, 0xf8 },       { 0xfe, 0x10 },
		{ 0xf6, 0xc8 }, { 0x0f, 0x0c }, { 0xc6, 0x08 },       { 0xc0, 0x30 },
		{ 0x0f, 0xb8 }, { 0x0f, 0xba }, { 0x0f, 0xc3, 0xc0 },
	};
	struct insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		if (insn_decode(&insn, bytes[i], &regs, GS_BASE))
			fail_msg("%02x %02x", bytes[i][0], bytes[i][1]);
}

/* RCX of 0 ends a repetition before the first access. */
static void ended_repetition(void **state)
{
	static const uint8_t code[MAX_LENGTH] = { 0xf3, 0x48, 0xab };
	struct insn insn;

	(void)state;
	fill_registers();
	assert_true(insn_decode(&insn, code, &regs, GS_BASE));
	assert_int_equal(insn.nr_accesses, 1);
	regs.rcx = 0;
	assert_true(insn_decode(&insn, code, &regs, GS_BASE));
	assert_int_equal(insn.nr_accesses, 0);
	assert_int_equal(insn.length, 3);
	assert_true(insn_decode(&insn, code + 1, &regs, GS_BASE));
	assert_int_equal(insn.nr_accesses, 1);
}

/* Whatever the bytes are, also when they begin with many prefixes, not more than 15 of them are
   read, and the result is in range. */
static void random_bytes(void **state)
{
	uint8_t *code = malloc(MAX_LENGTH);
	uint64_t random = 1;
	struct insn insn;

	(void)state;
	fill_registers();
	for (unsigned int i = 0; i < 1000000; i++) {
		for (unsigned int j = 0; j < MAX_LENGTH; j++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			code[j] = j < i % MAX_LENGTH / 2 * 2 ? 0x2e : (uint8_t)(random >> 56);
		}
		if (!insn_decode(&insn, code, &regs, GS_BASE))
			continue;
		assert_in_range(insn.length, 1, MAX_LENGTH);
		assert_in_range(insn.nr_accesses, 0, ARCH_MAX_ACCESSES);
		for (unsigned int j = 0; j < insn.nr_accesses; j++)
			assert_in_range(insn.access[j].size, 1, 8);
	}
	free(code);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel),           cmocka_unit_test(samples),
		cmocka_unit_test(refusals),         cmocka_unit_test(no_instructions),
		cmocka_unit_test(ended_repetition), cmocka_unit_test(random_bytes),
	};

	(void)argc;
	program = argv[0];
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("insn", tests, NULL, NULL);
}

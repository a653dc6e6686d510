/*
 * test_elf.c: tests stage2/elf.c with a small kernel file made in memory.
 *
 * The file as it is made must be accepted. Then one field after another is set to a value that must
 * be refused, with a trailer that fits, and the refusal has to name that fault. Then the file is
 * damaged without a new trailer: cut to each shorter length, and with each bit flipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc32.h"
#include "stage2/elf.h"
#include "tests/host/kernel_file.h"

#define BASE         0xffffffff80000000ull
#define TEXT_OFFSET  0x1000u
#define DATA_OFFSET  0x2000u
#define DATA_BYTES   0x40u
#define BSS_BYTES    0x5000u
#define SEALED_BYTES (DATA_OFFSET + DATA_BYTES)
#define FILE_BYTES   (SEALED_BYTES + TRAILER_BYTES)

static uint8_t file[FILE_BYTES];
static char why[200];
static struct elf_image image;

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)file;
}

static Elf64_Phdr *segment(unsigned int n)
{
	return (Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)) + n;
}

static void seal(void)
{
	kernel_seal(file, SEALED_BYTES);
}

static void build(void)
{
	memset(file, 0x5a, sizeof(file));
	*header() = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = BASE + 0x10,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	};
	*segment(0) = (Elf64_Phdr){ .p_type = PT_LOAD,
				    .p_flags = PF_R | PF_X,
				    .p_offset = TEXT_OFFSET,
				    .p_vaddr = BASE,
				    .p_filesz = 0x800,
				    .p_memsz = 0x800 };
	*segment(1) = (Elf64_Phdr){ .p_type = PT_LOAD,
				    .p_flags = PF_R | PF_W,
				    .p_offset = DATA_OFFSET,
				    .p_vaddr = BASE + 0x3000,
				    .p_filesz = DATA_BYTES,
				    .p_memsz = BSS_BYTES };
	*segment(2) = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	seal();
}

static bool check(uint32_t size)
{
	uint8_t *exact = malloc(size ? size : 1); /* the sanitizer reports reads beyond it */
	bool right;

	memcpy(exact, file, size);
	why[0] = 0;
	right = elf_check(exact, size, &image, why, sizeof(why));
	free(exact);
	return right;
}

static void accepts_a_kernel(void **state)
{
	(void)state;
	build();
	assert_true(check(FILE_BYTES));
	assert_int_equal(image.virt, BASE);
	assert_int_equal(image.entry, BASE + 0x10);
	assert_int_equal(image.nr_segments, 2);
	assert_int_equal(image.size, 0x8000);
	assert_int_equal(image.segments[1].offset, DATA_OFFSET);
	assert_int_equal(image.segments[1].file_size, DATA_BYTES);
	assert_int_equal(image.segments[1].memory, 0x3000);
	assert_int_equal(image.segments[1].memory_size, BSS_BYTES);
}

/* Gives the file a trailer that fits, and demands that it is refused with exactly these words. */
static void refused(const char *words)
{
	seal();
	assert_false(check(FILE_BYTES));
	assert_string_equal(why, words);
	build();
}

/* Demands that the file with a trailer that fits is accepted. */
static void accepted(void)
{
	seal();
	if (!check(FILE_BYTES))
		fail_msg("%s", why);
}

/* The CRC is of all bytes, also of a file that does not end with a whole word. */
static void accepts_odd_sizes(void **state)
{
	(void)state;
	for (uint32_t cut = 1; cut < 4; cut++) {
		build();
		segment(1)->p_filesz -= cut;
		kernel_seal(file, SEALED_BYTES - cut);
		assert_true(check(FILE_BYTES - cut));
		file[SEALED_BYTES - cut - 1] ^= 1;
		assert_false(check(FILE_BYTES - cut));
	}
}

static void accepts_the_limits(void **state)
{
	(void)state;
	build();
	segment(2)->p_type = PT_LOAD; /* of no bytes: its address does not count */
	accepted();
	assert_int_equal(image.nr_segments, 2);
	build();
	segment(0)->p_memsz = 0x3000; /* up to the next one */
	accepted();
	segment(0)->p_memsz = 0x3001;
	refused("segment 1 lies below the one before it or overlaps it");
	segment(1)->p_memsz = ELF_MAX_MEMORY - 0x3000;
	accepted();
	assert_int_equal(image.size, ELF_MAX_MEMORY);
	segment(1)->p_memsz = ELF_MAX_MEMORY - 0x3000 + 1;
	refused("segment 1 makes it larger than 64 MiB in memory");
	segment(1)->p_memsz = 0x5001; /* the image's size is rounded up to pages */
	accepted();
	assert_int_equal(image.size, 0x9000);
	segment(1)->p_filesz = segment(1)->p_memsz = FILE_BYTES - DATA_OFFSET; /* all of the file */
	accepted();
	segment(1)->p_memsz++;
	segment(1)->p_filesz++;
	refused("segment 1 reaches past the end of the file");
	segment(1)->p_offset = FILE_BYTES;
	segment(1)->p_vaddr = BASE + 0x3000 + FILE_BYTES % ELF_PAGE;
	segment(1)->p_filesz = 0;
	accepted();
	segment(1)->p_offset += ELF_PAGE;
	refused("segment 1 reaches past the end of the file");
	header()->e_entry = BASE + 0x7ff;
	accepted();
	header()->e_entry = BASE;
	accepted();
	assert_int_equal(image.entry, BASE);
	header()->e_entry = BASE + 0x200010; /* linked 2 MiB higher */
	segment(0)->p_vaddr += 0x200000;
	segment(1)->p_vaddr += 0x200000;
	accepted();
	assert_int_equal(image.virt, BASE + 0x200000);
	assert_int_equal(image.segments[1].memory, 0x3000);
	assert_int_equal(image.size, 0x8000);
	build();
	segment(0)->p_vaddr = BASE - ELF_PAGE;
	refused("segment 0 is not in the top 2 GiB (address 0xffffffff7ffff000)");
	segment(1)->p_memsz = 0 - segment(1)->p_vaddr - 1; /* ends before the last byte */
	refused("segment 1 makes it larger than 64 MiB in memory");
	/* Program headers up to the end of the file. */
	memset(file + FILE_BYTES - TRAILER_BYTES - 3 * sizeof(Elf64_Phdr), 0,
	       3 * sizeof(Elf64_Phdr));
	header()->e_phnum = 3;
	header()->e_phoff = FILE_BYTES - 3 * sizeof(Elf64_Phdr);
	refused("no segment to load");
	header()->e_phnum = 0;
	header()->e_phoff = FILE_BYTES;
	refused("no segment to load");
	header()->e_phoff = FILE_BYTES - 3 * sizeof(Elf64_Phdr) + 1;
	refused("program headers reach past the end of the file");
}

static void names_faults_of_the_header(void **state)
{
	(void)state;
	build();
	for (unsigned int i = 0; i < 4; i++) {
		file[i] ^= 0x20;
		refused("not an ELF file");
	}
	header()->e_ident[EI_CLASS] = ELFCLASS32;
	refused("not a 64-bit little-endian ELF file");
	header()->e_ident[EI_DATA] = ELFDATA2MSB;
	refused("not a 64-bit little-endian ELF file");
	header()->e_machine = EM_386;
	refused("for machine 3, not x86-64 (62)");
	header()->e_type = ET_DYN;
	refused("of ELF type 3, not executable (2)");
	header()->e_phentsize = 32;
	refused("program headers of 32 bytes, not 56");
	header()->e_phoff = FILE_BYTES - 100;
	refused("program headers reach past the end of the file");
	header()->e_phoff = UINT64_MAX - 8;
	refused("program headers reach past the end of the file");
	header()->e_phnum = 0xffff;
	refused("program headers reach past the end of the file");
	header()->e_phnum = 0;
	refused("no segment to load");
	header()->e_entry = BASE + 0x800;
	refused("entry 0xffffffff80000800 is in no executable segment");
	header()->e_entry = BASE + 0x3000;
	refused("entry 0xffffffff80003000 is in no executable segment");
	header()->e_entry = BASE - 1;
	refused("entry 0xffffffff7fffffff is in no executable segment");
	header()->e_entry = 0;
	refused("entry 0 is in no executable segment");
}

static void names_faults_of_a_segment(void **state)
{
	(void)state;
	build();
	segment(1)->p_offset = FILE_BYTES;
	refused("segment 1 reaches past the end of the file");
	segment(1)->p_offset = UINT64_MAX - 0xfff;
	refused("segment 1 reaches past the end of the file");
	segment(1)->p_filesz = UINT64_MAX;
	refused("segment 1 reaches past the end of the file");
	segment(0)->p_memsz = 0x7ff;
	refused("segment 0 is larger in the file than in memory");
	segment(0)->p_vaddr = 0x100000;
	refused("segment 0 is not in the top 2 GiB (address 0x100000)");
	segment(1)->p_memsz = 0x7fffd000; /* ends with the address space */
	refused("segment 1 is not in the top 2 GiB (address 0xffffffff80003000)");
	segment(1)->p_memsz = UINT64_MAX;
	refused("segment 1 is not in the top 2 GiB (address 0xffffffff80003000)");
	segment(1)->p_memsz = 0x4000000;
	refused("segment 1 makes it larger than 64 MiB in memory");
	segment(1)->p_vaddr += 8;
	refused("segment 1 is aligned differently in memory and in the file");
	segment(0)->p_flags |= PF_W;
	refused("segment 0 is writable and executable");
	segment(1)->p_flags |= PF_X;
	refused("segment 1 is writable and executable");
	segment(1)->p_vaddr = BASE;
	refused("segment 1 lies below the one before it or overlaps it");
	segment(0)->p_vaddr = BASE + 0x8000;
	refused("segment 1 lies below the one before it or overlaps it");
	segment(0)->p_vaddr = BASE + 0x1000;
	refused("linked at 0xffffffff80001000, not a multiple of 2 MiB");
	segment(2)->p_type = PT_INTERP;
	refused("asks for a dynamic linker");
	segment(0)->p_type = segment(1)->p_type = PT_NOTE;
	refused("no segment to load");
}

static void counts_segments(void **state)
{
	(void)state;
	build();
	header()->e_phnum = ELF_MAX_SEGMENTS + 1;
	for (unsigned int n = 2; n <= ELF_MAX_SEGMENTS; n++)
		*segment(n) = (Elf64_Phdr){ .p_type = PT_LOAD,
					    .p_flags = PF_R,
					    .p_vaddr = BASE + n * 0x10000ull,
					    .p_memsz = 1 };
	refused("more than 8 segments");
}

static void names_faults_of_the_trailer(void **state)
{
	char expected[80];

	(void)state;
	build();
	file[SEALED_BYTES] ^= 1;
	assert_false(check(FILE_BYTES));
	assert_string_equal(why, "cut short or never sealed: no trailer at its end");
	build();
	file[SEALED_BYTES + 8] ^= 1;
	assert_false(check(FILE_BYTES));
	assert_string_equal(why, "damaged: 8256 bytes, sealed with 8257");
	build();
	file[DATA_OFFSET] ^= 1;
	assert_false(check(FILE_BYTES));
	snprintf(expected, sizeof(expected), "damaged: CRC32 %08x, sealed with %08x",
		 crc32(file, SEALED_BYTES), *(uint32_t *)(file + SEALED_BYTES + 12));
	assert_string_equal(why, expected);
	file[0] = 0;
	assert_false(check(TRAILER_BYTES - 1));
	assert_string_equal(why, "not an ELF file; only 15 bytes long");
	assert_false(check(TRAILER_BYTES));
	assert_string_equal(why,
			    "not an ELF file; cut short or never sealed: no trailer at its end");
}

/* The reason is cut to the caller's room. */
static void reasons_fit(void **state)
{
	(void)state;
	build();
	file[0] = 0;
	for (size_t room = 1; room < sizeof(why); room++) {
		memset(why, '~', sizeof(why));
		assert_false(elf_check(file, FILE_BYTES, &image, why, room));
		assert_true(strlen(why) < room);
		for (size_t i = room; i < sizeof(why); i++)
			assert_int_equal(why[i], '~');
	}
}

/* The message for a damaged header says what is wrong in it, and that the file is damaged. */
static void says_when_a_fault_is_damage(void **state)
{
	(void)state;
	build();
	segment(1)->p_flags |= PF_X;
	assert_false(check(FILE_BYTES));
	assert_non_null(strstr(why, "segment 1 is writable and executable; damaged: CRC32 "));
}

static void refuses_each_shorter_length(void **state)
{
	(void)state;
	build();
	for (uint32_t size = 0; size < FILE_BYTES; size++) {
		assert_false(check(size));
		assert_int_not_equal(why[0], 0);
		assert_int_equal(strncmp(why, "not an ELF file", 15) == 0,
				 size < sizeof(Elf64_Ehdr));
	}
}

static void refuses_each_flipped_bit(void **state)
{
	(void)state;
	build();
	for (uint32_t bit = 0; bit < 8 * FILE_BYTES; bit++) {
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(check(FILE_BYTES));
		assert_int_not_equal(why[0], 0);
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(check(FILE_BYTES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_a_kernel),
		cmocka_unit_test(accepts_odd_sizes),
		cmocka_unit_test(accepts_the_limits),
		cmocka_unit_test(names_faults_of_the_header),
		cmocka_unit_test(names_faults_of_a_segment),
		cmocka_unit_test(counts_segments),
		cmocka_unit_test(names_faults_of_the_trailer),
		cmocka_unit_test(reasons_fit),
		cmocka_unit_test(says_when_a_fault_is_damage),
		cmocka_unit_test(refuses_each_shorter_length),
		cmocka_unit_test(refuses_each_flipped_bit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}

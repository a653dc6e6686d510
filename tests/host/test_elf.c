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
#include <stdlib.h>
#include <string.h>

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

static void names_faults_of_the_header(void **state)
{
	(void)state;
	build();
	file[1] = 'e';
	refused("not an ELF file");
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
	assert_non_null(strstr(why, "damaged: CRC32 "));
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
		cmocka_unit_test(names_faults_of_the_header),
		cmocka_unit_test(names_faults_of_a_segment),
		cmocka_unit_test(counts_segments),
		cmocka_unit_test(names_faults_of_the_trailer),
		cmocka_unit_test(says_when_a_fault_is_damage),
		cmocka_unit_test(refuses_each_shorter_length),
		cmocka_unit_test(refuses_each_flipped_bit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}

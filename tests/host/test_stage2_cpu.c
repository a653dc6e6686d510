/*
 * test_stage2_cpu.c: tests which processors stage2/cpu.c accepts, that it asks an old one for
 * nothing that it lacks, and how it makes NX visible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stage2/cpu.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define AC           (1u << 18)
#define ID           (1u << 21)
#define TSC          (1u << 4)
#define MSR          (1u << 5)
#define PAE          (1u << 6)
#define NX           (1u << 20)
#define LM           (1u << 29)
#define INTEL        0x756e6547u
#define MISC_ENABLE  0x1a0u
#define NX_HIDDEN    (1ull << 34)
#define EFER_NXE     0x800u
#define NO_CPUID     "this CPU has no CPUID, so no long mode (64-bit); firstpage needs it\n"
#define NO_LONG_MODE "this CPU has no long mode (64-bit); firstpage needs it\n"

struct boot_info boot_info;

static struct {
	uint32_t flags; /* bits of EFLAGS that change */
	uint32_t vendor, features, extended_max, extended;
	uint64_t misc_enable;
	uint32_t msr_reads, msr_writes;
	uint64_t tsc; /* 0: reading it is a fault */
} cpu;

bool eflags_bit_changes(uint32_t bit)
{
	return (cpu.flags & bit) != 0;
}

struct cpuid cpuid(uint32_t leaf)
{
	assert_int_equal(cpu.flags, AC | ID);
	switch (leaf) {
	case 0:
		return (struct cpuid){ .eax = 1, .ebx = cpu.vendor };
	case 1:
		return (struct cpuid){ .edx = cpu.features };
	case 0x80000000:
		return (struct cpuid){ .eax = cpu.extended_max };
	case 0x80000001:
		assert_true(cpu.extended_max >= leaf);
		return (struct cpuid){ .edx =
					   cpu.extended & ~(cpu.misc_enable & NX_HIDDEN ? NX : 0) };
	default:
		fail_msg("leaf %08x", leaf);
		return (struct cpuid){ 0 };
	}
}

uint64_t rdtsc(void)
{
	assert_int_not_equal(cpu.tsc, 0);
	return cpu.tsc;
}

uint64_t rdmsr(uint32_t msr)
{
	assert_int_equal(msr, MISC_ENABLE);
	assert_int_equal(cpu.vendor, INTEL);
	cpu.msr_reads++;
	return cpu.misc_enable;
}

void wrmsr(uint32_t msr, uint64_t value)
{
	assert_int_equal(msr, MISC_ENABLE);
	cpu.misc_enable = value;
	cpu.msr_writes++;
}

static int begin(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&cpu, 0, sizeof(cpu));
	cpu.flags = AC | ID;
	cpu.vendor = INTEL;
	cpu.features = TSC | MSR | PAE;
	cpu.extended_max = 0x80000001;
	cpu.extended = NX | LM;
	cpu.tsc = 0x123456789a;
	return 0;
}

static void processors_with_long_mode(void **state)
{
	(void)state;
	check_step(cpu_check, "");
	cpu.extended_max = 0x80000008;
	check_step(cpu_check, "");
	cpu.features = UINT32_MAX;
	cpu.extended = UINT32_MAX;
	check_step(cpu_check, "");
	cpu.features = MSR | PAE;
	cpu.extended = LM;
	check_step(cpu_check, "");
}

static void processors_without(void **state)
{
	(void)state;
	cpu.flags = ID;
	check_step_fails(cpu_check, NO_CPUID);
	cpu.flags = AC;
	check_step_fails(cpu_check, NO_CPUID);
	cpu.flags = 0;
	check_step_fails(cpu_check, NO_CPUID);
	begin(NULL);
	cpu.extended_max = 0x80000000;
	check_step_fails(cpu_check, NO_LONG_MODE);
	cpu.extended_max = 0x00000002; /* of a Pentium, which answers with its highest leaf */
	check_step_fails(cpu_check, NO_LONG_MODE);
	begin(NULL);
	cpu.extended = (uint32_t)~LM;
	check_step_fails(cpu_check, NO_LONG_MODE);
	begin(NULL);
	cpu.features = (uint32_t)~PAE;
	check_step_fails(cpu_check, NO_LONG_MODE);
	cpu.features = (uint32_t)~MSR;
	check_step_fails(cpu_check, NO_LONG_MODE);
}

static void stamps(void **state)
{
	(void)state;
	check_step(cpu_check, "");
	assert_true(boot_info.tsc[STAGE_STAGE2] == 0x123456789a);
	cpu.tsc++;
	cpu_stamp(STAGE_LONG);
	assert_true(boot_info.tsc[STAGE_LONG] == 0x123456789b);
	assert_true(boot_info.tsc[STAGE_STAGE2] == 0x123456789a);
	/* Without a TSC nothing is read or written. */
	begin(NULL);
	cpu.features = (uint32_t)~TSC;
	cpu.tsc = 0;
	check_step(cpu_check, "");
	cpu_stamp(STAGE_LONG);
	for (int i = 0; i < STAGE_COUNT; i++)
		assert_int_equal(boot_info.tsc[i], 0);
}

static void nx(void **state)
{
	(void)state;
	assert_int_equal(cpu_enable_nx(), EFER_NXE);
	assert_int_equal(cpu.msr_reads, 0); /* not where NX is visible */
	cpu.extended = (uint32_t)~NX;
	assert_int_equal(cpu_enable_nx(), 0);
	assert_int_equal(cpu.msr_reads, 1);
	assert_int_equal(cpu.msr_writes, 0);
	/* Another vendor's processor need not have the MSR. */
	cpu.vendor = 0x68747541;
	assert_int_equal(cpu_enable_nx(), 0);
	assert_int_equal(cpu.msr_reads, 1);
}

static void hidden_nx(void **state)
{
	(void)state;
	cpu.misc_enable = 0xa5a5a5a7a5a5a5a5 | NX_HIDDEN;
	assert_int_equal(cpu_enable_nx(), EFER_NXE);
	assert_int_equal(cpu.msr_writes, 1);
	assert_true(cpu.misc_enable == (0xa5a5a5a7a5a5a5a5 & ~NX_HIDDEN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(processors_with_long_mode, begin),
		cmocka_unit_test_setup(processors_without, begin),
		cmocka_unit_test_setup(stamps, begin),
		cmocka_unit_test_setup(nx, begin),
		cmocka_unit_test_setup(hidden_nx, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stage2_cpu", tests, NULL, NULL);
}

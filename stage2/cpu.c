/*
 * cpu.c: checks that this is a 64-bit processor. All of stage2 up to that check must run on a 386,
 * so that every older processor gets the message.
 */
#include <stdbool.h>

#include "stage2/console.h"
#include "stage2/cpu.h"
#include "stage2/stage2.h"

#define EFLAGS_AC             (1u << 18) /* cannot be set on a 386 */
#define EFLAGS_ID             (1u << 21) /* cannot be set on a 486 without CPUID */

#define LEAF_FEATURES         0x00000001u
#define LEAF_EXTENDED_MAX     0x80000000u
#define LEAF_EXTENDED         0x80000001u
#define FEATURE_TSC           (1u << 4) /* these three: EDX of leaf 1 */
#define FEATURE_MSR           (1u << 5)
#define FEATURE_PAE           (1u << 6)
#define EXTENDED_NX           (1u << 20) /* these two: EDX of leaf 80000001h */
#define EXTENDED_LM           (1u << 29)

#define VENDOR_INTEL_EBX      0x756e6547u /* "Genu" */

#define EFER_NXE              (1u << 11)
#define MSR_MISC_ENABLE       0x1a0u
#define MISC_ENABLE_NX_HIDDEN (1ull << 34)

static bool tsc_present;

void cpu_stamp(enum boot_stage stage)
{
	if (tsc_present)
		boot_info.tsc[stage] = rdtsc();
}

void cpu_check(void)
{
	uint32_t features;

	if (!eflags_bit_changes(EFLAGS_AC) || !eflags_bit_changes(EFLAGS_ID))
		fail("this CPU has no CPUID, so no long mode (64-bit); firstpage needs it");
	features = cpuid(LEAF_FEATURES).edx;
	tsc_present = (features & FEATURE_TSC) != 0;
	cpu_stamp(STAGE_STAGE2);
	if (cpuid(LEAF_EXTENDED_MAX).eax < LEAF_EXTENDED ||
	    (cpuid(LEAF_EXTENDED).edx & EXTENDED_LM) == 0 || (features & FEATURE_PAE) == 0 ||
	    (features & FEATURE_MSR) == 0)
		fail("this CPU has no long mode (64-bit); firstpage needs it");
}

static bool nx_present(void)
{
	return (cpuid(LEAF_EXTENDED).edx & EXTENDED_NX) != 0;
}

/*
 * Makes NX visible. The firmware of some Intel machines hides it; its set-up calls it "Execute
 * Disable". Every 64-bit Intel processor has this MSR (SDM volume 4, table 2-2); reading it on
 * another vendor's processor would fault.
 */
static void unhide_nx(void)
{
	uint64_t misc;

	if (cpuid(0).ebx != VENDOR_INTEL_EBX)
		return;
	misc = rdmsr(MSR_MISC_ENABLE);
	if (misc & MISC_ENABLE_NX_HIDDEN)
		wrmsr(MSR_MISC_ENABLE, misc & ~MISC_ENABLE_NX_HIDDEN);
}

uint32_t cpu_enable_nx(void)
{
	if (!nx_present())
		unhide_nx();
	return nx_present() ? EFER_NXE : 0;
}

/*
 * cpu.c: finds out the processor's features and enables those that the kernel uses.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"

#include "lib/string.h"
#include "mm/port.h"

#define CPUID_VENDOR       0x0u
#define CPUID_FEATURES     0x1u
#define CPUID_STRUCTURED   0x7u
#define CPUID_EXT_MAX      0x80000000u
#define CPUID_EXT_FEATURES 0x80000001u
#define CPUID_BRAND        0x80000002u /* this leaf and the next two */
#define CPUID_POWER        0x80000007u
#define CPUID_ADDRESS_SIZE 0x80000008u

#define BIT(n)             (1u << (n))

struct cpu_features cpu_features;

/* Decodes family, model and stepping. Large values have extension fields: SDM 2A, CPUID leaf 01h.
 */
static void decode_signature(uint32_t signature)
{
	struct cpu_features *f = &cpu_features;

	f->stepping = signature & 0xf;
	f->model = signature >> 4 & 0xf;
	f->family = signature >> 8 & 0xf;
	if (f->family == 0x6 || f->family == 0xf)
		f->model |= (signature >> 16 & 0xf) << 4;
	if (f->family == 0xf)
		f->family += signature >> 20 & 0xff;
}

static void read_basic_leaves(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid r = cpuid(CPUID_VENDOR, 0);
	uint32_t last = r.eax;

	memcpy(f->vendor, &r.ebx, 4);
	memcpy(f->vendor + 4, &r.edx, 4);
	memcpy(f->vendor + 8, &r.ecx, 4);
	r = cpuid(CPUID_FEATURES, 0);
	decode_signature(r.eax);
	f->mce = r.edx & BIT(7);
	f->apic = r.edx & BIT(9);
	f->pge = r.edx & BIT(13);
	f->clfsh = r.edx & BIT(19);
	f->hypervisor = r.ecx & BIT(31);
	if (last >= CPUID_STRUCTURED)
		f->erms = cpuid(CPUID_STRUCTURED, 0).ebx & BIT(9);
}

static void read_brand(void)
{
	for (size_t i = 0; i < 3; i++) {
		struct cpuid r = cpuid(CPUID_BRAND + (uint32_t)i, 0);

		memcpy(cpu_features.brand + 16 * i, &r, sizeof(r));
	}
}

/* Reads the extended leaves. A processor without leaf 80000008h has physical addresses of 36 bits
   (SDM 3A, 4.1.4). */
static void read_extended_leaves(void)
{
	struct cpu_features *f = &cpu_features;
	uint32_t last = cpuid(CPUID_EXT_MAX, 0).eax;
	struct cpuid r = cpuid(CPUID_EXT_FEATURES, 0);

	f->nx = r.edx & BIT(20);
	f->pdpe1gb = r.edx & BIT(26);
	f->phys_bits = 36;
	f->virt_bits = 48;
	if (last >= CPUID_BRAND + 2)
		read_brand();
	if (last >= CPUID_POWER)
		f->invariant_tsc = cpuid(CPUID_POWER, 0).edx & BIT(8);
	if (last >= CPUID_ADDRESS_SIZE) {
		r = cpuid(CPUID_ADDRESS_SIZE, 0);
		f->phys_bits = r.eax & 0xff;
		f->virt_bits = r.eax >> 8 & 0xff;
	}
}

void cpu_init(void)
{
	read_basic_leaves();
	read_extended_leaves();
	if (cpu_features.mce)
		write_cr4(read_cr4() | CR4_MCE);
	if (cpu_features.nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	else
		printk("cpu: no NX: data stays executable\n");
}

void arch_flush_caches(void)
{
	wbinvd();
}

/* Returns the processor's name without the blanks that some processors put before it. */
static const char *brand(void)
{
	const char *name = cpu_features.brand;

	while (*name == ' ')
		name++;
	return *name ? name : "unnamed";
}

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

void cpu_describe(print_fn print)
{
	const struct cpu_features *f = &cpu_features;

	print("vendor          %s\n", f->vendor);
	print("model           %s\n", brand());
	print("family          %u, model %u, stepping %u\n", f->family, f->model, f->stepping);
	print("address bits    %u physical, %u virtual\n", f->phys_bits, f->virt_bits);
	print("no-execute      %s\n", yes_no(f->nx));
	print("1 GiB pages     %s\n", yes_no(f->pdpe1gb));
	print("global pages    %s\n", yes_no(f->pge));
	print("machine check   %s\n", yes_no(f->mce));
	print("fast rep stosb  %s\n", yes_no(f->erms));
	print("TSC             %lu kHz%s%s\n", tsc_khz(), tsc_khz() ? "" : " (unknown)",
	      f->invariant_tsc ? ", invariant" : "");
	print("virtual machine %s\n", yes_no(f->hypervisor));
}

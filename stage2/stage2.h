/*
 * stage2.h: the steps of stage2_main() and the variables they share.
 *
 * A step that cannot do its part ends in fail(), which prints the reason and halts. So no step
 * returns an error.
 */
#ifndef FIRSTPAGE_STAGE2_STAGE2_H
#define FIRSTPAGE_STAGE2_STAGE2_H

#include <stdbool.h>
#include <stdint.h>

#include "include/boot_info.h"
#include "lib/e820.h"

/* Memory below 1 MiB: low_memory.ld has the addresses. */
extern uint8_t bounce_buffer[];
extern uint8_t page_tables[];
extern uint8_t page_tables_end[];
extern uint8_t stage2_load[];
extern uint8_t stack_top[];
extern uint8_t low_memory_end[];
/* The linker's name differs because the kernel has a variable boot_info too: debuggers see both. */
extern struct boot_info boot_info __asm__("stage2_boot_info");

/* What the boot sector passed in DL and DH; set by entry.asm. */
extern uint8_t boot_drive;
extern uint8_t boot_method; /* enum boot_disk_method */

/* The memory map after correction, filled by memory_read(). The loader finds room by it. */
extern struct e820_map memory_map;

/*
 * The steps, in the order in which stage2_main() runs them. The word before the underscore is the
 * file that has the step.
 */
void safe_ask(void);          /* enters safe mode if SHIFT is held */
void cpu_check(void);         /* requires a processor with long mode */
void a20_enable(void);        /* opens the A20 line */
void memory_read(void);       /* reads the memory map from the BIOS */
void volume_open(void);       /* mounts the FAT partition */
void options_load(void);      /* reads CMDLINE.TXT into boot_info */
void kernel_load(void);       /* reads KERNEL.ELF, checks it and lays it out in memory */
void rsdp_find(void);         /* finds the ACPI root pointer */
void paging_build(void);      /* builds the page tables that the kernel starts with */
uint32_t cpu_enable_nx(void); /* returns the bit of EFER that enables NX, 0 without NX */

/* Enters safe mode, unless it is on already: see safe.c. */
void safe_mode(enum boot_safe why);

/* Stores the time stamp counter for a stage of the boot. Does nothing without a TSC. */
void cpu_stamp(enum boot_stage stage);

/* Records that the loader occupies [base, base + size): physical addresses, in bytes. */
void range_add(uint64_t base, uint64_t size, enum boot_range_kind kind);

struct fat_file;

/* Finds a file such as "KERNEL.ELF" in the root directory. Returns false if it is not there. */
bool volume_find(const char *name, struct fat_file *file);

/* Reads the first want bytes of a file to buf. name is for the message if that fails. */
void volume_read(const char *name, const struct fat_file *file, void *buf, uint32_t want);

#endif

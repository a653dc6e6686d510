/*
 * stage2.h: the steps of stage2_main() and what they share. Each step does its part or ends in
 * fail(), which says why; none returns an error.
 */
#ifndef FIRSTPAGE_STAGE2_STAGE2_H
#define FIRSTPAGE_STAGE2_STAGE2_H

#include <stdbool.h>
#include <stdint.h>

#include "include/boot_info.h"
#include "lib/e820.h"

/* low_memory.ld: addresses, as symbols. */
extern uint8_t bounce_buffer[];
extern uint8_t page_tables[];
extern uint8_t page_tables_end[];
extern uint8_t stage2_load[];
extern uint8_t stack_top[];
extern uint8_t low_memory_end[];
/* The kernel has a variable of this name; debuggers know this one by the linker's. */
extern struct boot_info boot_info __asm__("stage2_boot_info");

/* Set by entry.asm from what the boot sector passed. */
extern uint8_t boot_drive;
extern uint8_t boot_method;

/* What the loader itself goes by: the map after correction. Kept by memory_read(). */
extern struct e820_map memory_map;

/* Each in the file of its name, or of the word before the underscore, in this order. */
void safe_ask(void);
void cpu_check(void);
void a20_enable(void);
void memory_read(void);
void volume_open(void);
void options_load(void);
void kernel_load(void);
void rsdp_find(void);
void paging_build(void);
uint32_t cpu_enable_nx(void);

/* From now on the safe ways: see safe.c. */
void safe_mode(enum boot_safe why);

/* Time stamp: 0 on a processor without TSC, or before cpu_check(). */
void cpu_stamp(enum boot_stage stage);

/* Notes [base, base + size) as the loader's. */
void range_add(uint64_t base, uint64_t size, enum boot_range_kind kind);

/* Reads want bytes of a root file of volume_open()'s into buf. */
struct fat_file;
bool volume_find(const char *name, struct fat_file *file);
void volume_read(const char *name, const struct fat_file *file, void *buf, uint32_t want);

#endif

/*
 * arch.h: what kernel/ may know of the machine, all of it.
 *
 * Steps of the boot, consoles, input, time, ways to end, stack walking; then what the kernel in
 * turn supplies. Ports, registers and instructions stay behind this header. The interrupt state,
 * the log and the panic are mm/port.h's; page tables are
 * arch/x86_64/paging.h's, the image's borders arch/x86_64/sections.h's.
 */
#ifndef ARCH_X86_64_ARCH_H
#define ARCH_X86_64_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/types.h"

struct trap_frame;

/* ---- steps of the boot, in this order ---- */

/* Own GDT, TSS and IDT: from here on a fault is a message. */
void traps_init(void);

/* Shows a progress code (include/progress.h) on port 80h. */
void arch_progress(uint8_t code);

/* CPUID into cpu_features; no-execute and machine checks switched on. */
void cpu_init(void);

/*
 * Interrupt controller, input, timers; ends with interrupts on. rsdp: physical address of ACPI's
 * root pointer, 0 when the firmware has none.
 */
void arch_devices_init(phys_addr_t rsdp);

/* What the processor is and can do, a property a line. */
void cpu_describe(print_fn print);

/* ---- consoles ---- */

struct arch_console {
	const char *name;   /* as console= has it */
	bool (*init)(void); /* makes it ready; false when the hardware is not there */
	void (*put)(char c);
	void (*flush)(void);    /* waits, for a bounded time, until all has left; may be null */
	bool always;            /* a debug port: console= does not switch it off */
	unsigned columns, rows; /* 0: not known; a terminal that can be asked, or nobody */
};

#define NR_ARCH_CONSOLES 3
extern const struct arch_console arch_consoles[NR_ARCH_CONSOLES];

/* ---- input: serial line and keyboard, one stream ---- */

/*
 * The next character, or -1 when there is none. Keys without a character come as the escape
 * sequences that a serial terminal sends for them.
 */
int arch_getc(void);

/* Whether a Ctrl-C waits in the input. It stays there until arch_getc() takes it. */
bool arch_ctrl_c_waits(void);

/*
 * Sleeps until an interrupt. Returns after at most 1/20 s, when the timer works at all; so input
 * is seen even if a device's interrupt is lost.
 */
void arch_idle(void);

/* For who polls, perhaps before arch_devices_init(): the keyboard is ready too. */
void arch_input_needed(void);

/* A moment's rest for who waits with interrupts off. */
void arch_relax(void);

/* ---- time ---- */

/* The time stamp counter, after all instructions before. */
uint64_t arch_timestamp(void);

/* Its rate, measured by arch_devices_init(). 0: not known, before or because nothing counts. */
uint64_t tsc_khz(void);

/* ---- caches ---- */

/* Written back and empty: what is read next comes from memory. Milliseconds. */
void arch_flush_caches(void);

/* ---- ends ---- */

#define ARCH_EXIT_MAX 125 /* the largest status that arch_exit() can hand on */

/*
 * Ends an emulator with a status: QEMU (isa-debug-exit at port F4h, QEMU ends with 2 * status + 3),
 * Bochs (which has no status: the log says it), else the machine is switched off. Prints nothing.
 * Returns when none of that works.
 */
void arch_exit(unsigned status);

/* Switches the machine off. Returns when it cannot be. */
void arch_poweroff(void);

/* Restarts the machine by the first of four ways that works. */
__attribute__((noreturn)) void arch_reboot(void);

/* Stops this processor for good. */
__attribute__((noreturn)) void arch_halt(void);

/* ---- stacks ---- */

/* Sees an address of code. is_return: one behind a call, which may be its function's last byte. */
typedef void (*arch_call_fn)(uintptr_t address, bool is_return);

/*
 * Calls visit with each return address, innermost first, at most 32 of them: of the interrupted
 * code if frame is not null (its instruction pointer comes first), else of the caller. Reads
 * nothing outside the stack that it began on.
 */
void arch_walk_stack(const struct trap_frame *frame, arch_call_fn visit);

/* The registers of panic()'s caller, and the address that panic() would return to. */
extern const struct trap_frame panic_frame;

/* Registers of the interrupted code, and what the processor says of the fault. */
void arch_print_frame(const struct trap_frame *frame);

/* The address whose access failed. False for exceptions that have none. */
bool arch_fault_address(const struct trap_frame *frame, uintptr_t *address);

/* ---- single step ---- */

/* Sees an instruction that comes next, and whether interrupts are on there. False: no more. */
typedef bool (*arch_visit_fn)(uintptr_t address, bool interrupts_on);

/*
 * Calls call, and visit before each of its instructions, its callees' included, until visit returns
 * false. visit runs as the handler of an interrupt does that comes just there: on top of the same
 * stack, interrupts off; so it may do what such a handler may. A repeated string instruction is
 * seen once a repetition. Not to be called from visit.
 */
void arch_single_step(void (*call)(void), arch_visit_fn visit);

/* ---- supplied by the kernel ---- */

/* Where panic() (mm/port.h) goes on, after it has filled panic_frame. */
__attribute__((format(printf, 1, 2), noreturn)) void panic_report(const char *fmt, ...);

/* An exception that nothing here can repair. */
__attribute__((noreturn)) void trap_panic(const struct trap_frame *frame, const char *reason);

#endif

/*
 * arch.h: the kernel's main interface to the machine.
 *
 * It covers the boot, consoles, input, time, caches, the ends of a run, stack walking
 * and single step; at the end it declares what the kernel supplies in turn. I/O ports, registers
 * and instructions stay behind this header and these others that kernel/ also includes: paging.h
 * and address_space.h (page tables), early_access.h (memory before they exist), acpi_tables.h,
 * sections.h (borders of the image) and breakpoints.h. Interrupt state, log and panic are in
 * mm/port.h.
 */
#ifndef ARCH_X86_64_ARCH_H
#define ARCH_X86_64_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/types.h"

struct trap_frame;

/* ---- the boot: three steps, in this order ---- */

/* Loads the kernel's GDT, TSS and IDT. From then on an exception ends in trap_panic(). */
void traps_init(void);

/* Fills cpu_features (arch/x86_64/cpu.h) by CPUID, and enables no-execute pages and machine checks.
 */
void cpu_init(void);

/* Sets up the interrupt controllers, timers and input; measures the TSC; then enables interrupts.
 */
void arch_devices_init(void);

/* ---- the boot: callable at any step ---- */

/* Writes a progress code (include/progress.h) to port 80h. */
void arch_progress(uint8_t code);

/* Prints the processor's name and features, one per line. To be called after cpu_init(). */
void cpu_describe(print_fn print);

/* ---- consoles ---- */

struct arch_console {
	const char *name;         /* the name in the option console= */
	bool (*init)(void);       /* makes it ready; returns false if the hardware is absent */
	void (*put)(char c);      /* prints a character */
	void (*flush)(void);      /* waits, for a bounded time, until all is sent; may be null */
	bool always;              /* a debug port: the option console= does not disable it */
	unsigned columns, rows;   /* 0: not known; a terminal may be there that can be asked */
	const unsigned *nr_lines; /* how often it has begun a new line; null: it does not count */
};

#define NR_ARCH_CONSOLES 3
extern const struct arch_console arch_consoles[NR_ARCH_CONSOLES];

/* ---- input: the serial line and the keyboard give one stream of characters ---- */

/*
 * Returns the next character, or -1 if there is none. A key without a character gives the escape
 * sequence that a serial terminal sends for it.
 */
int arch_getc(void);

/* Returns true if the input contains a Ctrl-C that arch_getc() has not returned yet. */
bool arch_has_ctrl_c(void);

/* Returns whether the last character of input came from the keyboard, and not from the serial line.
 */
bool arch_input_by_keyboard(void);

/*
 * Sleeps until the next interrupt, unless there is input. The timer's interrupts end the sleep
 * after at most 1/20 s, so input is noticed even if a device's interrupt is lost. Enables
 * interrupts.
 */
void arch_idle(void);

/* Makes the keyboard ready for callers that poll arch_getc() before arch_devices_init(). */
void arch_input_early_init(void);

/* Pauses the processor for a moment. Loops that wait with interrupts off call it. */
void arch_relax(void);

/* ---- time ---- */

/* Returns the time stamp counter, read after all earlier instructions have completed. */
uint64_t arch_timestamp(void);

/* Returns the counter's rate in kHz. It is 0 before arch_devices_init() has measured it, and on a
   machine without a working 8254 timer. */
uint64_t tsc_khz(void);

/*
 * Returns the microseconds since arch_timestamp() returned start on this CPU. Where the counter's
 * rate is not known it is taken for 2 GHz, so that waits end.
 */
uint64_t arch_us_since(uint64_t start);

/* ---- CPU caches ---- */

/* Writes the CPU caches back and empties them, so that later reads come from memory. Takes
   milliseconds. */
void arch_flush_caches(void);

/* ---- ends ---- */

#define ARCH_EXIT_MAX 125 /* the largest status that arch_exit() can pass on */

/*
 * Ends the run with a status. QEMU ends with exit status 2 * status + 3 (isa-debug-exit at port
 * F4h); Bochs ends but cannot pass a status on, so the caller must have logged it; any other
 * machine is switched off. Prints nothing. Returns if none of this works.
 */
void arch_exit(unsigned status);

/* Switches the machine off. Returns if that is not possible. */
void arch_poweroff(void);

/* Restarts the machine by the first of four ways that works. */
__attribute__((noreturn)) void arch_reboot(void);

/* Stops this processor for good. */
__attribute__((noreturn)) void arch_halt(void);

/* ---- stacks ---- */

/* Receives a code address of a back-trace. With is_return it is a return address: it follows a
   call, so if the call is the function's last instruction, it lies behind the function. */
typedef void (*arch_call_fn)(uintptr_t address, bool is_return);

/*
 * Calls visit for each return address, the innermost first, at most 32 times. With a frame these
 * are those of the interrupted code, and its instruction pointer comes first; with NULL they are
 * those of the caller. Reads nothing outside the stack on which it began.
 */
void arch_walk_stack(const struct trap_frame *frame, arch_call_fn visit);

/* Returns the registers of panic()'s caller on this CPU. Their rip is panic()'s return address. */
const struct trap_frame *arch_panic_frame(void);

/* Prints the registers in a frame, and the vector and error code if there was an exception. */
void arch_print_frame(const struct trap_frame *frame);

/* Returns the address of the instruction at which a frame was saved. */
uintptr_t arch_frame_address(const struct trap_frame *frame);

/* Stores the address whose access caused an exception. Returns false if the exception has none. */
bool arch_fault_address(const struct trap_frame *frame, uintptr_t *address);

/* ---- single step ---- */

/* Receives the address of the instruction that is executed next, and whether interrupts are on
   there. Returns false to end the single step. */
typedef bool (*arch_visit_fn)(uintptr_t address, bool interrupts_on);

/*
 * Calls call, and visit before each of its instructions, those of its callees included, until visit
 * returns false; the rest of call then runs normally. visit runs like the handler of an interrupt
 * that arrives at this instruction, on the same stack and with interrupts off, and may do what such
 * a handler may. A repeated string instruction is visited once per repetition. visit must not call
 * this function, and only one CPU may be in it at a time.
 */
void arch_single_step(void (*call)(void), arch_visit_fn visit);

/* An access to memory. Both are true of an instruction that changes what it reads. */
struct arch_access {
	uintptr_t address;
	unsigned int size; /* bytes */
	bool read, write;
};

#define ARCH_MAX_ACCESSES 2 /* of an instruction */

/*
 * Stores the memory accesses of the instruction before which visit is called. Returns how many, or
 * -1 if the instruction is not known (arch/x86_64/insn.h). Only visit may call it.
 */
int arch_next_accesses(struct arch_access access[ARCH_MAX_ACCESSES]);

/* ---- supplied by the kernel ---- */

/* Reports a panic. panic() (mm/port.h) continues here, after it has saved the
   registers. */
__attribute__((format(printf, 1, 2), noreturn)) void panic_report(const char *fmt, ...);

/* Reports an exception that cannot be handled, and stops. reason describes it. */
__attribute__((noreturn)) void trap_panic(const struct trap_frame *frame, const char *reason);

#endif

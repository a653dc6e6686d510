/*
 * progress.c: see progress.h.
 */
#include "kernel/progress.h"

#include "arch/x86_64/arch.h"
#include "kernel/boot_info.h"
#include "kernel/console/log.h"
#include "lib/progress.h"

#define CALLS_SHOWN 4 /* the registers want the rest of the screen; `bios` has all */

static enum progress current = PROGRESS_ENTERED;

/* boot_info is zero before it was checked: the steps up to then are on port 80h alone. */
void progress_begin(enum progress code)
{
	current = code;
	arch_progress((uint8_t)code);
	if (boot_info.safe)
		printk("[%02x] %s\n", code, progress_text(code));
}

void progress_failed(void)
{
	arch_progress(PROGRESS_PANIC);
	if (current == PROGRESS_PROMPT)
		return;
	printk("In step [%02x] %s\n", current, progress_text(current));
	if (current > PROGRESS_BOOT_INFO) { /* else it may be nonsense */
		printk("BIOS: ");
		boot_info_print_calls(printk, CALLS_SHOWN);
	}
}

#include "kernel/progress.h"

#include "arch/x86_64/arch.h"
#include "kernel/boot_info.h"
#include "kernel/console/log.h"
#include "lib/progress.h"

#define CALLS_SHOWN 4 /* so that the registers stay on the screen; the command bios shows all */

static enum progress current = PROGRESS_ENTERED;

/* Until boot_info has been copied its bytes are 0, so the first steps show on port 80h only. */
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
	/* Before that the block was not checked, and its list of calls may be nonsense. */
	if (current > PROGRESS_BOOT_INFO) {
		printk("BIOS: ");
		boot_info_print_calls(printk, CALLS_SHOWN);
	}
}

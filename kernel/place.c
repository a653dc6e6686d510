#include "kernel/place.h"

#include "arch/x86_64/arch.h"
#include "kernel/ksyms.h"
#include "mm/port.h"

/* Prints a line of the back-trace; as arch_call_fn in arch.h. */
static void print_call(uintptr_t address, bool is_return)
{
	char text[128];

	if (is_return)
		ksyms_format_return(address, text, sizeof(text));
	else
		ksyms_format(address, text, sizeof(text));
	printk(" ? %s\n", text);
}

void dump_stack(void)
{
	printk("Call Trace:\n");
	arch_walk_stack(NULL, print_call);
}

void place_print(const struct trap_frame *frame)
{
	arch_print_frame(frame);
	printk("Call Trace:\n");
	arch_walk_stack(frame, print_call);
}

/*
 * progress.c: see progress.h. Outside safe mode the codes make one line, "firstpage: stage2 20 21
 * 22", that the boot sector has begun. The trace of safe mode looks like this:
 *
 *   firstpage: [24] FAT partition
 *   firstpage: INT 13h AX=0800 AH=00
 *   firstpage: INT 13h AX=0201 AH=00.......
 *
 * A dot is a call like the one before, with the same outcome: a kernel is hundreds of them. There
 * is no AH behind a call that has not come back.
 */
#include "stage2/progress.h"

#include <stdbool.h>

#include "lib/progress.h"
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/cpu.h"
#include "stage2/stage2.h"

static enum progress current = PROGRESS_STAGE2;
static struct boot_bios_call last; /* of the trace, with its outcome */

void progress_begin(enum progress code)
{
	current = code;
	outb(PORT_PROGRESS, (uint8_t)code);
	if (boot_info.safe)
		say("[%02x] %s", code, progress_text(code));
	else
		say_more("%02x ", code);
}

enum progress progress_step(void)
{
	return current;
}

static bool same_call(const struct boot_bios_call *call)
{
	return call->interrupt == last.interrupt && call->ax == last.ax;
}

void progress_call(const struct boot_bios_call *call)
{
	if (!boot_info.safe)
		return;
	if (say_is_open() && same_call(call)) {
		say_more(".");
		return;
	}
	last = (struct boot_bios_call){ 0 };
	say_end();
	say_more("INT %02xh AX=%04x", call->interrupt, call->ax);
}

void progress_return(const struct boot_bios_call *call)
{
	if (!boot_info.safe)
		return;
	if (!same_call(call) || call->ah != last.ah || call->flags != last.flags)
		say_more(" AH=%02x%s", call->ah, call->flags & FLAGS_CARRY ? " carry" : "");
	last = *call;
}

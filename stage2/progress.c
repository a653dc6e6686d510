/*
 * progress.c: see progress.h. Outside safe mode the codes form one line, which the boot sector has
 * begun: "firstpage: stage2 20 21 22". The trace of safe mode looks like this:
 *
 *   firstpage: [24] FAT partition
 *   firstpage: INT 13h AX=0800 AH=00
 *   firstpage: INT 13h AX=0201 AH=00.......
 *
 * Each dot stands for one more call with the same AX and the same outcome: reading a kernel takes
 * hundreds. If AH is missing, the call has not returned.
 */
#include "stage2/progress.h"

#include <stdbool.h>

#include "lib/progress.h"
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/cpu.h"
#include "stage2/stage2.h"

static enum progress current_step = PROGRESS_STAGE2;
static struct boot_bios_call last_call; /* the last one traced, with its outcome */

void progress_begin(enum progress code)
{
	current_step = code;
	outb(PORT_PROGRESS, (uint8_t)code);
	if (boot_info.safe)
		say("[%02x] %s", code, progress_text(code));
	else
		say_more("%02x ", code);
}

enum progress progress_step(void)
{
	return current_step;
}

static bool same_call(const struct boot_bios_call *call)
{
	return call->interrupt == last_call.interrupt && call->ax == last_call.ax;
}

void progress_call(const struct boot_bios_call *call)
{
	if (!boot_info.safe)
		return;
	if (say_is_open() && same_call(call)) {
		say_more(".");
		return;
	}
	last_call = (struct boot_bios_call){ 0 };
	say_end();
	say_more("INT %02xh AX=%04x", call->interrupt, call->ax);
}

void progress_return(const struct boot_bios_call *call)
{
	if (!boot_info.safe)
		return;
	if (!same_call(call) || call->ah != last_call.ah || call->flags != last_call.flags)
		say_more(" AH=%02x%s", call->ah, call->flags & FLAGS_CARRY ? " carry" : "");
	last_call = *call;
}

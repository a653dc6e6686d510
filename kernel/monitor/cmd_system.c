/*
 * cmd_system.c: the monitor's commands about the machine and the boot.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/boot_info.h"
#include "kernel/console/console.h"
#include "kernel/console/log.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/monitor.h"
#include "kernel/parse.h"

#define HELP_LINES 20 /* of commands: a screen has 25 lines, and must not scroll */

static void list_commands(void)
{
	size_t nr = 0, rows;

	while (command_at(nr))
		nr++;
	rows = nr > HELP_LINES ? (nr + 1) / 2 : nr;
	for (size_t i = 0; i < rows; i++) {
		const struct command *left = command_at(i), *right = command_at(i + rows);

		console_printf("%-10s ", left->name);
		if (right)
			console_printf("%-*s %-10s %s\n", COMMAND_SUMMARY, left->summary,
				       right->name, right->summary);
		else
			console_printf("%s\n", left->summary);
	}
	console_printf("help COMMAND explains one; Tab completes words; Ctrl-C ends long work.\n");
}

static int cmd_help(int argc, char **argv)
{
	const struct command *c;

	if (argc == 1) {
		list_commands();
		return 0;
	}
	c = command_named(argv[1]);
	if (!c) {
		console_printf("%s: no such command; help lists them\n", argv[1]);
		return 1;
	}
	console_printf("usage: %s%s%s\n%s\nexample: %s%s%s\n", c->name, *c->usage ? " " : "",
		       c->usage, c->help, c->name, c->example ? " " : "",
		       c->example ? c->example : "");
	return 0;
}

static const char *help_word(int nr, size_t i)
{
	const struct command *c = nr == 1 ? command_at(i) : NULL;

	return c ? c->name : NULL;
}

static int cmd_dmesg(int argc, char **argv)
{
	(void)argc, (void)argv;
	log_show();
	return 0;
}

static int cmd_cpu(int argc, char **argv)
{
	(void)argc, (void)argv;
	cpus_print(console_printf);
	cpu_describe(console_printf);
	return 0;
}

static const char *map_source_name(void)
{
	switch (boot_info.map_source) {
	case MAP_E820:
		return "INT 15h AX=E820h";
	case MAP_E801:
		return "INT 15h AX=E801h";
	case MAP_88:
		return "INT 15h AH=88h";
	default:
		return "INT 12h";
	}
}

static const char *safe_name(void)
{
	switch (boot_info.safe) {
	case SAFE_SHIFT:
		return "SHIFT was held";
	case SAFE_OPTION:
		return "option safe";
	default:
		return "off";
	}
}

static void print_map_faults(void)
{
	static const char *const faults[] = {
		"E820 lost its signature midway: list discarded",
		"the list did not end: cut where it repeats",
		"the list was longer than 1024 entries: discarded",
		"entries of fewer than 20 bytes were skipped",
		"the list was ended by carry",
		"E801h claimed more than 15 MiB between 1 and 16 MiB: 15 MiB used",
		"a call returned with interrupts enabled",
	};
	_Static_assert(MAP_FAULT_ALL == (1u << sizeof(faults) / sizeof(faults[0])) - 1,
		       "a text for each bit, in their order");

	for (unsigned bit = 0; bit < sizeof(faults) / sizeof(faults[0]); bit++)
		if (boot_info.map_faults & 1u << bit)
			console_printf("  fault: %s\n", faults[bit]);
}

/*
 * Prints a stage's time stamp and the microseconds since `before`, the stamp of the previous stage;
 * these only if there is one, and the counter was not reset between the two. Returns tsc.
 */
static uint64_t print_stage(const char *name, uint64_t tsc, uint64_t before)
{
	console_printf("  %-15s TSC %lu", name, tsc);
	if (before && tsc > before && tsc_khz())
		console_printf(" +%lu us", (tsc - before) * 1000 / tsc_khz());
	console_printf("\n");
	return tsc;
}

static void print_stages(void)
{
	static const char *const names[] = {
		[STAGE_BOOTSECTOR] = "boot sector",    [STAGE_STAGE2] = "stage2",
		[STAGE_E820] = "memory map",           [STAGE_KERNEL] = "kernel read",
		[STAGE_PROTECTED] = "BIOS calls done", [STAGE_LONG] = "kernel entered",
	};
	uint64_t before = 0;

	/* A stage that could not read the clock (the boot sector may run on a 386) has no line. */
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (boot_info.tsc[i])
			before = print_stage(names[i], boot_info.tsc[i], before);
	print_stage("prompt", monitor_start_time(), before);
}

static int cmd_bios(int argc, char **argv)
{
	(void)argc, (void)argv;
	console_printf("boot drive 0x%02x, read by %s\n", boot_info.boot_drive,
		       boot_info.disk_method == DISK_EDD ? "EDD" : "CHS");
	console_printf("memory map by %s, %u entries\n", map_source_name(), boot_info.e820_count);
	print_map_faults();
	console_printf("INT 12h: %u KiB; word at 40:0Eh: 0x%04x; RSDP at 0x%lx\n",
		       boot_info.int12_kib, boot_info.ebda_segment, boot_info.rsdp);
	console_printf("safe mode: %s; shift keys by INT 16h AH=02h: 0x%02x\n", safe_name(),
		       boot_info.shift_flags);
	console_printf("stages:\n");
	print_stages();
	boot_info_print_calls(console_printf, BOOT_INFO_BIOS_CALLS);
	return 0;
}

static int cmd_reboot(int argc, char **argv)
{
	(void)argc, (void)argv;
	console_flush();
	arch_reboot();
}

static int cmd_poweroff(int argc, char **argv)
{
	(void)argc, (void)argv;
	console_flush();
	arch_poweroff();
	console_printf("this machine cannot switch itself off\n");
	return 1;
}

static int cmd_exit(int argc, char **argv)
{
	uint64_t status = monitor_list_failed();

	if (argc == 2 && (!parse_number(argv[1], &status) || status > ARCH_EXIT_MAX)) {
		console_printf("exit: %s is not a number from 0 to %d\n", argv[1], ARCH_EXIT_MAX);
		return 1;
	}
	console_printf("firstpage: exit %lu\n", status);
	console_flush();
	arch_exit((unsigned)status);
	console_printf("exit: this machine cannot be ended from inside\n");
	return 1;
}

const struct command system_commands[] = {
	{ "help", "[COMMAND]", "this list, or one command", "Lists the commands, or explains one.",
	  "alloc", cmd_help, .time = ALWAYS, .max_args = 1, .word = help_word },
	{ "dmesg", "", "the log since boot", "The kernel's log since boot, its last 64 KiB.", NULL,
	  cmd_dmesg, .time = ALWAYS },
	{ "cpu", "", "processors, what they can do",
	  "A line for each CPU; then what the processor is and can do.", NULL, cmd_cpu,
	  .time = ALWAYS },
	{ "bios", "", "the loader's BIOS calls",
	  "What the loader asked the BIOS, and the time of each stage of the boot.", NULL, cmd_bios,
	  .time = ALWAYS },
	{ "reboot", "", "restarts the machine", "Restarts the machine.", NULL, cmd_reboot,
	  .time = ALWAYS },
	{ "poweroff", "", "switches the machine off", "Switches the machine off.", NULL,
	  cmd_poweroff, .time = ALWAYS },
	{ "exit", "[N]", "ends the emulator",
	  "Ends the emulator with status N, 0 to 125. Without N it is 1 if a command of\n"
	  "run= has failed, else 0.",
	  "0", cmd_exit, .time = ALWAYS, .max_args = 1 },
	{ .name = NULL },
};

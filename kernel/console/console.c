#include "kernel/console/console.h"

#include <stdarg.h>
#include <stdbool.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/keys.h"
#include "kernel/console/pager.h"
#include "kernel/options.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/port.h"

static bool present[NR_ARCH_CONSOLES];
static bool in_use[NR_ARCH_CONSOLES];
static size_t writing = NR_ARCH_CONSOLES; /* the console being written to; NR_…: none */
static void (*wait)(void) = arch_idle;    /* between two looks for input */

#define NOBODY  UINT32_MAX
#define LOCK_US 1000000 /* after which the lock is taken from a CPU that keeps it */

static unsigned owner = NOBODY; /* the CPU that has the lock */
static unsigned depth;          /* how often it has taken it */
static unsigned kept_depth;     /* of these, how often for good: 1 after a panic */

void console_init(void)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		in_use[i] = present[i] = arch_consoles[i].init();
}

static bool is_wanted(const struct arch_console *console, unsigned wanted)
{
	if (strcmp(console->name, "ttyS0") == 0)
		return wanted & OPTION_CONSOLE_TTYS0;
	return wanted & OPTION_CONSOLE_TTY0;
}

void console_select(unsigned wanted)
{
	bool some = false;

	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		some |=
		    present[i] && !arch_consoles[i].always && is_wanted(&arch_consoles[i], wanted);
	if (!some)
		return;
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		in_use[i] =
		    present[i] && (arch_consoles[i].always || is_wanted(&arch_consoles[i], wanted));
}

/* Takes the lock if it is free, or this CPU's; or, with force, anyhow. An interrupt handler may
   take it, too, so owner and depth change together, with interrupts off. */
static bool try_lock(bool force)
{
	unsigned self = port_cpu_id(), nobody = NOBODY;
	unsigned long flags = port_irq_save();
	bool mine = __atomic_load_n(&owner, __ATOMIC_RELAXED) == self;

	if (!mine && (force || __atomic_compare_exchange_n(&owner, &nobody, self, false,
							   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
		__atomic_store_n(&owner, self, __ATOMIC_RELAXED);
		depth = 0;
		mine = true;
	}
	depth += mine;
	port_irq_restore(flags);
	return mine;
}

/* Between two looks interrupts are as they were, so that a CPU that waits, or writes to a slow
   console, answers others. */
void console_lock(void)
{
	uint64_t start = arch_timestamp();

	while (!try_lock(arch_us_since(start) >= LOCK_US))
		arch_relax();
}

/* A CPU from which the lock was taken away leaves it alone. */
void console_unlock(void)
{
	unsigned long flags = port_irq_save();

	if (__atomic_load_n(&owner, __ATOMIC_RELAXED) == port_cpu_id() && !--depth)
		__atomic_store_n(&owner, NOBODY, __ATOMIC_RELEASE);
	port_irq_restore(flags);
}

void console_write_to(size_t console, const char *text, size_t length)
{
	console_lock();
	writing = console;
	for (size_t i = 0; in_use[console] && i < length; i++)
		arch_consoles[console].put(text[i]);
	writing = NR_ARCH_CONSOLES;
	console_unlock();
}

/* Returns whether this CPU is between console_lock() and console_unlock(). */
static bool is_locked(void)
{
	return __atomic_load_n(&owner, __ATOMIC_RELAXED) == port_cpu_id() && depth > kept_depth;
}

/* Between console_lock() and console_unlock() nothing waits for a key. */
void console_write(const char *text, size_t length)
{
	bool locked = is_locked();

	while (length > 0) {
		size_t part = locked ? length : pager_part(text, length);

		console_lock();
		for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
			if (locked || !pager_hides(i))
				console_write_to(i, text, part);
		console_unlock();
		text += part;
		length -= part;
	}
}

bool console_next_screen(size_t console, struct console_screen *screen)
{
	for (size_t i = console; i < NR_ARCH_CONSOLES; i++) {
		if (!in_use[i] || arch_consoles[i].always)
			continue;
		*screen =
		    (struct console_screen){ i, arch_consoles[i].columns, arch_consoles[i].rows };
		return true;
	}
	return false;
}

void console_drop_failed(void)
{
	if (writing < NR_ARCH_CONSOLES && owner == port_cpu_id())
		in_use[writing] = false;
	owner = port_cpu_id();
	depth = kept_depth = 1;
	pager_end();
}

size_t console_format(char text[CONSOLE_TEXT_SIZE], const char *fmt, va_list ap)
{
	static const char cut[] = " [cut]\n";
	size_t length = (size_t)fmt_vsnprintf(text, CONSOLE_TEXT_SIZE, fmt, ap);

	if (length < CONSOLE_TEXT_SIZE)
		return length;
	memcpy(text + CONSOLE_TEXT_SIZE - sizeof(cut), cut, sizeof(cut));
	return CONSOLE_TEXT_SIZE - 1;
}

int console_printf(const char *fmt, ...)
{
	char text[CONSOLE_TEXT_SIZE];
	size_t length;
	va_list ap;

	va_start(ap, fmt);
	length = console_format(text, fmt, ap);
	va_end(ap);
	console_write(text, length);
	return (int)length;
}

void console_flush(void)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		if (in_use[i] && arch_consoles[i].flush)
			arch_consoles[i].flush();
}

void console_use_polling(void)
{
	arch_input_early_init();
	wait = arch_relax;
}

bool console_is_polling(void)
{
	return wait == arch_relax;
}

/* After a panic the prompt may be on any CPU, and the others are stopped. */
bool console_interrupted(void)
{
	return (port_cpu_id() == 0 || console_is_polling()) &&
	       (arch_has_ctrl_c() || keys_have_ctrl_c());
}

void console_wait(void)
{
	wait();
}

char console_getc(void)
{
	int c;

	while ((c = arch_getc()) < 0)
		console_wait();
	return (char)c;
}

#include "tests/host/sim/attempt.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/check.h"
#include "mm/zone.h"

#define MIB 0x100000ull

void map_add(struct map *map, uint64_t base, uint64_t size, uint32_t type)
{
	map->raw[map->nr++] = (struct e820_entry){ base, size, type, 0, 20, 0 };
}

const struct map *map_of(unsigned int mib)
{
	static struct map map;

	map = (struct map){ .name = "plain" };
	map_add(&map, 0, 0x9fc00, E820_TYPE_RAM);
	map_add(&map, MIB, (mib - 1) * MIB, E820_TYPE_RAM);
	return &map;
}

const struct sim_options attempt_options = { .dirty = true, .seed = 0x600d5eed };

enum attempt try_boot(const struct map *map, const struct sim_options *options)
{
	static jmp_buf jump;
	struct e820_taken kernel;
	const char *error = "";
	enum attempt result;

	sim_panic_jump = &jump;
	if (setjmp(jump)) {
		sim_panic_jump = NULL;
		return PANICKED;
	}
	result = sim_boot(map->raw, map->nr, options, &kernel, &error) ? REFUSED : BOOTED;
	sim_panic_jump = NULL;
	return result;
}

void boot(const struct map *map)
{
	if (try_boot(map, &attempt_options) != BOOTED)
		fail_msg("the map \"%s\" does not boot", map->name);
	assert_int_equal(mm_check(), 0);
}

void (*other_cpu)(void);

unsigned long __real_port_irq_save(void);
unsigned long __wrap_port_irq_save(void);

unsigned long __wrap_port_irq_save(void)
{
	void (*act)(void) = other_cpu;

	other_cpu = NULL;
	if (act) {
		sim_cpu = 1;
		act();
		sim_cpu = 0;
	}
	return __real_port_irq_save();
}

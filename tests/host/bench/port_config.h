/*
 * port_config.h: the hottest of mm/port.h's functions, inline, for the programs that count
 * instructions. sim/cpus.c has them for all other programs.
 */
#ifndef TESTS_HOST_BENCH_PORT_CONFIG_H
#define TESTS_HOST_BENCH_PORT_CONFIG_H

#include "tests/host/bench/counted.h"

#define MM_CPU_ID()           bench_cpu_id()
#define MM_IRQ_SAVE()         bench_irq_save()
#define MM_IRQ_RESTORE(flags) bench_irq_restore(flags)

/* These are sim.h's, declared here again because this header is included before all others. */
extern _Thread_local unsigned int sim_cpu __attribute__((tls_model("local-exec")));
extern _Thread_local unsigned long sim_holds;
extern _Bool sim_collect_holds;

static inline unsigned int bench_cpu_id(void)
{
	return sim_cpu;
}

static inline unsigned long bench_irq_save(void)
{
	sim_holds++;
	if (sim_collect_holds)
		CALLGRIND_TOGGLE_COLLECT;
	return 0;
}

static inline void bench_irq_restore(unsigned long flags)
{
	(void)flags;
	if (sim_collect_holds)
		CALLGRIND_TOGGLE_COLLECT;
}

#endif

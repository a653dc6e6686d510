/*
 * print.h: prints the result of the last sim_boot() on standard output, as JSON and as text.
 */
#ifndef TOOLS_REPLAY_PRINT_H
#define TOOLS_REPLAY_PRINT_H

#include "tests/host/sim/checks.h"
#include "tools/replay/mapfile.h"

/* Print the corrected map, memblock, and the allocator; map is what was booted. */
void print_json(void);
void print_text(const struct mapfile *map);

/* Print the results of checks_run(), which ends what was begun above. */
void print_json_checks(const struct check_result *checks, unsigned int nr);
void print_text_checks(const struct check_result *checks, unsigned int nr);

#endif

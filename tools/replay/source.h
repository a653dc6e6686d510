/*
 * source.h: tells the logs apart that one input is put together from.
 */
#ifndef TOOLS_REPLAY_SOURCE_H
#define TOOLS_REPLAY_SOURCE_H

#include "tools/replay/scan.h"

/*
 * Returns a number for where a line comes from: the file that grep names before it ("a.log:",
 * "a.log-" is not one) and the host that syslog names before "kernel:". 0: the line names neither.
 */
uint32_t source_of(const struct cursor *line);

#endif

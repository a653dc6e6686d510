/*
 * nodes.h: NUMA nodes in words, for the boot's log and the command `numa`.
 */
#ifndef KERNEL_MEMORY_NODES_H
#define KERNEL_MEMORY_NODES_H

#include "mm/types.h"

/* Prints which memory each node has, if there are several nodes or something was corrected; and
   what was corrected. */
void report_nodes(print_fn print);

/* Prints each correction of the tables of nodes, one a line. */
void report_node_corrections(print_fn print);

/*
 * Prints the nodes in the form of Linux's `numactl --hardware`: their CPUs, the MiB of RAM that
 * they have and that are free of it, rounded down, and the distances.
 */
void report_hardware(print_fn print);

/* Prints how much of the descriptors for RAM lies on the node whose RAM they describe. */
void report_local_descriptors(print_fn print);

#endif

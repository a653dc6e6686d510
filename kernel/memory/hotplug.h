/*
 * hotplug.h: what the kernel does when memory is plugged and unplugged: it adds DIMMs that appear
 * in slots (acpi_memory.h) by add_memory(), and removes those that the host or the user wants back.
 *
 * Slots are polled, never from an interrupt: where the monitor waits for input, and where long work
 * shows its progress. Everything that happens is logged in a line that begins with "hotplug: ".
 */
#ifndef KERNEL_MEMORY_HOTPLUG_H
#define KERNEL_MEMORY_HOTPLUG_H

#include "mm/types.h"

/* Finds the slots, and adds the DIMMs that are there. A step of start_kernel(). */
void hotplug_setup(void);

/*
 * Returns whether a slot has changed: then hotplug_poll() is to be called. Costs one port read when
 * nothing has happened; false where hotplug_poll() would do nothing.
 */
bool hotplug_changed(void);

/*
 * Looks at all slots: adds what was plugged, removes what the host asks for. Does nothing in
 * interrupt handlers, or within itself.
 */
void hotplug_poll(void);

/*
 * Called, unless it is NULL, before memory is added or removed: hotplug_work of mm/hotplug.h says
 * which. Nothing of it has begun then.
 */
extern void (*hotplug_watch)(void);

/* Does hotplug_poll() if hotplug_changed(), for long work that shows its progress. */
void hotplug_progress(void);

/*
 * Find a DIMM that is in use: with `size` bytes, or the smallest, of which *size becomes the size.
 * Return false when there is none; else set *base and *nid to where it is, and its node.
 */
bool hotplug_find(uint64_t size, phys_addr_t *base, int *nid);
bool hotplug_find_smallest(uint64_t *size, phys_addr_t *base, int *nid);

/* Returns how many bytes of RAM have been added and are there now. */
uint64_t hotplug_bytes(void);

/*
 * Removes the DIMM in a slot, and gives it back to the host. Returns false, with the reason in the
 * log, if there is none or it is in use.
 */
bool hotplug_remove(unsigned int slot);

/* Prints a line for each slot, and why the last DIMM was not added or not removed. */
void hotplug_print(print_fn print);

#endif

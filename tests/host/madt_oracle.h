/*
 * madt_oracle.h: judges what madt_read() makes of a table by a slow and simple method: it first
 * lists what each entry names, then looks up each name in the whole list.
 */
#ifndef TESTS_HOST_MADT_ORACLE_H
#define TESTS_HOST_MADT_ORACLE_H

#include "lib/madt.h"

/* Returns NULL if *judged is what madt_read() must make of its other arguments, or what is wrong,
   as text. */
const char *madt_oracle(const struct madt *judged, const void *table, size_t size,
			uint32_t boot_apic_id);

#endif

/*
 * memory.h: memory of the WebAssembly instance, which only grows: each run of the page's code has
 * an instance of its own.
 */
#ifndef TOOLS_PAGE_MEMORY_H
#define TOOLS_PAGE_MEMORY_H

#include <stdint.h>

/*
 * Returns the address of size new bytes, all 0, and a multiple of 64 KiB. Ends the run with a
 * message when the browser has no more. Bytes that are never written cost a browser nothing.
 */
void *page_memory(uint64_t size);

#endif

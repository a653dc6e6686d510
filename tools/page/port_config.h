/*
 * port_config.h: the page's port of mm/ (mm/port.h). WebAssembly has one piece of memory, from
 * address 0 on, and no page tables, so RAM and descriptors that are used are looked up in memory.c.
 */
#ifndef TOOLS_PAGE_PORT_CONFIG_H
#define TOOLS_PAGE_PORT_CONFIG_H

#include <stdint.h>

void *page_ram(uint64_t phys);
uint64_t page_ram_phys(const volatile void *virt);
void *page_descriptor(uint64_t pfn);
uint64_t page_descriptor_pfn(const volatile void *page);

#define MM_PHYS_TO_VIRT(phys) page_ram(phys)
#define MM_VIRT_TO_PHYS(virt) page_ram_phys(virt)
#define MM_PFN_TO_PAGE(pfn)   page_descriptor(pfn)
#define MM_PAGE_TO_PFN(page)  page_descriptor_pfn(page)

#endif

"""The CPUs: which there are, what each runs, and its frame caches.

QEMU shows each processor to gdb as a thread. Which of the kernel's CPUs it is follows from its GS
base, the address of the CPU's area: arch/x86_64/percpu.h.
"""
import gdb

import guest
from allocator import array


def threads():
    """Returns {GS base: gdb's thread}. Leaves the thread and frame selected that were."""
    selected, frame = gdb.selected_thread(), gdb.selected_frame()
    found = {}
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            found[guest.register("gs_base")] = thread
    finally:
        selected.switch()
        frame.select()
    return found


def function(thread):
    """Returns the name of the function that thread runs, or its address."""
    selected, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        thread.switch()
        newest = gdb.newest_frame()
        return newest.name() or hex(newest.pc())
    finally:
        selected.switch()
        frame.select()


def has_zones():
    """Returns whether there are zones yet."""
    return any(int(zone) for zone in array(guest.kernel_value("zone_list")))


def lines(allocator):
    """Yields a line for each CPU. allocator is None when there are no zones yet."""
    madt = guest.static_value("arch/x86_64/cpus.c", "madt")
    nodes = guest.static_value("mm/numa.c", "cpu_nodes")
    areas, running = array(guest.kernel_value("percpus")), threads()
    for number in range(int(madt["nr_cpus"])):
        line = f"CPU {number}: APIC {int(madt['apic_id'][number])}, node {int(nodes[number])}, "
        area = int(areas[number])
        online = area and bool(areas[number]["online"])
        line += "online" if online else "not online"
        if area in running:
            line += f", runs {function(running[area])}"
        for zone in allocator.zones if allocator else ():
            if frames := allocator.cached_on(number, zone):
                line += f", {len(frames)} frames of {zone.title}"
        yield line


def cache_lines(allocator, number):
    """Yields a line for each frame cache of the CPU with that number that may hold something or is
    shut."""
    titles = {zone.id: zone.title for zone in allocator.zones}
    for cache in allocator.caches[number]:
        if not cache["limit"] and not cache["shut"]:
            continue
        yield (f"CPU {number}, {titles.get(cache['zone'], 'no zone')}, order {cache['order']}: "
               f"{cache['count']} of {cache['limit']}, out {cache['nr_out']} of {cache['out_limit']}"
               + (", in use" if cache["state"] == guest.constant("CACHE_BUSY") else "")
               + (", shut" if cache["shut"] else ""))

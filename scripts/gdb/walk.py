"""Walks the page tables from CR3 down, by physical addresses, as the processor does."""
import gdb

import guest

# Bits of the entries: SDM volume 3A, 4.5.
PRESENT, WRITE, USER, LARGE, GLOBAL = 1 << 0, 1 << 1, 1 << 2, 1 << 7, 1 << 8
ACCESSED, DIRTY, NO_EXECUTE = 1 << 5, 1 << 6, 1 << 63
ADDRESS = (1 << 52) - (1 << 12)
CR4_LA57 = 1 << 12
LEVELS = (("PML5E", 48), ("PML4E", 39), ("PDPTE", 30), ("PDE", 21), ("PTE", 12))
INDEX = 511

FLAGS = ((WRITE, "writable"), (USER, "user"), (ACCESSED, "accessed"), (DIRTY, "dirty"),
         (GLOBAL, "global"), (NO_EXECUTE, "no-execute"))


def size_name(shift):
    """Returns the size of a page of 2^shift bytes in words."""
    unit, name = next((unit, name) for unit, name in ((30, "GiB"), (20, "MiB"), (10, "KiB"))
                      if shift >= unit)
    return f"{1 << shift - unit} {name}"


def flag_names(entry, is_page):
    """Returns the names of the bits that are set in entry. is_page says that it maps a page; some
    bits mean something only there."""
    names = [name for bit, name in FLAGS
             if entry & bit and (is_page or bit not in (DIRTY, GLOBAL))]
    return " ".join(["present"] + names)


def lines(address):
    """Yields a line for each entry that the walk to address reads; the last line says where the
    address leads."""
    if not guest.paging():
        yield f"paging is off: {address:#x} is a physical address"
        return
    if not guest.long_mode():
        raise gdb.GdbError("paging without long mode: no stage of this boot uses that")
    levels = LEVELS if guest.register("cr4") & CR4_LA57 else LEVELS[1:]
    top = levels[0][1] + 8
    if address >> top not in (0, (1 << 64 - top) - 1):
        yield f"{address:#x} is not canonical with {len(levels)} levels"
        return
    table = guest.register("cr3") & ADDRESS
    yield f"CR3 {guest.register('cr3'):#x}, {len(levels)} levels"
    rights = WRITE | USER
    execute = True
    for name, shift in levels:
        place = table + (address >> shift & INDEX) * 8
        entry = int.from_bytes(guest.read_physical(place, 8), "little")
        text = f"{name:5} at {place:#x}: {entry:#018x} "
        if not entry & PRESENT:
            yield text + "not present"
            yield f"{address:#x} is not mapped"
            return
        is_page = shift == 12 or (shift in (21, 30) and bool(entry & LARGE))
        rights &= entry
        execute = execute and not entry & NO_EXECUTE
        table = entry & ADDRESS
        if is_page:
            base = table >> shift << shift
            yield text + f"page of {size_name(shift)} at {base:#x}, {flag_names(entry, is_page=True)}"
            yield (f"{address:#x} is physical {base + address % (1 << shift):#x}, in a page of "
                   f"{size_name(shift)}, r{'w' if rights & WRITE else '-'}{'x' if execute else '-'}")
            return
        yield text + f"table at {table:#x}, {flag_names(entry, is_page=False)}"

"""The allocator's metadata, read once and evaluated here: mm/zone.h says what the bits mean.

What the kernel computes from it (counts, page states, free ranges) is computed here again, by code
that shares no line with the kernel's: where the two differ, one is wrong.
"""
import functools

import bits
import gdb
import guest


class Gib:
    """A gib of a zone: the bitmaps of its header, and those of its blocks."""

    def __init__(self, address, blocks):
        header = guest.lookup_type("struct gib")
        size = guest.lookup_type("struct bitmap").sizeof
        data = guest.read(address, header.sizeof + blocks * size)

        def bitmap(at):
            return int.from_bytes(data[at:at + size], "little")

        for name in ("free", "open", "head", "clean"):
            setattr(self, name, bitmap(guest.offset(header, name)))
        index = guest.offset(header, "index")
        self.index = [bitmap(index + k * size) for k in range(header["index"].type.range()[1] + 1)]
        self.blocks = [bitmap(header.sizeof + i * size) for i in range(blocks)]


class Zone:
    """A zone: the fields of struct zone, and its bitmap trees as numbers."""

    def __init__(self, allocator, value):
        self.allocator = allocator
        for name in ("id", "state", "nr_free", "first_gib", "start_pfn", "end_pfn", "border",
                     "nr_gibs", "present", "managed"):
            setattr(self, name, int(value[name]))
        self.name = value["name"].string() if int(value["name"]) else "none"
        self.locked = bool(int(value["lock"]["taken"]))
        self.idle = [int(value["idle"][level]) for level in range(2)]
        self.reserves = [int(frames) for frames in array(value["lowmem_reserve"])]
        self.unmovable = int(value["unmovable"])
        self.dir = guest.words(int(value["dir"]), self.nr_gibs) if self.nr_gibs else []
        self.sets = {name: self.bitmap_tree(value[name])
                     for name in ("free", "open", "head", "known")}
        self.index = [self.bitmap_tree(value["index"][k])
                      for k in range(value["index"].type.range()[1] + 1)]

    def bitmap_tree(self, value):
        """Returns (children, top) of value, a struct bitmap_tree: the bits of all leaves, and the
        bitmap above them, which tells which leaves are not empty."""
        bitmap = guest.lookup_type("struct bitmap").sizeof
        leaves = -(-self.nr_gibs // self.allocator.children)
        data = guest.read(int(value["leaf"]), leaves * bitmap) if leaves else b""
        top = sum(int(value["top"]["word"][i]) << 64 * i for i in range(bitmap // guest.WORD))
        return int.from_bytes(data, "little"), top

    def has(self, name, gib):
        """Returns whether the bitmap tree name has the bit of gib."""
        return bool(self.sets[name][0] >> gib & 1)

    def gib_start(self, gib):
        """Returns the first frame of gib."""
        return (self.first_gib + gib) * self.allocator.gib_frames

    def ram(self, start, end):
        """Returns the parts of memblock.memory that lie in the zone and in [start, end), in
        frames."""
        start, end = max(start, self.start_pfn), min(end, self.border)
        return [(max(a, start), min(b, end)) for a, b in self.allocator.memory
                if a < end and b > start]

    @functools.cache
    def gib(self, gib):
        """Returns the Gib with that number, with as many blocks as it has RAM for, or None when
        the zone has none."""
        if gib >= self.nr_gibs or not self.dir[gib]:
            return None
        start = self.gib_start(gib)
        ram = self.ram(start, start + self.allocator.gib_frames)
        blocks = (ram[-1][1] - 1 - start) // self.allocator.block_frames + 1 if ram else 0
        return Gib(self.dir[gib], blocks)

    def free_in_bits(self):
        """Yields the free runs that the bitmaps hold, as (start, end) in frames, upwards. Runs
        that touch are not joined."""
        for gib in range(self.nr_gibs):
            start = self.gib_start(gib)
            if self.has("free", gib):
                yield start, start + self.allocator.gib_frames
            elif self.has("open", gib):
                yield from self.free_in_gib(self.gib(gib), start)

    def free_in_gib(self, gib_bits, start):
        """Yields the free runs of gib_bits, an open gib whose first frame is start, as
        free_in_bits() does."""
        frames = self.allocator.block_frames
        for block, bitmap in enumerate(gib_bits.blocks):
            first = start + block * frames
            if gib_bits.free >> block & 1:
                yield first, first + frames
            elif gib_bits.open >> block & 1:
                yield from ((first + a, first + b) for a, b in bits.runs(bitmap))

    def counts(self):
        """Returns the number of free runs by order, each in the largest order that it is part of,
        as buddyinfo counts them."""
        counts = [0] * (2 * self.allocator.bitmap_order + 1)
        for gib in range(self.nr_gibs):
            if self.has("free", gib):
                counts[-1] += 1
            elif self.has("open", gib):
                self.count_gib(self.gib(gib), counts)
        return counts

    def count_gib(self, gib_bits, counts):
        """Adds the free runs of gib_bits, an open gib, to counts."""
        order, whole = self.allocator.bitmap_order, gib_bits.free
        for block, bitmap in enumerate(gib_bits.blocks):
            if not gib_bits.open >> block & 1:
                continue
            if bitmap == self.allocator.full:
                whole |= 1 << block
                continue
            for start, end in bits.runs(bitmap):
                for k in bits.pieces(start, end):
                    counts[k] += 1
        for start, end in bits.runs(whole):
            for k in bits.pieces(start, end):
                counts[order + k] += 1


class Allocator:
    """The zones, memblock and the frame caches, as one reading has found them."""

    def __init__(self):
        self.children = guest.lookup_type("struct bitmap").sizeof * 8
        self.bitmap_order = self.children.bit_length() - 1
        self.full = (1 << self.children) - 1
        self.block_frames = self.children
        self.gib_frames = self.children * self.children
        self.page_size = guest.constant("PAGE_SIZE")
        size = self.page_size
        memory, reserved = guest.memblock_ranges("memory"), guest.memblock_ranges("reserved")
        self.memory = [(-(-base // size), (base + length) // size) for base, length, _, _ in memory]
        self.reserved = [(base // size, -(-(base + length) // size))
                         for base, length, _, _ in reserved]
        self.cookie = int(guest.kernel_value("state_cookie"))
        values = guest.kernel_value("zones")
        last = int(gdb.parse_and_eval("(int)MAX_NR_ZONES"))
        self.zones = [Zone(self, values[i]) for i in range(last)]
        if not any(zone.managed for zone in self.zones):
            raise gdb.GdbError("the zones are not there yet: continue to bp_buddy")
        # [CPU][zone]: the caches of all orders
        self.caches = [[self.zone_caches(cpu[zone.id]) for zone in self.zones]
                       for cpu in array(guest.kernel_value("frame_caches"))]
        # [CPU]: the addresses of the caches that serve requests, by the zone bits of their flags;
        # and by the same bits, the number of the highest zone that may serve
        self.tables = [[int(cache) for cache in array(table["for_gfp"])]
                       for table in array(guest.kernel_value("cache_tables"))]
        first = int(guest.kernel_symbol("zones").address)
        self.gfp_zones = [(int(zone) - first) // guest.lookup_type("struct zone").sizeof
                          for zone in array(guest.kernel_value("gfp_zones"))]

    @property
    def present_zones(self):
        """The zones that have RAM."""
        return [zone for zone in self.zones if zone.present]

    def zone_caches(self, value):
        """Returns value, a struct zone_caches, as a list of caches, one for each order."""
        return [self.cache(one) for one in [value["frames"], *array(value["runs"])]]

    def cache(self, value):
        """Returns value, a cache and its slots, as a dictionary: frames has the numbers of all
        frames in its two stacks."""
        slots, value = value["slots"], value["cache"]
        cache = {name: int(value[name]) for name in ("state", "count", "limit", "nr_out",
                                                     "out_limit", "shut", "order")}
        slots = array(slots)
        out = guest.constant("RUNS_MAX" if cache["order"] else "CACHE_MAX")
        runs = [self.pfn_of(int(page))
                for page in slots[:cache["count"]] + slots[out:out + cache["nr_out"]]]
        return {**cache, "frames": [pfn + i for pfn in runs for i in range(1 << cache["order"])]}

    def first_cache(self, cpu, zone):
        """Returns the address of the cache of order 0 that a CPU has of zone."""
        size = guest.lookup_type("struct zone_caches").sizeof
        return (int(guest.kernel_symbol("frame_caches").address)
                + (cpu * len(self.zones) + zone.id) * size)

    def cached(self, zone):
        """Returns the frames of zone in the frame caches of all CPUs."""
        return [pfn for cpu in self.caches for cache in cpu[zone.id] for pfn in cache["frames"]]

    @functools.cached_property
    def cached_by(self):
        """{frame: CPU whose frame cache it is in}"""
        return {pfn: number for number, cpu in enumerate(self.caches)
                for caches in cpu for cache in caches for pfn in cache["frames"]}

    def page_address(self, pfn):
        """Returns the address of the descriptor of frame pfn."""
        return guest.constant("MEM_MAP_BASE") + pfn * guest.lookup_type("struct page").sizeof

    def pfn_of(self, page):
        """Returns the frame of the descriptor at address page."""
        return (page - guest.constant("MEM_MAP_BASE")) // guest.lookup_type("struct page").sizeof

    def zone_of(self, pfn):
        """Returns the zone that pfn belongs to by its number."""
        return next(zone for zone in reversed(self.zones) if pfn >= zone.start_pfn)

    def is_ram(self, pfn):
        """Returns whether pfn is a whole frame of memblock.memory."""
        return any(start <= pfn < end for start, end in self.memory)

    def is_reserved(self, pfn):
        """Returns whether memblock.reserved touches pfn."""
        return any(start <= pfn < end for start, end in self.reserved)

    @functools.cached_property
    def free(self):
        """The maximal free ranges in frames, across zones, with the frames in frame caches."""
        frames = sorted([run for zone in self.present_zones for run in zone.free_in_bits()]
                        + [(pfn, pfn + 1) for pfn in self.cached_by])
        joined = []
        for start, end in frames:
            if joined and joined[-1][1] >= start:
                joined[-1][1] = max(end, joined[-1][1])
            else:
                joined.append([start, end])
        return joined

    def descriptor(self, pfn):
        """Returns the descriptor of pfn, as one reading has found it."""
        return guest.value_at(self.page_address(pfn), guest.lookup_type("struct page"))

    def is_head(self, zone, state):
        """Returns (count, order) when state is the state word of an allocation's head in zone,
        else None."""
        order = state >> guest.constant("STATE_ORDER_SHIFT") & guest.constant("STATE_ORDER_MASK")
        expected = (self.cookie | zone.id << guest.constant("STATE_ZONE_SHIFT")
                    | order << guest.constant("STATE_ORDER_SHIFT"))
        count = state & 0xffffffff
        return (count, order) if count and state - count == expected else None

    def head(self, pfn):
        """Returns (head, count, order, owner) of the allocation that covers pfn, or None."""
        zone = self.zone_of(pfn)
        gib = pfn // self.gib_frames - zone.first_gib
        if gib < 0 or gib >= zone.nr_gibs:
            return None
        block = pfn // self.block_frames % self.children
        for order in range(2 * self.bitmap_order + 1):
            first = pfn >> order << order
            if self.may_head(zone, gib, block, first, order):
                page = self.descriptor(first)
                found = self.is_head(zone, int(page["state"]))
                if found and found[1] >= order:
                    return first, *found, int(page["owner_word"])
        return None

    def may_head(self, zone, gib, block, first, order):
        """Returns whether the descriptor of first may be that of a head of that order. Descriptors
        in blocks that were never opened hold anything, so they must not be read."""
        if zone.has("head", gib):
            return order == 2 * self.bitmap_order
        gib_bits = zone.gib(gib)
        if not gib_bits or not zone.has("open", gib) or gib_bits.free >> block & 1:
            return False
        if gib_bits.open >> block & 1:
            return (order < self.bitmap_order
                    and not gib_bits.blocks[block] >> first % self.children & 1)
        return (self.bitmap_order <= order < 2 * self.bitmap_order
                and bool(gib_bits.head >> first // self.block_frames % self.children & 1))

    def state(self, pfn):
        """Returns the page state of pfn: absent, reserved, free, cached or allocated."""
        if pfn in self.cached_by:
            return "cached"
        if any(start <= pfn < end for start, end in self.free):
            return "free"
        if self.head(pfn):
            return "allocated"
        return "reserved" if self.is_ram(pfn) else "absent"


def array(value):
    """Returns the elements of value, an array, as a list."""
    first, last = value.type.range()
    return [value[i] for i in range(first, last + 1)]

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


class Shelf:
    """A shelf of a zone: a bitmap for each set of gibs, and the addresses of the gibs."""

    def __init__(self, address):
        shelf = guest.lookup_type("struct shelf")
        value = guest.value_at(address, shelf)
        self.sets = [sum(int(word) << 64 * i for i, word in enumerate(array(bitmap["word"])))
                     for bitmap in array(value["set"])]
        # As words: gdb 16 looks at what an element of this array points to, also if it is null.
        self.gibs = guest.words(address + guest.offset(shelf, "gib"),
                                shelf["gib"].type.sizeof // guest.WORD)


class Zone:
    """A zone: the fields of struct zone, with its shelves. A set of gibs is named by its number,
    one of GIBS_INDEX(k), which is k, GIBS_FREE and the others of mm/zone.h. A gib is named by the
    number of its GiB."""

    def __init__(self, allocator, address):
        value = guest.value_at(address, guest.lookup_type("struct zone"))
        self.allocator, self.address = allocator, address
        for name in ("id", "type", "node", "state", "nr_free", "start_pfn", "end_pfn", "present",
                     "managed"):
            setattr(self, name, int(value[name]))
        self.name = value["name"].string()
        self.locked = bool(int(value["lock"]["taken"]))
        self.idle = [int(value["idle"][level]) for level in range(2)]
        self.reserves = [int(frames) for frames in array(value["lowmem_reserve"])]
        self.unmovable = int(value["unmovable"])
        self.shelves = {number: Shelf(int(shelf))
                        for number, shelf in enumerate(array(value["shelf"])) if int(shelf)}
        self.tops = [sum(int(word) << 64 * i for i, word in enumerate(array(top)))
                     for top in array(value["top"])]

    @property
    def title(self):
        """The zone's name, and its node when there are several."""
        return self.name + (f" of node {self.node}" if self.allocator.nr_nodes > 1 else "")

    def has(self, name, gib):
        """Returns whether the set of gibs name, its number or the end of its constant's name, has
        gib."""
        number = name if isinstance(name, int) else guest.constant("GIBS_" + name.upper())
        shelf = self.shelves.get(gib // self.allocator.children)
        return bool(shelf and shelf.sets[number] >> gib % self.allocator.children & 1)

    def gibs(self):
        """Yields the numbers of the gibs that the zone has, upwards."""
        exist = guest.constant("GIBS_EXIST")
        for number, shelf in self.shelves.items():
            for start, end in bits.runs(shelf.sets[exist]):
                yield from range(number * self.allocator.children + start,
                                 number * self.allocator.children + end)

    def ram(self, start, end):
        """Returns the parts of memblock.memory that are the zone's and lie in [start, end), in
        frames."""
        return [(max(a, start), min(b, end)) for a, b, number in self.allocator.ram
                if number == self.id and a < end and b > start]

    @functools.cache
    def gib(self, gib):
        """Returns the Gib with that number, with as many blocks as it has RAM for, or None when
        the zone has none."""
        if not self.has("exist", gib):
            return None
        start = gib * self.allocator.gib_frames
        ram = self.ram(start, start + self.allocator.gib_frames)
        blocks = (ram[-1][1] - 1 - start) // self.allocator.block_frames + 1 if ram else 0
        children = self.allocator.children
        return Gib(self.shelves[gib // children].gibs[gib % children], blocks)

    def free_in_bits(self):
        """Yields the free runs that the bitmaps hold, as (start, end) in frames, upwards. Runs
        that touch are not joined."""
        for gib in self.gibs():
            start = gib * self.allocator.gib_frames
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
        for gib in self.gibs():
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
    """The zones, nodes, memblock and the frame caches, as one reading has found them."""

    def __init__(self):
        self.children = guest.lookup_type("struct bitmap").sizeof * 8
        self.bitmap_order = self.children.bit_length() - 1
        self.full = (1 << self.children) - 1
        self.block_frames = self.children
        self.gib_frames = self.children * self.children
        self.page_size = guest.constant("PAGE_SIZE")
        size = self.page_size
        reserved = guest.memblock_ranges("reserved")
        self.ram = list(self.read_ram())
        self.reserved = [(base // size, -(-(base + length) // size))
                         for base, length, _, _ in reserved]
        self.cookie = int(guest.kernel_value("state_cookie"))
        listed = [int(zone) for zone in array(guest.kernel_value("zone_list"))]
        self.nr_nodes = 0
        self.zones = [Zone(self, zone) for zone in listed[:listed.index(0)]]
        if not any(zone.managed for zone in self.zones):
            raise gdb.GdbError("the zones are not there yet: continue to bp_buddy")
        self.distances = [[int(distance) for distance in array(row)]
                          for row in array(guest.static_value("mm/numa.c", "distances"))]
        self.nr_nodes = int(guest.static_value("mm/numa.c", "online")).bit_length()
        self.lists = self.read_lists()
        # What add_memory() has added: (first frame, first of its metadata, end, node)
        nr = int(guest.static_value("mm/hotplug.c", "nr_added"))
        self.added = [tuple(int(r[name]) for name in ("start", "end_free", "end", "nid"))
                      for r in array(guest.static_value("mm/hotplug.c", "ranges"))[:nr]]
        self.caches = {}  # {CPU: its caches, as dictionaries}
        # {CPU: the addresses of the caches that serve requests, by the zone bits of their flags}
        self.tables = {}
        self.read_caches()

    def read_ram(self):
        """Yields (start, end, number of the zone) for all RAM in memblock, in whole frames, cut
        where the zone changes: mm/zone.h says how the number follows from node and type."""
        hotplug = guest.constant("MEMBLOCK_HOTPLUG")
        for base, length, flags, nid in guest.memblock_ranges("memory"):
            start, end = -(-base // self.page_size), (base + length) // self.page_size
            node = (nid if 0 <= nid < guest.constant("MAX_NUMNODES") else 0) \
                << guest.constant("ZONE_TYPE_BITS")
            if flags & hotplug:
                yield start, end, node | guest.constant("ZONE_HOTPLUG")
                continue
            at = start
            for name, border in (("ZONE_DMA", guest.constant("DMA_BORDER")),
                                 ("ZONE_DMA32", guest.constant("DMA32_BORDER")),
                                 ("ZONE_NORMAL", end)):
                if at < min(border, end):
                    yield at, min(border, end), node | guest.constant(name)
                    at = min(border, end)

    def read_lists(self):
        """Returns {node: the numbers of the zones in its fallback list}."""
        pointers, end = guest.kernel_value("node_zonelists"), guest.constant("ZONE_NONE")
        lists = {node: list(guest.read(int(pointers[node]), len(self.zones) + 1))
                 for node in range(self.nr_nodes)}
        return {node: numbers[:numbers.index(end)] if end in numbers else numbers
                for node, numbers in lists.items()}

    def read_caches(self):
        """Fills caches and tables for each CPU that uses the allocator. A cache's zone is the
        number of the zone that it is of; its frames are those in its two stacks."""
        numbers = {zone.address: zone.id for zone in self.zones}
        for number, pointer in enumerate(array(guest.kernel_value("frame_caches"))):
            if not int(pointer):
                continue
            cpu = pointer.dereference()
            values = [cpu["away"]]
            for home in array(cpu["home"]):
                values += [home["frames"], *array(home["runs"])]
            self.caches[number] = [self.cache(value, numbers) for value in values]
            self.tables[number] = [int(cache) for cache in array(cpu["table"]["for_gfp"])]

    def cache(self, value, numbers):
        """Returns value, a cache and its slots in the guest's memory, as a dictionary; numbers has
        the zones' numbers by address."""
        address = int(value["cache"].address)
        value = guest.value_at(int(value.address), value.type)
        slots, value = array(value["slots"]), value["cache"]
        cache = {name: int(value[name]) for name in ("state", "count", "limit", "nr_out",
                                                     "out_limit", "shut", "order")}
        out = guest.constant("RUNS_MAX" if cache["order"] else "CACHE_MAX")
        runs = [self.pfn_of(int(page))
                for page in slots[:cache["count"]] + slots[out:out + cache["nr_out"]]]
        return {**cache, "address": address, "zone": numbers.get(int(value["zone"])),
                "frames": [pfn + i for pfn in runs for i in range(1 << cache["order"])]}

    def cached(self, zone):
        """Returns the frames of zone in the frame caches of all CPUs."""
        return [pfn for number in self.caches for pfn in self.cached_on(number, zone)]

    def cached_on(self, number, zone):
        """Returns the frames of zone in the frame caches of the CPU with that number."""
        return [pfn for cache in self.caches.get(number, ()) if cache["zone"] == zone.id
                for pfn in cache["frames"]]

    @functools.cached_property
    def cached_by(self):
        """{frame: CPU whose frame cache it is in}"""
        return {pfn: number for number, caches in self.caches.items()
                for cache in caches for pfn in cache["frames"]}

    def page_address(self, pfn):
        """Returns the address of the descriptor of frame pfn."""
        return guest.constant("MEM_MAP_BASE") + pfn * guest.lookup_type("struct page").sizeof

    def pfn_of(self, page):
        """Returns the frame of the descriptor at address page."""
        return (page - guest.constant("MEM_MAP_BASE")) // guest.lookup_type("struct page").sizeof

    @functools.cached_property
    def gib_owners(self):
        """{number of a GiB with RAM: the set of the numbers of the zones that have RAM in it}"""
        owners = {}
        for start, end, number in self.ram:
            for gib in range(start // self.gib_frames, (end - 1) // self.gib_frames + 1):
                owners.setdefault(gib, set()).add(number)
        return owners

    def owner(self, pfn):
        """Returns the number of the zone that the block of pfn belongs to. In a GiB in which one
        zone has RAM it is that one, also for a block without RAM. ZONE_NONE: there is none."""
        owners = self.gib_owners.get(pfn // self.gib_frames, set())
        if len(owners) > 1:
            first = pfn // self.block_frames * self.block_frames
            owners = {number for start, end, number in self.ram
                      if start < first + self.block_frames and end > first}
        return min(owners, default=guest.constant("ZONE_NONE"))

    def zone_of(self, pfn):
        """Returns the zone that the block of pfn belongs to, or None."""
        return next((zone for zone in self.zones if zone.id == self.owner(pfn)), None)

    def fallback(self):
        """Returns {node: the numbers of all zones in the order in which a request on the node is
        served}: mm/numa.h has the rule."""
        with_ram = sorted({zone.node for zone in self.zones})
        first, lists = dict.fromkeys(with_ram, 0), {}
        nodes, local = guest.constant("MAX_NUMNODES"), guest.constant("REMOTE_DISTANCE")
        for node in range(self.nr_nodes):
            away = {n: 0 if n == node else self.distances[node][n] or local for n in with_ram}
            order, last = [], 0
            while len(order) < len(with_ram):
                best = min(set(with_ram) - set(order),
                           key=lambda n: (away[n], first[n], (n - node) % nodes))
                first[best] += away[best] != last
                last = away[best]
                order.append(best)
            hotplug = guest.constant("ZONE_HOTPLUG")
            lists[node] = [zone.id for n in order for zone in reversed(self.zones)
                           if zone.node == n and zone.type != hotplug]
            lists[node] += [zone.id for n in order for zone in self.zones
                            if zone.node == n and zone.type == hotplug]
        return lists

    def is_ram(self, pfn):
        """Returns whether pfn is a whole frame of memblock.memory."""
        return any(start <= pfn < end for start, end, _ in self.ram)

    def is_reserved(self, pfn):
        """Returns whether memblock.reserved touches pfn."""
        return any(start <= pfn < end for start, end in self.reserved)

    @functools.cached_property
    def free(self):
        """The maximal free ranges in frames, across zones, with the frames in frame caches."""
        frames = sorted([run for zone in self.zones for run in zone.free_in_bits()]
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
        zone, gib = self.zone_of(pfn), pfn // self.gib_frames
        if not zone or not zone.has("exist", gib):
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

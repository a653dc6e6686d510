"""The invariants of mm/zone.h and mm/cache.h, recomputed outside the guest, by the same names.

    M1  memblock: both arrays are sorted and disjoint
"""
import bits
import guest

NAMES = ("M1", "Z1", "Z2", "B1", "B2", "B3", "B4", "B5", "B6", "P1", "P2", "P3", "P4", "C1", "C2",
         "C3")
MAX_PRINTED = 16


class Check:
    """Checks the invariants on an Allocator. broken is a list of (invariant, description)."""

    def __init__(self, allocator):
        self.allocator = allocator
        self.broken = []

    def require(self, good, invariant, zone, pfn, what):
        """Adds a violation of invariant, at frame pfn of zone, unless good is true; what describes
        it."""
        if not good:
            self.broken.append((invariant, f"zone {zone.name}, frame {pfn:#x}: {what}"))

    def run(self):
        """Checks all invariants. Returns broken."""
        for kind in ("memory", "reserved"):
            self.memblock(kind)
        for zone in self.allocator.zones:
            self.zone(zone)
        return self.broken

    def memblock(self, kind):
        """Checks M1 for memory or reserved, as kind says."""
        ranges = guest.memblock_ranges(kind)
        for (base, size, _, _), (following, _, _, _) in zip(ranges, ranges[1:]):
            if base + size > following:
                self.broken.append(("M1", f"memblock.{kind}: the region at {following:#x} begins "
                                          "before the one before it ends"))

    def zone(self, zone):
        """Checks the invariants of zone, whole."""
        allocator = self.allocator
        ram = zone.ram(zone.start_pfn, zone.border)
        self.require(sum(end - start for start, end in ram) == zone.present, "Z2", zone,
                     zone.start_pfn, "present is not the RAM in memblock")
        self.require(not zone.start_pfn % allocator.block_frames and not zone.border
                     % allocator.block_frames, "Z1", zone, zone.start_pfn, "a border cuts a block")
        tally = {"free": 0, "allocated": 0, "others": set()}
        for gib in range(zone.nr_gibs):
            self.gib(zone, gib, tally)
        self.require(tally["free"] == zone.nr_free, "B6", zone, zone.start_pfn,
                     "nr_free is not the free frames")
        self.require(tally["free"] + tally["allocated"] + len(tally["others"]) == zone.managed,
                     "Z2", zone, zone.start_pfn,
                     "managed is not the free, the allocated and the cached frames")
        for name, (children, top) in [*zone.sets.items(), *enumerate(zone.index)]:
            if name != "known":
                self.top(zone, children, top)
        self.caches(zone, tally["others"])

    def top(self, zone, children, top):
        """Checks B4 for a bitmap tree of zone: its children and its top, as Zone.bitmap_tree() has
        them."""
        size = self.allocator.children
        for leaf in range(-(-zone.nr_gibs // size)):
            is_set = bool(children >> leaf * size & self.allocator.full)
            self.require((top >> leaf & 1) == is_set, "B4", zone,
                         zone.gib_start(leaf * size), "the top of a bitmap tree is wrong")

    def gib(self, zone, gib, tally):
        """Checks gib of zone, and adds its frames to tally, the zone's counts."""
        allocator, start = self.allocator, zone.gib_start(gib)
        free, is_open, head = (zone.has(name, gib) for name in ("free", "open", "head"))
        has_ram = bool(zone.ram(start, start + allocator.gib_frames))
        self.require(bool(zone.dir[gib]) == has_ram, "Z1", zone, start,
                     "a GiB with RAM is not in the directory, or one without RAM is")
        self.require(free + is_open + head <= 1, "B1", zone, start,
                     "a gib is two of whole, open and head")
        if is_open and zone.dir[gib]:
            self.open_gib(zone, gib, tally)
            return
        self.require(not any(index >> gib & 1 for index, _ in zone.index), "B3", zone, start,
                     "the index holds a gib that is not open")
        if free:
            self.free_run(zone, start, start + allocator.gib_frames)
            tally["free"] += allocator.gib_frames
        elif head:
            found = allocator.is_head(zone, int(allocator.descriptor(start)["state"]))
            self.require(found and found[1] == 2 * allocator.bitmap_order, "P1", zone, start,
                         "a gib is marked as head, its descriptor says otherwise")
            tally["allocated"] += allocator.gib_frames
        else:
            self.nothing_free(zone, start, start + allocator.gib_frames)

    def free_run(self, zone, start, end):
        """Checks B2 for all frames of [start, end), which are free."""
        self.require(not any(a < end and b > start for a, b in self.allocator.reserved), "B2", zone,
                     start, "a free frame is reserved in memblock")
        covered = sum(min(b, end) - max(a, start) for a, b in zone.ram(start, end))
        self.require(covered == end - start, "B2", zone, start, "a free frame is not RAM")

    def nothing_free(self, zone, start, end):
        """Checks that memblock has all RAM of [start, end) reserved."""
        for a, b in zone.ram(start, end):
            taken = sum(max(0, min(b, d) - max(a, c)) for c, d in joined(self.allocator.reserved))
            self.require(taken == b - a, "P1", zone, a, "RAM that is neither free nor allocated, and not reserved")

    def bounds(self, zone, bitmap, pfn, held):
        """Checks B3 for bitmap, that of the open block or gib at pfn. held has a bit for each
        order whose index holds it."""
        for k in range(self.allocator.bitmap_order):
            has_run = bits.has_run(bitmap, k, self.allocator.children)
            self.require(held >> k & 1 or not has_run, "B3", zone, pfn,
                         "an open block or gib has a run that the index does not know")
            self.require(not held >> k & 1 or not k or held >> (k - 1) & 1, "B3", zone, pfn,
                         "the index holds a child for an order, but not for the one below")
        self.require(not held & 1 or bitmap, "B3", zone, pfn,
                     "the index holds an open child in which nothing is free")

    def open_gib(self, zone, gib, tally):
        """Checks the open gib of zone with that number, and adds its frames to tally."""
        allocator, gib_bits, start = self.allocator, zone.gib(gib), zone.gib_start(gib)
        order, held, covered = allocator.bitmap_order, 0, 0
        for k in range(order):
            held |= (zone.index[order + k][0] >> gib & 1) << k
            self.require((zone.index[k][0] >> gib & 1) == bool(gib_bits.index[k]), "B4", zone,
                         start, "the zone's index and the gib's differ")
        self.require(gib_bits.free != allocator.full or zone.idle[1] == start, "B5", zone, start,
                     "an open gib is full and should have closed")
        self.bounds(zone, gib_bits.free, start, held)
        first = max(0, zone.start_pfn - start) // allocator.block_frames
        for block in range(first, len(gib_bits.blocks)):
            pfn = start + block * allocator.block_frames
            within = covered > 0
            covered -= within
            covered += self.block(zone, gib_bits, block, pfn, within, tally)

    def block(self, zone, gib_bits, block, pfn, within, tally):
        """Checks a block of an open gib, and adds its frames to tally. within says that an
        allocation from below covers it. Returns how many blocks above this one its own allocation
        covers."""
        allocator = self.allocator
        free, is_open, head = (getattr(gib_bits, name) >> block & 1
                               for name in ("free", "open", "head"))
        held = sum((gib_bits.index[k] >> block & 1) << k for k in range(allocator.bitmap_order))
        self.require(free + is_open + head <= 1 and not (within and free + is_open + head), "B1",
                     zone, pfn, "a block is two of whole, open, head and inside an allocation")
        self.require(is_open or not held, "B3", zone, pfn, "the index holds a block that is not open")
        if within:
            tally["allocated"] += allocator.block_frames
        elif free:
            self.free_run(zone, pfn, pfn + allocator.block_frames)
            tally["free"] += allocator.block_frames
        elif is_open:
            self.require(gib_bits.clean >> block & 1, "P3", zone, pfn, "an open block is not clean")
            self.require(gib_bits.blocks[block] != allocator.full or zone.idle[0] == pfn, "B5", zone,
                         pfn, "an open block is full and should have closed")
            if pfn == zone.unmovable:
                self.require(not held, "B3", zone, pfn, "the index holds the unmovable block")
            else:
                self.bounds(zone, gib_bits.blocks[block], pfn, held)
            self.open_block(zone, gib_bits.blocks[block], pfn, tally)
        elif head:
            return self.head_block(zone, pfn, tally)
        else:
            self.nothing_free(zone, pfn, pfn + allocator.block_frames)
        return 0

    def head_block(self, zone, pfn, tally):
        """Checks the block at pfn, which is a head. Returns how many blocks above it the
        allocation covers."""
        allocator = self.allocator
        state = int(allocator.descriptor(pfn)["state"])
        if not state:
            tally["others"].update(range(pfn, pfn + allocator.block_frames))
            return 0
        found = allocator.is_head(zone, state)
        good = bool(found) and (allocator.bitmap_order <= found[1] < 2 * allocator.bitmap_order
                                and not pfn % (1 << found[1]))
        self.require(good, "P1", zone, pfn,
                     "a block is marked as head, its descriptor says otherwise")
        tally["allocated"] += allocator.block_frames
        return (1 << found[1] - allocator.bitmap_order) - 1 if good else 0

    def open_block(self, zone, bitmap, first, tally):
        """Checks the descriptors of an open block whose first frame is first, and adds its frames
        to tally."""
        allocator = self.allocator
        stride = guest.lookup_type("struct page").sizeof // guest.WORD
        states = guest.words(allocator.page_address(first), allocator.block_frames * stride)[::stride]
        reserved = (allocator.cookie | zone.id << guest.constant("STATE_ZONE_SHIFT")
                    | guest.constant("STATE_RESERVED"))
        tally["free"] += bits.ones(bitmap)
        for start, end in bits.runs(bitmap):
            self.free_run(zone, first + start, first + end)
        at = 0
        while at < allocator.block_frames:
            pfn, state, length = first + at, states[at], 1
            if bitmap >> at & 1:
                self.require(not state, "P2", zone, pfn, "the state word of a free frame is not zero")
            elif state == reserved:
                self.require(not allocator.is_ram(pfn) or allocator.is_reserved(pfn), "P4", zone, pfn,
                             "marked reserved, but memblock has it as free RAM")
            else:
                length = self.used(zone, bitmap, states, first, at, tally)
            at += length

    def used(self, zone, bitmap, states, first, at, tally):
        """Checks the frame first + at of an open block, which is neither free nor reserved: it is
        in a frame cache, or the head of an allocation. Returns the number of frames of it."""
        allocator, pfn = self.allocator, first + at
        self.require(allocator.is_ram(pfn) and not allocator.is_reserved(pfn), "P4", zone, pfn,
                     "not marked, but memblock has it reserved")
        if not states[at]:
            tally["others"].add(pfn)
            return 1
        found = allocator.is_head(zone, states[at])
        if not found or found[1] >= allocator.bitmap_order or pfn % (1 << found[1]):
            self.require(good=False, invariant="P1", zone=zone, pfn=pfn,
                         what="neither free, nor in an allocation, nor reserved")
            return 1
        length = 1 << found[1]
        self.require(not bitmap >> at & (1 << length) - 1, "P1", zone, pfn,
                     "part of an allocation is free")
        self.require(not any(states[at + 1:at + length]), "P2", zone, pfn,
                     "a state word inside an allocation is not zero")
        tally["allocated"] += length
        return length

    def caches(self, zone, others):
        """Checks C1, C2 and C3 for the frame caches of zone. others are its frames that are neither
        free nor allocated."""
        frames = self.allocator.cached(zone)
        self.require(len(frames) == len(set(frames)), "C1", zone, zone.start_pfn,
                     "a frame is in a frame cache twice")
        self.require(set(frames) == others, "C1", zone, zone.start_pfn,
                     "the frames neither free nor allocated are not those in the frame caches")
        for cpu, caches in enumerate(self.allocator.caches):
            for cache in caches[zone.id]:
                self.require(cache["count"] <= cache["limit"]
                             and cache["nr_out"] <= cache["out_limit"], "C2",
                             zone, zone.start_pfn, "a frame cache holds more than its limit")
                self.require(not (cache["shut"] and cache["frames"]), "C2", zone, zone.start_pfn,
                             "a frame cache that is shut has a frame")
            self.table(zone, cpu)

    def table(self, zone, cpu):
        """Checks C3 for the cache of order 0 that a CPU has of zone."""
        cache = self.allocator.first_cache(cpu, zone)
        for serves, highest in zip(self.allocator.tables[cpu], self.allocator.gfp_zones):
            keep = zone.reserves[highest]
            self.require(serves != cache or not keep or zone.nr_free > keep, "C3", zone,
                         zone.start_pfn, "a cache serves requests that the zone keeps frames from")


def joined(ranges):
    """Returns ranges, which may overlap after rounding to frames, as disjoint ones, sorted."""
    result = []
    for start, end in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1][1] = max(end, result[-1][1])
        else:
            result.append([start, end])
    return result

"""The invariants of mm/zone.h and mm/cache.h, recomputed outside the guest, by the same names.

    M1  memblock: both arrays are sorted and disjoint
"""
import bits
import guest
from allocator import array

NAMES = ("M1", "Z1", "Z2", "Z3", "B1", "B2", "B3", "B4", "B5", "B6", "P1", "P2", "P3", "P4", "C1", "C2",
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
            self.broken.append((invariant, f"zone {zone.title}, frame {pfn:#x}: {what}"))

    def run(self):
        """Checks all invariants. Returns broken."""
        for kind in ("memory", "reserved"):
            self.memblock(kind)
        self.owners()
        self.lists()
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
        ram = [(start, end) for start, end, number in allocator.ram if number == zone.id]
        self.require(sum(end - start for start, end in ram) == zone.present, "Z2", zone,
                     zone.start_pfn, "present is not the RAM in memblock")
        span = (ram[0][0], ram[-1][1]) if ram else (0, 0)
        self.require((zone.start_pfn, zone.end_pfn) == span, "Z2", zone, zone.start_pfn,
                     "start_pfn and end_pfn do not enclose its RAM")
        have = set(zone.gibs())
        for gib, numbers in allocator.gib_owners.items():
            self.require((gib in have) == (zone.id in numbers), "Z1", zone,
                         gib * allocator.gib_frames,
                         "there is RAM without a gib, or a gib without RAM")
        self.require(set(zone.shelves) >= {gib // allocator.children for gib in have}, "Z1", zone,
                     zone.start_pfn, "there is a gib without a shelf")
        tally = {"free": 0, "allocated": 0, "others": set()}
        for gib in sorted(have & set(allocator.gib_owners)):
            self.gib(zone, gib, tally)
        self.require(tally["free"] == zone.nr_free, "B6", zone, zone.start_pfn,
                     "nr_free is not the free frames")
        self.require(tally["free"] + tally["allocated"] + len(tally["others"]) == zone.managed,
                     "Z2", zone, zone.start_pfn,
                     "managed is not the free, the allocated and the cached frames")
        self.tops(zone)
        self.caches(zone, tally["others"])

    def owners(self):
        """Checks Z1 for zone_owners: the bytes of all GiBs, and of the blocks of mixed ones."""
        allocator, gib_owners = self.allocator, self.allocator.gib_owners
        none, mixed = guest.constant("ZONE_NONE"), guest.constant("ZONE_MIXED")
        owners, size = guest.lookup_type("struct owners"), allocator.children
        for shelf, address in enumerate(array(guest.kernel_value("zone_owners"))):
            expected = [gib_owners.get(gib, set()) for gib in range(shelf * size, (shelf + 1) * size)]
            if not int(address):
                self.require_owner(not any(expected), shelf * size * allocator.gib_frames)
                continue
            value = guest.value_at(int(address), owners)
            for i, numbers in enumerate(expected):
                first = (shelf * size + i) * allocator.gib_frames
                number = int(value["gib"][i])
                self.require_owner(number == (mixed if len(numbers) > 1 else min(numbers, default=none)),
                                   first)
                if number == mixed and len(numbers) > 1:
                    for block, owner in enumerate(guest.read(int(value["block"][i]), size)):
                        pfn = first + block * allocator.block_frames
                        self.require_owner(owner == allocator.owner(pfn), pfn)

    def require_owner(self, good, pfn):
        """Adds a violation of Z1, at frame pfn, unless good is true."""
        if not good:
            self.broken.append(("Z1", f"frame {pfn:#x}: zone_owners names another zone than memblock"))

    def lists(self):
        """Checks Z3: the fallback list of each node."""
        for node, expected in self.allocator.fallback().items():
            found = self.allocator.lists[node]
            if found != expected:
                self.broken.append(("Z3", f"the fallback list of node {node} is {found}, not {expected}"))

    def tops(self, zone):
        """Checks B4 for the tops of zone: they tell in which shelves a set of gibs is not empty."""
        for number, top in enumerate(zone.tops):
            true = sum(1 << shelf for shelf, value in zone.shelves.items() if value.sets[number])
            self.require(top == true, "B4", zone, zone.start_pfn, "the top of a set of gibs is wrong")

    def gib(self, zone, gib, tally):
        """Checks gib of zone, and adds its frames to tally, the zone's counts."""
        allocator, start = self.allocator, gib * self.allocator.gib_frames
        free, is_open, head = (zone.has(name, gib) for name in ("free", "open", "head"))
        self.require(free + is_open + head <= 1, "B1", zone, start,
                     "a gib is two of whole, open and head")
        if is_open:
            self.open_gib(zone, gib, tally)
            return
        self.require(not any(zone.has(k, gib) for k in range(2 * allocator.bitmap_order)), "B3", zone, start,
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
        allocator, gib_bits, start = self.allocator, zone.gib(gib), gib * self.allocator.gib_frames
        order, held, covered = allocator.bitmap_order, 0, 0
        for k in range(order):
            held |= zone.has(order + k, gib) << k
            self.require(zone.has(k, gib) == bool(gib_bits.index[k]), "B4", zone, start,
                         "the shelf's index and the gib's differ")
        self.require(gib_bits.free != allocator.full or zone.idle[1] == start, "B5", zone, start,
                     "an open gib is full and should have closed")
        self.bounds(zone, gib_bits.free, start, held)
        for block in range(len(gib_bits.blocks)):
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
        for cpu, caches in self.allocator.caches.items():
            for cache in caches:
                if cache["zone"] != zone.id:
                    continue
                self.require(cache["count"] <= cache["limit"]
                             and cache["nr_out"] <= cache["out_limit"], "C2",
                             zone, zone.start_pfn, "a frame cache holds more than its limit")
                self.require(not (cache["shut"] and cache["limit"] + cache["out_limit"]), "C2", zone,
                             zone.start_pfn, "a frame cache that is shut has room")
                self.table(zone, cpu, cache)

    def table(self, zone, cpu, cache):
        """Checks C3 for a cache that a CPU has of zone: that no request whose flags have the zone
        bits `flags` is sent to it without need."""
        for flags, serves in enumerate(self.allocator.tables[cpu]):
            highest = "ZONE_DMA" if flags & guest.constant("__GFP_DMA") else \
                "ZONE_DMA32" if flags & guest.constant("__GFP_DMA32") else "ZONE_HOTPLUG"
            keep = zone.reserves[guest.constant(highest)]
            self.require(serves != cache["address"] or not keep or zone.nr_free > keep, "C3", zone,
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

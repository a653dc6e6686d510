#!/usr/bin/env -S python3 -B
"""Tests or writes the pictures that replay --svg draws: tests/gallery.py [--write]

Without an argument it compares (TAP) the pictures with replay's JSON, and docs/gallery.md and
docs/gallery/ with what would be written now. --write writes them; `make gallery` calls it.
"""
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from drawing import Drawing, content, illegible, parse, plain
from replay import LOGS, random_map
from tap import Tap

REPLAY = os.path.join(os.environ.get("B", "build"), "host", "replay")
MAPS = "tests/e820"
PAGE = "docs/gallery.md"
PICTURES = "docs/gallery"
FRAME = 4096
KERNEL = ["--kernel", "512"]  # the pictures stay as they are when the kernel grows

HEAD = """# Real memory maps

What {count} firmwares report about their memory, and what firstpage makes of it.

    build/host/replay --svg FILE > map.svg     # a map, or a log with Linux's BIOS-e820: lines
    make gallery                               # draws this page again

In each picture, addresses run down, and the lanes are columns. From left to right they are: the
*addresses* at which anything begins or ends, and the *sizes* between them; the entries *as given*,
numbered in the firmware's order, beside each other where they overlap; a mark for each correction,
which the text below explains; the *corrected* map; the *zones*; what is *in use* before the first page
is handed out, with the kernel and `mem_map` by name; and the *free* ranges, each with its largest free
block. Each piece of the scale is as high as a line of text, and higher by the logarithm of its size.
Below are the corrections in words, and how many free blocks each zone has of each size. A picture that
is opened by itself shows the exact range under the pointer. The pictures follow the reader's choice of
light or dark. Where they are 360 pixels wide, their text has 8.5 pixels or more. [The page](options.md#the-page)
shows the same for any map, and the allocator at work on it.

The pictures assume a kernel of 512 KiB (`--kernel 512`), so that they change with a map or with the
memory code, and not with each build. [tests/e820/INDEX.md](../tests/e820/INDEX.md) names the source
of each map, and its form.
"""

# Title of a section, and whether a row of the index belongs there; the first that fits counts.
KINDS = [
    ("Islands, and the end of the address space",
     lambda row: re.search(r"RAM holes of|past 2\^46", row["oddities"])),
    ("Borders in the middle of a frame", lambda row: re.search(r"page aligned|mid-page", row["oddities"])),
    ("Entries out of order, repeated, empty or of unknown type",
     lambda row: re.search(r"unsorted|duplicate|zero-length|type 9", row["oddities"])),
    ("From UEFI", lambda row: row["boot"] == "uefi"),
    ("From coreboot and from a virtual machine", lambda row: row["boot"] != "bios"),
    ("A hole below 16 MiB", lambda row: "15-16 MB hole" in row["oddities"]),
    ("Small: less than 1 GiB", lambda row: row["RAM total"].endswith("MiB")),
    ("Larger", lambda row: True),
]


def run(*args, text=b""):
    """Runs replay with args and text as standard input. Returns (status, output, complaints)."""
    done = subprocess.run([REPLAY, *args], input=text, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def stem(name):
    """Returns the name of a file without its folder and extension."""
    return os.path.splitext(os.path.basename(name))[0]


def index_rows():
    """Returns the rows of the table in INDEX.md, each a dictionary by column."""
    with open(os.path.join(MAPS, "INDEX.md"), encoding="utf-8") as file:
        table = [[cell.strip() for cell in line.strip().strip("|").split("|")]
                 for line in file if line.startswith("|")]
    return [dict(zip(table[0], cells)) for cells in table[2:]]


def page(rows):
    """Returns the text of docs/gallery.md for rows, those of the index."""
    parts = [HEAD.format(count=len(rows))]
    for title, fits in KINDS:
        chosen = [row for row in rows if fits(row)]
        rows = [row for row in rows if row not in chosen]
        if chosen:
            parts.append(f"## {title}\n")
        for row in chosen:
            name = stem(row["file"])
            words = row["machine"]
            if row["oddities"] != "nothing odd":
                words += ": " + row["oddities"]
            parts.append(f"### {name}\n\n{words}\n\n![{name}]({stem(PICTURES)}/{name}.svg)\n")
    return "\n".join(parts)


def draw(name):
    """Returns (status, picture, complaints) for the map in the file name."""
    return run("--svg", *KERNEL, name)


def write(maps):
    """Writes the picture of each of maps, and the page. Returns the exit status."""
    os.makedirs(PICTURES, exist_ok=True)
    for old in glob.glob(f"{PICTURES}/*.svg"):
        os.remove(old)
    for name in maps:
        status, picture, err = draw(name)
        if status:
            print(f"tests/gallery.py: {name}: {err}", file=sys.stderr)
            return 1
        with open(f"{PICTURES}/{stem(name)}.svg", "w", encoding="utf-8") as file:
            file.write(picture)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page(index_rows()))
    print(f"{PAGE}: {len(maps)} pictures")
    return 0


# What a picture shows.

TITLE = re.compile(r"(.*) \[mem 0x([0-9a-f]+)(?:-0x([0-9a-f]+)\].*|, empty\])")
MARK = re.compile(r"correction (\d+): entry \d+, (.*)")
LEAST_HEIGHT = 3  # of the box of an empty range


def shapes(picture):
    """Returns [(class, words, first, last, box)] of all shapes in picture that have an address, of
    those with several titles one for each; last is None for an empty range. A box is (left, top,
    right, bottom, class)."""
    drawing = Drawing(picture)
    out = []
    for node in drawing.root.childNodes:
        for line in "".join(map(content, node.childNodes)).split("\n") if node.nodeName in ("path", "rect") else []:
            if line:
                words, first, last = TITLE.fullmatch(line).groups()
                box, = drawing.boxes_of(node)
                out.append((node.getAttribute("class"), words, int(first, 16), int(last, 16) if last else None, box))
    return out


def spans(items):
    """Returns [(first, last)], in bytes, of items, the ranges of replay's JSON."""
    return [(int(i["base"], 16), int(i["base"], 16) + int(i["size"], 16) - 1) for i in items]


def whole_frames(items):
    """Returns the ranges of items as spans() does, widened to whole frames and joined where they
    touch."""
    out = []
    for first, last in spans(items):
        first, last = first // FRAME * FRAME, last // FRAME * FRAME + FRAME - 1
        if out and out[-1][1] + 1 >= first:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def places_wrong(lane):
    """Returns whether the boxes of lane, shapes in the order of addresses, fail to follow each
    other in one column."""
    boxes = [box for *_, box in lane]
    return (len({(left, right) for left, _, right, _, _ in boxes}) > 1
            or any(left >= right or top >= bottom for left, top, right, bottom, _ in boxes)
            or any(a[3] > b[1] for a, b in zip(boxes, boxes[1:])))


def scale_wrong(picture, found):
    """Returns None, or which of found, the shapes of picture, is not where the addresses beside it
    say: each begins and ends at one."""
    addresses = [t for t in Drawing(picture).texts if t.classes == ["a"]]
    at = {t.y - 4: int(t.words, 16) for t in addresses}
    order = sorted(at.items())
    if len(at) != len(addresses) or order != sorted(at.items(), key=lambda item: item[1]):
        return "the addresses do not rise from top to bottom"
    for _, words, first, last, (_, top, _, bottom, kind) in found:
        if kind == "k":
            above = max(y for y in at if y <= top)
            if at[above] != first or bottom > min(y for y in at if y > above):
                return f"mark {words} is not at {first:#x}"
        elif at.get(top) != first or (at.get(bottom) != last + 1 if last else bottom - top != LEAST_HEIGHT):
            return f"{words} {first:#x} is drawn from {at.get(top, 0):#x} to {at.get(bottom, 0):#x}"
    return None


def marks_wrong(picture, found, answer):
    """Returns None, or what is wrong with the marks among found, the shapes of picture: they must
    show the corrections in answer, replay's JSON, by number."""
    marks = [(MARK.fullmatch(words).groups(), first, last, box) for _, words, first, last, box in found
             if words.startswith("correction")]
    want = [(str(n + 1), c["what"], int(c["base"], 16), int(c["size"], 16)) for n, c in enumerate(answer["corrections"])]
    have = sorted(((number, what, first, last - first + 1 if last else 0)
                   for (number, what), first, last, _ in marks), key=lambda mark: int(mark[0]))
    if have != [(number, what, base, min(size, (1 << 64) - base)) for number, what, base, size in want]:
        return f"the marks are {have}, the corrections {want}"
    labels = {(t.x, t.y): t.words for t in Drawing(picture).texts if t.classes == ["w"]}
    for box in {box for *_, box in marks}:
        own = sorted(int(number) for (number, _), *_, other in marks if other == box)
        label = labels.get(((box[0] + box[2]) // 2, (box[1] + box[3]) // 2 + 4))
        row = own == list(range(own[0], own[-1] + 1))
        if label != (str(own[0]) if len(own) == 1 else f"{own[0]}-{own[-1]}" if row else f"{own[0]}, .."):
            return f"the mark of corrections {own} is called {label}"
    return None


def places_used_wrong(found, answer):
    """Returns None, or what is wrong with the kernel and mem_map among found, shapes of a picture."""
    used = [s for s in found if s[1] == "in use"]
    places = [s for s in found if s[1] in ("kernel", "mem_map")]
    outside = [p for p in places if not any(u[2] <= p[2] and p[3] <= u[3] for u in used)]
    size = sum(p[3] - p[2] + 1 for p in places if p[1] == "mem_map")
    if outside or size != answer["mem_map"]["bytes"]:
        return f"mem_map has {size} bytes; not in use: {outside}"
    return None


def table_wrong(picture, answer):
    """Returns None, or what is wrong with the table of free blocks in picture: it must have the
    counts of answer, replay's JSON, those of some zones in one sum."""
    texts = Drawing(picture).texts
    top = max(t.y for t in texts if t.classes == ["a"])
    texts = [t for t in texts if t.y > top]
    left = min(t.x for t in texts if t.classes == ["e"])
    sizes = sorted(t.y for t in texts if t.classes == ["e"] and t.x == left)
    zones = {(z["node"] if len(answer["nodes"]) > 1 else None, z["name"]): z["free_blocks"]
             for z in answer["zones"] if z["present"]}
    columns = defaultdict(list)
    for text in sorted((t for t in texts if t.classes == ["n"] and t.words != "RAM" and t.words), key=lambda t: t.y):
        columns[text.x].append(text.words)
    for x, words in columns.items():
        node = int(words[0].removeprefix("node ")) if words[0].startswith("node ") else None
        want = zones.pop((node, words[-1]), None)
        if words == [f"{len(zones)} other", "zones"]:
            want = [sum(counts) for counts in zip(*zones.values())]
            zones = {}
        have = {t.y: int(t.words) for t in texts if t.x == x and t.classes == ["e"] and t.y in sizes}
        if want is None or want[len(sizes):] or [have.get(y, 0) for y in sizes] != want:
            return f"the table says {have} for {words}, the JSON has {want}"
    return f"zones {list(zones)} are not in the table" if zones else None


def complaint(picture, answer, entries):
    """Returns None, or what is wrong with picture, which must show what replay's JSON, answer,
    says of a map with so many entries."""
    found = shapes(picture)
    given = [s for s in found if s[1].startswith("entry")]
    corrected = [s for s in found if s[0][0] == "t" and not s[1].startswith("entry")]
    free = [s for s in found if s[1] == "free"]
    used = [s for s in found if s[1] == "in use"]
    zones = [(z["start_pfn"] * FRAME, z["end_pfn"] * FRAME - 1) for z in answer["zones"]
             if z["present"]]
    if [s[1].split(",")[0] for s in given] != [f"entry {n}" for n in range(entries)]:
        return f"{len(given)} entries drawn of {entries}"
    if ([(s[0], s[2:4]) for s in corrected]
            != [(f"t{r['type']}", span) for r, span in zip(answer["e820"], spans(answer["e820"]))]):
        return "the corrected map is not the JSON's"
    for name, lane, want in (("free", free, spans(answer["free"])),
                             ("in use", used, whole_frames(answer["reserved"])),
                             ("zones", [s for s in found if s[0][0] == "z"], zones)):
        if [s[2:4] for s in lane] != want:
            return f"{name} is {[s[2:4] for s in lane]}, the JSON has {want}"
        if places_wrong(lane):
            return f"{name}: the boxes do not follow each other"
    if places_wrong(corrected):
        return "corrected: the boxes do not follow each other"
    return (scale_wrong(picture, found) or marks_wrong(picture, found, answer) or places_used_wrong(found, answer)
            or table_wrong(picture, answer))


def judge(text, may_fail=False):
    """Returns None, or what is wrong with the picture of text, a map. With may_fail set, the map
    may be one that does not boot."""
    status, picture, err = run("--svg", "-", text=text)
    if not parse(picture):
        return f"not XML; {err}"
    if status:
        return illegible(picture) if may_fail and "Does not boot" in picture else f"status {status}: {err}"
    answer = run("--json", "-", text=text)[1]
    with_type = re.findall(rb"^0x|BIOS-e820:", text, re.MULTILINE)
    return complaint(picture, json.loads(answer), len(with_type)) or illegible(picture)


def map_text(entries):
    """Returns entries as the text of a map file."""
    return "".join(" ".join(f"{word:#x}" for word in e) + "\n" for e in entries).encode()


def check_gallery(tap, maps):
    """Checks that the page and the pictures are those that would be written now for maps."""
    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(draw, maps))
    stale = []
    for name, (_, picture, _) in zip(maps, drawn):
        try:
            with open(f"{PICTURES}/{stem(name)}.svg", encoding="utf-8") as file:
                stale += [] if file.read() == picture else [name]
        except OSError:
            stale.append(name)
    tap.check(not stale, "each picture is what replay --svg draws now", f"make gallery: {stale}")
    extra = {stem(p) for p in glob.glob(f"{PICTURES}/*")} - {stem(m) for m in maps}
    tap.check(not extra, "no picture without a map", extra)
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    tap.check(text == page(index_rows()), f"{PAGE} is what would be written now", "make gallery")
    without = [m for m in maps if f"({stem(PICTURES)}/{stem(m)}.svg)" not in text]
    tap.check(not without, "every map is on the page", without)


def check_refusals(tap):
    """Checks replay --svg on input that it refuses."""
    status, out, _ = run("--svg", "--json", maps_of()[0])
    tap.check(status == 2 and not out, "--svg together with --json is refused")
    status, out, err = run("--svg", "-", text=b"hello\n")
    tap.check(status == 2 and not out and "-: no memory map" in err, "a file that is no map is refused, and nothing is drawn")
    for words, text in (("no usable RAM", b"0x0 0x100000 2\n"),
                        ("no place for the kernel", b"0x0 0x9f000 1\n0x100000 0x10000 1\n"),
                        ("no room for a page table", b"0x0 0x10000 1\n0x200000 0x80000 1\n")):
        status, out, err = run("--svg", *KERNEL, "-", text=text)
        lanes = {s[1].split()[0] for s in shapes(out)} if parse(out) else set()
        tap.check(status == 2 and words in err and "Does not boot: " in out and words in plain(out)
                  and "entry" in lanes and "free" not in lanes, f"{words}: drawn, with the reason", out)
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "<&\">'\u00e9\t.map")
        with open(name, "wb") as file:
            file.write(b"0x0 0x9f000 1\n0x100000 0x7f00000 1\n")
        out = run("--svg", name)[1]
        dom = parse(out)
        title = dom and dom.getElementsByTagName("title")[0].firstChild.data
        tap.check(title == "Memory map <&\">'???.map", "a file name may have any characters", out[:200])


NODES = (b"0x0 0x9f000 1\n0x100000 0xbff00000 1\n0x100000000 0x240000000 1\n0x400000000 0x100000000 1\n"
         b"node 0 0 0x140000000\nnode 1 0x140000000 0x140000000\nnode 3 0x300000000 0x20200000\n"
         b"node 1 0x320000000 0x20000000\nnode 0 0x380000000 0x10000000000\n")


def node_spans(answer):
    """Returns [(node, first, last)] of the memory in answer, replay's JSON: a node's, as far as there
    is no other's between."""
    out = []
    for item, (first, last) in zip(answer["memory"], spans(answer["memory"])):
        if out and out[-1][0] == item["node"]:
            first = out.pop()[1]
        out.append((item["node"], first, last))
    return out


def nodes_complaint(text):
    """Returns None, or what is wrong with the lanes of nodes and zones in the picture of text, a map
    with node lines."""
    picture, answer = run("--svg", "-", text=text)[1], json.loads(run("--json", "-", text=text)[1])
    found = shapes(picture)
    lane = [s for s in found if s[0][0] == "d"]
    if [(int(s[1].removeprefix("node ")), *s[2:4]) for s in lane] != node_spans(answer):
        return f"nodes are {lane}, the JSON has {node_spans(answer)}"
    zones = [s for s in found if s[0][0] == "z"]
    if places_wrong(lane) or places_wrong(zones):
        return "the boxes do not follow each other"
    for zone in answer["zones"]:
        own = [s[2:4] for s in zones if s[1] == f"zone {zone['name']} of node {zone['node']}"]
        want = [(zone["start_pfn"] * FRAME, zone["end_pfn"] * FRAME - 1)] if zone["present"] else []
        if own and [(own[0][0], own[-1][1])] != want or bool(own) != bool(want):
            return f"zone {zone['name']} of node {zone['node']} is {own}, the JSON has {want}"
    if any(c["what"] + " [mem " + c["base"] not in plain(picture) for c in answer["numa_corrections"]):
        return "a correction of the nodes is not in the picture"
    return scale_wrong(picture, found) or table_wrong(picture, answer) or illegible(picture)


def check_nodes(tap):
    """Checks pictures of machines with several nodes."""
    wrong = nodes_complaint(NODES)
    tap.check(not wrong, "the picture of a map with nodes shows them", wrong)
    turns = b"".join(b"node %d %#x 0x200000\n" % (n % 2, n << 21) for n in range(64))
    wrong = nodes_complaint(b"0x0 0x9f000 1\n0x100000 0x7f00000 1\n" + turns)
    tap.check(not wrong, "the picture of nodes that change at each block shows them", wrong)
    out = plain(run("--svg", "-", text=NODES)[1])
    tap.check("; 4 nodes\n" in out and "corrections of the nodes\n" in out,
              "it says how many nodes and corrections of them there are", out[:2000])
    many = b"0x0 0x9f000 1\n0x100000 0xbff00000 1\n0x100000000 0x3e80000000 1\n"
    wrong = nodes_complaint(many + b"".join(b"node %d %#x 0x100000000\n" % (n, n << 32) for n in range(63)))
    tap.check(not wrong, "the picture of 63 nodes shows them, and the table the sum of most", wrong)
    out = run("--svg", "-", text=b"".join(NODES.splitlines(True)[:4]))[1]
    tap.check("node" not in out, "the picture of one node does not name it", out[:2000])


def maps_of():
    """Returns the paths of all maps in tests/e820/."""
    return sorted(glob.glob(f"{MAPS}/*.map"))


def check_pictures(tap, maps):
    """Checks the pictures of maps, of random maps and of logs against replay's JSON."""

    def judge_file(name):
        with open(name, "rb") as file:
            return judge(file.read())

    with ThreadPoolExecutor(2) as pool:
        wrong = [f"{m}: {w}" for m, w in zip(maps, pool.map(judge_file, maps)) if w]
    tap.check(not wrong, f"{len(maps)} pictures show what the JSON says", "\n".join(wrong))
    rng = random.Random(1)
    for number in range(60):
        wrong = judge(map_text(random_map(rng)), may_fail=True)
        if wrong:
            break
    tap.check(not wrong, "pictures of 60 random maps (seed 1) show what the JSON says", f"map {number}: {wrong}")
    wrong = [w for w in (judge(text) for text in LOGS.values()) if w]
    tap.check(not wrong, "pictures of logs show what the JSON says", wrong)
    full = [[0, 0x10000000, 1], [0x8000005, (1 << 64) - 1, 2], [0x9000000, 1 << 63, 3]]
    wrong = judge(map_text(full))
    tap.check(not wrong, "the picture of a map of the whole address space shows it", wrong)
    many = [[n << 20, 0x80000 + (n % 3 << 20), 1 + n % 5] for n in range(1023)]
    wrong = judge(map_text(many + [[0x80000000, 0x10000000, 1]]))
    tap.check(not wrong, "the picture of a map of 1024 entries shows them", wrong)


def main():
    if sys.argv[1:] == ["--write"]:
        return write(maps_of())
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    tap = Tap()
    check_gallery(tap, maps_of())
    check_pictures(tap, maps_of())
    check_nodes(tap)
    check_refusals(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

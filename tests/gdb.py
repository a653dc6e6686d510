#!/usr/bin/env -S python3 -B
"""Tests gdb on a live guest: the code of each stage, and its commands against the monitor's. TAP.

tests/gdb.py [WORD...] runs the tests whose name contains all the words.
"""
import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

import guest
from tap import run_tests

BUILD = os.environ.get("B", "build")
LIMIT = 120
MARK = "@@ "
LONGEST = 15  # bytes of an x86 instruction


def attempt(command):
    """Returns gdb commands that execute command and print its error; the session goes on after an
    error."""
    return f"python\ntry: gdb.execute({command!r})\nexcept gdb.error as e: print('error:', e)\nend\n"


def session(steps, **env):
    """Runs steps, [(name, gdb commands)], under scripts/debug. Returns ({name: what was printed},
    all output, status); the name "" stands for what comes before the first step."""
    text = "".join(f"echo \\n{MARK}{name}\\n\n{commands}\n" for name, commands in steps)
    with tempfile.TemporaryDirectory(prefix="gdb.", dir=BUILD) as directory:
        rc = os.path.join(directory, "rc")
        with open(rc, "w", encoding="ascii") as file:
            file.write(text)
        status, output = guest.run(["scripts/debug"], LIMIT, GDB_RC=rc, **env)
    parts, name = {"": ""}, ""
    for line in output.splitlines(keepends=True):
        if line.startswith(MARK):
            name = line[len(MARK):].strip()
            parts[name] = ""
        else:
            parts[name] += line
    return parts, output, status


# Of gdb: the guest stands at a breakpoint; there it jumps to itself until it has come back twice.
COME_BACK = """python
pc, memory, times = int(gdb.parse_and_eval("(unsigned long)$pc")), gdb.selected_inferior(), [0]
code = bytes(memory.read_memory(pc, 2))
memory.write_memory(pc, b"\\xeb\\xfe")
def back():
    times[0] += 1
    if times[0] == 2: memory.write_memory(pc, code)
end
commands
python back()
end
"""


def test_next_stop(tap):
    """Checks that next-stop, which other tests use, goes on where gdb names a breakpoint again."""
    parts, output, _ = session(
        [("stop", guest.NEXT_STOP + "break *bp_buddy\nnext-stop\n" + COME_BACK),
         ("next", "break *bp_cpus\nnext-stop\npython print('back', times)\ninfo symbol $pc"),
         ("end", "delete\ncontinue")], CMDLINE="run=exit 0", CONSOLE="none")
    said = parts.get("next", "")
    tap.check("back [2]" in said and "bp_cpus in section" in said, "next-stop stops elsewhere", said or output)


# ---- each stage ----

# gdb must disassemble the guest's memory as objdump does the ELF file: stage, objdump's machine,
# from, to. A label can be followed by + N.
CODE = (("bootsector", "i8086", "bp_bootsector", "print_digit"),
        ("stage2", "i8086", "bp_stage2", "protected"),
        ("stage2", "i386", "protected", "protected.halt"),
        ("stage2", "i8086", "bios_enter.real", "bios_enter.protected"),
        ("stage2", "i386", "bios_enter.protected", "bios_enter.protected+20"),
        ("stage2", "i386", "stage2_main", "stage2_main+40"),
        ("stage2", "i386:x86-64", "long_mode.long", "bp_long+2"),
        ("kernel", "i386:x86-64", "start_kernel", "start_kernel+40"))


def address(stage, place):
    """Returns the address of place in the ELF file of stage: a label, or a label and + N."""
    label, _, more = place.partition("+")
    listed = subprocess.run(["nm", f"{BUILD}/{stage}.elf"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) . {re.escape(label)}$", listed, re.M)[1], 16) + int(more or 0)


def mnemonics(text, pattern):
    """Returns [(address, mnemonic)] of all that pattern finds in text."""
    return [(int(at, 16), word) for at, word in re.findall(pattern, text, re.MULTILINE)]


def objdump(stage, machine, start, end):
    """Returns [(address, mnemonic)] of [start, end) in the ELF file of stage, as objdump
    disassembles it for machine. The last instruction may reach beyond end, so objdump is given
    more."""
    text = subprocess.run(["objdump", "-d", "-w", "-m", machine, f"--start-address={start}",
                           f"--stop-address={end + LONGEST}", f"{BUILD}/{stage}.elf"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return [(at, word) for at, word in mnemonics(text, r"^ *([0-9a-f]+):\t[0-9a-f ]+\t(\S+)")
            if at < end]


def test_code(tap):
    """Checks that gdb disassembles code of 16, 32 and 64 bits as objdump does."""
    stops = {"bootsector": "", "stage2": "tbreak *bp_long\ncontinue\n",
             "kernel": "tbreak *bp_kernel\ncontinue\n"}
    for stage, stop in stops.items():
        ranges = [(machine, address(stage, start), address(stage, end), f"{start} to {end}")
                  for of, machine, start, end in CODE if of == stage]
        parts, output, _ = session(
            [("stop", stop)] + [(name, f"disassemble {start},{end}")
                                for _, start, end, name in ranges],
            STAGE="" if stop else stage, CMDLINE="run=exit 0")
        for machine, start, end, name in ranges:
            true = objdump(stage, machine, start, end)
            shown = mnemonics(parts.get(name, ""), r"^(?:=>)? *0x([0-9a-f]+)[^\t]*:\t(\S+)")
            tap.check(len(true) > 4 and shown == true, f"{stage}, {name}: shown as {machine}",
                      f"{true}\n{shown}\n{output}")


def test_stages(tap):
    """Checks that each STAGE= stops where the stage begins, with its source and code shown."""
    first = {"bootsector": (r"bootsector\.asm:\d+", ["mov", "out", "push", "mov"]),
             "stage2": (r"stage2/entry\.asm:\d+", ["cli", "cld", "xor", "mov"]),
             "kernel": (r"x86_64/entry\.asm:\d+", ["call", "cli", "hlt", "jmp"])}
    for stage, (source, words) in first.items():
        parts, output, _ = session([("code", "x/4i $pc"), ("symbol", "info symbol $pc")],
                                   STAGE=stage, CMDLINE="run=exit 0")
        shown = [word for _, word in mnemonics(parts.get("code", ""),
                                               r"^(?:=>)? *0x([0-9a-f]+)[^\t]*:\t(\S+)")]
        tap.check(shown == words and re.search(source, parts[""])
                  and f"bp_{stage} in section" in parts.get("symbol", ""),
                  f"STAGE={stage}: stops at its first instruction, with source and code", output)
    done = subprocess.run(["scripts/debug"], env={**os.environ, "STAGE": "stage3"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.check(done.returncode == 2 and "stage3" in done.stdout, "STAGE=stage3 is refused", done.stdout)


# Place, what fp-where says of it, the functions of its call trace.
PLACES = (("bp_bootsector", "in bootsector, real mode, at 0000:7c64 (physical 0x7c64): bp_bootsector, bootsector/",
           ["bp_bootsector"]),
          ("bp_stage2", "in stage2, real mode, at 0000:8000 (physical 0x8000): bp_stage2, stage2/entry.asm:",
           ["bp_stage2"]),
          ("bp_e820", "in stage2, protected mode, at 0x", ["bp_e820", "stage2_main", "protected"]),
          ("bp_protected", "in stage2, protected mode, at 0x", ["bp_protected", "stage2_main", "protected"]),
          ("bp_long", "in stage2, long mode, at 0x", ["bp_long"]),
          ("bp_kernel", "in kernel, long mode, at 0xffffffff8", ["bp_kernel"]),
          ("bp_mem_map", "in kernel, long mode, at 0xffffffff8",
           ["bp_mem_map", "step", "start_kernel", "bp_kernel"]))
INT15 = 0x15 * 4  # where real mode's vector of INT 15h lies


def test_places(tap):
    """Checks what gdb shows in the firmware and at named places: the right stage, symbol and
    callers."""
    firmware = [("symbol", attempt("info symbol $pc")), ("frame", "frame"), ("code", "x/2i $pc"),
                ("trace", "bt"), ("where", "fp-where")]
    parts, output, status = session(
        firmware + [("places", guest.NEXT_STOP + "fp-places\ndelete 7-10")]
        + [(place, f"next-stop\nfp-where\nbt\n{more}") for place, more in (
            ("bp_bootsector", ""), ("bp_stage2", f"tbreak *(*(short *){INT15 + 2} & 0xffff) * 16 "
                                    f"+ (*(short *){INT15} & 0xffff)"),
            ("int15", "bt\np &memory_map\ndelete 11"), ("bp_e820", "p &memory_map"), ("bp_protected", ""),
            ("bp_long", ""), ("bp_kernel", "break bp_mem_map"), ("bp_mem_map", ""))],
        CMDLINE="run=exit 0", CONSOLE="none")  # so that the guest's words are not among gdb's
    tap.check(status == 0, "the session ends", output)
    at_reset = "The guest stands in the firmware, real mode, at f000:fff0 (physical 0xfffffff0)\n"
    tap.check(at_reset in parts[""] and at_reset in parts.get("where", "") and "memory_map" not in
              parts[""], "before the first instruction: in the firmware, not at a symbol of stage2", output)
    tap.check("No symbol matches" in parts.get("symbol", "") and "#0  0x000000000000fff0 in ??" in
              parts.get("frame", ""), "gdb's own commands name no symbol there", output)
    tap.check(re.match(r"=> 0xfff0:\tl?jmp +\$0xf000,", parts.get("code", "")),
              "x/i $pc shows the code at the base of CS", parts.get("code"))
    tap.check(re.search(r"in the firmware, real mode, at f000:\w{4} \(physical 0xf\w{4}\)\n=> 0xf",
                        parts.get("int15", "")) and "<memory_map>" not in parts["int15"],
              "in a BIOS call of stage2: in the firmware, and no symbol of stage2's data",
              parts.get("int15", output))
    tap.check("<memory_map>" in parts.get("bp_e820", ""), "the data's symbols are back in stage2", output)
    after, output, _ = session(
        [("kernel", "tbreak *bp_buddy\ncontinue"), ("start", "break *0x8000\ncontinue\nbt")],
        CPUS="2", CMDLINE="run=exit 0", CONSOLE="none")
    tap.check(re.search(r"in the trampoline of a processor that starts, real mode, at 0800:0000 "
                        r"\(physical 0x8000\)\n=> 0x8000:\tcli", said := after.get("start", ""))
              and "bp_stage2" not in said.partition("The guest")[2] and "#2" not in said,
              "a processor that starts where stage2 was: in the trampoline", said or output)
    for place, where, trace in PLACES:
        said = parts.get(place, "")
        tap.check("The guest stands " + where in said and f": {place}, " in said,
                  f"{place}: fp-where names stage, mode and symbol", said or output)
        names = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(", said, re.MULTILINE)
        tap.check(names == trace + ["??"] and "Backtrace stopped" not in said,
                  f"{place}: the call trace is {', '.join(trace)}", said or output)


def typed(fd, until, keys):
    """Reads from the terminal fd until it has printed until, then types keys. Returns what was
    printed."""
    said, end = b"", time.monotonic() + LIMIT
    with contextlib.suppress(OSError):  # the other side is closed
        while until not in said and time.monotonic() < end:
            if select.select([fd], [], [], 1)[0]:
                said += os.read(fd, 65536)
    with contextlib.suppress(OSError):
        os.write(fd, keys)
    return said.decode("utf-8", "replace").replace("\r", "")


def test_terminal(tap):
    """Checks make debug's greeting on a terminal, and that Ctrl-C stops the guest and nothing
    else, not even make."""
    pid, fd = pty.fork()
    if not pid:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the test is a background job
        os.environ.update(CMDLINE="", TERM="dumb")
        os.environ.pop("MAKEFLAGS", None)
        os.execvp("make", ["make", "-s", "--eval=only-debug: ; @scripts/debug", "only-debug"])
    said = typed(fd, b"(gdb) ", b"tbreak line_read\n")
    words = ("in the firmware, real mode, at f000:fff0", "bp_bootsector bp_stage2", "tail -f build/debug-console.log",
             "  c  ", "  q  ", "Ctrl-C")
    tap.check(all(word in said for word in words), "the greeting says where, what to type and how to end", said)
    tap.check(max(map(len, said.split("\n"))) <= 80, "the greeting fits into 80 columns",
              [line for line in said.split("\n") if len(line) > 80])
    typed(fd, b"(gdb) ", b"continue\n")
    said = typed(fd, b"(gdb) ", b"continue\n")
    tap.check("line_read (" in said, "the guest comes to the prompt", said)
    typed(fd, b"Continuing.", b"")
    time.sleep(1)
    os.write(fd, b"\x03")
    said = typed(fd, b"(gdb) ", b"p 40 + 2\n")
    tap.check("SIGINT" in said and "arch_idle" in said, "Ctrl-C stops the guest", said)
    said = typed(fd, b"(gdb) ", b"q\n")
    tap.check("= 42" in said, "gdb goes on after Ctrl-C", said)
    said = typed(fd, b"nothing", b"")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    left = subprocess.run(["pgrep", "-s", str(pid)], stdout=subprocess.PIPE, check=False).stdout
    tap.check(status == 0 and not left and "Traceback" not in said and "***" not in said,
              "q ends it: status 0", f"{status} {left} {said}")


# ---- too early ----

def test_early(tap):
    """Checks the commands before there is anything for them to show, and in stage2."""
    early = ["fp-e820", "fp-memblock", "fp-zones", "fp-page 1", "fp-free", "fp-cpus", "fp-caches",
             "fp-check"]
    parts, output, _ = session(
        [(name, attempt(name)) for name in early]
        + [("e820", "tbreak *bp_e820\ncontinue\nfp-e820"), ("e820 raw", "fp-e820 raw"),
           ("where", "p &stage2_boot_info\np stage2_boot_info.e820_count\np &memory_map"),
           ("kernel", "tbreak *bp_kernel\ncontinue"), ("k memblock", attempt("fp-memblock")),
           ("k zones", attempt("fp-zones")), ("end", "continue")],
        STAGE="bootsector", CMDLINE="run=e820;exit 0")
    for name in early:
        place = "bp_e820" if "e820" in name else "bp_kernel"
        tap.check(f"continue to {place}" in parts[name] and "Traceback" not in parts[name],
                  f"{name} in the boot sector says what to wait for", parts[name])
    tap.check("continue to bp_memblock" in parts["k memblock"]
              and "continue to bp_buddy" in parts["k zones"], "at the kernel's start they say so too",
              output)
    count = len(lines(parts["e820 raw"], "BIOS-e820: "))
    tap.check(re.search(r"0x70000\n\$\d+ = " + str(count)
                        + rf"\n.*{address('stage2', 'memory_map'):#x} <memory_map>", parts["where"]),
              "stage2's variables, those too whose name the kernel has, at their true addresses",
              parts["where"])
    for name, line in (("e820", "e820: "), ("e820 raw", "BIOS-e820: ")):
        tap.check(lines(parts[name], line) == lines(between(parts["end"], "> e820\n"), line),
                  f"fp-{name} in stage2 is the monitor's e820", output)


def lines(text, start):
    """Returns the lines of text that begin with start."""
    return [line.rstrip() for line in text.splitlines() if line.startswith(start)]


def between(text, start, end="firstpage> "):
    """Returns the part of text that follows start, up to end."""
    at = text.find(start)
    return text[at + len(start):].partition(end)[0] if at >= 0 else ""


# ---- against the monitor ----

FRAMES = (0, 1, 0x10, 0x9f, 0x200, 0x1000, 0x7000, 0x40000, 0x100000, 0x3ffffffff)
SHOW = ["e820", "memblock", "zoneinfo", "buddyinfo"] + [f"page {pfn:#x}" for pfn in FRAMES]
COMMANDS = [("fp-e820", "fp-e820"), ("fp-e820 raw", "fp-e820 raw"), ("fp-memblock", "fp-memblock"),
            ("fp-zones", "fp-zones"), ("fp-free", "fp-free"), ("fp-check", "fp-check")] \
    + [(f"fp-page {pfn:#x}", f"fp-page {pfn:#x}") for pfn in FRAMES]


def compare(tap, name, said, parts):
    """Checks what gdb's commands printed, parts, against what the monitor's commands printed,
    said."""
    def monitor(command):
        return between(said, f"firstpage> {command}\n")

    pairs = [("fp-e820", lines(parts["fp-e820"], "e820: "), lines(monitor("e820"), "e820: ")),
             ("fp-e820 raw", lines(parts["fp-e820 raw"], "BIOS-e820: "),
              lines(monitor("e820"), "BIOS-e820: ")),
             ("fp-memblock", re.findall(r"\[mem (0x\w+)-(0x\w+)\]", parts["fp-memblock"]),
              re.findall(r"(0x\w+)\.\.(0x\w+)", monitor("memblock"))),
             ("fp-zones, by order", lines(parts["fp-zones"], "Node"),
              lines(monitor("buddyinfo"), "Node"))]
    for pfn in FRAMES:
        said_of = re.sub(r", cached by CPU \d+|^state_zones.*", "", parts[f"fp-page {pfn:#x}"], flags=re.M)
        pairs.append((f"fp-page {pfn:#x}", said_of.split(), monitor(f"page {pfn:#x}").split()))
    for what, ours, theirs in pairs:
        tap.check(ours and ours == theirs, f"{name}: {what} is what the monitor says",
                  f"{ours}\n{theirs}\n{said}")
    tap.check(re.search(r"^\d+ checks, 0 broken$", parts["fp-check"], re.M),
              f"{name}: fp-check finds nothing", parts["fp-check"])
    zoneinfo = [int(n) for n in re.findall(r"pages free +(\d+)", monitor("zoneinfo"))]
    ours = [int(a) + int(b) for a, b in re.findall(r"free (\d+) cached (\d+)", parts["fp-zones"])]
    tap.check(zoneinfo and ours == zoneinfo, f"{name}: fp-zones counts the free frames",
              f"{zoneinfo} {ours}")
    frames = sum((int(end, 16) + 1 - int(start, 16)) // 4096 for start, end
                 in re.findall(r"^free \[mem (0x\w+)-(0x\w+)\]$", parts["fp-free"], re.M))
    tap.check(frames == sum(zoneinfo), f"{name}: fp-free has as many frames", f"{frames} {zoneinfo}")


def live(tap, name, before, last, **env):
    """Runs the monitor's commands before, SHOW and last, and gdb's commands where the guest ends,
    and compares both. Returns (what each of gdb's commands printed, or None; all output)."""
    run = ";".join(before + SHOW + last)
    parts, output, _ = session([("stop", "break arch_exit\ncontinue")] + COMMANDS
                               + [("end", "delete\ncontinue")],
                               CMDLINE="run=" + run, **env)
    if set(parts) < {name for name, _ in COMMANDS}:
        tap.check(good=False, name=f"{name}: all commands answer", detail=output)
        return None, output
    compare(tap, name, parts["stop"], parts)
    return parts, output


def test_prompt(tap):
    """Compares gdb's commands with the monitor's at the prompt."""
    parts, output = live(tap, "prompt, caches full", ["alloc 0", "alloc 3", "alloc 9 DMA32"],
                         ["exit 0"], MEM="128M")
    tap.check(parts and re.search(r"cached [1-9]", parts["fp-zones"]), "some frames were in frame caches",
              output)
    parts, output = live(tap, "prompt, 5 GiB, caches drained",
                         ["alloc 0", "alloc 5", "alloc 9", "alloc 17", "alloc 18", "free"],
                         ["exit 0"], MEM="5G")
    free = lines(between(parts["stop"], "firstpage> free\n"), "free") if parts else []
    tap.check(free and free == lines(parts["fp-free"], "free"),
              "fp-free is what the monitor's free says", output)


def test_nodes(tap):
    """Compares gdb's commands with the monitor's on a machine with three nodes, one without
    memory."""
    parts, output = live(tap, "three nodes", ["alloc 0", "alloc 18"], ["exit 0"], MEM="4G", NODES="1G,3G,0")
    tap.check(parts and lines(parts["fp-zones"], "requests on node 1 ask: Normal of node 1, DMA32 of node 1, "
                              "DMA32 of node 0, DMA of node 0"), "fp-zones tells what a node falls back to",
              output)


def test_added(tap):
    """Compares gdb's commands with the monitor's when memory was added, and when it has left."""
    parts, output = live(tap, "one of two DIMMs has left", ["hotplug remove 0", "alloc 0"], ["exit 0"],
                         MEM="256M", DIMMS="512M,1G")
    added = r"^added \[mem 0x0000000120000000-0x000000015fffffff\] node 0, metadata from 0x15f\w{6}$"
    tap.check(parts and len(lines(parts["fp-zones"], "added ")) == 1
              and re.search(added, parts["fp-zones"], re.M),
              "fp-zones prints what was added", output)
    parts, output = live(tap, "the only DIMM has left", ["hotplug remove 0"], ["exit 0"],
                         MEM="256M", DIMMS="512M")
    tap.check(parts and not lines(parts["fp-zones"], "added ") and "zone Hotplug" not in parts["fp-zones"],
              "fp-zones prints no zone without RAM", output)


CPU_CACHE = "frame_caches[0]->home[1].frames.cache"
CACHE = re.compile(r"^CPU (\d+), (.+), order (\d+): (\d+) of (\d+), out (\d+) of (\d+)$", re.M)


def test_cpus(tap):
    """Checks fp-cpus and fp-caches on two CPUs of two nodes, where `stress` is about to drain their
    frame caches, against the monitor's `cpu` and fp-zones; and that fp-cpus leaves selected what gdb
    had selected."""
    parts, output, _ = session(
        [("kernel", "tbreak *bp_kernel\ncontinue"), ("alone", "fp-cpus"),
         ("stop", "tbreak *bp_cpus\ncontinue\ntbreak drain_all_pages\ncontinue"), ("cpus", "up\nfp-cpus"),
         ("selected", "python print(gdb.selected_thread().num, gdb.selected_frame().level())"),
         ("zones", "fp-zones"), ("all", "fp-caches"), ("one", "fp-caches 1"),
         ("none", attempt("fp-caches 2")),
         ("marks", f"set $old = {CPU_CACHE}.state\nset var {CPU_CACHE}.state = 0x42757379\n"
          f"set var {CPU_CACHE}.shut = 1\nfp-caches 0\nset var {CPU_CACHE}.state = $old\n"
          f"set var {CPU_CACHE}.shut = 0"), ("check", "fp-check"),
         ("last", "break arch_exit\ncontinue\nfp-cpus"), ("end", "delete\ncontinue")],
        CMDLINE="run=cpu;stress 1;alloc 0;exit 0", CPUS="2", NODES="2", MEM="256M")
    tap.check(parts.get("alone", "").split("\n")[0] == "CPU 0: APIC 0, node 0, not online, runs bp_kernel",
              "at bp_kernel fp-cpus knows the CPU that runs", output)
    said = lines(between(parts.get("stop", ""), "firstpage> cpu\n"), "CPU ")
    shown = lines(parts.get("cpus", ""), "CPU ")
    tap.check(len(said) == 2 and [re.sub(", runs.*", "", line) for line in shown] == said,
              "fp-cpus names the CPUs as the monitor does", output)
    tap.check([re.findall(r"runs (\w+)", line) for line in shown] == [["drain_all_pages"], ["cpus_work"]],
              "fp-cpus names the function that each runs", output)
    tap.check("1 1" in lines(parts.get("selected", ""), "1"), "fp-cpus leaves thread and frame selected",
              output)
    held = {}
    for cpu, zone, order, count, limit, out, out_limit in CACHE.findall(parts.get("all", "")):
        tap.check(int(count) <= int(limit) and int(out) <= int(out_limit),
                  f"CPU {cpu}, {zone}, order {order}: within its limits", output)
        held[cpu, zone] = held.get((cpu, zone), 0) + (int(count) + int(out) << int(order))
    totals = {(cpu, zone): int(frames) for cpu, line in (line[4:].split(":", 1) for line in shown)
              for frames, zone in re.findall(r"(\d+) frames of ([^,]+)", line)}
    tap.check({cpu for cpu, _ in held} == {"0", "1"}
              and totals == {key: frames for key, frames in held.items() if frames},
              "fp-cpus and fp-caches count the same frames, on both CPUs", f"{totals} {held}")
    tap.check(re.search(r"^CPU 0: .*, runs arch_exit, [1-9]\d* frames of DMA32 of node 0$", parts.get("last", ""),
                        re.M), "fp-cpus counts the frames that a refill has brought", output)
    for zone in sorted({zone for _, zone in held}):
        cached = re.search(rf"^zone {zone} .* cached (\d+)", parts.get("zones", ""), re.M)
        tap.check(cached and int(cached[1]) == sum(n for key, n in held.items() if key[1] == zone),
                  f"zone {zone}: fp-zones counts the caches of both CPUs", output)
    tap.check(lines(parts.get("one", ""), "CPU") == lines(parts.get("all", ""), "CPU 1,"),
              "fp-caches 1 prints those of CPU 1", output)
    tap.check("CPU 2 has no frame caches" in parts.get("none", ""), "fp-caches 2 says that there are none",
              output)
    tap.check(len(re.findall(r"^CPU 0, DMA32 of node 0, order 0: .*, in use, shut$",
                             parts.get("marks", ""), re.M)) == 1
              and parts["marks"].count("shut") == 1, "fp-caches tells what is in use, and what is shut",
              output)
    tap.check("checks, 0 broken" in parts.get("check", ""), "fp-check reads the caches of both CPUs", output)


def test_crash(tap):
    """Compares gdb's commands with the monitor's after a panic."""
    parts, output = live(tap, "after a panic", ["alloc 0", "alloc 2"], ["misuse double-free"], MEM="128M")
    tap.check(parts and "Kernel panic" in parts["stop"], "there was a panic", output)
    tap.check("firstpage: exit 124" in output, "the guest goes on to its exit status", output)


# ---- fp-check sees what is broken ----

# What is changed, to what, and the invariants that fp-check must name. Zone 1 begins at 16 MiB.
ZONE = "state_zones[1]"
SHELF = f"{ZONE}->shelf[0]"
GIB = f"{SHELF}->gib[0]"
BREAKS = ((f"{ZONE}->nr_free", f"{ZONE}->nr_free + 1", "B6"),
          (f"{ZONE}->present", f"{ZONE}->present - 1", "Z2"),
          (f"{ZONE}->managed", f"{ZONE}->managed - 1", "Z2"),
          (f"{ZONE}->start_pfn", f"{ZONE}->start_pfn + 1", "Z2"),
          (f"{GIB}->free.word[0]", f"{GIB}->free.word[0] ^ (1 << 20)", "B6 P1 Z2"),
          (f"{GIB}->open.word[0]", f"{GIB}->open.word[0] | (1 << 20)", "B1"),
          (f"{GIB}->clean.word[0]", "0", "P3"),
          (f"{GIB}->index[0].word[0]", "0", "B3"),
          (f"{SHELF}->set[0].word[0]", "0", "B4"),
          (f"{ZONE}->top[GIBS_FREE][0]", "1", "B4"),
          ("memblock.reserved.regions[1].size", "0x10000000", "M1 B2"),
          ("memblock.reserved.regions[2].size", "0x1000", "P4"),
          ("((struct page *)0xffffea0000000000)[0x110].state", "1", "P2"),
          (f"{ZONE}->idle[0]", "0", ""),
          ("state_zones[0]->shelf[0]->set[GIBS_EXIST].word[0]", "0", "Z1"),
          ("zone_owners[0]->gib[0]", "1", "Z1"),
          ("zone_owners[0]->block[0][8]", "0", "Z1"),
          ("*(uint8_t *)node_zonelists[0]", "0", "Z3"),
          (f"{CPU_CACHE}.count", f"{CPU_CACHE}.count - 1", "C1"),
          (f"{CPU_CACHE}.limit", "0", "C2"),
          (f"{CPU_CACHE}.shut", "1", "C2"),
          (f"{ZONE}->lowmem_reserve[3]", f"{ZONE}->managed", "C3"))


def test_check(tap):
    """Checks that fp-check names the invariants that each change in BREAKS violates."""
    steps = [("stop", "break arch_exit\ncontinue"), ("whole", "fp-check")]
    for number, (what, value, _) in enumerate(BREAKS):
        steps.append((str(number), f"set $old = {what}\nset var {what} = {value}\n"
                      + attempt("fp-check") + f"set var {what} = $old"))
    parts, output, _ = session(steps + [("whole again", "fp-check"), ("end", "delete\ncontinue")],
                               CMDLINE="run=alloc 0;exit 0", MEM="128M")
    for name in ("whole", "whole again"):
        tap.check("checks, 0 broken" in parts.get(name, ""), f"fp-check: {name}", output)
    for number, (what, _, names) in enumerate(BREAKS):
        said = parts.get(str(number), "")
        verdict = re.search(r"checks, (\d+) broken:? ?(.*)", said)
        tap.check(verdict and set(names.split()) <= set(verdict[2].split())
                  and (names or verdict[1] == "0"),
                  f"fp-check: {what} changed: {names or 'allowed'}", said or output)


# ---- page tables ----

def test_page_tables(tap):
    """Checks fp-pt with and without paging, on two CPU models."""
    ask = [("text", "fp-pt start_kernel"), ("data", "fp-pt &memblock"), ("null", "fp-pt 0"),
           ("direct", "fp-pt 0xffff888000100000"), ("high", "fp-pt 0x8000000000000000"),
           ("usage", attempt("fp-pt"))]
    for cpu in ("max", "qemu64"):
        parts, output, _ = session(
            [("early", "fp-pt 0x7c00"), ("long", "tbreak *bp_long\ncontinue\nfp-pt bp_kernel"),
             ("stop", "tbreak arch_exit\ncontinue")] + ask
            + [("phys", "p/x boot_info.kernel_phys"), ("end", "continue")],
            STAGE="bootsector", CPU=cpu, CMDLINE="run=exit 0")
        phys = re.search(r"= (0x\w+)", parts.get("phys", ""))
        base = int(phys[1], 16) - 0xffffffff80000000 if phys else 0
        tests = (("early", r"paging is off"), ("long", rf"is physical {address('kernel', 'bp_kernel') + base:#x}, "),
                 ("text", rf"is physical {address('kernel', 'start_kernel') + base:#x}, .*, r-x$"),
                 ("data", rf"is physical {address('kernel', 'memblock') + base:#x}, .*, rw-$"),
                 ("null", r"^0x0 is not mapped$"), ("direct", r"is physical 0x100000, .*, rw-$"),
                 ("high", r"is not canonical"), ("usage", r"usage: fp-pt ADDRESS"))
        for name, pattern in tests:
            tap.check(re.search(pattern, parts.get(name, ""), re.M), f"fp-pt, cpu {cpu}: {name}",
                      f"{pattern}\n{output}")


# ---- exit status ----

# gdb's commands, the monitor's, the status that scripts/debug must end with.
ENDINGS = (("continue", "exit 0", 0), ("continue", "exit 7", 7), ("continue", "poweroff", 0),
           ("tbreak *bp_kernel\ncontinue", "exit 7", 0),
           ("tbreak *bp_kernel\ncontinue\nprint no_such_symbol\ncontinue", "exit 7", 1))


def test_status(tap):
    """Checks the exit status of scripts/debug."""
    for commands, end, wanted in ENDINGS:
        _, output, status = session([("commands", commands)], CMDLINE=f"run={end}")
        tap.check(status == wanted, f"{' '.join(commands.split())}, guest: {end}: status {wanted}",
                  f"status {status}\n{output}")


LINES = 20000  # more than a pipe has room for


def test_slow_reader(tap):
    """Checks that gdb's output is whole when its reader is slower than gdb."""
    with tempfile.TemporaryDirectory(prefix="gdb.", dir=BUILD) as directory:
        rc = os.path.join(directory, "rc")
        with open(rc, "w", encoding="ascii") as file:
            file.write(f"python\nfor i in range({LINES}): print('line', i)\nend\n")
        with subprocess.Popen(["scripts/debug"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              env={**os.environ, "GDB_RC": rc, "CMDLINE": "run=exit 0"}) as debug:
            time.sleep(3)
            output = debug.communicate(timeout=LIMIT)[0].decode()
    seen = re.findall(r"^line (\d+)$", output, re.MULTILINE)
    tap.check(seen == [str(i) for i in range(LINES)], "a slow reader gets all of gdb's lines",
              f"{len(seen)} of {LINES} lines")


TESTS = (test_status, test_slow_reader, test_next_stop, test_stages, test_places, test_terminal,
         test_code, test_early, test_prompt, test_nodes, test_added, test_cpus, test_crash, test_check,
         test_page_tables)


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))

#!/usr/bin/env -S python3 -B
"""Tests what a panic shows and offers, what scripts/decode makes of it, and the bundle of a failed
boot. TAP.

tests/crash.py [WORD...] runs the tests whose name contains all the words.
"""
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

import bundle
import guest
from cases import Case, Dialogue, finish
from tap import Tap, run_tests

BUILD = os.environ.get("B", "build")
LIMIT = 60
bundle.BUNDLES = os.path.join(BUILD, "test-logs", "crash")  # apart from those of real failures


def boot(**env):
    """Runs a boot that ends by itself, with the variables of env. Returns (status, output)."""
    return guest.run(["scripts/run"], LIMIT, **env)


def dialogue(steps, **env):
    """Boots, and works through steps, a list of (pattern, action): when the pattern has appeared
    since the last step, the action is done. It is words to type, or a function to call, or empty,
    in the last step, to end the guest from outside. Returns (status, output); status is None for a
    guest that was ended so."""
    with subprocess.Popen(["scripts/run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, "CMDLINE": "", **env}) as run:
        timer = threading.Timer(LIMIT, run.terminate)
        timer.start()
        output, seen = "", 0
        for pattern, words in steps:
            while not re.search(pattern, output[seen:]):
                byte = os.read(run.stdout.fileno(), 4096)
                if not byte:
                    break
                output += byte.decode("utf-8", "replace").replace("\r", "")
            seen = len(output)
            if callable(words):
                words()
            elif words:
                run.stdin.write(words.encode())
                run.stdin.flush()
            else:
                run.terminate()
        ended = bool(steps[-1][1])
        output += run.communicate()[0].decode("utf-8", "replace").replace("\r", "")
        timer.cancel()
        return run.returncode if ended else None, output


def decode(*words, text=""):
    """Runs scripts/decode with words as arguments and text as standard input. Returns (status,
    standard output, standard error)."""
    done = subprocess.run(["scripts/decode", *words], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


# ---- what a panic shows ----

REGISTERS = ("RIP", "RSP", "RBP", "RAX", "RBX", "R08", "R15", "CR2", "CR3")


def shows(tap, name, output, patterns):
    """Checks output against patterns, a list of (what, pattern); each is one test named after
    name."""
    for what, pattern in patterns:
        tap.check(re.search(pattern, output, re.MULTILINE), f"{name}: {what}", f"{pattern}\n{output}")


def test_report(tap):
    """Checks the report of a fault that the kernel finds and of one that the processor finds."""
    parts = [("registers", "(?s)" + ".*".join(rf"\b{r}: (?:0008:|0010:)?[0-9a-f]{{16}}"
                                              for r in REGISTERS)),
             ("the build", r"^firstpage: build [0-9a-f]{8}$"),
             ("memory", r"^Memory: \d+K/\d+K free, memblock has \d+K, \d+K of them reserved$"),
             ("each zone", r"^zone DMA +\d+ frames free of \d+, \d+ in frame caches\n"
                           r"zone DMA32 +\d+ frames free of \d+, \d+ in frame caches$")]
    status, output = boot(CMDLINE="run=alloc 0;misuse double-free;exit 0")
    shows(tap, "panic()", output, parts + [
        ("why", r"^Kernel panic: free of frame 0x\w+ as order 0: it is free$"),
        ("the way there", r"(?s)^Call Trace:\n.*^ \? double_free\+0x\w+/0x\w+\n.*"
                          r"^ \? start_kernel\+0x"), ("no vector", r"^RIP: 0008:ffffffff80")])
    tap.check(status == 124 and "vector" not in output, "under run= the machine ends with status 124", output)
    status, output = boot(CMDLINE="debug_pagealloc=on run=misuse use-after-free;exit 0")
    shows(tap, "exception", output, parts + [
        ("why", r"^Kernel panic: page fault: write at 0x\w+: it is not mapped$"),
        ("the vector", r"^vector 14, error code 0x2$"),
        ("the way there", r"(?s)^Call Trace:\n \? use_after_free\+0x\w+/0x\w+\n.*start_kernel\+0x")])
    tap.check(status == 124, "under run= the machine ends with status 124", output)


def test_nodes(tap):
    """Checks that the report of a panic names the node of each zone when there are several."""
    status, output = boot(CMDLINE="run=panic", MEM="4G", NODES="1G,3G")
    shows(tap, "panic() with two nodes", output, [
        ("each zone", r"^zone DMA of node 0: \d+ frames free of \d+, \d+ in frame caches\n"
                      r"zone DMA32 of node 0: .*\nzone DMA32 of node 1: .*\nzone Normal of node 1: ")])
    tap.check(status == 124, "with two nodes the machine ends with status 124 as well", output)


def test_early(tap):
    """Checks that a panic before there is memory shows no figures of it and does not panic
    again."""
    maps = os.path.join(BUILD, "test-maps")
    os.makedirs(maps, exist_ok=True)
    path = os.path.join(maps, "panic-exactmap.map")
    with open(path, "w", encoding="ascii") as file:
        file.write("0 0x9fc00 1\n0x100000 0x7f00000 1\n")
    status, output = boot(CMDLINE="memmap=exactmap memmap=1M$16M run=exit 0", MAP=path)
    tap.check(status == 124 and "Kernel panic: the memory map has no usable RAM" in output
              and "Call Trace:" in output and "during a panic" not in output,
              "a panic before memblock", output)
    keys = [(r"panic> $", "\033"), ("", lambda: time.sleep(0.5)), ("", "[Aexit 5\r")]
    status, output = dialogue(keys, CMDLINE="memmap=exactmap memmap=1M$16M", MAP=path)
    tap.check(status == 5, "an arrow key that comes in parts, at the prompt of a panic before the timer ticks", output)


# ---- what a panic offers ----

def test_prompt(tap):
    """Checks the prompt after a panic: commands that read work, others are refused."""
    status, output = dialogue([(r"firstpage> $", "alloc 0\rpanic\r"),
                               (r"panic> $", "buddyinfo\r"), (r"panic> $", "zoneinfo\r"),
                               (r"panic> $", "alloc 0\r"), (r"panic> $", "selftest\r"),
                               (r"panic> $", "e820\rmemblock\rmeminfo\rpage 0x200\rfree\riomem\r"),
                               (r"(?s)Kernel symbols.*panic> $", "help\rdmesg\rcpu\rbios\r"),
                               (r"(?s)stages:.*panic> $", "exit 3\r")])
    tap.check(status == 3, "exit 3 after a panic is status 3", f"{status}\n{output}")
    _, _, after = output.partition("Kernel panic: requested by the command panic")
    tap.check(after and "during a panic" not in after, "no command panics", output)
    shows(tap, "panic prompt", after, [
        ("halts, and tells which commands there are",
         r"^System halted\.\nCommands that only read .*help lists them$"),
        ("buddyinfo", r"^Node 0, zone    DMA32( +\d+){19} *$"), ("zoneinfo", r"^  pages free +\d+$"),
        ("alloc is refused", r"^alloc: cannot run after a panic\nalloc: failed \(1\)$"),
        ("selftest is refused", r"^selftest: cannot run after a panic$"),
        ("e820", r"^e820: \[mem 0x0+-"), ("memblock", r"^   0: 0x0{16}\.\.0x"),
        ("meminfo", r"^MemTotal: +\d+ kB$"), ("page", r"^pfn 0x200 .*: reserved$"),
        ("free", r"^free \[mem 0x\w+-0x\w+\]$"),
        ("free does not drain", r"^and \d+ frames of zone DMA32 in frame caches$"),
        ("iomem", r"System RAM$"), ("dmesg", r"^BIOS-e820: \[mem 0x0+-"),
        ("help lists commands that only read", r"^buddyinfo +free blocks")])
    listed = after.partition("panic> help")[2].partition("panic> dmesg")[0]
    tap.check(listed and not re.search(r"^(alloc|release|memtest|stress|misuse) ", listed, re.M),
              "help after a panic lists no command that changes memory", listed)


def spoilt_dialogue(before, command, after):
    """Runs a dialogue of the steps before and after. Between them, at a prompt, gdb attaches to
    the guest and executes command, which damages something."""
    with tempfile.TemporaryDirectory(prefix="crash.", dir=BUILD) as directory:
        socket = os.path.join(directory, "gdb")

        def spoil():
            subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", f"file {BUILD}/kernel.elf",
                            "-ex", f"target remote {socket}", "-ex", command], check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=LIMIT)

        return dialogue(before + [(r"> $", spoil)] + after,
                        QEMUFLAGS=f"-gdb unix:{socket},server=on,wait=off")


def test_prompt_on_a_small_stack(tap):
    """Checks the panic's prompt on the double fault's stack, where a stack overflow leads."""
    commands = "e820\rmemblock\rmeminfo\rfree\rpage 1\rbios\rhelp\rexit 5\r"
    status, output = spoilt_dialogue([], "set $rsp = (unsigned long)&__boot_stack",
                                     [(r"panic> $", commands)])
    tap.check(status == 5 and "Kernel panic: stack overflow" in output
              and "during a panic" not in output, "the prompt on the double fault's stack",
              f"{status}\n{output}")


def test_nested(tap):
    """Checks that a command which faults after a panic prints one line, and halts."""
    _, output = spoilt_dialogue([(r"firstpage> $", "panic\r")],
                                "set var memblock.memory.regions = 0x10",
                                [("", "memblock\r"), (r"System halted\.\n", "")])
    tap.check(re.search(r"panic> memblock\nmemory\nKernel panic during a panic: page fault: read at "
                        r"0x0+10: it is not mapped\nSystem halted\.\n\Z", output),
              "a command that faults ends in one line and a halt", output)


# ---- decode ----

def test_decode(tap):
    """Checks that scripts/decode finds source lines, also in a trace typed from a photograph."""
    _, text = boot(CMDLINE="run=misuse double-free;exit 0")
    status, said, complaint = decode(text=text)
    tap.check(status == 0 and not complaint, "a panic of this build is decoded", said + complaint)
    shows(tap, "decode", said, [
        ("function, file, line and text", r"^ {4}double_free at kernel/monitor/cmd_debug\.c:\d+\n"
                                          r" {8}__free_page\(page\);$"),
        ("calls, not what follows them", r"^ {4}start_kernel at kernel/main\.c:\d+\n {8}monitor\(\);$"),
        ("inlined functions", r"^ {4}run_words at .*\n.*\n {4}run_line at "),
        ("assembly", r"^ {4}bp_kernel at arch/x86_64/entry\.asm:\d+\n {8}call +start_kernel$")])
    panic = text[text.index("Kernel panic"):]
    typed = re.sub(r"ffffffff8", "8", panic).translate(str.maketrans("01", "OI")).replace("_", "")
    status, from_photo, _ = decode(text="Kernel " + typed.replace("+", " + "))
    tap.check(re.findall(r"^ {4}.*", from_photo, re.M) == re.findall(r"^ {4}.*", said, re.M) != [],
              "typed from a photograph, O for 0, I for 1, prefix and lines missing: the same",
              f"{typed}\n{from_photo}")
    for shape in ("? start_kerneI+0xl41/0x1bO", "? START_KERNEL+Ox14l / Ox1b0",
                  "7 start kernel+0x141/0x1b0", "? start-kernel+O×1 41/0x1b0",
                  "trace ? start __kernel+0x141"):
        tap.check("start_kernel at kernel/main.c:" in decode(text=shape)[1], f"misread: {shape}")
    tap.check("monitor at kernel/monitor/monitor.c:" in decode(text="? rnonitor+0xS0/0xlZ0")[1],
              "misread: rn for m, S for 5, Z for 2")
    tap.check("start_kernel at kernel/main.c:" in decode(text="? start_kernel+0xe3")[1],
              "a name and an offset are enough")
    where = subprocess.run(["nm", f"{BUILD}/kernel.elf"], stdout=subprocess.PIPE, text=True).stdout
    address = re.search(r"^([0-9a-f]{16}) . start_kernel$", where, re.MULTILINE)[1]
    for shape in (address, address[:8] + " " + address[8:], address[8:],
                  address[:8] + "_" + address[8:]):
        tap.check("start_kernel at" in decode(text=f"at {hex_next(shape)}")[1], f"an address {shape}")


def hex_next(shape):
    """Returns the address shape, as text, raised by 4: a return address points behind its call."""
    return shape[:-1] + f"{int(shape[-1], 16) + 4:x}"


def test_decode_exception(tap):
    """Checks that scripts/decode takes the place of an exception itself, not the byte before it."""
    _, text = boot(CMDLINE="debug_pagealloc=on run=misuse use-after-free;exit 0")
    status, said, _ = decode(text=text)
    store = r"^ {4}use_after_free at kernel/monitor/cmd_debug\.c:\d+\n {8}word\[4\] = 0x11223344;$"
    tap.check(status == 0 and len(re.findall(store, said, re.M)) == 2,
              "RIP and the trace's first line name the instruction itself", said)
    where = subprocess.run(["nm", f"{BUILD}/stage2.elf"], stdout=subprocess.PIPE, text=True).stdout
    address = re.search(r"^([0-9a-f]{8}) . stage2_main$", where, re.MULTILINE)[1]
    said = decode(text=f"processor exception 13 in stage2 at {address}h, error code 0h")[1]
    tap.check("stage2_main at stage2/main.c:" in said, "an exception in stage2 is decoded", said)


def test_decode_refuses(tap):
    """Checks what scripts/decode does with a trace of another build, and with wrong input."""
    _, text = boot(CMDLINE="run=panic;exit 0")
    build = re.search(r"^firstpage: build (\w+)$", text, re.MULTILINE)[1]
    status, said, complaint = decode(text=text.replace(build, "0badc0de"))
    tap.check(status == 3 and "another build" in complaint and build in complaint and said,
              "a trace of another build is reported, with status 3", complaint)
    status, _, complaint = decode(text="nothing of the kind\n")
    tap.check(status == 1 and complaint, "nothing to decode is status 1", complaint)
    tap.check(decode("no-such-file")[0] == 2, "a missing file is status 2")
    tap.check(decode("--what")[0] == 2 and decode("a", "b")[0] == 2, "wrong arguments are status 2")
    status, said, _ = decode("--help")
    tap.check(status == 0 and "photograph" in said, "--help")
    with tempfile.NamedTemporaryFile("w", dir=BUILD) as file:
        file.write(text)
        file.flush()
        tap.check(decode(file.name)[:2] == decode("-", text=text)[:2], "a file, or standard input")


# ---- the bundle ----

def test_bundle(tap):
    """Checks the parts of a bundle, and that its script repeats the failure."""
    env = {"CMDLINE": "run=alloc 0;misuse double-free;exit 0", "MEM": "64M"}
    status, output = boot(**env)
    where = bundle.write("crash: a boot that fails, on purpose", ["scripts/run"], env,
                         output + "seed 4711\n")
    parts = sorted(os.listdir(where))
    tap.check(parts == ["command", "reproduce", "seed", "serial.log", "trace"],
              "a failed boot leaves all parts", str(parts))

    def part(name):
        with open(os.path.join(where, name), encoding="utf-8") as file:
            return file.read()

    tap.check("CMDLINE='run=alloc 0;misuse double-free;exit 0' MEM=64M scripts/run" in part("command"),
              "the bundle has the command with its environment", part("command"))
    tap.check(part("serial.log").startswith(output) and part("seed") == "4711\n",
              "the bundle has the serial log and the seed", part("serial.log"))
    tap.check("double_free at kernel/monitor/cmd_debug.c:" in part("trace"), "the bundle has the decoded trace",
              part("trace"))
    reason = re.search(r"Kernel panic: .*", output)[0]
    again, output = guest.run(["sh", os.path.join(where, "reproduce")], LIMIT)
    tap.check(again == status == 124 and reason in output, "reproduce fails again, for the same reason",
              output)


def test_bundle_of_case(tap):
    """Checks the bundle of a case whose commands for gdb are in no file, and of a case that only
    its runner can run again."""
    text = "break *bp_buddy\ncontinue\nset $rip = 0x1234\ncontinue\n"
    where = bundle.of_case(Case("crash: gdb", gdb=text, CMDLINE="run=exit 0"), "", "runner")
    status, output = guest.run(["sh", os.path.join(where, "reproduce")], LIMIT)
    tap.check(status == 124 and "0x1234 is not mapped" in output,
              "a bundle has gdb's commands and runs again", output)
    where = bundle.of_case(Dialogue("crash: typed words", []), "no panic here\n",
                           "tests/boot.py")
    with open(os.path.join(where, "reproduce"), encoding="utf-8") as file:
        tap.check(file.read().endswith("tests/boot.py --all 'crash: typed words'\n")
                  and not os.path.exists(os.path.join(where, "trace")),
                  "a case that a command alone cannot run again names its runner")


def test_failed_case(tap):
    """Checks what is printed of a case that fails: the complaint, the last 20 lines of its output
    with characters that can be shown, and where its bundle is."""
    case, printed = Case("crash: a complaint", CMDLINE="run=exit 0"), io.StringIO()
    output = "".join(f"line\x07 {i}\n" for i in range(30))
    with contextlib.redirect_stdout(printed):
        finish(Tap(), case, "status 1", output, 2)
    lines = ["status 1", *(f"line? {i}" for i in range(10, 30)), os.path.join(bundle.BUNDLES, "crash-a-complaint")]
    wanted = "".join(f"# {line}\n" for line in lines) + "not ok 1 - crash: a complaint (2.0 s)\n"
    tap.check(printed.getvalue() == wanted, "a failed case shows the end of its output", printed.getvalue())


TESTS = (test_report, test_nodes, test_early, test_prompt, test_prompt_on_a_small_stack, test_nested,
         test_decode, test_decode_exception, test_decode_refuses, test_bundle, test_bundle_of_case,
         test_failed_case)


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))

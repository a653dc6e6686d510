#!/usr/bin/env -S python3 -B
"""Tests what replay reads: inputs of every form and encoding, and its own output. TAP."""
import glob
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile

from tap import Tap

REPLAY = os.path.join(os.environ.get("B", "build"), "host", "replay")
FOLDER = "tests/maps"
HERE = "/sys/firmware/memmap"


def run(*command, **env):
    """Runs command with the variables of env. Returns what it did, with its output as text."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False, env={**os.environ, **env})


def replay(text, *flags):
    """Runs replay with flags and text as standard input. Returns (status, output, complaints)."""
    done = subprocess.run([REPLAY, *flags, "-"], input=text, capture_output=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def map_file(text, *flags):
    """Returns (status, the lines of the map file without the comment, complaints) for text."""
    status, out, err = replay(text, "--map-file", *flags)
    return status, out.splitlines()[1:], err


def read(name):
    """Returns the bytes of the file called name."""
    with open(name, "rb") as file:
        return file.read()


def expectations():
    """Returns {name: (lines of the map file, what the comment says or None, messages)}."""
    found, name = {}, None
    for line in read(f"{FOLDER}/EXPECTED").decode().splitlines():
        if line.startswith("  says "):
            found[name][2].append(line.removeprefix("  says "))
        elif line.startswith("  # "):
            found[name][1] = line.removeprefix("  # ")
        elif line.startswith("  "):
            found[name][0].append(line.strip())
        elif line and line[0] != "#":
            name = line
            found[name] = [[], None, []]
    return found


def check_files(tap, expected):
    """Checks each input as it is."""
    names = {os.path.basename(name) for name in glob.glob(f"{FOLDER}/*.*")}
    tap.check(names == set(expected), "every input has its expectation", names ^ set(expected))
    for name, (lines, comment, messages) in expected.items():
        path = f"{FOLDER}/{name}"
        done = run(REPLAY, "--map-file", path)
        out = done.stdout.splitlines()
        said = [line.removeprefix(f"replay: {path}").strip() for line in done.stderr.splitlines()
                if line.startswith(f"replay: {path}") and ": the others: map " not in line]
        good = done.returncode == (0 if lines else 2) and out[1:] == lines and said == messages
        if good and comment:
            good = out[0] == f"# from {path}: {comment}"
        tap.check(good, name, done.stdout + done.stderr)
        if not lines and messages[0][0] == ":" and messages[0][1] != " ":
            tap.check("\nExpected: " in done.stderr and "--help" in done.stderr,
                      f"{name}: what was expected", done.stderr)
        if not lines and " no memory map" in messages[0]:
            tap.check("BIOS-e820: [mem" in done.stderr and "SMAP type=" in done.stderr,
                      f"{name}: the forms are listed", done.stderr)


def utf16(text, order, mark):
    """Returns text in UTF-16 of the order "le" or "be", with a byte order mark or without."""
    begin = b"\xff\xfe" if order == "le" else b"\xfe\xff"
    return begin * mark + text.decode().encode("utf-16-" + order)


def one_line(text, newline):
    """Returns text as one line, its ends escaped as newline."""
    return text.rstrip(b"\n").replace(b'"', b'\\"').replace(b"\n", newline) + b"\n"


def coloured(text):
    """Returns text with colours, as less and dmesg set them, and a window's title."""
    return b"\x1b]0;root@box\x07" + b"".join(
        b"\x1b[32m" + line[:12] + b"\x1b[0m\x1b[K" + line[12:] + b"\x1b[m\n"
        for line in text.splitlines())


def uncoloured(text, escape):
    """Returns text with colours, in which escape stands for each escape character."""
    coloured_text = coloured(text).replace(b"\x1b]0;root@box\x07", b"")
    return coloured_text.replace(b"\x1b[m", b"\x1b[0m").replace(b"\x1b", escape)


ENCODINGS = {
    "with a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16, little endian": lambda text: utf16(text, "le", 1),
    "UTF-16, big endian": lambda text: utf16(text, "be", 1),
    "UTF-16, little endian, no mark": lambda text: utf16(text, "le", 0),
    "UTF-16, big endian, no mark": lambda text: utf16(text, "be", 0),
    "UTF-16 with CR LF": lambda text: utf16(text.replace(b"\n", b"\r\n"), "le", 1),
    "CR LF": lambda text: text.replace(b"\n", b"\r\n"),
    "CR CR LF": lambda text: text.replace(b"\n", b"\r\r\n"),
    "CR": lambda text: text.replace(b"\n", b"\r"),
    "coloured": coloured,
    "coloured, as less shows it": lambda text: uncoloured(text, b"ESC"),
    "coloured, without the escapes": lambda text: uncoloured(text, b""),
    "coloured by grep, without the escapes": lambda text: b"".join(
        b"[01;31m[K" + line[:9] + b"[m[K" + line[9:] + b"\n" for line in text.splitlines()),
    "with NULs": lambda text: b"\0" * 7 + text.replace(b"\n", b"\n\0"),
    "one line of JSON": lambda text: one_line(text, b"\\n"),
    "one line of JSON, CR LF": lambda text: one_line(text, b"\\r\\n"),
    "one line of JSON, escaped twice": lambda text: one_line(text, b"\\\\n"),
    "one line of syslog's": lambda text: one_line(text, b"#012"),
    "one line of syslog's, coloured": lambda text: coloured(text).replace(b"\x1b", b"#033").replace(
        b"\n", b"#012").replace(b"\x07", b"#007"),
    "one line of systemd's": lambda text: one_line(text, b"\\x0a"),
    "blanks of a web page": lambda text: text.decode().replace("  ", " \u00a0").encode(),
    "without an end of the last line": lambda text: text.rstrip(b"\n"),
    "as a list in a mail": lambda text: b"".join(b"> " + line + b"\n"
                                                 for line in text.splitlines()),
}

PREFIXES = {
    "time stamps": lambda n: b"[%5d.%06d] " % (n // 3, n * 7919 % 1000000),
    "syslog": lambda n: b"Jun 12 10:49:%02d box kernel: " % (n % 60),
    "the journal": lambda n: b"Jun 12 10:49:%02d box kernel[0]: [    0.%06d] " % (n % 60, n),
    "ISO dates": lambda n: b"2024-06-12T10:49:44.%06d+02:00 box kernel: " % n,
    "grep's file and line": lambda n: b"var/log/boot.log:%d:" % (n + 100),
    "levels": lambda n: b"<%d>" % (n % 8),
    "kern, info": lambda n: b"kern  :info  : [    0.%06d] " % n,
    "quotes of quotes": lambda n: b"> >> ",
}

# These are read at the beginning of a line only, or have maps of several logs.
NO_PREFIX = re.compile(
    r".*\.map$|.*iomem|.*wrapped|memmap-by-tail|two-boots|own-log|linux-(one-line|one-of|two-hosts|"
    r"two-files|journal|kmsg|grep|reflowed|markdown|html|dmesg-json|ends-like)")


def check_encodings(tap, expected):
    """Checks that encodings and what tools put before lines do not change the entries."""
    good = {name: lines for name, (lines, _, _) in expected.items() if lines}
    for what, encode in ENCODINGS.items():
        wrong = None
        for name, lines in good.items():
            # Escaped again, an escape is none; quoted, a line is no line of a map file.
            if ("one line" in what and "one-line" in name) \
                    or ("mail" in what and name.endswith(".map")) \
                    or ("cut" in name and ("CR" in what or "one line" in what)):
                continue
            text = read(f"{FOLDER}/{name}")
            if name == "notepad-bom.map":
                text = text[3:].replace(b"\r", b"")
            got = map_file(encode(text))
            if got[:2] != (0, lines):
                wrong = wrong or f"{name}: {got}"
        tap.check(not wrong, "entries stay the same: " + what, wrong)
    for what, prefix in PREFIXES.items():
        wrong = None
        for name, lines in good.items():
            if NO_PREFIX.match(name):
                continue
            text = b"".join(prefix(n) + line + b"\n" for n, line in
                            enumerate(read(f"{FOLDER}/{name}").splitlines()) if line[:1] != b"#")
            got = map_file(text)
            if got[:2] != (0, lines):
                wrong = wrong or f"{name}: {got}"
        tap.check(not wrong, "entries stay the same: " + what + " before each line", wrong)


def check_line_numbers(tap):
    """Checks that messages number lines as editors do."""
    for what, newline, line in (("LF", b"\n", 3), ("CR LF", b"\r\n", 3), ("CR", b"\r", 3),
                                ("CR CR LF", b"\r\r\n", 3), ("JSON", b"\\n", 1),
                                ("syslog", b"#012", 1)):
        for text in (b"# map@0 0x9f000 1@0 0x1000@",
                     b"x@BIOS-e820: [mem 0x0-0xfff] usable@BIOS-e820: [mem 0x1-@"):
            text = text.replace(b"@", newline)
            for encoded in (text, utf16(text, "be", 1)):
                err = replay(encoded)[2]
                tap.check(err.startswith(f"replay: -:{line}: "),
                          f"the number of a line, {what}", err)


def check_several(tap):
    """Checks inputs with several maps."""
    text = read(f"{FOLDER}/two-boots-in-one-log.txt")
    both = [map_file(text, "--map", str(n)) for n in (1, 2)]
    tap.check([b[0] for b in both] == [0, 0] and "0x100000 0x3fef0000 1" in both[0][1]
              and "0x100000 0x7fef0000 1" in both[1][1], "--map N takes the Nth", both)
    tap.check("map 1 of 2 (--map N for another)" in both[0][2], "and says so", both[0][2])
    status, out, err = map_file(text, "--map", "3")
    tap.check(status == 2 and not out and "no map 3: the input has 2 maps" in err,
              "--map 3 of 2", err)
    for number in ("0", "-1", "x", ""):
        tap.check(replay(text, "--map", number)[0] == 2, f"refused: --map '{number}'")
    status, _, err = map_file(b"0 0x1000 1\n", "--map", "2")
    tap.check(status == 2 and "no map 2" in err, "--map 2 of a map file", err)
    for name in glob.glob(f"{FOLDER}/*.txt"):
        one, two = read(name), read(f"{FOLDER}/linux-6-whole-start.txt")
        status, lines, _ = map_file(one)
        if status or "whole-start" in name:
            continue
        rank = re.search("bare-|corrected-alone|netbsd", name)
        got = map_file(two + b"\n" + one)
        tap.check(got[:2] == (map_file(two) if rank else (0, lines))[:2],
                  f"never a blend: {os.path.basename(name)} behind another log", got)
    wrong = None
    for name in glob.glob(f"{FOLDER}/*.txt"):
        # grep's order is not that of the numbers; the others are refused as a whole.
        if re.search("memmap-by-grep|cut-in-label|diff-of|label-damaged|mistyped|elided", name):
            continue
        text = read(name)
        whole = [tuple(map_file(text, "--map", str(n))[1]) for n in range(1, 4)]
        for size in range(0, len(text), max(1, len(text) // 40)):
            status, lines, _ = map_file(text[:size])
            # The digits of the last type may be cut, which nobody can see.
            first = [line.split()[:2 if line is lines[-1] else 4] for line in lines]
            if status == 0 and not wrong and not any(
                    first == [a.split()[:len(b)] for a, b in zip(w, first)] for w in whole):
                wrong = f"{name}, {size} bytes: {lines}"
            if status not in (0, 2):
                wrong = f"{name}, {size} bytes: status {status}"
    tap.check(not wrong, "an input that is cut is refused, or gives the first entries of a map",
              wrong)


def random_entries(rng):
    """Returns the text of a map of random entries, which has RAM that boots."""
    lines = ["0x0 0x9f000 1", "0x100000 0xf00000 1"]
    for _ in range(rng.randrange(9)):
        words = [rng.choice([0, 0x1000, rng.randrange(1 << 33),
                             (1 << 64) - rng.randrange(1, 1 << 20)]),
                 rng.choice([0, 1, rng.randrange(1 << 24), (1 << 64) - 1])]
        if words[0] < 1 << 33 and words[1] > 1 << 40:
            words[1] = 0x1000
        kind = rng.choice([1, 2, 3, 4, 5, 7, 12, 20, 0xefffffff, 0])
        lines.append(f"{words[0]:#x} {words[1]:#x} {kind}"
                     + rng.choice(["", "", f" {rng.choice([0, 1, 3]):#x}"]))
    return ("# from here\n" + "\n".join(lines) + "\n").encode()


def check_own(tap):
    """Checks that replay reads its own output."""
    wrong = {"map file": None, "text": None, "JSON": None}
    rng = random.Random(17)
    texts = [read(name) for name in sorted(glob.glob("tests/e820/*.map"))]
    for text in texts + [random_entries(rng) for _ in range(60)]:
        status, out, err = replay(text, "--map-file")
        if status or replay(out.encode(), "--map-file") != (0, out, ""):
            wrong["map file"] = wrong["map file"] or out + err
        lines = out.splitlines()[1:]
        status, out, err = replay(text)
        if status == 0 and map_file(out.encode()) != (0, lines, ""):
            wrong["text"] = wrong["text"] or f"{lines}\n{map_file(out.encode())}"
        if status == 0:
            out = replay(text, "--json")[1]
            fixed = [f"{e['base']} {e['size']} {e['type']}" for e in json.loads(out)["e820"]]
            spread = json.dumps(json.loads(out), indent=1)
            if any(map_file(t.encode()) != (0, fixed, "") for t in (out, spread)):
                wrong["JSON"] = wrong["JSON"] or f"{fixed}\n{map_file(out.encode())}"
    for what, value in wrong.items():
        tap.check(not value, f"replay reads its own output as it was: {what}", value)


def check_kinds(tap):
    """Checks what is no text, or no file."""
    for what, text, words in (
            ("a PDF", b"%PDF-1.7\n" + bytes(range(256)) * 9, "a PDF"),
            ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "a picture"),
            ("a compressed log", gzip.compress(b"BIOS-e820: [mem 0x0-0xfff] usable\n"), "zcat"),
            ("random bytes", random.Random(1).randbytes(9999), "binary"),
            ("nothing", b"", "empty"), ("zeros", bytes(4096), "binary")):
        status, out, err = replay(text)
        tap.check(status == 2 and words in err and not out, f"refused: {what}", err)
    for name, words in (("/dev/zero", "larger than 64 MiB"), ("tests", "0/start"),
                        ("build/no-such-file", "No such file")):
        done = run(REPLAY, name)
        tap.check(done.returncode == 2 and f"{name}: " in done.stderr and words in done.stderr,
                  f"refused: {name}", done.stderr)
    status, out, err = map_file(b"BIOS-e820: [mem 0x0-0xfff] reserved\n")
    tap.check((status, out) == (0, ["0x0 0x1000 2"]), "--map-file needs no RAM", err)
    damaged = b"[    0.0] BIOS-e820: [mem 0x0-0xfff] usabel\r\n"
    err = map_file(damaged)[2]
    tap.check(f"Found: `{damaged.decode().strip()}`\n" in err, "a damaged line is quoted", err)
    err = map_file(one_line(damaged * 2, b"\\n"))[2]
    tap.check("Found" not in err, "but not a part of a log in one line", err)
    entry = b"BIOS-e820: [mem 0x00000000-0x0009fbff] usable\n"
    for line, good in ((b"e820: update [mem 0x00000000-0x00000fff] usable ==> reserved", True),
                       (b"e820: remove [mem 0x000a0000-0x000fffff] usable", True),
                       (b"BIOS-e820: [gap 0x000a0000-0x000fffff]", True),
                       (b"BI0S-e820: [mem 0x000a0000-0x000fffff] reserved", False)):
        status, _, err = map_file(entry + line + b"\n" + entry.replace(b"0x000", b"0x001"))
        tap.check((status == 0) == good, f"between two entries: {line.decode()}", err)
    for flags, words in ((("--map", "x"), "--map x: "), (("--map", "0"), "--map 0: "),
                         (("--kernel", "4k"), "--kernel 4k: "), (("--json", "--svg"), "only one"),
                         (("--map-file", "--srat", "x"), "--srat"), (("--here",), "too many: -"),
                         (("tests/maps/two-boots-in-one-log.txt",), "too many: -")):
        status, out, err = replay(b"0 0x9f000 1\n", *flags)
        tap.check(status == 2 and not out and words in err.split("\n", 1)[0] and "--help" in err,
                  f"refused, with the reason: {flags}", err)
    tap.check("no FILE" in run(REPLAY).stderr, "no argument is refused with the reason")
    log = b"".join(b"%s: [mem 0x0-0x9fbff] usable\n" % label
                   for label in (b"BIOS-e820", b"reserve setup_data", b"user"))
    err = map_file(log)[2]
    tap.check("others: map 1: BIOS-e820, lines 1 to 1; map 2: reserve setup_data, lines 2 to 2\n"
              in err, "the maps that are not taken are listed", err)
    err = map_file(log * 40)[2]
    tap.check("; ...\n" in err and max(map(len, err.splitlines())) < 260,
              "as far as there is room", err)
    usage = run(REPLAY, "--help").stdout
    tap.check("--map-file" in usage and "SMAP type=" in usage, "--help lists the forms", usage)


def check_directory(tap):
    """Checks a directory as /sys/firmware/memmap is one, and --here."""
    files = {"0": ("0x0", "0x9fbff", "System RAM"), "1": ("0x9fc00", "0x9ffff", "Reserved"),
             "2": ("0x100000", "0x7ffffff", "System RAM"), "10": ("0x1", "0x2", "System RAM")}
    with tempfile.TemporaryDirectory() as folder:
        for number, values in files.items():
            os.mkdir(f"{folder}/{number}")
            for name, value in zip(("start", "end", "type"), values):
                with open(f"{folder}/{number}/{name}", "w", encoding="ascii") as file:
                    file.write(value + "\n")
        done = run(REPLAY, "--map-file", folder)
        tap.check(done.stdout.splitlines()[1:] == ["0x0 0x9fc00 1", "0x9fc00 0x400 2",
                                                   "0x100000 0x7f00000 1", "0x1 0x2 1"],
                  "a directory like memmap's, with a gap", done.stdout + done.stderr)
        with open(f"{folder}/1/type", "w", encoding="ascii") as file:
            file.write("purple\n")
        done = run(REPLAY, folder)
        tap.check(done.returncode == 2 and f"{folder}/1: the type" in done.stderr,
                  "its entry with a wrong type is named", done.stderr)
    done = run(REPLAY, "--here", "--map-file")
    if os.path.exists(f"{HERE}/0/start"):
        count = len(os.listdir(HERE))
        tap.check(done.returncode == 0 and len(done.stdout.splitlines()) == 1 + count, "--here",
                  done.stderr)
    else:
        tap.check(done.returncode == 2 and HERE in done.stderr and "sudo dmesg" in done.stderr,
                  "--here where there is none", done.stderr)


def check_emulator(tap):
    """Checks that MAP= takes what replay takes, and complains as replay does."""
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for name in ("linux-6-whole-start.txt", "plain.map"):
            path = f"{FOLDER}/{name}"
            if name == "plain.map":
                path = f"{folder}/{name}"
                with open(path, "w", encoding="ascii") as file:
                    file.write(run(REPLAY, "--map-file",
                                   f"{FOLDER}/linux-6-whole-start.txt").stdout)
            done = run("scripts/firmware", "--map", path, f"{folder}/rom")
            made.append((done.returncode, done.stdout, read(f"{folder}/rom")))
        tap.check(made[0] == made[1] and made[0][:2] == (0, "4096\n"), "MAP= takes a log",
                  made[0][:2])
    path = f"{FOLDER}/hex-without-0x.map"
    done = run("scripts/run", MAP=path)
    tap.check(done.returncode == 2 and f"replay: {path}:2: the start, 00000000" in done.stderr,
              "MAP= with a wrong map: replay's words", done.stderr)
    done = run("scripts/firmware", "--map", path, "build/no.rom", B="build/none")
    tap.check(done.returncode == 2 and "run make build/none/host/replay first" in done.stderr,
              "MAP= without replay: says what to run", done.stderr)
    done = run("make", "-n", "run", f"MAP={path}", "B=build/none")
    tap.check("-o build/none/host/replay" in done.stdout, "make run MAP= builds replay",
              done.stdout)


def main():
    tap = Tap()
    expected = expectations()
    check_files(tap, expected)
    check_encodings(tap, expected)
    check_line_numbers(tap)
    check_several(tap)
    check_own(tap)
    check_kinds(tap)
    check_directory(tap)
    check_emulator(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

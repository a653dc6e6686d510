#!/usr/bin/env -S python3 -B
"""Runs fuzzers for a fixed time: tests/fuzz.py [--tap] TARGET SECONDS

A fuzzer starts from its kept corpus, tests/host/fuzz/corpus/TARGET. What it finds stays in
build/fuzz/TARGET, an input that fails too. Without --tap it tells its progress (`make fuzz`), and
TARGET may be "all", which divides the time. Without arguments the targets are listed. Exit status:
0 nothing was found, 1 something was, 2 there is no such target, 130 interrupted.
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

BUILD = os.environ.get("B", "build")
REPORT_EVERY = 5  # seconds

# name: what is tested, the most bytes of an input
TARGETS = {
    "ops": ("operations of the allocator, against the naive model", 400),
    "fat": ("stage2's FAT reader on damaged volumes, against a naive reader", 200),
    "elf": ("stage2's check of KERNEL.ELF", 640),
    "e820": ("stage2's requests for the memory map, to a BIOS that answers anything", 640),
    "numa": ("tables of NUMA nodes, SRAT and SLIT, and nodes that a user names", 640),
    "madt": ("the table of processors, MADT, against a naive reader", 2400),
    "cmdline": ("reading CMDLINE.TXT, and options from its line", 400),
    "boot_info": ("the kernel's check of boot_info", 400),
    "mapfile": ("what replay reads: logs and map files of any kind", 900),
}


def program_of(name):
    """Returns the path of the fuzzer name."""
    return os.path.join(BUILD, "host", "fuzz_" + name)


def corpus_of(name):
    """Returns the folder of the inputs that are kept for the fuzzer name."""
    return os.path.join("tests", "host", "fuzz", "corpus", name)


def work_of(name):
    """Returns the folder where the fuzzer name puts what it finds."""
    return os.path.join(BUILD, "fuzz", name)


def search_arguments(name, seconds):
    """Returns the arguments under which the fuzzer name searches for so many seconds."""
    work = work_of(name)
    return [f"-max_total_time={seconds}", f"-max_len={TARGETS[name][1]}", "-len_control=0",
            "-timeout=20", "-print_final_stats=1", f"-artifact_prefix={work}/", work,
            corpus_of(name)]


def runs_in(output):
    """Returns how many inputs the fuzzer ran, as text, or None when output does not say."""
    runs = re.findall(r"number_of_executed_units: (\d+)", output)
    return runs[-1] if runs else None


def findings(output):
    """Returns the lines of output that say what is wrong, or all of output when there are none."""
    lines = re.findall(r"^.*(?:does not hold:|ERROR: |SUMMARY: |written to |Base64: ).*$", output,
                       re.MULTILINE)
    running = re.findall(r"^Running: .*$", output, re.MULTILINE)
    return "\n".join(running[-1:] + lines) if lines else output


def run(program, arguments, limit):
    """Runs program with arguments for at most limit seconds. Returns (whether it passed,
    output)."""
    try:
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit,
                              check=False)
    except subprocess.TimeoutExpired as late:
        return False, (late.stdout or b"").decode("utf-8", "replace") + f"\nnot done in {limit} s"
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def tap(name, seconds):
    """Runs the kept inputs of the fuzzer name, then lets it search for so many seconds, as two
    tests. Returns the exit status."""
    result = Tap()
    files = [os.path.join(corpus_of(name), file) for file in sorted(os.listdir(corpus_of(name)))]
    passed, output = run(program_of(name), files, 60)
    result.check(files and passed, f"{len(files)} kept inputs of {name} pass", findings(output))
    passed, output = run(program_of(name), search_arguments(name, seconds), seconds + 60)
    runs = runs_in(output)
    print(f"# {name}: {runs or 'no'} inputs in {seconds} s")
    result.check(passed and runs, f"{name} finds nothing in {seconds} s", findings(output))
    return result.finish()


def read(path):
    """Returns the text of the file path."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def progress(output):
    """Returns, in words, the last report in output. libFuzzer reports when it finds something new,
    and at each power of two."""
    lines = re.findall(r"^#(\d+)\s.* cov: (\d+) .* corp: (\d+)/", output, re.MULTILINE)
    if not lines:
        return "starting"
    return "{} inputs or more, {} places reached, {} inputs kept".format(*lines[-1])


def follow(process, name, log):
    """Prints the progress of process, which writes to log, until it ends. Returns False when it
    was interrupted, as the fuzzer is then."""
    start = told = time.monotonic()
    try:
        while process.poll() is None:
            time.sleep(0.2)
            if time.monotonic() - told >= REPORT_EVERY:
                told = time.monotonic()
                print(f"{name}: {told - start:.0f} s, {progress(read(log))}", flush=True)
        return True
    except KeyboardInterrupt:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return False


def verdict(name, status, whole, output, log):
    """Prints what came of a search that ended with status; whole says that it was not interrupted.
    Returns the exit status."""
    artifact = re.findall(r"Test unit written to (\S+)", output)
    if artifact:
        print(findings(output) + f"\n{name}: FOUND {artifact[-1]}\n"
              f"    again:     {program_of(name)} {artifact[-1]}\n"
              f"    whole log: {log}\n"
              f"    once it is fixed, keep it: cp {artifact[-1]} {corpus_of(name)}/")
        return 1
    if not whole:
        print(f"{name}: interrupted, nothing found: {progress(output)}")
        return 130
    if status:
        print(output[-2000:] + f"\n{name}: ended with status {status}, whole log: {log}")
        return 1
    print(f"{name}: nothing found in {runs_in(output)} inputs")
    return 0


def search(name, seconds):
    """Lets the fuzzer name search for so many seconds, with its progress printed. Returns the exit
    status."""
    log = work_of(name) + ".log"
    with open(log, "wb") as out:
        with subprocess.Popen([program_of(name), *search_arguments(name, seconds)],
                              stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT) as process:
            whole = follow(process, name, log)
    return verdict(name, process.returncode, whole, read(log), log)


def usage():
    """Prints the usage and the list of targets."""
    print("usage: make fuzz TARGET=… TIME=SECONDS    60 seconds by default; the targets:")
    for name, (about, _) in TARGETS.items():
        print(f"  {name:12}{about}")
    print("  all         all of them in turn, with equal parts of the time")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--tap"]
    if not arguments:
        usage()
        return 0
    names = list(TARGETS) if arguments[0] == "all" else arguments[:1]
    if names[0] not in TARGETS or len(arguments) != 2 or not arguments[1].isdigit():
        usage()
        return 2
    seconds = max(int(arguments[1]) // len(names), 1)  # 0 would be without end
    for name in names:
        os.makedirs(work_of(name), exist_ok=True)
    if "--tap" in sys.argv:
        return tap(names[0], seconds)
    worst = 0
    for name in names:
        status = search(name, seconds)
        worst = max(worst, status)
        if status == 130:
            break
    return worst


if __name__ == "__main__":
    sys.exit(main())

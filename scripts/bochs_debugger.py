"""Bochs's debugger and gdb for programs: the debugger tells what the machine holds, gdb what the
source calls it.
"""
import collections
import functools
import os
import re
import select
import subprocess
import time


LAST_WORDS = "Bochs is exiting with the following message:"


class Ended(Exception):
    """Bochs has ended, or did not answer in time."""


class Debugger:
    """Bochs's debugger through a pipe. The prompt has a number, so nothing that a guest prints is
    taken for it. place is the symbol at which the guest has stopped, or None."""

    def __init__(self, argv, limit):
        """Starts Bochs by argv. limit is the number of seconds that a command may take, or None."""
        self.limit, self.prompts, self.buffer = limit, 0, b""
        self.place = None  # the symbol at which the guest has stopped
        self.last_words = collections.deque(maxlen=12)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        try:
            list(self.lines())
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends Bochs."""
        self.process.kill()
        self.process.wait()

    def more(self, deadline):
        """Reads what Bochs has printed next. Raises Ended after the time deadline."""
        wait = None if deadline is None else max(0, deadline - time.monotonic())
        if not select.select([self.process.stdout], [], [], wait)[0]:
            raise Ended(f"no stop within {self.limit} s")
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            said = "\n".join(self.last_words)
            if LAST_WORDS in said:
                said = said.partition(LAST_WORDS + "\n")[2].split("\n")[0]
            raise Ended(said + "\nBochs has ended")
        self.buffer += data

    def lines(self):
        """Yields what is printed up to the next prompt, line by line as it comes."""
        prompt = b"<bochs:%d> " % (self.prompts + 1)
        deadline = None if self.limit is None else time.monotonic() + self.limit
        while not self.buffer.startswith(prompt):
            line, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                self.last_words.append(line.decode("utf-8", "replace").rstrip("\r"))
                yield self.last_words[-1]
            elif prompt in line:  # follows a line of the guest's without a newline
                yield line[:line.index(prompt)].decode("utf-8", "replace")
                self.buffer = line[line.index(prompt):]
            else:
                self.more(deadline)
        self.buffer = self.buffer[len(prompt):]
        self.prompts += 1

    def send(self, command):
        """Types command."""
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def command(self, command):
        """Returns what command prints, without the command itself, which the debugger repeats
        first."""
        self.send(command)
        return "\n".join(list(self.lines())[1:])

    def go_on(self):
        """Lets the guest run until it stops, and yields its console, line by line. place is then
        where it has stopped."""
        self.place = None
        self.send("c")
        for number, line in enumerate(self.lines()):
            place = re.match(r"\(0\) \[0x\w+\] \S+ \((\w+)\+0\):", line)
            if place:
                self.place = place[1]
            elif number:
                of_guest = re.sub(r"\(0\) Breakpoint \d+, .*|^Next at t=.*", "", line)
                if of_guest or not line:
                    yield of_guest


class Elf:
    """A gdb that has loaded the ELF file of one stage, without a machine, and computes C
    expressions."""

    def __init__(self, name):
        self.name = name
        self.process = subprocess.Popen(["gdb", "-q", "-nx", "-iex", "set prompt", name],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def close(self):
        """Ends gdb."""
        self.process.kill()
        self.process.wait()

    @functools.lru_cache(None)
    def value(self, expression):
        """Returns the value of a C expression. Raises KeyError when gdb cannot compute it."""
        self.process.stdin.write(f"print/x (unsigned long long)({expression})\necho done\\n\n")
        self.process.stdin.flush()
        said = ""
        while not said.endswith("done\n"):
            line = self.process.stdout.readline()
            if not line:
                raise Ended("gdb has ended")
            said += line
        found = re.search(r"^\$\d+ = (0x[0-9a-f]+)$", said, re.MULTILINE)
        if not found:
            raise KeyError(f"{expression}: {said}")
        return int(found[1], 16)

    def has(self, name):
        """Returns whether the file has the variable or function name."""
        try:
            return bool(self.address(name))
        except KeyError:
            return False

    def address(self, name):
        """Returns the address of the variable or function name."""
        return self.value("&" + name)

    def field(self, struct, name):
        """Returns (offset, size), in bytes, of the field name of struct."""
        return (self.value(f"&(({struct} *)0)->{name}"),
                self.value(f"sizeof((({struct} *)0)->{name})"))

"""Bochs's debugger and gdb as a program asks them: the first what the machine holds, the second
what the source calls it.
"""
import collections
import functools
import os
import re
import select
import subprocess
import time


class Ended(Exception):
    """Bochs is gone, or did not answer in time."""


class Debugger:
    """Bochs through a pipe. Its prompt counts: nothing that a guest prints is taken for it."""

    def __init__(self, argv, limit):
        """limit: seconds that a command may take, None for any."""
        self.limit, self.prompts, self.buffer = limit, 0, b""
        self.place = None  # the symbol it has stopped at
        self.last_words = collections.deque(maxlen=4)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        try:
            list(self.lines())
        except BaseException:
            self.close()
            raise

    def close(self):
        self.process.kill()
        self.process.wait()

    def more(self, deadline):
        wait = None if deadline is None else max(0, deadline - time.monotonic())
        if not select.select([self.process.stdout], [], [], wait)[0]:
            raise Ended(f"no stop within {self.limit} s")
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            raise Ended("\n".join([*self.last_words, "Bochs has ended"]))
        self.buffer += data

    def lines(self):
        """What is printed up to the next prompt, line by line as it comes."""
        prompt = b"<bochs:%d> " % (self.prompts + 1)
        deadline = None if self.limit is None else time.monotonic() + self.limit
        while not self.buffer.startswith(prompt):
            line, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                self.last_words.append(line.decode("utf-8", "replace").rstrip("\r"))
                yield self.last_words[-1]
            elif prompt in line:  # behind a line of the guest's that has no end
                yield line[:line.index(prompt)].decode("utf-8", "replace")
                self.buffer = line[line.index(prompt):]
            else:
                self.more(deadline)
        self.buffer = self.buffer[len(prompt):]
        self.prompts += 1

    def send(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def command(self, command):
        """Its output. The debugger repeats the command first."""
        self.send(command)
        return "\n".join(list(self.lines())[1:])

    def go_on(self):
        """The guest's console, line by line, until it stops; self.place is then where."""
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
    """A gdb that has the file of one stage and no machine: the values of C expressions."""

    def __init__(self, name):
        self.process = subprocess.Popen(["gdb", "-q", "-nx", "-iex", "set prompt", name],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def close(self):
        self.process.kill()
        self.process.wait()

    @functools.lru_cache(None)
    def value(self, expression):
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

    def address(self, name):
        return self.value("&" + name)

    def field(self, struct, name):
        """(offset, size), bytes"""
        return (self.value(f"&(({struct} *)0)->{name}"),
                self.value(f"sizeof((({struct} *)0)->{name})"))

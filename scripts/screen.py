"""Prints for scripts/tour: lines that fit the terminal, and not more of them at once than it has."""
import os
import sys
import textwrap

WIDEST = 96
NARROWEST = 20
QUIT = ("q", "quit", "exit")


class Quit(Exception):
    """The user wants to end the program."""


def ask(question):
    """Asks question. Returns the answer; the end of input is an answer to quit."""
    try:
        return input(question).strip()
    except EOFError:  # Ctrl-D
        print()
        return QUIT[0]


class Screen:
    """The terminal, or what stands in its place. With asks it waits for Enter whenever all its lines
    but one were printed since the last question. A terminal that does not tell its size is taken for
    one that is wide and endless."""

    def __init__(self, asks):
        self.asks, self.used = asks, 0

    @staticmethod
    def size():
        """Returns (columns, lines); 0 stands for unknown."""
        try:
            return os.get_terminal_size(sys.stdout.fileno())
        except (OSError, ValueError, AttributeError):
            return (0, 0)

    def width(self):
        """Returns the number of columns that are used."""
        return max(NARROWEST, min(WIDEST, self.size()[0] or WIDEST))

    def show(self, text="", first="", then=None):
        """Prints text, wrapped; its first line follows first, the others follow then, or as many
        blanks as first has characters."""
        then = " " * len(first) if then is None else then
        text = text.expandtabs()
        lines = [first + text]
        if len(lines[0]) > self.width():
            lines = textwrap.wrap(text, self.width(), initial_indent=first, subsequent_indent=then,
                                  break_on_hyphens=False)
        for line in lines:
            self.put(line.rstrip())

    def put(self, line):
        """Prints line, when there is room for it, else after the user has pressed Enter."""
        height = self.size()[1]
        if self.asks and height and self.used >= max(1, height - 1):
            self.question("Enter: more    q: end the tour > ")
        print(line, flush=True)
        self.used += 1

    def question(self, text):
        """Asks text. Returns the answer, after which the screen counts as empty. Raises Quit when
        the answer is to quit."""
        said = ask(text)
        self.used = 0
        if said in QUIT:
            raise Quit
        return said

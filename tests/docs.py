#!/usr/bin/env -S python3 -B
"""Checks what the pages (*.md) say of the tree. TAP.

  links       a relative target exists, and its anchor is a heading
  names       in backquotes: each word with an underscore or before ( is a word of the code, which
              does not include its comments. A section whose heading has the word Linux is about
              Linux's names, down to one that has the word firstpage
  files       in backquotes: a path exists; a name alone is some file's
  places      nothing is named by a line number
  commands    make's targets, the monitor's commands, gdb's fp- and the bp_ of breakpoints exist; make usb
              that is told how to write is told where
  quotes      a block that opens with ```c FILE is FILE
  invariants  each that mm/ numbers is told in the book, and no other
  width       no line of the book has more than 110 characters, except in tables; no line of code in
              README.md, CONTRIBUTING.md and the pages beside the README more than 80, where GitHub
              cuts it
  length      README.md has at most 140 lines

Small pages show first that each rule can fail.
"""
import os
import re
import sys

from tap import Tap

BOOK = ("docs/README.md", "docs/book/", "docs/linux.md", "docs/lift.md")
WIDTH = 110
NARROW = ("README.md", "CONTRIBUTING.md", "docs/options.md", "docs/hardware.md", "docs/debugging.md")
CODE_WIDTH = 80
README_LINES = 140
SOURCES = (".c", ".h", ".asm", ".inc", ".ld", ".mk", ".py", "Makefile")
COMMENTS = {".c": r"/\*.*?\*/", ".h": r"/\*.*?\*/", ".ld": r"/\*.*?\*/",
            ".asm": r";[^\n]*", ".inc": r";[^\n]*"}

WORD = r"[A-Za-z_]\w*"
NAME = re.compile(rf"\b(?:{WORD}(?=\()|[A-Za-z]\w*_\w*)")
PATH = re.compile(r"(?:[\w.-]+/)*(?:[\w.-]+\.(?:c|h|asm|inc|ld|mk|py|md|map)|(?<=/))")
TOP = re.compile(r"(?:arch|bootsector|contrib|docs|include|kernel|lib|mm|scripts|stage2|tests|tools)/[\w./-]*")
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`]+)`")
LINE_NUMBER = re.compile(r"\b[\w/.-]+\.(?:c|h|asm|inc|ld|mk|py):\d+")
MAKE = re.compile(r"(?:\$ )?(?:[A-Z_0-9]+=\S+ )*make((?: +(?:-C +\S+|[A-Z_0-9]+=(?:'[^']*'|\"[^\"]*\"|\S*)"
                  r"|[a-z]+))*)")
TARGET = re.compile(r" +(?:-C +\S+|[A-Z_0-9]+=(?:'[^']*'|\"[^\"]*\"|\S*)|([a-z]+))")


def code_words(path, text):
    """Returns the words of text, a source file at path, without its comments."""
    pattern = COMMENTS.get(os.path.splitext(path)[1], r"(?m)^\s*#[^\n]*")
    return re.findall(WORD, re.sub(pattern, " ", text, flags=re.DOTALL))


class Tree:
    """What pages may name. texts is {path: text}; the text of a file that is not UTF-8 is None."""

    def __init__(self, texts):
        self.texts = texts
        self.folders = {path[:i + 1] for path in texts for i, c in enumerate(path) if c == "/"}
        self.basenames = {os.path.basename(path) for path in texts}
        code = {path: text for path, text in texts.items()
                if text and (path.endswith(SOURCES) or text.startswith("#!"))}
        self.words = {word for path, text in code.items() for word in code_words(path, text)}
        self.targets = {name for path, text in code.items() if path.endswith((".mk", "Makefile"))
                        for name in re.findall(r"(?m)^([a-z]+):(?!=)", text)}
        self.gdb = {name for path, text in code.items() if path.startswith("scripts/gdb/")
                    for name in re.findall(r'"""(fp-[\w-]+)', text)}
        self.monitor = {name for path, text in code.items() if path.startswith("kernel/")
                        for table in re.findall(r"(?s)struct command \w+\[\] = \{(.*?)\n\};", text)
                        for name in re.findall(r'\{ "(\w+)",', table)}
        self.invariants = {name for path, text in code.items() if path.startswith("mm/")
                           for name in re.findall(r"(?m)^ \*   ([A-Z]\d) ", text)}

    def has(self, path, page):
        """Returns whether path, taken from the top folder or from the folder of page, is a file or
        a folder."""
        path = path.rstrip("/") if path.rstrip("/") + "/" in self.folders else path
        near = os.path.normpath(os.path.join(os.path.dirname(page), path))
        return any(p in self.texts or p + "/" in self.folders for p in (path, near))


def slug(heading):
    """Returns the anchor that GitHub gives heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(text):
    """Returns the anchors of all headings of text, a page."""
    return {slug(heading) for heading in re.findall(r"(?m)^#+ (.*)", re.sub(r"(?s)```.*?```", "", text))}


class Page:
    """A page as lines; each is (line, whether it is code, whether its names are Linux's)."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines, self.blocks = [], []
        headings, fence, linux = [], None, False
        for line in text.splitlines():
            opens = re.match(r"\s*```(.*)", line)
            if opens and fence is None:
                fence = (opens[1].split(), [])
                self.blocks.append(fence)
            elif opens:
                fence = None
            elif fence is not None:
                fence[1].append(line)
                self.lines.append((line, True, linux))
            elif re.match(r"#+ ", line):
                level = len(line) - len(line.lstrip("#"))
                headings = [h for h in headings if h[0] < level] + [(level, line)]
                whose = [h for _, h in headings if re.search(r"Linux|firstpage", h)]
                linux = bool(whose) and "Linux" in whose[-1]
            else:
                self.lines.append((line, line.startswith("    "), linux))

    def spans(self):
        """Yields (text, whether it is about Linux) for each span in backquotes; a span may go on
        in the next line."""
        for about_linux in (False, True):
            prose = "\n".join(line for line, code, linux in self.lines
                              if not code and linux == about_linux)
            for span in SPAN.findall(prose):
                yield " ".join(span.split()), about_linux

    def commands(self):
        """Yields each line and each span that may be a command."""
        yield from (line.strip() for line, code, _ in self.lines if code)
        yield from (span for span, _ in self.spans())


def check_links(tree, page):
    """Yields a complaint for each link of page that leads nowhere."""
    prose = "\n".join(SPAN.sub("", line) for line, code, _ in page.lines if not code)
    for target in LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(os.path.dirname(page.path), path)) if path else page.path
        if path and full not in tree.texts and full + "/" not in tree.folders:
            yield f"link to {target}: no such file"
        elif anchor and anchor not in anchors(page.text if full == page.path else tree.texts[full]):
            yield f"link to {target}: no such heading"


def check_span(tree, page, span, linux):
    """Yields a complaint for each file or name in span, a text in backquotes of page, that tree
    does not have. Names in a span about Linux, linux, are not looked for."""
    if span.startswith("build/"):
        return
    program = span.split()[0]
    if TOP.fullmatch(program) and not linux and not tree.has(program, page.path):
        yield f"`{span}`: no such file"
    if PATH.fullmatch(span) or TOP.fullmatch(span):
        ours = not linux or span.endswith(".map") or span.startswith(("tests/", "docs/"))
        if ours and not (tree.has(span, page.path) or span in tree.basenames):
            yield f"`{span}`: no such file"
    elif not linux:
        for name in NAME.findall(span):
            if name not in tree.words:
                yield f"`{span}`: {name} is not in the code"


def check_command(tree, text):
    """Yields a complaint for each target or command in text that tree does not have."""
    make = MAKE.match(text)
    for name in TARGET.findall(make[1]) if make and "-C" not in make[1] else ():
        if name and name not in tree.targets:
            yield f"make {name}: no such target"
    if make and re.search(r"\busb .*[A-Z]", text) and "DEV=" not in text:
        yield f"{text}: without DEV= it only lists the disks"
    commands = re.findall(r"^firstpage> (\w+)", text)
    for run in re.findall(r"\brun=([^'\"]*)", text):
        commands += [command.split()[0] for command in run.split(";") if command.split()]
    for name in commands:
        if name not in tree.monitor and re.fullmatch(r"[a-z0-9_]+", name):
            yield f"{name}: no such command of the monitor"
    for name in re.findall(r"\bfp-\w+", text):
        if name not in tree.gdb:
            yield f"{name}: no such command of scripts/gdb/"
    for name in re.findall(r"\bbp_\w+", text):
        if name not in tree.words:
            yield f"{name}: no such place"


def check_quotes(tree, page):
    """Yields a complaint for each quoted file of page that differs from the file."""
    for info, lines in page.blocks:
        if len(info) > 1 and "\n".join(lines) + "\n" != tree.texts.get(info[1]):
            yield f"the block of {info[1]} is not that file"


def check_book(tree, page):
    """Yields complaints that concern pages of the book: the width of lines, the names of
    invariants."""
    if not page.path.startswith(BOOK):
        return
    for line in page.text.splitlines():
        if len(line) > WIDTH and not line.startswith("|"):
            yield f"wider than {WIDTH}: {line[:40]}…"
    for name in set(re.findall(r"\b[BCMPZ][1-9]\b", page.text)) - tree.invariants:
        yield f"{name}: mm/ has no such invariant"


def check_narrow(page):
    """Yields complaints that concern README.md and the pages in NARROW: the width of code, the
    length of README.md."""
    if page.path not in NARROW:
        return
    for line, code, _ in page.lines:
        if code and len(line) > CODE_WIDTH:
            yield f"code wider than {CODE_WIDTH}: {line[:40]}…"
    if page.path == "README.md" and len(page.text.splitlines()) > README_LINES:
        yield f"longer than {README_LINES} lines"


def complaints(tree, path, text):
    """Returns everything that is wrong with text, the page at path, sorted."""
    page = Page(path, text)
    found = list(check_links(tree, page)) + list(check_quotes(tree, page)) + list(check_book(tree, page))
    found += check_narrow(page)
    found += [f"{place}: a line number" for place in LINE_NUMBER.findall(text)]
    for span, linux in page.spans():
        found += check_span(tree, page, span, linux)
    for command in page.commands():
        found += check_command(tree, command)
    return sorted(set(found))


def untold(tree):
    """Returns the invariants of mm/ that the book does not tell, sorted."""
    book = "".join(text for path, text in tree.texts.items()
                   if path.startswith("docs/book/") and path.endswith(".md"))
    return sorted(name for name in tree.invariants if not re.search(rf"\b{name}\b", book))


SMALL = Tree({
    "Makefile": "run: all ## boots\nusb: ## writes\n", "mm/a.c": "/*\n *   B1 one.\n * only_said */ int used_word;\nf(1);\n",
    "scripts/gdb/a.py": '"""fp-e820: map."""', "kernel/c.c": 'const struct command x_commands[] = {\n{ "free", "" },\n};',
    "docs/book/1.md": "# One two\n## It's `x_y`\n", "tests/e820/a.map": "",
})
GOOD = ("[a](book/1.md#one-two) [b](book/1.md#its-x_y) [c](#here)\n# Here\n`used_word` `f()` `mm/a.c` `a.c` `mm/`\n"
        "# How Linux does it\n`foreign_word` `mm/slab.c`\n## firstpage again\n`used_word`\n"
        "`make run` `make` `make usb` `make usb DEV=x BPB=1` `build/x_y`\n```console\n$ make run CMDLINE='run=free;free 1'\nfirstpage> free\n(gdb) fp-e820\n"
        "```\n```c mm/a.c\n" + SMALL.texts["mm/a.c"] + "```\n| " + 200 * "x" + "\nB1\n")
BAD = ("[a](book/2.md)", "[a](book/1.md#three)", "[a](#nowhere)", "`unused_word`", "`g()`", "`struct only_said`",
       "`a_b\nc_d`", "`mm/b.c`", "`b.c`", "`kernel/x`", "`tests/e820/b.map`", "# Linux\n`tests/e820/b.map`",
       "# Linux\n# Here\n`foreign_word`", "# Linux\n## firstpage\n`foreign_word`", "see a.c:12", "`make walk`",
       "```\nMEM=1G make walk\n```", "    make walk", "`make usb BPB=1`", "```\nfirstpage> fly\n```", "`make run CMDLINE='run=free;fly'`",
       "`fp-fly`", "`lb \"bp_fly\"`", "```c mm/a.c\nint other;\n```", 111 * "x", "B2")
# Pages that are checked as README.md.
LONGEST = (README_LINES - 1) * "\n" + "    " + (CODE_WIDTH - 4) * "x"
TOO_LONG = (LONGEST + "\nx", LONGEST + "x", "```\n" + (CODE_WIDTH + 1) * "x" + "\n```")


def main():
    tap = Tap()
    tap.check(not complaints(SMALL, "docs/lift.md", GOOD), "a correct page passes",
              complaints(SMALL, "docs/lift.md", GOOD))
    passed = [text for text in BAD if not complaints(SMALL, "docs/lift.md", text)]
    tap.check(not passed, f"each of {len(BAD)} wrong pages is found", passed)
    passed = [text for text in (*TOO_LONG, LONGEST + "\n") if not complaints(SMALL, "README.md", text)]
    tap.check(passed == [LONGEST + "\n"], "a README that is too long or too wide is found", passed)
    tap.check(untold(SMALL) == ["B1"], "an invariant that the book does not tell is found")

    tree = Tree(dict(files(".")))
    for path in sorted(path for path in tree.texts if path.endswith(".md")):
        found = complaints(tree, path, tree.texts[path])
        tap.check(not found, path, "\n".join(found))
    tap.check(tree.invariants and not untold(tree), "every invariant of mm/ is told in the book",
              untold(tree))
    return tap.finish()


def files(root):
    """Yields (path, text) for each file below root, without what is built and hidden. Git is not
    asked, since an archive of the project has none."""
    built = {os.path.basename(os.environ.get("B", "build")), "build", "__pycache__"}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in built and (name[0] != "." or name == ".ci")]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            try:
                with open(path, encoding="utf-8") as file:
                    yield path, file.read()
            except UnicodeDecodeError:
                yield path, None


if __name__ == "__main__":
    sys.exit(main())

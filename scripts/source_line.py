"""Tells which line of the source an address is of, by the line tables of the stages' ELF files."""
import os
import re
import subprocess

PROJECT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def in_project(path):
    """Returns path as it is from the top of the project. The folder in which it was compiled may be
    another one; nasm's paths begin with that of the file's folder, twice a slash."""
    parts = os.path.normpath(path.rpartition("//")[2]).strip("/").split("/")
    for start in range(len(parts)):
        name = "/".join(parts[start:])
        if os.path.isfile(os.path.join(PROJECT, name)):
            return name
    return path


def source_line(elf, address):
    """Returns (file, number, text) of the line that the code at address is of, in the ELF file elf:
    for code that was inlined the line where the function was called. Returns None when the file does
    not tell; text is empty when the source is not there."""
    said = subprocess.run(["addr2line", "-i", "-e", elf, hex(address)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout.split("\n")
    found = re.match(r"(.+):(\d+)", [line for line in said if line][-1] if any(said) else "")
    if not found or found[2] == "0":
        return None
    name, number = in_project(found[1]), int(found[2])
    try:
        with open(os.path.join(PROJECT, name), encoding="utf-8", errors="replace") as file:
            text = file.read().split("\n")[number - 1].strip()
    except (OSError, IndexError):
        text = ""
    return name, number, text

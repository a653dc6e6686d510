#!/usr/bin/env -S python3 -B
"""Tests scripts/usb: what it writes, what it refuses. TAP.

The test writes files in a folder below build/ and loop devices on such files, nothing else. Disks
that this machine does not have are simulated by a sysfs and a proc made of files.
"""
import contextlib
import errno
import hashlib
import importlib.machinery
import importlib.util
import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
from unittest import mock

from tap import Tap

BUILD = os.environ.get("B", "build")
PROJECT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SCRIPT = os.path.join(PROJECT, "scripts/usb")
ROOT = ("8:2", "/", "/dev/sda2")  # of the simulated machine
SWAPS = "Filename\tType\tSize\tUsed\tPriority"
SIZE = (9 << 20) + 512  # three steps of scripts/usb, the last one a sector
REAL = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def load_usb():
    """Returns (the module of scripts/usb, the module usb_target)."""
    sys.path.insert(0, os.path.dirname(SCRIPT))
    loader = importlib.machinery.SourceFileLoader("usb", SCRIPT)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("usb", loader))
    loader.exec_module(module)
    return module, sys.modules["usb_target"]


class Place:
    """A folder that serves as build folder, with an image of random bytes, and holds the files to
    write to."""

    def __init__(self, folder):
        self.folder = folder
        self.data = os.urandom(SIZE)
        self.image = self.file("disk.img", self.data)

    def file(self, name, content):
        """Writes content to the file name in the folder. Returns its path."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def env(self, device, yes="1"):
        """Returns the environment of a run that writes to device."""
        return {**REAL, "B": self.folder, "DEV": device, "YES": yes}

    def usb(self, device, yes="1", **how):
        """Runs scripts/usb on device. Returns (status, output)."""
        how = {"env": self.env(device, yes), "stdin": subprocess.DEVNULL, **how}
        done = subprocess.run([SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=60, **how)
        return done.returncode, done.stdout


def content(path):
    """Returns the bytes of the file path."""
    with open(path, "rb") as file:
        return file.read()


def refused(result, words):
    """Returns whether result, (status, output), is a refusal for the reason words."""
    status, said = result
    return status == 1 and words in said and "; nothing was written" in said


def check_file(tap, place):
    """Checks writing to a regular file."""
    tail = os.urandom(5000)
    path = place.file("larger", bytes(SIZE) + tail)
    status, said = place.usb(path)
    tap.check(status == 0 and content(path)[:SIZE] == place.data, "a file gets the image", said)
    tap.check(content(path)[SIZE:] == tail, "what lies beyond the image stays")
    tap.check(f"{path}: regular file, {SIZE + 5000} bytes" in said, "the output names it a file", said)
    digest = hashlib.sha256(place.data).hexdigest()
    tap.check(digest in said, "the output has the image's SHA-256", said)
    lines = re.findall(r"^(written|compared): (\d+) %$", said, re.MULTILINE)
    tap.check(len(lines) == 6 and lines[2] == ("written", "100") and "\r" not in said,
              "in a pipe, each step of the progress is a line", said)
    link = os.path.join(place.folder, "link")
    os.symlink("larger", link)
    status, said = place.usb(link)
    tap.check(status == 0 and f"{path}: regular" in said, "of a link, the output names the target", said)
    status, said = place.usb(path, preexec_fn=lambda: [os.close(fd) for fd in (0, 1, 2)])
    tap.check(status == 0 and content(path) == place.data + tail,
              "with all standard files closed, the file gets the image and no words", status)


def check_real_image(tap, place):
    """Checks writing the real images."""
    image = os.path.join(BUILD, "disk.img")
    size = os.path.getsize(image)
    path = place.file("stick", b"")
    os.truncate(path, size)
    status, said = place.usb(path, env={**place.env(path), "B": BUILD})
    tap.check(status == 0 and content(path) == content(image), "a file gets build/disk.img too", said)
    status, said = place.usb(path)
    tap.check('PTTYPE="dos"' in said, "what is on the target is shown", said)
    variant = os.path.join(BUILD, "disk-bpb.img")
    status, said = place.usb(path, env={**place.env(path), "B": BUILD, "BPB": "1"})
    tap.check(status == 0 and content(path) == content(variant) != content(image),
              "with BPB=1 a file gets build/disk-bpb.img", said)
    os.unlink(path)


def check_refusals(tap, place):
    """Checks targets that must be refused."""
    kept = bytes(SIZE)
    for name, device, words in (
            ("a file that is too small", place.file("small", kept[1:]), f"it holds {SIZE - 1} byt"),
            ("an empty file", place.file("empty", b""), "it holds 0 bytes"),
            ("a folder", place.folder, "a directory"),
            ("/dev/null", "/dev/null", "a character device"),
            ("what does not exist", place.folder + "/none", "No such file"),
            ("the image itself", place.image, "the image itself")):
        result = place.usb(device)
        tap.check(refused(result, words), f"refused: {name}", result)
    pipe = os.path.join(place.folder, "pipe")
    os.mkfifo(pipe)
    result = place.usb(pipe)
    tap.check(refused(result, "a pipe or a socket"), "refused: a pipe", result)
    path = place.file("read-only", kept)
    os.chmod(path, 0o444)
    result = place.usb(path)
    tap.check(refused(result, "read-only") and content(path) == kept, "refused: read-only", result)
    tap.check(not os.path.exists(place.folder + "/none") and content(place.image) == place.data
              and content(place.folder + "/small") == kept[1:], "a refusal makes and changes nothing")
    result = place.usb("", env={**place.env("null")})
    tap.check(refused(result, "No such file or directory: DEV=/dev/null?"),
              "refused: a name without /dev/, and the refusal names the path", result)
    result = place.usb(path, env={**place.env(path), "BPB": "1"})
    tap.check(refused(result, "disk-bpb.img does not exist: run make first"), "refused: no image", result)


def on_terminal(place, path, keys):
    """Runs scripts/usb on a terminal, for the file path, and types keys at its question. It types
    them again when nothing happens, since Python notes a Ctrl-C between prompt and read only with
    the next key. Returns (status, output)."""
    child, fd = pty.fork()
    if child == 0:
        os.execve(SCRIPT, [SCRIPT], place.env(path, ""))
    said, typed = b"", False
    with contextlib.suppress(OSError):  # a terminal ends with EIO
        while True:
            if select.select([fd], [], [], 2)[0]:
                said += os.read(fd, 4096)
            elif typed:
                os.write(fd, keys)
            if said.endswith(b"[y/N] ") and not typed:
                typed = os.write(fd, keys) > 0
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode()


def check_question(tap, place):
    """Checks the question, its answers, and that only a terminal can answer."""
    kept = os.urandom(SIZE)
    path = place.file("asked", kept)
    for yes, how in (("", {}), ("0", {}), ("", {"preexec_fn": lambda: os.close(0)})):
        result = place.usb(path, yes, **how)
        tap.check(refused(result, "no terminal to ask on") and content(path) == kept,
                  f"refused: YES='{yes}' and {'closed' if how else 'empty'} input", result)
    result = place.usb(path, "", stdin=None, input="y\n")
    tap.check(refused(result, "no terminal to ask on"), "refused: a yes from a pipe", result)
    for keys, name in ((b"\n", "Enter"), (b"n\n", "n"), (b"\x04", "end of input")):
        result = on_terminal(place, path, keys)
        tap.check(refused(result, "") and content(path) == kept, f"refused: {name} typed", result)
    status, said = on_terminal(place, path, b"\x03")
    tap.check(status == 130 and "interrupted; nothing was written" in said
              and content(path) == kept, "Ctrl-C at the question writes nothing", said)
    status, said = on_terminal(place, path, b"y\n")
    tap.check(status == 0 and content(path) == place.data, "after y the image is written", said)
    tap.check("\rwritten:  44 %\rwritten:  88 %\rwritten: 100 %\r\n" in said,
              "on a terminal, the progress is one line", said)


def run_with(place, path, **replaced):
    """Runs scripts/usb within this process, for the file path, with functions of os replaced.
    Returns (status, complaint)."""
    usb, _ = load_usb()
    said = io.StringIO()
    with mock.patch.multiple(os, **replaced), mock.patch.dict(os.environ, place.env(path)), \
            mock.patch.object(sys, "argv", ["usb"]), contextlib.redirect_stderr(said), \
            contextlib.redirect_stdout(io.StringIO()):
        try:
            return usb.main(), said.getvalue()
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def check_trouble(tap, place):
    """Checks interruptions, wrong bits, short reads and writes, and a target that is replaced."""
    path = place.file("trouble", bytes(SIZE))
    fsync, pread, pwrite, calls = os.fsync, os.pread, os.pwrite, []

    def interrupted_fsync(fd):
        calls.append(fd)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        fsync(fd)

    status, said = run_with(place, path, fsync=interrupted_fsync)
    tap.check(status == 130 and f"interrupted; {4 << 20} of {SIZE} bytes are written" in said,
              "Ctrl-C while writing says how far it was", said)

    def bad_pread(fd, size, offset):
        got = bytearray(pread(fd, size, offset))
        if offset:
            got[7] ^= 1
        return bytes(got)

    status, said = run_with(place, path, pread=bad_pread)
    tap.check(status == 1 and f"differs at byte {(4 << 20) + 7}; all is written" in said,
              "a wrong bit is found and located", said)
    status, said = run_with(place, path, pread=lambda fd, size, at: pread(fd, size - 1, at))
    tap.check(status == 1 and f"differs at byte {(4 << 20) - 1};" in said, "a short read is found and located", said)
    status, said = run_with(place, path, pwrite=lambda fd, data, at: pwrite(fd, data[:1 << 20], at))
    tap.check(status == 0 and content(path) == place.data, "short writes are continued", said)
    real_open = os.open

    def late_open(name, flags, *rest, **more):
        if name == path and flags & os.O_RDWR:
            os.rename(path, path + ".away")
            place.file("trouble", bytes(SIZE))
        return real_open(name, flags, *rest, **more)

    result = run_with(place, path, open=late_open)
    tap.check(refused(result, "was replaced after") and content(path) == bytes(SIZE),
              "refused: a target that was replaced after it was checked", result)


class FakeMachine:
    """A sysfs and a proc that are files: sda is the system's disk, sdb a stick. Each case changes
    them."""

    def __init__(self, root):
        self.root = root
        self.disk("8:0", "sda", "pci0000:00/0000:00:1f.2/ata1", {"sda1": "8:1", "sda2": "8:2"})
        self.stick = self.disk("8:16", "sdb", "pci0000:00/0000:00:14.0/usb1/1-2", {"sdb1": "8:17"})
        self.write(self.stick + "/device/vendor", "Acme\x1b[2J ")
        self.write(self.stick + "/device/model", "Stick ")
        self.mount(ROOT, ("0:21", "/proc", "proc"))
        self.write("proc/swaps", SWAPS)

    def write(self, name, text):
        """Writes text to the file name."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def link(self, name, path):
        """Makes name a link to path."""
        name = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        os.symlink(os.path.join(self.root, path), name)

    def device(self, number, path):
        """Makes the block device with that number, MAJOR:MINOR, at path."""
        for folder in ("holders", "slaves"):
            os.makedirs(os.path.join(self.root, path, folder))
        self.write(path + "/dev", number)
        self.link("sys/dev/block/" + number, path)
        self.link("sys/class/block/" + os.path.basename(path), path)

    def disk(self, number, name, bus, parts):
        """Makes a disk with parts, {name: number}, on bus. Returns its path."""
        path = f"sys/devices/{bus}/block/{name}"
        self.device(number, path)
        self.link("sys/block/" + name, path)
        self.write(path + "/removable", "0")
        self.write(path + "/ro", "0")
        self.write(path + "/size", str(SIZE // 512))
        for index, (part, part_number) in enumerate(parts.items(), 1):
            self.device(part_number, f"{path}/{part}")
            self.write(f"{path}/{part}/partition", str(index))
        return path

    def dm(self, below):
        """Puts dm-0, LVM or an encrypted volume, on the device below."""
        path = self.disk("253:0", "dm-0", "virtual", {})
        self.link(f"{path}/slaves/{os.path.basename(below)}", below)
        self.link(f"{below}/holders/dm-0", path)

    def mount(self, *table):
        """Makes table, (number, mount point, source) each, the list of mounts."""
        self.write("proc/self/mountinfo", "\n".join(
            f"{i} 1 {number} / {point} rw,relatime shared:1 - ext4 {source} rw"
            for i, (number, point, source) in enumerate(table, 20)))



def system_on_lvm(fake):
    """Puts / on LVM on the system's disk."""
    fake.dm("sys/devices/pci0000:00/0000:00:1f.2/ata1/block/sda/sda2")
    fake.mount(("253:0", "/", "/dev/mapper/root"))


def loop_on(file):
    """Returns a change that makes loop3 a loop device on file."""

    def change(fake):
        fake.disk("7:3", "loop3", "virtual", {})
        fake.write("sys/devices/virtual/block/loop3/loop/backing_file", file)
    return change


# name, device, what is changed before, words of the refusal
FAKE_CASES = [
    ("the disk of /", "8:0", None, "it holds /,"),
    ("the disk of / on LVM", "8:0", system_on_lvm, "it holds /,"),
    ("the disk of / on btrfs", "8:0", lambda f: f.mount(("0:30", "/", "/dev/sda2")), "it holds /,"),
    ("a stick with /boot", "8:16", lambda f: f.mount(ROOT, ("8:17", "/boot", "/dev/sdb1")),
     "it holds /boot,"),
    ("a stick with the project", "8:16",
     lambda f: f.mount(ROOT, ("8:17", PROJECT, "/dev/sdb1")),
     f"it holds {PROJECT},"),
    ("a mounted partition", "8:16", lambda f: f.mount(ROOT, ("8:17", "/mnt/a\\040b", "/dev/sdb1")),
     "mounted on /mnt/a b;"),
    ("a mounted disk without partitions", "8:16",
     lambda f: f.mount(ROOT, ("8:16", "/mnt", "/dev/sdb")), "mounted on /mnt;"),
    ("mounted btrfs", "8:16", lambda f: f.mount(ROOT, ("0:40", "/mnt", "/dev/sdb1")),
     "mounted on /mnt;"),
    ("a partition in use as swap", "8:16",
     lambda f: f.write("proc/swaps", SWAPS + "\n/dev/sdb1 partition 8 0 -2"), "swap (/dev/sdb1)"),
    ("a partition below dm", "8:16", lambda f: f.dm(f.stick + "/sdb1"), "in use by dm-0"),
    ("a disk below dm", "8:16", lambda f: f.dm(f.stick), "in use by dm-0"),
    ("a partition behind a loop device", "8:16", loop_on("/dev/sdb1"), "in use by loop3"),
    ("a fixed disk", "8:0", lambda f: f.mount(("0:25", "/", "tmpfs")), "neither removable nor"),
    ("a partition", "8:17", None, "the image is that of a whole disk: /dev/sdb"),
    ("an optical drive on USB", "8:16", lambda f: f.write(f.stick + "/device/type", "5"),
     "it is an optical drive"),
    ("a read-only stick", "8:16", lambda f: f.write(f.stick + "/ro", "1"), "it is read-only"),
    ("a device unknown to sysfs", "8:32", None, "sysfs knows no"),
    ("a loop device on a disk", "7:3", loop_on("/dev/sda"), "a loop device, but not on"),
    ("a loop device on nothing", "7:3", loop_on("/none (deleted)"), "a loop device, but not on"),
    ("no mountinfo to look at", "8:16", lambda f: os.unlink(f.root + "/proc/self/mountinfo"),
     "No such file"),
]


def fake_answer(place, number, change):
    """Returns (accepted, words) of the check of a block device or of a file, number, on a
    FakeMachine after change."""
    _, target = load_usb()
    with tempfile.TemporaryDirectory(dir=place.folder) as root, \
            mock.patch.multiple(target, SYS=root + "/sys", PROC=root + "/proc"):
        fake = FakeMachine(root)
        if change:
            change(fake)
        try:
            if number[0] == "/":
                return True, target.check(number, os.stat(number), place.image)
            return True, target.check_disk(number, place.image)
        except (target.Stop, OSError) as error:
            return False, str(error)


def check_fake_machine(tap, place):
    """Checks block devices and mounts that this machine does not have."""
    for name, number, change, words in FAKE_CASES:
        accepted, said = fake_answer(place, number, change)
        tap.check(not accepted and words in said, f"refused: {name}", said)
    path = place.file("swap file", bytes(SIZE))
    answer = fake_answer(place, path, lambda f: f.write(
        "proc/swaps", SWAPS + "\n" + path.replace(" ", "\\040") + " file 8 0 -2"))
    tap.check(answer == (False, "it is in use as swap"), "refused: a swap file", answer)
    _, target = load_usb()
    with mock.patch.object(target, "DEV", place.folder):
        path = place.file("sdz", bytes(SIZE))
        try:
            answer = target.check(path, os.stat(path), place.image)
        except target.Stop as error:
            answer = str(error)
    tap.check(answer.startswith("it is no disk but a file, made by"), "refused: a regular file below /dev",
              answer)
    answer = fake_answer(place, "8:16", None)
    tap.check(answer == (True, "USB disk Acme[2J Stick"), "accepted: a stick, by its name", answer)
    answer = fake_answer(place, "8:0", lambda f: [
        f.mount(("0:25", "/", "tmpfs")), os.unlink(f.root + "/proc/swaps"),
        f.write("sys/devices/pci0000:00/0000:00:1f.2/ata1/block/sda/removable", "1")])
    tap.check(answer == (True, "removable disk of unknown model"),
              "accepted: a removable disk, not on USB, by a kernel without swap", answer)


FOUND_ON_STICK = "sdb1  8.9M dos vfat OLD-STICK"  # what the simulated lsblk prints


def list_on(place, change, **replaced):
    """Runs scripts/usb without DEV within this process, on a FakeMachine after change, with
    functions of os replaced. Returns (status, what it prints with /dev for the machine's /dev, the
    complaint)."""
    usb, target = load_usb()
    said, complaint = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory(dir=place.folder) as root:
        dirs = {"SYS": root + "/sys", "PROC": root + "/proc", "DEV": root + "/dev"}
        fake = FakeMachine(root)
        fake.write("bin/lsblk", f"#!/bin/sh\necho '{FOUND_ON_STICK}'")
        os.chmod(root + "/bin/lsblk", 0o755)
        if change:
            change(fake)
        env = {**place.env(""), "PATH": f"{root}/bin:{os.environ['PATH']}"}
        with mock.patch.multiple(target, **dirs), mock.patch.dict(os.environ, env), \
                mock.patch.multiple(os, **{"open": os.open, **replaced}), \
                mock.patch.object(sys, "argv", ["usb"]), contextlib.redirect_stdout(said), \
                contextlib.redirect_stderr(complaint):
            try:
                return usb.main(), said.getvalue().replace(root, ""), complaint.getvalue()
            finally:
                signal.signal(signal.SIGINT, signal.default_int_handler)


SDA = "sys/devices/pci0000:00/0000:00:1f.2/ata1/block/sda"
PASTE = "make usb DEV="

# Disks that are not offered: name, what is changed before, the line about the disk, or "" for none.
NOT_OFFERED = [
    ("a mounted stick", lambda f: f.mount(ROOT, ("8:17", "/media/me/OLD", "/dev/sdb1")),
     "/dev/sdb: USB disk Acme[2J Stick, 9437696 bytes (0.01 GB): it is mounted on /media/me/OLD;"),
    ("a stick in use as swap", lambda f: f.write("proc/swaps", SWAPS + "\n/dev/sdb1 partition 8 0 -2"),
     "it is in use as swap (/dev/sdb1)"),
    ("a stick below dm", lambda f: f.dm(f.stick), "in use by dm-0"),
    ("a read-only stick", lambda f: f.write(f.stick + "/ro", "1"), "it is read-only"),
    ("an optical drive", lambda f: f.write(f.stick + "/device/type", "5"), "it is an optical drive"),
    ("a stick that is too small", lambda f: f.write(f.stick + "/size", str(SIZE // 512 - 1)),
     f"the image has {SIZE} bytes"),
    ("a card reader without a card", lambda f: f.write(f.stick + "/size", "0"), "there is no medium"),
    ("the stick of /", lambda f: f.mount(("8:17", "/", "/dev/sdb1")), ""),
    ("the stick of /boot", lambda f: f.mount(ROOT, ("8:17", "/boot", "/dev/sdb1")), ""),
    ("the stick of this project", lambda f: f.mount(ROOT, ("8:17", PROJECT, "/dev/sdb1")), ""),
    ("a fixed disk that is not mounted",
     lambda f: [f.write(f.stick + "/ro", "1"), f.mount(("0:25", "/", "tmpfs"))], "it is read-only"),
    ("a removable system disk",
     lambda f: [f.write(f.stick + "/ro", "1"), f.write(SDA + "/removable", "1")], "it is read-only"),
    ("a stick, when there is no mountinfo", lambda f: os.unlink(f.root + "/proc/self/mountinfo"),
     "No such file"),
]


def check_list(tap, place):
    """Checks what is listed without DEV."""
    status, said, complaint = list_on(place, None)
    tap.check(status == 2 and "nothing was written" in complaint, "without DEV: status 2", complaint)
    tap.check("/dev/sdb: USB disk Acme[2J Stick, 9437696 bytes (0.01 GB); it holds:\n"
              f"  {FOUND_ON_STICK}\n" in said, "the stick is listed, with what it holds", said)
    tap.check(re.findall(r"make usb DEV=\S*", said) == ["make usb DEV=/dev/sdb"] and "sda" not in said,
              "the one command to paste is for the stick", said)
    for name, change, words in NOT_OFFERED:
        status, said, _ = list_on(place, change)
        tap.check(status == 2 and PASTE not in said and "No disk was found that could be written" in said
                  and "sda" not in said and (words in said if words else "sdb" not in said),
                  f"not offered: {name}", said)
    real_open = os.open

    def busy_open(path, *rest, **more):
        if isinstance(path, str) and path.endswith("/dev/sdb"):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return real_open(path, *rest, **more)

    _, said, _ = list_on(place, None, open=busy_open)
    tap.check(PASTE not in said and "says the kernel" in said,
              "not offered: a stick in use, which only the kernel knows", said)
    _, said, _ = list_on(place, lambda f: f.write(
        f.disk("8:32", "sdc", "pci0000:00/0000:00:14.0/usb1/1-3", {}) + "/removable", "1"))
    tap.check(re.findall(r"make usb DEV=(\S*)", said) == ["/dev/sdb", "/dev/sdc"], "two sticks are both listed", said)

    def interrupted_realpath(_path):
        signal.raise_signal(signal.SIGINT)

    with mock.patch("os.path.realpath", interrupted_realpath):
        usb, _ = load_usb()
        complaint = io.StringIO()
        with mock.patch.dict(os.environ, place.env("")), mock.patch.object(sys, "argv", ["usb"]), \
                contextlib.redirect_stderr(complaint):
            status = usb.main()
        signal.signal(signal.SIGINT, signal.default_int_handler)
    tap.check(status == 130 and complaint.getvalue().endswith("interrupted; nothing was written\n"),
              "Ctrl-C while it lists: status 130", complaint.getvalue())
    status, said = place.usb("")
    tap.check(status == 2 and "nothing was written" in said, "without DEV, on this machine: status 2", said)
    # Below `make test` make would also print the folder that it works in.
    done = subprocess.run(["make", "-n", "--no-print-directory", "usb", "DEV=",
                           "B=" + os.path.join(place.folder, "none")],
                          check=False, stdout=subprocess.PIPE, text=True)
    tap.check(done.stdout.strip() == "scripts/usb", "without DEV, make builds nothing", done.stdout)


def command(*argv):
    """Returns what argv prints, or None when it fails or is not there."""
    try:
        return subprocess.run(argv, env=REAL, check=True, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def check_loop(tap, place, path, loop):
    """Checks loop, a loop device on the file path."""
    before = content(path)
    result = place.usb(path)
    tap.check(refused(result, f"in use by {os.path.basename(loop)}"),
              "refused: a file behind a loop device", result)
    result = place.usb(loop, "")
    tap.check(refused(result, "no terminal to ask on"), "refused: a loop device without a yes", result)
    mount_point = os.path.join(place.folder, "mnt")
    os.mkdir(mount_point)
    if command("mount", "-t", "ext2", "-o", "ro", loop, mount_point) is None:
        print("# skipped, mount is not permitted here: a mounted loop device")
    else:
        try:
            result = place.usb(loop)
        finally:
            command("umount", mount_point)
        tap.check(refused(result, f"mounted on {mount_point};"), "refused: a mounted loop device", result)
    tap.check(content(path) == before, "nothing was written so far")
    holder = os.open(loop, os.O_RDONLY | os.O_EXCL)
    result = place.usb(loop)
    os.close(holder)
    tap.check(refused(result, "busy"), "refused: a device in use, which only the kernel knows", result)
    status, said = place.usb(loop)
    tap.check(status == 0 and content(path)[:SIZE] == place.data, "a loop device gets it", said)
    tap.check(f"{loop}: loop device on {path}, {SIZE + 3584} bytes" in said, "the output names it a loop device", said)


def check_loops(tap, place):
    """Checks loop devices, where this machine permits them."""
    path = place.file("loop", bytes(SIZE + 3584))  # whole blocks of 4 KiB
    command("mke2fs", "-q", "-F", path)
    refusals = {place.file("short", bytes(1 << 20)): "it holds 1048576 bytes",
                place.image: "other than the image"}
    for file in (path, *refusals):
        loop = command("losetup", "--find", "--show", file)
        if not loop:
            print(f"# skipped, losetup is not permitted here: a loop device on {file}")
            continue
        try:
            if file == path:
                check_loop(tap, place, path, loop)
            else:
                result = place.usb(loop)
                tap.check(refused(result, refusals[file]),
                          f"refused: a loop device on {os.path.basename(file)}", result)
        finally:
            command("losetup", "--detach", loop)


def check_system_disk(tap, place):
    """Checks that the disk of this machine's / is refused. It gives no yes and no input, so that
    two reasons would have to fail before a byte were written."""
    number = os.stat("/").st_dev
    node = os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not os.path.isdir(node) or os.path.realpath(node).startswith("/sys/devices/virtual/"):
        print("# skipped, / lies on no disk of its own: the disk of this machine's /")
        return
    part = os.path.exists(node + "/partition")
    device = "/dev/" + os.path.basename(os.path.dirname(node) if part else node)
    if not os.path.exists(device):
        print(f"# skipped, {device} is not there: the disk of this machine's /")
        return
    result = place.usb(device, "")
    tap.check(refused(result, "it holds /,"), "refused: the disk of this machine's /", result)


def main():
    # A shell's background jobs ignore Ctrl-C, and programs started here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="usb.", dir=BUILD) as folder:
        place = Place(os.path.realpath(folder))
        for check in (check_file, check_real_image, check_refusals, check_question, check_trouble,
                      check_fake_machine, check_list, check_loops, check_system_disk):
            check(tap, place)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

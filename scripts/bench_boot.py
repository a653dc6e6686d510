"""The rows boot.* of scripts/bench: what the boot costs, from the boot sector's first instruction to the
first prompt. Nothing in the image takes part: QEMU is stopped at both places by its gdb stub.
"""
import json
import os
import re
import socket
import subprocess
import tempfile
import time

# id, what is measured, bound, figure to reach, the figures of others
FIGURES = (
    ("boot.reads", "disk read commands, boot sector to prompt", "<=", 15, "GRUB 24; SYSLINUX 26"),
)
# id, what is measured; rows without a figure to reach
FURTHER = (
    ("boot.sectors", "sectors that they read"),
    ("boot.instructions", "instructions from the boot sector's first one to the prompt"),
)
IDS = [row[0] for row in FIGURES + FURTHER]

HOW = """\
boot: -machine pc, 128 MiB, an IDE disk; QEMU's trace of the disk's commands that read, whoever gives them,
after the BIOS has read the boot sector. Instructions of loader, BIOS and kernel, as QEMU counts them while
it records (-icount shift=0,rr=record), a pass of a repeated string instruction as one; the smallest of 5
boots: the BIOS polls the disk, so a busy host adds up to a fifth, and reads and sectors are always the same.
GRUB, SYSLINUX: a kernel of the same size on the same disk."""

BOOT_SECTOR = 0x7c00
BOOTS = 5
LIMIT = 120  # seconds

# ATA's READ SECTORS, READ MULTIPLE and READ DMA, each with an LBA of 28 and of 48 bits.
READS = {0x20, 0x24, 0xc4, 0x29, 0xc8, 0x25}


class Line:
    """A connection to one of QEMU's sockets."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.buffer = b""

    def upto(self, pattern):
        """Waits for pattern. Returns its match; what follows it is kept."""
        while not (match := re.search(pattern, self.buffer, re.DOTALL)):
            data = self.socket.recv(65536)
            if not data:
                raise OSError("QEMU has ended")
            self.buffer += data
        self.buffer = self.buffer[match.end():]
        return match


class Gdb(Line):
    """QEMU's gdb stub."""

    def ask(self, words):
        """Sends a packet. Returns the answer to it, which for `c` is the next stop."""
        self.socket.sendall(b"$%b#%02x" % (words, sum(words) % 256))
        answer = self.upto(rb"\$([^#]*)#..")[1]
        self.socket.sendall(b"+")
        return answer

    def run_to(self, address):
        """Lets the guest run until its next instruction is at address."""
        point = b"1,%x,1" % address
        if self.ask(b"Z" + point) != b"OK":
            raise OSError("the gdb stub takes no breakpoint")
        stop = self.ask(b"c")
        if not stop.startswith(b"T05") or self.ask(b"z" + point) != b"OK":
            raise OSError(f"the guest did not come to {address:#x}: {stop}")


class Qmp(Line):
    """QEMU's monitor for programs."""

    def __init__(self, path):
        super().__init__(path)
        self.upto(rb"\n")
        self.ask("qmp_capabilities")

    def ask(self, command):
        """Returns what command returns."""
        self.socket.sendall(json.dumps({"execute": command}).encode() + b"\n")
        return json.loads(self.upto(rb'(\{"return": [^\n]*)\n')[1])["return"]


def address_of(elf, name):
    """Returns the address of the symbol name in the file elf."""
    listed = subprocess.run(["nm", elf], stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(re.search(rf"^(\w+) \w {name}$", listed, re.MULTILINE)[1], 16)


def prompt_of(build):
    """Returns the address of the function that the kernel in the folder build calls at its prompt."""
    return address_of(os.path.join(build, "kernel.elf"), "line_read")


def commands_in(trace):
    """Returns (read commands, sectors that they read) of QEMU's trace."""
    reads = [int(code, 16) for code in re.findall(r"ide_exec_cmd .*; cmd (0x\w+)", trace)]
    sectors = re.findall(r"ide_sector_read sector=\d+ nsectors=(\d+)|"
                         r"ide_dma_cb .* n=(\d+) cmd=DMA READ", trace)
    return (sum(code in READS for code in reads),
            sum(int(pio or dma) for pio, dma in sectors))


def boot_once(directory, prompt, firmware=""):
    """Boots the image up to the first instruction of the kernel at the address prompt, under the
    faults named in firmware. Returns {id: value}."""
    trace, gdb, qmp = (os.path.join(directory, name) for name in ("trace", "gdb", "qmp"))
    events = [word for event in ("ide_exec_cmd", "ide_sector_read", "ide_dma_cb")
              for word in ("-trace", event)]
    flags = ["-S", "-gdb", f"unix:{gdb},server=on,wait=off", "-D", trace, *events,
             "-icount", f"shift=0,rr=record,rrfile={directory}/record"]
    env = {**os.environ, "CMDLINE": "", "MEM": "128M", "CPU": "max", "CPUS": "1", "QMP": qmp,
           "FIRMWARE": firmware, "QEMUFLAGS": " ".join(flags)}
    for name in ("MAP", "MACHINE", "NODES", "SLOTS", "DIMMS", "MEDIA", "DISK", "CONSOLE"):
        env[name] = ""
    with subprocess.Popen(["scripts/run"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env) as run:
        try:
            stub, monitor = Gdb(gdb), Qmp(qmp)
            stub.run_to(BOOT_SECTOR)
            start, begun = monitor.ask("query-replay")["icount"], os.path.getsize(trace)
            stub.run_to(prompt)
            end = monitor.ask("query-replay")["icount"]
            with open(trace, encoding="utf-8", errors="replace") as file:
                file.seek(begun)
                reads, sectors = commands_in(file.read())
            return {"boot.reads": reads, "boot.sectors": sectors, "boot.instructions": end - start}
        finally:
            run.terminate()
            run.communicate()


def rows(wanted, build, say):
    """Returns {id: value} of the rows for which wanted(id) is true. build is the folder with image
    and kernel; say() prints a remark."""
    if not any(map(wanted, IDS)):
        return {}
    count = BOOTS if wanted("boot.instructions") else 1
    say(f"boots of the image, from the boot sector to the prompt: {count}")
    prompt = prompt_of(build)
    boots = []
    for _ in range(count):
        with tempfile.TemporaryDirectory(prefix="bench.", dir=build) as directory:
            try:
                boots.append(boot_once(directory, prompt))
            except OSError as error:
                say(str(error))
                return {}
    return {name: min(boot[name] for boot in boots) for name in IDS if wanted(name)}

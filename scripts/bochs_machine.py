"""Describes the machine that Bochs plays, by the environment, and the image's symbols, for
scripts/bochs and scripts/tour.
"""
import os
import re
import shutil
import subprocess
import sys

STAGES = ("bootsector", "stage2", "kernel")
MAX_CPUS = 15  # Bochs 2.7 has too few timers for more
FLOPPY_SECTORS = 2880
SHARE = "/usr/share/bochs/"
PLACES = ("bp_bootsector", "bp_stage2", "bp_e820", "bp_protected", "bp_long", "bp_kernel",
          "bp_memblock", "bp_mem_map", "bp_buddy", "bp_cpus")


def fail(text, status=2):
    """Ends the program with a message and status."""
    print("bochs: " + text, file=sys.stderr)
    sys.exit(status)


def command(configuration_file, *arguments):
    """Returns the command that starts Bochs under its debugger with configuration_file and further
    arguments. Version 3 has the debugger behind a flag, which version 2 refuses."""
    if not shutil.which("bochs"):
        fail("bochs is not installed; `make bochs` and `make tour` install it", 1)
    usage = subprocess.run(["bochs", "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False).stdout
    flag = ["-debugger"] if b"-debugger" in usage else []
    return ["bochs", "-q", *flag, "-f", configuration_file, *arguments]


def symbols(build, directory):
    """Writes the symbols of all stages, with the addresses of their ELF files in the folder build,
    to a file in directory as `address name` lines, the form that Bochs reads. Returns its name."""
    name = os.path.join(directory, "symbols")
    with open(name, "w", encoding="ascii") as out:
        for stage in STAGES:
            lines = subprocess.run(["nm", os.path.join(build, stage + ".elf")], check=True,
                                   stdout=subprocess.PIPE, text=True).stdout
            for line in lines.splitlines():
                words = line.split()
                if len(words) == 3 and words[1] in "tTdDbBrR":
                    out.write(f"{words[0]} {words[2]}\n")
    return name


def megabytes(env, size):
    """Returns the RAM of the machine in MiB: MEM of env, else size, else 128."""
    text = env.get("MEM") or size or "128M"
    match = re.fullmatch(r"([0-9]+)([KMGT]?)", text.upper())
    if not match:
        fail(f"MEM={text} is not a size like 128M or 1G")
    kib = int(match[1]) << {"K": 0, "": 10, "M": 10, "G": 20, "T": 30}[match[2]]
    if kib % 1024 or not 1 <= kib >> 10 <= 2048:
        fail(f"MEM={text}: Bochs takes 1M to 2048M, whole MiB")
    return kib >> 10


def cpu_count(env):
    """Returns how many CPUs the machine has: CPUS of env, else 1."""
    cpus = env.get("CPUS") or "1"
    if not re.fullmatch(r"[0-9]+", cpus) or not 1 <= int(cpus) <= MAX_CPUS:
        fail(f"CPUS={cpus}: Bochs takes 1 to {MAX_CPUS}")
    return int(cpus)


def drive(image):
    """Returns the lines that describe the drive of image. A file of a floppy's size becomes a
    floppy."""
    sectors = os.path.getsize(image) // 512
    if sectors == FLOPPY_SECTORS:
        return [f"floppya: 1_44=\"{image}\", status=inserted", "boot: floppy"]
    return [f"ata0-master: type=disk, path=\"{image}\", mode=flat, "
            f"cylinders={sectors // 1008}, heads=16, spt=63", "boot: disk"]


def configuration(env, directory, screen):
    """Writes the file that describes the machine, by the variables of env, into directory. Returns
    its name. screen says that the machine gets a window, where there is a display."""
    if env.get("NODES"):
        fail(f"NODES={env['NODES']}: Bochs has no NUMA nodes; make run has them")
    for name in ("SLOTS", "DIMMS", "QMP"):
        if env.get(name):
            fail(f"{name}={env[name]}: Bochs has no slots for DIMMs; make run has them")
    build = env.get("B", "build")
    built = os.path.join(build, (env.get("MEDIA") or "disk") + ".img")
    image = os.path.join(directory, "disk.img")
    if not os.path.exists(built):
        fail(f"{built} does not exist: run make first, or make floppy")
    if "CMDLINE" in env:
        if subprocess.run(["scripts/image", built, image, env["CMDLINE"]], check=False).returncode:
            sys.exit(2)
    else:
        shutil.copyfile(built, image)
    rom = size = None
    if env.get("MAP") or env.get("FIRMWARE"):
        rom = os.path.join(directory, "firmware.rom")
        words = ["--map", env["MAP"]] if env.get("MAP") else []
        made = subprocess.run(["scripts/firmware", *words, rom, *env.get("FIRMWARE", "").split()],
                              stdout=subprocess.PIPE, text=True)
        if made.returncode:
            sys.exit(2)
        size = str(min(2048, int(made.stdout))) if made.stdout else None
    bios = env.get("BIOS") or "BIOS-bochs-latest"
    display = "x" if env.get("DISPLAY") and screen else "rfb, options=\"timeout=0\""
    lines = [
        f"megs: {megabytes(env, size)}",
        f"cpu: model={env.get('CPU') or 'corei7_skylake_x'}, count={cpu_count(env)}, "
        "ips=50000000, reset_on_triple_fault=0",
        "clock: sync=none",
        f"romimage: file={bios if '/' in bios else SHARE + bios}",
        f"vgaromimage: file={SHARE}VGABIOS-lgpl-latest",
        *drive(image),
        "port_e9_hack: enabled=1",
        f"display_library: {display}",
        f"log: {os.path.join(build, 'bochs.log')}",
        "panic: action=fatal",
        "sound: waveoutdrv=dummy",
    ]
    if rom:
        lines.append(f"optromimage1: file=\"{rom}\", address=0xd0000")
    name = os.path.join(directory, "bochsrc")
    with open(name, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    return name

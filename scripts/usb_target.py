"""Decides what scripts/usb may write to: a whole disk that is removable or on USB and that nothing
uses, a regular file, or a loop device on one. What cannot be found out counts against the target.

A device is represented here by its folder in sysfs, with links resolved.
"""
import errno
import glob
import os
import re
import stat

SYS, PROC, DEV = "/sys", "/proc", "/dev"  # the tests replace them
PROJECT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
LOOP_MAJOR = "7"  # Linux, Documentation/admin-guide/devices.txt
SCSI_OPTICAL = "5"  # T10 SPC, peripheral device type


class Stop(Exception):
    """The reason why nothing more is done."""


class SystemDisk(Stop):
    """The reason why a disk of this system, or of this project, is not written."""


def text_of(*parts):
    """Returns the text of a file of sysfs, without characters that could upset a terminal, or ""
    when there is none."""
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return "".join(c for c in file.read() if c.isprintable()).strip()
    except OSError:
        return ""


def fields_of(line):
    """Returns the fields of line, one of /proc, where a blank within a field is \\040."""
    return [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), f) for f in line.split()]


def lines_of(name):
    """Returns the lines of a file of /proc."""
    with open(os.path.join(PROC, name), encoding="utf-8", errors="replace") as file:
        return file.readlines()


def sysfs_of(device):
    """Returns the folder of device, which is MAJOR:MINOR or /dev/NAME; of anything else a path
    that does not exist."""
    name = os.path.realpath(device).removeprefix("/dev/").replace("/", "!")
    folder = ("dev/block", device) if re.fullmatch(r"\d+:\d+", device) else ("class/block", name)
    return os.path.realpath(os.path.join(SYS, *folder))


def disks_below(node):
    """Returns all disks that the block device node lies on, with the one that it is or is a part
    of."""
    disks = {os.path.dirname(node) if os.path.exists(node + "/partition") else node}
    for slave in glob.glob(node + "/slaves/*"):  # for dm, md, bcache
        disks |= disks_below(os.path.realpath(slave))
    return disks


def mounts():
    """Yields (mount point, the disks below). The source counts too: btrfs gives a number that no
    disk has."""
    for line in lines_of("self/mountinfo"):
        left, right = map(fields_of, line.split(" - ", 1))
        yield left[4], disks_below(sysfs_of(left[2])) | disks_below(sysfs_of(right[1]))


def swaps():
    """Returns the files and devices that are in use as swap."""
    there = os.path.exists(os.path.join(PROC, "swaps"))  # absent in a kernel that cannot swap
    return [fields_of(line)[0] for line in lines_of("swaps")[1:]] if there else []


def check_unmounted(disk):
    """Raises Stop when disk is mounted, or holds this system or this project."""
    table = list(mounts())
    for kept in ("/", "/boot", PROJECT):
        above = [m for m in table if os.path.commonpath([m[0], kept]) == m[0]]
        longest = max((len(point) for point, _ in above), default=0)
        if any(disk in disks for point, disks in above if len(point) == longest):
            raise SystemDisk(f"it holds {kept}, so it is the disk of this system or of this project")
    for point, disks in table:
        if disk in disks:
            raise Stop(f"it is mounted on {point}; unmount it first")


def check_no_loop(is_behind):
    """Raises Stop when a loop device has a file for which is_behind(file) is true."""
    for loop in glob.glob(os.path.join(SYS, "block/loop*")):
        file = text_of(loop, "loop/backing_file")
        if file and is_behind(file):
            raise Stop(f"it is in use by {os.path.basename(loop)}")


def check_unused(disk):
    """Raises Stop when anything uses disk or a part of it."""
    check_unmounted(disk)
    for path in swaps():
        if disk in disks_below(sysfs_of(path)):
            raise Stop(f"it is in use as swap ({path})")
    parts = [disk] + [os.path.dirname(file) for file in glob.glob(disk + "/*/partition")]
    for holder in (h for part in parts for h in glob.glob(part + "/holders/*")):
        raise Stop(f"it is in use by {os.path.basename(holder)}")
    check_no_loop(lambda file: sysfs_of(file) in parts)


def kind_of(disk):
    """Returns in words what disk is, by its vendor and model, or "" when it is neither removable
    nor on USB."""
    usb = "/usb" in disk.removeprefix(os.path.realpath(SYS))
    if not usb and text_of(disk, "removable") != "1":
        return ""
    model = filter(None, (text_of(disk, "device", name) for name in ("vendor", "model", "name")))
    return f"{'USB' if usb else 'removable'} disk {' '.join(model) or 'of unknown model'}"


def check_disk(number, image):
    """Returns in words what the block device number, MAJOR:MINOR, is. Raises Stop when it must not
    be written."""
    disk = sysfs_of(number)
    if not os.path.isdir(disk):
        raise Stop(f"sysfs knows no block device {number}")
    if os.path.exists(disk + "/partition"):
        raise Stop("it is a partition, but the image is that of a whole disk: "
                   + name_of(os.path.dirname(disk)))
    check_unused(disk)
    if text_of(disk, "ro") != "0":
        raise Stop("it is read-only")
    if number.split(":")[0] == LOOP_MAJOR:
        file = text_of(disk, "loop/backing_file")
        if not os.path.isfile(file) or os.path.samefile(file, image):
            raise Stop("it is a loop device, but not on a regular file other than the image")
        return f"loop device on {file}"
    if text_of(disk, "device/type") == SCSI_OPTICAL:
        raise Stop("it is an optical drive")
    kind = kind_of(disk)
    if not kind:
        raise Stop("it is neither removable nor on USB")
    return kind


def name_of(disk):
    """Returns the path of disk's device, below /dev."""
    return os.path.join(DEV, os.path.basename(disk).replace("!", "/"))


def check_free(path):
    """Raises Stop when the kernel knows a user of the disk path, or no medium in it. Where path may
    not be opened, nothing is found out."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK))
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.ENOMEDIUM):
            raise Stop(f"{error.strerror}, says the kernel") from error


def candidates(image, least):
    """Yields (path, in words what it is, size in bytes, reason) for each whole disk that is
    removable or on USB, but for those of this system. The reason says why it must not be written;
    it is "" when it may. least is the size of image in bytes."""
    for link in sorted(glob.glob(os.path.join(SYS, "block/*"))):
        disk, reason = os.path.realpath(link), ""
        kind, sectors = kind_of(disk), text_of(disk, "size")
        if not kind:
            continue
        size = int(sectors) * 512 if sectors.isdecimal() else 0
        try:
            check_disk(text_of(disk, "dev"), image)
            if size < least:
                raise Stop(f"the image has {least} bytes" if size else "there is no medium in it")
            check_free(name_of(disk))
        except SystemDisk:
            continue
        except (Stop, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        yield name_of(disk), kind, size, reason


def check_file(path, info, image):
    """Returns in words what the regular file path is. Raises Stop when it must not be written."""
    if os.path.samefile(path, image):
        raise Stop("it is the image itself")
    if path.startswith(DEV + "/") and not path.startswith(DEV + "/shm/"):
        raise Stop("it is no disk but a file, made by a program that wrote there while the disk "
                   "was absent; remove it, and plug the disk in again")
    if path in map(os.path.realpath, swaps()):
        raise Stop("it is in use as swap")
    if not info.st_mode & 0o222:  # root could open it for writing all the same
        raise Stop("it is read-only")
    check_no_loop(lambda file: os.path.realpath(file) == path)
    return "regular file"


def check(path, info, image):
    """Returns in words what is at path, which has no links in it. Raises Stop when it must not be
    written."""
    if stat.S_ISBLK(info.st_mode):
        return check_disk(f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}", image)
    if stat.S_ISREG(info.st_mode):
        return check_file(path, info, image)
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFCHR: "a character device"}
    raise Stop(f"it is {kinds.get(stat.S_IFMT(info.st_mode), 'a pipe or a socket')}, not a disk")


def open_target(path, image):
    """Opens path. Returns (descriptor, in words what it is). Raises Stop when it must not be
    written. O_EXCL lets the kernel judge too: it knows users that sysfs does not show (btrfs, ZFS,
    other mount namespaces), and admits no new one while the question is asked."""
    info = os.stat(path)
    kind = check(path, info, image)
    exclusive = os.O_EXCL if stat.S_ISBLK(info.st_mode) else 0
    fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | exclusive)
    opened = os.fstat(fd)
    if not os.path.samestat(info, opened) or info.st_rdev != opened.st_rdev:
        raise Stop("it was replaced after it was checked")
    return fd, kind

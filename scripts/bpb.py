#!/usr/bin/env -S python3 -B
"""bpb.py IMAGE: describes the partition's FAT in the boot sector as well.

Some firmware and systems look there instead of at the partition table: all do so with floppies, some
BIOSes with sticks. The parameter block describes the same FAT, seen from sector 0: the sectors before
the partition count as reserved. It lies in bytes 03h to 3Dh, which nothing else uses. That of FAT32
ends at 46h: instead of its label and the name of its type stands the message of the boot sector.
"""
import struct
import sys

SECTOR = 512
RESERVED, SECTORS_16, FAT_SECTORS, HIDDEN, SECTORS_32 = 0x0e, 0x13, 0x16, 0x1c, 0x20
BEGIN, END, END_FAT32 = 0x03, 0x3e, 0x47

with open(sys.argv[1], "r+b") as image:
    image.seek(0x1be + 8)
    start = struct.unpack("<I", image.read(4))[0]
    image.seek(start * SECTOR)
    record = bytearray(image.read(SECTOR))
    fat32 = not struct.unpack_from("<H", record, FAT_SECTORS)[0]
    sectors = struct.unpack_from("<H", record, SECTORS_16)[0] or \
        struct.unpack_from("<I", record, SECTORS_32)[0]
    sectors += start
    small = sectors < 1 << 16 and not fat32
    struct.pack_into("<H", record, RESERVED, struct.unpack_from("<H", record, RESERVED)[0] + start)
    struct.pack_into("<H", record, SECTORS_16, sectors if small else 0)
    struct.pack_into("<II", record, HIDDEN, 0, 0 if small else sectors)
    image.seek(BEGIN)
    image.write(record[BEGIN:END_FAT32 if fat32 else END])

#!/usr/bin/env -S python3 -B
"""seal-kernel.py IN OUT: copies an ELF file and adds the trailer that stage2 checks.

The trailer is the last 16 bytes of KERNEL.ELF: "1stpSEAL", the length of what comes before it and
that part's CRC32, both 32 bits, little endian. A trailer that is there already is replaced. IN and
OUT may be the same file.
"""

import struct
import sys
import zlib

MAGIC = b"1stpSEAL"
SIZE = 16

with open(sys.argv[1], "rb") as file:
    data = file.read()
if data[-SIZE : -SIZE + 8] == MAGIC:
    data = data[:-SIZE]
with open(sys.argv[2], "wb") as file:
    file.write(data + MAGIC + struct.pack("<II", len(data), zlib.crc32(data)))

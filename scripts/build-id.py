#!/usr/bin/env -S python3 -B
"""build-id.py KERNEL.ELF: writes the CRC32 of the kernel's code into its table of function names.

The table begins the last segment to be loaded, and its second word is the place (kernel/ksyms.h).
The code is the one segment that is executable.
"""

import struct
import sys
import zlib

PT_LOAD, PF_X = 1, 1

with open(sys.argv[1], "r+b") as file:
    data = file.read()
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    loads = [header for header in headers if header[0] == PT_LOAD]
    code = [header for header in loads if header[1] & PF_X]
    if len(code) != 1 or code[0] == loads[-1]:
        sys.exit(f"{sys.argv[1]}: not one executable segment, and the table behind it")
    _, _, offset, _, _, length = code[0]
    file.seek(loads[-1][2] + 4)
    file.write(struct.pack("<I", zlib.crc32(data[offset:offset + length])))

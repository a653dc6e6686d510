#!/usr/bin/env -S python3 -B
"""stage2-symbols.py STAGE2.BIN: prints what the boot sector must know of stage2, as linker symbols."""

import sys
import zlib

with open(sys.argv[1], "rb") as file:
    stage2 = file.read()
if not stage2 or len(stage2) % 512:
    sys.exit(f"{sys.argv[1]}: {len(stage2)} bytes are not whole sectors")
print(f"stage2_sectors = {len(stage2) // 512};")
print(f"stage2_crc32 = {zlib.crc32(stage2):#010x};")

"""Makes SRATs and SLITs, ACPI's tables of NUMA nodes (ACPI 6.4, sections 5.2.16 and 5.2.17), for
QEMU's -acpitable and for replay. QEMU corrects the length and the checksum of a table that it is given
so."""
import struct

ENABLED, HOTPLUG, NON_VOLATILE = 1, 2, 4  # flags of an entry for memory
MEMORY_BYTES = 40


def table(signature, body):
    """Returns the table with this signature and body, with its length and checksum."""
    made = bytearray(struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 3, 0, b"FPTEST",
                                 b"FPTESTTB", 1, b"TEST", 1) + body)
    made[9] = -sum(made) & 0xff
    return bytes(made)


def srat(*entries):
    """Returns an SRAT with these entries, each bytes."""
    return table(b"SRAT", struct.pack("<IQ", 1, 0) + b"".join(entries))


def memory(domain, base, size, flags=ENABLED):
    """Returns the entry that gives [base, base + size) to domain. What goes beyond 64 bits wraps."""
    return struct.pack("<BBIHQQIIQ", 1, MEMORY_BYTES, domain, 0, base, size % (1 << 64), 0, flags, 0)


def cpu(domain, apic_id, flags=ENABLED):
    """Returns the entry of the processor with this APIC id, of 8 bits."""
    return struct.pack("<BBBBIB3BI", 0, 16, domain & 0xff, apic_id, flags, 0,
                       *(domain >> 8).to_bytes(3, "little"), 0)


def x2apic(domain, apic_id, flags=ENABLED):
    """Returns the entry of the processor with this APIC id, of 32 bits."""
    return struct.pack("<BBHIIIII", 2, 24, 0, domain, apic_id, flags, 0, 0)


def slit(rows, localities=None):
    """Returns a SLIT with these rows of distances, which says that it has so many localities, or
    as many as there are rows."""
    return table(b"SLIT", struct.pack("<Q", len(rows) if localities is None else localities)
                 + bytes(distance for row in rows for distance in row))

"""Bitmaps as whole numbers: bit i of the number is child i."""


def ones(bits):
    """Returns how many bits of bits are set."""
    return bits.bit_count()


def runs(bits):
    """Yields (start, end) of each longest run of set bits in bits, upwards."""
    at = 0
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        length = (bits ^ (bits + 1)).bit_length() - 1
        yield at + zeros, at + zeros + length
        bits >>= length
        at += zeros + length


def pieces(start, end):
    """Yields the orders of the largest aligned powers of two that [start, end) falls into,
    upwards."""
    while start < end:
        order = (end - start).bit_length() - 1
        if start:
            order = min(order, (start & -start).bit_length() - 1)
        yield order
        start += 1 << order


def has_run(bits, order, size):
    """Returns whether bits, a bitmap of size bits, has an aligned run of 2^order set bits."""
    length = 1 << order
    mask = (1 << length) - 1
    return any(bits >> at & mask == mask for at in range(0, size, length))

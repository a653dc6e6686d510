"""Bitmaps and bitmap trees as whole numbers: bit i of the number is child i."""


def ones(bits):
    """How many children are set."""
    return bits.bit_count()


def runs(bits):
    """[start, end) of each longest run of set bits, upwards."""
    at = 0
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        length = (bits ^ (bits + 1)).bit_length() - 1
        yield at + zeros, at + zeros + length
        bits >>= length
        at += zeros + length


def pieces(start, end):
    """The orders of the largest aligned powers of two that a run falls into."""
    while start < end:
        order = (end - start).bit_length() - 1
        if start:
            order = min(order, (start & -start).bit_length() - 1)
        yield order
        start += 1 << order


def has_run(bits, order, size):
    """Whether an aligned run of 2^order set bits is in a bitmap of size bits."""
    length = 1 << order
    mask = (1 << length) - 1
    return any(bits >> at & mask == mask for at in range(0, size, length))

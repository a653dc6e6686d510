"""A simple reader of the image's FAT16 partition, for tests of the real reader.

It is written from the specification and believes all that it reads. Where that leads nowhere, it
raises ValueError, IndexError or struct.error; where there is no such file, TypeError.
"""
import struct

SECTOR = 512
START = 2048  # LBA of the partition


class Volume:
    """The FAT16 volume on disk, the bytes of an image. fat, root and data are the LBAs where each
    begins. Names are as in the directory: "NAME EXT"."""

    def __init__(self, disk):
        self.disk = disk
        self.cluster_sectors, reserved, fats, root_entries, _, _, self.fat_sectors = \
            struct.unpack_from("<BHBHHBH", disk, START * SECTOR + 13)
        self.fat = START + reserved
        self.root = self.fat + fats * self.fat_sectors
        self.data = self.root + root_entries * 32 // SECTOR

    def entry(self, name):
        """Returns (offset of the directory entry in the image, first cluster, size) of the file
        name, or None."""
        for at in range(self.root * SECTOR, self.data * SECTOR, 32):
            if self.disk[at] == 0:
                break
            if self.disk[at:at + 11] == name and not self.disk[at + 11] & 0x18:
                return (at, *struct.unpack_from("<HI", self.disk, at + 26))
        return None

    def clusters(self, name):
        """Returns the clusters of the file name, in its order. Raises ValueError when the chain
        has another length than the file."""
        _, cluster, size = self.entry(name)
        count = -(-size // (self.cluster_sectors * SECTOR))
        found = []
        while len(found) < count:
            if not 2 <= cluster < 0xfff0:
                raise ValueError("the chain ends early")
            found.append(cluster)
            cluster, = struct.unpack_from("<H", self.disk, self.fat * SECTOR + 2 * cluster)
        if count and cluster < 0xfff8:
            raise ValueError("the chain is longer than the file")
        return found

    def file_sectors(self, name):
        """Returns the LBAs of the sectors that hold the file name."""
        lbas = [self.data + (cluster - 2) * self.cluster_sectors + i
                for cluster in self.clusters(name) for i in range(self.cluster_sectors)]
        return lbas[:-(-self.entry(name)[2] // SECTOR)]

    def read(self, name):
        """Returns the contents of the file name."""
        text = b"".join(self.disk[lba * SECTOR:(lba + 1) * SECTOR]
                        for lba in self.file_sectors(name))
        return text[:self.entry(name)[2]]

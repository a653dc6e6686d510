"""A naive reader of the image's FAT16 partition, for tests of what reads it in earnest.

Written from the specification; believes all it reads, and raises ValueError, IndexError or
struct.error where that leads nowhere, TypeError where there is no such file.
"""
import struct

SECTOR = 512
START = 2048  # LBA of the partition


class Volume:
    """fat, root, data: the LBA where each begins. Names are as in the directory: "NAME    EXT"."""

    def __init__(self, disk):
        self.disk = disk
        self.cluster_sectors, reserved, fats, root_entries, _, _, self.fat_sectors = \
            struct.unpack_from("<BHBHHBH", disk, START * SECTOR + 13)
        self.fat = START + reserved
        self.root = self.fat + fats * self.fat_sectors
        self.data = self.root + root_entries * 32 // SECTOR

    def entry(self, name):
        """(offset of the directory's entry in the image, first cluster, size)"""
        for at in range(self.root * SECTOR, self.data * SECTOR, 32):
            if self.disk[at] == 0:
                break
            if self.disk[at:at + 11] == name and not self.disk[at + 11] & 0x18:
                return (at, *struct.unpack_from("<HI", self.disk, at + 26))
        return None

    def clusters(self, name):
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
        lbas = [self.data + (cluster - 2) * self.cluster_sectors + i
                for cluster in self.clusters(name) for i in range(self.cluster_sectors)]
        return lbas[:-(-self.entry(name)[2] // SECTOR)]

    def read(self, name):
        text = b"".join(self.disk[lba * SECTOR:(lba + 1) * SECTOR]
                        for lba in self.file_sectors(name))
        return text[:self.entry(name)[2]]

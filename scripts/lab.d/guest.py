#!/usr/bin/python3
"""guest.py IMAGE TAKEN...: IMAGE holds all that the guest of guest.S was told is written, and no more.

Each TAKEN is what it said in one QEMU, in the order of the hand-overs: together 1, 2, 3 without a gap. A number may
have been said half in one and half in the next, and the last one in part. One write more may be on the disk, of which
the guest was not told any more.
"""
import os, sys
from array import array

BLOCK = 512


def numbers(paths):
    said = b"".join(open(path, "rb").read() for path in paths)
    taken = array("I")
    taken.frombytes(said[: len(said) // 4 * 4])
    return list(taken)


def holds(file, number):
    content = os.pread(file, BLOCK, number * BLOCK)
    return content == number.to_bytes(4, "little") * (BLOCK // 4)


image, *lists = sys.argv[1:]
if not all(map(os.path.getsize, lists)):
    sys.exit("a QEMU in which nothing was written")
told = numbers(lists)
print(f"{len(told)} writes, of which {os.path.getsize(lists[0]) // 4} in the first QEMU")
if told != list(range(1, len(told) + 1)):
    sys.exit(f"not 1 to {len(told)}: {[(at, number) for at, number in enumerate(told, 1) if at != number][:5]}")
file = os.open(image, os.O_RDONLY)
lost = [number for number in told if not holds(file, number)]
if lost:
    sys.exit(f"{len(lost)} lost: {lost[:5]}")
after = [number for number in range(len(told) + 2, len(told) + 1002) if holds(file, number)]
if after:
    sys.exit(f"written after the end: {after[:5]}")

#!/usr/bin/python3
"""guest.py IMAGE TAKEN...: IMAGE holds all that the guest of guest.S was told is written, and no more.

Each TAKEN is what it said in one QEMU, in the order of the hand-overs: together 1, 2, 3 without a gap. One write
more may be on the disk, of which the guest was not told any more.
"""
import os, sys
from array import array

BLOCK = 512


def numbers(path):
    taken = array("I")
    with open(path, "rb") as file:
        taken.frombytes(file.read())
    return list(taken)


def holds(file, number):
    content = os.pread(file, BLOCK, number * BLOCK)
    return content == number.to_bytes(4, "little") * (BLOCK // 4)


image, lists = sys.argv[1], [numbers(path) for path in sys.argv[2:]]
told = sum(lists, [])
print("writes:", *map(len, lists))
if not all(lists) or told != list(range(1, len(told) + 1)):
    sys.exit(f"not 1 to {len(told)}: {[(at, number) for at, number in enumerate(told, 1) if at != number][:5]}")
file = os.open(image, os.O_RDONLY)
lost = [number for number in told if not holds(file, number)]
if lost:
    sys.exit(f"{len(lost)} lost: {lost[:5]}")
after = [number for number in range(len(told) + 2, len(told) + 1002) if holds(file, number)]
if after:
    sys.exit(f"written after the end: {after[:5]}")

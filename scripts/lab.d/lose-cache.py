#!/usr/bin/python3
"""lose-cache.py DIRECTORY DEVICE: the file system there loses what it has not put on DEVICE, and writes no more.

As with a loss of power. A container that is killed leaves its page cache to the kernel, which writes it out. Where
another file system is at DIRECTORY than that of DEVICE, nothing happens.
"""
import fcntl
import os
import struct
import sys

# EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), with EXT4_GOING_FLAGS_NOLOGFLUSH.
SHUTDOWN, WITHOUT_THE_JOURNAL = 0x8004587D, struct.pack("I", 2)

place, device = sys.argv[1:]
directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
if os.fstat(directory).st_dev != os.stat(device).st_rdev:
    sys.exit(f"{place} is not on {device}")
fcntl.ioctl(directory, SHUTDOWN, WITHOUT_THE_JOURNAL)

#!/usr/bin/python3
"""heartbeat.py DEVICE SLOT NAME SECONDS DIRECTORY: a quorum disk as qdiskd had it.

A slot is one block. Every second this node writes its own, past every cache, and reads all of them. A slot
whose block has not changed for SECONDS is that of a dead node, and whoever finds it so may take it.
In DIRECTORY: "seen" (a line for each slot in use: SLOT NAME alive|dead), "beats" (how many it has done), and
"wrong" (verdicts of death, blocks that nobody wrote, failures of the disk). Ends with 3 if SLOT is taken.
"""
import mmap, os, sys, time, zlib

BLOCK, SLOTS = 512, 8
device, slot, name, limit, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5]
disk = os.open(device, os.O_RDWR | os.O_DIRECT)
memory = mmap.mmap(-1, BLOCK * SLOTS)  # direct I/O wants whole pages


def publish(file, text):
    with open(f"{directory}/{file}.new", "w") as out:
        out.write(text)
    os.rename(f"{directory}/{file}.new", f"{directory}/{file}")


def wrong(text):
    with open(f"{directory}/wrong", "a") as out:
        out.write(text + "\n")


def write_own(beat):
    text = f"{slot} {name} {beat}".encode()
    memory[:BLOCK] = (text + b" %d" % zlib.crc32(text)).ljust(BLOCK, b"\0")
    os.pwritev(disk, [memoryview(memory)[:BLOCK]], BLOCK * slot)


def read_all():
    os.preadv(disk, [memory], 0)
    return [memory[BLOCK * number:BLOCK * (number + 1)].rstrip(b"\0") for number in range(SLOTS)]


def owner(number, block):
    """The name in it; "nobody" if it is torn, or another slot's."""
    text, _, checksum = block.rpartition(b" ")
    if checksum == b"%d" % zlib.crc32(text) and text.startswith(b"%d " % number):
        return text.split()[1].decode()
    wrong(f"slot {number} holds {block!r}")
    return "nobody"


def is_free():
    """Nobody has ever written there, or nobody does any more."""
    found, end = read_all()[slot], time.monotonic() + limit
    while found and time.monotonic() < end:
        time.sleep(0.5)
        if read_all()[slot] != found:
            return False
    return True


class Watch:
    def __init__(self):
        self.blocks, self.changed, self.dead = [b""] * SLOTS, [0.0] * SLOTS, set()

    def look(self, blocks):
        now = time.monotonic()
        for number, block in enumerate(blocks):
            if block != self.blocks[number]:
                self.blocks[number], self.changed[number] = block, now
                self.dead.discard(number)
            elif block and number not in self.dead and now - self.changed[number] >= limit:
                self.dead.add(number)
                wrong(f"slot {number} is dead")

    def seen(self):
        used = [(number, block) for number, block in enumerate(self.blocks) if block]
        return "".join(f"{number} {owner(number, block)} {'dead' if number in self.dead else 'alive'}\n"
                       for number, block in used)


os.makedirs(directory, exist_ok=True)
if not is_free():
    sys.exit(3)
open(f"{directory}/wrong", "w").close()
watch, beat = Watch(), 0
while True:
    beat, start = beat + 1, time.monotonic()
    try:
        write_own(beat)
        watch.look(read_all())
        publish("seen", watch.seen())
        publish("beats", f"{beat}\n")
    except OSError as error:
        wrong(f"beat {beat}: {error}")
    time.sleep(max(0.0, start + 1 - time.monotonic()))

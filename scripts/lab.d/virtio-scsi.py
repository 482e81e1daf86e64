#!/usr/bin/python3
"""virtio-scsi.py SOCKET CDB [DATA-OUT | -LENGTH]: a command from inside a machine of QEMU's that has no guest.

CDB and DATA-OUT are hexadecimal; LENGTH bytes are read. The machine is told by the protocol qtest, on SOCKET: what a
driver of a transitional virtio-scsi adapter does (VIRTIO 1.1, 4.1 and 5.6), which is in slot 4 and has the disk as
target 0. Prints the status, with sense key, ASC and ASCQ if it comes with sense data, and the data.
"""
import socket, struct, sys, time

PORTS, RING, HEADER, DATA, RESPONSE = 0xC000, 0x100000, 0x200000, 0x201000, 0x202000
REQUEST_QUEUE = 2
NEXT, WRITE = 1, 2  # descriptor flags: there is another, and the device writes it


class Machine:
    def __init__(self, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(path)
        self.lines = connection.makefile("rw")

    def tell(self, *words):
        self.lines.write(" ".join(str(word) for word in words) + "\n")
        self.lines.flush()
        for line in self.lines:
            word, *rest = line.split()
            if word == "OK":
                return rest[0] if rest else None
            if word != "IRQ":
                break
        sys.exit(f"qtest: {words} is refused")

    def write(self, address, data):
        self.tell("write", address, len(data), "0x" + data.hex())

    def read(self, address, length):
        return bytes.fromhex(self.tell("read", address, length)[2:])

    def configure(self, register, value):
        """Of slot 4 on the bus PCI."""
        self.tell("outl", 0xCF8, 0x80002000 | register)
        self.tell("outl", 0xCFC, value)


def align(address):
    return (address + 4095) & ~4095


def begin(machine):
    """The adapter at PORTS, bus master, with its request queue in RING: how many descriptors that has."""
    machine.configure(0x10, PORTS)
    machine.configure(0x04, 0x5)
    for status in 0, 1, 3:  # reset, ACKNOWLEDGE, DRIVER
        machine.tell("outb", PORTS + 18, status)
    machine.tell("outl", PORTS + 4, 0)  # no features
    machine.tell("outw", PORTS + 14, REQUEST_QUEUE)
    size = int(machine.tell("inw", PORTS + 12), 16)
    machine.write(RING, bytes(align(16 * size + 6 + 2 * size) + 6 + 8 * size))
    machine.tell("outl", PORTS + 8, RING >> 12)
    machine.tell("outb", PORTS + 18, 7)  # DRIVER_OK
    return size


def command(machine, size, number, cdb, out, length):
    """Its status, sense data and data."""
    header = struct.pack("<8sQBBB32s", bytes([1, 0, 0x40]), number, 0, 0, 0, cdb)
    buffers = [(HEADER, len(header), 0)] + ([(DATA, len(out), 0)] if out else [])
    buffers += [(RESPONSE, 108, WRITE)] + ([(DATA, length, WRITE)] if length else [])
    machine.write(HEADER, header)
    machine.write(DATA, out or bytes(length or 1))
    for at, (address, count, flags) in enumerate(buffers):
        flags |= NEXT if at + 1 < len(buffers) else 0
        machine.write(RING + 16 * at, struct.pack("<QIHH", address, count, flags, at + 1))
    machine.write(RING + 16 * size, struct.pack("<HH", 0, number))  # the chain begins with descriptor 0
    used = RING + align(16 * size + 6 + 2 * size)
    machine.tell("outw", PORTS + 16, REQUEST_QUEUE)
    for _ in range(300):
        if struct.unpack("<HH", machine.read(used, 4))[1] == number:
            break
        time.sleep(0.1)
    else:
        sys.exit("no answer in 30 s")
    sense_length, _, _, status, response = struct.unpack("<IIHBB", machine.read(RESPONSE, 12))
    if response:
        sys.exit(f"virtio-scsi: response {response}")
    return status, machine.read(RESPONSE + 12, sense_length) if sense_length else b"", machine.read(DATA, length or 1)


path, cdb, data = (*sys.argv[1:], "")[:3]
out, length = (b"", int(data[1:])) if data.startswith("-") else (bytes.fromhex(data), 0)
machine = Machine(path)
size = begin(machine)
for number in range(1, 6):  # what has been reset reports it, with its first commands
    status, sense, answer = command(machine, size, number, bytes.fromhex(cdb), out, length)
    if status != 2 or len(sense) < 14 or sense[2] & 15 != 6:
        break
print(f"status {status:02x}", f"sense {sense[2] & 15:x} {sense[12]:02x}{sense[13]:02x}" if len(sense) > 13 else "")
if length:
    print(answer.hex())

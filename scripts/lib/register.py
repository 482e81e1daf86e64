"""register.py PORT TARGET LUN KEY: an initiator registers KEY and reserves the unit (PERSISTENT
RESERVE OUT, write exclusive for registrants), then hangs up: what it registered stays."""

import socket
import struct
import sys

INITIATOR = "iqn.2026-11.com.example:registrant"
LOGIN, COMMAND, RESPONSE = 0x43, 0x01, 0x21


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            sys.exit("the target has hung up")
        data += part
    return data


def receive(connection):
    head = exactly(connection, 48)
    length = int.from_bytes(head[5:8], "big")
    exactly(connection, (length + 3) // 4 * 4)
    return head


def log_in(connection, target):
    keys = {"InitiatorName": INITIATOR, "TargetName": target, "SessionType": "Normal",
            "ImmediateData": "Yes", "InitialR2T": "No"}
    data = b"".join(f"{key}={value}\0".encode() for key, value in keys.items())
    # From the operational stage to the full feature phase, in one step.
    head = struct.pack(">BBBB", LOGIN, 0x87, 0, 0) + bytes(1) + len(data).to_bytes(3, "big")
    head += bytes.fromhex("800000000001") + bytes(2) + struct.pack(">IHHII", 1, 0, 0, 1, 0)
    connection.sendall(head + bytes(16) + data + bytes(-len(data) % 4))
    answer = receive(connection)
    if answer[36:38] != bytes(2):
        sys.exit(f"login refused: status {answer[36:38].hex()}")


def reserve_out(connection, lun, number, action, kind, key, new_key):
    parameters = struct.pack(">QQ", key, new_key) + bytes(8)
    descriptor = bytes([0x5F, action, kind, 0, 0]) + struct.pack(">I", len(parameters)) + bytes(7)
    head = struct.pack(">BBBB", COMMAND, 0xA1, 0, 0) + bytes(1) + len(parameters).to_bytes(3, "big")
    head += bytes([0, lun]) + bytes(6) + struct.pack(">IIII", number, len(parameters), number, 0)
    connection.sendall(head + descriptor + parameters)
    while True:
        answer = receive(connection)
        if answer[0] & 0x3F == RESPONSE:
            return answer[3]


def main():
    port, target, lun, key = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4], 0)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        log_in(connection, target)
        number = 1
        for action, kind, old, new in [(0, 0, 0, key), (1, 5, key, 0)]:
            # Unit attentions come first.
            for _ in range(8):
                status = reserve_out(connection, lun, number, action, kind, old, new)
                number += 1
                if status != 2:
                    break
            if status:
                sys.exit(f"PERSISTENT RESERVE OUT {action}: status {status}")


main()

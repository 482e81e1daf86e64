#!/usr/bin/python3
"""qmp.py SOCKET COMMAND [ARGUMENTS]: a QEMU is told COMMAND, with ARGUMENTS in JSON, by QMP.

Prints what it returns, in JSON (text as it is), and fails with its words if it refuses. 30 s at most.
"""
import json, socket, sys


def answer(lines):
    """The next message that is no event."""
    for line in lines:
        message = json.loads(line)
        if "event" not in message:
            return message
    sys.exit("QEMU has gone")


def tell(lines, command, arguments):
    lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    lines.flush()
    message = answer(lines)
    if "error" in message:
        sys.exit(message["error"]["desc"])
    return message["return"]


path, command, arguments = (*sys.argv[1:], "{}")[:3]
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(30)
    connection.connect(path)
    with connection.makefile("rw") as lines:
        answer(lines)  # the greeting
        tell(lines, "qmp_capabilities", {})
        returned = tell(lines, command, json.loads(arguments))
print(returned if isinstance(returned, str) else json.dumps(returned, indent=1))

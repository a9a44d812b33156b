# Makes a fresh mongod a one-node replica set and waits for its primary: rs_initiate.py PORT PID
# Speaks OP_MSG over a plain socket, with the standard library only.
import os
import socket
import struct
import sys
import time


def bson(document):
    """Encodes str, bool, int and dict values: all that the two commands need."""
    body = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, dict):
            body += b"\x03" + name + bson(value)
        elif isinstance(value, list):
            body += b"\x04" + name + bson({str(i): v for i, v in enumerate(value)})
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + name + struct.pack("<i", len(text)) + text
        else:
            body += b"\x10" + name + struct.pack("<i", value)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def receive(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise OSError("the server closed the connection")
        data += part
    return data


def run(sock, command):
    """Sends one command to `admin` and gives the raw reply document."""
    body = struct.pack("<iB", 0, 0) + bson({**command, "$db": "admin"})
    sock.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
    (size,) = struct.unpack("<i", receive(sock, 4))
    return receive(sock, size - 4)[17:]


def initiate(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        member = {"_id": 0, "host": f"127.0.0.1:{port}"}
        run(sock, {"replSetInitiate": {"_id": "rs0", "members": [member]}})
        while b"\x08isWritablePrimary\0\x01" not in run(sock, {"hello": 1}):
            time.sleep(0.02)


def main():
    port, pid = int(sys.argv[1]), int(sys.argv[2])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)  # gone: the port was taken, or mongod cannot run here
            initiate(port)
            return 0
        except ProcessLookupError:
            return 1
        except OSError:
            time.sleep(0.05)
    return 1


sys.exit(main())

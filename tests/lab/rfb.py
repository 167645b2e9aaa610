"""As much of RFB (RFC 6143, and the community's extension for desktop sizes) as plugs a monitor into one
output of an emulated graphics card: QEMU hands a client's wish for a size to the card as its monitor's
mode, and 0 x 0 as no monitor at all."""
import socket
import struct

EXTENDED_DESKTOP_SIZE = -308
SECONDS = 20


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(path)
        self.take(12)
        self.socket.sendall(b"RFB 003.008\n")
        self.take(self.take(1)[0])
        self.socket.sendall(b"\1")      # security: none
        self.take(4)
        self.socket.sendall(b"\1")      # shared
        name = struct.unpack(">20xI", self.take(24))[0]
        self.take(name)

    def take(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise OSError("the RFB server hung up")
            data += part
        return data

    def answer(self):
        """(reason, status) of the next ExtendedDesktopSize; no pixels were asked for, so none come."""
        while True:
            kind = self.take(1)[0]
            if kind != 0:
                raise OSError("RFB message %d" % kind)
            for _ in range(struct.unpack(">xH", self.take(3))[0]):
                x, y, _, _, encoding = struct.unpack(">HHHHi", self.take(12))
                if encoding == EXTENDED_DESKTOP_SIZE:
                    self.take(3 + 16 * self.take(1)[0])
                    return x, y

    def close(self):
        self.socket.close()


def set_desktop_size(path, width, height):
    """Returns when QEMU has told the card."""
    connection = Connection(path)
    try:
        connection.socket.sendall(struct.pack(">BxHi", 2, 1, EXTENDED_DESKTOP_SIZE))
        connection.socket.sendall(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1,
                                              0, 0, 0, width, height, 0))
        reason = 0
        while reason != 1:  # the client's own wish; others come before it
            reason, _ = connection.answer()
    finally:
        connection.close()

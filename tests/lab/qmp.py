"""QEMU's machine protocol, as much of it as the lab needs: one command, one answer."""
import json
import socket


class QmpError(Exception):
    pass


class Qmp:
    def __init__(self, path, seconds=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise QmpError("%s: QEMU is gone" % name)
            answer = json.loads(line)
            if "error" in answer:
                raise QmpError("%s: %s" % (name, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]

    def close(self):
        self.file.close()
        self.socket.close()

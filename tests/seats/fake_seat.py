#!/usr/bin/env python3
"""irori-seat's stand-in: speaks seats/wire.h, shows nothing.

usage: fake_seat.py --socket PATH NAME

What it is told goes as lines of JSON into PATH.log. A datagram to PATH.ctl, JSON as well, is what it does:
{"verb": N, "argument": TEXT, "pin": TEXT} asks, {"want": GUEST, "kind": N} wants a link, {"state": {...}} says how it is, {"raw": HEX} sends just that,
{"raw": HEX, "link": N} sends it over the link that it was given as the N'th (from 0), {"deaf": true} reads no more. It keeps its
links: what comes over one is {"op": "heard", "link": N, "opcode": M}, {"op": "cut", "link": N} its end.
"""
import array
import json
import os
import select
import socket
import struct
import sys
import time

from peer import peer

NAME, PATH, TEXT, PIN = 64, 108, 192, 32
HELLO, LEASE, UNLEASE, HOTPLUG, INPUT_ADD, INPUT_REMOVE, SOUND, GUEST, GUEST_GONE, SHOW, LOCK, TIME, NOTICE, \
    IDENTIFY, READY, ANSWER, SETTINGS, LINK = range(1, 19)
WELCOME, REQUEST, STATE, WANT_LINK = 0x8001, 0x8002, 0x8003, 0x8004
BODIES = {
    HELLO: ("II64s", "version number seat"),
    LEASE: ("108s", "card"),
    UNLEASE: ("", ""),
    HOTPLUG: ("", ""),
    INPUT_ADD: ("II108s64s", "id kind path name"),
    INPUT_REMOVE: ("I", "id"),
    SOUND: ("108s108s108sII", "server sink source volume reserved"),
    GUEST: ("II64s64s64s", "id state name title person"),
    GUEST_GONE: ("I", "id"),
    SHOW: ("I", "id"),
    LOCK: ("I", "locked"),
    TIME: ("qII64s", "left_us frozen reserved person"),
    NOTICE: ("II192s", "kind seconds text"),
    IDENTIFY: ("II192s", "on seconds text"),
    READY: ("", ""),
    ANSWER: ("Ii192s", "cookie result text"),
    LINK: ("II", "guest kind"),
    SETTINGS: ("IIIHH", "number width height key0 key1"),
}
OPCODES = {value: name.lower() for name, value in list(globals().items())
           if isinstance(value, int) and value in BODIES and name not in ("NAME", "PATH", "TEXT", "PIN")}
STATE_FIELDS = "guest flags width height outputs volume input_ns frames flips came skipped gap_ns".split()


def text(raw):
    return raw.split(b"\0", 1)[0].decode()


def decode(packet):
    opcode, size = struct.unpack_from("=HH", packet)
    layout, names = BODIES[opcode]
    values = struct.unpack("=" + layout, packet[4:4 + size])
    said = {"op": OPCODES[opcode]}
    for name, value in zip(names.split(), values):
        said[name] = text(value) if isinstance(value, bytes) else value
    return said


def peer_of(fd):
    """Who is at the other end."""
    with socket.socket(fileno=os.dup(fd)) as link:
        return peer(link)


class Seat:
    def __init__(self, path, name):
        for suffix in ("", ".ctl"):
            if os.path.exists(path + suffix):
                os.unlink(path + suffix)
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.control.bind(path + ".ctl")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen(4)
        self.log = open(path + ".log", "a", buffering=1)
        self.peer = None
        self.links = []
        self.deaf = False
        self.seated = 0
        self.cookie = 0
        self.state = dict.fromkeys(STATE_FIELDS, 0)
        with open("/proc/self/stat") as stat:
            born = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
        self.write({"op": "start", "pid": os.getpid(), "born": born})

    def write(self, said):
        said["t"] = time.monotonic()
        self.log.write(json.dumps(said) + "\n")

    def send(self, opcode, body):
        if self.peer:
            self.peer.send(struct.pack("=HH", opcode, len(body)) + body)

    def send_state(self):
        self.send(STATE, struct.pack("=6Iq4Qq", *(self.state[f] for f in STATE_FIELDS)))

    def told(self):
        try:
            packet, ancillary, _, _ = self.peer.recvmsg(1024, socket.CMSG_SPACE(16))
        except OSError:
            packet, ancillary = b"", []
        if not packet:
            self.peer = None
            self.write({"op": "lost"})
            return
        said = decode(packet)
        for _, _, data in ancillary:
            fds = array.array("i", data[:len(data) // 4 * 4])
            said["fds"] = [os.readlink("/proc/self/fd/%d" % fd) for fd in fds]
            if said["op"] == "link":
                said["peer"] = peer_of(fds[0])
                self.links.append(socket.socket(fileno=os.dup(fds[0])))
            for fd in fds:
                os.close(fd)
        self.write(said)
        if said["op"] == "hello":
            self.send(WELCOME, struct.pack("=IiII", 4, os.getpid(), self.seated, 0))
        elif said["op"] == "show":
            self.state["guest"] = said["id"]
        elif said["op"] == "lock":
            self.state["flags"] = said["locked"]
        elif said["op"] == "ready":
            self.seated = 1
            self.send_state()

    def heard(self, number):
        try:
            packet = self.links[number].recv(1 << 16)
        except OSError:
            packet = b""
        if packet:
            self.write({"op": "heard", "link": number, "opcode": struct.unpack_from("=H", packet)[0]})
        else:
            self.links[number].close()
            self.write({"op": "cut", "link": number})

    def do(self):
        order = json.loads(self.control.recv(4096))
        if "link" in order:
            self.links[order["link"]].send(bytes.fromhex(order["raw"]))
        elif "raw" in order:
            self.peer.send(bytes.fromhex(order["raw"]))
        elif "state" in order:
            self.state.update(order["state"])
            self.send_state()
        elif "deaf" in order:
            self.deaf = True
        elif "want" in order:
            self.send(WANT_LINK, struct.pack("=II", order["want"], order["kind"]))
        else:
            self.cookie += 1
            self.send(REQUEST, struct.pack("=II64s32s", self.cookie, order["verb"],
                                           order.get("argument", "").encode(),
                                           order.get("pin", "").encode()))

    def run(self):
        while True:
            watch = [self.control] if self.deaf else [self.control, self.listener] + \
                ([self.peer] if self.peer else [])
            links = [] if self.deaf else [link for link in self.links if link.fileno() >= 0]
            ready, _, _ = select.select(watch + links, [], [])
            for link in ready:
                if link in links:
                    self.heard(self.links.index(link))
            if self.control in ready:
                self.do()
            if self.listener in ready:
                self.peer = self.listener.accept()[0]  # a later one replaces the one before
            elif self.peer in ready:
                self.told()


def main():
    if len(sys.argv) != 4 or sys.argv[1] != "--socket":
        sys.exit(__doc__)
    Seat(sys.argv[2], sys.argv[3]).run()


if __name__ == "__main__":
    main()

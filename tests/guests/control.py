#!/usr/bin/env python3
"""Asks things of a running guest over its seat link, as `irori` does, and looks at what it does.

usage: control.py VMM GUEST revive|pause|lent|midway
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HELLO, REQUEST, STAT = 1, 7, 8
GUEST, REPLY, STAT_REPLY = 0x800a, 0x800b, 0x800c
WANT_DISPLAY, WANT_CONTROL = 1 << 0, 1 << 6
RESET, POWEROFF, PAUSE, RESUME, CLASS = 1, 2, 3, 4, 5
FAIR, IDLE = 2, 3
RUNNING, RESETTING, PAUSED, OFF, CRASHED = range(5)
PATIENCE = 20


class Guest:
    def __init__(self, vmm, kernel, folder):
        path = os.path.join(folder, "guest.conf")
        self.socket_path = os.path.join(folder, "socket")
        with open(path, "w") as file:
            file.write("[Guest]\nName=test\nMemory=16M\nVcpus=2\nKernel=%s\nSocket=%s\n" % (
                os.path.abspath(kernel), self.socket_path))
        self.process = subprocess.Popen(
            [vmm, path], stdout=subprocess.PIPE,
            # Whoever starts it may have signals blocked, those of processors' threads too.
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)))
        self.lines = 0
        threading.Thread(target=self.count, daemon=True).start()
        self.watchdog = threading.Timer(2 * PATIENCE, self.process.kill)
        self.watchdog.start()
        self.wait_lines(1)
        self.link = self.connect()

    def count(self):
        for _ in self.process.stdout:
            self.lines += 1

    def connect(self, wants=WANT_CONTROL):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.settimeout(PATIENCE)
        link.connect(self.socket_path)
        self.send(HELLO, struct.pack("=II64s", 2, wants, b"control.py"), link)
        return link

    def send(self, opcode, body, link=None):
        (link or self.link).send(struct.pack("=HH", opcode, len(body)) + body)

    def ask(self, verb, argument=0, link=None):
        self.send(REQUEST, struct.pack("=III", verb, argument, 7), link)

    def wait_message(self, wanted, link=None):
        """The body of the next message of that kind."""
        while True:
            message = (link or self.link).recv(70000)
            if not message:
                raise RuntimeError("the guest hung up while %#x was expected" % wanted)
            if struct.unpack_from("=H", message)[0] == wanted:
                return message[4:]

    def wait_state(self, state):
        """Until LINK_GUEST says so; since when, in ns."""
        while True:
            now, _, since = struct.unpack("=IIq", self.wait_message(GUEST))
            if now == state:
                return since

    def share_class(self):
        self.send(STAT, b"")
        return struct.unpack_from("=I", self.wait_message(STAT_REPLY), 64 + 2 * 4)[0]

    def wait_lines(self, lines):
        end = time.monotonic() + PATIENCE
        while self.lines < lines:
            if time.monotonic() > end:
                raise RuntimeError("%d lines on COM1, %d expected" % (self.lines, lines))
            time.sleep(0.005)

    def end(self):
        self.ask(POWEROFF)
        status = self.process.wait(PATIENCE)
        self.watchdog.cancel()
        if status != 0:
            raise RuntimeError("exit status %d after power-off" % status)
        if os.path.exists(self.socket_path):
            raise RuntimeError("its socket is still there")


def revive(guest):
    """A crashed guest stays, and a reset brings it back, as often as one likes."""
    for lines in range(2, 6):
        guest.ask(RESET)
        guest.wait_state(CRASHED)
        guest.wait_lines(lines)
    time.sleep(0.1)
    if guest.process.poll() is not None:
        raise RuntimeError("the VMM ended with its guest")


def pause(guest):
    """Paused, it does nothing; resumed, it goes on; reset while paused, it runs."""
    for verb in RESUME, RESET:
        guest.ask(PAUSE)
        guest.wait_state(PAUSED)
        time.sleep(0.05)  # what is on its way through the pipe
        before = guest.lines
        time.sleep(0.3)
        if guest.lines != before:
            raise RuntimeError("%d lines while paused" % (guest.lines - before))
        guest.ask(verb)
        guest.wait_lines(before + 3)


def lent(guest):
    """A class lasts as long as the seat that asked for it is there."""
    supervisor = guest.connect()
    guest.ask(CLASS, IDLE, supervisor)
    guest.wait_message(REPLY, supervisor)
    if guest.share_class() != IDLE:
        raise RuntimeError("the class was not taken")
    supervisor.close()
    end = time.monotonic() + PATIENCE
    while guest.share_class() != FAIR:
        if time.monotonic() > end:
            raise RuntimeError("the class stays after the supervisor has gone")
        time.sleep(0.005)


def watch(link):
    """A seat that looks at all the pictures, so that showing one takes its time."""
    while link.recv(70000):
        pass


def midway(guest):
    """The old guest's last pictures are not the new one's first: that one is long in coming."""
    threading.Thread(target=watch, args=[guest.connect(WANT_DISPLAY)], daemon=True).start()
    for lines in range(1, 13):
        guest.wait_lines(lines)
        guest.ask(RESET)
        begin = guest.wait_state(RESETTING)
        took = (guest.wait_state(RUNNING) - begin) / 1e6
        if took < 50:
            raise RuntimeError("a picture %.3f ms after reset %d" % (took, lines))


def main():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm is not there, or not for this user")
        return 77
    vmm, kernel, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="irori-guest-") as folder:
        guest = Guest(vmm, kernel, folder)
        try:
            {"revive": revive, "pause": pause, "lent": lent, "midway": midway}[scenario](guest)
            guest.end()
        finally:
            if guest.process.poll() is None:
                guest.process.kill()
            guest.watchdog.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(main())

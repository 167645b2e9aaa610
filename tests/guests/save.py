#!/usr/bin/env python3
"""Saves a running guest with `irori save`, lets it go on with `irori restore`, and looks whether it
does so where it was; then what is said of files that are no saved guests.

usage: save.py VMM IRORI GUEST HEARTH INITRD
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 30


class Guest:
    """One irori-vmm; `lines` are the numbers it has printed."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.watchdog = threading.Timer(2 * PATIENCE, self.process.kill)
        self.watchdog.start()

    def read(self):
        for line in self.process.stdout:
            number = re.fullmatch(rb"line ([0-9a-f]+)", line.strip())
            self.lines.append(int(number[1], 16) if number else line.decode())

    def wait(self, condition, otherwise):
        """`otherwise`: what is said if it does not come to be so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit("%s, only %r" % (otherwise, self.lines))
            time.sleep(0.01)

    def wait_lines(self, n):
        self.wait(lambda: len(self.lines) >= n, "%d lines did not come" % n)

    def wait_text(self, text):
        self.wait(lambda: any(text in str(line) for line in self.lines), "%r did not come" % text)

    def end(self):
        status = self.process.wait(PATIENCE)
        self.reader.join()
        self.watchdog.cancel()
        return status


def irori(program, *args):
    return subprocess.run([program, *args], capture_output=True, text=True, timeout=PATIENCE)


def expect(true, what):
    if not true:
        sys.exit("FAILED: " + what)


def cycle(vmm, program, config, socket, saved):
    """Saves and restores three times; the numbers go on without a gap."""
    guest = Guest(vmm, config)
    seen = []
    for _ in range(3):
        guest.wait_lines(5)
        done = irori(program, "save", socket, saved)
        expect(done.returncode == 0, "irori save: %s" % done.stderr)
        expect(guest.end() == 0, "the guest that was saved ends with 0")
        seen += guest.lines
        guest = Guest(vmm, "--restore", saved)
        guest.wait_lines(5)
        expect(not os.path.exists(saved), "a saved guest that runs is no longer in the file")
    expect(irori(program, "poweroff", "--force", socket).returncode == 0, "irori poweroff")
    guest.end()
    seen += guest.lines
    print("lines: %s" % seen)
    expect(seen == list(range(1, len(seen) + 1)), "the guest goes on where it was")


def cannot_save(vmm, program, config, socket, folder):
    """Where the file cannot be written the guest goes on."""
    guest = Guest(vmm, config)
    guest.wait_lines(2)
    there = os.path.join(folder, "there")
    open(there, "w").close()
    expect(irori(program, "save", socket, there).returncode == 73, "a file is not overwritten")
    if os.path.exists("/dev/full"):
        os.symlink("/dev/full", os.path.join(folder, "full.part"))
        expect(irori(program, "save", socket, os.path.join(folder, "full")).returncode == 73,
               "a link is not followed")
    n = len(guest.lines)
    guest.wait_lines(n + 3)
    irori(program, "poweroff", "--force", socket)
    expect(guest.end() == 0 and guest.lines == list(range(1, len(guest.lines) + 1)),
           "a guest that could not be saved goes on")


def hostile(vmm, program, config, socket, saved):
    """Files that are none, cut off or changed: one message, nothing runs."""
    guest = Guest(vmm, config)
    guest.wait_lines(2)
    expect(irori(program, "save", socket, saved).returncode == 0, "irori save")
    guest.end()
    with open(saved, "rb") as file:
        good = file.read()
    files = {"empty": b"", "text": b"hello\n" * 100, "short": good[:4000],
             "long": good + bytes(4096), "no memory": good[:len(good) // 2],
             "state": good.replace(b"[processor 0]", b"[processor 7]", 1),
             "magic": b"IRORIERRfull disk" + good[17:]}
    for name, bad in files.items():
        with open(saved, "wb") as file:
            file.write(bad)
        done = subprocess.run([vmm, "--restore", saved], capture_output=True, text=True,
                              timeout=PATIENCE)
        print("%s: %d %s" % (name, done.returncode, done.stderr.strip()))
        expect(done.returncode == 65 and saved in done.stderr and not done.stdout, name)
        expect(os.path.exists(saved), "%s: the file stays" % name)


def desktop(vmm, program, hearth, initrd, folder):
    """A screen, a console and two busy processors, saved in the middle of a boot."""
    config, socket = os.path.join(folder, "desk.conf"), os.path.join(folder, "desk")
    saved = os.path.join(folder, "saved desk")
    with open(config, "w") as file:
        file.write("[Guest]\nName=desk\nMemory=256M\nVcpus=2\nKernel=%s\nInitrd=%s\nSocket=%s\n"
                   "CommandLine=init=/desktop cpus=2\n[Console]\nOutput=stdout\n"
                   % (os.path.abspath(hearth), os.path.abspath(initrd), socket))
    guest = Guest(vmm, config)
    guest.wait_text("first frame")
    done = irori(program, "save", socket, saved)
    expect(done.returncode == 0, "irori save: %s" % done.stderr)
    guest.end()
    expect(not any("booted" in line for line in guest.lines), "saved before it had booted")
    guest = Guest(vmm, "--restore", saved)
    guest.wait(lambda: os.path.exists(socket), "no socket")  # it reads the file first
    picture = os.path.join(folder, "picture.png")
    shot = irori(program, "screenshot", socket, "-o", picture)
    expect(shot.returncode == 0 and os.path.getsize(picture) > 1000,
           "the screen is there at once: %s" % shot.stderr)
    guest.wait_text("booted")
    expect(any(", 0 of" in line for line in guest.lines), "nothing is damaged: %s" % guest.lines)
    irori(program, "poweroff", "--force", socket)
    guest.end()


def main():
    vmm, program, kernel, hearth, initrd = sys.argv[1:6]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm is not there, or not for this user")
        return 77
    with tempfile.TemporaryDirectory(prefix="irori-save-") as folder:
        config, socket = os.path.join(folder, "guest.conf"), os.path.join(folder, "socket")
        with open(config, "w") as file:
            file.write("[Guest]\nName=test\nMemory=16M\nVcpus=2\nKernel=%s\nSocket=%s\n"
                       "[TestExit]\n" % (os.path.abspath(kernel), socket))
        saved = os.path.join(folder, "saved")
        cycle(vmm, program, config, socket, saved)
        cannot_save(vmm, program, config, socket, folder)
        hostile(vmm, program, config, socket, saved)
        desktop(vmm, program, hearth, initrd, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

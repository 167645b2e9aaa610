"""The lab's PC: QEMU emulates it, the appliance image boots on it, commands run in it.

A PC lives in a folder: console.log, qemu.log, state.json and share/, which is /lab inside it. Several
processes may use one PC at once: attach() finds it by its folder.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import appliance
import cache
import emulator
import image
from errors import LabError, patience
from qmp import Qmp

GRACE = 20           # for the answer to come, beyond a command's own limit
CONSOLE_LINES = 40

class Pc:
    """One PC. `folder`: where it lives; `build`: the project's build directory, to be installed."""

    def __init__(self, folder, build=None):
        self.folder = os.path.abspath(folder)
        self.share = os.path.join(self.folder, "share")
        self.build = os.path.abspath(build) if build else None
        self.pid = None
        self.sockets = None
        self.process = None
        self.installed = None

    # Starting and stopping

    def start(self, memory=emulator.MEMORY, devices=(), systems=(), fresh=False, kind=None):
        """Boots it and waits until it takes commands. `devices`: more arguments for QEMU. A PC of the
        usual kind goes on from where one was saved when it had booted, and so does one with devices
        that gives that `kind` of PC a name; fresh: not so. `systems`: names in guests.SYSTEMS, to be
        in its /guests."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.share)
        usual = memory == emulator.MEMORY and not fresh and (kind or not devices)
        booted = emulator.booted("-" + kind if kind else "", devices) if usual else None
        self.sockets = tempfile.mkdtemp(prefix="irori-lab-")
        if self.build:
            self.install_files()
        self.process = emulator.start(self.folder, self.sockets, memory, devices, systems,
                                      booted)
        self.pid = self.process.pid
        with open(self.path("state.json"), "w") as file:
            json.dump({"pid": self.pid, "sockets": self.sockets, "build": self.build}, file)
        try:
            self.take(booted)
        except BaseException:
            self.stop()
            raise
        return self

    def take(self, booted):
        """Waits until it takes commands, and installs the project."""
        if booted:
            self.wait_until(self.loaded, emulator.SAVE_SECONDS, "the saved PC to load")
            self.qmp("cont")
        else:
            self.wait_until(lambda: emulator.ready(self.folder), emulator.BOOT_SECONDS,
                            "the PC to boot")
        self.ring("go %d go\n" % time.time(), os.path.join(self.share, "cmd", "up"))
        if self.build:
            self.run("cp -a --remove-destination /lab/dest/. / && systemd-tmpfiles --create"
                     " irori-memory.conf", timeout=60, check=True)

    def loaded(self):
        return (os.path.exists(os.path.join(self.sockets, "qmp")) and
                self.qmp("query-status")["status"] != "inmigrate")

    @classmethod
    def attach(cls, folder):
        """The PC that runs in that folder already."""
        try:
            with open(os.path.join(folder, "state.json")) as file:
                state = json.load(file)
        except (OSError, ValueError):
            raise LabError("no PC in %s: ./dev lab shell starts one" % folder)
        pc = cls(folder, state["build"])
        pc.pid, pc.sockets = state["pid"], state["sockets"]
        if not pc.alive():
            raise LabError("the PC in %s has ended\n%s" % (folder, pc.console()))
        return pc

    def alive(self):
        if self.process:
            return self.process.poll() is None
        try:
            with open("/proc/%d/cmdline" % self.pid) as file:
                return self.sockets in file.read()
        except OSError:
            return False

    def stop(self):
        """Switches it off, hard: nothing in it is worth keeping but what is on the share."""
        if self.pid and self.alive():
            os.kill(self.pid, signal.SIGKILL)
        if self.process:
            self.process.wait()
        if self.sockets:
            shutil.rmtree(self.sockets, ignore_errors=True)
        for name in ("state.json", "hook.cpio.gz", "disk.qcow2"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))

    # Commands

    def run(self, command, timeout=60, check=False):
        """Runs a shell command in the PC as root: (exit status, output of both kinds). 124: it ran
        past its `timeout`, and is gone. check: a status other than 0 is a LabError."""
        timeout = int(patience(timeout))
        started = self.spawn(command, timeout)
        self.wait_for_file("cmd/%s.rc" % started, timeout + GRACE, "`%s` to end" % command)
        with open(os.path.join(self.share, "cmd", started + ".rc")) as file:
            status = int(file.read())
        output = self.output(started)
        if check and status:
            raise LabError("`%s` ended with %d in the PC:\n%s" % (command, status, output))
        return status, output

    def spawn(self, command, timeout=600):
        """The same without waiting; its id, for output() and done()."""
        ident = "%x" % time.time_ns()
        base = os.path.join(self.share, "cmd", ident)
        with open(base + ".sh", "w") as file:
            file.write(command + "\n")
        self.ring("run %s %d\n" % (ident, timeout), base + ".out")
        return ident

    def output(self, ident):
        with open(os.path.join(self.share, "cmd", ident + ".out"), errors="replace") as file:
            return file.read()

    def done(self, ident):
        """Its exit status, or None while it runs."""
        try:
            with open(os.path.join(self.share, "cmd", ident + ".rc")) as file:
                return int(file.read())
        except OSError:
            return None

    def ring(self, text, answer):
        path = os.path.join(self.sockets, "bell")
        self.wait_until(lambda: os.path.exists(path), GRACE, "QEMU to start")
        bell = socket.socket(socket.AF_UNIX)
        bell.settimeout(GRACE)
        try:
            bell.connect(path)
            bell.sendall(text.encode())
            self.wait_for_file(answer, GRACE, "the PC to take a command")
        except OSError as error:
            raise LabError("the PC's serial port: %s\n%s" % (error, self.console()))
        finally:
            bell.close()

    # Files

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def put(self, source, name=None):
        """Copies a file or folder of ours to the share; its path in the PC."""
        name = name or os.path.basename(source)
        target = os.path.join(self.share, name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
        return "/lab/" + name

    def write(self, name, content):
        """Writes a file of the share; its path in the PC."""
        with open(os.path.join(self.share, name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return "/lab/" + name

    def get(self, path):
        """A file of the PC, to the share; its path here. /lab/... is there already."""
        if not path.startswith("/lab/"):
            self.run("cp -r %s /lab/" % path, check=True)
            path = "/lab/" + os.path.basename(path)
        return os.path.join(self.share, path[len("/lab/"):])

    def read(self, path):
        """The text of a file of the PC; empty if it is not there."""
        if not path.startswith("/lab/"):
            return self.run("cat " + path)[1]
        try:
            with open(os.path.join(self.share, path[len("/lab/"):]), errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    # Its network

    def network(self):
        """Gives the PC an interface with a default route, as passt wants one; behind it is nobody. The
        address of servers in the PC as guests reach them."""
        self.run("ip link add lan type dummy && ip addr add 192.0.2.1/24 dev lan && ip link set lan up"
                 " && ip route add default via 192.0.2.254 && ip addr add 198.51.100.7/32 dev lo",
                 check=True)
        return "198.51.100.7"

    # The project's programs

    def install_files(self):
        """Installs the build into share/dest if it is newer than what is there. True: it did."""
        stamp = build_stamp(self.build)
        mark = os.path.join(self.share, "dest.stamp")
        if os.path.exists(mark) and open(mark).read() == stamp:
            return False
        dest = os.path.join(self.share, "dest")
        shutil.rmtree(dest, ignore_errors=True)
        try:
            appliance.project(self.build, dest)
        except subprocess.CalledProcessError as error:
            raise LabError(str(error))
        with open(mark, "w") as file:
            file.write(stamp)
        return True

    def refresh(self):
        """What was rebuilt since it started goes into the PC."""
        if self.build and self.install_files():
            self.run("cp -a --remove-destination /lab/dest/. /", check=True)

    # Waiting

    def wait_for_file(self, name, seconds, what):
        path = os.path.join(self.share, name)
        self.wait_until(lambda: os.path.exists(path), seconds, what)

    def wait_until(self, condition, seconds, what):
        """Until condition() is true; a LabError says what was waited for. A busy machine gets more
        time than that."""
        seconds = patience(seconds)
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.alive():
                raise LabError("the PC ended while waiting for %s\n%s" % (what, self.console()))
            if time.monotonic() > deadline:
                raise LabError("waited %d s for %s\n%s" % (seconds, what, self.console()))
            time.sleep(0.05)

    def console(self):
        """The last words of its console and of QEMU, for a message."""
        text = ""
        for name in ("console.log", "qemu.log"):
            try:
                with open(self.path(name), errors="replace") as file:
                    lines = file.read().splitlines()[-CONSOLE_LINES:]
            except OSError:
                continue
            text += "--- %s\n%s\n" % (self.path(name), "\n".join(lines))
        return text

    def qmp(self, name, **arguments):
        """One command for QEMU: the PC's own keys, screen, hot plug."""
        client = Qmp(os.path.join(self.sockets, "qmp"))
        try:
            return client(name, **arguments)
        finally:
            client.close()


def build_stamp(build):
    """What the installed programs of a build look like: names, sizes, times."""
    try:
        with open(os.path.join(build, "meson-info", "intro-installed.json")) as file:
            names = sorted(json.load(file))
    except OSError:
        raise LabError("%s is no build directory: ./dev build" % build)
    parts = []
    for name in names:
        if os.path.exists(name):
            status = os.stat(name)
            parts.append("%s %d %d" % (name, status.st_size, status.st_mtime_ns))
    return cache.content_hash(*parts)

"""A guest in the lab's PC: one irori-vmm process, its COM1, and the irori commands for it."""
import json
import os
import re
import time

import picture
from errors import LabError, patience

TAIL_SECONDS = 0.2  # how often COM1 is brought here


class Guest:
    """`config` is the text of its configuration without Name= (see irori-vmm --help). It is on
    after start(); /lab/NAME.com1 grows with what it writes to COM1, /lab/NAME.log with the monitor's log."""

    def __init__(self, pc, name, config):
        self.pc = pc
        self.name = name
        if "[Guest]" not in config:
            config = "[Guest]\n" + config
        self.config = config.replace("[Guest]\n", "[Guest]\nName=%s\n" % name, 1)
        self.seen = 0       # in COM1, by wait()
        self.ident = None

    def start(self, limit=900, wrapper="", saved=None):
        """Starts it, or goes on with what `irori save` wrote to the file `saved`. `limit`: seconds
        after which it is killed; `wrapper`: "strace -f" and the like."""
        path = self.pc.write(self.name + ".conf", self.config)
        if saved:
            path = "--restore " + saved
        for kind in ("com1", "log"):
            self.pc.write("%s.%s" % (self.name, kind), "")
        self.seen = 0
        # COM1 comes byte by byte: through a file in memory, because the share is slow for that.
        self.ident = self.pc.spawn(
            ": >/run/lab/{0}.com1; tail -s {3} -f /run/lab/{0}.com1 >>/lab/{0}.com1 & tail=$!\n"
            "{1} irori-vmm {2} >/run/lab/{0}.com1 2>>/lab/{0}.log & echo $! >/run/lab/{0}.pid\n"
            "wait $!; status=$?; sleep 0.5; kill $tail; exit $status".format(
                self.name, wrapper, path, TAIL_SECONDS), timeout=int(patience(limit)))
        return self

    # What it says

    def com1(self):
        return self.pc.read("/lab/%s.com1" % self.name)

    def log(self):
        return self.pc.read("/lab/%s.log" % self.name)

    def wait(self, text, timeout=60):
        """Until COM1 says what matches this regular expression, after what wait() found before; the
        match. A guest that ends or a monitor that dies ends the waiting."""
        pattern = re.compile(text, re.MULTILINE)
        timeout = patience(timeout)
        deadline = time.monotonic() + timeout
        while True:
            ended = self.status() is not None
            found = self.search(pattern)
            if found:
                self.seen = found.end()
                return found
            if ended:
                self.fail("it ended with status %s" % self.status(), text)
            if time.monotonic() > deadline:
                self.fail("%d s went by" % timeout, text)
            if not self.pc.alive():
                raise LabError("the PC ended\n" + self.pc.console())
            time.sleep(0.1)

    def search(self, pattern):
        """COM1 arrives in pieces: a match at the end of what there is may go on in the next one."""
        while True:
            heard = self.com1()
            found = pattern.search(heard, self.seen)
            if not found or found.end() < len(heard):
                return found
            time.sleep(2 * TAIL_SECONDS)
            if len(self.com1()) == len(heard):
                return found

    def fail(self, what, text):
        raise LabError("guest %s: %s while waiting for %r on COM1\n--- COM1\n%s\n--- log\n%s" % (
            self.name, what, text, tail(self.com1()), tail(self.log())))

    # What it is asked for

    def irori(self, verb, arguments="", timeout=30):
        """`irori VERB NAME ARGUMENTS` must succeed; its output."""
        return self.pc.run("irori %s %s %s" % (verb, self.name, arguments), timeout, check=True)[1]

    def screenshot(self, name=None):
        """Its screen as a picture.Picture; the PNG stays with the logs."""
        path = "/lab/%s.png" % (name or self.name)
        self.irori("screenshot", "-o " + path)
        return picture.read(self.pc.get(path))

    def wait_screen(self, condition, timeout=60, what="the expected picture"):
        """Screenshots until condition(picture) is true; that picture."""
        timeout = patience(timeout)
        deadline = time.monotonic() + timeout
        while True:
            try:
                shot = self.screenshot()
                if condition(shot):
                    return shot
            except LabError:
                if self.status() is not None or not self.pc.alive():
                    raise
            if time.monotonic() > deadline:
                raise LabError("guest %s: %d s went by without %s; the last screen is %s.png" % (
                    self.name, timeout, what, self.name))
            time.sleep(1)

    def send_keys(self, keys):
        self.irori("send-keys", keys)

    def stat(self):
        """irori stat --json --once, as a dictionary."""
        return json.loads(self.irori("stat", "--json --once"))

    def reset(self):
        self.irori("reset")

    def poweroff(self):
        """Switches it off and waits: its exit status."""
        self.irori("poweroff", "--force")
        return self.wait_end()

    def status(self):
        """The exit status of the monitor, None while it runs."""
        return self.pc.done(self.ident)

    def wait_end(self, timeout=30):
        """Until the monitor ended: its exit status."""
        self.pc.wait_until(lambda: self.status() is not None, timeout,
                           "guest %s to end" % self.name)
        return self.status()

    def kill(self, how="KILL"):
        """A signal for the monitor."""
        self.pc.run("kill -%s $(cat /run/lab/%s.pid)" % (how, self.name), check=True)


def tail(text, lines=25):
    return "\n".join(text.splitlines()[-lines:])

"""Seats' screens on real DRM: two leases on one card and one on another, each its own picture, plug and unplug, cursor, overlay, revoke.

kms-demo (tests/seat) lends the connectors as irorid does, and shows on each lease what it is told, as
irori-seat does. Pictures are what the emulated monitors show. A cursor plane is not in QEMU's pictures: the
kernel says where it is; on bochs-display, which has none, the cursor is in the picture.
"""
import os
import re

import image
import seat_pc
from errors import LabError

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (64, 64, 64)


def of(colour):
    return "%02x%02x%02x" % colour


class Demo:
    """A kms-demo on one card."""

    def __init__(self, pc, program, card):
        self.pc = pc
        self.fifo = "/run/lab/%s.fifo" % card
        self.said = 0
        node = pc.run("basename $(ls -d /sys/bus/pci/devices/%s/drm/card* "
                      "/sys/bus/pci/devices/%s/virtio*/drm/card* 2>/dev/null)" % (
                          (hardware.path(card)[4:],) * 2), check=True)[1].strip()
        self.node = node
        pc.run("rm -f %s; mkfifo %s" % (self.fifo, self.fifo), check=True)
        self.job = pc.spawn("exec %s /dev/dri/%s %s" % (program, node, self.fifo))
        self.wait("^ready", 30)

    def output(self):
        return self.pc.output(self.job)

    def wait(self, pattern, seconds=30):
        """A line that was said since the last one that was waited for."""
        found = []

        def there():
            text = self.output()
            match = re.compile(pattern, re.M).search(text, self.said)
            if match:
                found.append(match)
                self.said = match.end()
            return match

        try:
            self.pc.wait_until(there, seconds, "kms-demo to say %s" % pattern)
        except LabError as error:
            raise LabError("%s\n%s" % (error, self.output()[-2000:]))
        return found[0]

    def tell(self, *lines):
        for line in lines:
            self.pc.run("echo '%s' >%s" % (line, self.fifo), check=True)
            self.wait("^did %s" % re.escape(line.split()[0]))

    def connectors(self):
        """The card's, as the kernel names them."""
        self.tell("connectors")
        return re.findall(r"^connector (\S+)", self.output(), re.M)

    def state(self, seat):
        self.pc.run("echo 'state %s' >%s" % (seat, self.fifo), check=True)
        return self.wait(r"^state %s (.*)" % seat).group(1)

    def hotplug(self, seat, monitors):
        """As udev's event would have it. (While somebody is master nobody else asks the connectors, so
        that /sys does not know before we do.)"""
        def seen():
            self.tell("hotplug %s" % seat)
            return "monitors=%d" % monitors in self.state(seat)
        self.pc.wait_until(seen, 20, "seat %s to have %d monitors" % (seat, monitors))

    def planes(self):
        """(position of the picture) of the cursor planes that are on, as the kernel says."""
        text = self.pc.run("cat /sys/kernel/debug/dri/%s/state" % self.node[4:], check=True)[1]
        found = []
        for plane in re.split(r"^plane\[", text, flags=re.M)[1:]:
            place = re.search(r"crtc-pos=24x24([+-]\d+)([+-]\d+)|crtc-pos=64x64([+-]\d+)([+-]\d+)", plane)
            if place and not re.search(r"crtc=\(null\)", plane):
                found.append(tuple(int(x) for x in place.groups() if x))
        return found


def shows(colour, width=None, height=None):
    def check(picture):
        if width and (picture.width, picture.height) != (width, height):
            return False
        return all(picture.is_near(x, y, colour) for x, y in (
            (1, 1), (picture.width - 2, picture.height - 2)))
    return check


def run(pc):
    seats = seat_pc.SeatPc(pc, hardware)
    program = pc.put(os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "seat",
                                  "kms-demo"))
    seats.monitor_plug("g0", 1, 800, 600)
    pc.wait_until(lambda: len(seats.connected()) == 3, 15, "three monitors")
    first, second = Demo(pc, program, "g0"), Demo(pc, program, "g1")
    names = {(card, head): name for card, demo in (("g0", first), ("g1", second))
             for head, name in enumerate(demo.connectors())}
    said = [leases(pc, seats, first, second, names), partial(seats, first, second),
            plug(pc, seats, first), cursors(pc, seats, first, second), overlay(seats, first),
            again(pc, seats, first, names), dark(seats, first, names)]
    return "; ".join(said)


def leases(pc, seats, first, second, names):
    first.tell("lend a %s" % names["g0", 0], "lend b %s" % names["g0", 1])
    second.tell("lend c %s" % names["g1", 0])
    first.tell("fill a " + of(RED), "fill b " + of(GREEN))
    second.tell("fill c " + of(BLUE))
    seats.look_until("g0", 0, shows(RED, 1024, 768), 30, "red")
    seats.look_until("g0", 1, shows(GREEN, 800, 600), 30, "green")
    seats.look_until("g1", 0, shows(BLUE, 1024, 768), 30, "blue")
    if "error" in first.output() + second.output():
        raise LabError(first.output() + second.output())
    first.tell("run a 60")
    took = float(first.wait(r"^ran a ([\d.]+) ms", 60).group(1))
    if took < 700:  # QEMU's monitors have 75 Hz: 60 frames are 59 vblanks, 787 ms
        raise LabError("60 frames took %.0f ms: nobody paces them" % took)
    return "two leases on one card, one on another; 60 frames in %.0f ms" % took


def partial(seats, first, second):
    """A little damage at a time, on both buffers, and nothing else changes."""
    for number, place in enumerate(((100, 100), (300, 200), (500, 300), (700, 400))):
        first.tell("box b %d %d ffffff" % place)
        second.tell("box c %d %d ffffff" % place)
    white = (255, 255, 255)

    def good(ground):
        return lambda p: all(p.is_near(x + 8, y + 8, white) and p.is_near(x - 2, y, ground)
                             for x, y in ((100, 100), (300, 200), (500, 300), (700, 400)))
    seats.look_until("g0", 1, good(GREEN), 20, "four boxes on green")
    seats.look_until("g1", 0, good(BLUE), 20, "four boxes on blue")
    return "damage"


def plug(pc, seats, first):
    seats.monitor_unplug("g0", 1)
    first.hotplug("b", 0)
    if "idle=1" not in first.state("b"):
        raise LabError("a seat without a monitor is not idle: " + first.state("b"))
    first.tell("run b 20")
    first.wait(r"^ran b")
    seats.monitor_plug("g0", 1, 640, 480)
    first.hotplug("b", 1)
    first.tell("fill b " + of(GREEN))
    seats.look_until("g0", 1, shows(GREEN, 640, 480), 20, "green, smaller")
    first.tell("fill b ff8000 1024 768")  # larger than the monitor
    seats.look_until("g0", 1, shows((255, 128, 0), 640, 480), 20, "a picture that was scaled down")
    first.tell("fill b %s 320 240" % of(GREEN))
    seats.look_until("g0", 1, lambda p: p.is_near(320, 240, GREEN) and p.is_near(5, 5, (0, 0, 0)) and
                     p.is_near(161, 121, GREEN) and p.is_near(158, 121, (0, 0, 0)), 20, "a small one")
    seats.look_until("g0", 0, shows(RED, 1024, 768), 20, "red, as before")
    return "unplug, plug"


def cursors(pc, seats, first, second):
    first.tell("cursor a 200 100 ffff00")
    pc.wait_until(lambda: first.planes() == [(200, 100)], 15, "the cursor plane at 200, 100: %s" %
                  first.planes())
    first.tell("cursor a -7 300")
    pc.wait_until(lambda: first.planes() == [(-7, 300)], 15, "the cursor plane to move")
    second.tell("cursor c 400 500 ffff00")
    seats.look_until("g1", 0, lambda p: p.is_near(410, 510, (255, 255, 0)) and
                     p.is_near(398, 510, BLUE), 15, "a cursor in the picture")
    second.tell("cursor c 600 500")
    seats.look_until("g1", 0, lambda p: p.is_near(610, 510, (255, 255, 0)) and
                     p.is_near(410, 510, BLUE), 15, "the cursor elsewhere")
    return "cursors"


def overlay(seats, first):
    first.tell("overlay a 300 200 200 100 ff123456", "fill a " + of(GREY))
    seats.look_until("g0", 0, lambda p: p.is_near(310, 210, (0x12, 0x34, 0x56)) and
                     p.is_near(298, 210, GREY), 15, "the overlay on grey")
    first.tell("overlay a off")
    seats.look_until("g0", 0, lambda p: p.is_near(310, 210, GREY), 15, "grey without")
    first.tell("blank a 1", "blank a 0")
    seats.look_until("g0", 0, shows(GREY, 1024, 768), 15, "grey after a sleep")
    return "overlay"


def again(pc, seats, first, names):
    """The card's master dies; the picture stays; a new one lends anew, and the picture is never lost."""
    first.tell("close")
    for _ in range(3):
        if not shows(GREY, 1024, 768)(seats.look("g0", 0)):
            raise LabError("the picture was lost when the leases ended")
    first.tell("fill a " + of(RED))
    first.wait(r"^lost a")
    first.tell("run a 20")
    first.wait(r"^ran a")
    if not shows(GREY, 1024, 768)(seats.look("g0", 0)):
        raise LabError("the frozen picture was lost")
    first.tell("lend b %s" % names["g0", 1], "lend a %s" % names["g0", 0])
    seats.look_until("g0", 0, shows(RED, 1024, 768), 15, "red on the new lease")
    first.tell("revoke a", "fill a " + of(BLUE))
    first.wait(r"^lost a")
    if not shows(RED, 1024, 768)(seats.look("g0", 0)):
        raise LabError("the frozen picture was lost after revoke")
    first.tell("lend a %s" % names["g0", 0])
    seats.look_until("g0", 0, shows(BLUE, 1024, 768), 15, "blue on the third lease")
    return "leases lost and regained"


def dark(seats, first, names):
    first.tell("revoke b", "dark")
    # QEMU writes that on such a monitor, in small white letters.
    seats.look_until("g0", 1, lambda p: not p.is_near(170, 130, GREEN) and p.lit() < 0.05, 15,
                     "nobody's monitor to be dark")
    if not shows(BLUE, 1024, 768)(seats.look("g0", 0)):
        raise LabError("what is lent went dark too")
    first.tell("return a", "return b", "close", "own a %s" % names["g0", 0], "fill a " + of(GREEN))
    seats.look_until("g0", 0, shows(GREEN, 1024, 768), 15, "green without a lease")
    return "dark, and a card of one's own"

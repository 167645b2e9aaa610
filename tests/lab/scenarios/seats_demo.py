"""The demonstration on two seats: one guest reboots ten times, the other's pictures and tone go on beside it.

Both are Hearth, as in ./dev demo; the demonstration's own clip is more than an emulated processor
decodes, so what plays is the probe, a picture a vblank with its number in a bar code. An emulated
PC on a shared machine loses time by itself: how long the picture stood still at worst is compared with
how long it did while nobody rebooted, and how many frames were shown with what the guest presented.
"""
import time

import seat_pc
from errors import LabError
from household import Household

group = "seats"
by_hand = True   # too little: what it compares with is itself unsteady, and the probe is no player
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

REBOOTS = 10
ALONE = 10       # seconds
SLACK = 1.0      # seconds that the emulated PC may lose at any time


def run(pc):
    house = Household(pc, hardware)
    house.hands.monitor_plug("g0", 1)
    theater = house.seat("theater", ("g0", 0), ["k0", "m0"], "s0",
                         house.probe("theater", (160, 96, 32), 440, guest="Class=video"))
    study = house.seat("study", ("g0", 1), ["k1", "m1"], "s1", house.probe("study", (32, 96, 160), 1000))
    house.start()
    said = house.check_all()
    quiet = Watch(house, theater)
    while quiet.seconds() < ALONE:
        quiet.look()
    busy, boots = Watch(house, theater), []
    for _ in range(REBOOTS):
        began = time.monotonic()
        pc.run("irori reset study", check=True)
        busy.look()
        while not fresh(house, study):
            busy.look()
            if time.monotonic() - began > 60:
                raise LabError("study did not come back after a reset\n" + house.log())
        boots.append(time.monotonic() - began)
    busy.check(quiet)
    house.check_all()
    return "%s; %d reboots of %.1f s; theater alone %s, meanwhile %s" % (
        said, REBOOTS, sum(boots) / REBOOTS, quiet, busy)


def fresh(house, seat):
    """Its guest counts from the beginning again, and goes on."""
    now = house.read(seat)
    return now and 0 < now["frames"] < 600 and house.row(seat, "frames") not in (None, now["frames"])


class Watch:
    """A seat's picture, looked at again and again: how often it moved, how long it stood still at worst."""

    def __init__(self, house, seat):
        self.house, self.seat = house, seat
        self.begun = self.moved = time.monotonic()
        self.first = self.last = None
        self.worst = 0

    def seconds(self):
        return time.monotonic() - self.begun

    def look(self):
        asked = time.monotonic()  # before the look: what it shows is at least as old
        frames = self.house.row(self.seat, "frames")
        if frames is None:
            raise LabError("seat %s does not show its guest" % self.seat.name)
        if frames != self.last:
            self.worst = max(self.worst, asked - self.moved) if self.last is not None else 0
            self.moved = asked
            if self.last is not None and (frames - self.last) % 65536 > 32768:
                raise LabError("seat %s: frame %d came after %d" % (self.seat.name, frames, self.last))
            self.last = frames
            self.first = frames if self.first is None else self.first

    def rate(self):
        return (self.last - self.first) % 65536 / self.seconds()

    def check(self, quiet):
        if self.worst > 3 * quiet.worst + SLACK:
            raise LabError("the picture stood still for %.2f s, alone at worst for %.2f s" % (
                self.worst, quiet.worst))

    def __str__(self):
        return "%.0f frames a second, longest standstill %.2f s" % (self.rate(), self.worst)

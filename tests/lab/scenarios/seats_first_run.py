"""Nothing is configured: numbers on the monitors, F1 and F2 on the keyboards, Enter, and everybody sits."""
import time

import seat_pc
from errors import LabError, patience
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines


def run(pc):
    house = Household(pc, hardware)
    hands = house.hands
    house.probe("anna", (160, 32, 32), 440)
    alone(house)
    # Three monitors and three keyboards: which is whose, irorid proposes; the keys say otherwise.
    hands.monitor_plug("g0", 0)
    hands.monitor_plug("g0", 1)
    pc.run("rm /etc/irori/seats.d/*.conf; systemctl reload irorid", check=True)
    places = (("g0", 0), ("g0", 1), ("g1", 0))
    for place in places:
        hands.look_until(*place, lambda p: p.colours() > 3 and p.lit() > 0.005, 20, "a number")
        hands.look(*place, name="number-%s-%d" % place)
    order = {"k0": "f2", "k1": "f3", "k2": "f1"}
    for keyboard, key in order.items():
        hands.tap(keyboard, key)
    hands.tap("k0", "a", "spc")
    time.sleep(patience(1))
    if written(pc):
        raise LabError("written before Enter: %s" % written(pc))
    hands.tap("k0", "ret")
    pc.wait_until(lambda: len(written(pc)) == 3, 20, "three seats to be written\n" + house.log())
    for keyboard, key in order.items():
        text = pc.read("/etc/irori/seats.d/seat%s.conf" % key[1])
        if hardware.path(keyboard) not in text:
            raise LabError("expected %s at seat %s, found\n%s" % (keyboard, key[1], text))
    return "a single monitor has all; 3 numbers, 3 keys, 3 seats: " + " ".join(written(pc))


def alone(house):
    """A single monitor: all is its own, after a while in which no other came."""
    house.hands.monitor_unplug("g0", 0)
    house.start()
    house.pc.wait_until(lambda: written(house.pc) == ["seat1.conf"], 30, "a seat to be written\n" + house.log())
    began, ended = (said_at(house.pc, what) for what in ("1 proposed", "1 seats are configured"))
    if not 8 < ended - began < 30:
        raise LabError("a single monitor was accepted after %.1f s" % (ended - began))
    text = house.pc.read("/etc/irori/seats.d/seat1.conf")
    if hardware.output("g1") not in text or "Inputs=pci" not in text:
        raise LabError("the only seat should have %s and all else, found\n%s" % (hardware.output("g1"), text))


def said_at(pc, what):
    """When irorid first said so, in seconds."""
    text = pc.run("journalctl -b --no-pager -o short-unix -u irorid | grep -F '%s' | head -n 1" % what)[1]
    if not text.strip():
        raise LabError("irorid did not say: " + what)
    return float(text.split()[0])


def written(pc):
    return pc.run("cd /etc/irori/seats.d 2>/dev/null && ls")[1].split()

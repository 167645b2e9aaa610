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
    # Three monitors and three keyboards: which is whose, irorid proposes; the keys say otherwise.
    hands.monitor_plug("g0", 1)
    house.start()
    pc.wait_until(lambda: pc.run("irori seats --json")[0] == 0, 20, "irorid to answer")
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
    return "3 numbers, 3 keys, 3 seats: " + " ".join(written(pc))


def written(pc):
    return pc.run("cd /etc/irori/seats.d 2>/dev/null && ls")[1].split()

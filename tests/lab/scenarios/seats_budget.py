"""A person's time runs out: the guest is frozen with its picture, a parent's PIN gives minutes, and it goes on."""
import time

import seat_pc
from errors import LabError, patience
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

PIN = "2003"


def run(pc):
    house = Household(pc, hardware)
    hands = house.hands
    house.file("/etc/irori/people.d/child.conf", "[Person]\nBudget=1\nWarnings=1\n")
    crypted = pc.run("python3 -c 'import crypt; print(crypt.crypt(\"%s\", crypt.mksalt(crypt.METHOD_SHA512)))'"
                     " 2>/dev/null" % PIN, check=True)[1].strip()
    house.file("/etc/irori/people.d/parent.conf", "[Person]\nParent=yes\nPin=%s\n" % crypted)
    seat = house.seat("desk", ("g0", 0), ["k0", "m0"], "s0",
                      house.probe("anna", (160, 32, 32), 440, more="Person=child"))
    began = time.monotonic()
    house.start()  # returns when the guest has run for a while, on a busy machine
    house.wait_shown(seat)
    shown = time.monotonic()
    frozen = wait_frozen(house, seat)
    hands.look("g0", 0, "budget-over")
    if frozen - began < 60 or frozen - shown > 60 + patience(60):
        raise LabError("a budget of a minute was over %.0f s after the start, %.0f s after its first picture" % (
            frozen - began, frozen - shown))
    type_pin(house, "9999")
    time.sleep(patience(2))
    if moves(house, seat):
        raise LabError("a wrong PIN let the guest go on")
    type_pin(house, PIN)
    took = house.wait_shown(seat, 20)
    return "frozen after %.0f s; a wrong PIN did nothing; the right one had it go on in %.1f s" % (
        frozen - began, took)


def moves(house, seat):
    first = house.row(seat, "frames")
    time.sleep(patience(0.7))
    return house.row(seat, "frames") != first


def wait_frozen(house, seat):
    deadline = time.monotonic() + patience(150)
    while moves(house, seat):
        if time.monotonic() > deadline:
            raise LabError("the budget is over, and the guest is not frozen\n" + house.log())
    return time.monotonic()


def type_pin(house, pin):
    """As a person does who sees "time is over": choose more time, type, Enter."""
    house.hands.tap("k0", "ret")
    time.sleep(patience(0.5))
    house.hands.tap("k0", *pin)
    house.hands.tap("k0", "ret")

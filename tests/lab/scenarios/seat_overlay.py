"""A seat's own layer on real KMS and libinput: the menu over one guest while the other plays on, its keys, the list, the lock.

irorid, two seats on two cards, irori-seat in its sandbox. What a person sees is looked at on the emulated
monitors.
"""
import time

import household
import seat_pc
from errors import LabError

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines


def expect(true, what):
    if not true:
        raise LabError(what)


def run(pc):
    home = household.Household(pc, hardware)
    home.probe("mika", (200, 40, 40), hz=440)
    home.probe("jun", (40, 40, 200), hz=660)
    one = home.seat("one", ("g0", 0), ["k0"], "s0", home.probes[0], ["mika", "jun"])
    two = home.seat("two", ("g1", 0), ["k2"], "s1", home.probes[1], ["jun", "mika"])
    home.start()
    home.wait_shown(one, 60)
    home.wait_shown(two, 60)
    home.check_key(one)
    said = [sandboxed(pc), menu(home, one, two), volume(home, one), switch(home, one)]
    return "; ".join(said)


def sandboxed(pc):
    _, status = pc.run("grep -h -E '^(Seccomp|NoNewPrivs|CapEff):' $(for p in $(pgrep -f '^irori-seat: '); do "
                       "echo /proc/$p/status; done)", check=True)
    expect(status.count("Seccomp:\t2") == 2 and status.count("CapEff:\t0000000000000000") == 2,
           "the seats are not in their sandbox: " + status)
    return "both in their sandbox"


def chord(home, seat):
    """Both Ctrl, held for a second."""
    home.hands.press(seat.keyboard, "ctrl", "ctrl_r")
    time.sleep(1.5)
    home.hands.release(seat.keyboard, "ctrl", "ctrl_r")


def is_covered(home, seat):
    """The seat's own layer dims the guest's colour at the picture's edge."""
    return home.read(seat) is None


def menu(home, one, two):
    keys = home.read(one)["keys"]
    chord(home, one)
    home.pc.wait_until(lambda: is_covered(home, one), 10, "the menu on its monitor")
    home.hands.look(*one.monitor, name="menu")
    home.wait_shown(two)
    for key in ("down", "up", "a"):
        home.hands.tap(one.keyboard, key)
    home.hands.tap(one.keyboard, "esc")
    home.wait_shown(one)
    after = home.read(one)
    # Both Ctrl went down before they were a chord, and up when they were.
    expect(after["keys"] - keys <= 4 and not after["down"],
           "the guest heard keys that were the menu's: %d before, %s" % (keys, after))
    home.check_key(one)
    return "the menu is over its guest only, and has the keys"


def volume(home, one):
    before = home.read(one)["keys"]
    home.hands.tap(one.keyboard, "volumeup")
    time.sleep(0.5)
    home.hands.look(*one.monitor, name="volume")
    time.sleep(2)
    expect(home.read(one)["keys"] == before, "the guest heard a volume key")
    return "a volume key is the seat's"


def switch(home, one):
    """To the other guest by the menu, and back: two seats at one guest."""
    jun, mika = home.probes[1], home.probes[0]
    chord(home, one)
    home.pc.wait_until(lambda: is_covered(home, one), 10, "the menu")
    home.hands.tap(one.keyboard, "down")
    home.hands.tap(one.keyboard, "ret")
    one.probe = jun
    took = home.wait_shown(one)
    chord(home, one)
    home.pc.wait_until(lambda: is_covered(home, one), 10, "the menu")
    home.hands.tap(one.keyboard, "down")
    home.hands.tap(one.keyboard, "ret")
    one.probe = mika
    home.wait_shown(one)
    home.check_key(one)
    return "switched in %.1f s, and back" % took

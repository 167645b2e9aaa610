"""A keyboard at a seat's hub: plugged in, pulled out in mid-press, plugged in elsewhere; a monitor and a headset come and go."""
import seat_pc
from errors import LabError
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines


def run(pc):
    house = Household(pc, hardware)
    hands = house.hands
    hands.monitor_plug("g0", 1)
    anna = house.probe("anna", (160, 32, 32), 440)
    ben = house.probe("ben", (32, 160, 32), 1000)
    left = house.seat("left", ("g0", 0), ["k0", "2"], "s0", anna)
    right = house.seat("right", ("g0", 1), ["k1", "4"], "s1", ben)
    house.start()
    house.check_all()

    hands.hub_plug("hub-left", "2")
    hands.hub_plug("hub-right", "4")
    said = [at_hub(house, left, right), mid_press(house, left), moved(house, left, right),
            switched(house, left, right), monitor(house, right)]
    house.check_all()
    return "; ".join(said)


def at_hub(house, left, right):
    """Beside the seat's own keyboard, which goes on."""
    house.hands.keyboard_plug("u", "2.1")
    took = house.keyboard_at(left, "u", other=right)
    house.check_key(left)
    return "a keyboard at a hub works %.1f s after it was plugged in" % took


def mid_press(house, left):
    """Pulled out while a key is down: the guest hears that it is up."""
    before = house.read(left)
    house.hands.press("u", "q")
    house.pc.wait_until(lambda: house.row(left, "down") == 1, 10, "a key to be down")
    house.hands.usb_unplug("u")
    house.pc.wait_until(lambda: house.row(left, "down") == 0, 10, "the key of a keyboard that is gone to be up")
    after = house.read(left)
    if after["keys"] != before["keys"] + 2:
        raise LabError("expected a press and a release, found %s after %s" % (after, before))
    return "pulled out in mid-press, its key goes up"


def moved(house, left, right):
    """The same keyboard at the other seat's hub is the other seat's."""
    house.hands.keyboard_plug("u", "4.3")
    took = house.keyboard_at(right, "u", other=left)
    house.hands.usb_unplug("u")
    return "at the other hub it is the other's after %.1f s" % took


def switched(house, left, right):
    """Given to another seat by hand, while it stays where it is."""
    house.pc.run("irori attach %s %s" % (right.name, house.hardware.path("k0")), check=True)
    took = house.keyboard_at(right, "k0", other=left)
    house.pc.run("irori attach %s %s" % (left.name, house.hardware.path("k0")), check=True)
    house.keyboard_at(left, "k0", other=right)
    return "given to the other seat by hand in %.1f s, and back" % took


def monitor(house, right):
    """The picture comes back in the same size and in another, and the guest goes on."""
    for size in ((1024, 768), (1280, 800), (1024, 768)):
        house.hands.monitor_unplug("g0", 1)
        house.pc.wait_until(lambda: ("g0", 1) not in house.hands.connected(), 15, "a monitor to be gone")
        house.hands.monitor_plug("g0", 1, *size)
        house.wait_shown(right, 20)
    return "a monitor came three times, in two sizes"

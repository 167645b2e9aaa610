"""Two seats on one graphics card, a connector each: pictures, keys and tones as on two cards."""
import seat_pc
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines


def run(pc):
    house = Household(pc, hardware)
    house.hands.monitor_plug("g0", 1, 800, 600)
    anna = house.probe("anna", (160, 32, 32), 440)
    ben = house.probe("ben", (32, 160, 32), 1000, size=(800, 600))
    house.seat("left", ("g0", 0), ["k0", "m0"], "s0", anna)
    house.seat("right", ("g0", 1), ["k1", "m1"], "s1", ben)
    house.start()
    said = house.check_all()
    house.check_nobodys("k2")
    return said

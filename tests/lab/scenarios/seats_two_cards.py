"""Two seats on two graphics cards: each monitor, keyboard and sound card has its own guest's, and no other's."""
import seat_pc
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines


def run(pc):
    house = Household(pc, hardware)
    anna = house.probe("anna", (160, 32, 32), 440)
    ben = house.probe("ben", (32, 32, 160), 1000)
    house.seat("window", ("g0", 0), ["k0", "m0"], "s0", anna)
    house.seat("door", ("g1", 0), ["k2", "m2"], "s2", ben)
    house.start()
    said = house.check_all()
    house.check_nobodys("k1")
    return "%s; %s" % (said, house.check_alone())

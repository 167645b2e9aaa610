"""Figures of the seats: keys, flips, sound, power-on; beside QEMU's where that can do the same.

No time is asserted: an emulated PC on a shared machine has none that hold. What is asserted is that each
figure was found, with samples enough. figures.json beside the logs has all of them; docs/bench.md says more.
"""
import json
import os

import figure
import figure_flips
import figure_keys
import figure_power
import figure_sound
import household
import seat_pc
from errors import LabError

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

FPS = 4
NOTE = 1500


def run(pc):
    house = household.Household(pc, hardware)
    house.hands.monitor_plug("g0", 1)
    theater = house.seat("theater", ("g0", 0), ["k0", "m0"], "s0", house.probe(
        "theater", (160, 96, 32), 440, options="probe.fps=%d probe.depth=10 probe.note=%d" % (FPS, NOTE)))
    # A second between pictures, and no sound: what interrupts it meanwhile are keys.
    study = house.seat("study", ("g0", 1), ["k1", "m1"], None, house.probe(
        "study", (32, 96, 160), options="probe.fps=1 probe.depth=8"))
    house.start()
    for each in house.seats:
        house.wait_shown(each)
    figures = figure_keys.measure(house, study, "k2", household.HEARTH)
    figures += figure_flips.measure(house, theater, FPS)
    figures += figure_sound.measure(house, theater, NOTE)
    figures += figure_power.measure(house, theater)
    with open(os.path.join(pc.folder, "figures.json"), "w") as file:
        json.dump([each.row() for each in figures], file, indent=1)
    wrong = [each.missing() for each in figures if each.missing()]
    table = "\n" + "\n".join([figure.HEAD] + [str(each) for each in figures])
    if wrong:
        raise LabError("; ".join(wrong) + table)
    return table

"""200 random hot-plug events: monitors, hubs, keyboards, mice, a headset; in the end all is where it belongs."""
import random
import time

import seat_pc
from errors import LabError
from household import FILM, Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

EVENTS = 200
LOOK = 25        # events between two looks
SEED = 20031

SIZES = ((800, 600), (1024, 768), (1280, 800))


def run(pc):
    house = Household(pc, hardware)
    house.hands.monitor_plug("g0", 1)
    house.seat("left", ("g0", 0), ["k0", "2"], "s0", house.probe("anna", (160, 32, 32), 440, options=FILM))
    house.seat("right", ("g0", 1), ["k1", "4"], "s1", house.probe("ben", (32, 160, 32), 1000, options=FILM))
    third = house.seat("third", ("g1", 0), ["k2"], "s2", house.probe("carl", (32, 32, 160), 660, options=FILM))
    house.start()
    house.check_all()
    before = {name: house.pids(name) for name in ("irori-vmm", "irorid", "irori-seat")}
    chance = random.Random(SEED)
    plan = Plan(house.hands)
    done = {}
    for number in range(1, EVENTS + 1):
        kind_of = plan.step(chance)
        done[kind_of] = done.get(kind_of, 0) + 1
        time.sleep(chance.choice((0, 0, 0.05, 0.3)))
        if number % LOOK == 0:
            house.wait_shown(third)  # whom none of it concerns
            house.check_key(third)
    plan.restore()
    said = house.check_all()
    for name, pids in before.items():
        if house.pids(name) != pids:
            raise LabError("%s was %s, is %s\n%s" % (name, pids, house.pids(name), house.log()))
    return "%s; then %s" % (", ".join("%d %s" % (count, name) for name, count in sorted(done.items())), said)


class Plan:
    """What is plugged in, and what may happen next."""

    def __init__(self, hands):
        self.hands = hands

    def step(self, chance):
        hands = self.hands
        hubs = [name for name in ("hub2", "hub4") if name in hands.usb]
        choices = ["size", "unplug monitor"]
        choices += ["plug hub"] * (len(hubs) < 2) * 2
        if hubs:
            choices += ["plug keyboard", "plug mouse", "unplug hub"]
        if [name for name in hands.usb if not name.startswith("hub")]:
            choices += ["unplug device"] * 2
        choices += ["headset"]
        what = chance.choice(choices)
        getattr(self, "do_" + what.replace(" ", "_"))(chance, hubs)
        return what

    def do_size(self, chance, hubs):
        self.hands.monitor_plug("g0", chance.randrange(2), *chance.choice(SIZES), settle=False)

    def do_unplug_monitor(self, chance, hubs):
        self.hands.monitor_unplug("g0", chance.randrange(2), settle=False)

    def do_plug_hub(self, chance, hubs):
        port = chance.choice([port for port in "24" if "hub" + port not in hubs])
        self.hands.hub_plug("hub" + port, port)

    def do_unplug_hub(self, chance, hubs):
        self.hands.usb_unplug(chance.choice(hubs))

    def free(self, chance, hubs):
        taken = [port for port, _ in self.hands.usb.values()]
        return chance.choice([port for port in ("%s.%d" % (hub[3:], n) for hub in hubs for n in range(1, 6))
                              if port not in taken])

    def do_plug_keyboard(self, chance, hubs):
        keyboards = [name for name, (_, console) in self.hands.usb.items() if console]
        if len(keyboards) < seat_pc.USB_KEYBOARDS - 1:
            port = self.free(chance, hubs)
            self.hands.keyboard_plug("kbd" + port.replace(".", "-"), port)
            if chance.random() < 0.5:
                self.hands.press("kbd" + port.replace(".", "-"), "z")

    def do_plug_mouse(self, chance, hubs):
        if len([name for name in self.hands.usb if name.startswith("mouse")]) < 4:
            port = self.free(chance, hubs)
            self.hands.mouse_plug("mouse" + port.replace(".", "-"), port)

    def do_unplug_device(self, chance, hubs):
        names = [name for name in self.hands.usb if not name.startswith("hub")]
        self.hands.usb_unplug(chance.choice(names))

    def do_headset(self, chance, hubs):
        if "h0" in self.hands.usb:
            self.hands.usb_unplug("h0")
        else:
            self.hands.headset_plug("h0", "3")

    def restore(self):
        for name in [name for name, (port, _) in self.hands.usb.items() if "." not in port]:
            self.hands.usb_unplug(name)
        for head in (0, 1):
            self.hands.monitor_unplug("g0", head)
            self.hands.monitor_plug("g0", head)

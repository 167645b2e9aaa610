"""irori devices and seats: what real udev says of cards, hubs, keyboards, sound; what comes and goes, also in a flood."""
import json
import re

import seat_pc
from errors import LabError

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines


def run(pc):
    seats = seat_pc.SeatPc(pc, hardware)
    said = [found(pc), watched(pc, seats), flooded(pc, seats), proposed(pc, seats)]
    return "; ".join(said)


def listed(pc):
    return json.loads(pc.run("irori devices --json", check=True)[1])


def expect(what, wanted, seen):
    if wanted != seen:
        raise LabError("expected %s to be %s, found %s" % (what, wanted, seen))


def found(pc):
    pc.run("udevadm settle", check=True)
    items = listed(pc)
    places = {(one["kind"], one["place"]): one for one in items}
    for card, head, connected in (("g0", 0, True), ("g0", 1, False), ("g1", 0, True)):
        monitor = places.get(("monitor", hardware.output(card, head)))
        expect("the monitor at %s" % hardware.output(card, head), connected,
               monitor and monitor["connected"])
        if connected:
            expect("its size", (seat_pc.WIDTH, seat_pc.HEIGHT), (monitor["width"], monitor["height"]))
            if not monitor["identity"]:
                raise LabError("expected an identity from the EDID, found none")
    for name, words in (("k0", ["keyboard"]), ("k1", ["keyboard"]), ("k2", ["keyboard"]),
                        ("m0", ["pointer"]), ("t0", ["pointer"])):
        device = places.get(("input", hardware.path(name)))
        expect(name, words, device and device["input"])
    for name in ("s0", "s1", "s2"):
        expect("HDMI of " + name, False, places["sound", hardware.path(name)]["hdmi"])
    for one in items:
        if one["kind"] == "input" and re.search("Power|Lid|Sleep", one["name"]):
            expect(one["name"], ["switch"], one["input"])
    if not any(one["kind"] == "pci" for one in items):
        raise LabError("expected PCI functions, found none")
    return "%d devices" % len(items)


def watched(pc, seats):
    pc.spawn("irori devices --watch >/run/lab/watch 2>&1")
    pc.wait_until(lambda: "KIND" in pc.read("/run/lab/watch"), 20, "irori devices --watch")
    seats.hub_plug("hub", "2")
    seats.keyboard_plug("u1", "2.1")
    place = hardware.usb_path("2.1") + ":1.0"
    heard(pc, r"^\+ keyboard\S*  %s  -  " % re.escape(place), "the keyboard on the hub")
    keyboard = next(one for one in listed(pc) if one["place"] == place)
    expect("its hub", hardware.usb_path("2"), keyboard["hub"])
    seats.headset_plug("h0", "3")
    heard(pc, r"^\+ sound  %s:1.0  " % re.escape(hardware.usb_path("3")), "the headset")
    seats.usb_unplug("h0")
    heard(pc, r"^- sound  %s:1.0  " % re.escape(hardware.usb_path("3")), "the headset to go")
    seats.monitor_plug("g0", 1, 800, 600)
    heard(pc, r"^= monitor  %s  -  .* 800x600" % re.escape(hardware.output("g0", 1)), "the third monitor")
    seats.monitor_unplug("g0", 1)
    heard(pc, r"^= monitor  %s  -  \(nothing" % re.escape(hardware.output("g0", 1)), "it to go")
    seats.usb_unplug("hub")
    heard(pc, r"^- keyboard\S*  %s  " % re.escape(place), "the keyboard to go with its hub")
    return "a hub, a keyboard, a headset and a monitor came and went"


def heard(pc, regex, what):
    try:
        pc.wait_until(lambda: re.search(regex, pc.read("/run/lab/watch"), re.MULTILINE), 30, what)
    except LabError as error:
        raise LabError("%s\nwhat was watched:\n%s\nand is there: %s\n%s" % (
            error, pc.read("/run/lab/watch"), pc.run("ls -l /sys/class/sound")[1], pc.run("dmesg | tail -n 20")[1]))


def flooded(pc, seats):
    """More events than its socket holds, while it sleeps: it looks at everything anew."""
    pc.run("pkill -STOP -x irori", check=True)
    pc.run("for i in $(seq 12); do udevadm trigger --subsystem-match=pci; udevadm settle; done",
           timeout=180, check=True)
    seats.keyboard_plug("u3", "4")
    pc.run("udevadm settle", check=True)
    drops = pc.run("awk '$2 == 15 && $9 > 0' /proc/net/netlink")[1].split("\n")
    pc.run("pkill -CONT -x irori", check=True)
    heard(pc, r"^\+ keyboard\S*  %s:1.0  " % re.escape(hardware.usb_path("4")),
          "a keyboard whose event was lost")
    pc.run("pkill -x irori", check=True)
    if not any(drops):
        raise LabError("expected udev's events to be lost, found none lost")
    seats.usb_unplug("u3")
    return "events that were lost are made up for"


def proposed(pc, seats):
    """Three monitors and three keyboards: each has one; and what is accepted is whose it is."""
    seats.monitor_plug("g0", 1, 800, 600)
    pc.wait_until(lambda: sum(bool(one.get("connected")) for one in listed(pc)) == 3, 30,
                  "three monitors")
    pc.wait_until(lambda: sum("keyboard" in one.get("input", ()) and not one["keys_only"]
                              for one in listed(pc)) == 3, 30, "three keyboards")
    pc.run("irori seats accept --config /run/lab/etc", check=True)
    written = pc.run("cat /run/lab/etc/seats.d/*; irori devices --all", check=True)[1]
    if written.count("Inputs=") != 3:
        raise LabError("expected three seats with inputs, found\n" + written)
    owners = {one["place"]: one["seat"] for one in
              json.loads(pc.run("irori devices --json --config /run/lab/etc", check=True)[1])
              if one["kind"] != "pci"}
    for number, (card, head) in enumerate((("g0", 0), ("g0", 1), ("g1", 0)), 1):
        expect("the seat of " + hardware.output(card, head), "seat%d" % number,
               owners[hardware.output(card, head)])
        expect("the seat of k%d" % (number - 1), "seat%d" % number,
               owners[hardware.path("k%d" % (number - 1))])
    sounds = [owners[hardware.path(name)] for name in ("s0", "s1", "s2")]
    expect("the seats of the sound cards", 3, len(set(sounds) - {None}))
    pc.run("irori seats accept --config /run/lab/etc 2>/dev/null && exit 1; [ $? = 73 ]", check=True)
    return "3 seats accepted"

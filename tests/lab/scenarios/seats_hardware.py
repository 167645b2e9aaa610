"""The emulated PC's seats by stock tools: two cards, three monitors, leases, keys, hubs, tones, each where it belongs."""
import math
import os
import re
import struct
import wave

import image
import seat_pc
import wav
from errors import LabError

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

KEYS = {"k0": ("a", 30), "k1": ("b", 48), "k2": ("c", 46)}
TONES = {"s0": 440, "s1": 660, "s2": 1000}

# One evtest a device, in a file named by udev's path of it.
WATCH = r"""
mkdir -p /run/lab/ev; rm -f /run/lab/ev/*; udevadm settle
for e in /dev/input/event*; do
	p=$(udevadm info -q property --property=ID_PATH --value $e)
	(stdbuf -oL evtest $e >/run/lab/ev/$p 2>&1 &)
done
"""

# Bars over both monitors of the first card, tiles on the second, until somebody ends sleep.
PATTERNS = r"""
connectors() { modetest -M $1 -c | grep -a -P '^\d+\t\d+\tconnected' | cut -f1; }
set -- $(connectors virtio_gpu)
sleep 600 | modetest -M virtio_gpu -s $1:1024x768 -s $2:800x600 -F smpte,tiles &
sleep 600 | modetest -M bochs-drm -s $(connectors bochs-drm):640x480 -F tiles
"""


def run(pc):
    seats = seat_pc.SeatPc(pc, hardware)
    said = [monitors(pc, seats), leases(pc, seats), keys(pc, seats), hubs(pc, seats),
            tones(pc, seats), headset(pc, seats)]
    return "; ".join(said)


# Monitors

def monitors(pc, seats):
    expect = {("g0", 0): "1024x768", ("g1", 0): "1024x768"}
    if seats.connected() != expect:
        raise LabError("expected the monitors %s, found %s" % (expect, seats.connected()))
    seats.monitor_plug("g0", 1, 800, 600)
    expect["g0", 1] = "800x600"
    pc.wait_until(lambda: seats.connected() == expect, 15, "the third monitor")
    pc.spawn(PATTERNS)
    seats.look_until("g0", 0, lambda p: (p.width, p.height) == (1024, 768) and
                     p.is_near(5, 5, (192, 192, 192)) and p.colours() > 8, 30, "modetest's bars")
    seats.look_until("g0", 1, lambda p: (p.width, p.height) == (800, 600) and
                     p.is_near(65, 5, (192, 0, 192)), 30, "the rest of the bars")
    seats.look_until("g1", 0, lambda p: (p.width, p.height) == (640, 480) and
                     p.is_near(65, 5, (10, 17, 32)), 30, "modetest's tiles")
    for card, head in (("g0", 0), ("g0", 1), ("g1", 0)):
        seats.look(card, head, "monitor-%s-%d" % (card, head))
    pc.run("pkill -x modetest; pkill -x sleep")
    seats.monitor_unplug("g0", 0)
    del expect["g0", 0]
    pc.wait_until(lambda: seats.connected() == expect, 15, "the first monitor to go")
    seats.monitor_plug("g0", 0)
    return "3 monitors on 2 cards"


def leases(pc, seats):
    program = pc.put(os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "lab", "lease"))
    pc.run("mkfifo /run/lab/lease", check=True)
    lease = pc.spawn("%s /dev/dri/by-path/%s-card </run/lab/lease" % (program, hardware.path("g0")))
    pc.spawn("exec 3>/run/lab/lease; sleep 5; while [ ! -e /run/lab/revoke ]; do sleep 0.2; done; echo >&3")
    pc.wait_until(lambda: "READY" in pc.output(lease) or pc.done(lease) is not None, 20, "two leases")
    lessees = re.findall(r"LESSEE (\S+)", pc.output(lease))
    if sorted(lessees) != ["1024x768", "800x600"]:
        raise LabError("expected two lessees, found\n" + pc.output(lease))
    seats.look_until("g0", 0, lambda p: p.is_near(9, 9, (255, 0, 0)), 10, "the first lessee's red")
    seats.look_until("g0", 1, lambda p: p.is_near(9, 9, (0, 255, 0)), 10, "the second lessee's green")
    pc.run("touch /run/lab/revoke")
    pc.wait_until(lambda: pc.done(lease) is not None, 20, "the lease's end")
    if pc.done(lease) or "REVOKED" not in pc.output(lease):
        raise LabError("the lease's end:\n" + pc.output(lease))
    return "2 leases on one of them"


# Keyboards

def heard(pc):
    """{udev path: [(code, value)...]} of all keys since WATCH, but for repetitions."""
    found = {}
    text = pc.run("cd /run/lab/ev && grep -a -H EV_KEY.*value * || true")[1]
    for path, code, value in re.findall(r"^(\S+?):Event.*EV_KEY\), code (\d+) .*value ([01])", text,
                                        re.MULTILINE):
        found.setdefault(path, []).append((int(code), int(value)))
    return found


def keys(pc, seats):
    pc.run(WATCH, check=True)
    expect = {}
    for name, (key, code) in KEYS.items():
        seats.tap(name, key)
        expect[hardware.path(name)] = [(code, 1), (code, 0)]
    seats.click("m1")
    expect[hardware.path("m1")] = [(272, 1), (272, 0)]
    pc.wait_until(lambda: len(heard(pc)) >= len(expect), 10, "keys")
    if heard(pc) != expect:
        raise LabError("expected the keys %s, found %s" % (expect, heard(pc)))
    pc.run("pkill -x evtest")
    return "3 keyboards, a key each"


def hubs(pc, seats):
    """A hub with two keyboards, plugged in twice; one is pulled out in mid-press."""
    for turn in range(2):
        seats.hub_plug("hub", "2")
        seats.keyboard_plug("u1", "2.1")
        seats.keyboard_plug("u2", "2.2")
        paths = {name: hardware.usb_path("2.%s" % name[1]) + ":1.0" for name in ("u1", "u2")}
        pc.wait_until(lambda: all(path in nodes(pc) for path in paths.values()), 30, "USB keyboards")
        pc.run(WATCH, check=True)
        seats.tap("u1", "x")
        seats.press("u2", "y")
        expect = {paths["u1"]: [(45, 1), (45, 0)], paths["u2"]: [(21, 1)]}
        pc.wait_until(lambda: len(heard(pc)) >= 2, 10, "keys of USB keyboards")
        if heard(pc) != expect:
            raise LabError("expected the keys %s, found %s" % (expect, heard(pc)))
        seats.usb_unplug("u2")
        pc.wait_until(lambda: paths["u2"] not in nodes(pc), 15, "the second keyboard to go")
        seats.usb_unplug("hub")
        pc.wait_until(lambda: paths["u1"] not in nodes(pc), 15, "the hub to go")
        pc.run("pkill -x evtest")
    return "a hub with 2 keyboards came and went twice"


def nodes(pc):
    return pc.run("for e in /dev/input/event*; do "
                  "udevadm info -q property --property=ID_PATH --value $e; done")[1].split()


# Sound

def tone(path, hz, seconds=10):
    with wave.open(path, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(wav.RATE)
        file.writeframes(b"".join(
            struct.pack("<hh", *[int(12000 * math.sin(2 * math.pi * hz * i / wav.RATE))] * 2)
            for i in range(wav.RATE * seconds)))


def cards(pc, name):
    """ALSA's number of the sound card at that place of the PC."""
    return pc.run("basename /sys/bus/pci/devices/%s/sound/card*" % hardware.path(name)[4:],
                  check=True)[1].strip()[4:]


def tones(pc, seats):
    for name, hz in TONES.items():
        number = cards(pc, name)
        tone(os.path.join(pc.share, name + ".wav"), hz)
        pc.run("amixer -q -c %s sset Master 100%% unmute" % number, check=True)
        pc.spawn("aplay -q --buffer-time=2000000 -D plughw:%s /lab/%s.wav" % (number, name))
    found = seats.listen(4)
    worst = min(found[name].check_pure(hz) for name, hz in TONES.items())
    for name, hz in TONES.items():
        found[name].check(hz, [other for other in TONES.values() if other != hz])
    pc.run("pkill -x aplay")
    return "%d sound cards, each its own tone %.0f times louder than all else" % (len(TONES), worst)


def headset(pc, seats):
    """A USB headset, plugged in twice."""
    for turn in range(2):
        seats.headset_plug("h0", "3")
        path = "/sys/bus/pci/devices/%s/usb*/*-3/*/sound/card*" % hardware.path(seat_pc.USB)[4:]
        pc.wait_until(lambda: pc.run("ls -d " + path)[0] == 0, 20, "the headset's sound card")
        number = pc.run("basename " + path, check=True)[1].strip()[4:]
        pc.spawn("aplay -q --buffer-time=2000000 -D plughw:%s /lab/s0.wav" % number)
        found = seats.listen(4)
        found["h0"].check(TONES["s0"])
        if any(not found[name].is_quiet() for name in TONES):
            raise LabError("expected the headset to be the only one to sound")
        pc.run("pkill -x aplay")
        seats.usb_unplug("h0")
    return "a headset came and went twice"

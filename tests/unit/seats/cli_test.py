#!/usr/bin/env python3
"""irori devices and irori seats on a PC that umockdev plays: two graphics cards, a keyboard on each of two hubs.

usage: cli_test.py IRORI
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

IRORI = os.path.abspath(sys.argv[1])
XHCI = "/devices/pci0000:00/0000:00:14.0"
USB = "pci-0000:00:14.0-usb-0:"


def edid(width, height, name):
    block = bytearray(128)
    block[0:8] = b"\x00\xff\xff\xff\xff\xff\xff\x00"
    block[8:10] = (4 << 10 | 5 << 5 | 12).to_bytes(2, "big")  # DEL
    block[18:20] = b"\x01\x04"
    timing = bytearray(18)
    timing[0:2] = (14850).to_bytes(2, "little")
    timing[2], timing[4] = width & 255, width >> 4 & 0xf0
    timing[5], timing[7] = height & 255, height >> 4 & 0xf0
    block[54:72] = timing
    block[72:90] = b"\0\0\0\xfc\0" + name.encode().ljust(13)[:12] + b"\n"
    block[127] = -sum(block) & 255
    return block.hex().upper()


def device(path, subsystem, properties=(), attributes=(), node=None):
    lines = [f"P: {path}"]
    lines += [f"N: {node}"] if node else []
    lines += [f"E: {'DEVNAME=/dev/' + node}"] if node else []
    lines += [f"E: SUBSYSTEM={subsystem}"] + [f"E: {line}" for line in properties]
    return "\n".join(lines + list(attributes)) + "\n\n"


def card(number, connected=True):
    pci = f"/devices/pci0000:00/0000:0{number + 1}:00.0"
    place = f"pci-0000:0{number + 1}:00.0"
    attributes = [f"A: status={'connected' if connected else 'disconnected'}\\n"]
    if connected:
        attributes.append(f"H: edid={edid(1920, 1080, f'Screen {number}')}")
    return (device(pci, "pci", [], ["A: class=0x030000\\n"])
            + device(f"{pci}/drm/card{number}", "drm", [f"ID_PATH={place}", "DEVTYPE=drm_minor"],
                     node=f"dri/card{number}")
            + device(f"{pci}/drm/card{number}/card{number}-DP-1", "drm", [], attributes))


def hub(number):
    usb = f"{XHCI}/usb1/1-{number}/1-{number}.1/1-{number}.1:1.0/input/input{number}"
    return (device(usb, "input", [], [f"A: name=Keys {number}\\n"])
            + device(f"{usb}/event{number}", "input",
                     ["ID_INPUT=1", "ID_INPUT_KEYBOARD=1", f"ID_PATH={USB}{number}.1:1.0"],
                     node=f"input/event{number}"))


SOUND = device("/devices/pci0000:00/0000:00:1f.3", "pci") + device(
    "/devices/pci0000:00/0000:00:1f.3/sound/card0", "sound", ["ID_PATH=pci-0000:00:1f.3"],
    ["A: id=PCH\\n"])


class Bench:
    def __init__(self, folder):
        self.config = os.path.join(folder, "etc")
        self.machine = os.path.join(folder, "machine.umockdev")

    def be(self, description):
        pathlib.Path(self.machine).write_text(description)

    def irori(self, *args, expect=0):
        done = subprocess.run(["umockdev-run", "-d", self.machine, "--", IRORI, *args,
                               "--config", self.config], capture_output=True, text=True)
        assert done.returncode == expect, (args, done)
        return done.stdout, done.stderr

    def files(self):
        return sorted(path.name for path in pathlib.Path(self.config).rglob("*") if path.is_file())


def devices_are_listed(bench):
    out, _ = bench.irori("devices")
    lines = out.splitlines()
    assert lines[0].split() == ["KIND", "PLACE", "SEAT", "NAME"], out
    assert lines[1].split() == ["monitor", "pci-0000:01:00.0:DP-1", "-", "DEL", "Screen", "0",
                                "1920x1080"], out
    assert [line.split()[0] for line in lines[1:]] == ["monitor", "monitor", "keyboard", "keyboard",
                                                      "sound"], out
    devices = json.loads(bench.irori("devices", "--json")[0])
    assert len(devices) == 9, devices
    assert devices[0]["identity"] == "DEL-Screen_0" and devices[0]["width"] == 1920, devices[0]
    keyboard = next(one for one in devices if one["kind"] == "input")
    assert keyboard == {"kind": "input", "place": USB + "1.1:1.0", "hub": USB + "1", "name": "Keys 1",
                        "node": "/dev/input/event1", "identity": None, "seat": None,
                        "input": ["keyboard"], "keys_only": False}, keyboard


def seats_are_proposed_and_accepted(bench):
    out, _ = bench.irori("seats", "propose")
    assert bench.files() == [], "propose writes nothing"
    assert f"# {bench.config}/seats.d/seat1.conf\n[Seat]\nOutputs=pci-0000:01:00.0:DP-1\n" in out, out
    proposed = json.loads(bench.irori("seats", "propose", "--json")[0])
    assert [seat["inputs"] for seat in proposed] == [[USB + "1"], [USB + "2"]], proposed
    assert [seat["sound"] for seat in proposed] == ["pci-0000:00:1f.3", None], proposed
    out, _ = bench.irori("seats", "accept")
    assert out.split() == [f"{bench.config}/seats.d/seat{number}.conf" for number in (1, 2)], out
    assert bench.files() == ["seat1.conf", "seat2.conf"]
    devices = json.loads(bench.irori("devices", "--json")[0])
    owners = {one["place"]: one["seat"] for one in devices if one["kind"] != "pci"}
    assert owners == {"pci-0000:01:00.0:DP-1": "seat1", "pci-0000:02:00.0:DP-1": "seat2",
                      USB + "1.1:1.0": "seat1", USB + "2.1:1.0": "seat2",
                      "pci-0000:00:1f.3": "seat1"}, owners


def what_is_configured_is_kept(bench):
    seat = pathlib.Path(bench.config, "seats.d", "seat1.conf")
    seat.write_text("[Seat]\nVolume=1\nColour=red\n")
    _, err = bench.irori("seats", "accept", expect=73)
    assert "2 seats are configured already" in err, err
    assert seat.read_text().startswith("[Seat]\nVolume=1\n")
    _, err = bench.irori("devices")
    assert "seat1.conf:3: there is no Colour= in [Seat]" in err, err
    bench.irori("seats", "accept", "--force")
    assert "Outputs=" in seat.read_text()


def what_is_wrong_is_said(bench):
    _, err = bench.irori("seats", "refuse", expect=64)
    assert "expected propose or accept" in err, err
    bench.irori("seats", "propose", "accept", expect=64)
    bench.be(card(0, connected=False) + hub(1))
    _, err = bench.irori("seats", "propose", expect=69)
    assert "no monitor is connected" in err, err
    out, _ = bench.irori("devices", "--all")
    assert "(nothing connected)" in out, out
    bench.be(card(0) + card(1) + hub(1))
    out, _ = bench.irori("seats", "propose")
    assert "press F2 on it" in out, out


def main():
    if not shutil.which("umockdev-run"):
        print("SKIP: umockdev-run is not there (umockdev)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        bench.be(device(XHCI, "pci") + card(0) + card(1) + hub(1) + hub(2) + SOUND)
        for check in (devices_are_listed, seats_are_proposed_and_accepted, what_is_configured_is_kept,
                      what_is_wrong_is_said):
            check(bench)
            print("ok", check.__name__)


main()

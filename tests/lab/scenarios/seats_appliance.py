"""The finished image on a PC's disk: switched on, first run, guests; the power button; switched on again: at once the guests.

Nobody logs in and no command is run: what is known is what the monitors show, and that the PC goes off
by itself. The image is that of ./dev image --add, with two guests; its disk has more room, which the PC takes.
"""
import os
import shutil
import struct
import tempfile
import time

import appliance
import emulator
import household
import image
import seat_pc
from errors import LabError

group = "seats"
starts_itself = True
needs = ["qemu-system-x86_64", "debugfs", "meson", "grub-mkimage", "mcopy"]
hardware = seat_pc.household()

MONITORS = (("g0", 0), ("g1", 0))
KEYBOARDS = {"k0": "f1", "k2": "f2"}
GUESTS = (("anna", (160, 32, 32), 1), ("ben", (32, 32, 160), 2))
BOOT = 120   # seconds
MORE = 2 << 30  # bytes that the PC's disk has beyond the image
OFF = 40     # less than irorid gives guests (ShutdownSeconds=) before it uses force


def run(pc):
    os.makedirs(pc.folder, exist_ok=True)
    disk = pc.path("irori.img")
    appliance.make(pc.build, disk, add=guests_folder(pc))
    os.truncate(disk, os.path.getsize(disk) + MORE)
    before = root_bytes(disk)
    house = household.Household(pc, hardware)
    house.log = pc.console  # there is no shell to ask
    switch_on(pc, disk)
    numbers = time_until(house, BOOT, "numbers on both monitors", lambda: all(
        lit(house.hands.look(*place)) for place in MONITORS))
    for keyboard, key in KEYBOARDS.items():
        claim(house, keyboard, key)
    house.hands.tap("k0", "ret")
    first = time_until(house, 60, "both guests after Enter", lambda: seated(house))
    check_keys(house)
    off = [switch_off(pc)]
    if root_bytes(disk) < before + MORE - appliance.bootdisk.MIB * 2:
        raise LabError("the root has not grown with the disk: %d bytes, then %d" % (before, root_bytes(disk)))
    switch_on(pc, disk)
    again = time_until(house, BOOT, "both guests at once", lambda: seated(house))
    check_keys(house)
    off.append(switch_off(pc))
    os.unlink(disk)
    return ("switched on, %.0f s later the first run's numbers, after Enter guests in %.1f s; switched on again, "
            "guests after %.0f s; the power button: off in %.0f and %.0f s" % (numbers, first, again, *off))


def root_bytes(disk):
    """The size of the file system on the disk's last partition, by its superblock."""
    with open(disk, "rb") as file:
        file.seek(appliance.bootdisk.ROOT_AT + 1024)
        blocks, size = struct.unpack("<4xI16xI", file.read(28))
    return blocks * (1024 << size)


def guests_folder(pc):
    """Files for the image: two guests, a seat's each. The folder."""
    tree = os.path.join(pc.folder, "guests")
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("etc/irori/guests.d", "srv/guests"):
        os.makedirs(os.path.join(tree, folder))
    shutil.copy2(os.path.join(pc.build, "tests", "lab", "probe.cpio"), os.path.join(tree, "srv/guests"))
    for name, colour, seat in GUESTS:
        with open(os.path.join(tree, "etc/irori/guests.d", name + ".conf"), "w") as file:
            file.write(household.probe_text(
                name, colour, initrd="/srv/guests/probe.cpio", options="probe.fps=5",
                more="Seats=seat%d" % seat))
    return tree


def switch_on(pc, disk):
    pc.sockets = tempfile.mkdtemp(prefix="irori-lab-")
    pc.process = emulator.launch(pc.folder, [
        "-m", str(emulator.MEMORY), "-drive", "if=none,id=disk,file=%s,format=raw,cache=unsafe" % disk,
        "-device", "virtio-blk-pci,drive=disk,bootindex=0", "-serial", "file:" + pc.path("console.log"),
        "-qmp", "unix:%s/qmp,server=on,wait=off" % pc.sockets] +
        emulator.placed(hardware.lines, pc.folder, pc.sockets))
    pc.pid = pc.process.pid
    pc.wait_until(lambda: os.path.exists(os.path.join(pc.sockets, "qmp")), 20, "QEMU to start")


def switch_off(pc):
    """Its power button, pressed once. Seconds until it is off."""
    began = time.monotonic()
    pc.qmp("system_powerdown")
    pc.wait_until(lambda: pc.process.poll() is not None, OFF, "the PC to go off by its power button")
    shutil.rmtree(pc.sockets)
    return time.monotonic() - began


def lit(picture):
    return picture.colours() > 3 and picture.lit() > 0.005


def claim(house, keyboard, key):
    """Pressed until a monitor answers: numbers may be there before the keyboards are."""
    def pictures():
        return [house.hands.look(*place).rows for place in MONITORS]

    before = pictures()
    for _ in range(5):
        house.hands.tap(keyboard, key)
        try:
            house.pc.wait_until(lambda: pictures() != before, 3, "a monitor's answer to " + key)
            return
        except LabError as error:
            last = error
    raise last


def time_until(house, seconds, what, condition):
    began = time.monotonic()
    try:
        house.pc.wait_until(condition, seconds, what)
    except LabError:
        for place in MONITORS:
            house.hands.look(*place, name="last-%s-%d" % place)
        raise
    return time.monotonic() - began


def seated(house):
    """Which seat has which monitor, irorid has chosen: by who is seen there, the keyboard is known."""
    house.seats = []
    keyboards = {key: keyboard for keyboard, key in KEYBOARDS.items()}
    for place in MONITORS:
        for name, colour, number in GUESTS:
            probe = household.Probe(name, colour, 0, (seat_pc.WIDTH, seat_pc.HEIGHT))
            seat = household.Seat("seat%d" % number, place, keyboards["f%d" % number], None, probe)
            if house.read(seat):
                house.seats.append(seat)
    return len({seat.name for seat in house.seats}) == len(MONITORS)


def check_keys(house):
    for seat in house.seats:
        house.wait_shown(seat)
        house.check_key(seat)

"""One seat with two monitors: Linux in it has two, a picture on each, and goes on on one while the other is out."""
import os

import guests
import image
import seat_pc
from errors import LabError
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

COLOURS = ((0xc8, 0x28, 0x28), (0x28, 0x3c, 0xc8))  # guest/heads.c
JOB = "for n in 1 2 3 4 5 6 7 8; do [ -e /dev/dri/card0 ] && break; sleep 1; done; exec /heads /dev/dri/card0 900"
CONFIG = """[Guest]
Name=lin
Memory=256M
{lines}
[Household]
Autostart=yes
"""
SEAT = "[Seat]\nOutputs=%s %s\nInputs=%s %s\nGuests=lin\n"


def run(pc):
    house = Household(pc, hardware)
    hands = house.hands
    hands.monitor_plug("g0", 1, 800, 600)
    program = os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "lab", "heads")
    lines = guests.tiny(pc, "heads", JOB, files=[("heads", program)])
    house.file("/etc/irori/guests.d/lin.conf", CONFIG.format(lines=lines))
    house.file("/etc/irori/seats.d/desk.conf", SEAT % (
        hardware.output("g0", 0), hardware.output("g0", 1), hardware.path("k0"), hardware.path("m0")))
    house.start()
    try:
        shown(hands, 0, (1024, 768), 120)
        shown(hands, 1, (800, 600), 30)
        both = flips(pc, 2)
        hands.look("g0", 0, "first")
        hands.look("g0", 1, "second")

        hands.monitor_unplug("g0", 1)
        said(pc, "HEAD 1 is off")
        shown(hands, 0, (1024, 768), 20)
        alone = flips(pc, 1)

        hands.monitor_plug("g0", 1, 640, 480)
        said(pc, "HEAD 1 is 640x480")
        shown(hands, 1, (640, 480), 20)
        shown(hands, 0, (1024, 768), 20)
        flips(pc, 2)
    except LabError as error:
        raise LabError("%s\n%s\n%s" % (error, com1(pc)[-600:], house.log()))
    return "a picture on each, flips in two seconds: %s on both, %s on the one that is left" % (both, alone)


def shown(hands, head, size, seconds):
    """Until that monitor has this mode, all of it the guest's picture for it, whose square comes and goes."""
    def good(picture):
        width, height = size
        return (picture.width, picture.height) == size and all(
            picture.is_near(x, y, COLOURS[head]) for x, y in (
                (40, 5), (width // 2, height // 2), (5, height - 5), (width - 5, height - 5)))

    hands.look_until("g0", head, good, seconds, "the guest's picture for it")
    for square in ((255, 255, 255), (0, 0, 0)):
        hands.look_until("g0", head, lambda p: p.is_near(16, 16, square), 10, "the square %s" % (square,))


def flips(pc, heads):
    """How many each head had, of a whole report from now on; none of them stands still."""
    had = com1(pc).count("FLIPS")
    pc.wait_until(lambda: com1(pc).count("FLIPS") > had + 1, 20, "flips")
    counts = [int(each) for each in com1(pc).split("FLIPS")[-1].split("\n")[0].split()]
    if [count > 0 for count in counts] != [True] * heads + [False] * (len(counts) - heads):
        raise LabError("expected flips on the first %d heads, found %s" % (heads, counts))
    return counts[:heads]


def said(pc, text):
    pc.wait_until(lambda: text in com1(pc), 20, "the guest to say \"%s\"" % text)


def com1(pc):
    """irorid has a guest's COM1 in the journal."""
    return pc.run("journalctl -b --no-pager -o cat | grep -a -E '^(HEAD|FLIPS|GUEST-)' || true")[1]

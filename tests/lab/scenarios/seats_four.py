"""Four seats in one evening, as docs/seats.md tells: from numbers on the monitors to a keyboard that was moved."""
import os
import time

import room
import seat_pc
from errors import LabError, patience
from household import Household, Seat

group = "seats"
kind = "four"
needs = ["convert"]
SIZE = (1280, 720)
LOUD = 300   # of a quarter of a second in which most may be missing
PIN = "2003"

# A hub a person, at ports 1 to 4: keyboard at .1, mouse at .2, at two of them a headset at .3.
HEADSETS = ("1", "3")
# What people press: the hubs' order is not the monitors'.
SITS = {"1": 2, "2": 3, "3": 1, "4": 4}
MONITORS = {1: ("g0", 0), 2: ("g1", 0), 3: ("g2", 0), 4: ("g0", 1)}
PEOPLE = {1: ("anna", "Anna", (150, 62, 40), 440), 2: ("ben", "Ben", (36, 96, 92), 660),
          3: ("mika", "Mika", (66, 72, 140), 1000), 4: ("oma", "Grandma", (92, 104, 48), 1500)}


def four_seats():
    """Two monitors on one card, of which one is off at first; one each on two more."""
    four = seat_pc.Hardware()
    four.virtio_card("g0", size=SIZE)
    four.bochs_card("g1", size=SIZE)
    four.bochs_card("g2", size=SIZE)
    four.sound("s0")
    four.sound("s1")
    for port in HEADSETS:
        four.headset("h" + port)
    return four


hardware = four_seats()
devices = hardware.lines


def run(pc):
    house = Household(pc, hardware)
    plug(house)
    house.prepare()
    pc.run("systemctl preset irori.target irorid.service irori-pulse.service irori-pulse.socket "
           "irori-guests.service && systemctl is-enabled irorid", check=True)
    house.start()
    said = [sit_down(house), guests(house), evening(house), moved(house), again(house)]
    return "; ".join(said)


def plug(house):
    for port in SITS:
        house.hands.hub_plug("hub" + port, port)
        house.hands.keyboard_plug("k" + port, port + ".1")
        house.hands.mouse_plug("m" + port, port + ".2")
        if port in HEADSETS:
            house.hands.headset_plug("h" + port, port + ".3")
    house.pc.wait_until(lambda: all(hardware.usb_path(port + ".2") in inputs(house.pc) for port in SITS),
                        60, "four hubs with what is on them")


def inputs(pc):
    return pc.run("for e in /dev/input/event*; do "
                  "udevadm info -q property --property=ID_PATH --value $e; done")[1]


def photograph(house, name):
    """All monitors at this moment, as one picture."""
    folder = os.path.join(house.pc.folder, "pictures")
    os.makedirs(folder, exist_ok=True)
    screens = []
    for number, place in MONITORS.items():
        shot = "%s-%d" % (name, number)
        house.hands.look(*place, name=shot)
        screens.append((os.path.join(house.pc.folder, shot + ".png"), PEOPLE[number][1]))
    size = room.picture(os.path.join(folder, name + ".jpg"), screens)
    if size > 100000:
        raise LabError("%s.jpg has %d bytes, too many for the documentation" % (name, size))


# The first switch-on

def sit_down(house):
    """F keys on all four keyboards; one presses a wrong one first, one monitor comes late."""
    pc, hands = house.pc, house.hands
    for number in (1, 2, 3):
        hands.look_until(*MONITORS[number], lambda p: p.colours() > 3 and p.lit() > 0.005, 30, "a number")
    shown = {number: hands.look(*MONITORS[number]) for number in (1, 2, 3)}
    press(house, "1")
    hands.look_until(*MONITORS[2], lambda p: p.rows != shown[2].rows, 10, "an answer to F2")
    press(house, "3")
    hands.monitor_plug(*MONITORS[4], *SIZE)
    hands.look_until(*MONITORS[4], lambda p: p.colours() > 3 and p.lit() > 0.005, 30, "the late number")
    hands.tap("k2", "f4")  # by mistake
    hands.tap("k2", "f3")
    hands.tap("k1", "a", "spc")
    hands.tap("k4", "ret")  # who does not sit yet
    time.sleep(patience(1))
    if written(pc):
        raise LabError("files were written before anybody pressed Enter: %s" % written(pc))
    photograph(house, "four-first-run")
    press(house, "4")
    time.sleep(patience(0.5))
    hands.tap("k4", "ret")
    pc.wait_until(lambda: len(written(pc)) == 4, 20, "four seats to be written\n" + house.log())
    for port, number in SITS.items():
        check_file(pc, port, number)
    return "4 numbers, 4 keys, 4 seats"


def press(house, port):
    house.hands.tap("k" + port, "f%d" % SITS[port])


def written(pc):
    return pc.run("cd /etc/irori/seats.d 2>/dev/null && ls")[1].split()


def setting(pc, number, key):
    text = pc.read("/etc/irori/seats.d/seat%d.conf" % number)
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line).get(key, "").split()


def check_file(pc, port, number):
    """The hub, and the headset on it, went with the keyboard."""
    place, output = hardware.usb_path(port), hardware.output(*MONITORS[number])
    if place not in setting(pc, number, "Inputs") or setting(pc, number, "Outputs") != [output]:
        raise LabError("seat%d should have hub %s and %s, and has\n%s" % (
            number, place, output, pc.read("/etc/irori/seats.d/seat%d.conf" % number)))
    sound = setting(pc, number, "Sound")
    if not sound or (port in HEADSETS) != sound[0].startswith(place + ".3"):
        raise LabError("seat%d, at hub %s, sounds on %s" % (number, port, sound))


# Guests

def guests(house):
    """A guest and its person for each seat, chosen from the list at the seat; two have PINs."""
    for number, (name, title, colour, hz) in PEOPLE.items():
        more = "Title=%s's PC\nPerson=%s\nSeats=seat%d" % (title, name, number)
        probe = house.probe(name, colour, hz, SIZE, autostart="no", more=more, options="probe.title=" + title)
        house.file("/etc/irori/people.d/%s.conf" % name, "[Person]\nTitle=%s\n%s" % (
            title, "Parent=yes\n" if name == "anna" else ""))
        port = next(port for port, at in SITS.items() if at == number)
        house.seats.append(Seat("seat%d" % number, MONITORS[number], "k" + port,
                                sound_name(house.pc, number), probe))
    for name in ("anna", "ben"):
        house.pc.run("echo %s | irori pin %s" % (PIN, name), check=True)
    house.pc.run("systemctl reload irorid", check=True)
    time.sleep(patience(1))
    for seat in house.seats:
        house.hands.tap(seat.keyboard, "ret")
        time.sleep(patience(1))  # four that boot at once are too much for two processors
    for seat in house.seats[:2]:
        type_pin(house, seat, PIN)
    took = max(house.wait_shown(seat, 60) for seat in house.seats)
    for seat in house.seats:
        house.check_key(seat)
    time.sleep(patience(3))  # the hint where input goes to
    photograph(house, "four-guests")
    return "guests within %.1f s, a key each; tones %.0f times louder than all else" % (
        took, tones(house))


def tones(house):
    """Each card holds the tone of its seat's guest and no other's. How many times louder than all else its
    best moment is, at worst: a USB headset's stream is torn here."""
    hz = {seat.sound: seat.probe.hz for seat in house.seats}
    for _ in range(4):
        heard = house.hands.listen(patience(3))
        if all(heard[sound].amplitude(hz[sound]) > LOUD for sound in hz):
            break
    for sound in hz:
        heard[sound].check(hz[sound], [each for each in hz.values() if each != hz[sound]], LOUD)
    return min(heard[sound].best(hz[sound]) for sound in hz)


def sound_name(pc, number):
    place = setting(pc, number, "Sound")[0]
    for port in HEADSETS:
        if place.startswith(hardware.usb_path(port + ".3")):
            return "h" + port
    return next(name for name in ("s0", "s1") if hardware.path(name) == place)


# An evening

def evening(house):
    """Anna has the menu up, Ben is away, Mika's time is nearly over."""
    anna, ben, mika, _ = house.seats
    chord(house, ben)
    house.hands.tap(ben.keyboard, "up", "up", "up", "ret")
    house.pc.wait_until(lambda: "locked" in house.pc.run("irori status seat2")[1], 20, "seat2 to be locked")
    chord(house, anna)
    house.file("/etc/irori/people.d/mika.conf", "[Person]\nTitle=Mika\nBudget=5\n")
    house.pc.run("systemctl reload irorid", check=True)
    time.sleep(patience(1))
    photograph(house, "four-evening")
    house.pc.run("irori extend mika 30", check=True)
    house.hands.tap(anna.keyboard, "esc")
    house.wait_shown(anna)
    type_pin(house, ben, "1234")
    house.hands.look_until(*ben.monitor, is_refused, 20, "a wrong PIN to be refused")
    type_pin(house, ben, PIN)
    house.wait_shown(ben)
    return "a menu, a lock, a warning"


def chord(house, seat):
    house.hands.press(seat.keyboard, "ctrl", "ctrl_r")
    house.pc.wait_until(lambda: house.read(seat) is None, 15, "the menu of " + seat.name)
    house.hands.release(seat.keyboard, "ctrl", "ctrl_r")


def type_pin(house, seat, pin):
    house.hands.tap(seat.keyboard, *pin)
    house.hands.tap(seat.keyboard, "ret")


def is_refused(shot):
    """The line below the keypad is in red."""
    return any(shot.is_near(x, y, (255, 143, 117), 40) for y in range(630, 654, 2)
               for x in range(shot.width // 2 - 80, shot.width // 2 + 80))


# What is on the wrong seat

def moved(house):
    """A keyboard in another port is nobody's, until F4; a sound card is given away by hand."""
    pc, hands = house.pc, house.hands
    oma, mika = house.seats[3], house.seats[2]
    hands.usb_unplug("k4")
    hands.keyboard_plug("k4", "5")
    pc.wait_until(lambda: hardware.usb_path("5") in inputs(pc), 30, "the keyboard in its new port")
    time.sleep(patience(2))
    photograph(house, "four-moved")
    house.check_nobodys("k4")
    hands.tap("k4", "f4")
    pc.wait_until(lambda: hardware.usb_path("5") in setting(pc, 4, "Inputs"), 15, "F4 to count")
    house.keyboard_at(oma, "k4", mika)
    listing = pc.run("irori devices", check=True)[1]
    if not any(hardware.usb_path("5") in line and "seat4" in line for line in listing.splitlines()):
        raise LabError("irori devices does not say whose the keyboard is:\n" + listing)
    return "a moved keyboard is claimed by F4; " + swap(house)


def swap(house):
    """The two cards in the PC change seats: irori attach, and it sounds so at once."""
    pair = [seat for seat in house.seats if seat.sound in ("s0", "s1")]
    pair[0].sound, pair[1].sound = pair[1].sound, pair[0].sound
    for seat in pair:
        house.pc.run("irori attach %s %s" % (seat.name, hardware.path(seat.sound)), check=True)
    time.sleep(patience(2))
    tones(house)
    return "two sound cards changed seats"


def again(house):
    """Everything is muddled: without files it is the first run once more, and the guests go on meanwhile."""
    house.pc.run("rm /etc/irori/seats.d/*.conf; systemctl reload irorid", check=True)
    for seat in house.seats:
        house.pc.wait_until(lambda: house.read(seat) is None, 15, "a number instead of " + seat.probe.name)
    house.hands.usb_unplug("k4")
    house.hands.keyboard_plug("k4", "4.1")
    house.pc.wait_until(lambda: hardware.usb_path("4.1") in inputs(house.pc), 30, "the keyboard on its hub")
    for port in SITS:
        press(house, port)
    time.sleep(patience(0.5))
    house.hands.tap("k1", "ret")
    house.pc.wait_until(lambda: len(written(house.pc)) == 4, 20, "four seats again\n" + house.log())
    for seat, place in zip(house.seats, sorted(MONITORS.values())):  # now that all were there at once
        seat.monitor = place
    for seat in house.seats:
        house.wait_shown(seat)
    for seat in house.seats:
        house.check_key(seat)
    return "all of it once more"

"""A household in the lab: seats and guests configured in the PC, irorid started, and what each seat shows, hears and
feels looked at from outside: at the monitors, keyboards and sound cards of the emulated PC.

The guests are probes (guest/probe.c): each has a colour and a tone of its own, and says on its screen
by bar codes how many frames it presented and which keys reached it.
"""
import json
import os
import time

import film
import image
import seat_pc
from errors import LabError, patience

ROWS = ("frames", "key", "keys", "down", "motion", "lost", "late", "worst", "depth")
ROW_LINES = 16
HEARTH = "/usr/local/lib/x86_64-linux-gnu/irori/hearth"
FILM = "probe.fps=10"  # a probe's option: what the emulated PC holds without being late by itself
CODES = {"a": 30, "b": 48, "c": 46, "d": 32, "e": 18, "f": 33, "g": 34, "h": 35}

PROBE = """[Guest]
Name={name}
Memory=64M
Kernel={hearth}
Initrd={initrd}
CommandLine=init=/probe probe.colour={colour} probe.hz={hz} {options}
{guest}

[Gpu]
Width={width}
Height={height}

[Sound]
Model=virtio

[Household]
Autostart={autostart}
{more}
"""


def probe_text(name, colour, hz=0, size=(seat_pc.WIDTH, seat_pc.HEIGHT), autostart="yes", more="", guest="",
               options="", initrd="/run/lab/probe.cpio"):
    """A probe's file; `colour`: (red, green, blue); `more`: lines for its [Household], `guest`: for [Guest];
    `options`: for the probe itself."""
    return PROBE.format(name=name, hearth=HEARTH, colour="%02x%02x%02x" % colour, hz=hz, width=size[0],
                        height=size[1], autostart=autostart, more=more, guest=guest, options=options,
                        initrd=initrd)


class Probe:
    def __init__(self, name, colour, hz, size):
        self.name, self.colour, self.hz, self.size = name, colour, hz, size


class Seat:
    """`monitor`: (card, head); `keyboard`, `sound`: the hardware's names; `probe`: the guest it shows."""

    def __init__(self, name, monitor, keyboard, sound, probe):
        self.name, self.monitor, self.keyboard, self.sound = name, monitor, keyboard, sound
        self.probe = probe


class Household:
    def __init__(self, pc, hardware):
        self.pc, self.hardware = pc, hardware
        self.hands = seat_pc.SeatPc(pc, hardware)
        self.seats, self.probes = [], []
        self.taps = 0

    # What is configured

    def file(self, path, text):
        """A file of the PC, by way of the share."""
        name = path.replace("/", "_")
        self.pc.write(name, text)
        self.pc.run("mkdir -p %s && cp /lab/%s %s" % (os.path.dirname(path), name, path), check=True)

    def probe(self, name, colour, hz=0, size=(seat_pc.WIDTH, seat_pc.HEIGHT), **more):
        """A probe, as probe_text() writes it."""
        build = self.pc.build or os.path.join(image.TOP, "build")
        if not self.probes:
            self.pc.put(os.path.join(build, "tests", "lab", "probe.cpio"))
            self.pc.run("cp /lab/probe.cpio /run/lab/", check=True)
        self.file("/etc/irori/guests.d/%s.conf" % name, probe_text(
            name, colour, hz, size, **more))
        self.probes.append(Probe(name, colour, hz, size))
        return self.probes[-1]

    def seat(self, name, monitor, inputs, sound, probe, guests=()):
        """`inputs`: names of the hardware, the keyboard first, or ports such as "2" of the USB controller."""
        paths = [self.hardware.path(each) if each in self.hardware.slots else
                 self.hardware.usb_path(each) for each in inputs]
        guests = list(guests) or [probe.name]
        self.file("/etc/irori/seats.d/%s.conf" % name,
                  "[Seat]\nOutputs=%s\nInputs=%s\nSound=%s\nGuests=%s\n" % (
                      self.hardware.output(*monitor), " ".join(paths),
                      self.hardware.path(sound) if sound else "", " ".join(guests)))
        self.seats.append(Seat(name, monitor, inputs[0], sound, probe))
        return self.seats[-1]

    # Its processes

    def prepare(self):
        """What was installed while the PC ran is known to systemd, udev and the bus."""
        self.pc.run("systemd-sysusers; systemd-tmpfiles --create; systemctl daemon-reload; "
                    "udevadm control --reload; systemctl reload dbus", check=True)

    def start(self):
        self.prepare()
        self.pc.run("systemctl start irori.target && systemctl start irori-pulse irorid", check=True)

    def log(self):
        return self.pc.run("journalctl -b --no-pager -o cat -u irorid -u irori-pulse | tail -n 40")[1]

    def check_alone(self):
        """Seats' processes are a user who may do nothing, and what they see of sockets is not for them, but the sound
        server's. What they say is in the journal."""
        pids = self.seat_pids()
        if not pids:
            raise LabError("no seat's process")
        for pid in pids:
            script = "grep -E '^(Uid|Gid|Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/%d/status; cd /proc/%d/root/ && " \
                "find run tmp var/tmp -type s; echo who $(id -u irori-seat) $(getent group irori-sound | cut -d: -f3)" % (
                    pid, pid)
            _, said = self.pc.run(script, check=True)
            lines = said.splitlines()
            status = dict(line.split(":", 1) for line in lines if ":\t" in line)
            sockets = [line for line in lines if line.startswith(("run/", "tmp/", "var/"))]
            strange = [path for path in sockets if path != "run/irori/pulse/native" and
                       not path.startswith("run/irori/seats/")]
            _, user, group = next(line for line in lines if line.startswith("who ")).split(" ")
            if user in ("", "0") or set(status["Uid"].split()) != {user} or "0" in status["Gid"].split() or \
                    status["Groups"].split() != [group] or int(status["CapEff"].strip() + status["CapBnd"].strip(), 16) or \
                    status["NoNewPrivs"].strip() != "1" or status["Seccomp"].strip() != "2" or strange:
                raise LabError("a seat's process may more than it should, or sees more: %s" % said)
        _, said = self.pc.run("journalctl -b --no-pager -o cat -u 'irori-seat-*' | grep -a 'irorid is there' || true")
        if len(said.splitlines()) < len(pids):
            raise LabError("what seats say is not in the journal: %s" % said)
        return "%d processes of seats, alone" % len(pids)

    # What can be seen of a seat

    def read(self, seat, torn=False):
        """The bar codes on its monitor, by ROWS, when its guest is on it; None: it is not. `torn`:
        also how many points of the film that it plays are not those of the picture of that number."""
        picture = self.hands.look(*seat.monitor)
        width, height = seat.probe.size
        x, y = (picture.width - width) // 2, (picture.height - height) // 2
        rows = self.rows(seat, picture, x, y)
        if rows and torn:
            top = y + height - len(ROWS) * ROW_LINES - film.HEIGHT
            rows["torn"] = film.differs(picture, x, top, rows["frames"], rows["depth"])
        return rows

    @staticmethod
    def rows(seat, picture, x, y):
        width, height = seat.probe.size
        if x < 0 or y < 0 or not picture.is_near(x + width - 9, y + height - 9, seat.probe.colour):
            return None
        top = y + height - len(ROWS) * ROW_LINES
        codes = [picture.barcode(x, top + row * ROW_LINES) for row in range(len(ROWS))]
        return None if None in codes else dict(zip(ROWS, codes))

    def wait_shown(self, seat, seconds=20):
        """Until its monitor shows its guest, and the guest's frames go on. Seconds it took."""
        began, first = time.monotonic(), None
        deadline = began + patience(seconds)
        while True:
            now = self.read(seat)
            if now and first is not None and now["frames"] != first:
                return time.monotonic() - began
            first = now["frames"] if now and first is None else first
            if time.monotonic() > deadline:
                self.hands.look(*seat.monitor, name="seat-%s-last" % seat.name)
                raise LabError("seat %s: %d s went by without guest %s moving on its monitor (%s)\n%s" % (
                    seat.name, patience(seconds), seat.probe.name, now, self.log()))

    def wait_key(self, seat, code, more_than, seconds=5):
        """Until its guest says that this key came, after so many key events. Seconds it took."""
        began = time.monotonic()
        try:
            self.pc.wait_until(lambda: self.key_is(seat, code, more_than), seconds,
                               "key %d at seat %s" % (code, seat.name))
        except LabError as error:
            raise LabError("%s\nit shows %s\n%s" % (error, self.read(seat), self.log()))
        return time.monotonic() - began

    def key_is(self, seat, code, more_than):
        now = self.read(seat)
        return now and now["key"] == code and now["keys"] > more_than and not now["down"]

    def check_key(self, seat):
        """A key on its keyboard reaches its guest, and no other. Seconds it took."""
        self.taps += 1
        name = sorted(CODES)[self.taps % len(CODES)]
        before = {each.name: self.read(each) for each in self.seats}
        if not before[seat.name]:
            raise LabError("seat %s does not show its guest" % seat.name)
        self.hands.tap(seat.keyboard, name)
        took = self.wait_key(seat, CODES[name], before[seat.name]["keys"])
        for other in self.seats:
            now = self.read(other)
            if other is not seat and now and before[other.name] and \
                    now["keys"] != before[other.name]["keys"]:
                raise LabError("a key on %s came to seat %s as well: %s" % (
                    seat.keyboard, other.name, now))
        return took

    def row(self, seat, name):
        now = self.read(seat)
        return now[name] if now else None

    def keyboard_at(self, seat, keyboard, other, seconds=15):
        """Until this keyboard's keys come to that seat; then none comes to the other. Seconds it took."""
        began = time.monotonic()
        start = self.read(seat)["keys"]

        def heard():
            self.hands.tap(keyboard, "h")
            return (self.row(seat, "keys") or 0) > start

        self.pc.wait_until(heard, seconds, "keys of %s at seat %s\n%s" % (keyboard, seat.name, self.log()))
        took = time.monotonic() - began
        before = self.read(other)["keys"], self.read(seat)["keys"]
        self.hands.tap(keyboard, "e")
        self.wait_key(seat, CODES["e"], before[1])
        if self.read(other)["keys"] != before[0]:
            raise LabError("a key on %s came to seat %s as well" % (keyboard, other.name))
        return took

    def check_nobodys(self, keyboard):
        """A key on a keyboard that belongs to no seat reaches no guest."""
        before = {each.name: self.read(each)["keys"] for each in self.seats}
        self.hands.tap(keyboard, "d")
        time.sleep(patience(1))
        after = {each.name: self.read(each)["keys"] for each in self.seats}
        if before != after:
            raise LabError("a key on %s, which is nobody's, came to a guest: %s, then %s" % (
                keyboard, before, after))

    def wait_moved(self, before, seconds):
        """Until every monitor shows another frame than `before` ({seat: frames, None if it was dark})."""
        self.pc.wait_until(lambda: all(self.row(each, "frames") not in (None, before[each.name])
                                       for each in self.seats), seconds, "all pictures to go on")

    def status(self, seat):
        """What `irori status` says of it."""
        return json.loads(self.pc.run("irori status %s --json" % seat.name, check=True)[1])

    def guest_pid(self, name):
        return int(self.pc.run("systemctl show -P MainPID irori-guest-%s" % name, check=True)[1])

    def pids(self, program):
        """Of a program of ours by its name, or of a unit's main process."""
        if program in ("irorid", "irori-pulse"):
            text = self.pc.run("systemctl show -P MainPID %s" % program)[1]
        else:
            text = self.pc.run("ls -l /proc/[0-9]*/exe 2>/dev/null | sed -n 's|.* /proc/\\([0-9]*\\)/exe -> .*/%s$|\\1|p'"
                               % program)[1]
        return sorted(int(each) for each in text.split() if each != "0")

    def seat_pids(self):
        """Of the processes that have a seat, without their spares. irorid may be on its way back."""
        text = self.pc.run("until irori seats --json 2>/dev/null; do sleep 0.1; done", check=True)[1]
        return sorted(seat["pid"] for seat in json.loads(text) if seat["pid"])

    def all_sound(self, names):
        heard = self.hands.listen(0.5)
        return not any(heard[name].is_quiet() for name in names)

    def check_sound(self, seconds=4):
        """Each seat's sound card holds the tone of its guest and nothing else; the others are quiet. How
        many times louder each tone is than the rest, the worst."""
        sounding = {seat.sound: seat for seat in self.seats if seat.sound and seat.probe.hz}
        self.pc.wait_until(lambda: self.all_sound(sounding), 20, "a sound at each of %s" % sorted(sounding))
        heard = self.hands.listen(seconds)
        for name, what in heard.items():
            if name not in sounding and not what.is_quiet():
                raise LabError("sound card %s belongs to no seat and is not quiet (peak %d)" % (
                    name, what.peak))
        tones = [seat.probe.hz for seat in sounding.values()]
        for name, seat in sounding.items():
            heard[name].check(seat.probe.hz, [hz for hz in tones if hz != seat.probe.hz])
        return min((heard[name].check_pure(seat.probe.hz) for name, seat in sounding.items()), default=0)

    def check_all(self):
        """All of it at all seats: a line of what was found."""
        shown = max(self.wait_shown(seat) for seat in self.seats)
        keys = max(self.check_key(seat) for seat in self.seats)
        pure = self.check_sound()
        return ("pictures move within %.1f s, a key is on its monitor in %.1f s and on no other, tones "
                "%.0f times louder than all else" % (shown, keys, pure))

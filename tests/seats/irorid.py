#!/usr/bin/env python3
"""A real irorid with real guests (irori-vmm on /dev/kvm with the demonstration's desktop) and seats that
only speak the protocol: everything dies and is found again, D-Bus, people's time.

usage: dbus-run-session irorid.py IRORID VMM IRORI HEARTH INITRD [CASE...]
"""
import datetime
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from peer import listener

PATIENCE = 60
HERE = os.path.dirname(os.path.abspath(__file__))
SWITCH, START, RESTART, POWEROFF, LOCK, UNLOCK, EXTEND = range(1, 8)
OFF, STARTING, RUNNING, RESETTING, PAUSED, FROZEN, CRASHED = range(7)


def expect(true, what):
    if not true:
        raise AssertionError(what)


def wait(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s: not in %d s" % (what, seconds))
        time.sleep(0.02)


class Household:
    """A folder with everything of one irorid's, and the daemon."""

    def __init__(self, programs):
        self.irorid, self.vmm, self.program, self.hearth, self.initrd = programs
        self.folder = tempfile.TemporaryDirectory(prefix="irorid-")
        self.etc, self.run, self.state = (os.path.join(self.folder.name, f) for f in ("etc", "run", "var"))
        self.daemon = None
        self.write("irori.conf", "[Irori]\nBackoffMinMs=100\nBackoffMaxMs=2000\nShutdownSeconds=5\nSpares=no\n")

    def write(self, name, text):
        path = os.path.join(self.etc, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def guest(self, name, household="Autostart=yes\n"):
        self.write("guests.d/%s.conf" % name,
                   "[Guest]\nName=%s\nMemory=96M\nKernel=%s\nInitrd=%s\nCommandLine=init=/desktop desktop_ms=0\n"
                   "[Sound]\nModel=virtio\n[Household]\n%s" % (name, self.hearth, self.initrd, household))

    def seat(self, name, keys=""):
        self.write("seats.d/%s.conf" % name, "[Seat]\nOutputs=nowhere:%s\n%s" % (name, keys))

    def start(self, within=()):
        log = open(os.path.join(self.folder.name, "log"), "a")
        self.daemon = subprocess.Popen(
            [*within, self.irorid, "--config", self.etc, "--runtime", self.run, "--state", self.state,
             "--bus", "session", "--no-cards", "--spawn", "fork", "--monitor", self.vmm, "--seat-program",
             os.path.join(HERE, "fake_seat.py")], stderr=log)
        wait(self.answers, "irorid on the bus")

    def answers(self):
        expect(self.daemon.poll() is None, "irorid ended with %s" % self.daemon.returncode)
        return self.irori("seats", check=False) is not None

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def irori(self, *arguments, check=True, input=None):
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, IRORI_BUS="session"), input=input)
        if check:
            expect(done.returncode == 0, "irori %s: %s" % (" ".join(arguments), done.stderr))
        return done.stdout if done.returncode == 0 else None

    def get(self, kind, name, prop):
        done = subprocess.run(["busctl", "--user", "--json=short", "get-property", "org.irori.Irori1",
                               "/org/irori/Irori1/%s/%s" % (kind, name), "org.irori.Irori1.%s" % kind.title(),
                               prop], capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
        return json.loads(done.stdout)["data"]

    def call(self, path, interface, method, *arguments):
        done = subprocess.run(["busctl", "--user", "--json=short", "call", "org.irori.Irori1",
                               "/org/irori/Irori1" + path, "org.irori.Irori1." + interface, method, *arguments],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def wait_guest(self, name, state, seconds=PATIENCE):
        wait(lambda: self.get("guest", name, "State") == state, "%s %s" % (name, state), seconds)

    def clean(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()  # with guests that run: they go on
            expect(self.daemon.wait(PATIENCE) == 0, "irorid ended with %s" % self.daemon.returncode)
            self.start()
            for name in os.listdir(os.path.join(self.etc, "guests.d")):
                self.call("/guest/" + name[:-5], "Guest", "Stop", "b", "true")
            time.sleep(0.3)
            self.daemon.terminate()
            expect(self.daemon.wait(PATIENCE) == 0, "irorid ended with %s" % self.daemon.returncode)
        for pid in self.processes() | self.listeners():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.folder.cleanup()

    def processes(self):
        """Whoever was told of a file of ours. A seat that had no socket yet when irorid ended is not found by the next
        one, which starts another in its place."""
        found = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    if self.folder.name.encode() + b"/" in file.read():
                        found.add(int(pid))
            except OSError:
                pass  # it has just ended
        return found

    def listeners(self):
        """Whoever listens on a socket of ours: guests, which are called otherwise by then."""
        return {listener(os.path.join(folder, name)) for folder, _, names in os.walk(self.run)
                for name in names} - {None}

    def log(self):
        with open(os.path.join(self.folder.name, "log")) as file:
            return file.read()


class Seat:
    """What a fake seat was told."""

    def __init__(self, household, name):
        self.path = os.path.join(household.run, "seats", name + ".sock")

    def told(self, since=0):
        try:
            with open(self.path + ".log") as file:
                return [json.loads(line) for line in file if line.endswith("\n")][since:]
        except OSError:
            return []

    def last(self):
        """What the process that is there now was told."""
        told = self.told()
        return told[max((i for i, said in enumerate(told) if said["op"] == "start"), default=0):]

    def greetings(self):
        return len([said for said in self.last() if said["op"] == "hello"])

    def mark(self):
        return len(self.told())

    def wait(self, what, since=0, seconds=PATIENCE, **fields):
        def found():
            for said in self.told(since):
                if said["op"] == what and all(said.get(k) == v for k, v in fields.items()):
                    return said
        return wait(found, "%s %s" % (what, fields), seconds)

    def do(self, **order):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as control:
            control.connect(self.path + ".ctl")
            control.send(json.dumps(order).encode())

    def ask(self, verb, argument="", pin=""):
        since = self.mark()
        self.do(verb=verb, argument=argument, pin=pin)
        return self.wait("answer", since)

    def pid(self):
        return [said["pid"] for said in self.told() if said["op"] == "start"][-1]


def told_all(home):
    """A seat is told everything, in order, and READY comes last."""
    home.guest("mika", "Title=Mika's PC\nAutostart=yes\n")
    home.guest("other", "")
    home.seat("study", "Guests=mika other\nVolume=55\n")
    home.start()
    seat = Seat(home, "study")
    seat.wait("ready")
    ops = [said["op"] for said in seat.told()]
    expect(ops[:2] == ["start", "hello"], "begins with %s" % ops[:2])
    before = ops[:ops.index("ready")]
    for op in ("sound", "guest", "show", "lock", "time"):
        expect(op in before, "%s is not among %s" % (op, before))
    expect(seat.wait("hello")["number"] == 1, "number")
    expect(seat.wait("sound")["volume"] == 55, "volume")
    guest = seat.wait("guest", name="mika", state=RUNNING)
    expect(guest["title"] == "Mika's PC", guest)
    expect(seat.wait("show")["id"] == guest["id"], "shows its own guest")
    expect(seat.wait("guest", name="other")["state"] == OFF, "the other is off")


def between_two(home):
    """A seat that shows mika and may show anna, both running; and their ids."""
    home.guest("mika")
    home.guest("anna")
    home.seat("study", "Guests=mika anna\n")
    home.start()
    seat = Seat(home, "study")
    ids = {name: seat.wait("guest", name=name, state=RUNNING)["id"] for name in ("mika", "anna")}
    seat.wait("ready")
    return seat, ids


def links(home):
    """A seat is joined with the guest that it shows, with no other, and with none behind a lock."""
    seat, ids = between_two(home)

    def given(name, kind=0):
        time.sleep(0.1)  # as a seat does
        since = seat.mark()
        seat.do(want=ids[name] if name in ids else 99, kind=kind)
        seat.ask(EXTEND, "0")  # once that is answered, so is what was asked before
        told = [said for said in seat.told(since) if said["op"] == "link"]
        expect(all(said["guest"] == ids[name] and said["kind"] == kind for said in told), told)
        return [said["peer"] for said in told]
    pids = {name: home.get("guest", name, "Pid") for name in ids}
    for kind in range(2):
        expect(given("mika", kind) == [pids["mika"]], "the guest that it shows")
        expect(given("anna", kind) == [], "one that it does not show")
    expect(given("nobody") == [], "one that there is not")
    expect(seat.ask(SWITCH, "anna")["result"] == 0, "switch")
    expect((given("mika"), given("anna")) == ([], [pids["anna"]]), "the one that it shows now")
    expect(seat.ask(LOCK)["result"] == 0, "lock")
    expect(given("anna") == [], "behind a lock")
    home.irori("unlock", "study")
    expect(given("anna") == [pids["anna"]], "unlocked")
    home.call("/guest/anna", "Guest", "Stop", "b", "true")
    home.wait_guest("anna", "off")
    expect(given("anna") == [], "one that is off")


def links_end(home):
    """What a seat can do with a link, and how long it has it."""
    seat, ids = between_two(home)
    given = [0]

    def take(name, kind):
        time.sleep(0.1)  # as a seat does
        since, number = seat.mark(), given[0]
        seat.do(want=ids[name], kind=kind)
        seat.wait("link", since)
        seat.wait("heard", since, link=number, opcode=0x8001)
        given[0] += 1
        return number

    def say(number, opcode, body=b""):
        since = seat.mark()
        seat.do(link=number, raw=(struct.pack("=HH", opcode, len(body)) + body).hex())
        return seat.wait("cut", since, link=number)

    def cuts():
        return {said["link"] for said in seat.told() if said["op"] == "cut"}
    pid = home.get("guest", "mika", "Pid")
    for kind in range(2):
        say(take("mika", kind), 1, struct.pack("=II64s", 2, 1 << 6, b"study"))  # HELLO with CONTROL
        say(take("mika", kind), 7, struct.pack("=III", 1, 0, 1))  # REQUEST: RESET
        say(take("mika", kind), 8)  # STAT
    expect(home.get("guest", "mika", "Reboots") == 0, "it was reset")
    for _ in range(20):
        first = take("mika", 0)
    expect(cuts() == set(range(first)), "all but the last: %s" % cuts())
    sound = take("mika", 1)
    expect(first not in cuts(), "the picture's is another one than the sound's")
    expect(seat.ask(SWITCH, "anna")["result"] == 0, "switch")
    switched, other = time.monotonic(), take("anna", 0)
    for number in (first, sound):
        late = seat.wait("cut", link=number)["t"] - switched
        expect(2.5 < late < 10, "a link to who was left ends after %.1f s" % late)
    expect(other not in cuts(), "the one that is shown")
    expect(home.get("guest", "mika", "Pid") == pid, "the guest went on")
    return "left for %.1f s" % late


def daemon_dies(home):
    """irorid killed with -9: nobody notices but it, and the next one finds them."""
    home.guest("mika")
    home.seat("study", "Guests=mika\n")
    home.start()
    seat = Seat(home, "study")
    seat.wait("guest", name="mika", state=RUNNING)
    home.irori("lock", "study")
    seat.wait("lock", locked=1)
    pids = home.get("guest", "mika", "Pid"), seat.pid()
    for _ in range(5):
        home.kill()
        since = seat.mark()
        begun = time.monotonic()
        home.start()
        seat.wait("ready", since)
        expect(home.get("guest", "mika", "Pid") == pids[0] and seat.pid() == pids[1], "found again")
        seat.wait("lock", since, locked=1)
        seat.wait("guest", since, name="mika", state=RUNNING)
        expect(time.monotonic() - begun < PATIENCE / 4, "soon")
    expect(home.get("guest", "mika", "Reboots") == 0, "no reboot")
    home.kill()
    os.rename(os.path.join(home.etc, "seats.d/study.conf"), os.path.join(home.etc, "seats.d/attic.conf"))
    home.start()
    Seat(home, "attic").wait("ready")
    wait(lambda: not os.path.exists("/proc/%d" % pids[1]), "the seat that is configured no more to end")
    expect(home.get("guest", "mika", "Pid") == pids[0], "its guest stays")


def seat_dies(home):
    """A seat's process killed with -9, again and again: back within a second each time."""
    home.guest("mika")
    home.seat("study", "Guests=mika\n")
    home.start()
    seat = Seat(home, "study")
    seat.wait("guest", name="mika", state=RUNNING)
    pid, slowest = home.get("guest", "mika", "Pid"), 0
    for i in range(20):
        since, begun = seat.mark(), time.clock_gettime(time.CLOCK_BOOTTIME)
        os.kill(seat.pid(), signal.SIGKILL)
        start = seat.wait("start", since)
        slowest = max(slowest, start["born"] - begun)  # irorid's part; the rest is Python's
        seat.wait("ready", since)
        time.sleep(0.1 * (i % 5))
    expect(slowest < 1, "a seat came back after %.2f s" % slowest)
    expect(home.get("guest", "mika", "Pid") == pid, "the guest has not noticed")
    return "at most %.0f ms" % (slowest * 1000)


def spare_takes_over(home):
    """A second process waits for each seat: it has the seat when the first dies, whatever irorid died before."""
    home.write("irori.conf", "[Irori]\nSpares=yes\n")
    home.guest("mika")
    home.seat("study", "Guests=mika\n")
    home.start()
    seats, slowest = [Seat(home, "study"), Seat(home, "study:2")], 0
    seats[0].wait("ready")
    for i in range(4):
        seat, spare = seats[i % 2], seats[1 - i % 2]
        wait(lambda: spare.greetings() == 1, "a spare")
        if i == 2:
            home.kill()
            home.start()
            wait(lambda: spare.greetings() == 2, "the spare is found again")
        expect(home.get("seat", "study", "Pid") == seat.pid(), "who has the seat")
        expect(not [said for said in spare.last() if said["op"] not in ("start", "hello", "lost")],
               "the spare is told nothing: %s" % spare.last())
        since, pid, begun = spare.mark(), seat.pid(), time.monotonic()
        os.kill(pid, signal.SIGKILL)
        slowest = max(slowest, spare.wait("ready", since)["t"] - begun)
        wait(lambda: seat.pid() != pid, "a new spare")
    return "at most %.0f ms" % (slowest * 1000)


def seat_goes_wrong(home):
    """A seat that says nonsense, and one that hangs."""
    home.guest("mika", "")
    home.seat("study")
    home.start()
    seat = Seat(home, "study")
    seat.wait("ready")
    for raw in ("00", "0380", "ffff0000", "0280" "0000", "01000000"):
        since = seat.mark()
        seat.do(raw=raw)
        seat.wait("start", since)  # it was killed
        seat.wait("ready", since)
    pid, since = seat.pid(), seat.mark()
    seat.do(deaf=True)
    # Told without end, it is given up; deaf as it is, it does not say WELCOME either.
    def noise():
        for _ in range(200):
            home.call("", "Manager", "Identify")
            if seat.mark() > since and seat.pid() != pid:
                return True
    wait(noise, "another process", 4 * PATIENCE)
    seat.wait("ready", since)


def guest_dies(home):
    """A guest killed with -9 is started again; one that switches itself off is not."""
    home.guest("mika")
    home.guest("once", "Autostart=yes\nRestart=no\n")
    home.seat("study", "Guests=mika once\n")
    home.start()
    seat = Seat(home, "study")
    for name in ("mika", "once"):
        seat.wait("guest", name=name, state=RUNNING)
    for _ in range(3):
        pid, since = home.get("guest", "mika", "Pid"), seat.mark()
        os.kill(pid, signal.SIGKILL)
        seat.wait("guest", since, name="mika", state=STARTING)
        seat.wait("guest", since, name="mika", state=RUNNING)
        expect(home.get("guest", "mika", "Pid") not in (0, pid), "another process")
    os.kill(home.get("guest", "once", "Pid"), signal.SIGKILL)
    home.wait_guest("once", "off")
    home.call("/guest/mika", "Guest", "Stop", "b", "true")
    home.wait_guest("mika", "off")
    time.sleep(1)
    expect(home.get("guest", "mika", "State") == "off", "it stays off")
    home.call("/guest/mika", "Guest", "Start")
    home.wait_guest("mika", "running")
    pid = home.get("guest", "mika", "Pid")
    home.call("/guest/mika", "Guest", "Stop", "b", "true")
    home.call("/guest/mika", "Guest", "Start")  # while it is still on its way out
    wait(lambda: home.get("guest", "mika", "Pid") not in (0, pid), "started again")
    home.wait_guest("mika", "running")
    home.call("/guest/mika", "Guest", "Stop", "b", "true")
    home.wait_guest("mika", "off")
    since = seat.mark()
    expect(seat.ask(SWITCH, "mika")["result"] == 0, "switching starts it")
    seat.wait("guest", since, name="mika", state=RUNNING)
    expect(seat.ask(RESTART, "mika")["result"] == 0, "restart")
    wait(lambda: home.get("guest", "mika", "Reboots") == 1, "a reboot")


def bus(home):
    """D-Bus as it says of itself: every property can be read, verbs do what they say, changes are told."""
    home.guest("mika")
    home.guest("an-na.2", "")
    home.seat("study", "Guests=mika an-na.2\n")
    home.seat("kitchen")
    home.write("people.d/mum.conf", "[Person]\nParent=yes\n")
    home.start()
    seat = Seat(home, "study")
    seat.wait("guest", name="mika", state=RUNNING)
    watch = subprocess.Popen(["gdbus", "monitor", "--session", "--dest", "org.irori.Irori1"],
                             stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    status, out = home.call("", "Manager", "ListSeats")
    expect(status == 0 and "kitchen" in out and "/org/irori/Irori1/seat/study" in out, out)
    status, out = home.call("", "Manager", "ListGuests")
    expect(status == 0 and "/org/irori/Irori1/guest/an_2dna_2e2" in out, out)
    status, out = home.call("", "Manager", "GetSeat", "s", "nobody")
    expect(status and "no such seat" in out, out)
    for path in ("", "/seat/study", "/guest/an_2dna_2e2"):
        done = subprocess.run(["gdbus", "introspect", "--session", "--dest", "org.irori.Irori1", "--object-path",
                               "/org/irori/Irori1" + path, "--only-properties"], capture_output=True, text=True)
        expect(done.returncode == 0 and "readonly" in done.stdout, done.stderr)
        without = [line for line in done.stdout.splitlines() if "readonly" in line and "=" not in line]
        expect(not without, "properties without a value: %s" % without)
    done = subprocess.run(["busctl", "--user", "call", "org.irori.Irori1", "/org/irori/Irori1",
                           "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"],
                          capture_output=True, text=True)
    expect(done.returncode == 0 and done.stdout.count("org.irori.Irori1.Seat") == 2, done.stderr)
    since = seat.mark()
    home.irori("switch", "study", "an-na.2")
    seat.wait("show", since, id=seat.wait("guest", name="an-na.2")["id"])
    expect(home.irori("switch", "study", "nobody", check=False) is None, "no such guest")
    home.irori("identify")
    seat.wait("identify", since, on=1, seconds=10)
    home.irori("lock", "study")
    seat.wait("lock", since, locked=1)
    expect(seat.ask(SWITCH, "mika")["result"] < 0, "locked")
    home.irori("unlock", "study")
    seat.wait("lock", since, locked=0)
    home.irori("attach", "study", "pci-0000:00:1d.0-usb-0:1.2")
    with open(os.path.join(home.etc, "seats.d/study.conf")) as file:
        expect("pci-0000:00:1d.0-usb-0:1.2" in file.read(), "written")
    expect(home.irori("attach", "study", "x\nGuests=", check=False) is None, "a place and nothing else")
    home.irori("attach", "kitchen", "pci-0000:00:1d.0-usb-0:1.2")
    expect(home.get("seat", "study", "Inputs") == [], "taken from the other")
    status = json.loads(home.irori("status", "study", "--json"))
    expect(status["guest"] == "an-na.2" and status["up"], status)
    expect(len(json.loads(home.irori("seats", "--json"))) == 2, "seats")
    seat.do(state={"width": 800, "height": 600, "outputs": 1, "flags": 2})
    wait(lambda: home.get("seat", "study", "MicrophoneOpen"), "the microphone")
    home.irori("pin", "mum", "--config", home.etc, input="2468\n")
    wait(lambda: "Pin" not in home.irori("seats"), "reloaded")
    home.write("seats.d/attic.conf", "[Seat]\nOutputs=nowhere:attic\n")
    home.call("", "Manager", "Reload")
    Seat(home, "attic").wait("ready")
    os.unlink(os.path.join(home.etc, "seats.d/attic.conf"))
    home.call("", "Manager", "Reload")
    time.sleep(0.5)
    watch.terminate()
    told = watch.communicate()[0]
    for signal_name in ("SeatNew", "SeatRemoved", "InterfacesAdded", "InterfacesRemoved", "'ActiveGuest'",
                        "'Locked'", "'State'", "'MicrophoneOpen'"):
        expect(signal_name in told, "%s was not told" % signal_name)


def budget(home):
    """Time runs out: warned, frozen, wrong PINs are slowed down, a parent's lets it go on; all of it over
    irorid's death."""
    home.write("people.d/mika.conf", "[Person]\nTitle=Mika\nBudget=10\nWarnings=1\n")
    home.write("people.d/mum.conf", "[Person]\nParent=yes\n")
    home.guest("mika", "Person=mika\nAutostart=yes\n")
    home.seat("study", "Guests=mika\n")
    home.irori("pin", "mum", "--config", home.etc, input="2468\n")
    today = (datetime.date.today() - datetime.date(1970, 1, 1)).days
    if datetime.datetime.now().hour < 4:
        print("  (before 04:00)")
    os.makedirs(os.path.join(home.state, "usage"))
    used = 10 * 60 * 1000000 - 6 * 1000000
    with open(os.path.join(home.state, "usage", "mika"), "w") as file:
        file.write("irori usage 1\nday %d\nused_us %d\nextra_us 0\nextra_until_s 0\nfree_until_s 0\nwarned 0\n"
                   % (today, used))
    home.start()
    seat = Seat(home, "study")
    seat.wait("guest", name="mika", state=RUNNING)
    seat.wait("notice", kind=1)
    expect(seat.wait("time")["person"] == "Mika", "whose time")
    seat.wait("time", frozen=1, seconds=30)
    seat.wait("guest", name="mika", state=FROZEN)
    # It is told as frozen when it was ordered to be.
    wait(lambda: '"paused"' in home.irori("stat", "--once", "--json", os.path.join(home.run, "guests/mika.sock")),
         "mika to stand still")
    home.kill()
    since = seat.mark()
    home.start()
    seat.wait("time", since, frozen=1)
    seat.wait("guest", since, name="mika", state=FROZEN)
    for _ in range(3):
        expect(seat.ask(EXTEND, "15", "1111")["result"] == -13, "a wrong PIN")
    expect(seat.ask(EXTEND, "15", "2468")["result"] == -16, "too many tries")
    time.sleep(2.2)
    since = seat.mark()
    expect(seat.ask(EXTEND, "nonsense", "2468")["result"] == -22, "minutes")
    answer = seat.ask(EXTEND, "15", "2468")
    expect(answer["result"] == 0, answer)
    seat.wait("time", since, frozen=0)
    seat.wait("guest", since, name="mika", state=RUNNING)
    left = seat.wait("time", since, frozen=0)["left_us"]
    expect(14 * 60e6 < left <= 15 * 60e6 + 1e6, "left: %d" % left)
    home.irori("extend", "mika", "tonight")
    expect(json.loads(home.irori("status", "study", "--json")).get("time_left_s", 1e9) > 900, "tonight")


def pins(home):
    """A PIN keeps others out from the start, and one's own is no help in trying a parent's."""
    home.write("people.d/mika.conf", "[Person]\n")
    home.write("people.d/mum.conf", "[Person]\nParent=yes\n")
    home.irori("pin", "mika", "--config", home.etc, input="1357\n")
    home.irori("pin", "mum", "--config", home.etc, input="2468\n")
    home.guest("mika", "Person=mika\n")
    home.seat("study", "Guests=mika\n")
    home.start()
    seat = Seat(home, "study")
    seat.wait("lock", locked=1)
    expect(seat.ask(SWITCH, "mika")["result"] < 0, "locked")
    for pin, result in (("1111", -13), ("2222", -13), ("1357", 0), ("3333", -13), ("2468", -16)):
        answer = seat.ask(UNLOCK, "", pin)
        expect(answer["result"] == result, "%s: %s" % (pin, answer))
        if not result:
            expect(seat.ask(LOCK)["result"] == 0, "lock")
    time.sleep(2.2)
    expect(seat.ask(UNLOCK, "", "2468")["result"] == 0, "a parent's")


def nobody(home):
    """A guest whose person is not configured does not start, and stands still if it runs; when limits are lifted,
    what was frozen goes on."""
    home.guest("mika", "Person=mikka\nAutostart=yes\n")
    home.seat("study", "Guests=mika\n")
    home.start()
    seat = Seat(home, "study")
    seat.wait("ready")
    expect(home.get("guest", "mika", "State") == "off", "it is off")
    expect("there is no person mikka" in home.get("guest", "mika", "Why"), "says why")
    expect("there is no person mikka" in home.irori("status", "study"), "so does irori status")
    answer = seat.ask(START, "mika")
    expect(answer["result"] == -1 and "mikka" in answer["text"], answer)
    expect(seat.ask(RESTART, "mika")["result"] == -1, "restart")
    expect(seat.ask(SWITCH, "mika")["result"] == -1, "switch")
    status, out = home.call("/guest/mika", "Guest", "Start")
    expect(status and "mikka" in out, out)
    home.write("people.d/mikka.conf", "[Person]\n")
    home.call("", "Manager", "Reload")
    home.call("/guest/mika", "Guest", "Start")
    home.wait_guest("mika", "running")
    os.unlink(os.path.join(home.etc, "people.d/mikka.conf"))
    home.call("", "Manager", "Reload")
    home.wait_guest("mika", "frozen")
    home.write("people.d/mikka.conf", "[Person]\nHours=%s\n" % (
        "0:00-1:00" if 2 < datetime.datetime.now().hour < 22 else "11:00-12:00"))
    home.call("", "Manager", "Reload")
    home.wait_guest("mika", "frozen")
    home.write("people.d/mikka.conf", "[Person]\n")
    home.call("", "Manager", "Reload")
    home.wait_guest("mika", "running")


def reload(home):
    """Mode=, Chord= and a seat's number count when they are read, and no seat is started anew for that."""
    home.guest("mika", "")
    home.seat("attic")
    home.seat("study", "Mode=800x600\n")
    home.start()
    study = Seat(home, "study")
    study.wait("ready")
    expect(study.wait("settings", number=2, width=800, height=600)["key0"] == 29, "the left Ctrl")
    pid, since = study.pid(), study.mark()
    home.seat("study", "Mode=1024x768\nChord=alt+alt_r\n")
    home.call("", "Manager", "Reload")
    study.wait("settings", since, width=1024, height=768, key0=56, key1=100)
    since = study.mark()
    home.seat("kitchen")
    home.seat("study", "Chord=none\n")
    home.call("", "Manager", "Reload")
    study.wait("settings", since, number=3, width=0, height=0, key0=0, key1=0)
    expect(study.pid() == pid, "the same process")


def everything_off(home):
    """All guests are switched off in order; one that does not listen is switched off all the same."""
    home.guest("mika")
    home.guest("anna")
    home.seat("study")
    home.start()
    for name in ("mika", "anna"):
        home.wait_guest(name, "running")
    home.irori("poweroff", "--guests")
    for name in ("mika", "anna"):
        expect(home.get("guest", name, "State") == "off", name)
    since = Seat(home, "study").mark()
    home.call("/guest/mika", "Guest", "Start")
    home.wait_guest("mika", "running")
    expect(since > 0, "the seat is there")


def poweroff_refused(home):
    """The PC that systemd does not switch off: irorid stays, guests stay off, seats are told, and it can be tried
    again. As on a PC with systemd that the bus does not know."""
    private = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec \"$@\""
    within = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "sh", "-c"]
    if subprocess.run([*within, private, "sh", "true"], capture_output=True).returncode:
        return "left out: no mount namespaces here"
    home.guest("mika")
    home.seat("study", "Guests=mika\n")
    home.start([*within, private, "sh"])
    seat = Seat(home, "study")
    seat.wait("ready")
    for again in range(2):
        home.wait_guest("mika", "running")
        since = seat.mark()
        home.irori("poweroff")
        seat.wait("notice", since, text="The PC switches off")
        seat.wait("notice", since, text="The PC could not be switched off. Try again")
        time.sleep(1)
        expect(home.daemon.poll() is None, "irorid stays")
        expect(home.get("guest", "mika", "State") == "off", "the guest stays off")
        home.call("/guest/mika", "Guest", "Start")
    home.wait_guest("mika", "running")
    expect("could not be switched off" in home.log(), "logged")


CASES = [told_all, links, links_end, daemon_dies, seat_dies, spare_takes_over, seat_goes_wrong, guest_dies, bus,
         budget, pins, nobody, reload, everything_off, poweroff_refused]


def main():
    programs, names = [os.path.abspath(p) for p in sys.argv[1:6]], sys.argv[6:]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm is not there for us")
        sys.exit(77)
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        os.execvp("dbus-run-session", ["dbus-run-session", "--", sys.executable, *sys.argv])
    failed = 0
    for case in CASES:
        if names and case.__name__ not in names:
            continue
        home, begun = Household(programs), time.monotonic()
        try:
            more = case(home)
            print("ok %s (%.1f s)%s" % (case.__name__, time.monotonic() - begun, ": " + more if more else ""),
                  flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            failed += 1
            print("FAILED %s: %s\n%s" % (case.__name__, error, home.log()), flush=True)
        home.clean()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

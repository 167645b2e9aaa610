"""The demonstration on two seats: one guest reboots ten times, the other plays a film without losing a picture.

Both are Hearth, as in ./dev demo. The demonstration's own clip is more than an emulated processor
decodes: theater plays one of its own (guest/film.h), at a rate that leaves the emulated PC some air.
What counts is counted where it happens. The player leaves out what it has no time for, and hears from
its seat when each picture was on the screen: lost, late. The seat counts what it never showed because
something newer came: skipped. Screendumps show the counts, and that pictures are whole and those of their
numbers. In the end as many pictures were flipped as the player had presented, to the last one.

Control: the same ten reboots, with Irori's priorities taken away: irorid stands still (it is not stopped: it
lends the seats their monitors), every thread of both guests is of one class, and in one control group.
"""
import time

import seat_pc
from errors import LabError, patience
from household import Household

group = "seats"
kind = "seats"
hardware = seat_pc.household()
devices = hardware.lines

FPS = 3          # a picture: what an emulated PC holds when its host looks away
LOOK = 0.25      # seconds between looks: they cost time of the PC that is looked at
LOAD = 20        # percent of one processor that the film takes: of this PC as it is, however slow it is emulated
REBOOTS = 10
VCPUS = 8        # of the guest that reboots: more than the PC has for both
BOOT = 1500      # ms of work in its boot, twice, for one processor
GOES_ON = 12     # frames that it shows before it is reset again
SETTLES = 5      # seconds
REPORT = 11      # seconds until a seat has told its counts for sure


def run(pc):
    house = Household(pc, hardware)
    house.hands.monitor_plug("g0", 1)
    theater = house.seat("theater", ("g0", 0), ["k0", "m0"], "s0",
                         house.probe("theater", (160, 96, 32), 440, guest="Class=video",
                                     options="probe.fps=%d probe.load=%d" % (FPS, LOAD)))
    study = house.seat("study", ("g0", 1), ["k1", "m1"], "s1",
                       house.probe("study", (32, 96, 160), guest="Vcpus=%d" % VCPUS,
                                   options="cpus=%d probe.boot=%d" % (VCPUS, BOOT)))
    house.file("/etc/systemd/system/irorid.service.d/lab.conf", "[Service]\nWatchdogSec=0\n")  # see unmanage()
    house.start()
    house.wait_shown(theater)
    time.sleep(SETTLES)
    house.hands.tap(theater.keyboard, "s")  # with the PC to itself it finds out what its film may cost
    time.sleep(SETTLES)
    house.pc.run("irori switch study study", check=True)
    house.wait_shown(study, 60)
    said = house.check_all()
    account = Account(house, theater)
    ours = Leg(house, theater, study)
    account.close()
    ours.check()
    house.check_all()
    unmanage(house, theater, study)
    control = Leg(house, theater, study)
    if not control.lost + control.late:
        raise LabError("without priorities nothing is lost either (%s): this shows nothing" % control)
    return "%s; %s; %s; without priorities: %s" % (said, ours, account, control)


class Account:
    """Pictures that the guest has presented, by their numbers, against those that were flipped, by the
    seat's count: told when the guest stands still."""

    def __init__(self, house, seat):
        self.house, self.seat = house, seat
        self.presented, self.flipped, self.skipped = self.read()

    def read(self):
        self.house.pc.run("irori pause %s" % self.seat.name, check=True)
        time.sleep(REPORT)
        rows, said = self.house.read(self.seat, torn=True), self.house.status(self.seat)
        self.house.pc.run("irori resume %s" % self.seat.name, check=True)
        return rows["frames"] - rows["lost"], said["frames"], said["frames_skipped"]

    def close(self):
        presented, flipped, skipped = self.read()
        self.presented, self.flipped = presented - self.presented, flipped - self.flipped
        if self.presented != self.flipped or skipped != self.skipped:
            raise LabError("theater presented %d pictures, its monitor showed %d, %d were skipped" % (
                self.presented, self.flipped, skipped - self.skipped))

    def __str__(self):
        return "%d pictures presented, %d flipped" % (self.presented, self.flipped)


class Leg:
    """REBOOTS of the study, and what became of the theater's pictures meanwhile."""

    def __init__(self, house, theater, study):
        self.house, self.theater = house, theater
        self.looks = self.torn = 0
        house.hands.tap(theater.keyboard, "c")  # the latest is counted from now on
        time.sleep(patience(2))
        first = self.look()
        self.boots = []
        for _ in range(REBOOTS):
            self.boots.append(self.reboot(study))
        last = self.look()
        self.frames = last["frames"] - first["frames"]
        self.lost, self.late = last["lost"] - first["lost"], last["late"] - first["late"]
        self.worst, self.depth = last["worst"], last["depth"]

    def look(self):
        self.looks += 1
        rows = self.house.read(self.theater, torn=True)
        if not rows:
            raise LabError("seat theater does not show its guest\n" + self.house.log())
        self.torn += rows["torn"] > 0
        return rows

    def reboot(self, study):
        """Until it knows of no key any more and has gone on for a while. Seconds it took."""
        self.house.hands.tap(study.keyboard, "b")
        self.house.pc.wait_until(lambda: self.house.row(study, "keys"), 20, "a key at seat study")
        began = time.monotonic()
        self.house.pc.run("irori reset study", check=True)
        while True:
            time.sleep(LOOK)
            self.look()
            now = self.house.read(study)
            if now and now["keys"] == 0 and now["frames"] >= GOES_ON:
                return time.monotonic() - began
            if time.monotonic() - began > patience(60):
                raise LabError("study did not come back after a reset\n" + self.house.log())

    def check(self):
        if self.lost or self.late or self.torn or self.worst > 1000 / FPS:
            raise LabError("theater lost pictures while study rebooted: %s" % self)

    def __str__(self):
        return ("%d reboots of %.1f s, at %d pictures a second %d of %d left out, %d late, the latest by %d ms of %d "
                "(%d of %d screendumps torn, depth %d)" % (
                    len(self.boots), sum(self.boots) / len(self.boots), FPS, self.lost,
                    self.frames, self.late, self.worst, 1000 / FPS, self.torn, self.looks, self.depth))


def unmanage(house, theater, study):
    """Nobody comes first: what a PC with two plain monitors would do."""
    pids = [house.guest_pid(each.name) for each in (theater, study)]
    house.pc.run("kill -STOP $(systemctl show -P MainPID irorid) && chrt --all-tasks --other --pid 0 %d && "
                 "chrt --all-tasks --other --pid 0 %d && for t in /proc/%d/task/* /proc/%d/task/*; do "
                 "renice -n 0 -p ${t##*/}; done && "
                 "echo %d >/sys/fs/cgroup$(cut -d: -f3 /proc/%d/cgroup)/cgroup.procs" % (
                     *pids, *pids, *pids), check=True)

#!/usr/bin/env python3
"""irori check: what irorid and irori-vmm would complain of, with file and line, before anything runs.

usage: check_test.py IRORI
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

IRORI = os.path.abspath(sys.argv[1])
GOOD = {
    "etc/irori/irori.conf": "[Irori]\nShutdownSeconds=30\n",
    "etc/irori/people.d/anna.conf": "[Person]\nTitle=Anna\n",
    "etc/irori/guests.d/a.conf": "[Guest]\nName=a\n[Disk system]\nPath=/srv/guests/a.img\n"
                                 "[Household]\nPerson=anna\nSeats=seat1\n",
    "srv/guests/a.img": "\0" * 4096,
}


def check(files, *arguments, root=True, irori=IRORI):
    """Status and what is said, the folder's own name left out."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            place = pathlib.Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        where = ("--root", folder) if root else ("--config", os.path.join(folder, "etc/irori"))
        done = subprocess.run([irori, "check", *where, *arguments], capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).replace(folder, "")


def expect(what, files, status, *words, **more):
    got, said = check(files, **more)
    assert got == status, (what, got, said)
    for word in words:
        assert word in said, (what, word, said)
    print("ok", what)


def guest(*lines):
    return dict(GOOD, **{"etc/irori/guests.d/a.conf": "[Guest]\nName=a\n" + "\n".join(lines) + "\n"})


def with_monitor(script, *words):
    """irori as in a build folder, with an irori-vmm that is a script."""
    with tempfile.TemporaryDirectory() as build:
        for folder in ("ui", "vmm"):
            os.mkdir(os.path.join(build, folder))
        pathlib.Path(build, "build.ninja").touch()
        irori = shutil.copy(IRORI, os.path.join(build, "ui", "irori"))
        program = pathlib.Path(build, "vmm", "irori-vmm")
        program.write_text(script)
        program.chmod(0o755)
        expect("irori-vmm is %r" % script, GOOD, 78, "/etc/irori/guests.d/a.conf: not checked: ", *words, irori=irori)


def main():
    with_monitor("#!/nonexistent\n", "irori-vmm", "No such file")
    with_monitor("#!/bin/sh\nkill -SEGV $$\n", "signal 11")
    expect("all is good", GOOD, 0, "1 guest, 0 seats, 1 person")
    expect("a file that is not there", guest("[Disk a]", "Path=/srv/b.img"), 78,
           "/etc/irori/guests.d/a.conf:4: Path=/srv/b.img: No such file")
    expect("the same, of this system", guest("[Cd]", "Path=/nonexistent/x.iso"), 78, "a.conf:4: Path=", root=False)
    expect("a device is the other system's", guest("[Disk a]", "Path=/dev/nonexistent"), 0)
    expect("a relative path", dict(guest("[Disk a]", "Path=a.img"), **{"etc/irori/guests.d/a.img": "\0" * 512}), 0)
    expect("a disk that is not what it seems", dict(GOOD, **{"srv/guests/a.img": "QFI\x7f"}), 78, "a.img")
    expect("a key that is none", guest("Memroy=1G"), 78, "a.conf:3:", "Memroy")
    expect("a value", dict(GOOD, **{"etc/irori/people.d/anna.conf": "[Person]\nBudget=x\n"}), 78, "anna.conf:2:")
    expect("a person who is none", guest("[Household]", "Person=nobody"), 78, "no person nobody")
    expect("a seat that is none", dict(GOOD, **{"etc/irori/seats.d/seat2.conf": "[Seat]\n"}), 78, "no seat seat1")
    expect("irori.conf", dict(GOOD, **{"etc/irori/irori.conf": "[Irori]\nSpares=maybe\n"}), 78, "irori.conf:2:")
    expect("all that is wrong", dict(guest("[Disk a]", "Path=/b"), **{
        "etc/irori/people.d/anna.conf": "[Person]\nHours=x\n"}), 78, "anna.conf:2:", "a.conf:4:")
    expect("nothing is there", {}, 66, "not a folder")


main()

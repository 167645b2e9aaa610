#!/usr/bin/env python3
"""A seat with a machine: irori-vmm on /dev/kvm with the demonstration's desktop. Its picture comes, what is
typed is seen, it restarts and the seat stays.

usage: hearth.py SEAT_HEADLESS IRORI_VMM KERNEL INITRD

Exit status 77: no /dev/kvm here.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / 'audio')]
from session import Seat, check  # noqa: E402
from sound import reset  # noqa: E402

CONFIG = """[Guest]
Name=desk
Memory=256M
Vcpus=1
Kernel={kernel}
Initrd={initrd}
Socket={folder}/desk.sock
CommandLine=init=/desktop cpus=1 boot_ms=200 desktop_ms=0

[Gpu]
Width=1280
Height=720

[Console]
Output=stdout
"""

BLOCK = 16


def blocks(before, after):
    """Which squares of the two pictures differ."""
    (width, height, a), (_, _, b) = before, after
    changed = set()
    for y in range(0, height, 4):
        row = y * width * 3
        for x in range(0, width, BLOCK):
            at = row + x * 3
            if a[at:at + BLOCK * 3] != b[at:at + BLOCK * 3]:
                changed.add((x // BLOCK, y // BLOCK))
    return changed


def start(vmm, kernel, initrd, folder):
    config = folder / 'desk.conf'
    config.write_text(CONFIG.format(kernel=os.path.abspath(kernel), initrd=os.path.abspath(initrd),
                                    folder=folder))
    return subprocess.Popen([vmm, str(config)], stdout=open(folder / 'vmm.log', 'wb'),
                            stderr=subprocess.STDOUT)


def is_alive(seat):
    picture = seat.look()
    return picture and len(set(picture[2][::997])) > 20


def typing(seat):
    """What changes by itself does not count."""
    seat.until(lambda: is_alive(seat), 'the desktop', 60)
    time.sleep(4)   # the hint is gone
    first = seat.look()
    time.sleep(1)
    restless = blocks(first, seat.look())
    before = seat.look()
    seat.press('A', 'B', 'A', 'B')
    seat.until(lambda: blocks(before, seat.look()) - restless, 'what is typed')
    before = seat.look()
    seat.do('move 0.2 0.8')
    seat.until(lambda: blocks(before, seat.look()) - restless, 'the pointer')


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('SKIP: no /dev/kvm')
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix='irori-seat-') as name:
        folder = pathlib.Path(name)
        machine = start(*sys.argv[2:5], folder)
        seat = Seat(sys.argv[1], folder, '--guest', folder / 'desk.sock')
        try:
            typing(seat)
            # It restarts: the seat stays, and what is typed then is seen.
            frames, log = seat.state()['flips'], folder / 'vmm.log'
            booted = log.read_text().count('booted')
            reset(folder / 'desk.sock')
            seat.until(lambda: log.read_text().count('booted') > booted, 'the restart', 60)
            check(seat.has('GUEST'), 'the restart threw the seat out')
            typing(seat)
            print(f'{seat.state()["flips"] - frames} frames later')
        finally:
            seat.kill()
            machine.kill()
            print((folder / 'vmm.log').read_text())


if __name__ == '__main__':
    main()

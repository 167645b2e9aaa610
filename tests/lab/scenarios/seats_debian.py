"""Debian's console on a seat: seen on the monitor, typed into through the seat's keyboard."""
import guests
import seat_pc
from errors import LabError
from household import Household, Probe

group = "seats"
kind = "seats"
systems = ["debian"]
hardware = seat_pc.household()
devices = hardware.lines

# The console of the first virtual terminal, as a person sees it; what was typed there is said on COM1.
JOB = r"""
systemctl stop getty@tty1
modprobe virtio-gpu; modprobe virtio_input; modprobe evdev
for n in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/fb0 ] && break; sleep 1; done
echo "irori: type a line" >/dev/tty1
for n in $(seq 500); do echo "line $n of a screen that is seen" >/dev/tty1; [ $n = 20 ] && break; done
echo CONSOLE-READY
read line </dev/tty1
echo "TYPED $line"
sleep 600
"""
CONFIG = """[Guest]
Name=deb
Memory=512M
{lines}
[Disk root]
Path=/guests/debian/debian.img

[Disk job]
Path={job}

[Household]
Autostart=yes
"""


def run(pc):
    house = Household(pc, hardware)
    job = guests.debian_job(pc, "console", JOB)
    house.file("/etc/irori/guests.d/deb.conf", CONFIG.format(lines=guests.debian_direct(), job=job))
    house.seat("desk", ("g0", 0), ["k0", "m0"], "s0", Probe("deb", (0, 0, 0), 0, (1024, 768)))
    house.start()
    pc.wait_until(lambda: "CONSOLE-READY" in com1(pc), 240, "Debian to boot on a seat\n" + house.log())
    house.hands.look_until("g0", 0, lambda p: p.lit() > 0.01 and p.colours() > 1, 30, "a console")
    for key in "h e l l o spc i r o r i ret".split():
        house.hands.tap("k0", key)
    pc.wait_until(lambda: "TYPED" in com1(pc), 20, "what was typed\n" + com1(pc)[-500:])
    if "TYPED hello irori" not in com1(pc):
        raise LabError("expected \"hello irori\" to be typed, found\n" + com1(pc)[-500:])
    house.hands.look("g0", 0, "debian")
    return "seen and typed into"


def com1(pc):
    """irorid has a guest's COM1 in the journal."""
    return pc.run("journalctl -b --no-pager -o cat | grep -a -E 'CONSOLE-READY|TYPED|GUEST-' || true")[1]

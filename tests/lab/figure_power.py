"""From the PC's power-on to the first pixel of a guest on its seat's monitor, the household as it was configured before.

The PC is reset as its button does: kernel, the lab's initramfs, systemd, irorid, seat and guest follow.
"""
import time

from errors import patience
from figure import Figure

SECONDS = 180
STAY = ("mkdir -p /usr/local/share/lab && cp /run/lab/probe.cpio /usr/local/share/lab/ && "
        "sed -i 's,/run/lab/,/usr/local/share/lab/,' /etc/irori/guests.d/*.conf && sync")


def shown(house, seat):
    try:
        return house.read(seat) is not None
    except (OSError, ValueError, RuntimeError):
        return False  # a monitor that is not there yet, or of another size


def measure(house, seat):
    """Ends the PC as the lab knows it: commands are not taken afterwards."""
    house.pc.run(STAY, check=True)
    house.pc.qmp("set-action", reboot="reset")
    began = time.monotonic()
    house.pc.qmp("system_reset")
    dark = False
    while time.monotonic() < began + patience(SECONDS):
        up = shown(house, seat)
        dark = dark or not up   # what was there before goes first
        if dark and up:
            return [Figure("power-on to guest's first pixel", "s", [time.monotonic() - began],
                           why="no household of its own")]
        time.sleep(0.1)
    house.hands.look(*seat.monitor, name="power-last")
    return [Figure("power-on to guest's first pixel", "s", [])]

"""How even a film is on a seat's monitor, by the PC's kernel: when each of its pictures was flipped. And how many were lost."""
import time

from errors import patience
from figure import Figure
from ftrace import Trace

SECONDS = 20
REPORT = 11      # until a seat has told its counts for sure
WHY = "7.2 in Debian has no display on KMS"


def measure(house, seat, fps):
    """`seat` plays a film of `fps`; the other seats play slower ones, or none."""
    time.sleep(patience(1))
    first, said = house.read(seat), house.status(seat)
    trace = Trace(house.pc, {"drm/drm_vblank_event_delivered": ""})
    time.sleep(SECONDS)
    events = trace.stop()
    last = house.read(seat)
    time.sleep(REPORT)
    skipped = house.status(seat)["frames_skipped"] - said["frames_skipped"]
    crtcs = {}
    for event in events:
        crtcs.setdefault(event.number("crtc"), []).append(event.seconds)
    flips = max(crtcs.values(), key=len, default=[])
    gaps = [(b - a) * 1000 for a, b in zip(flips, flips[1:])]
    pictures = last["frames"] - first["frames"]
    lost = last["lost"] - first["lost"] + skipped
    return [Figure("flip to flip, off its %d ms by" % (1000 / fps), "ms", [abs(each - 1000 / fps) for each in gaps],
                   why=WHY, least=SECONDS * fps // 4),
            Figure("pictures lost, of %d" % pictures, "", [lost], why=WHY)]

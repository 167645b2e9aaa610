"""A guest's tone in the recording of its seat's sound card: how long after a key it changes, and breaks in it.

While a key is down the guest plays another tone (probe.note=). The card's recording grows as it plays, so
when a sample was played is known to some 20 ms. The guest writes 240 ms ahead of what is played: that is in it.
"""
import os
import time

import wav
from errors import LabError
from figure import Figure

NOTES = 6
HOLD = 1.5       # seconds
STEP = wav.RATE // 400
WINDOW = 4 * STEP
BREAK_MS = 5     # the tone is never as quiet for so long
WHY = "7.2 has no virtio-snd, which the guest plays on"


class Growth:
    """When how much of a recording was there."""

    def __init__(self, path):
        self.path, self.marks = path, []

    def watch(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            length = wav.length(self.path)
            if not self.marks or length != self.marks[-1][1]:
                self.marks.append((time.monotonic(), length))
            time.sleep(0.005)

    def when(self, byte):
        return next((at for at, length in self.marks if length > byte), None)


def onset(heard, hz):
    """The first sample at which this tone is half as loud as it gets. None: it is not there."""
    loudness = [(at, wav.analysis.amplitude(heard.left[at:at + WINDOW], hz))
                for at in range(0, len(heard.left) - WINDOW, STEP)]
    most = max((each for _, each in loudness), default=0)
    return next((at for at, each in loudness if most > 1000 and each > most / 2), None)


def breaks(samples, peak):
    """Milliseconds of each time without the tone."""
    found, quiet = [], 0
    for x in samples:
        if abs(x) > peak // 4:
            if quiet * 1000 > BREAK_MS * wav.RATE:
                found.append(quiet * 1000 / wav.RATE)
            quiet = 0
        else:
            quiet += 1
    return found


def measure(house, seat, note):
    path = os.path.join(house.pc.folder, seat.sound + ".wav")
    begin, late = wav.length(path), []
    for _ in range(NOTES):
        mark, growth = wav.length(path), Growth(path)
        pressed = time.monotonic()
        house.hands.press(seat.keyboard, "a")
        growth.watch(HOLD)
        house.hands.release(seat.keyboard, "a")
        at = onset(wav.Heard(path, mark, seat.sound), note)
        when = growth.when(mark + at * wav.FRAME) if at is not None else None
        if when:
            late.append((when - pressed) * 1000)
        time.sleep(HOLD)
    heard = wav.Heard(path, begin, seat.sound)
    if heard.is_quiet():
        raise LabError("sound card %s is quiet" % seat.sound)
    gaps = breaks(heard.left, heard.peak)
    return [Figure("sound: key to another tone at the card", "ms", late, why=WHY, least=NOTES // 2),
            Figure("sound: breaks in %.0f s" % heard.seconds, "", [len(gaps)], why=WHY),
            Figure("sound: silence in it", "ms", [sum(gaps)], why=WHY)]

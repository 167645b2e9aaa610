"""What an emulated sound card played, from the file that QEMU writes: which tones are in it, and gaps.

QEMU writes while the card's stream runs and no longer, so a file's time is the card's, not the wall's.
"""
import array
import os
import sys

from errors import LabError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "audio"))
import sound as analysis  # noqa: E402  (tests/audio/sound.py: finds tones)

RATE = analysis.RATE
HEADER = 44
FRAME = 4                 # bytes: 16 bits, two channels
QUIET = 100               # of 32767: nobody hears it
LOUD = 1000
WINDOW = RATE // 4
MOMENT = RATE // 20       # whole waves of the tones that are used
APART = 100               # and so many times louder than another's
BESIDE = (8, 12, 16, 20)  # Hz around a tone where nobody plays: what is there is of breaks
STANDS_OUT = 3            # a tone that is really there is so many times louder than what is beside it
PURE = 30                 # a tone is so many times louder than all that is not it


def length(path):
    """Bytes of sound in it now."""
    try:
        return max(os.path.getsize(path) - HEADER, 0) // FRAME * FRAME
    except OSError:
        return 0


class Heard:
    """Sound card `name` from byte `begin` of its recording on."""

    def __init__(self, path, begin, name):
        self.name = name
        raw = b""
        if os.path.exists(path):
            with open(path, "rb") as file:
                file.seek(HEADER + begin)
                raw = file.read()
        self.left = array.array("h", raw[:len(raw) // FRAME * FRAME])[0::2]
        self.seconds = len(self.left) / RATE
        self.peak = max((abs(x) for x in self.left), default=0)

    def windows(self):
        return [self.left[at:at + WINDOW] for at in range(0, len(self.left) - WINDOW + 1, WINDOW)]

    def is_quiet(self):
        return self.peak < QUIET

    def amplitude(self, hz):
        """The loudest that this tone was for a quarter of a second."""
        return max((analysis.amplitude(each, hz) for each in self.windows()), default=0)

    def loudest(self, hz, floor):
        """The loudest that this tone was where it stands out: a break in another tone is a little of all
        tones, and no more of this one than of those beside it. 0: not above `floor` anywhere."""
        best = 0
        for each in self.windows():
            here = analysis.amplitude(each, hz)
            if here > max(floor, best) and here > STANDS_OUT * max(
                    analysis.amplitude(each, hz + sign * away) for away in BESIDE for sign in (1, -1)):
                best = here
        return best

    def gap_ms(self):
        """The longest time without a sound between two sounds."""
        loud = [i for i, x in enumerate(self.left) if abs(x) > self.peak // 4]
        return max((b - a for a, b in zip(loud, loud[1:])), default=0) * 1000 / RATE

    def check(self, hz, others=(), loud=LOUD):
        """It holds that tone, at least so loud, and none of the others."""
        own = self.amplitude(hz)
        other = max((self.loudest(each, own / APART) for each in others), default=0)
        if own < loud:
            raise LabError("sound card %s: expected a tone of %d Hz, found %.0f of it in %.1f s "
                           "(peak %d)" % (self.name, hz, own, self.seconds, self.peak))
        if other:
            raise LabError("sound card %s: expected %d Hz alone, found %.0f of it and %.0f of %s Hz" % (
                self.name, hz, own, other, others))

    def best(self, hz):
        """How many times louder than the rest that tone is in its best MOMENT."""
        best = 0
        for at in range(0, len(self.left) - MOMENT + 1, MOMENT // 2):
            each = self.left[at:at + MOMENT]
            own = analysis.amplitude(each, hz)
            power = sum(x * x for x in each) / len(each)
            rest = max(power - own * own / 2, 1)
            if own > LOUD:
                best = max(best, (own * own / 2 / rest) ** 0.5)
        return best

    def check_pure(self, hz):
        """It holds that tone and nothing else at all, at its best (a break, where the machine was too slow,
        is not another sound). How many times louder than the rest."""
        best = self.best(hz)
        if best < PURE:
            raise LabError("sound card %s: expected %d Hz and nothing else, found it %.1f times as "
                           "loud as the rest" % (self.name, hz, best))
        return best

#!/usr/bin/env python3
"""What wav.py finds in recordings that are made here: another's tone, however torn one's own is."""
import array
import math
import os
import random
import tempfile
import unittest

import wav
from errors import LabError

SECONDS = 2
LOUD = 9000


def tone(hz, peak=LOUD):
    return [peak * math.sin(2 * math.pi * hz * at / wav.RATE) for at in range(SECONDS * wav.RATE)]


def torn(samples, chance, breaks):
    """Without what a machine that was too slow did not play in time."""
    left = list(samples)
    for _ in range(breaks):
        at, count = chance.randrange(len(left)), chance.randrange(20, 2000)
        left[at:at + count] = [0] * len(left[at:at + count])
    return left


def heard(samples):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        stereo = array.array("h", [round(x) for x in samples for _ in (0, 1)])
        file.write(bytes(wav.HEADER) + stereo.tobytes())
        file.flush()
        return wav.Heard(file.name, 0, "s0")


class Tones(unittest.TestCase):
    def test_alone(self):
        heard(tone(440)).check(440, (660, 1000))

    def test_torn_is_not_another(self):
        for seed in range(20):
            heard(torn(tone(440), random.Random(seed), 12)).check(440, (660, 1000))

    def test_another_is_heard(self):
        mixed = [a + b for a, b in zip(tone(440), tone(660, LOUD / 40))]
        with self.assertRaisesRegex(LabError, "440 Hz alone"):
            heard(mixed).check(440, (660, 1000))

    def test_another_is_heard_for_a_moment(self):
        late = wav.RATE * SECONDS * 3 // 4
        mixed = tone(440)[:late] + tone(1000)[late:]
        with self.assertRaisesRegex(LabError, "440 Hz alone"):
            heard(mixed).check(440, (660, 1000))

    def test_another_is_heard_beside_a_torn_one(self):
        for seed in range(5):
            chance = random.Random(seed)
            mixed = [a + b for a, b in zip(torn(tone(440), chance, 12), torn(tone(660, LOUD / 4), chance, 12))]
            with self.assertRaisesRegex(LabError, "440 Hz alone"):
                heard(mixed).check(440, (660, 1000))

    def test_another_only(self):
        with self.assertRaisesRegex(LabError, "expected a tone of 440 Hz"):
            heard(tone(660)).check(440, (660, 1000))


if __name__ == "__main__":
    unittest.main()

"""A tone by aplay on HD Audio comes out at the host's sink, one at its source reaches arecord.

Stock software on both ends: Debian's snd-hda-intel and alsa-utils in the guest, PulseAudio with null
sinks on the PC, irori-sound between them. The PC is emulated, and its processors may be taken away for
a second; so the guest's buffer holds the whole tone (in periods of 100 ms), the seat has 200 ms in
hand, and pacat and parec on a second sink of the same server show at the same time what the PC itself
is able to. Asserted is

 * what the sink heard, and what arecord got, is a tone of 1000 Hz: nothing at its neighbours;
 * all of it has gone to the sink;
 * there is no gap in it that is longer than a period, or than twice the longest of pacat's tone;
 * the card's position, as the guest sees it while it plays, moves between the sink's reports as well.
"""
import array
import os
import re
import struct
import sys
import wave

import guests
from guest import Guest
from pc import LabError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "audio"))
import sound as analysis  # noqa: E402  (tests/audio/sound.py: finds tones and gaps)

RATE = 48000
HZ = 1000
SECONDS = 5
RECORDED = 3
PERIOD_MS = 100
LOUD = 3000
MODULES = ("snd_hda_codec_generic", "snd_hda_intel", "virtio_pci", "virtio_blk")

# Debian's own programs, from the PC, with what they are linked with.
COLLECT = r"""
set -e; mkdir -p /lab/alsa/bin; cd /lab/alsa
for p in aplay amixer; do cp -L $(command -v $p) bin/; done; cp -L bin/aplay bin/arecord
for l in $(ldd bin/aplay bin/amixer | grep -o '/[^ :]*\.so[^ ]*' | sort -u); do
	mkdir -p .$(dirname $l); cp -L $l .$l
done
mkdir -p usr/share; cp -r /usr/share/alsa usr/share/
"""

HOST = r"""
set -e; export HOME=/run/lab XDG_RUNTIME_DIR=/run/lab PULSE_SERVER=unix:/run/lab/pulse.sock
chrt -r 20 pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --system=no --log-target=stderr \
	-L 'module-native-protocol-unix socket=/run/lab/pulse.sock auth-anonymous=1' \
	-L 'module-null-sink sink_name=seat rate=48000' \
	-L 'module-null-sink sink_name=voice rate=48000' >/lab/pulseaudio.log 2>&1 &
for i in $(seq 100); do pactl info >/dev/null 2>&1 && break; sleep 0.2; done
chrt -r 20 irori-sound --server $PULSE_SERVER --sink seat --source voice.monitor --microphone --latency 150 \
	--stat 1 /run/lab/irori/sound.sock >/lab/irori-sound.log 2>&1 &
parec -d seat.monitor --raw --format=s16le --rate=48000 --channels=2 --latency-msec=500 \
	>/run/lab/heard.raw 2>/lab/parec.log &
echo $! >/run/lab/parec.pid
parec -d voice.monitor --raw --format=s16le --rate=48000 --channels=2 --latency-msec=500 \
	>/run/lab/control.raw 2>/dev/null &
echo $! >>/run/lab/parec.pid
while :; do tail -c +45 /lab/tone.wav; done | pacat -d voice --latency-msec=500 --raw --format=s16le \
	--rate=48000 --channels=2
"""

SCRIPT = r"""
cat /proc/asound/cards; cat /proc/asound/card0/codec#0 | head -n 4
amixer -q sset Master 100% unmute; amixer -q sset PCM 100% unmute; amixer -q sset Capture 100% cap
amixer | head -n 30
aplay -D hw:0,0 --buffer-time=8000000 --period-time=PERIOD /tone.wav & player=$!
sleep 2; seen=
for i in $(seq 100); do
	while read -r key colon value; do case $key in hw_ptr*) seen="$seen ${value#: }";; esac
	done </proc/asound/card0/pcm0p/sub0/status
done
echo "POSITIONS$seen"
wait $player; echo "PLAYED $?"
arecord -D hw:0,0 -f S16_LE -c 2 -r 48000 -d RECORDED --buffer-time=8000000 --period-time=PERIOD /tmp/heard.wav
echo "RECORDED $?"
dd if=/tmp/heard.wav of=/dev/vda bs=4096 2>/dev/null; sync
grep -i -E 'hda|azx' /proc/interrupts
""".replace("PERIOD", str(PERIOD_MS * 1000)).replace("-d RECORDED", "-d %d" % RECORDED)


def tone(path, seconds):
    import math
    with wave.open(path, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(
            struct.pack("<hh", *[int(12000 * math.sin(2 * math.pi * HZ * i / RATE))] * 2)
            for i in range(RATE * seconds)))


def alsa_files(pc):
    """(path in the guest, path here) of alsa-utils, as the PC has them."""
    pc.run(COLLECT, check=True)
    top = pc.get("/lab/alsa")
    return [(os.path.relpath(os.path.join(folder, name), top), os.path.join(folder, name))
            for folder, _, names in os.walk(top) for name in names]


class Heard:
    """The tone in a recording: from its beginning to its end, its gaps, its longest part without."""

    def __init__(self, raw, what):
        left = array.array("h", raw[:len(raw) // 4 * 4])[0::2]
        loud = [i for i, x in enumerate(left) if abs(x) > LOUD]
        if not loud:
            raise LabError("%s: silence" % what)
        self.what = what
        gaps = [(a, b) for a, b in zip(loud, loud[1:]) if b - a > RATE // 500]
        edges = [loud[0]] + [edge for gap in gaps for edge in gap] + [loud[-1]]
        parts = [(b - a, a) for a, b in zip(edges[0::2], edges[1::2])]
        self.seconds = sum(length for length, _ in parts) / RATE
        self.gap_ms = max([b - a for a, b in gaps], default=0) * 1000 / RATE
        length, start = max(parts)
        self.part = left[start:start + min(length, RATE)]

    def check_tone(self):
        if len(self.part) < RATE // 20:
            raise LabError("%s: no 50 ms of tone without a gap" % self.what)
        here = analysis.amplitude(self.part, HZ)
        beside = max(analysis.amplitude(self.part, HZ * f) for f in (0.5, 0.8, 1.25, 2))
        if here < LOUD or beside > here / 20:
            raise LabError("%s: %.0f at %d Hz, %.0f beside it" % (self.what, here, HZ, beside))

    def __str__(self):
        return "%s %.1f s, longest gap %.0f ms" % (self.what, self.seconds, self.gap_ms)


def judge(pc, positions):
    control = Heard(read(pc, "/run/lab/control.raw"), "pacat")
    played = Heard(read(pc, "/run/lab/heard.raw"), "played")
    heard = Heard(read(pc, "/run/lab/heard.img")[44:RATE * 4 * RECORDED + 44], "recorded")
    allowed = max(PERIOD_MS, 2 * control.gap_ms)
    for found in (played, heard):
        found.check_tone()
        if found.gap_ms > allowed:
            raise LabError("%s, where %.0f are allowed; %s" % (found, allowed, control))
    written = max(int(n) for n in re.findall(r"written (\d+)", pc.read("/lab/irori-sound.log")))
    if written < SECONDS * RATE * 4:
        raise LabError("the sink was given %d bytes of %d" % (written, SECONDS * RATE * 4))
    return "%s; %s; %s; %s" % (played, heard, control, judge_positions(positions))


def judge_positions(positions):
    """It moves between the sink's reports, which come every 25 ms."""
    moved = [b - a for a, b in zip(positions, positions[1:]) if b > a]
    small = [step for step in moved if step < RATE // 100]
    if len(small) < 5:
        raise LabError("the position moved %d times, %d times by less than 10 ms: %s" % (
            len(moved), len(small), positions))
    return "%d of %d steps of the position under 10 ms" % (len(small), len(moved))


def read(pc, path):
    with open(pc.get(path), "rb") as file:
        return file.read()


def run(pc):
    wav = os.path.join(pc.share, "tone.wav")
    tone(wav, SECONDS)
    files = alsa_files(pc) + [("tone.wav", wav)]
    lines = guests.tiny(pc, "sound", SCRIPT, MODULES, files)
    pc.run("truncate -s 4M /run/lab/heard.img", check=True)
    pc.spawn(HOST)
    guest = Guest(pc, "sound", "[Guest]\nMemory=256M\n" + lines +
                  "[Sound]\nAhead=200\n[Disk heard]\nPath=/run/lab/heard.img\n").start()
    positions = [int(x) for x in guest.wait(r"POSITIONS([ \d]*)", 150).group(1).split()]
    guest.wait(r"PLAYED 0", 60)
    guest.wait(r"RECORDED 0", 90)
    guest.wait(r"GUEST-DONE", 60)
    pc.run("kill $(cat /run/lab/parec.pid)")
    return judge(pc, positions)

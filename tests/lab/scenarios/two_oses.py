"""Two different Debian systems at once: one reboots ten times, the other's checksums and video go on undisturbed."""
import os
import re
import statistics

import guests
import image
from errors import LabError
from guest import Guest

systems = ["debian"]
BOOTS = 10
WATCH = """
modprobe virtio-gpu 2>/dev/null
for n in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/fb0 ] && break; sleep 1; done
/tmp/video /dev/fb0 3600 &
head -c 1000000 /dev/urandom >/tmp/x; sum=$(md5sum </tmp/x); n=0
while :; do
	[ "$(md5sum </tmp/x)" = "$sum" ] || echo "SUM-BAD $n"
	n=$((n + 1)); [ $((n % 20)) = 0 ] && echo "SUM $n"
	sleep 0.05
done
"""


def run(pc):
    video = os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "lab", "video")
    job = guests.debian_job(pc, "watch", WATCH, files=[("/tmp/video", video)])
    watcher = Guest(pc, "watcher", "[Guest]\nMemory=512M\nClass=video\n" + guests.debian_direct() +
                    "[Disk root]\nPath=/guests/debian/debian.img\n[Disk job]\nPath=%s\n" % job)
    watcher.start(limit=3000)
    watcher.wait(r"GUEST-UP", 240)
    for _ in range(3):
        watcher.wait(r"^VIDEO ", 120)
    alone = reports(watcher.com1())
    shown = watcher.stat()["frames"]
    times = boot_all(pc, watcher)
    during = reports(watcher.com1())[len(alone):]
    shown = watcher.stat()["frames"] - shown
    check(watcher, alone, during, shown)
    watcher.poweroff()
    return "%d reboots, %.0f s each; %d pictures drawn meanwhile, %d late, %d shown" % (
        BOOTS, statistics.mean(times), 50 * len(during), sum(late for late, _ in during), shown)


def boot_all(pc, watcher):
    """The other: Debian's kernel and a small system of its own, which reboots. Seconds of each boot."""
    lines = guests.tiny(pc, "other", "reboot -f", modules=("virtio_pci", "virtio_blk"))
    other = Guest(pc, "other", "[Guest]\nMemory=192M\nClass=idle\n" + lines).start(limit=3000)
    times = []
    for _ in range(BOOTS):
        times.append(float(other.wait(r"GUEST-UP ([\d.]+)", 240).group(1)))
        if watcher.status() is not None:
            raise LabError("the watcher ended with %s\n%s" % (watcher.status(), watcher.log()))
    other.poweroff()
    return times


def reports(text):
    """(late, worst ms) of each 50 pictures."""
    return [(int(late), int(worst)) for late, worst in
            re.findall(r"^VIDEO \d+ late (\d+) worst (\d+)", text, re.MULTILINE)]


def check(watcher, alone, during, shown):
    text = watcher.com1()
    if "SUM-BAD" in text:
        raise LabError("expected all checksums to be the same, found\n" +
                       "\n".join(line for line in text.splitlines() if "SUM-BAD" in line))
    sums = re.findall(r"^SUM (\d+)", text, re.MULTILINE)
    if not sums or len(during) < 2:
        raise LabError("expected checksums and pictures to go on, found %s sums, %d reports of 50 "
                       "pictures\n%s" % (sums[-1:] or "no", len(during), watcher.com1()[-1000:]))
    # The emulated PC has two processors for both, on a machine that is not ours alone: what it loses by
    # itself is known from the time before the other came.
    before = max(worst for _, worst in alone)
    worst = max(worst for _, worst in during)
    if worst > 5 * before + 2000:
        raise LabError("expected pictures as steady as alone (at worst %d ms late), found %d ms" % (
            before, worst))
    if shown < 10 * len(during):
        raise LabError("expected most of %d pictures to be shown, found %d" % (
            50 * len(during), shown))

"""A guest saved to a file, and brought back later, goes on where it was; its clock is right."""
import re

import guests
from guest import Guest
from pc import LabError

SLEEP = 12  # seconds between save and restore
TICKS = 4   # before and after
SCRIPT = """
head -c 8000000 /dev/urandom >/tmp/data; sum=$(md5sum </tmp/data); n=0
while :; do
n=$((n+1)); printf 'block %-4090s' $n | dd of=/dev/vda bs=4k count=1 seek=$n conv=notrunc,fsync 2>/dev/null
[ "$(md5sum </tmp/data)" = "$sum" ] || echo SUM-BAD
echo "TICK $n $(date +%s) $(cut -d' ' -f1 /proc/uptime)"; sleep 1
done
"""


def ticks(guest, n):
    """The last of the next n ticks: number, time of day."""
    for _ in range(n):
        found = guest.wait(r"^TICK (\d+) (\d+) ", 60)
    return int(found[1]), int(found[2])


def run(pc):
    lines = guests.tiny(pc, "saved", SCRIPT)
    pc.run("truncate -s 16M /run/lab/saved.img", check=True)
    guest = Guest(pc, "saved", "[Guest]\nMemory=256M\nVcpus=2\n" + lines +
                  "[Disk a]\nPath=/run/lab/saved.img\n").start()
    guest.wait("GUEST-UP", 120)
    ticks(guest, TICKS)
    guest.irori("save", "/scratch/saved.guest", timeout=60)
    if guest.wait_end() != 0:
        raise LabError("the guest that was saved ended with status %s" % guest.status())
    before = [int(n) for n in re.findall(r"^TICK (\d+) ", guest.com1(), re.MULTILINE)]
    size = pc.run("du -m /scratch/saved.guest | cut -f1", check=True)[1].strip()
    pc.run("sleep %d" % SLEEP)
    guest.start(saved="/scratch/saved.guest")
    last, time = ticks(guest, TICKS)
    host = int(pc.run("date +%s", check=True)[1])
    if abs(host - time) > 4:
        raise LabError("the guest's clock says %d, the PC's %d" % (time, host))
    guest.poweroff()
    after = [int(n) for n in re.findall(r"^TICK (\d+) ", guest.com1(), re.MULTILINE)]
    if before + after != list(range(1, len(before + after) + 1)) or "SUM-BAD" in guest.com1():
        raise LabError("it did not go on where it was: %s then %s" % (before, after))
    blocks = pc.run("grep -a -o 'block [0-9]*' /run/lab/saved.img | wc -l", check=True)[1]
    if int(blocks) < last:
        raise LabError("its disk has %s blocks, %d were written" % (blocks.strip(), last))
    return "%s MiB saved; %d ticks before, %d after, clock %+d s" % (
        size, len(before), len(after), time - host)

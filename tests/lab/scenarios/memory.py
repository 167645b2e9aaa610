"""Memory is plugged in, used, saved and restored, given back, and asked for again after a reboot."""
import guests
from guest import Guest
from pc import LabError

MEMORY, MAX, LESS = 256, 768, 384   # MiB
FILL = 300000000                    # bytes, more than the guest began with
SCRIPT = """
mount -o remount,size=600m /tmp
total() { awk '/^MemTotal/ { print $2 }' /proc/meminfo; }
first=$(total); echo "TOTAL $first"
until [ $(total) -gt $((first + 500000)) ]; do sleep 1; done; echo "GREW $(total)"
yes irori | head -c %d >/tmp/fill; sum=$(md5sum </tmp/fill); echo "FILLED $sum"
sleep 10
[ "$(md5sum </tmp/fill)" = "$sum" ] && echo "SAME $(total)"
rm /tmp/fill
until [ $(total) -lt $((first + 150000)) ]; do sleep 1; done; echo "SHRANK $(total)"
sleep 100
""" % FILL


def actual(pc, guest, mib, seconds):
    pc.wait_until(lambda: guest.stat()["memory_actual"] == mib << 20, seconds,
                  "%d MiB in the guest" % mib)


def run(pc):
    lines = guests.tiny(pc, "memory", SCRIPT).rstrip() + " memhp_default_state=online_movable\n"
    guest = Guest(pc, "memory", "[Guest]\nMemory=%dM\nMaxMemory=%dM\nVcpus=2\n" % (MEMORY, MAX) +
                  lines).start()
    first = int(guest.wait(r"^TOTAL (\d+)", 240)[1])
    if pc.run("irori memory memory %dM" % (MAX + 1))[0] == 0:
        raise LabError("more than MaxMemory= was taken")
    guest.irori("memory", "%dM" % MAX)
    grown = int(guest.wait(r"^GREW (\d+)", 240)[1])
    actual(pc, guest, MAX, 30)
    guest.wait("^FILLED", 240)
    full = guest.stat()["memory_host"] >> 20
    if full <= MEMORY:
        raise LabError("it filled %d bytes, the host gives %d MiB" % (FILL, full))
    guest.irori("save", "/scratch/memory.guest", timeout=120)
    if guest.wait_end() != 0:
        raise LabError("the guest that was saved ended with status %s" % guest.status())
    guest.start(saved="/scratch/memory.guest")
    if int(guest.wait(r"^SAME (\d+)", 240)[1]) != grown:
        raise LabError("it has another size than before it was saved")
    guest.irori("memory", "%dM" % LESS)
    shrunk = int(guest.wait(r"^SHRANK (\d+)", 240)[1])
    actual(pc, guest, LESS, 60)
    given = guest.stat()["memory_host"] >> 20
    if given > LESS:
        raise LabError("the host still gives %d MiB to a guest of %d" % (given, LESS))
    guest.reset()
    guest.wait("GUEST-UP", 240)
    actual(pc, guest, LESS, 120)
    guest.poweroff()
    return "MemTotal %d, %d, %d MB; the PC gave %d MB, %d after" % (
        first >> 10, grown >> 10, shrunk >> 10, full, given)

"""Four processors, one of them plugged in and out; memory goes back to the host and comes again."""
import re

import guests
from guest import Guest
from pc import LabError

FILL_MB = 250
TAKEN_MB = 200   # of what was filled: the guest keeps some of the freed pages for itself
MODULES = guests.TINY_MODULES

SCRIPT = """
free_kb() { awk '/^MemFree/ { print $2 }' /proc/meminfo; }
fill() { dd if=/dev/zero of=/tmp/fill bs=1M count=%d 2>/dev/null; echo "FILLED $(free_kb)"; rm /tmp/fill; }
echo "CPUS $(cat /sys/devices/system/cpu/online) of $(cat /sys/devices/system/cpu/possible)"
echo "CLOCK $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
grep -qw x2apic /proc/cpuinfo && echo "X2APIC"
sleep 2
fill
until [ $(free_kb) -lt 150000 ]; do sleep 1; done; echo "INFLATED $(free_kb)"
until [ $(free_kb) -gt 350000 ]; do sleep 1; done; echo "DEFLATED $(free_kb)"
fill
cd /sys/devices/system/cpu
until [ -e cpu3/online ]; do sleep 1; done
echo 1 >cpu3/online; echo "ONLINE $(cat online)"
taskset 8 awk 'BEGIN { for (i = 0; i < 1000000; i++) n += i }'
echo "RAN $(awk '/^cpu3/ { print $2 + $4 }' /proc/stat)"
while [ -e cpu3/online ]; do sleep 1; done; echo "OFFLINE $(cat online)"
sleep 100
""" % FILL_MB


def taken(pc):
    """MiB of shared memory on the PC: the guests' memory is most of it."""
    return int(re.search(r"^Shmem: *(\d+)", pc.read("/proc/meminfo"), re.M).group(1)) >> 10


def settle(pc, below, above, seconds, what):
    pc.wait_until(lambda: above <= taken(pc) <= below, seconds, what)
    return taken(pc)


def memory_moves(pc, guest):
    guest.wait("^CPUS 0-2", 240)
    before = taken(pc)
    guest.wait("^FILLED", 240)
    full = taken(pc)
    if full < before + TAKEN_MB:
        raise LabError("the guest filled %d MB, the PC gave %d" % (FILL_MB, full - before))
    reported = settle(pc, full - TAKEN_MB, 0, 120, "free page reporting")
    guest.irori("memory", "128M")
    pc.wait_until(lambda: guest.stat()["memory_actual"] == 128 << 20, 240, "384M in the balloon")
    guest.wait("^INFLATED", 60)
    inflated = settle(pc, 128 + 64, 0, 120, "the balloon")
    guest.irori("memory", "512M")
    guest.wait("^DEFLATED", 240)
    guest.wait("^FILLED", 240)
    settle(pc, 1 << 20, inflated + TAKEN_MB, 120, "memory comes again")
    return "the PC gave %d MB, %d after free page reporting, %d with a balloon of 384" % (
        full, reported, inflated)


def processors_move(pc, guest):
    guest.irori("vcpus", "4")
    guest.wait("^ONLINE 0-3", 120)
    if float(guest.wait(r"^RAN ([\d.]+)", 240).group(1)) <= 0:
        raise LabError("the fourth processor ran nothing")
    guest.irori("vcpus", "3")
    guest.wait("^OFFLINE 0-2", 240)
    pc.wait_until(lambda: guest.stat()["vcpus"] == 3, 120, "three processors")


def run(pc):
    lines = guests.tiny(pc, "smp", SCRIPT, modules=MODULES)
    guest = Guest(pc, "smp", "[Guest]\nMemory=512M\nVcpus=3\nMaxVcpus=4\n" + lines).start()
    figures = memory_moves(pc, guest)
    processors_move(pc, guest)
    guest.poweroff()
    return figures

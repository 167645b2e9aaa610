"""The PC around the processors: ACPI without complaints, clock and alarm, power button, pins by I/O APIC and PIC."""
import hashlib
import re
import struct

import guests
from guest import Guest
from pc import LabError

# Debian's kernel on the tables; then it waits for its power button, as a desktop would.
BOARD = r"""
dmesg | grep -iE "acpi.*(error|warn|bios bug|fail|invalid)|firmware bug|not reserved|can't claim" | sed 's/^/DMESG /'
echo "CLOCK $(hwclock -u -r 2>/dev/null || cat /sys/class/rtc/rtc0/since_epoch)"
echo "EPOCH $(cat /sys/class/rtc/rtc0/since_epoch) $(date +%s)"
echo 0 > /sys/class/rtc/rtc0/wakealarm; echo +3 > /sys/class/rtc/rtc0/wakealarm; sleep 5
sed 's/^/IRQ /' /proc/interrupts
cat /sys/firmware/acpi/pm_profile | sed 's/^/PROFILE /'
md5sum </sys/firmware/acpi/tables/MSDM | sed 's/^/MSDM /'
event=$(grep -A4 'Name="Power Button"' /proc/bus/input/devices | grep -o 'event[0-9]*' | head -n 1)
echo "WAITING $event"
dd if=/dev/input/$event bs=24 count=1 2>/dev/null | hexdump -C | head -n 1 | sed 's/^/BUTTON /'
"""

PINS = r"""
dd if=/dev/vda bs=64k 2>/dev/null | md5sum | sed 's/^/SUM /'
grep virtio /proc/interrupts | sed 's/^/IRQ /'
"""


def licence():
    """A table as household PCs have it: the key is behind the header and a head of its own."""
    table = bytearray(struct.pack("<4sIBB6s8sIII", b"MSDM", 85, 3, 0, b"MAKER ", b"THEIR-PC", 1, 0, 1) +
                      struct.pack("<5I", 1, 0, 1, 0, 29) + b"AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    table[9] = -sum(table) & 255
    return bytes(table)


def board(pc):
    lines = guests.tiny(pc, "board", BOARD)
    guest = Guest(pc, "board", "[Guest]\nMemory=256M\n" + lines + "[Acpi licence]\nPath=%s\n" %
                  pc.write("msdm", licence())).start()
    guest.wait(r"WAITING event\d+", 120)
    text = guest.com1()
    if "MSDM " + hashlib.md5(licence()).hexdigest() not in text:
        raise LabError("expected the table as it was, found %s" % re.findall(r"^MSDM .*", text, re.M))
    bad = re.findall(r"^DMESG (.*)", text, re.M)
    if bad:
        raise LabError("expected no complaints of the kernel, found %s" % bad)
    rtc, system = map(int, re.search(r"^EPOCH (\d+) (\d+)", text, re.M).groups())
    if abs(rtc - system) > 2:
        raise LabError("expected clock and RTC to agree, found %d and %d" % (system, rtc))
    alarms = re.search(r"^IRQ +8: +(\d+)", text, re.M)
    if not alarms or int(alarms.group(1)) < 1:
        raise LabError("expected an alarm by interrupt 8, found none")
    guest.irori("poweroff")
    guest.wait(r"^BUTTON ", 20)
    guest.wait_end(30)


def pins(pc, name, arguments, chip):
    pc.run("dd if=/dev/urandom of=/run/lab/pins bs=64k count=4 2>/dev/null", check=True)
    expected = pc.run("md5sum < /run/lab/pins", check=True)[1].split()[0]
    lines = guests.tiny(pc, name, PINS).replace("console=", arguments + " console=")
    guest = Guest(pc, name, "[Guest]\nMemory=256M\n" + lines +
                  "[Disk a]\nPath=/run/lab/pins\nReadOnly=yes\n").start()
    found = guest.wait(r"^SUM ([0-9a-f]+)", 120).group(1)
    if found != expected:
        raise LabError("%s: expected the disk's sum %s, found %s" % (name, expected, found))
    guest.wait(r"^IRQ +\d+: .*%s" % chip, 10)
    guest.wait_end(30)


def run(pc):
    board(pc)
    pins(pc, "ioapic", "pci=nomsi", "IO-APIC")
    pins(pc, "pic", "pci=nomsi noapic", "XT-PIC")

"""Debian's generic kernel with a small initramfs: up, COM1, the devices it finds, off by itself."""
import guests
from guest import Guest

SCRIPT = """
for d in /sys/bus/pci/devices/*; do echo "PCI $(cat $d/vendor) $(cat $d/device)"; done
echo "CPUS $(nproc)"; free | head -n 2
sleep 2
"""


def run(pc):
    lines = guests.tiny(pc, "tiny", SCRIPT)
    guest = Guest(pc, "tiny", "[Guest]\nMemory=256M\n" + lines).start()
    up = guest.wait(r"GUEST-UP ([\d.]+)", 90).group(1)
    guest.stat()
    guest.wait(r"GUEST-DONE 0", 30)
    return "up after %s s of the guest's time" % up

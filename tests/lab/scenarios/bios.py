"""SeaBIOS, GRUB from a disk image, Debian from NVMe: stock, all three."""
import guests
from errors import LabError
from guest import Guest

systems = ["debian"]
SCRIPT = """
echo "ROOT $(findmnt -no SOURCE /)"
echo "MAKER $(cat /sys/class/dmi/id/sys_vendor) $(cat /sys/class/dmi/id/product_serial)"
echo "BIOS $(cat /sys/class/dmi/id/bios_vendor)"
echo "UUID $(cat /sys/class/dmi/id/product_uuid)"
[ ! -d /sys/firmware/efi ]
"""
UUID = "6a0c1d2e-0001-4002-8003-00000000cafe"


def run(pc):
    job = guests.debian_job(pc, "bios", SCRIPT)
    guest = Guest(pc, "bios", "[Guest]\nFirmware=bios\nMemory=512M\nUuid=%s\n"
                  "[Disk root]\nPath=/guests/debian/debian.img\nBus=nvme\nBootIndex=1\n"
                  "[Disk job]\nPath=%s\n" % (UUID, job)).start()
    guest.wait(r"GRUB-UP on pc", 120)
    guest.wait(r"GUEST-UP", 420)
    root = guest.wait(r"^ROOT (\S+)", 60)[1]
    if not root.startswith("/dev/nvme0n1"):
        raise LabError("the root file system is on %s" % root)
    guest.wait(r"^MAKER Irori bios", 30)
    guest.wait(r"^BIOS SeaBIOS", 30)
    guest.wait(r"^UUID " + UUID, 30)
    guest.wait(r"^GUEST-DONE 0", 60)
    if guest.wait_end(60):
        raise LabError("exit status %d after power-off" % guest.status())
    return "root on %s" % root

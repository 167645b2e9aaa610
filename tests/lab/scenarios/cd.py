"""SeaBIOS and OVMF boot GRUB from a CD on AHCI; Linux reads all of the disc."""
import hashlib
import os
import re
import shutil
import subprocess

import guests
import image
from guest import Guest
from pc import LabError

needs = ["grub-mkrescue", "xorriso", "mformat"]

DATA = 3 << 20
MODULES = ("libata", "libahci", "ahci", "cdrom", "sr_mod", "isofs", "button")

GRUB = """serial --unit=0 --speed=115200
terminal_output serial console
echo CD-GRUB $grub_platform
linux /vmlinuz %s
initrd /initrd
boot
"""

SCRIPT = r"""
cat /sys/block/sr0/device/model
mkdir -p /cd; mount -t iso9660 -o ro /dev/sr0 /cd || exit 1
md5sum </cd/data; umount /cd
dd if=/dev/sr0 bs=64k 2>/dev/null | wc -c
"""


def make_iso(pc, folder, lines):
    """A disc that BIOS and UEFI boot, with the kernel and initrd of guests.tiny; md5 of its /data."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "boot", "grub"))
    for key, name in (("Kernel", "vmlinuz"), ("Initrd", "initrd")):
        path = re.search(r"%s=/lab/(.*)" % key, lines).group(1)
        shutil.copy(os.path.join(pc.share, path), os.path.join(folder, name))
    data = hashlib.sha256(b"irori").digest() * (DATA // 32)
    with open(os.path.join(folder, "data"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, "boot", "grub", "grub.cfg"), "w") as file:
        file.write(GRUB % re.search(r"CommandLine=(.*)", lines).group(1))
    done = subprocess.run(["grub-mkrescue", "-o", os.path.join(pc.share, "cd.iso"), folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, PATH=image.search_path()))
    shutil.rmtree(folder)
    if done.returncode:
        raise LabError("grub-mkrescue: " + done.stdout.decode(errors="replace")[-500:])
    return hashlib.md5(data).hexdigest()


def boot(pc, firmware, platform, md5, size):
    name = "cd-" + firmware
    guest = Guest(pc, name, "[Guest]\nMemory=512M\nFirmware=%s\n"
                  "[Cd disc]\nPath=/run/lab/cd.iso\nBootIndex=1\n" % firmware).start()
    guest.wait(r"CD-GRUB", 180)  # its platform follows between the terminal's control characters
    guest.wait(r"%s" % platform, 60)
    guest.wait(r"GUEST-UP", 150)
    for expected in (r"^DVD-ROM", md5, r"^%d\b" % size, r"GUEST-DONE 0"):
        guest.wait(expected, 60)
    guest.wait_end(60)


def run(pc):
    lines = guests.tiny(pc, "cd", SCRIPT, MODULES)
    md5 = make_iso(pc, os.path.join(pc.share, "cd"), lines)
    size = os.path.getsize(os.path.join(pc.share, "cd.iso"))
    pc.run("cp /lab/cd.iso /run/lab/cd.iso", check=True)
    for firmware, platform in (("bios", "pc"), ("uefi", "efi")):
        boot(pc, firmware, platform, md5, size)
    return "%d MiB" % (size >> 20)

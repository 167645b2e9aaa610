"""OVMF, GRUB EFI, Debian; a boot order changed in the guest is still there after power-off."""
import guests
from errors import LabError
from guest import Guest

systems = ["debian"]
# The first time it makes an entry of its own, which efibootmgr puts first; the second time that entry
# must be first, and what was booted.
SCRIPT = r"""
modprobe efivarfs 2>/dev/null
mountpoint -q /sys/firmware/efi/efivars || mount -t efivarfs efivarfs /sys/firmware/efi/efivars || exit 1
ours() { efibootmgr | sed -n 's/^Boot\(....\)\*\? irori-lab.*/\1/p'; }
if [ -z "$(ours)" ]; then
	efibootmgr -q -c -d /dev/vda -p 2 -L irori-lab -l '\EFI\BOOT\BOOTX64.EFI' || exit 2
	echo "MADE $(ours)"
fi
echo "FIRST $(efibootmgr | sed -n 's/^BootOrder: \(....\).*/\1/p') OURS $(ours)"
echo "BOOTED $(efibootmgr | sed -n 's/^BootCurrent: //p')"
"""


def boot(pc, config):
    """(what is first, ours, what was booted)."""
    guest = Guest(pc, "uefi", config).start()
    guest.wait(r"GRUB-UP on efi", 240)
    guest.wait(r"GUEST-UP", 420)
    order = guest.wait(r"^FIRST (\S+) OURS (\S+)", 120)
    booted = guest.wait(r"^BOOTED (\S+)", 30)[1]
    guest.wait(r"^GUEST-DONE 0", 60)
    if guest.wait_end(90):
        raise LabError("exit status %d after power-off" % guest.status())
    return order[1], order[2], booted


def run(pc):
    job = guests.debian_job(pc, "uefi", SCRIPT)
    config = ("[Guest]\nFirmware=uefi\nMemory=512M\n[Firmware]\nVariables=/guests/uefi.vars\n"
              "[Disk root]\nPath=/guests/debian/debian.img\n[Disk job]\nPath=%s\n" % job)
    first, ours, booted = boot(pc, config)
    if first != ours:
        raise LabError("efibootmgr put %s first, not %s" % (first, ours))
    if booted == ours:
        raise LabError("the entry was there before it was made")
    first, again, booted = boot(pc, config)
    if (first, again, booted) != (ours, ours, ours):
        raise LabError("after power-off: first %s, entry %s, booted %s; all should be %s" % (
            first, again, booted, ours))
    return "entry %s is kept, and booted" % ours

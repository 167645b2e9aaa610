"""A TPM 2.0 by swtpm: Debian's driver finds it, its measurements survive a reboot as zeros."""
import guests
from guest import Guest
from pc import LabError

SCRIPT = """
cd /sys/class/tpm/tpm0 || exit 1
echo "VERSION $(cat tpm_version_major)"
echo "PCR $(cat pcr-sha256/16)"
"""


def run(pc):
    if pc.run("command -v swtpm")[0]:
        raise LabError("the PC has no swtpm")
    lines = guests.tiny(pc, "tpm", SCRIPT, modules=guests.TINY_MODULES + ("tpm_crb",))
    guest = Guest(pc, "tpm", "[Guest]\nMemory=256M\n" + lines +
                  "[Tpm]\nState=/run/lab/tpm-state\n").start()
    guest.wait("^VERSION 2", 240)
    guest.wait("^PCR 0{64}", 60)
    guest.wait("^GUEST-DONE 0", 60)
    return "its registers are read by /sys"

"""Guests' systems for the scenarios.

tiny      Debian's generic kernel, unmodified, with an initramfs of busybox, some modules and a script
"""
import os

import image
import initramfs

# no_timer_check: the emulated PC's clock is too uneven for the guest's test of its own timer.
COMMAND_LINE = "console=ttyS0 quiet no_timer_check panic=-1"

TINY_MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng",
                "virtio_balloon", "virtio_mem", "virtio_input", "virtio-gpu", "evdev", "psmouse",
                "atkbd", "i8042", "nvme", "ext4", "virtiofs", "button")

TINY_INIT = r"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /mnt; mount -t devpts pts /dev/pts; mount -t tmpfs tmp /tmp
case $(cat /proc/cmdline) in *nomodules*) ;; *)
while read -r module; do insmod /modules/$module 2>/dev/null; done </modules/order ;;
esac
echo "GUEST-UP $(cut -d' ' -f1 /proc/uptime)"
sh /script; echo "GUEST-DONE $?"
poweroff -f
"""


def tiny(pc, name, script, modules=TINY_MODULES, files=()):
    """A system that runs `script` (busybox sh, as root, /dev /proc /sys mounted) and switches itself
    off. COM1 says GUEST-UP before, GUEST-DONE STATUS after it. `files`: (path in it, path here).
    The lines for [Guest]: kernel, initrd, command line, to which more may be added."""
    pc_folder = image.pc_image()
    archive = initramfs.with_busybox(os.path.join(pc_folder, "busybox"))
    archive.file("init", TINY_INIT, 0o755)
    archive.file("script", script, 0o755)
    for path, source in files:
        archive.copy(path, source)
    initramfs.add_modules(archive, os.path.join(pc_folder, "modules"), modules)
    pc.put(os.path.join(pc_folder, "vmlinuz"))
    initrd = pc.write(name + ".cpio.gz", archive.finish())
    return "Kernel=/lab/vmlinuz\nInitrd=%s\nCommandLine=%s\n" % (initrd, COMMAND_LINE)

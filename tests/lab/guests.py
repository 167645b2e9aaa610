"""Guests' systems for the scenarios.

tiny      Debian's generic kernel, unmodified, with an initramfs of busybox, some modules and a script
debian    Debian 12 with systemd on a disk that BIOS and UEFI boot; runs the script on a second disk
"""
import base64
import os
import subprocess

import bootdisk
import cache
import image
import initramfs

HERE = os.path.dirname(os.path.abspath(__file__))

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


# Debian on a disk

DEBIAN_PACKAGES = "tests/lab/debian.txt"
DEBIAN_SIZE = 1 << 30
DEBIAN_LABEL = "debian-root"
DEBIAN_EXCLUDED = tuple("/lib/modules/*/kernel/" + name for name in (
    "drivers/media/*", "drivers/net/wireless/*", "drivers/infiniband/*", "drivers/staging/*",
    "drivers/gpu/drm/amd/*", "drivers/gpu/drm/nouveau/*", "drivers/gpu/drm/i915/*",
    "drivers/gpu/drm/radeon/*", "drivers/iio/*", "drivers/scsi/*/*", "drivers/isdn/*",
    "net/wireless/*")) + tuple("/lib/modules/*/kernel/fs/%s/*" % name for name in (
        "btrfs", "xfs", "jfs", "ocfs2", "gfs2", "f2fs", "reiserfs", "ceph", "cifs", "nfs", "nfsd"))
# Its initramfs has what its disk needs and no more: the emulator unpacks slowly.
DEBIAN_BEFORE = r"""
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\nCOMPRESS=gzip\n' >"$1/etc/initramfs-tools/conf.d/lab"
printf '%s\n' virtio_pci virtio_blk nvme ahci sd_mod ext4 crc32c_generic \
	>"$1/usr/share/initramfs-tools/modules.d/lab"
"""
DEBIAN_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
                 "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
                 "serial-getty@ttyS0.service", "systemd-timesyncd.service",
                 "systemd-networkd-wait-online.service", "systemd-pstore.service",
                 "ldconfig.service", "systemd-update-utmp.service")

MAKE_DEBIAN = r"""
echo debian >"$1/etc/hostname"; echo "127.0.0.1 localhost debian" >"$1/etc/hosts"
echo "LABEL=@LABEL@ / ext4 defaults 0 1" >"$1/etc/fstab"; : >"$1/etc/machine-id"
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' >"$1/etc/systemd/network/lab.network"
for unit in @MASKED@; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done
cp @HERE@/guest/lab-job "$1/usr/local/sbin/"; chmod 755 "$1/usr/local/sbin/lab-job"
cp @HERE@/guest/lab-job.service "$1/etc/systemd/system/"
chroot "$1" systemctl enable --quiet systemd-networkd systemd-resolved lab-job
mkdir -p "$1/boot/grub"; cp @HERE@/guest/grub.cfg "$1/boot/grub/"
(cd "$1/boot"; ln -sf vmlinuz-* vmlinuz; ln -sf initrd.img-* initrd.img)
rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
cp -L "$1/boot/vmlinuz" "$1/boot/initrd.img" "$out/"
truncate -s @SIZE@ "$out/root.ext4"
@WITHOUT@ "$1" mke2fs -q -F -t ext4 -L @LABEL@ -m 0 -O ^resize_inode -d "$1" "$out/root.ext4"
chmod -R a+rwX "$out"
"""


def debian_image():
    """A folder with debian.img, and vmlinuz and initrd.img from it."""
    include = image.packages(DEBIAN_PACKAGES)
    shell = MAKE_DEBIAN
    for name, value in (("LABEL", DEBIAN_LABEL), ("HERE", HERE),
                        ("MASKED", " ".join(DEBIAN_MASKED)), ("WITHOUT", image.WITHOUT_MOUNTS),
                        ("SIZE", str(DEBIAN_SIZE - bootdisk.ROOT_AT - bootdisk.MIB))):
        shell = shell.replace("@%s@" % name, value)
    files = [os.path.join(HERE, "guest", name)
             for name in ("grub.cfg", "lab-job", "lab-job.service")]

    def make(into):
        image.debian(into, include, shell, excluded=DEBIAN_EXCLUDED, before=DEBIAN_BEFORE)
        root = os.path.join(into, "root.ext4")
        bootdisk.make(root, DEBIAN_LABEL, DEBIAN_SIZE, os.path.join(into, "debian.img"))
        os.unlink(root)

    return cache.cached("debian", [include, DEBIAN_BEFORE, shell.replace(HERE, ""),
                                   list(DEBIAN_EXCLUDED),
                                   cache.file_bytes(bootdisk.__file__, *files)], make)


# The PC's second disk: the guests' disks, and space

SPACE = "8G"
SYSTEMS = {"debian": debian_image}


def space(systems):
    """The disk image that is /guests in the PC, with the folders of these systems. Each PC sees it as
    it was made, whatever was written to it before."""
    folders = [SYSTEMS[name]() for name in systems]

    def make(into):
        image.need("mke2fs")
        content = os.path.join(into, "content")
        os.mkdir(content)
        for name, folder in zip(systems, folders):
            os.mkdir(os.path.join(content, name))
            for entry in os.listdir(folder):
                subprocess.run(["cp", "--sparse=always", os.path.join(folder, entry),
                                os.path.join(content, name)], check=True)
        path = os.path.join(into, "disk.img")
        subprocess.run(["truncate", "-s", SPACE, path], check=True)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "irori-guests", "-m", "0",
                        "-E", "lazy_itable_init=1", "-d", content, path], check=True,
                       env=dict(os.environ, PATH=image.search_path()))
        subprocess.run(["rm", "-r", content], check=True)

    name = "guests" + "".join("-" + system for system in systems)
    return os.path.join(cache.cached(name, [SPACE] + [os.path.basename(each) for each in folders],
                                     make), "disk.img")


def debian_direct(more=""):
    """Lines for [Guest]: the disk's own kernel and initrd, booted directly."""
    return ("Kernel=/guests/debian/vmlinuz\nInitrd=/guests/debian/initrd.img\n"
            "CommandLine=root=LABEL=%s ro %s %s\n" % (DEBIAN_LABEL, COMMAND_LINE, more))


def debian_job(pc, name, script, files=()):
    """A disk with the job of a `debian`: its path in the PC. The system runs the script (sh, as root)
    from any disk that begins with #!, and switches itself off when it ends. COM1 says GUEST-UP SECONDS
    before and GUEST-DONE STATUS after it. The script runs at each boot. `files`: (path in it, path
    here) of small ones that it brings along."""
    for path, source in files:
        with open(source, "rb") as file:
            text = base64.encodebytes(file.read()).decode()
        script = "base64 -d >%s <<'END'\n%sEND\nchmod 755 %s\n%s" % (path, text, path, script)
    data = ("#!/bin/sh\n" + script + "\nexit $?\n").encode()
    pc.write(name + ".job", data + b"\n" * (-len(data) % 4096))
    # Not from the share: io_uring and O_DIRECT want a real file system.
    pc.run("cp /lab/%s.job /guests/" % name, check=True)
    return "/guests/%s.job" % name

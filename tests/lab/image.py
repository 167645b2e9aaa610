"""The appliance image, and what the lab adds to it from outside.

Its packages are those of data/appliance.txt; for the lab, those of packages.txt beside this are added.
"""
import os
import shutil
import subprocess

import cache
import initramfs
from errors import Missing

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SUITE = "bookworm"
APPLIANCE = "data/appliance.txt"
TOOLS = "tests/lab/packages.txt"
DISK_SIZE = "4G"  # sparse

# For the lab's own initramfs: its root, the share, and what a scenario may want early.
MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "9p", "9pnet_virtio")

# What nobody reads there: the image stays small.
EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*",
            "/usr/share/info/*")


def need(*programs):
    lacking = [name for name in programs if not shutil.which(name, path=search_path())]
    if lacking:
        raise Missing("not installed: %s (./dev setup installs it)" % " ".join(lacking))


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def packages(path):
    """The names in a list like data/packages.txt."""
    names = []
    with open(os.path.join(TOP, path)) as file:
        for line in file:
            names += line.split("#")[0].split()
    return names


def debian(into, include, shell, excluded=(), before="true"):
    """A Debian root with these packages; `shell` turns it ($1) into files in $out, as its root. `before`
    is done to it when only the essential packages are there."""
    need("mmdebstrap", "mke2fs")
    os.chmod(into, 0o777)
    command = ["mmdebstrap", "--variant=apt", "--include=" + ",".join(include)]
    command += ["--dpkgopt=force-unsafe-io"]
    command += ["--dpkgopt=path-exclude=" + path for path in EXCLUDED + tuple(excluded)]
    command += ["--essential-hook=" + before]
    command += ["--customize-hook=set -eu; out=%s; %s" % (into, shell), SUITE, "/dev/null"]
    log = os.path.join(into, "log")
    with open(log, "w") as file:
        code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                               env=dict(os.environ, PATH=search_path()))
    if code:
        with open(log, errors="replace") as file:
            raise RuntimeError("mmdebstrap failed:\n" + "".join(file.readlines()[-15:]))


# Runs a command that sees the root $1 without the /proc, /sys and /dev that mmdebstrap mounted there.
WITHOUT_MOUNTS = r"""unshare -m sh -ec 'root=$1; shift
cut -d" " -f2 /proc/self/mounts | grep "^$root/" | sort -r | while read -r at; do umount -l "$at"; done
"$@"' sh"""

# Fonts are looked through once, here: a cache counts while its folder has the time that it had, and mke2fs
# keeps no fractions of a second.
FONTS = r"""[ ! -x "$1/usr/bin/fc-cache" ] || {
	mkdir -p "$1/usr/local/share/fonts"
	find "$1/usr/share/fonts" "$1/usr/local/share/fonts" -type d -exec touch -d 2020-01-01 {} +; chroot "$1" fc-cache -f; }"""

MAKE_PC = r"""
echo irori >"$1/etc/hostname"; echo "127.0.0.1 localhost irori" >"$1/etc/hosts"
echo "LABEL=irori-root / ext4 defaults 0 1" >"$1/etc/fstab"
: >"$1/etc/machine-id"; rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
mkdir -p "$1/lab" "$1/scratch"
%s
cp "$1/bin/busybox" "$out/"; cp "$1"/boot/vmlinuz-* "$out/vmlinuz"; cp -a "$1"/lib/modules/* "$out/"; mv "$out"/[0-9]* "$out/modules"
truncate -s %s "$out/disk.img"
%s "$1" mke2fs -q -F -t ext4 -L irori-root -d "$1" "$out/disk.img"
chmod -R a+rwX "$out"
"""


def pc_image():
    """A folder with disk.img (ext4, labelled irori-root), vmlinuz, modules/ and a static busybox."""
    include = packages(APPLIANCE) + packages(TOOLS)
    shell = MAKE_PC % (FONTS, DISK_SIZE, WITHOUT_MOUNTS)
    return cache.cached("pc", [include, shell, SUITE, list(EXCLUDED)],
                        lambda into: debian(into, include, shell))


def hook_initrd(pc_folder):
    """The lab's initramfs for that image: hook/ on busybox. Bytes."""
    archive = initramfs.with_busybox(os.path.join(pc_folder, "busybox"))
    hook = os.path.join(HERE, "hook")
    for name in ("init", "agent", "masked", "lab-agent.service"):
        with open(os.path.join(hook, name)) as file:
            archive.file(name, file.read(), 0o755)
    initramfs.add_modules(archive, os.path.join(pc_folder, "modules"), MODULES)
    return archive.finish()

#!/usr/bin/env python3
"""The appliance image: a disk for a household's PC, of Debian 12 and this project (./dev image).

It boots by BIOS and by UEFI. The packages (data/appliance.txt) come from the cache, the project's files
are those that `meson install` makes.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import addition
import bootdisk
import cache
import image
import units

APPLIANCE = os.path.join(image.TOP, "data", "appliance")
LABEL = "irori-root"
GIB = 1 << 30
SIZE = 4 * GIB  # sparse; the last partition becomes larger on the disk
SPARE = GIB  # beside what a household puts in

GRUB_CFG = """set timeout=0
set timeout_style=hidden
set default=0
menuentry "Irori" {
	search --no-floppy --label irori-root --set root
	linux /vmlinuz root=LABEL=irori-root @COMMAND_LINE@
	initrd /initrd.img
}
"""


def base():
    """A folder with disk.img: the file system of the packages alone."""
    include = image.packages(image.APPLIANCE)
    shell = image.MAKE_PC % (image.FONTS, SIZE - bootdisk.ROOT_AT - bootdisk.MIB, image.WITHOUT_MOUNTS)
    # busybox is the lab's
    shell = shell.replace('cp "$1/bin/busybox" "$out/"; ', "")
    return cache.cached("appliance", [include, shell, image.SUITE, list(image.EXCLUDED)],
                        lambda into: image.debian(into, include, shell))


def tree_commands(tree):
    """debugfs's, for the files below the folder `tree`."""
    commands = []
    for folder, _, names in sorted(os.walk(tree)):
        inside = "/" + os.path.relpath(folder, tree)
        if inside != "/.":
            commands.append('mkdir "%s"' % inside)
        for name in sorted(names):
            path = os.path.normpath(os.path.join(inside, name))
            source = os.path.join(folder, name)
            commands.append('rm "%s"' % path)
            if os.path.islink(source):
                commands.append('symlink "%s" "%s"' % (path, os.readlink(source)))
            else:
                commands.append('write "%s" "%s"' % (source, path))
    return commands


def addition_commands(added, work):
    """The same for a household's files. Their paths may be any, so debugfs is given links in `work`."""
    commands = ['mkdir "%s"' % path for path in added.folders]
    for number, (path, source) in enumerate(sorted(added.files.items())):
        link = os.path.join(work, "file%d" % number)
        os.symlink(source, link)
        commands += ['rm "%s"' % path, 'write "%s" "%s"' % (link, path)]
        if addition.SECRET.fullmatch(path):
            commands.append('set_inode_field "%s" mode 0100600' % path)
    return commands


def debugfs_write(disk, commands):
    """Into the file system `disk`, owned by root, without mounting. debugfs's status says nothing of what failed."""
    done = subprocess.run(["debugfs", "-w", "-f", "-", disk], input=os.fsencode("\n".join(commands)),
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env=dict(os.environ, PATH=image.search_path()))
    said = done.stderr.decode(errors="replace").splitlines()
    failed = [line for line in said if line.startswith(("write: ", "symlink: ", "set_inode_field: ", "mkdir: ")) and
              not (line.startswith("mkdir: ") and "already exists" in line)]
    if done.returncode or failed:
        raise RuntimeError("debugfs: " + "\n".join(failed or said[-5:]))


def project(build, tree):
    """The project's files into the folder `tree`, as the appliance has them: installed, units enabled,
    and what turns Debian into an appliance."""
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True,
                   env=dict(os.environ, DESTDIR=tree), stdout=subprocess.DEVNULL)
    shutil.copytree(os.path.join(APPLIANCE, "files"), tree, dirs_exist_ok=True)
    units.enable(tree)
    units.mask(tree, units.words(os.path.join(APPLIANCE, "masked")))


def command_line():
    return " ".join(units.words(os.path.join(APPLIANCE, "command-line")))


def kernel_version(disk):
    done = subprocess.run(["debugfs", "-R", "ls -p /lib/modules", disk], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL,
                          env=dict(os.environ, PATH=image.search_path()))
    names = [line.split("/")[5] for line in done.stdout.decode().splitlines() if line.count("/") > 5]
    return max(name for name in names if not name.startswith("."))


def free_bytes(disk):
    """Of an ext4 file system, for root."""
    stats = addition.debugfs(disk, "show_super_stats -h")
    return int(re.search(r"Free blocks: +(\d+)", stats)[1]) * int(re.search(r"Block size: +(\d+)", stats)[1])


def grow(root, added):
    """The file system `root` until a household's files have room. Bytes that it grew by."""
    lacking = added.room() + SPARE - free_bytes(root)
    if lacking <= 0:
        return 0
    more = -(-lacking * 33 // 32 // GIB) * GIB  # the file system's own tables take a part
    os.truncate(root, os.path.getsize(root) + more)
    subprocess.run(["resize2fs", root], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, PATH=image.search_path()))
    return more


def room_here(folder, source, added):
    """Whether the image, twice while it is made, has room in the folder."""
    state = os.statvfs(folder)
    need = 2 * (os.stat(source).st_blocks * 512 + (added.bytes_here() if added else 0)) + SPARE
    if state.f_bavail * state.f_frsize < need:
        raise RuntimeError("%s: %.1f GB are needed there, %.1f are free" % (
            folder, need / 1e9, state.f_bavail * state.f_frsize / 1e9))


def make(build, output, add=None):
    """`add`: a folder with what a household puts in (addition.py). The image appears whole or not at all."""
    image.need("debugfs", "resize2fs", "meson", "cp")
    added = addition.Addition(add) if add else None
    folder = os.path.dirname(os.path.abspath(output))
    source = os.path.join(base(), "disk.img")
    os.makedirs(folder, exist_ok=True)
    room_here(folder, source, added)
    with tempfile.TemporaryDirectory(prefix="irori-image-", dir=folder) as work:
        root, tree = os.path.join(work, "root.ext4"), os.path.join(work, "tree")
        project(build, tree)
        shutil.copytree(os.path.join(APPLIANCE, "disk"), tree, dirs_exist_ok=True)
        if added:
            added.check(os.path.join(build, "ui", "irori"), tree, source)
        subprocess.run(["cp", "--sparse=always", source, root], check=True)
        version = kernel_version(root)
        os.makedirs(os.path.join(tree, "boot", "grub"), exist_ok=True)
        with open(os.path.join(tree, "boot", "grub", "grub.cfg"), "w") as file:
            file.write(GRUB_CFG.replace("@COMMAND_LINE@", command_line())
                       .replace("/vmlinuz", "/boot/vmlinuz-" + version)
                       .replace("/initrd.img", "/boot/initrd.img-" + version))
        debugfs_write(root, tree_commands(tree))
        size = SIZE
        if added:
            size += grow(root, added)
            debugfs_write(root, addition_commands(added, work))
        disk = os.path.join(work, "disk.img")
        bootdisk.make(root, LABEL, size, disk)
        shutil.move(disk, output)
    cache.say("wrote %s (%d GiB): write it to a disk with dd, or boot it in a virtual PC" % (output, size // GIB))


def main():
    parser = argparse.ArgumentParser(prog="./dev image", description=__doc__)
    parser.add_argument("--build", default=os.path.join(image.TOP, "build"))
    parser.add_argument("--output", default=os.path.join(image.TOP, "out", "image", "irori.img"))
    parser.add_argument("--add", metavar="FOLDER", help="""put a household's files into it: FOLDER/etc/irori with
        guests.d, people.d, seats.d and irori.conf, FOLDER/srv with the disks and ISO images that guests name, all
        where they will be on the PC; checked first (docs/seats.md)""")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        make(args.build, args.output, args.add)
    except addition.Wrong as wrong:
        print("%s\nimage: nothing was made" % wrong, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (image.Missing, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print("image: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

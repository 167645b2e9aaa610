#!/usr/bin/env python3
"""The appliance image: a disk for a household's PC, of Debian 12 and this project (./dev image).

It boots by BIOS and by UEFI. The packages (data/appliance.txt) come from the cache, the project's files
are those that `meson install` makes.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootdisk
import cache
import image
import units

APPLIANCE = os.path.join(image.TOP, "data", "appliance")
LABEL = "irori-root"
SIZE = 4 << 30  # sparse; the last partition can be made larger on the disk

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


def debugfs_add(disk, tree):
    """The files below the folder `tree` into the file system `disk`, owned by root, without mounting."""
    commands = []
    for folder, _, names in sorted(os.walk(tree)):
        inside = "/" + os.path.relpath(folder, tree)
        if inside != "/.":
            commands.append("mkdir %s" % inside)
        for name in sorted(names):
            path = os.path.normpath(os.path.join(inside, name))
            source = os.path.join(folder, name)
            commands.append("rm %s" % path)
            if os.path.islink(source):
                commands.append("symlink %s %s" % (path, os.readlink(source)))
            else:
                commands.append("write %s %s" % (source, path))
    done = subprocess.run(["debugfs", "-w", "-f", "-", disk], input="\n".join(commands).encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, PATH=image.search_path()))
    if done.returncode:
        raise RuntimeError("debugfs: " + done.stdout.decode(errors="replace")[-1000:])


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


def make(build, output, more=None):
    """`more`: a folder whose files are in it too."""
    image.need("debugfs", "meson", "cp")
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="irori-image-", dir=os.path.dirname(
            os.path.abspath(output))) as work:
        root, tree = os.path.join(work, "root.ext4"), os.path.join(work, "tree")
        source = os.path.join(base(), "disk.img")
        subprocess.run(["cp", "--sparse=always", source, root], check=True)
        project(build, tree)
        if more:
            shutil.copytree(more, tree, dirs_exist_ok=True)
        version = kernel_version(root)
        os.makedirs(os.path.join(tree, "boot", "grub"), exist_ok=True)
        with open(os.path.join(tree, "boot", "grub", "grub.cfg"), "w") as file:
            file.write(GRUB_CFG.replace("@COMMAND_LINE@", command_line())
                       .replace("/vmlinuz", "/boot/vmlinuz-" + version)
                       .replace("/initrd.img", "/boot/initrd.img-" + version))
        debugfs_add(root, tree)
        disk = os.path.join(work, "disk.img")
        bootdisk.make(root, LABEL, SIZE, disk)
        shutil.move(disk, output)
    cache.say("wrote %s: write it to a disk with dd, or boot it in a virtual PC" % output)


def main():
    parser = argparse.ArgumentParser(prog="./dev image", description=__doc__)
    parser.add_argument("--build", default=os.path.join(image.TOP, "build"))
    parser.add_argument("--output", default=os.path.join(image.TOP, "out", "image", "irori.img"))
    args = parser.parse_args()
    try:
        make(args.build, args.output)
    except (image.Missing, RuntimeError, subprocess.CalledProcessError) as error:
        print("image: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

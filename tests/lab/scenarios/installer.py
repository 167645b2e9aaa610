"""Debian's installer, from SeaBIOS and GRUB to its first dialog: seen on the VGA, moved by PS/2 keys."""
import os
import shutil
import struct
import subprocess

import cache
from guest import Guest
from lab import Skip
from pc import LabError

needs = ["grub-mkimage", "mformat", "mcopy"]

PACKAGE = "debian-installer-12-netboot-amd64"
IMAGES = "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/"
SECTOR = 512
PART = 2048            # first sector of the file system
SIZE = 96 << 20
MODULES = "biosdisk part_msdos fat normal linux configfile boot echo test".split()
EARLY = "set root=(hd0,msdos1)\nconfigfile (hd0,msdos1)/grub.cfg\n"
MENU = """set timeout=-1
menuentry "Install Debian" {
  set gfxpayload=text
  linux /linux no_timer_check DEBIAN_FRONTEND=newt
  initrd /initrd.gz
}
menuentry "The second line" { echo second }
"""
# As the eyes of a scenario: shares of these in a picture of a text mode.
BLUE = (0, 0, 170)
GREY = (170, 170, 170)
RED = (170, 0, 0)  # what is selected
LINE = 16          # height of a line of text


def version():
    shown = subprocess.run(["apt-cache", "show", PACKAGE], capture_output=True, text=True).stdout
    found = [line for line in shown.splitlines() if line.startswith("Version: ")]
    if not found:
        raise Skip("the package %s is not to be had here" % PACKAGE)
    return found[0]


def make(folder):
    """disk: a hard disk that GRUB boots from with its menu, the installer's kernel and initrd on it."""
    subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    package = [name for name in os.listdir(folder) if name.endswith(".deb")][0]
    tree = os.path.join(folder, "tree")
    subprocess.run(["dpkg-deb", "-x", package, "tree"], cwd=folder, check=True)
    for name, text in (("early", EARLY), ("grub.cfg", MENU)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-o", "core", "-p", "/", "-c", "early"]
                   + MODULES, cwd=folder, check=True)
    with open("/usr/lib/grub/i386-pc/boot.img", "rb") as file:
        boot = bytearray(file.read())
    with open(os.path.join(folder, "core"), "rb") as file:
        core = file.read()
    # One active FAT32 (LBA) partition; the core follows the boot sector, as both expect by default.
    boot[440:510] = bytes(70)  # its code for floppies: a disk has its table there
    boot[446:462] = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x0c, b"\xfe\xff\xff", PART,
                                SIZE // SECTOR - PART)
    boot[510:512] = b"\x55\xaa"
    disk = os.path.join(folder, "disk")
    with open(disk, "wb") as file:
        file.truncate(SIZE)
        file.write(boot + core)
    at = "%s@@%d" % (disk, PART * SECTOR)
    subprocess.run(["mformat", "-i", at, "-F", "-T", str(SIZE // SECTOR - PART), "-h", "64",
                    "-s", "32", "-H", str(PART), "::"], check=True)
    files = [os.path.join(folder, "grub.cfg")]
    files += [os.path.join(tree, IMAGES, name) for name in ("linux", "initrd.gz")]
    subprocess.run(["mcopy", "-i", at] + files + ["::"], check=True)
    shutil.rmtree(tree)
    os.unlink(os.path.join(folder, package))


def share(shot, colour):
    """Which part of the picture has this colour."""
    found = sum(row[at:at + 3] == bytes(colour) for row in shot.rows[::4]
                for at in range(0, len(row), shot.channels))
    return found / (len(shot.rows[::4]) * shot.width)


def changed_rows(before, after):
    """First and last line that differ, or None."""
    if (before.width, before.height) != (after.width, after.height):
        raise LabError("the screen's size changed from %ux%u to %ux%u" % (
            before.width, before.height, after.width, after.height))
    rows = [y for y in range(before.height) if bytes(before.rows[y]) != bytes(after.rows[y])]
    return (rows[0], rows[-1]) if rows else None


def selected(shot):
    """Where the dialog's selection begins, a bar of red; -1 without one."""
    for y, row in enumerate(shot.rows):
        red = sum(row[at:at + 3] == bytes(RED) for at in range(0, len(row), shot.channels))
        if red > shot.width // 10:
            return y
    return -1


def press(guest, key, before, name, most):
    """The picture after the key: the change must lie within so many neighbouring text lines."""
    guest.send_keys(key)
    guest.wait_screen(lambda shot: changed_rows(before, shot), 20, "a change after " + key)
    after = guest.screenshot(name)
    first, last = changed_rows(before, after)
    if last - first >= most * 16:
        raise LabError("%s changed lines %d to %d of the screen: more than a selection" % (
            key, first, last))
    return after, first


def run(pc):
    disk = pc.put(os.path.join(cache.cached("installer", [version(), EARLY, MENU, repr(MODULES)],
                                            make), "disk"))
    pc.run("cp %s /run/lab/disk" % disk, check=True)
    guest = Guest(pc, "installer", "[Guest]\nMemory=1200M\nFirmware=bios\n"
                  "[Disk boot]\nPath=/run/lab/disk\n").start()
    menu = guest.wait_screen(lambda shot: share(shot, GREY) > 0.05 and shot.height == 400, 60,
                             "GRUB's menu")
    menu = guest.screenshot("grub-1")
    second, first = press(guest, "down", menu, "grub-2", 3)
    back, again = press(guest, "up", second, "grub-3", 3)
    if changed_rows(menu, back):
        raise LabError("GRUB's menu is not what it was after down and up")
    guest.send_keys("ret")
    guest.wait_screen(lambda shot: share(shot, BLUE) > 0.05 and share(shot, GREY) > 0.1
                      and share(shot, RED) > 0.003, 480, "the installer's first dialog")
    dialog = guest.screenshot("dialog-1")
    first = selected(dialog)
    for key, line, name in (("down", first + LINE, "dialog-2"), ("up", first, "dialog-3")):
        guest.send_keys(key)
        guest.wait_screen(lambda shot, line=line: selected(shot) == line, 30,
                          "the selection at line %d after %s" % (line, key))
        guest.screenshot(name)
    guest.poweroff()
    return "menu and dialog of %ux%u moved by PS/2" % (dialog.width, dialog.height)

#!/usr/bin/env python3
"""./dev image --add without the packages: on a small file system instead of Debian's. What is wrong is said with file
and line and nothing is made; what is right is in the image, with room.

usage: test_addition.py BUILD
"""
import contextlib
import errno
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import addition
import appliance
import bootdisk
import image

BUILD = os.path.abspath(sys.argv[1])
HASH = "[Person]\nPin=$y$x\n"
GUEST = "[Guest]\nName=a\nKernel=/usr/bin/tool\n[Disk system]\nPath=/srv/guests/a b.img\n[Share s]\nPath=/srv/shared\n"
GOOD = {"etc/irori/guests.d/a.conf": GUEST, "etc/irori/people.d/anna.conf": HASH, "srv/guests/a b.img": "disk" * 128,
        "srv/shared/.keep": "", "etc/localtime": "TZif"}


def put(folder, files):
    for name, content in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def small_base(folder):
    """A file system like that of the packages, with as little in it as can be: a kernel that is none."""
    elf = subprocess.run(["cat", os.path.join(BUILD, "demo", "kernel", "hearth")], check=True, capture_output=True)
    tree = put(os.path.join(folder, "tree"), {"usr/bin/tool": elf.stdout, "lib/modules/6.1/x": "", "etc/fstab": "old",
                                              "srv/box/.keep": ""})
    os.symlink("usr/bin", os.path.join(tree, "bin"))
    os.symlink("bin/tool", os.path.join(tree, "kernel"))
    os.symlink("/" + "usr/../" * 12 + "kernel", os.path.join(tree, "far"))  # too long to be in the inode
    os.symlink("ring", os.path.join(tree, "ring"))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, os.path.join(folder, "disk.img"), "64M"], check=True,
                   env=dict(os.environ, PATH=image.search_path()))
    return folder


def qcow2(backing):
    name = os.fsencode(backing)
    return b"QFI\xfb" + struct.pack(">IQI", 3, 512 if name else 0, len(name)) + bytes(492) + name


def refused(what, folder, output, *words):
    """What make() says of it; neither the image nor anything beside it has changed."""
    before = {path: path.stat().st_mtime_ns for path in pathlib.Path(output).parent.iterdir()}
    try:
        appliance.make(BUILD, output, folder)
    except addition.Wrong as wrong:
        said = str(wrong)
    else:
        raise AssertionError("%s: was taken" % what)
    assert all(word in said for word in words), (what, words, said)
    assert all(line.isprintable() for line in said.split("\n")), said
    assert before == {path: path.stat().st_mtime_ns for path in pathlib.Path(output).parent.iterdir()}, what
    print("ok %s" % what)


def all_that_is_wrong(top, output):
    def case(what, files, *words):
        with tempfile.TemporaryDirectory(dir=top) as folder:
            refused(what, put(folder, {name: text for name, text in dict(GOOD, **files).items() if text is not None}),
                    output, *words)

    conf = "etc/irori/guests.d/a.conf"
    case("a file that is nowhere", {conf: GUEST + "[Cd]\nPath=/srv/no.iso\n"}, conf + ":9: Path=/srv/no.iso")
    case("two things", {conf: GUEST + "[Cd]\nPath=/srv/no.iso\n", "etc/irori/people.d/anna.conf": "[Person]\nBudget=x\n"},
         conf + ":9:", "anna.conf:2: Budget=x")
    case("a key that is none", {conf: GUEST.replace("Path", "Pfad", 1)}, conf + ":5:")
    case("a disk that is empty", {"srv/guests/a b.img": ""}, "a b.img")
    case("an image without the one below it", {"srv/guests/b.qcow2": qcow2("base.img")},
         "/srv/guests/b.qcow2: stands on /srv/guests/base.img")
    for name in ("a\0b", 'a"b', "a\nb", "a\x1b[2Jb"):
        case("an image on what is no name", {"srv/guests/b.qcow2": qcow2(name)}, "b.qcow2: stands on ", "not a name")
    case("an image on a name that is not UTF-8", {"srv/guests/b.qcow2": qcow2("a\udcff")}, "a\\udcff', which is not there")
    case("a link in the image that leads to itself", {conf: GUEST.replace("/usr/bin/tool", "/ring")}, conf + ":3: Kernel=")
    case("an escape in a value", {conf: GUEST.replace("/usr/bin/tool", "/usr/\x1b[2J")}, "a.conf:3: Kernel=")
    case("another place", {"usr/bin/x": ""}, "usr: only etc and srv")
    case("another place that is no name", {"u\nsr/bin/x": ""}, "u\\nsr': only etc and srv")
    case("a name that debugfs has no word for", {'srv/a"b': ""}, "not a name")
    with tempfile.TemporaryDirectory(dir=top) as folder:
        refused("nothing", folder, output, "nothing in it")
        refused("no folder", folder + "/none", output, "not a folder")
        os.makedirs(folder + "/srv")
        os.symlink("/nonexistent", folder + "/srv/link")
        refused("a link that leads nowhere", folder, output, "srv/link: No such file")
        os.unlink(folder + "/srv/link")
        os.symlink(folder, folder + "/srv/link")
        refused("a link that leads back", folder, output, "lead back")
        os.unlink(folder + "/srv/link")
        os.makedirs(folder + "/srv/shut/in")
        with shut(folder + "/srv/shut"):
            refused("a folder that cannot be read", folder, output, "srv/shut: Permission denied")


@contextlib.contextmanager
def shut(folder):
    """Not to be listed, by root neither: os.walk() finds it so."""
    scandir = os.scandir

    def refuse(path):
        if path == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)
    os.scandir = refuse
    try:
        yield
    finally:
        os.scandir = scandir


def stat(root, path):
    return addition.debugfs(root, 'stat "%s"' % path)


def what_is_right(top, output):
    elsewhere = os.path.join(top, "large.img")
    with open(elsewhere, "wb") as file:
        file.write(qcow2("/srv/guests/a b.img"))
        file.truncate(2 * appliance.GIB)  # nearly all of it holes
    folder = put(os.path.join(top, "good"), GOOD)
    os.symlink(elsewhere, os.path.join(folder, "srv", "guests", "large.qcow2"))
    for link in ("twice", "thrice"):
        os.symlink("shared", os.path.join(folder, "srv", link))
    for kernel in ("/kernel", "/far", "/bin/tool"):
        put(folder, {"etc/irori/guests.d/%s.conf" % kernel[1]: GUEST.replace("=a", "=" + kernel[1])
                     .replace("Kernel=/usr/bin/tool", " Kernel = %s " % kernel)})
    put(folder, {"srv/a\udcff": "not UTF-8"})
    appliance.make(BUILD, output, folder)
    root = "%s?offset=%d" % (output, bootdisk.ROOT_AT)
    env = dict(os.environ, PATH=image.search_path())
    subprocess.run(["e2fsck", "-fn", root], check=True, stdout=subprocess.DEVNULL, env=env)
    for name in GOOD:
        found = stat(root, "/" + name)
        mode = "0600" if "people.d" in name else "%04o" % (os.stat(os.path.join(folder, name)).st_mode & 0o7777)
        assert re.search(r"Mode: +%s\b" % mode, found) and re.search(r"User: +0 +Group: +0 ", found), (name, found)
    assert addition.debugfs(root, 'cat "/srv/guests/a b.img"') == "disk" * 128
    assert addition.debugfs(root, 'cat "/srv/a\udcff"') == "not UTF-8"
    assert all("Type: regular" in stat(root, "/srv/%s/.keep" % link) for link in ("twice", "thrice"))
    assert "growfs" in addition.debugfs(root, "cat /etc/fstab"), "the image's own in the place of the packages'"
    large = stat(root, "/srv/guests/large.qcow2")
    assert "Size: %d" % (2 * appliance.GIB) in large and int(re.search(r"Blockcount: (\d+)", large)[1]) < 64, large
    assert appliance.free_bytes(root) > 2 * appliance.GIB, "room for the holes"
    assert os.stat(output).st_blocks * 512 < appliance.GIB and len(os.listdir(os.path.dirname(output))) == 1
    print("ok it is in the image, and has room")


def what_debugfs_does_not_do(top):
    small = os.path.join(top, "small.img")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", small, "1M"], check=True,
                   env=dict(os.environ, PATH=image.search_path()))
    appliance.debugfs_write(small, ['mkdir "/a"', 'mkdir "/a"', 'rm "/b"', 'write "%s" "/b"' % __file__])
    large = put(top, {"large": os.urandom(2 << 20)}) + "/large"
    for command in ('write "%s" /large' % large, 'write "/nonexistent" /x', 'write "%s" /no/folder' % large,
                    'write "%s" /a' % __file__, 'symlink /a /b'):
        try:
            appliance.debugfs_write(small, [command])
        except RuntimeError:
            continue
        raise AssertionError(command)
    print("ok what debugfs cannot do is an error")


def main():
    try:
        image.need("debugfs", "mke2fs", "resize2fs", "meson", "grub-mkimage", "sfdisk", "mkfs.fat", "mcopy")
    except image.Missing as error:
        print("SKIP: %s" % error)
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="irori-test-") as top:
        base = small_base(os.path.join(top, "base"))
        appliance.base = lambda: base
        output = os.path.join(top, "out", "irori.img")
        put(top, {"out/irori.img": "one that was there"})
        all_that_is_wrong(top, output)
        what_is_right(top, output)
        what_debugfs_does_not_do(top)


main()

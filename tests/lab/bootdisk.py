"""A guest's disk: GPT, GRUB for BIOS and for UEFI, one root file system; made without loop devices.

GRUB on a BIOS: boot.img is the first sector and loads one sector at the address in its bytes 0x5c..0x63;
that sector, the first of core.img, loads the rest by the list that ends at its byte 512 (GRUB 2.06,
grub-core/boot/i386/pc/{boot,diskboot}.S).
"""
import os
import struct
import subprocess

import image

SECTOR = 512
MIB = 1 << 20
BIOS_AT, ESP_AT, ROOT_AT = 1 * MIB, 2 * MIB, 34 * MIB
GRUB = "/usr/lib/grub"
MODULES = ["part_gpt", "ext2", "fat", "normal", "configfile", "linux", "search", "search_label",
           "serial", "terminal", "echo", "test", "minicmd", "reboot", "halt", "ls", "cat", "true"]
EARLY = "search --no-floppy --label %s --set root\nset prefix=($root)/boot/grub\n"


def grub_image(folder, label, kind, modules):
    """GRUB's own program for one firmware: its path."""
    early, path = os.path.join(folder, "early.cfg"), os.path.join(folder, kind)
    with open(early, "w") as file:
        file.write(EARLY % label)
    subprocess.run(["grub-mkimage", "-O", kind, "-p", "/boot/grub", "-c", early, "-o", path] +
                   MODULES + modules, check=True)
    return path


def bios_sectors(folder, label):
    """(the first sector's code, what goes into the BIOS boot partition)."""
    with open(grub_image(folder, label, "i386-pc", ["biosdisk", "vga_text"]), "rb") as file:
        core = bytearray(file.read())
    with open(os.path.join(GRUB, "i386-pc", "boot.img"), "rb") as file:
        boot = bytearray(file.read(SECTOR))
    core += b"\0" * (-len(core) % SECTOR)
    at = BIOS_AT // SECTOR
    struct.pack_into("<Q", boot, 0x5c, at)
    struct.pack_into("<QH", core, SECTOR - 12, at + 1, len(core) // SECTOR - 1)
    return boot[:440], core


def esp(folder, label, path):
    """A FAT file system with GRUB where UEFI looks for it."""
    efi = grub_image(folder, label, "x86_64-efi", ["efi_gop", "efi_uga", "all_video"])
    with open(path, "wb") as file:
        file.truncate(ROOT_AT - ESP_AT)
    env = dict(os.environ, MTOOLS_SKIP_CHECK="1", PATH=image.search_path())
    for command in (["mkfs.fat", "-F", "16", "-n", "ESP", path],
                    ["mmd", "-i", path, "::EFI", "::EFI/BOOT"],
                    ["mcopy", "-i", path, efi, "::EFI/BOOT/BOOTX64.EFI"]):
        subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


def data_parts(file):
    """(where, bytes) of what a file has between its holes, a MiB at most at a time."""
    at = 0
    while True:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole from here on
            return
        end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        file.seek(at)
        while at < end:
            data = file.read(min(MIB, end - at))
            if not data:
                return
            yield at, data
            at += len(data)


def copy_sparse(target, at, path):
    with open(path, "rb") as file:
        for where, data in data_parts(file):
            if data.count(0) != len(data):
                target.seek(at + where)
                target.write(data)


def make(root, label, size, path):
    """The disk `path` of `size` bytes around the ext4 image `root`, labelled `label`."""
    image.need("grub-mkimage", "sfdisk", "mkfs.fat", "mmd", "mcopy")
    folder = os.path.dirname(path)
    with open(path, "wb") as file:
        file.truncate(size)
    table = "label: gpt\nstart=%d,size=%d,type=21686148-6449-6E6F-744E-656564454649\n" \
            "start=%d,size=%d,type=uefi\nstart=%d,type=linux\n" % (
                BIOS_AT // SECTOR, (ESP_AT - BIOS_AT) // SECTOR, ESP_AT // SECTOR,
                (ROOT_AT - ESP_AT) // SECTOR, ROOT_AT // SECTOR)
    subprocess.run(["sfdisk", "--quiet", "--no-reread", path], input=table.encode(), check=True,
                   env=dict(os.environ, PATH=image.search_path()))
    boot, core = bios_sectors(folder, label)
    if len(core) > ESP_AT - BIOS_AT:
        raise RuntimeError("GRUB does not fit its partition")
    esp_path = os.path.join(folder, "esp")
    esp(folder, label, esp_path)
    with open(path, "r+b") as file:
        file.write(boot)
        file.seek(BIOS_AT)
        file.write(core)
        copy_sparse(file, ESP_AT, esp_path)
        copy_sparse(file, ROOT_AT, root)
    for name in ("esp", "early.cfg", "i386-pc", "x86_64-efi"):
        os.unlink(os.path.join(folder, name))

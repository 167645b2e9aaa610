#!/usr/bin/env python3
"""Stock SeaBIOS boots a boot sector of ours from a disk and from a CD, and says what it is to do when there is none.

Exit status 77: skipped, because /dev/kvm or SeaBIOS is not there for us.
"""
import os
import struct
import subprocess
import sys
import tempfile
import time

BIOS = "/usr/share/seabios/bios-256k.bin"


def configuration(folder, extra):
    path = os.path.join(folder, "guest.conf")
    with open(path, "w") as file:
        file.write("[Guest]\nName=test\nMemory=32M\nSocket=%s/socket\nOnCrash=exit\n[TestExit]\n"
                   "[Firmware]\nLog=%s/debug\nSerial=yes\n%s" % (folder, folder, extra))
    return path


def run(vmm, path, until=None, seconds=50):
    """The exit status and COM1; with `until` it is ended as soon as COM1 has that."""
    with open(path + ".out", "wb") as out:
        process = subprocess.Popen([vmm, path], stdout=out)
    end = time.monotonic() + seconds
    while process.poll() is None:
        with open(path + ".out", "rb") as out:
            text = out.read().decode("utf-8", "replace")
        if until and until in text:
            process.terminate()
            until = None
        if time.monotonic() > end:
            process.kill()
        time.sleep(0.05)
    with open(path + ".out", "rb") as out:
        return process.wait(), out.read().decode("utf-8", "replace")


def expect(what, text):
    if what not in text:
        raise SystemExit("FAILED: %r is not in\n%s" % (what, text))


def boots_from_disk(vmm, sector, folder):
    disk = os.path.join(folder, "disk")
    with open(sector, "rb") as source, open(disk, "wb") as file:
        file.write(source.read())
        file.truncate(1 << 20)
    status, text = run(vmm, configuration(folder, "[Disk system]\nPath=%s\n" % disk))
    print(text)
    expect("first sector here", text)
    expect("second sector", text)  # it shows what it was told last by and by
    expect("3", str(status))


def make_cd(path, sector):
    """A disc as El Torito has it, with that boot sector for no emulation; int 13h counts its blocks by
    2048, so what the sector reads as its second lies in block 1."""
    with open(sector, "rb") as source:
        first, second = source.read(512), source.read(512)
    catalog = struct.pack("<BBH24sHBB", 1, 0, 0, b"", 0, 0x55, 0xaa)
    total = sum(struct.unpack("<16H", catalog)) & 0xffff
    catalog = catalog[:28] + struct.pack("<H", -total & 0xffff) + catalog[30:]
    catalog += struct.pack("<BBHBBHI20s", 0x88, 0, 0, 0, 0, 4, 20, b"")
    blocks = {1: second, 16: b"\1CD001\1", 17: b"\0CD001\1" + b"EL TORITO SPECIFICATION".ljust(
        64, b"\0") + struct.pack("<I", 19), 18: b"\xffCD001\1", 19: catalog, 20: first}
    with open(path, "wb") as file:
        for number, block in blocks.items():
            file.seek(2048 * number)
            file.write(block)
        file.truncate(1 << 20)


def boots_from_cd(vmm, sector, folder):
    path = os.path.join(folder, "disc.iso")
    make_cd(path, sector)
    status, text = run(vmm, configuration(folder, "[Cd disc]\nPath=%s\n" % path))
    print(text)
    expect("first sector here", text)
    expect("second sector", text)
    expect("3", str(status))


def nothing_to_boot(vmm, folder):
    status, text = run(vmm, configuration(folder, ""), until="No bootable device")
    print(text)
    expect("No bootable device", text)
    expect("0", str(status))
    with open(os.path.join(folder, "debug"), errors="replace") as file:
        debug = file.read()
    for what in ("Found QEMU fw_cfg", "DMA interface supported", "Copying SMBIOS", "[RAM]"):
        expect(what, debug)


def main():
    vmm, sector = sys.argv[1:]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm is not there, or not for this user")
        return 77
    if not os.path.exists(BIOS):
        print("SKIP: %s is not there (package seabios)" % BIOS)
        return 77
    with tempfile.TemporaryDirectory(prefix="irori-firmware-") as folder:
        boots_from_disk(vmm, sector, folder)
        boots_from_cd(vmm, sector, folder)
        nothing_to_boot(vmm, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

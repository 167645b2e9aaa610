#!/usr/bin/env python3
"""Compiles dsdt.asl with iasl into a C header, or checks that the header is up to date.

    dsdt.py write           makes dsdt.aml.h beside this script anew
    dsdt.py check           exit status 1 if it is not what iasl makes; 77 without iasl
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = os.path.join(HERE, "dsdt.aml.h")
TEXT = """/* Made by dsdt.py from dsdt.asl: change that, not this. */
enum dsdt_places {
%s};

static const uint8_t dsdt_aml[] = {
%s};
"""
# What acpi.c writes: the constants of these names, and of _STA in these devices.
NUMBERS = ["MECM", "MW1E", "MW2B", "MW2E", "MW6B", "MW6L"]
DEVICES = ["KBD_", "MOU_", "FWCF"]
NAME, BYTE, DWORD, DEVICE = b"\x08", b"\x0a", b"\x0c", b"\x5b\x82"
COMPILER = range(28, 36)  # the header's: who compiled it, and with which version
CHECKSUM = 9


def compiled(iasl):
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "dsdt")
        done = subprocess.run([iasl, "-we", "-p", prefix, os.path.join(HERE, "dsdt.asl")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout)
        with open(prefix + ".aml", "rb") as file:
            aml = bytearray(file.read())
    for i in COMPILER:
        aml[i] = 0
    aml[CHECKSUM] = 0
    aml[CHECKSUM] = -sum(aml) & 0xff
    return bytes(aml)


def place(aml, pattern, start=0):
    at = aml.find(pattern, start)
    if at < 0:
        sys.exit("%r is not in dsdt.asl" % pattern)
    return at + len(pattern)


def places(aml):
    found = {}
    for name in NUMBERS:
        found["DSDT_" + name] = place(aml, NAME + name.encode() + DWORD)
    for name in DEVICES:
        device = re.search(re.escape(DEVICE) + b"..?" + name.encode(), aml, re.DOTALL)
        found["DSDT_STA_" + name.strip("_")] = place(aml, NAME + b"_STA" + BYTE, device.end())
    return "".join("\t%s = %d,\n" % item for item in found.items())


def main(verb):
    iasl = shutil.which("iasl")
    if not iasl:
        print("iasl is not installed (Debian: acpica-tools)")
        return 77 if verb == "check" else 1
    aml = compiled(iasl)
    if verb == "check":
        with open(HEADER) as file:
            kept = bytes(int(v, 16) for v in re.findall(r"0x([0-9a-f]{2}),", file.read()))
        if kept != aml:
            print("dsdt.aml.h is not made from this dsdt.asl: run vmm/acpi/dsdt.py write")
        return int(kept != aml)
    rows = "".join("\t" + " ".join("0x%02x," % b for b in aml[i:i + 16]) + "\n"
                   for i in range(0, len(aml), 16))
    with open(HEADER, "w") as file:
        file.write(TEXT % (places(aml), rows))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))

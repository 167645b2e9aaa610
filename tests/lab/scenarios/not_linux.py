"""Systems that are not Linux: memtest86+ from a CD by SeaBIOS and by OVMF, the UEFI shell; all seen on the screen."""
import os

from errors import LabError, Skip
from guest import Guest

ISO = "/usr/lib/memtest86+/memtest86+x64.iso"


def blue(shot):
    """memtest86+ draws on blue."""
    n = 0
    for y in range(8, shot.height - 8, 16):
        for x in range(8, shot.width - 8, 16):
            red, green, rest = shot.pixel(x, y)[:3]
            n += rest > 100 and red < 60 and green < 60
    return n > 200


def memtest(pc, firmware):
    guest = Guest(pc, "memtest-" + firmware,
                  "[Guest]\nFirmware=%s\nMemory=128M\n[Firmware]\nVariables=/run/lab/memtest.vars\n"
                  "[Cd]\nPath=/run/lab/memtest.iso\n" % firmware).start()
    guest.wait_screen(blue, 180, "the blue screen of memtest86+")
    guest.kill("TERM")
    if guest.wait_end():
        raise LabError("exit status %d" % guest.status())


def shell(pc):
    guest = Guest(pc, "shell", "[Guest]\nFirmware=uefi\nMemory=256M\n[Serial]\nInput=/run/lab/shell.in\n"
                  "[Firmware]\nVariables=/run/lab/shell.vars\n")
    pc.run("mkfifo /run/lab/shell.in", check=True)
    guest.start()
    guest.wait("UEFI Interactive Shell", 180)
    guest.wait("Shell>", 60)
    pc.run(r"printf 'memmap\r' >/run/lab/shell.in", check=True)
    guest.wait("Total Memory", 60)
    shot = guest.screenshot()
    if shot.lit() < 0.005:
        raise LabError("the shell is on COM1, and not on the screen")
    pc.run(r"printf 'reset -s\r' >/run/lab/shell.in", check=True)
    if guest.wait_end(60):
        raise LabError("exit status %d" % guest.status())


def run(pc):
    if not os.path.exists(ISO):
        raise Skip("%s is not there (package memtest86+)" % ISO)
    pc.run("cp %s /run/lab/memtest.iso" % pc.put(ISO), check=True)
    shell(pc)
    memtest(pc, "bios")
    memtest(pc, "uefi")
    return "memtest86+ twice, the UEFI shell"

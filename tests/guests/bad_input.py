#!/usr/bin/env python3
"""Configurations and files that are wrong, as people have them: irori-vmm says in one line which file
and why, ends with the right status of sysexits(3), and leaves nothing behind. `--check` says the same
and changes nothing on the host; it needs no /dev/kvm. With one, the same guests are started as well.

usage: bad_input.py VMM KERNEL
"""
import os
import struct
import subprocess
import sys
import tempfile

USAGE, DATA, NOINPUT, UNAVAILABLE, TEMPFAIL, CONFIG = 64, 65, 66, 69, 75, 78
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
BIOS = "/usr/share/seabios/bios-256k.bin"


class Bench:
    """A folder that is the whole world of the irori-vmm that runs in it."""

    def __init__(self, vmm, folder):
        self.vmm, self.folder = vmm, folder
        self.files = os.path.join(folder, "files")
        self.home = os.path.join(folder, "home")
        os.mkdir(self.files)
        os.mkdir(self.home)
        self.environment = dict(os.environ, HOME=self.home, XDG_RUNTIME_DIR=self.home,
                                XDG_STATE_HOME=self.home, TMPDIR=self.home)
        self.failures = 0

    def path(self, name):
        return os.path.join(self.files, name)

    def file(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def config(self, text):
        return self.file("guest.conf", text if isinstance(text, bytes) else text.encode())

    def run(self, *args):
        """Status, what it said, and what is left: files it made, children that live."""
        process = subprocess.Popen([self.vmm, *args], env=self.environment, cwd=self.files,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        made = [os.path.join(at, name) for at, _, names in os.walk(self.home) for name in names]
        return process.returncode, out, err, made + children(process.pid)

    def expect(self, what, done, status, *words):
        code, out, err, left = done
        lines = err.strip().splitlines()
        wrong = []
        if code != status:
            wrong.append("status %d, expected %d" % (code, status))
        if len(lines) != 1 or not lines[0].startswith("irori-vmm: ") or out:
            wrong.append("not one line")
        wrong += ["%r is not in it" % word for word in words if word not in err]
        if left:
            wrong.append("left behind: %s" % left)
        self.failures += bool(wrong)
        print("%s %s: %d %s%s" % ("FAILED" if wrong else "ok", what, code, err.strip(),
                                  "".join("\n    " + w for w in wrong)))

    def good(self, what, text):
        """--check: good, and nothing is changed."""
        code, out, err, left = self.run("--check", self.config(text))
        wrong = code != 0 or "good" not in out or left
        self.failures += bool(wrong)
        print("%s %s: %d %s%s %s" % ("FAILED" if wrong else "ok", what, code, out.strip(), err, left or ""))


def children(session):
    """Processes of that session which live on."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append("process " + pid)
    return found


def bad_texts():
    guest = "[Guest]\nName=a\n"
    return [
        ("nothing", "", "lacks Name="),
        ("a line that is none", guest + "Memory\n", "guest.conf:3:"),
        ("a key before sections", "Name=a\n", "guest.conf:1:"),
        ("a key that is none", guest + "Memroy=1G\n", "guest.conf:3:", "Memroy"),
        ("a key twice", guest + "Memory=1G\nMemory=2G\n", "guest.conf:4:", "line 3"),
        ("a section twice", guest + "[Disk a]\nPath=/x\n[Disk a]\n", "guest.conf:5:", "line 3"),
        ("a section that is none", guest + "[Dsik a]\nPath=/x\n", "guest.conf:3:", "Dsik"),
        ("two of what there is one", guest + "[Serial]\n[Serial b]\n", "guest.conf:4:", "Serial"),
        ("a size", guest + "Memory=1Q\n", "guest.conf:3:", "Memory=1Q"),
        ("a memory of odd size", guest + "Memory=1048577\n", "guest.conf", "4096"),
        ("a name", "[Guest]\nName=a/b\n", "guest.conf", "a/b"),
        ("a choice", guest + "Class=best\n", "guest.conf:3:", "video"),
        ("not UTF-8", b"[Guest]\nName=\xff\n", "guest.conf", "UTF-8"),
        ("zero bytes", b"[Guest]\nName=a\0b\n", "guest.conf", "zero"),
        ("too large", b"#" * (1 << 20) + b"\n", "guest.conf", "1 MiB"),
        ("a backslash", guest + "[Disk a]\nPath=C:\\disk\n", "guest.conf:4:", "\\\\"),
        ("an initrd without a kernel", guest + "Initrd=/x\n", "guest.conf", "Kernel="),
        ("a kernel and firmware", guest + "Kernel=/x\nFirmware=bios\n", "guest.conf", "Firmware="),
        ("a firmware", guest + "Firmware=coreboot\n", "coreboot"),
        ("a uuid", guest + "Uuid=12\n", "Uuid=12"),
        ("a disk without a file", guest + "[Disk a]\n", "disk a", "Path="),
        ("a hardware address", guest + "[Net]\nMac=1:2\n", "[Net]", "Mac=1:2"),
        ("a port", guest + "[Net lan]\nForward=ssh\n", "[Net lan]", "ssh"),
    ]


def texts(bench):
    for what, text, *words in bad_texts():
        path = bench.config(text)
        status = bench.run("--check", path)
        bench.expect(what, status, CONFIG, *words)
    bench.expect("no file", bench.run("--check", bench.path("nope")), NOINPUT, "nope")
    bench.expect("a folder", bench.run(bench.files), NOINPUT, bench.files)
    bench.expect("a bad option", bench.run("--chekc", "x"), USAGE, "--help")
    bench.expect("no argument", bench.run(), USAGE, "--help")


def bzimage():
    """By Documentation/arch/x86/boot.rst; what it holds is nothing to run."""
    head = bytearray(1024)
    for at, form, value in ((0x1f1, "B", 1), (0x1f4, "I", 65536 // 16), (0x1fe, "H", 0xaa55),
                            (0x200, "H", 0x66eb), (0x202, "4s", b"HdrS"), (0x206, "H", 0x20f),
                            (0x211, "B", 1), (0x230, "I", 1 << 21), (0x234, "B", 1), (0x236, "H", 1),
                            (0x238, "I", 2047), (0x258, "Q", 1 << 24), (0x260, "I", 1 << 20)):
        struct.pack_into("<" + form, head, at, value)
    return bytes(head) + b"\xf4" * 65536


def kernels(bench, elf):
    with open(elf, "rb") as file:
        elf = file.read()
    linux = bzimage()
    kernel = "Kernel=%s\n" % bench.path("kernel")
    cases = [("empty", b"", DATA), ("text", b"hello\n" * 1000, DATA), ("elf, cut", elf[:100], DATA),
             ("elf, segments cut", elf[:4200], DATA), ("elf, headers", elf[:24] + b"\xff" * 40 + elf[64:], DATA),
             ("bzImage, cut in its header", linux[:600], DATA),
             ("bzImage, cut behind it", linux[:4096], DATA),
             ("bzImage, cut in the kernel", linux[:len(linux) // 2], DATA),
             ("bzImage, 32 bits", linux[:0x236] + b"\0\0" + linux[0x238:], DATA)]
    for name, content, status in cases:
        yield ("kernel: " + name, "Memory=128M\n" + kernel, {"kernel": content}, status, "kernel")
    yield ("kernel: not there", kernel, {}, NOINPUT, "kernel")
    yield ("kernel: a folder", "Kernel=/\n", {}, NOINPUT, "/: not a file")
    yield ("initrd: not there", kernel + "Initrd=/nope\n", {"kernel": linux}, NOINPUT, "/nope")
    yield ("initrd: empty", kernel + "Initrd=initrd\n", {"kernel": linux, "initrd": b""}, DATA, "initrd")
    yield ("initrd: too large", "Memory=64M\nKernel=kernel\nInitrd=initrd\n",
           {"kernel": linux, "initrd": bytes(64 << 20)}, CONFIG, "ramdisk")


def qcow2(size=1 << 20, version=3, cluster_bits=16, backing=b""):
    head = struct.pack(">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", version, 112 if backing else 0, len(backing),
                       cluster_bits, size, 0, 1, 196608, 65536, 1, 0, 0, 0, 0, 0, 4, 104)
    return (head + bytes(8) + backing).ljust(4 * 65536, b"\0")


def disks(bench):
    disk = "[Disk a]\nPath=%s\n" % bench.path("disk")
    image = "[Disk a]\nPath=%s\n" % bench.path("d.qcow2")
    yield ("disk: not there", disk, {}, NOINPUT, "disk")
    yield ("disk: a folder", "[Disk a]\nPath=/\n", {}, NOINPUT, "disk /")
    yield ("disk: empty", disk, {"disk": b""}, DATA, "disk", "empty")
    yield ("disk: cut off", disk, {"disk": bytes(100000)}, DATA, "disk", "cut off")
    yield ("disk: a qcow2 without the name", disk, {"disk": qcow2()}, DATA, "Format=")
    yield ("disk: the name without a qcow2", image, {"d.qcow2": bytes(65536)}, DATA, "d.qcow2")
    for name, content in (("cut", qcow2()[:60]), ("version", qcow2(version=9)),
                          ("clusters", qcow2(cluster_bits=63)), ("size", qcow2(size=2**63 + 1))):
        yield ("qcow2: " + name, image, {"d.qcow2": content}, DATA, "d.qcow2")
    yield ("qcow2: backing file of no format", image, {"d.qcow2": qcow2(backing=b"/nope")}, DATA,
           "d.qcow2")
    yield ("cd: not there", "[Cd a]\nPath=cd.iso\n", {}, NOINPUT, "cd.iso")
    yield ("cd: cut off", "[Cd a]\nPath=cd.iso\n", {"cd.iso": bytes(1024)}, DATA, "cd.iso")
    yield ("share: not there", "[Share a]\nPath=nope\n", {}, NOINPUT, "nope")


def firmwares(bench):
    name = "Firmware=%s\n" % bench.path("fw")
    yield ("firmware: not there", name, {}, NOINPUT, "fw")
    yield ("firmware: short", name, {"fw": b"hello"}, DATA, "fw")
    yield ("firmware: zeros", name, {"fw": bytes(1 << 20)}, DATA, "fw", "reset vector")
    if os.path.exists(BIOS):
        with open(BIOS, "rb") as file:
            yield ("firmware: cut", name, {"fw": file.read()[:100001]}, DATA, "fw", "cut short")
    if os.path.exists(OVMF):
        variables = "Firmware=uefi\n[Firmware]\nVariables=vars\n"
        yield ("variables: cut", variables, {"vars": bytes(65536)}, DATA, "vars")
        yield ("variables: zeros", variables, {"vars": bytes(540672)}, DATA, "vars")


def acpi(name, length=None, spoilt=0):
    """A table of 60 bytes."""
    table = bytearray(struct.pack("<4sIBB6s8sIII", name, length or 60, 1, 0, b"MAKER ", b"THEIR-PC", 1, 0, 1)
                      + b"licence".ljust(24))
    table[9] = -sum(table) & 255 ^ spoilt
    return bytes(table)


def acpi_tables(bench):
    table = "[Acpi licence]\nPath=%s\n" % bench.path("slic")
    yield ("acpi: no file named", "[Acpi licence]\n", {}, CONFIG, "Path=")
    yield ("acpi: not there", table, {}, NOINPUT, "slic")
    yield ("acpi: a folder", "[Acpi a]\nPath=/\n", {}, NOINPUT, "/: not a file")
    for name, content, word in (("empty", b"", "empty"), ("text", b"hello\n" * 100, "not an ACPI table"),
                                ("cut", acpi(b"SLIC")[:20], "20 bytes"), ("cut behind its header", acpi(b"SLIC")[:50], "cut off"),
                                ("two in one", acpi(b"SLIC") * 2, "more behind it"), ("length", acpi(b"SLIC", 2**32 - 1), "cut off"),
                                ("checksum", acpi(b"SLIC", spoilt=1), "checksum"), ("ours", acpi(b"DSDT"), "DSDT"),
                                ("large", bytes(1 << 20), "larger")):
        yield ("acpi: " + name, table, {"slic": content}, DATA, "ACPI table", "slic", word)


def saved(bench):
    """Without a machine: only what is no saved guest."""
    for name, content in (("empty", b""), ("text", b"hello\n" * 100), ("zeros", bytes(1 << 20))):
        path = bench.file("saved", content)
        bench.expect("saved: " + name, bench.run("--restore", path), DATA, "saved")
    bench.expect("saved: not there", bench.run("--restore", bench.path("nope")), NOINPUT, "nope")


def files(bench, cases, kvm):
    for what, text, content, status, *words in cases:
        for name, data in content.items():
            bench.file(name, data)
        path = bench.config("[Guest]\nName=a\n" + text)
        bench.expect(what, bench.run("--check", path), status, *words)
        if kvm:
            bench.expect(what + ", started", bench.run(path), status, *words)
        for name in content:
            os.unlink(bench.path(name))


def nothing_changes(bench, elf):
    disk = bench.file("disk", bytes(1 << 20))
    everything = ("[Net]\n[Tpm]\n[Share s]\nPath=%s\n[Disk a]\nPath=%s\n[Serial]\nOutput=%s/com1\n"
                  "[Console]\nOutput=file\nPath=%s/console\n[Acpi licence]\nPath=%s\n"
                  % (bench.files, disk, bench.home, bench.home, bench.file("slic", acpi(b"SLIC"))))
    bench.good("a kernel and everything", "[Guest]\nName=a\nKernel=%s\n%s" % (elf, everything))
    if os.path.exists(BIOS):
        bench.good("a BIOS", "[Guest]\nName=a\n[Firmware]\nLog=%s/log\n%s" % (bench.home, everything))
    if os.path.exists(OVMF):
        bench.good("UEFI", "[Guest]\nName=a\nFirmware=uefi\n" + everything)


def main():
    vmm, elf = map(os.path.abspath, sys.argv[1:3])
    kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
    with tempfile.TemporaryDirectory(prefix="irori-bad-") as folder:
        bench = Bench(vmm, folder)
        texts(bench)
        files(bench, kernels(bench, elf), kvm)
        files(bench, disks(bench), kvm)
        files(bench, firmwares(bench), kvm)
        files(bench, acpi_tables(bench), kvm)
        saved(bench)
        nothing_changes(bench, elf)
        if not kvm:
            path = bench.config("[Guest]\nName=a\nKernel=%s\n" % elf)
            bench.expect("no /dev/kvm", bench.run(path), UNAVAILABLE, "/dev/kvm")
        return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())

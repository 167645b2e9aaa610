#!/usr/bin/env python3
"""Runs the demonstration kernel with the program `check` and looks at what it prints.

Under irori-vmm on /dev/kvm, or with --qemu under QEMU without KVM, which is a processor by the book.
Exit status 77: skipped, with the reason.
"""
import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile

QEMU = "qemu-system-x86_64"
QEMU_DEVICES = ["virtio-gpu-pci", "virtio-keyboard-pci", "virtio-tablet-pci", "virtio-mouse-pci",
                "virtio-blk-pci,drive=disk", "virtio-rng-pci"]


def skip(reason):
    print("SKIP: " + reason)
    sys.exit(77)


def irori_command(args, folder):
    config = os.path.join(folder, "guest.conf")
    with open(config, "w") as file:
        file.write("[Guest]\nName=hearth\nMemory=96M\nVcpus=2\nOnCrash=exit\nKernel=%s\nInitrd=%s/initrd\n"
                   "CommandLine=init=/check%s cpus=2\nSocket=%s/socket\n[Sound]\nModel=virtio\n[Console]\nOutput=stdout\n"
                   "[Disk data]\nPath=%s/disk\n"
                   % (os.path.abspath(args.kernel), folder, " fault" * args.fault, folder, folder))
    return [args.vmm, config]


def qemu_command(args, folder):
    command = [QEMU, "-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "96", "-nodefaults",
               "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", args.kernel,
               "-initrd", folder + "/initrd", "-append", "init=/check" + " fault" * args.fault, "-drive",
               "if=none,id=disk,format=raw,file=%s/disk" % folder]
    for device in QEMU_DEVICES:
        command += ["-device", device]
    return command


def prepare(args, folder):
    shutil.copy(args.check, folder + "/check")
    with open(folder + "/words", "w") as file:
        file.write("abcdefghijklmnopqrstuvwxyz")
    files = [folder + "/check", folder + "/words"]
    subprocess.run([sys.executable, args.packer, folder + "/initrd"] + files, check=True)
    with open(folder + "/disk", "wb") as file:
        file.write(struct.pack("<%dI" % (1 << 20), *range(1 << 20)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--qemu", action="store_true")
    parser.add_argument("--fault", action="store_true", help="the program is to fault")
    for name in ("vmm", "kernel", "check", "packer"):
        parser.add_argument(name)
    args = parser.parse_args()
    if args.qemu and not shutil.which(QEMU):
        skip(QEMU + " is not installed")
    if not args.qemu and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("/dev/kvm is not there, or not for this user")
    with tempfile.TemporaryDirectory(prefix="irori-hearth-") as folder:
        prepare(args, folder)
        command = qemu_command(args, folder) if args.qemu else irori_command(args, folder)
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
    output = result.stdout.decode("utf-8", "replace")
    print(output)
    expected = "fault 14 error 6 at 23:" if args.fault else "checked, 0 wrong"
    sys.exit(0 if result.returncode == 0 and expected in output else 1)


main()

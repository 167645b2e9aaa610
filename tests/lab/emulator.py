"""The emulated PC's hardware, and a PC that was saved when it had booted: booting takes half a minute,
going on from there a second.
"""
import os
import subprocess
import tempfile
import time

import cache
import guests
import image
from errors import LabError, patience
from qmp import Qmp

QEMU = "qemu-system-x86_64"
MEMORY = 3072        # MiB
BOOT_SECONDS = 240   # a quiet machine needs 20
SAVE_SECONDS = 120

# Each for a reason that README.md tells.
MACHINE = ["-accel", "tcg", "-machine", "q35,kernel-irqchip=split",
           "-cpu", "EPYC,+svm,+npt,check=off", "-smp", "3", "-nographic", "-nodefaults",
           "-no-reboot", "-device", "intel-iommu,intremap=on"]
COMMAND_LINE = ("console=ttyS0 panic=-1 no_timer_check intel_iommu=on mitigations=off quiet "
                "systemd.show_status=0")


def start(folder, sockets, memory, devices, systems, booted):
    """Its process. In `folder`: console.log, qemu.log, share/; in `sockets`: bell and qmp. `booted`:
    the folder of a saved PC to go on from, or None. `systems`: what is to be in its /guests."""
    pc_folder = image.pc_image()
    initrd = os.path.join(folder, "hook.cpio.gz")
    with open(initrd, "wb") as file:
        file.write(image.hook_initrd(pc_folder))
    if booted:
        disk, kind, more = os.path.join(booted, "disk.qcow2"), "qcow2", [
            "-incoming", "exec:cat '%s'" % os.path.join(booted, "state")]
    else:
        disk, kind, more = os.path.join(pc_folder, "disk.img"), "raw", []
    return launch(folder, [
        "-m", str(memory), "-kernel", os.path.join(pc_folder, "vmlinuz"), "-initrd", initrd,
        "-append", COMMAND_LINE,
        "-drive", "if=none,id=root,file=%s,format=%s,snapshot=on,cache=unsafe" % (disk, kind)] +
        channels(folder, sockets, systems) + more + placed(devices, folder, sockets))


def placed(devices, folder, sockets):
    """A scenario's arguments: @FOLDER@ is where the PC lives, @SOCKETS@ where its sockets are."""
    return [each.replace("@FOLDER@", folder).replace("@SOCKETS@", sockets) for each in devices]


def channels(folder, sockets, systems):
    return ["-device", "virtio-blk-pci,drive=root",
            "-drive", "if=none,id=guests,file=%s,format=raw,snapshot=on,cache=unsafe" %
            guests.space(systems),
            "-device", "virtio-blk-pci,drive=guests",
            "-serial", "file:" + os.path.join(folder, "console.log"),
            "-serial", "unix:%s/bell,server=on,wait=off" % sockets,
            "-qmp", "unix:%s/qmp,server=on,wait=off" % sockets,
            "-virtfs", "local,path=%s,mount_tag=share,security_model=none" %
            os.path.join(folder, "share")]


def shim():
    """What makes up for a fault of QEMU's: see tcg_shim.c."""
    image.need("cc")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tcg_shim.c")

    def make(into):
        subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", source, "-o",
                        os.path.join(into, "shim.so")], check=True)
    return os.path.join(cache.cached("shim", cache.file_bytes(source), make), "shim.so")


def launch(folder, arguments):
    image.need(QEMU)
    with open(os.path.join(folder, "qemu.log"), "wb") as log:
        return subprocess.Popen([QEMU] + MACHINE + arguments, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, start_new_session=True,
                                env=dict(os.environ, TMPDIR=folder, LD_PRELOAD=shim()))


def ready(folder):
    """True when a PC that boots has come to its agent."""
    try:
        with open(os.path.join(folder, "console.log"), "rb") as file:
            return b"LAB-READY" in file.read()
    except OSError:
        return False


def version():
    image.need(QEMU)
    return subprocess.run([QEMU, "--version"], check=True, stdout=subprocess.PIPE).stdout


def booted(kind="", devices=()):
    """The folder of a saved PC: disk.qcow2, which changed while it booted, and state. `kind`: a name for
    PCs with these devices."""
    pc_folder = image.pc_image()
    parts = [version(), os.path.basename(pc_folder), image.hook_initrd(pc_folder), MACHINE,
             COMMAND_LINE, str(MEMORY), guests.SPACE, list(devices)]
    return cache.cached("booted" + kind, parts, lambda into: save(pc_folder, into, devices))


def save(pc_folder, into, devices):
    disk, initrd = os.path.join(into, "disk.qcow2"), os.path.join(into, "hook.cpio.gz")
    image.need("qemu-img")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                    os.path.join(pc_folder, "disk.img"), disk], check=True)
    with open(initrd, "wb") as file:
        file.write(image.hook_initrd(pc_folder))
    os.makedirs(os.path.join(into, "share"))
    with tempfile.TemporaryDirectory(prefix="irori-lab-") as sockets:
        process = launch(into, [
            "-m", str(MEMORY), "-kernel", os.path.join(pc_folder, "vmlinuz"), "-initrd", initrd,
            "-append", COMMAND_LINE,
            "-drive", "if=none,id=root,file=%s,format=qcow2,cache=unsafe" % disk] +
            channels(into, sockets, ()) + placed(devices, into, sockets))
        try:
            wait(process, into, lambda: ready(into), BOOT_SECONDS, "boot")
            qmp = Qmp(os.path.join(sockets, "qmp"), SAVE_SECONDS)
            qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            qmp("stop")
            qmp("migrate", uri="exec:cat > '%s'" % os.path.join(into, "state"))
            wait(process, into, lambda: saved(qmp), SAVE_SECONDS, "be saved")
            qmp("quit")
            process.wait(SAVE_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def saved(qmp):
    status = qmp("query-migrate")
    if status.get("status") == "failed":
        raise LabError("QEMU cannot save the PC: %s" % status.get("error-desc", ""))
    return status.get("status") == "completed"


def wait(process, folder, condition, seconds, what):
    deadline = time.monotonic() + patience(seconds)
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            with open(os.path.join(folder, "console.log"), errors="replace") as file:
                raise LabError("the PC did not %s in %d s:\n%s" % (
                    what, seconds, "".join(file.readlines()[-40:])))
        time.sleep(0.2)

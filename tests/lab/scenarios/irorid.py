"""irorid under systemd: guests are services of their own, outlive it, and come back when killed."""
import os

import image
from errors import LabError

HEARTH = "/usr/local/lib/x86_64-linux-gnu/irori/hearth"
GUEST = """[Guest]
Name=%s
Memory=64M
Kernel=%s
Initrd=%s
CommandLine=init=/desktop

[Sound]
Model=virtio

[Household]
Autostart=yes
CpuWeight=50
MemoryMax=512M
"""


def get(pc, what, name):
    return pc.run("busctl get-property org.irori.Irori1 /org/irori/Irori1/guest/box org.irori.Irori1.Guest %s | "
                  "tr -d '\"'" % name)[1].split()[-1:] == [what]


def value(pc, name):
    return pc.run("busctl get-property org.irori.Irori1 /org/irori/Irori1/guest/box org.irori.Irori1.Guest "
                  + name)[1].split()[-1]


def show(pc, prop):
    return pc.run("systemctl show -P %s irori-guest-box.service" % prop, check=True)[1].strip()


def as_nobody(pc):
    """Whoever is not root may look, and do what polkit allows: here nothing."""
    nobody = "setpriv --reuid=nobody --regid=nogroup --clear-groups busctl call org.irori.Irori1 /org/irori/Irori1 " \
        "org.irori.Irori1.Manager "
    status, out = pc.run(nobody + "ListGuests")
    if status or "box" not in out:
        raise LabError("nobody may not look: %s" % out)
    status, out = pc.run(nobody + "CanPowerOff")
    if status or '"yes"' in out:
        raise LabError("nobody can switch the PC off: %s" % out)
    status, out = pc.run(nobody + "PowerOff b false")
    if not status:
        raise LabError("nobody has switched the PC off")
    return out


def run(pc):
    initrd = pc.put(os.path.join(image.TOP, "build", "demo", "initrd", "initrd.cpio"))
    pc.write("box.conf", GUEST % ("box", HEARTH, initrd))
    pc.run("mkdir -p /etc/irori/guests.d && cp /lab/box.conf /etc/irori/guests.d/", check=True)
    pc.run("systemd-sysusers; systemctl daemon-reload; systemctl reload dbus; systemctl start irorid",
           check=True, timeout=120)

    def runs():
        return get(pc, "running", "State")

    try:
        pc.wait_until(runs, 60, "the guest running")
    except LabError as error:
        raise LabError("%s\n%s" % (error, pc.run("journalctl -b --no-pager -o cat -u irorid -u 'irori-guest*' | "
                                                 "tail -n 30")[1]))
    if show(pc, "Slice") != "irori.slice" or show(pc, "CPUWeight") != "50" or \
            show(pc, "MemoryMax") != str(512 << 20) or show(pc, "NoNewPrivileges") != "yes":
        raise LabError("its service is not what it should be: %s" % pc.run(
            "systemctl show irori-guest-box.service | grep -E 'Slice|Weight|MemoryMax|Privileges'")[1])
    first = value(pc, "Pid")
    for _ in range(3):
        pc.run("kill -KILL $(systemctl show -P MainPID irorid)", check=True)
        pc.wait_until(runs, 20, "the guest found again")
        if value(pc, "Pid") != first:
            raise LabError("the guest is another process: %s, not %s" % (value(pc, "Pid"), first))
    pc.run("kill -KILL %s" % first, check=True)
    pc.wait_until(lambda: runs() and value(pc, "Pid") != first, 30, "another process of the guest")
    refused = as_nobody(pc)
    pc.run("irori poweroff --guests", check=True, timeout=120)
    if not get(pc, "off", "State"):
        raise LabError("it is not off")
    pc.wait_until(lambda: show(pc, "ActiveState") == "inactive", 10, "its service gone")
    return "nobody: " + refused.strip().split("\n")[-1]

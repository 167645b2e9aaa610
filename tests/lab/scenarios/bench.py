"""Boot, disk, network, exits against QEMU: ratios, on the same KVM, kernel, disk and passt (not in all)."""
import json
import os
import re
import statistics

import guests
import image
from pc import LabError

by_hand = True
memory = 4096
RUNS = 3
SECONDS = 2
HERE = os.path.dirname(os.path.abspath(__file__))
DISK_SCRIPT = "load disk /dev/%s %g\necho BENCH-END\n"
NET_SCRIPT = """
ip link set lo up; ip link set eth0 mtu 65520; ip link set eth0 up
ip addr add 10.20.30.2/24 dev eth0; ip route add default via 10.20.30.1
sleep 2
load net %s 9000 %g
echo BENCH-END
"""
DRIVE = ("-drive if=none,id=d,format=raw,cache=writeback,aio=io_uring,file=/run/lab/disk/bench.img -device ")
# On ext4, as in a household, and no device below it that is slower than memory.
FILE = """
truncate -s 400M /run/lab/fs && mke2fs -q -F -t ext4 /run/lab/fs && mkdir /run/lab/disk
mount -o loop /run/lab/fs /run/lab/disk && head -c 268435456 /dev/zero >/run/lab/disk/bench.img
"""
# name, the guest's device, lines for irori-vmm, arguments for QEMU
DISKS = (
    ("virtio-blk", "vda", "[Disk bench]\nPath=/run/lab/disk/bench.img\n",
     DRIVE + "virtio-blk-pci,drive=d"),
    ("nvme", "nvme0n1", "[Disk bench]\nPath=/run/lab/disk/bench.img\nBus=nvme\n",
     DRIVE + "nvme,drive=d,serial=bench"),
)
NET = "[Net]\nAddress=10.20.30.2/24\nGateway=10.20.30.1\n"
# As irori starts it; it has to be up before QEMU.
PASST = ("rm -f /run/lab/passt.sock; passt --foreground --quiet --stderr --one-off --no-map-gw"
         " --socket /run/lab/passt.sock -a 10.20.30.2 -n 24 -g 10.20.30.1 & sleep 1; ")
QEMU_NET = ("-netdev stream,id=n,server=off,addr.type=unix,addr.path=/run/lab/passt.sock"
            " -device virtio-net-pci,netdev=n")
# What a guest of irori's has without being asked for, so that both find and start the same drivers.
ALWAYS = (" -device virtio-gpu-pci -device virtio-keyboard-pci -device virtio-mouse-pci"
          " -device virtio-tablet-pci -device virtio-rng-pci"
          " -device virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on"
          " -audiodev none,id=s -device intel-hda -device hda-duplex,audiodev=s")
QEMU = ("qemu-system-x86_64 -enable-kvm -cpu host -M q35 -m 512 -smp 1 -nographic -nodefaults"
        " -no-reboot -serial stdio -kernel %s -initrd %s -append '%s' %s" + ALWAYS)


def pair(pc, name, lines, irori, qemu, before=""):
    """{monitor: [run...]}; the same guest under both, in turn. `before`: what QEMU needs to be up."""
    kernel, initrd, append = (re.search(key + "=(.*)", lines)[1]
                              for key in ("Kernel", "Initrd", "CommandLine"))
    config = pc.write(name + ".conf", "[Guest]\nName=%s\nMemory=512M\n%s%s" % (name, lines, irori))
    commands = {"irori": "irori-vmm %s" % config,
                "QEMU": before + QEMU % (kernel, initrd, append, qemu)}
    result = "/lab/%s.json" % name
    arguments = " ".join('"%s=%s"' % each for each in commands.items())
    script = pc.put(os.path.join(HERE, "..", "pair.py"))
    pc.run("python3 %s %d %s %s" % (script, RUNS, result, arguments), timeout=RUNS * 500, check=True)
    return json.loads(pc.read(result))


def figures(runs):
    """{figure: [value of each run], ...} and their units."""
    values, units = {}, {}

    def add(key, value, unit):
        values.setdefault(key, []).append(value)
        units[key] = unit

    for run in runs:
        for when, line in run["lines"]:
            match = re.fullmatch(r"([\w-]+) ([\d.]+) (/s|MB/s|us) (\d+)", line)
            if match:
                add(match[1], float(match[2]), match[3])
            if match and match[1] in run["counts"]:
                per = "per MB" if match[3] == "MB/s" else "per request"
                for kind, n in zip(("exits", "to user space"), run["counts"][match[1]]):
                    add("%s, %s" % (match[1], kind), n / int(match[4]), per)
            if "GUEST-UP" in line:
                add("start-to-init", when, "s")
                for kind, n in zip(("exits", "to user space"), run["counts"]["start-to-init"]):
                    add("start-to-init, %s" % kind, n, "in all")
    return values, units


def table(name, both):
    """Lines of the table; a ratio above 1 means that irori is better."""
    ours, units = figures(both["irori"])
    theirs, _ = figures(both["QEMU"])
    if not ours or set(ours) != set(theirs):
        raise LabError("%s: figures are missing: irori has %s, QEMU %s; irori's last lines: %s" % (
            name, sorted(ours), sorted(theirs), both["irori"][-1]["lines"][-5:]))
    rows = []
    for key in ours:
        a, b = statistics.median(ours[key]), statistics.median(theirs[key])
        better = (a, b) if units[key] in ("/s", "MB/s") else (b, a)
        rows.append({"what": "%s %s" % (name, key), "irori": a, "QEMU": b, "unit": units[key],
                     "ratio": round(better[0] / better[1], 2) if better[1] else None,
                     "irori_all": ours[key], "QEMU_all": theirs[key]})
    return rows


def show(row):
    digits = 2 if row["unit"].startswith("per") else 0 if row["unit"] == "in all" else 1
    return "  %-44s %10.*f %10.*f %-11s %s" % (
        row["what"], digits, row["irori"], digits, row["QEMU"], row["unit"],
        "%5.2f x" % row["ratio"] if row["ratio"] is not None else "")


def run(pc):
    pc.run(FILE, check=True)
    load = os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "bench", "load")
    rows = []
    for name, device, irori, qemu in DISKS:
        lines = guests.tiny(pc, "bench-" + name, DISK_SCRIPT % (device, SECONDS),
                            files=[("bin/load", load)])
        rows += table(name, pair(pc, "bench-" + name, lines, irori, qemu))
    server = pc.network()
    pc.spawn("exec %s serve 9000" % pc.put(load), timeout=RUNS * 500)
    lines = guests.tiny(pc, "bench-net", NET_SCRIPT % (server, SECONDS), files=[("bin/load", load)])
    rows += table("virtio-net", pair(pc, "bench-net", lines, NET, QEMU_NET, PASST))
    with open(os.path.join(pc.folder, "bench.json"), "w") as file:
        json.dump(rows, file, indent=1)
    return "\n  %-44s %10s %10s\n" % ("", "irori", "QEMU") + "\n".join(map(show, rows))

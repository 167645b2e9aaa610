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
SCRIPT = """
ip link set lo up; ip link set eth0 mtu 65520; ip link set eth0 up
ip addr add 10.20.30.2/24 dev eth0; ip route add default via 10.20.30.1
LOAD_OF=virtio-blk/ load disk /dev/vda %(seconds)g
LOAD_OF=nvme/ load disk /dev/nvme0n1 %(seconds)g
LOAD_OF=virtio-net/ load net %(server)s 9000 %(seconds)g
"""
# On ext4, as in a household: tmpfs has io_uring hand each request to a worker.
FILES = "head -c 134217728 /dev/zero >/guests/a.img && cp /guests/a.img /guests/b.img && sync"
IRORI = """[Disk a]
Path=/guests/a.img
[Disk b]
Path=/guests/b.img
Bus=nvme
[Net]
Address=10.20.30.2/24
Gateway=10.20.30.1
"""
# As irori starts it, but that QEMU wants it up before, and so has not got to start it.
PASST = ("exec passt --foreground --quiet --stderr --no-map-gw --socket /run/lab/passt.sock"
         " -a 10.20.30.2 -n 24 -g 10.20.30.1")
DRIVE = " -drive if=none,id=%s,format=raw,cache=writeback,aio=io_uring,file=/guests/%s.img"
# What a guest of irori's has without being asked for, so that both find and start the same drivers.
ALWAYS = (" -device virtio-gpu-pci -device virtio-keyboard-pci -device virtio-mouse-pci"
          " -device virtio-tablet-pci -device virtio-rng-pci"
          " -device virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on"
          " -audiodev none,id=s -device intel-hda -device hda-duplex,audiodev=s")
QEMU = ("qemu-system-x86_64 -enable-kvm -cpu host -M q35 -m 512 -smp 1 -nographic -nodefaults"
        " -no-reboot -serial stdio -kernel %s -initrd %s -append '%s'" +
        DRIVE % ("a", "a") + " -device virtio-blk-pci,drive=a" +
        DRIVE % ("b", "b") + " -device nvme,drive=b,serial=bench"
        " -netdev stream,id=n,server=off,addr.type=unix,addr.path=/run/lab/passt.sock"
        " -device virtio-net-pci,netdev=n" + ALWAYS)


def pair(pc, lines):
    """{monitor: [run...]}; the same guest under both, in turn."""
    kernel, initrd, append = (re.search(key + "=(.*)", lines)[1]
                              for key in ("Kernel", "Initrd", "CommandLine"))
    config = pc.write("bench.conf", "[Guest]\nName=bench\nMemory=512M\n" + lines + IRORI)
    commands = {"irori": "irori-vmm %s" % config, "QEMU": QEMU % (kernel, initrd, append)}
    arguments = " ".join('"%s=%s"' % each for each in commands.items())
    script = pc.put(os.path.join(HERE, "..", "pair.py"))
    pc.run("python3 %s %d /lab/pair.json %s" % (script, RUNS, arguments), timeout=RUNS * 1000,
           check=True)
    return json.loads(pc.read("/lab/pair.json"))


def figures(runs):
    """{figure: [value of each run], ...} and their units."""
    values, units = {}, {}

    def add(key, value, unit):
        values.setdefault(key, []).append(value)
        units[key] = unit

    for run in runs:
        for when, line in run["lines"]:
            match = re.fullmatch(r"([\w/-]+) ([\d.]+) (/s|MB/s|us) (\d+)", line)
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


def table(both):
    """Lines of the table; a ratio above 1 means that irori is better."""
    ours, units = figures(both["irori"])
    theirs, _ = figures(both["QEMU"])
    if not theirs or set(theirs) - set(ours):
        raise LabError("figures are missing: irori has %s, QEMU %s; irori's last lines: %s" % (
            sorted(ours), sorted(theirs), both["irori"][-1]["lines"][-5:]))
    rows = []
    for key in ours:
        row = {"what": key, "irori": statistics.median(ours[key]), "unit": units[key],
               "irori_all": ours[key], "QEMU": None, "ratio": None}
        if key in theirs:
            a, b = row["irori"], statistics.median(theirs[key])
            better = (a, b) if units[key] in ("/s", "MB/s") else (b, a)
            row.update(QEMU=b, QEMU_all=theirs[key],
                       ratio=round(better[0] / better[1], 2) if better[1] else None)
        rows.append(row)
    return rows


def show(row):
    digits = 2 if row["unit"].startswith("per") else 0 if row["unit"] == "in all" else 1
    theirs = "-" if row["QEMU"] is None else "%.*f" % (digits, row["QEMU"])
    return "  %-44s %10.*f %10s %-11s %s" % (
        row["what"], digits, row["irori"], theirs, row["unit"],
        "%5.2f x" % row["ratio"] if row["ratio"] is not None else "")


def run(pc):
    pc.run(FILES, check=True, timeout=200)
    load = os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "bench", "load")
    server = pc.network()
    pc.spawn("exec %s serve 9000" % pc.put(load), timeout=RUNS * 1000)
    pc.spawn(PASST, timeout=RUNS * 1000)
    lines = guests.tiny(pc, "bench", SCRIPT % {"seconds": SECONDS, "server": server},
                        files=[("bin/load", load)])
    rows = table(pair(pc, lines))
    with open(os.path.join(pc.folder, "bench.json"), "w") as file:
        json.dump(rows, file, indent=1)
    return "\n  %-44s %10s %10s\n" % ("", "irori", "QEMU") + "\n".join(map(show, rows))

"""Boot, disk and network against QEMU: ratios, on the same KVM, kernel, disk and passt (not in all)."""
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
[ -e /dev/%(device)s ] && load disk /dev/%(device)s %(seconds)s
echo BENCH-END
"""
# name, the guest's device, lines for irori-vmm, arguments for QEMU
DISKS = (
    ("virtio-blk", "vda", "[Disk bench]\nPath=/run/lab/bench.img\n",
     "-drive if=none,id=d,format=raw,cache=writeback,aio=io_uring,file=/run/lab/bench.img"
     " -device virtio-blk-pci,drive=d"),
    ("nvme", "nvme0n1", "[Disk bench]\nPath=/run/lab/bench.img\nBus=nvme\n",
     "-drive if=none,id=d,format=raw,cache=writeback,aio=io_uring,file=/run/lab/bench.img"
     " -device nvme,drive=d,serial=bench"),
)
QEMU = ("qemu-system-x86_64 -enable-kvm -cpu host -M q35 -m 512 -smp 1 -nographic -nodefaults"
        " -no-reboot -serial stdio -kernel %s -initrd %s -append '%s' %s")


def pair(pc, name, lines, irori, qemu):
    """{monitor: [run...]}; the same guest under both, in turn."""
    kernel, initrd, append = (re.search(key + "=(.*)", lines)[1]
                              for key in ("Kernel", "Initrd", "CommandLine"))
    config = pc.write(name + ".conf", "[Guest]\nName=%s\nMemory=512M\n%s%s" % (name, lines, irori))
    commands = {"irori": "irori-vmm %s" % config,
                "QEMU": QEMU % (kernel, initrd, append, qemu)}
    result = "/lab/%s.json" % name
    arguments = " ".join('"%s=%s"' % each for each in commands.items())
    script = pc.put(os.path.join(HERE, "..", "pair.py"))
    pc.run("python3 %s %d %s %s" % (script, RUNS, result, arguments), timeout=RUNS * 500, check=True)
    return json.loads(pc.read(result))


def figures(runs):
    """{figure: [value of each run], ...} and their units."""
    values, units = {}, {}
    for run in runs:
        found = {}
        for when, line in run["lines"]:
            match = re.fullmatch(r"([\w-]+) ([\d.]+) (/s|MB/s|us)", line)
            if match:
                found[match[1]] = (float(match[2]), match[3])
            if "GUEST-UP" in line:
                found["start-to-init"] = (when, "s")
        for key, (value, unit) in found.items():
            values.setdefault(key, []).append(value)
            units[key] = unit
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
        better = b / a if units[key] in ("s", "us") else a / b
        rows.append({"what": "%s %s" % (name, key), "irori": a, "QEMU": b, "unit": units[key],
                     "ratio": round(better, 2), "irori_all": ours[key], "QEMU_all": theirs[key]})
    return rows


def run(pc):
    pc.run("head -c 268435456 /dev/zero >/run/lab/bench.img", check=True)
    load = os.path.join(pc.build or os.path.join(image.TOP, "build"), "tests", "bench", "load")
    rows = []
    for name, device, irori, qemu in DISKS:
        script = SCRIPT % {"device": device, "seconds": SECONDS}
        lines = guests.tiny(pc, "bench-" + name, script, files=[("bin/load", load)])
        rows += table(name, pair(pc, "bench-" + name, lines, irori, qemu))
    with open(os.path.join(pc.folder, "bench.json"), "w") as file:
        json.dump(rows, file, indent=1)
    return "\n" + "\n".join("  %-30s %10.1f %10.1f %-5s %5.2f x" % (
        row["what"], row["irori"], row["QEMU"], row["unit"], row["ratio"]) for row in rows)

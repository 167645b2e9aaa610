"""Two guests on one base by qcow2; an ephemeral disk is clean after a reset; kill -9 in mid-write."""
import guests
from guest import Guest
from pc import LabError

BLOCK = 4096

# Reads what the base has, writes its own name, and looks whether it is still there a while later.
SHARE = """
echo "BASE $(dd if=/dev/vda bs=512 count=1 2>/dev/null | head -c 4)"
printf %s >/tmp/name
dd if=/tmp/name of=/dev/vda bs=512 seek=2048 conv=sync,fsync 2>/dev/null
sleep 3
echo "MINE $(dd if=/dev/vda bs=512 skip=2048 count=1 iflag=direct 2>/dev/null | tr -d '\\0')"
"""

EPHEMERAL = """
echo "FOUND <$(dd if=/dev/vda bs=512 skip=4096 count=1 2>/dev/null | tr -d '\\0')>"
printf dirty >/tmp/name
dd if=/tmp/name of=/dev/vda bs=512 seek=4096 conv=sync,fsync 2>/dev/null
echo "WROTE <$(dd if=/dev/vda bs=512 skip=4096 count=1 iflag=direct 2>/dev/null | tr -d '\\0')>"
reboot -f
sleep 30
"""

# Block n holds its number again and again; "PROMISE n" comes when it is flushed, on every disk.
PROMISES = """
n=0
while [ $n -lt 4000 ]; do
printf %08d $n >/tmp/8
cat /tmp/8 /tmp/8 /tmp/8 /tmp/8 /tmp/8 /tmp/8 /tmp/8 /tmp/8 >/tmp/64
for d in vda vdb nvme0n1; do dd if=/tmp/64 of=/dev/$d bs=4096 seek=$n conv=sync,fsync 2>/dev/null; done
echo "PROMISE $n"
n=$((n+1))
done
"""


def share(pc):
    pc.run("cd /run/lab && truncate -s 64M base.img && printf base | dd of=base.img conv=notrunc && "
           "md5sum base.img >base.sum && for i in a b; do "
           "qemu-img create -f qcow2 -b base.img -F raw $i.qcow2; done", check=True)
    both = []
    for name in "a", "b":
        lines = guests.tiny(pc, name, SHARE % ("guest-" + name))
        both.append(Guest(pc, name, "[Guest]\nMemory=192M\n" + lines +
                          "[Disk system]\nPath=/run/lab/%s.qcow2\n" % name).start())
    for guest in both:
        guest.wait("BASE base", 150)
    for guest in both:
        guest.wait("MINE guest-%s" % guest.name, 60)
        guest.wait("GUEST-DONE 0", 30)
        guest.wait_end()
    pc.run("cd /run/lab && md5sum -c base.sum && for i in a b; do qemu-img check $i.qcow2; done",
           check=True)


def ephemeral(pc):
    lines = guests.tiny(pc, "e", EPHEMERAL)
    guest = Guest(pc, "e", "[Guest]\nMemory=192M\n" + lines +
                  "[Disk system]\nPath=/run/lab/base.img\nEphemeral=yes\n"
                  "EphemeralFolder=/run/lab\n").start()
    for _ in range(2):
        found = guest.wait("FOUND <(.*)>", 150).group(1)
        if found:
            raise LabError("an ephemeral disk holds %r after a reset" % found)
        guest.wait("WROTE <dirty>", 30)
    guest.poweroff()
    pc.run("cd /run/lab && md5sum -c base.sum", check=True)


def promises(pc):
    pc.run("cd /run/lab && truncate -s 32M raw.img nvme.img && qemu-img create -f qcow2 k.qcow2 32M",
           check=True)
    lines = guests.tiny(pc, "k", PROMISES)
    guest = Guest(pc, "k", "[Guest]\nMemory=192M\n" + lines +
                  "[Disk a]\nPath=/run/lab/k.qcow2\n[Disk b]\nPath=/run/lab/raw.img\n"
                  "[Disk c]\nPath=/run/lab/nvme.img\nBus=nvme\n").start()
    guest.wait("PROMISE 25$", 200)
    # The daemon as well: by itself it would end in order, and that is not what is asked.
    pc.run("kill -KILL $(cat /run/lab/k.pid) $(pidof qemu-storage-daemon)", check=True)
    guest.wait_end()
    pc.run("cd /run/lab && qemu-img check k.qcow2; qemu-img convert -O raw k.qcow2 k.img", check=True)
    kept = [int(line.split()[1]) for line in guest.com1().splitlines() if line.startswith("PROMISE ")]
    last = max(n for n in kept if n <= 25)
    for image in "k.img", "raw.img", "nvme.img":
        pc.run("head -c %d /run/lab/%s >/lab/%s" % ((last + 1) * BLOCK, image, image), check=True)
        with open(pc.get("/lab/" + image), "rb") as file:
            for n in range(last + 1):
                block = file.read(BLOCK)
                if block[:64] != b"%08d" % n * 8:
                    raise LabError("%s: block %d was promised and is not there: %r" % (
                        image, n, block[:16]))
    return last


def run(pc):
    share(pc)
    ephemeral(pc)
    last = promises(pc)
    return "%d blocks promised on three disks, all there" % (last + 1)

"""NVMe and virtio-blk under Debian's kernel: data both ways, discard, flush."""
import guests
from guest import Guest

SCRIPT = """
dmesg | grep -i -E 'nvme|virtio_blk'
for d in nvme0n1 vda; do
echo "SIZE $d $(blockdev --getsize64 /dev/$d)"
dd if=/dev/urandom of=/tmp/x bs=64k count=64 2>/dev/null
dd if=/tmp/x of=/dev/$d bs=64k seek=16 oflag=direct conv=fsync 2>&1 | tail -n 1
dd if=/tmp/x of=/dev/$d bs=1M seek=8 conv=fsync 2>/dev/null
dd if=/dev/$d of=/tmp/y bs=64k skip=16 count=64 iflag=direct 2>/dev/null
dd if=/dev/$d of=/tmp/z bs=1M skip=8 count=4 2>/dev/null
echo "SUMS $d $(cat /tmp/x /tmp/y /tmp/z | md5sum | cut -c1-8) $(cmp /tmp/x /tmp/y && cmp /tmp/x /tmp/z && echo same)"
blkdiscard -f -o 1048576 -l 1048576 /dev/$d 2>/dev/null && echo "DISCARDED $d"
echo "ZEROS $d $(dd if=/dev/$d bs=64k skip=16 count=16 iflag=direct 2>/dev/null | tr -d '\\0' | wc -c)"
cat /sys/block/$d/queue/write_cache
done
"""


def run(pc):
    lines = guests.tiny(pc, "nvme", SCRIPT)
    pc.run("truncate -s 64M /run/lab/a /run/lab/b", check=True)
    guest = Guest(pc, "nvme", "[Guest]\nMemory=256M\nVcpus=2\n" + lines +
                  "[Disk first]\nPath=/run/lab/a\nBus=nvme\n[Disk second]\nPath=/run/lab/b\n").start()
    for name in "nvme0n1", "vda":
        guest.wait(r"SIZE %s 67108864" % name, 120)
        guest.wait(r"SUMS %s \w+ same" % name, 60)
        guest.wait(r"ZEROS %s 0" % name, 60)
    guest.wait(r"GUEST-DONE 0", 30)
    return "both hold what was written"

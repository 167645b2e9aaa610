"""virtiofs: a file written in one guest is read in the other; read-only holds; a reboot mounts it again."""

import guests
from guest import Guest
from pc import LabError

BYTES = 2 << 20
WRITER = """
mount -t virtiofs family /mnt || exit 1
if [ -e /mnt/done ]; then echo "AGAIN $(cat /mnt/note)"; exit 0; fi
echo "a note from the writer" >/mnt/note
head -c %d /dev/urandom >/mnt/data && sha256sum </mnt/data | sed 's/^/WROTE /'
mv /mnt/data /mnt/ready
i=0; while [ ! -e /mnt/done ] && [ $i -lt 1200 ]; do sleep 0.2; i=$((i+1)); done
[ -e /mnt/done ] && echo REBOOTING && reboot -f
""" % BYTES
READER = """
mount -t virtiofs family /mnt || exit 1
mount -t virtiofs look /tmp || exit 1
i=0; while [ ! -e /mnt/ready ] && [ $i -lt 1200 ]; do sleep 0.2; i=$((i+1)); done
sha256sum </mnt/ready | sed 's/^/READ /'
echo "NOTE $(cat /tmp/note)"
echo no >/tmp/note 2>/dev/null && echo "WRITABLE" || echo "READ-ONLY"
touch /mnt/done
"""
FAMILY = "[Share family]\nPath=/run/lab/family\n"


def run(pc):
    pc.run("mkdir -p /run/lab/family", check=True)
    writer = Guest(pc, "writer", "[Guest]\nMemory=256M\n" +
                   guests.tiny(pc, "writer", WRITER) + FAMILY).start()
    wrote = writer.wait(r"WROTE (\w{64})", 240).group(1)
    reader = Guest(pc, "reader", "[Guest]\nMemory=256M\n" + guests.tiny(pc, "reader", READER) + FAMILY +
                   "[Share look]\nPath=/run/lab/family\nReadOnly=yes\n").start()
    read = reader.wait(r"READ (\w{64})", 240).group(1)
    if read != wrote:
        raise LabError("the reader's file is %s, the writer's %s" % (read, wrote))
    reader.wait(r"NOTE a note from the writer", 20)
    reader.wait(r"READ-ONLY", 20)
    writer.wait(r"REBOOTING", 60)
    writer.wait(r"AGAIN a note from the writer", 240)
    writer.wait(r"GUEST-DONE 0", 20)
    found = pc.run("sha256sum </run/lab/family/ready", check=True)[1].split()[0]
    if found != wrote:
        raise LabError("the PC's file is %s, the writer's %s" % (found, wrote))
    return "%d MiB, both ways" % (BYTES >> 20)

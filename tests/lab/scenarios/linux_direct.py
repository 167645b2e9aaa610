"""Debian 12 booted directly: network by passt, a page over HTTP, a picture of its console, reboot, power-off."""
import guests
from errors import LabError
from guest import Guest

systems = ["debian"]

JOB = """
boots=$(($(cat /var/lib/boots 2>/dev/null || echo 0) + 1)); echo $boots >/var/lib/boots; sync
echo "BOOT $boots of $(uname -r)"
for n in 1 2 3 4 5 6 7 8 9 10; do ip -4 -br addr | grep -q 'UP .*192.0.2' && break; sleep 1; done
ip -4 -br addr
curl -sS --max-time 30 http://%s:8000/page >/tmp/page; echo "PAGE $(md5sum </tmp/page | cut -c1-32)"
[ $boots -lt 2 ] || exit 0
sleep 8
echo "REBOOTS"; systemctl reboot; sleep 60
"""


def run(pc):
    server = pc.network()
    digest = pc.run("mkdir -p /run/lab/www; cd /run/lab/www; head -c 300000 /dev/urandom >page; "
                    "md5sum <page | cut -c1-32", check=True)[1].strip()
    pc.spawn("cd /run/lab/www && exec python3 -m http.server 8000", 900)
    job = guests.debian_job(pc, "direct", JOB % server)
    guest = Guest(pc, "direct", "[Guest]\nMemory=512M\n" + guests.debian_direct() +
                  "[Disk root]\nPath=/guests/debian/debian.img\n[Disk job]\nPath=%s\n[Net lan]\n" % job)
    guest.start()
    up = guest.wait(r"GUEST-UP ([\d.]+)", 240).group(1)
    fetch(guest, "BOOT 1", digest)
    shot = guest.wait_screen(lambda picture: picture.lit() > 0.0005 and picture.colours() > 1, 60,
                             "a console with text on it")
    guest.wait("REBOOTS", 60)
    guest.wait(r"GUEST-UP", 240)
    fetch(guest, "BOOT 2", digest)
    guest.wait(r"GUEST-DONE 0", 30)
    status = guest.wait_end(90)
    if status:
        raise LabError("expected power-off with status 0, found %s" % status)
    return "up after %s s; screen %dx%d; page fetched twice; rebooted; powered off" % (
        up, shot.width, shot.height)


def fetch(guest, boot, digest):
    guest.wait(boot, 30)
    found = guest.wait(r"^PAGE (\w+)", 90).group(1)
    if found != digest:
        raise LabError("the page: expected MD5 %s, found %s\n%s" % (digest, found, guest.log()))

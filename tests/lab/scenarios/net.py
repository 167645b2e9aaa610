"""passt: address, name server, a page, a host port that leads in, passt killed; a tap with vhost-net."""
import os

import guests
from guest import Guest
from pc import LabError

BYTES = 8 << 20
# The emulated PC is connected to nothing: an interface that leads nowhere is its default route.
HOST = """
ip link add lan0 type dummy && ip addr add 192.168.77.1/24 dev lan0 && ip link set lan0 up
ip route add default via 192.168.77.254
mkdir -p /run/lab/www && head -c %d /dev/urandom >/run/lab/www/data
echo 'a page from the lab' >/run/lab/www/index.html
sha256sum </run/lab/www/data
dnsmasq --no-resolv --no-hosts --listen-address=192.168.77.1 --bind-interfaces \
    --address=/page.lab/192.168.77.1
modprobe vhost_net
ip tuntap add dev tap0 mode tap vnet_hdr && ip addr add 10.50.0.1/24 dev tap0 && ip link set tap0 up
""" % BYTES
# udhcpc's own way to tell; resolv.conf as it would write it.
UDHCPC = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/$mask dev $interface; ip link set $interface mtu ${mtu:-1500}
ip route add default via $router
for s in $dns; do echo "nameserver $s"; done >/etc/resolv.conf
"""
SCRIPT = """
mkdir -p /etc; cp /udhcpc.script /tmp/s; chmod +x /tmp/s
ip link set lo up; ip link set eth0 up
udhcpc -i eth0 -n -q -s /tmp/s || exit 1
echo "ADDRESS $(ip -4 -o addr show eth0 | awk '{print $4}') MTU $(cat /sys/class/net/eth0/mtu)"
echo "PAGE $(wget -q -O - http://page.lab:8000/)"
wget -q -O - http://page.lab:8000/data | sha256sum | sed 's/^/DOWN /'
head -c %d /dev/urandom >/tmp/up; sha256sum </tmp/up | sed 's/^/UP /'
nc 192.168.77.1 9000 </tmp/up && echo SENT
ip addr add 10.50.0.2/24 dev eth1; ip link set eth1 up
echo "TAP $(wget -q -O - http://10.50.0.1:8000/)"
wget -q -O - http://10.50.0.1:8000/data | sha256sum | sed 's/^/TAPDOWN /'
echo hello from the guest >/tmp/index.html; httpd -h /tmp -p 80; echo SERVING
i=0; while [ $i -lt 60 ] && [ ! -e /tmp/bye ]; do
    [ "$(cat /sys/class/net/eth0/carrier)" = 0 ] && echo CARRIER-LOST && break; sleep 0.2; i=$((i+1))
done
while [ "$(cat /sys/class/net/eth0/carrier)" = 0 ]; do sleep 0.2; done
echo "CARRIER-BACK $(wget -q -O - http://page.lab:8000/)"
""" % BYTES
CONFIG = """
[Net]
Address=10.20.30.2/24
Gateway=10.20.30.1
Dns=192.168.77.1
Forward=tcp:8080:80
[Net tap]
Mode=tap
Device=tap0
"""


def expect(found, wanted, what):
    if found != wanted:
        raise LabError("%s: expected %r, found %r" % (what, wanted, found))


def run(pc):
    digest = pc.run(HOST, check=True)[1].split()[0]
    pc.spawn("cd /run/lab/www && exec python3 -m http.server 8000")
    pc.spawn("socat -u TCP-LISTEN:9000 CREATE:/run/lab/up")
    pc.write("udhcpc.script", UDHCPC)
    script = os.path.join(pc.share, "udhcpc.script")
    lines = guests.tiny(pc, "net", SCRIPT, files=(("udhcpc.script", script),))
    guest = Guest(pc, "net", "[Guest]\nMemory=256M\n" + lines + CONFIG).start()
    address = guest.wait(r"ADDRESS (\S+) MTU (\d+)", 240)
    expect(address.group(1), "10.20.30.2/24", "DHCP")
    expect(guest.wait(r"PAGE (.*?)\r?\n", 30).group(1), "a page from the lab", "the page by its name")
    expect(guest.wait(r"DOWN (\w{64})", 120).group(1), digest, "8 MiB down")
    sent = guest.wait(r"UP (\w{64})", 60).group(1)
    guest.wait(r"SENT", 60)
    pc.wait_until(lambda: pc.run("sha256sum </run/lab/up")[1].split()[0] == sent, 20, "8 MiB up")
    expect(guest.wait(r"TAP (.*?)\r?\n", 60).group(1), "a page from the lab", "the page by the tap")
    expect(guest.wait(r"TAPDOWN (\w{64})", 120).group(1), digest, "8 MiB by the tap")
    vhost = pc.run("pgrep -c vhost-")[1].strip()
    guest.wait(r"SERVING", 10)
    expect(pc.run("curl -s http://127.0.0.1:8080/index.html", check=True)[1].strip(),
           "hello from the guest", "the forwarded port")
    pc.run("kill -9 $(pidof passt.avx2 passt)")
    guest.wait(r"CARRIER-LOST", 20)
    expect(guest.wait(r"CARRIER-BACK (.*?)\r?\n", 40).group(1), "a page from the lab",
           "the page after passt was killed")
    guest.wait(r"GUEST-DONE 0", 30)
    return "MTU %s, vhost threads: %s" % (address.group(2), vhost)

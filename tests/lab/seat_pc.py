"""The seats' hardware of an emulated PC: graphics cards with monitors, keyboards, mice, hubs, sound cards.

`Hardware` says what is in the PC when it is switched on and gives QEMU's arguments; `SeatPc` is the hand
on it while it runs: monitors are plugged in, keys pressed, hubs pulled out, sound recorded. Every PCI
device has a fixed slot, so that udev's paths are known.

How it works: QEMU hands an event that is meant for one console to the input device bound to that
console, so each keyboard has a console of its own. A virtio keyboard may be bound to any output of a
graphics card, with a monitor or without. A USB keyboard only to the first, so each of those has a dummy
card (ati-vga, for which Debian loads no driver): four of them. A USB mouse cannot be bound at all.
"""
import os
import time

import picture
import rfb
import wav
from errors import LabError

SLOT = 0x08            # of the first device; those below are the lab's own
USB_KEYBOARDS = 4
HEADS = 6              # of a virtio card: those without a monitor are keyboards' consoles
USB = "x"              # the controller
WIDTH, HEIGHT = 1024, 768
CONNECTORS = r"""for c in /sys/class/drm/card*-*; do d=$(readlink -f $c/device/device)
	case $d in */virtio*) d=${d%/*};; esac; n=${c##*/}
	echo "${d##*/} ${n##*-} $(cat $c/status) $(head -n1 $c/modes)"; done"""


class Hardware:
    """What is plugged in at the start. Order matters: it gives the slots."""

    def __init__(self):
        self.lines = []         # QEMU's arguments
        self.slots = {}         # name: slot
        self.consoles = {}      # input device: (card, head)
        self.monitors = []      # (card, head) that can be plugged and unplugged
        self.sounds = []
        self.lines += ["-machine", "i8042=off"]  # a key that has no other place to go to would go there
        self.lines += ["-device", "qemu-xhci,id=%s,p2=8,p3=8%s" % (USB, self.slot(USB))]
        for number in range(USB_KEYBOARDS):
            self.lines += ["-device", "ati-vga,id=console%d,vgamem_mb=8%s" % (
                number, self.slot("console%d" % number))]

    def slot(self, name):
        self.slots[name] = SLOT + len(self.slots)
        return ",addr=0x%x" % self.slots[name]

    def virtio_card(self, name, monitors=2, size=(WIDTH, HEIGHT)):
        """A monitor at its first output; the others are plugged in later. All may be unplugged."""
        self.lines += ["-device", "virtio-gpu-pci,id=%s,max_outputs=%d,xres=%d,yres=%d%s" % (
            name, HEADS, *size, self.slot(name))]
        for head in range(monitors):
            self.monitors.append((name, head))
            self.lines += ["-vnc", "unix:@SOCKETS@/%s-%d.vnc,display=%s,head=%d" % (
                name, head, name, head)]

    def bochs_card(self, name, size=(WIDTH, HEIGHT)):
        """One output, whose monitor is always there; no cursor plane."""
        self.lines += ["-device", "bochs-display,id=%s,xres=%d,yres=%d%s" % (
            name, *size, self.slot(name))]

    def keyboard(self, name, card, head=0):
        self.input("virtio-keyboard-pci", name, card, head)

    def mouse(self, name, card, head=0):
        self.input("virtio-mouse-pci", name, card, head)

    def tablet(self, name, card, head=0):
        """An absolute pointer: a touch screen's way of pointing. Not beside a mouse on one console."""
        self.input("virtio-tablet-pci", name, card, head)

    def input(self, kind, name, card, head):
        self.consoles[name] = (card, head)
        self.lines += ["-device", "%s,id=%s,display=%s,head=%d%s" % (kind, name, card, head,
                                                                    self.slot(name))]

    def sound(self, name):
        self.recorder(name)
        self.lines += ["-device", "intel-hda,id=%s%s" % (name, self.slot(name)),
                       "-device", "hda-duplex,bus=%s.0,audiodev=wav-%s" % (name, name)]

    def headset(self, name):
        """A USB sound card, to be plugged in later: headset_plug()."""
        self.recorder(name)

    def recorder(self, name):
        self.sounds.append(name)
        self.lines += ["-audiodev", "wav,id=wav-%s,path=@FOLDER@/%s.wav,out.frequency=%d" % (
            name, name, wav.RATE)]

    def path(self, name):
        """udev's ID_PATH of a device that is plugged into PCI."""
        return "pci-0000:00:%02x.0" % self.slots[name]

    def output(self, card, head=0):
        """An output as Irori names it: counted within its card."""
        return "%s:Virtual-%d" % (self.path(card), head + 1)

    def usb_path(self, port):
        """The same of a device at a USB port such as "2" or, at a hub, "2.1"."""
        return "%s-usb-0:%s" % (self.path(USB), port)


def household():
    """The PC of the seats' scenarios: three monitors on two cards (the second of g0 is not plugged in at
    first), a keyboard and a mouse for each, three sound cards, a USB controller, a headset in a drawer."""
    hardware = Hardware()
    hardware.virtio_card("g0")
    hardware.bochs_card("g1")
    for number, place in enumerate((("g0", 0), ("g0", 1), ("g1", 0))):
        hardware.keyboard("k%d" % number, *place)
        hardware.mouse("m%d" % number, *place)
    hardware.tablet("t0", "g0", 2)
    for number in range(3):
        hardware.sound("s%d" % number)
    hardware.headset("h0")
    return hardware


class SeatPc:
    """The hardware of the PC `pc`, which runs."""

    def __init__(self, pc, hardware):
        self.pc = pc
        self.hardware = hardware
        self.numbers = {}       # of connectors, the kernel's
        self.sized = set()      # monitors that were ever given a size
        self.usb = {}           # id of what is plugged in: (port, console or None)

    # Monitors

    def outputs(self):
        """{(card, head): (whether a monitor is there, its mode)}. The kernel numbers connectors over all
        cards, as they come up: one card's may begin with 7."""
        listing = {}
        for line in self.pc.run(CONNECTORS, check=True)[1].splitlines():
            address, number, status, mode = (line.split() + [""])[:4]
            listing.setdefault(address, []).append((int(number), status == "connected", mode))
        found = {}
        for card in {card for card in self.hardware.slots
                     if self.hardware.path(card)[4:] in listing}:
            for head, each in enumerate(sorted(listing[self.hardware.path(card)[4:]])):
                found[card, head] = each[1:]
                self.numbers[card, head] = each[0]
        return found

    def connected(self):
        """{(card, head): mode} of the monitors that are plugged in."""
        return {place: mode for place, (there, mode) in self.outputs().items() if there}

    def monitor_plug(self, card, head, width=WIDTH, height=HEIGHT, settle=True):
        """Plugs in a monitor of that size (or gives the one there another); 0 x 0 pulls it out. `settle`:
        until the kernel has seen it. Linux' virtio-gpu asks for the monitors and looks at what it knew
        before the answer has come; a connector that it so misses is looked at again, by hand."""
        self.monitor_size(card, head, width, height)
        if not settle:
            return
        try:
            self.pc.wait_until(lambda: self.outputs()[card, head][0] == bool(width), 1, "a monitor")
        except LabError:
            self.pc.run("echo detect >$(ls -d /sys/class/drm/card*-Virtual-%d)/status" %
                        self.numbers[card, head], check=True)
            self.pc.wait_until(lambda: self.outputs()[card, head][0] == bool(width), 5,
                               "a monitor to be plugged in or out")

    def monitor_size(self, card, head, width, height):
        if (card, head) not in self.hardware.monitors:
            raise LabError("the monitor at %s, output %d, is screwed on" % (card, head))
        self.sized.add((card, head))
        rfb.set_desktop_size(os.path.join(self.pc.sockets, "%s-%d.vnc" % (card, head)), width, height)

    def monitor_unplug(self, card, head, settle=True):
        if (card, head) not in self.sized:  # QEMU takes 0 x 0 for what it has been from the start
            self.monitor_size(card, head, WIDTH, HEIGHT)
        self.monitor_plug(card, head, 0, 0, settle)

    def look(self, card, head=0, name=None):
        """What that monitor shows, as a picture.Picture. With a name, it stays as NAME.png with the logs."""
        kind = "png" if name else "ppm"
        path = os.path.join(self.pc.folder if name else self.pc.sockets,
                            "%s.%s" % (name or "%s-%d" % (card, head), kind))
        self.pc.qmp("screendump", filename=path, device=card, head=head, format=kind)
        return picture.read(path)

    def look_until(self, card, head, condition, seconds, what):
        """Pictures of that monitor until condition(picture) is true; that picture."""
        last = []

        def good():
            last[:] = [self.look(card, head)]
            return condition(last[0])

        try:
            self.pc.wait_until(good, seconds, "%s on monitor %s-%d" % (what, card, head))
        except LabError:
            self.look(card, head, "monitor-%s-%d-last" % (card, head))
            raise
        return last[0]

    # Keys and motion

    def send(self, name, *events):
        """Input events from that device: see key(), motion()."""
        console = self.usb[name][1] if name in self.usb else self.hardware.consoles.get(name)
        if not console:
            raise LabError("%s is not plugged in, or cannot be told apart" % name)
        self.pc.qmp("input-send-event", device=console[0], head=console[1], events=list(events))

    def press(self, name, *keys):
        """Keys by QEMU's names: a, ret, f1, ctrl, ctrl_r, shift, up..."""
        self.send(name, *[key(each, True) for each in keys])

    def release(self, name, *keys):
        self.send(name, *[key(each, False) for each in keys])

    def tap(self, name, *keys):
        for each in keys:
            self.press(name, each)
            self.release(name, each)

    def move(self, name, x, y):
        self.send(name, motion("x", x), motion("y", y))

    def click(self, name, button="left"):
        for down in (True, False):
            self.send(name, {"type": "btn", "data": {"button": button, "down": down}})

    # USB: ports are "1" to "8" at the controller, "1.3" the third of a hub at port 1

    def hub_plug(self, name, port):
        self.usb_plug(name, "usb-hub", port)

    def keyboard_plug(self, name, port):
        """At most USB_KEYBOARDS at once: each needs a console of its own."""
        taken = [console for _, console in self.usb.values()]
        free = [number for number in range(USB_KEYBOARDS) if ("console%d" % number, 0) not in taken]
        if not free:
            raise LabError("%d USB keyboards are plugged in already" % USB_KEYBOARDS)
        console = ("console%d" % free[0], 0)
        self.usb_plug(name, "usb-kbd", port, console, display=console[0])

    def mouse_plug(self, name, port):
        """Its motion cannot be sent: only to be there."""
        self.usb_plug(name, "usb-mouse", port)

    def headset_plug(self, name, port):
        self.usb_plug(name, "usb-audio", port, audiodev="wav-" + name)

    def usb_plug(self, name, driver, port, console=None, **options):
        self.pc.qmp("device_add", driver=driver, id=name, bus=USB + ".0", port=port, **options)
        self.usb[name] = (port, console)

    def usb_unplug(self, name):
        """And what is plugged into it, if it is a hub."""
        port = self.usb[name][0]
        for each in [other for other, (at, _) in self.usb.items() if at.startswith(port + ".")]:
            self.usb_unplug(each)
        self.pc.qmp("device_del", id=name)
        del self.usb[name]
        self.pc.wait_until(lambda: not self.there(name), 10, "%s to be unplugged" % name)

    def there(self, name):
        return any(each["name"] == name for each in self.pc.qmp("qom-list", path="/machine/peripheral"))

    # Sound

    def listen(self, seconds):
        """{sound card: what it plays in the `seconds` from now}, as wav.Heard. A card that plays nothing
        has no length."""
        paths = {name: os.path.join(self.pc.folder, name + ".wav") for name in self.hardware.sounds}
        marks = {name: wav.length(path) for name, path in paths.items()}
        time.sleep(seconds)
        return {name: wav.Heard(path, marks[name], name) for name, path in paths.items()}


def key(name, down):
    return {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}


def motion(axis, value):
    return {"type": "rel", "data": {"axis": axis, "value": value}}

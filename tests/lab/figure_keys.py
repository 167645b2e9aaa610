"""From the PC's interrupt for a key to the guest's: Irori's seat, and QEMU with input-linux, key by key in turn.

Both ends are seen by the PC's kernel, the same for both: the interrupt of the keyboard (virtio-input in the
emulated PC), and KVM taking the interrupt of the guest's keyboard from a thread of its monitor that is no vCPU.
"""
import time

from errors import LabError
from figure import Figure
from ftrace import Trace

TAPS = 40
BETWEEN = 0.08   # seconds
QEMU = ("exec qemu-system-x86_64 -enable-kvm -cpu host -M q35 -m 64 -smp 1 -nodefaults -no-reboot -display none "
        "-serial stdio -kernel %s -initrd /run/lab/probe.cpio -append 'init=/probe probe.fps=1 probe.depth=8' "
        "-device virtio-gpu-pci -device virtio-keyboard-pci -object input-linux,id=k,evdev=%s,grab_all=on")


def device(house, name):
    """The event device of a keyboard, and the PC's interrupts for it."""
    at = "/sys/bus/pci/devices/%s" % house.hardware.path(name)[len("pci-"):]
    node = house.pc.run("basename $(ls -d %s/virtio*/input/input*/event*)" % at, check=True)[1].strip()
    irqs = house.pc.run("n=$(basename $(ls -d %s/virtio*)); grep \"$n-\" /proc/interrupts | cut -d: -f1" % at,
                        check=True)[1].split()
    return "/dev/input/" + node, [int(each) for each in irqs]


def threads(pc, pid):
    """{thread: its name} of a monitor but for its vCPUs."""
    listing = pc.run("cd /proc/%d/task && for t in *; do echo $t $(cat $t/comm); done" % pid, check=True)[1]
    found = dict(line.split(None, 1) for line in listing.splitlines())
    return {int(tid) for tid, name in found.items() if not name.startswith(("vcpu", "CPU "))}


def delays(events, irqs, tids):
    """Milliseconds from each interrupt of these to the next that a thread of these gave its guest."""
    found, since = [], None
    for event in events:
        if event.name == "irq_handler_entry" and event.number("irq") in irqs:
            since = since or event.seconds
        elif event.name == "kvm_apic_accept_irq" and since and event.tid in tids:
            found.append((event.seconds - since) * 1000)
            since = None
    return found


def measure(house, seat, keyboard, hearth):
    """`seat` shows a quiet guest; `keyboard` is nobody's: QEMU's."""
    pc = house.pc
    node, their_irqs = device(house, keyboard)
    _, our_irqs = device(house, seat.keyboard)
    job = pc.spawn(QEMU % (hearth, node))
    pc.wait_until(lambda: "screen: first frame" in pc.output(job), 60, "QEMU's guest\n" + pc.output(job))
    their_pid = int(pc.run("pgrep -f input-linux,id=k | head -n 1", check=True)[1])
    ours, theirs = threads(pc, house.guest_pid(seat.name)), threads(pc, their_pid)
    before = house.row(seat, "keys")
    trace = Trace(pc, {"irq/irq_handler_entry": " || ".join("irq == %d" % each for each in our_irqs + their_irqs),
                       "kvm/kvm_apic_accept_irq": ""})
    for _ in range(TAPS):
        for name in (seat.keyboard, keyboard):
            for act in (house.hands.press, house.hands.release):
                act(name, "a")
                time.sleep(BETWEEN)
    pc.wait_until(lambda: house.row(seat, "keys") == before + 2 * TAPS and
                  pc.output(job).count("KEY 30 ") == 2 * TAPS, 20, "all keys to come")
    events = trace.stop()
    pc.run("kill %d" % their_pid)
    figure = Figure("key: PC's interrupt to guest's", "ms", delays(events, our_irqs, ours),
                    delays(events, their_irqs, theirs), least=TAPS)
    if not events:
        raise LabError("the PC's kernel saw nothing")
    return [figure]

#!/usr/bin/env python3
"""Finds a tone in the monitor of a private sound server's null sink, and gaps in it.

usage: sound.py pulse PLAY_TONE
       sound.py guest IRORI_VMM IRORI_SOUND KERNEL INITRD
       sound.py loss IRORI_VMM IRORI_SOUND KERNEL INITRD
       sound.py reboot IRORI_VMM IRORI_SOUND KERNEL INITRD
       sound.py place IRORI_VMM IRORI_SOUND KERNEL INITRD

Exit status 77: no sound server (or no /dev/kvm) here.
"""
import array
import cmath
import math
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

RATE = 48000
BLOCK = RATE // 100  # 10 ms: a period of the guest
SKIP = 77


def skip(why):
    print(f'SKIP: {why}')
    sys.exit(SKIP)


def amplitude(samples, hz):
    """Goertzel: the part of a sine of this frequency in the samples."""
    w = 2 * math.pi * hz / RATE
    c, s1, s2 = 2 * math.cos(w), 0.0, 0.0
    for x in samples:
        s1, s2 = x + c * s1 - s2, s1
    return abs(s1 - s2 * cmath.exp(-1j * w)) * 2 / len(samples)


def phase(samples, hz, at):
    w = 2 * math.pi * hz / RATE
    return cmath.phase(sum(x * cmath.exp(-1j * w * (at + i)) for i, x in enumerate(samples)))


def longest_quiet(samples, floor):
    longest = run = 0
    for x in samples:
        run = run + 1 if abs(x) < floor else 0
        longest = max(longest, run)
    return longest


def jumps(samples, hz):
    """Blocks where the tone does not go on from where it was: sound lost, repeated or broken."""
    count, before = 0, None
    for at in range(0, len(samples) - BLOCK, BLOCK):
        now = phase(samples[at:at + BLOCK], hz, at)
        if before is not None and abs((now - before + math.pi) % (2 * math.pi) - math.pi) > 0.3:
            count += 1
        before = now
    return count


class Recording:
    def __init__(self, raw, hz):
        frames = array.array('h', raw[:len(raw) // 4 * 4])
        left = frames[0::2]
        peak = max((abs(x) for x in left), default=0)
        self.peak, self.hz = peak, hz
        loud = [i for i in range(len(left)) if abs(left[i]) > peak // 2]
        self.tone = left[loud[0]:loud[-1] + 1] if peak > 500 else array.array('h')
        self.seconds = len(self.tone) / RATE

    def report(self):
        # The server's own mixing may fade the first milliseconds in: look behind them.
        body = self.tone[BLOCK:-BLOCK]
        # Of all seconds the best: a gap in one blurs its spectrum, and is counted below.
        seconds = [body[i:i + RATE] for i in range(0, max(len(body) - RATE, 1), RATE)]
        best = max(seconds, key=lambda second: amplitude(second, self.hz))
        self.here = amplitude(best, self.hz)
        self.others = max(amplitude(best, self.hz * f) for f in (0.5, 0.8, 1.25, 2))
        self.quiet_ms = longest_quiet(body, self.peak // 50) * 1000 / RATE
        self.jumps = jumps(body, self.hz)
        print(f'{self.seconds:.2f} s of tone, peak {self.peak}; {self.hz} Hz: {self.here:.0f}, '
              f'others at most {self.others:.1f}; longest gap {self.quiet_ms:.1f} ms, '
              f'{self.jumps} breaks')

    def check(self, seconds):
        # What comes before the seat has found its guest goes to the null clock.
        if self.seconds < seconds - 1:
            sys.exit(f'FAIL: {self.seconds:.2f} s of tone, expected {seconds}')
        self.report()
        if self.here < 3000 or self.others > self.here / 20:
            sys.exit(f'FAIL: it is not a tone of {self.hz} Hz')
        # Machines that are shared take the processor away for longer than any buffer here lasts:
        # what is asserted is only that breaks are the exception. The figures above tell the rest.
        if self.jumps > self.seconds * 10:
            sys.exit('FAIL: the tone is broken more than ten times a second')


class Server:
    """A PulseAudio of our own with null sinks, and a recorder on the monitor of the first."""

    def __init__(self, folder, sinks=(('seat1', 'nowhere'),)):
        self.sinks = sinks
        for tool in ('pulseaudio', 'parec', 'pactl'):
            if not shutil.which(tool):
                skip(f'{tool} is not installed')
        self.address = f'unix:{folder}/native'
        self.folder = folder
        self.env = dict(os.environ, HOME=str(folder), XDG_RUNTIME_DIR=str(folder),
                        PULSE_SERVER=self.address)
        self.env.pop('PULSE_COOKIE', None)
        self.processes = []
        self.raw = folder / 'monitor.raw'
        self.up()

    def up(self):
        self.server = self.start(['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1',
                                  '--use-pid-file=no', '--system=no', '--log-target=stderr',
                                  '-L', f'module-native-protocol-unix socket={self.folder}/native '
                                  'auth-anonymous=1',
                                  *(word for sink in self.sinks
                                    for word in ('-L', 'module-null-sink '
                                                 + self.arguments(*sink)))],
                                 'pulseaudio.log')
        if not self.wait_for(lambda: subprocess.run(
                ['pactl', 'info'], env=self.env, capture_output=True).returncode == 0):
            self.close()
            skip('pulseaudio does not start here: '
                 + (self.folder / 'pulseaudio.log').read_text()[-300:])
        self.raw.unlink(missing_ok=True)
        self.record()

    @staticmethod
    def arguments(name, place):
        """A null sink that says where its card is, as udev's ID_PATH does."""
        return (f'sink_name={name} rate={RATE} '
                f'sink_properties=device.bus_path={place}')

    def pactl(self, *words):
        return subprocess.run(['pactl', *words], env=self.env, text=True, check=True,
                              capture_output=True).stdout.strip()

    def modules(self, name):
        return [line.split('\t')[0] for line in self.pactl('list', 'short', 'modules').splitlines()
                if f'sink_name={name} ' in line]

    def record(self):
        self.recorder = self.start(['parec', '-d', f'{self.sinks[0][0]}.monitor', '--raw', '--format=s16le',
                                    f'--rate={RATE}', '--channels=2', '--latency-msec=50',
                                    str(self.raw)], 'parec.log')
        self.wait_for(lambda: self.raw.exists() and self.raw.stat().st_size > 0)

    def down(self):
        self.server.kill()
        self.server.wait()
        self.recorder.wait(10)
        (self.folder / 'native').unlink(missing_ok=True)

    def start(self, command, log):
        process = subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=open(self.folder / log, 'wb'),
                                   stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    @staticmethod
    def wait_for(holds, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return True
            time.sleep(0.05)
        return False

    def recorded(self):
        time.sleep(0.5)
        self.recorder.send_signal(signal.SIGINT)
        self.recorder.wait(10)
        return self.raw.read_bytes()

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def pulse(server, play_tone):
    """The sink alone: what it was given comes out of PulseAudio."""
    subprocess.run([play_tone, server.address, 'seat1', '1000', '3'], env=server.env, check=True,
                   timeout=90)
    Recording(server.recorded(), 1000).check(3)


CONFIG = """[Guest]
Name=tone
Memory=64M
Class=video
Kernel={kernel}
Initrd={initrd}
CommandLine=init=/tone tone.hz={hz} tone.seconds={seconds}
Socket={folder}/guest.sock

[Sound]
Model=virtio
"""


def play_in_guest(server, vmm, sound, kernel, initrd, hz, seconds, sink='seat1', options=()):
    """The seat's process and the guest's, both running."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        skip('no /dev/kvm')
    config = server.folder / 'tone.conf'
    config.write_text(CONFIG.format(kernel=os.path.abspath(kernel),
                                    initrd=os.path.abspath(initrd), folder=server.folder,
                                    hz=hz, seconds=seconds))
    seat = server.start([sound, '--server', server.address, '--sink', sink, '--name', 'test',
                         '--stat', '1', *options, str(server.folder / 'guest.sock')], 'sound.log')
    return seat, server.start([vmm, str(config)], 'vmm.log')


def finish(server, seat, machine, seconds):
    machine.wait(seconds)
    raw = server.recorded()
    seat.terminate()
    seat.wait(10)
    print((server.folder / 'vmm.log').read_text(), end='')
    print((server.folder / 'sound.log').read_text().strip().splitlines()[-1])
    if machine.returncode != 0:
        sys.exit(f'FAIL: the guest ended with status {machine.returncode}')
    return raw


def guest(server, *what):
    """The whole way: a program in a guest, virtio-snd, the seat link, the sink, PulseAudio."""
    hz, seconds = 440, 4
    seat, machine = play_in_guest(server, *what, hz, seconds)
    Recording(finish(server, seat, machine, 120), hz).check(seconds)


def loss(server, *what):
    """The sound server dies while a guest plays: the guest goes on by its null clock, and is
    heard again when there is a server again."""
    hz, seconds = 440, 10
    begun = time.monotonic()
    seat, machine = play_in_guest(server, *what, hz, seconds)
    time.sleep(2)
    server.down()
    time.sleep(2)
    server.up()
    raw = finish(server, seat, machine, 120)
    took = time.monotonic() - begun
    print(f'{seconds} s of sound took the guest {took:.1f} s')
    if took > seconds * 1.5 + 3:
        sys.exit('FAIL: the guest stood still without a sound server')
    Recording(raw, hz).check(2.5)


def reset(path):
    """Asks the guest for a reset over its seat link (display/link.h)."""
    hello, request, want_control, verb_reset = 1, 7, 1 << 6, 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.connect(str(path))
        body = struct.pack('=II64s', 2, want_control, b'test')
        link.send(struct.pack('=HH', hello, len(body)) + body)
        link.recv(4096)
        body = struct.pack('=III', verb_reset, 0, 0)
        link.send(struct.pack('=HH', request, len(body)) + body)
        link.recv(4096)


def streams(server):
    return subprocess.run(['pactl', 'list', 'short', 'sink-inputs'], env=server.env, text=True,
                          capture_output=True, check=True).stdout.split('\t')[0]


def reboot(server, *what):
    """A guest is reset while it plays: its stream at the sound server stays the same one, and
    plays again."""
    hz, seconds = 440, 4
    seat, machine = play_in_guest(server, *what, hz, seconds)
    server.wait_for(lambda: streams(server))
    time.sleep(2)
    before = streams(server)
    reset(server.folder / 'guest.sock')
    time.sleep(1)
    after = streams(server)
    raw = finish(server, seat, machine, 120)
    if not before or before != after:
        sys.exit(f'FAIL: the stream before the reset was {before!r}, after it {after!r}')
    Recording(raw, hz).check(seconds + 1)


PLACES = (('usb', 'pci-0000:00:14.0-usb-0:3.1:1.0'), ('onboard', 'pci-0000:00:1b.0'))


def place(server, *what):
    """The sink is known by where its card is. The card is unplugged while a guest plays, and
    plugged in again: the guest goes on in between and is heard on that card and on no other, at
    the seat's volume."""
    hz, seconds = 440, 10
    other = server.start(['parec', '-d', 'onboard.monitor', '--raw', '--format=s16le',
                          f'--rate={RATE}', '--channels=2', str(server.folder / 'onboard.raw')],
                         'parec.log')
    server.pactl('set-sink-mute', 'usb', '1')
    begun = time.monotonic()
    seat, machine = play_in_guest(server, *what, hz, seconds,
                                  sink='path:pci-0000:00:14.0-usb-0:3', options=('--volume', '90'))
    if not server.wait_for(lambda: streams(server)):
        sys.exit('FAIL: nothing plays at the card: ' + (server.folder / 'sound.log').read_text())
    time.sleep(2)
    volume = server.pactl('get-sink-volume', 'usb')
    mute = server.pactl('get-sink-mute', 'usb')
    first = server.recorded()
    for module in server.modules('usb'):
        server.pactl('unload-module', module)
    time.sleep(1.5)
    if streams(server):
        sys.exit('FAIL: without its card the seat plays on another')
    server.pactl('load-module', 'module-null-sink', server.arguments(*server.sinks[0]))
    back = time.monotonic()
    if not server.wait_for(lambda: streams(server), 10):
        sys.exit('FAIL: the card is there again, the seat is not')
    print(f'back {time.monotonic() - back:.2f} s after the card')
    server.record()
    raw = finish(server, seat, machine, 120)
    took = time.monotonic() - begun
    other.terminate()
    other.wait(10)
    print(f'{seconds} s of sound took the guest {took:.1f} s; {volume}; {mute}')
    if '90%' not in volume or 'no' not in mute:
        sys.exit('FAIL: the volume is not the seat\'s')
    if took > seconds * 1.5 + 3:
        sys.exit('FAIL: the guest stood still without a sound card')
    if any((server.folder / 'onboard.raw').read_bytes()):
        sys.exit('FAIL: the other card is heard as well')
    Recording(first, hz).check(1)
    Recording(raw, hz).check(2.5)


def main():
    modes = {'pulse': pulse, 'guest': guest, 'loss': loss, 'reboot': reboot, 'place': place}
    if len(sys.argv) < 3 or sys.argv[1] not in modes:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix='irori-sound-') as name:
        folder = pathlib.Path(name)
        server = Server(folder, PLACES) if sys.argv[1] == 'place' else Server(folder)
        try:
            modes[sys.argv[1]](server, *sys.argv[2:])
        finally:
            server.close()


if __name__ == '__main__':
    main()

"""irori-remote with real SPICE clients, at a guest without a machine.

usage: spice.py IRORI_REMOTE FAKE_GUEST
"""
import ctypes
import math
import os
import queue
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

SKIP = 77
try:
    import gi
    gi.require_version('SpiceClientGLib', '2.0')
    from gi.repository import GLib, GObject, SpiceClientGLib
except (ImportError, ValueError) as error:
    print(f'SKIP: {error} (packages python3-gi, gir1.2-spiceclientglib-2.0)')
    sys.exit(SKIP)
if not shutil.which('spicy-screenshot'):
    print('SKIP: no spicy-screenshot (package spice-client-gtk)')
    sys.exit(SKIP)

REMOTE, FAKE = sys.argv[1:3]
KEYBOARD, TABLET = 0, 1
EV_KEY, EV_REL, EV_ABS = 1, 2, 3
DEADLINE = 10


class Program:
    """A child whose output lines can be waited for."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip('\n'))

    def wait_for(self, what, seconds=DEADLINE):
        """The first line that `what` (a prefix or a function) accepts; those before are in seen."""
        accepts = what if callable(what) else lambda line: line.startswith(what)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            spin()
            try:
                line = self.lines.get(timeout=0.01)
            except queue.Empty:
                continue
            self.seen.append(line)
            if accepts(line):
                return line
        raise AssertionError(f'{what} did not come; came: {self.seen[-10:]}')

    def do(self, command):
        self.process.stdin.write(command + '\n')
        self.wait_for('ok')

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.stdin.close()
        return self.process.wait(DEADLINE)


def spin(seconds=0.0):
    """Lets the SPICE client work."""
    end = time.monotonic() + seconds
    context = GLib.MainContext.default()
    while True:
        while context.iteration(False):
            pass
        if time.monotonic() >= end:
            return
        time.sleep(0.002)


def until(condition, what, seconds=DEADLINE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'never: {what}')
        spin(0.005)


class Client:
    """A SPICE client: its picture, its keyboard, what it hears."""

    def __init__(self, address, password=None):
        self.session = SpiceClientGLib.Session()
        self.session.set_property('uri', address)
        if password is not None:
            self.session.set_property('password', password)
        self.primary = self.inputs = self.record = None
        self.heard = bytearray()
        self.rate = 0
        self.leds = None
        self.errors = []
        self.channels = []
        # plain .connect is spice_session_connect here
        GObject.Object.connect(self.session, 'channel-new', self.on_channel)
        assert self.session.connect()

    def on_channel(self, session, channel):
        self.channels.append(channel)
        listen = lambda name, func: GObject.Object.connect(channel, name, func)
        listen('channel-event', self.on_event)
        if isinstance(channel, SpiceClientGLib.DisplayChannel):
            listen('display-primary-create', self.on_primary)
            listen('display-primary-destroy', self.on_primary_gone)
            SpiceClientGLib.Channel.connect(channel)
        elif isinstance(channel, SpiceClientGLib.InputsChannel):
            self.inputs = channel
            listen('inputs-modifiers', self.on_modifiers)
            SpiceClientGLib.Channel.connect(channel)
        elif isinstance(channel, SpiceClientGLib.PlaybackChannel):
            listen('playback-start', self.on_playback_start)
            listen('playback-data', self.on_playback_data)
            SpiceClientGLib.Channel.connect(channel)

    def on_event(self, channel, event):
        if event >= SpiceClientGLib.ChannelEvent.ERROR_CONNECT:
            self.errors.append(event)

    def on_primary(self, channel, format, width, height, stride, shmid, data):
        self.primary = (width, height, stride, data)

    def on_primary_gone(self, channel):
        self.primary = None

    def on_modifiers(self, channel):
        self.leds = channel.get_property('key-modifiers')

    def on_playback_start(self, channel, format, channels, rate):
        self.rate = rate

    def on_playback_data(self, channel, data, size):
        self.heard += ctypes.string_at(data, size)

    def picture(self):
        """(width, height, rows of b, g, r, x)"""
        if not self.primary or not self.primary[3]:
            return None
        width, height, stride, data = self.primary
        raw = ctypes.string_at(data, abs(stride) * height)
        rows = [raw[y * stride:y * stride + width * 4] for y in range(height)]
        return width, height, b''.join(rows)

    def close(self):
        self.session.disconnect()
        spin(0.05)


def without_x(pixels):
    pixels = bytearray(pixels)
    pixels[3::4] = bytes(len(pixels) // 4)
    return bytes(pixels)


def pattern(width, height, number, patches=()):
    pixels = bytearray(width * height * 4)

    def paint(n, left, top, w, h):
        for y in range(top, top + h):
            row = bytearray()
            for x in range(left, left + w):
                row += bytes(((x + n) & 255, y & 255, (x // 16 ^ y // 16) & 255, 0))
            at = (y * width + left) * 4
            pixels[at:at + len(row)] = row
    paint(number, 0, 0, width, height)
    for patch in patches:
        paint(*patch)
    return bytes(pixels)


def shows(client, width, height, pixels):
    picture = client.picture()
    return bool(picture) and picture[:2] == (width, height) and without_x(picture[2]) == pixels


class Bench:
    def __init__(self, *remote_options, where=None, size=()):
        self.dir = tempfile.mkdtemp(prefix='irori-spice-')
        self.guest_path = self.dir + '/guest.sock'
        self.size = size
        self.spice_path = self.dir + '/spice.sock'
        self.guest = self.start_guest()
        self.remote = Program(REMOTE, self.guest_path, '--spice', where or 'unix:' + self.spice_path,
                              *remote_options)
        self.address = self.remote.wait_for('remote-viewer ').split()[1]

    def start_guest(self):
        guest = Program(FAKE, self.guest_path, 'study', *self.size)
        guest.wait_for('ready')
        return guest

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        alive = self.remote.process.poll() is None
        status = self.remote.stop()
        self.guest.stop()
        shutil.rmtree(self.dir)
        if not exception[0]:
            assert alive, 'irori-remote ended by itself'
            assert status == 0, f'irori-remote ended with {status}'


def input_line(device, kind, code, value):
    return f'input {device} {kind} {code} {value}'


def screenshot_of_a_stock_client_is_exact():
    with Bench() as bench:
        assert bench.address == 'spice+unix://' + bench.spice_path
        assert stat.S_IMODE(os.stat(bench.spice_path).st_mode) == 0o600
        bench.guest.do('frame 7')
        path = bench.dir + '/shot.ppm'
        time.sleep(1.3)  # with no client the surface may be a second old, and this one looks once
        subprocess.run(['spicy-screenshot', '--uri=' + bench.address, '-o', path], check=True,
                       timeout=DEADLINE, stdout=subprocess.DEVNULL)
        with open(path, 'rb') as file:
            assert file.readline() == b'P6\n'
            width, height = map(int, file.readline().split())
            assert file.readline() == b'255\n'
            rgb = file.read()
        expected = pattern(640, 360, 7)
        assert (width, height) == (640, 360)
        for c in range(3):
            assert rgb[c::3] == expected[2 - c::4], f'channel {c} differs'
    assert not os.path.exists(bench.spice_path)


def damage_and_size_follow():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: shows(client, 640, 360, pattern(640, 360, 0)), 'the first picture')
        patches = [(9, 0, 0, 1, 1), (50, 600, 300, 40, 60), (91, 13, 17, 101, 33)]
        for patch in patches:
            bench.guest.do('patch ' + ' '.join(map(str, patch)))
        until(lambda: shows(client, 640, 360, pattern(640, 360, 0, patches)), 'the patches')
        bench.guest.do('size 321 123')
        until(lambda: shows(client, 321, 123, pattern(321, 123, 0)), 'the new size')
        bench.guest.do('off')
        until(lambda: shows(client, 321, 123, bytes(321 * 123 * 4)), 'black')
        bench.guest.do('frame 3')
        until(lambda: shows(client, 321, 123, pattern(321, 123, 3)), 'the picture again')
        client.close()


def keys_arrive_and_are_released():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: client.primary and client.inputs, 'connection')
        spin(0.2)
        client.inputs.key_press(0x1e)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 30, 1))
        client.inputs.key_release(0x1e)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 30, 0))
        client.inputs.key_press(0x11d)  # e0 1d: the right Ctrl
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 97, 1))
        client.inputs.key_press(0x10)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 16, 1))
        client.close()  # with two keys held
        up = {input_line(KEYBOARD, EV_KEY, 97, 0), input_line(KEYBOARD, EV_KEY, 16, 0)}
        while up:
            up.discard(bench.guest.wait_for(lambda line: line in up))
        # The next client begins with nothing down.
        client = Client(bench.address)
        until(lambda: client.primary and client.inputs, 'a second client')
        spin(0.2)
        client.inputs.key_press(0x10)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 16, 1))
        client.close()


def pointer_arrives():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: client.primary and client.inputs, 'connection')
        until(lambda: client.channels[0].get_property('mouse-mode') == 2, 'client mouse mode')
        inputs = client.inputs
        inputs.position(0, 0, 0, 0)
        bench.guest.wait_for(input_line(TABLET, EV_ABS, 1, 0))
        inputs.position(639, 359, 0, 0)
        bench.guest.wait_for(input_line(TABLET, EV_ABS, 0, 32767))
        bench.guest.wait_for(input_line(TABLET, EV_ABS, 1, 32767))
        # protocol button, its bit, what the guest sees
        for button, mask, code in ((1, 1, 272), (2, 2, 274), (3, 4, 273)):
            inputs.button_press(button, mask)
            bench.guest.wait_for(input_line(TABLET, EV_KEY, code, 1))
            inputs.button_release(button, 0)
            bench.guest.wait_for(input_line(TABLET, EV_KEY, code, 0))
        for button, value in ((4, 1), (5, -1)):
            inputs.button_press(button, 0)
            inputs.button_release(button, 0)
            bench.guest.wait_for(input_line(TABLET, EV_REL, 8, value))
        inputs.button_press(1, 1)
        bench.guest.wait_for(input_line(TABLET, EV_KEY, 272, 1))
        client.close()
        bench.guest.wait_for(input_line(TABLET, EV_KEY, 272, 0))


def reset_is_survived():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: shows(client, 640, 360, pattern(640, 360, 0)), 'the first picture')
        client.inputs.key_press(0x1e)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 30, 1))
        bench.guest.do('reset')
        bench.guest.do('off')
        bench.guest.do('frame 5')
        until(lambda: shows(client, 640, 360, pattern(640, 360, 5)), 'the picture after the reset')
        bench.guest.seen.clear()
        client.inputs.key_release(0x1e)  # the new system never knew of it
        client.inputs.key_press(0x1f)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 31, 1))
        assert input_line(KEYBOARD, EV_KEY, 30, 0) not in bench.guest.seen, bench.guest.seen
        assert not client.errors
        client.close()


def death_of_the_guest_is_survived():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: shows(client, 640, 360, pattern(640, 360, 0)), 'the first picture')
        bench.guest.process.kill()
        bench.guest.stop()
        until(lambda: shows(client, 640, 360, bytes(640 * 360 * 4)), 'black')
        bench.guest = bench.start_guest()
        until(lambda: shows(client, 640, 360, pattern(640, 360, 0)), 'the picture again')
        client.inputs.key_press(0x1e)
        bench.guest.wait_for(input_line(KEYBOARD, EV_KEY, 30, 1))
        assert not client.errors
        client.close()


def leaves_when_patience_ends():
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([REMOTE, folder + '/nobody', '--spice', 'unix:' + folder + '/s',
                              '--patience', '1'], timeout=DEADLINE, capture_output=True)
        assert run.returncode == 69, run
        assert not os.path.exists(folder + '/s')


def tickets():
    with tempfile.NamedTemporaryFile('w') as file:
        file.write('irori-1\n')
        file.flush()
        with Bench('--ticket-file', file.name) as bench:
            for password in (None, 'irori-2'):
                client = Client(bench.address, password)
                until(lambda: client.errors, 'refusal')
                assert not client.primary
                client.close()
            client = Client(bench.address, 'irori-1')
            until(lambda: shows(client, 640, 360, pattern(640, 360, 0)), 'admission')
            client.close()


def frequency(pcm, rate):
    """By rising zero crossings of the left channel."""
    left = [sample for sample, _ in struct.iter_unpack('<hh', pcm[:len(pcm) // 4 * 4])]
    rising = [i for i in range(1, len(left)) if left[i - 1] < 0 <= left[i]]
    return rate * (len(rising) - 1) / (rising[-1] - rising[0]), max(left)


def sound_arrives():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: client.primary, 'connection')
        spin(0.2)
        bench.guest.do('tone')
        until(lambda: len(client.heard) > 48000 * 4, 'a second of sound')
        bench.guest.do('silence')
        hertz, peak = frequency(bytes(client.heard[9600:]), client.rate)
        assert math.isclose(hertz, 1000, rel_tol=0.02), hertz
        assert 9000 < peak < 15000, peak
        client.close()


def leds_follow():
    with Bench() as bench:
        client = Client(bench.address)
        until(lambda: client.inputs and client.primary, 'connection')
        spin(0.2)
        bench.guest.do('leds 2')  # LED_CAPSL
        until(lambda: client.leds is not None and int(client.leds) == 4, 'caps lock')
        client.close()


def a_moving_picture_comes_whole():
    """Full frames as fast as vblanks come; the last one is exact, and memory stays bounded."""
    with Bench(size=('1280', '720')) as bench:
        client = Client(bench.address)
        until(lambda: client.primary, 'connection')
        bench.guest.do('animate 120')
        spin(5)
        bench.guest.do('animate 0')
        bench.guest.do('frame 1')
        until(lambda: shows(client, 1280, 720, pattern(1280, 720, 1)), 'the last frame')
        with open(f'/proc/{bench.remote.process.pid}/status') as status:
            rss = int(next(line for line in status if line.startswith('VmRSS')).split()[1])
        assert rss < 300 << 10, f'{rss} KiB'
        client.close()


def a_guest_that_hangs_up_is_asked_ever_more_seldom():
    """As one that floods its seats does: they are dropped each time."""
    with tempfile.TemporaryDirectory() as folder:
        guest = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        guest.bind(folder + '/guest')
        guest.listen()
        guest.settimeout(0.2)
        remote = Program(REMOTE, folder + '/guest', '--spice', 'unix:' + folder + '/spice')
        end = time.monotonic() + 3
        came = 0
        while time.monotonic() < end:
            try:
                seat = guest.accept()[0]
            except socket.timeout:
                continue
            came += 1
            seat.recv(100)
            seat.send(struct.pack('=HHII64sII', 0x8001, 80, 2, 0, b'rude', 0, 0))
            seat.close()
        assert remote.stop() == 0
        guest.close()
        assert 3 <= came <= 10, came


def mistakes_are_explained():
    with tempfile.TemporaryDirectory() as folder:
        open(folder + '/file', 'w').close()
        for arguments, status, words in (
                ([], 64, 'GUEST_SOCKET'),
                (['g'], 64, '--spice'),
                (['g', '--spice', 'nonsense'], 64, 'unix:PATH'),
                (['g', '--spice', 'tcp:5999'], 64, '--ticket-file'),
                (['g', '--spice', 'tcp:99999', '--no-ticket'], 69, '99999'),
                (['g', '--spice', 'unix:' + folder + '/file'], 69, 'a file of that name'),
                (['g', '--spice', 'unix:' + folder + '/s', '--ticket-file', '/nonexistent'], 69, '/nonexistent'),
                (['g', '--spice', 'unix:' + folder + '/' + 'x' * 200], 69, 'at most'),
                (['g', '--spice', 'unix:' + folder + '/s', '--compression', 'zip'], 64, 'lz4')):
            run = subprocess.run([REMOTE, *arguments], timeout=DEADLINE, capture_output=True,
                                 text=True)
            assert run.returncode == status and words in run.stderr, (arguments, run)
        with Bench() as bench:
            run = subprocess.run([REMOTE, 'g', '--spice', 'unix:' + bench.spice_path],
                                 timeout=DEADLINE, capture_output=True, text=True)
            assert run.returncode == 69 and 'another' in run.stderr, run


TESTS = (screenshot_of_a_stock_client_is_exact, damage_and_size_follow,
         keys_arrive_and_are_released, pointer_arrives, reset_is_survived,
         death_of_the_guest_is_survived, leaves_when_patience_ends, tickets, sound_arrives,
         leds_follow, a_moving_picture_comes_whole,
         a_guest_that_hangs_up_is_asked_ever_more_seldom, mistakes_are_explained)


def main():
    wanted = sys.argv[3:]
    failed = 0
    for test in TESTS:
        if wanted and test.__name__ not in wanted:
            continue
        try:
            test()
            print('ok', test.__name__, flush=True)
        except Exception as error:
            failed += 1
            line = error.__traceback__
            while line.tb_next:
                line = line.tb_next
            print(f'FAILED {test.__name__}: {type(error).__name__}: {error} '
                  f'(line {line.tb_lineno})', flush=True)
    sys.exit(1 if failed else 0)


main()

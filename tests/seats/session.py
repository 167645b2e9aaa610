#!/usr/bin/env python3
"""A seat's session from a person's side: the picture, keys, the menu, switching, guests that go and come,
and an irorid that dies.

usage: session.py SEAT_HEADLESS FAKE_GUEST
"""
import contextlib
import os
import pathlib
import queue
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

KEY = dict(ESC=1, A=30, B=48, ENTER=28, DOWN=108, UP=103, LEFT=105, RIGHT=106, END=107,
           **{str(n): 1 + n for n in range(1, 10)}, **{'0': 11}, VOLUMEUP=115, MUTE=113)
FLAG = dict(LOCKED=1, MICROPHONE=2, MENU=4, GUEST=8, SOUND=16)


class Program:
    """One that takes a line, and says "ok" when it is done."""

    def __init__(self, *command, ready=None):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.rest, self.said = b'', []
        if ready:
            self.wait_for(ready)

    def pump(self, seconds):
        if select.select([self.process.stdout], [], [], seconds)[0]:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise RuntimeError(f'{self.process.args[0]} is gone')
            *lines, self.rest = (self.rest + data).split(b'\n')
            self.said += [line.decode() for line in lines]

    def wait_for(self, what, seconds=15):
        """The first line that begins so; it and those before are taken."""
        end = time.monotonic() + seconds
        while True:
            for i, line in enumerate(self.said):
                if line.startswith(what):
                    del self.said[:i + 1]
                    return line
            if time.monotonic() > end:
                raise RuntimeError(f'{self.process.args[0]} does not say {what!r}: {self.said}')
            self.pump(0.1)

    def quiet(self, what, seconds=0.3):
        """Nothing that begins so comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pump(0.05)
        found = [line for line in self.said if line.startswith(what)]
        self.said.clear()
        return not found

    def do(self, line):
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()
        return self.wait_for('ok')

    def kill(self):
        self.process.kill()
        self.process.wait()


class Seat(Program):
    def __init__(self, program, folder, *options):
        self.folder = folder
        super().__init__(program, 'den', *options, ready='ready')

    def state(self):
        self.process.stdin.write(b'state\n')
        self.process.stdin.flush()
        words = self.wait_for('state').split()[1:]
        self.wait_for('ok')
        return dict(zip(('guest', 'flags', 'width', 'height', 'outputs', 'volume', 'flips'),
                        map(int, words)))

    def until(self, holds, what, seconds=10):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise RuntimeError(f'waited in vain: {what}; {self.state()}')
            time.sleep(0.1)

    def has(self, flag):
        return bool(self.state()['flags'] & FLAG[flag])

    def look(self, verb='dump'):
        path = self.folder / 'look.ppm'
        path.unlink(missing_ok=True)
        self.do(f'{verb} {path}')
        if not path.exists():
            return None
        magic, size, depth, pixels = path.read_bytes().split(b'\n', 3)
        width, height = map(int, size.split())
        return width, height, pixels

    def pixel(self, x, y):
        width, _, pixels = self.look()
        return tuple(pixels[(y * width + x) * 3:][:3])

    def press(self, *names):
        for name in names:
            self.do(f'press {KEY[name]}')


def pattern(x, y, n):
    """What fake-guest draws."""
    return ((x // 16) ^ (y // 16)) & 255, y & 255, (x + n) & 255


def shows(seat, n, at=((5, 700), (1200, 650), (640, 500)), verb='dump'):
    def holds():
        width, _, pixels = seat.look(verb) or (0, 0, b'')
        return width and all(tuple(pixels[(y * width + x) * 3:][:3]) == pattern(x, y, n)
                             for x, y in at)
    return holds


class Irorid:
    """irorid's end of the protocol (seats/wire.h). A thread gives the seat its links while it is told."""
    (HELLO, LEASE, UNLEASE, HOTPLUG, INPUT_ADD, INPUT_REMOVE, SOUND, GUEST, GUEST_GONE, SHOW, LOCK, TIME,
     NOTICE, IDENTIFY, READY, ANSWER, SETTINGS, LINK) = range(1, 19)
    WELCOME, REQUEST, STATE, WANT_LINK = range(0x8001, 0x8005)
    WANTS = [1 << 7 | 1 << 1 | 1 << 2, 1 << 3 | 1 << 4 | 1 << 5]  # of the guest, by kind: seats/guest_link.c

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(path))
        self.paths, self.said, self.wanted, self.gives = {}, queue.Queue(), [], True
        threading.Thread(target=self.listen, daemon=True).start()
        self.send(self.HELLO, struct.pack('=II64s', 4, 3, b'den'))
        assert self.receive(self.WELCOME)

    def send(self, opcode, body=b'', fd=None):
        packet = [struct.pack('=HH', opcode, len(body)) + body]
        if fd is None:
            self.socket.sendmsg(packet)
        else:
            socket.send_fds(self.socket, packet, [fd])

    def listen(self):
        packet = b'-'
        while packet:
            try:
                packet = self.socket.recv(4096)
            except OSError:
                packet = b''
            opcode, size = struct.unpack('=HH', packet[:4]) if packet else (None, 0)
            if opcode == self.WANT_LINK:
                self.link(packet[4:])
            else:
                self.said.put((opcode, packet[4:4 + size]))

    def link(self, body):
        number, kind = struct.unpack('=II', body)
        self.wanted.append((number, kind))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
            try:
                if self.gives:
                    link.connect(str(self.paths[number]))
                    link.send(struct.pack('=HHII64s', 1, 72, 2, self.WANTS[kind], b'den'))
                    self.send(self.LINK, body, link.fileno())
            except (KeyError, OSError):
                pass  # the guest is not there, or the seat is gone

    def close(self):
        with contextlib.suppress(OSError):  # who is hung up on already
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def receive(self, wanted):
        while True:
            opcode, body = self.said.get(timeout=10)
            if opcode is None:
                raise RuntimeError('the seat hung up')
            if opcode == wanted:
                return body

    def guest(self, number, name, path, state=2):
        self.paths[number] = path
        self.send(self.GUEST, struct.pack('=II64s64s64s', number, state, name.encode(), name.title().encode(),
                                          b'mika'))

    def show(self, number):
        self.send(self.SHOW, struct.pack('=I', number))

    def lock(self, locked):
        self.send(self.LOCK, struct.pack('=I', locked))

    def time(self, left, frozen):
        self.send(self.TIME, struct.pack('=qII64s', left, frozen, 0, b'mika'))

    def request(self):
        cookie, verb, argument, pin = struct.unpack('=II64s32s', self.receive(self.REQUEST))
        return cookie, verb, argument.split(b'\0')[0].decode(), pin.split(b'\0')[0].decode()

    def answer(self, cookie, result=0, text=''):
        self.send(self.ANSWER, struct.pack('=Ii192s', cookie, result, text.encode()))


def check(holds, what):
    if not holds:
        raise RuntimeError(what)


class Scene:
    def __init__(self, seat_program, guest_program, folder):
        self.programs, self.folder = (seat_program, guest_program), folder
        self.running = []

    def guest(self, name, width=1280, height=720):
        path = self.folder / f'{name}.sock'
        guest = Program(self.programs[1], path, name, width, height)
        guest.path = path
        self.running.append(guest)
        return guest

    def seat(self, *options):
        seat = Seat(self.programs[0], self.folder, *options)
        self.running.append(seat)
        return seat

    def close(self):
        for program in self.running:
            program.kill()


def by_hand(scene):
    """Picture, keys, pointer, hotplug, a guest that dies and comes back: without irorid."""
    one = scene.guest('one')
    seat = scene.seat('--guest', one.path)
    seat.until(lambda: seat.has('GUEST'), 'attached')
    one.wait_for('resize 1280 720')
    one.do('frame 7')
    seat.until(shows(seat, 7), 'the picture')
    seat.do(f'key {KEY["A"]} 1')
    one.wait_for(f'input 0 1 {KEY["A"]} 1')
    seat.do(f'key {KEY["A"]} 0')
    one.wait_for(f'input 0 1 {KEY["A"]} 0')
    seat.do('move 0.5 0.5')
    x = int(one.wait_for('input 1 3 0').split()[-1])
    check(abs(x - 16384) < 60, f'the pointer is at {x}')
    seat.do('plug 1024 768')
    one.wait_for('resize 1024 768')
    check(seat.state()['width'] == 1024, 'the monitor\'s mode')
    seat.do('plug 0 0')
    seat.until(lambda: seat.state()['outputs'] == 0, 'no monitor')
    before = seat.state()['flips']
    one.do('animate 120')
    begun = time.monotonic()
    seat.until(lambda: seat.state()['flips'] > before + 20, 'frames are paced without a monitor')
    print(f'20 frames took {time.monotonic() - begun:.2f} s')
    one.do('animate 0')
    seat.do('plug 1280 720')
    one.do('frame 9')
    seat.until(shows(seat, 9), 'the picture again')
    seat.do(f'key {KEY["B"]} 1')
    one.wait_for(f'input 0 1 {KEY["B"]} 1')
    one.kill()
    seat.until(lambda: not seat.has('GUEST'), 'the guest is gone')
    again = scene.guest('one')
    begun = time.monotonic()
    again.do('frame 3')
    seat.until(shows(seat, 3), 'the picture of the new one')
    print(f'the picture was back {time.monotonic() - begun:.2f} s after the guest')
    seat.do(f'key {KEY["B"]} 0')
    check(again.quiet('input'), 'a release that the new guest knows nothing of')


def two_monitors(scene):
    """A second monitor is a second one of the guest, with a picture of its own, and the pointer goes over both."""
    one = scene.guest('one')
    seat = scene.seat('--guest', one.path)
    seat.until(lambda: seat.has('GUEST'), 'attached')
    one.wait_for('resize 1280 720')
    seat.do('plug2 640 720')
    one.wait_for('resize 1280 720 640 720')
    one.do('frame 7')
    seat.until(shows(seat, 7), 'the picture')
    look2 = dict(at=((5, 700), (620, 10)), verb='dump2')
    check(not shows(seat, 7, **look2)(), 'it is scaled down on the second, as long as there is no other')
    one.do('on 1')
    one.do('size 640 720')
    one.do('frame 50')
    seat.until(shows(seat, 50, **look2), 'its own picture')
    check(shows(seat, 7)(), 'the first is as it was')
    seat.do('move 0.5 0.5')
    one.wait_for('input 1 3 0')
    seat.do('chord')  # the menu is on the first, and so is the pointer then
    seat.until(lambda: seat.has('MENU'), 'the menu')
    seat.do('move 1 1')
    seat.press('ESC')
    seat.until(lambda: not seat.has('MENU'), 'no menu')
    one.said.clear()
    seat.do('move 0.25 0.5')
    x = int(one.wait_for('input 1 3 0').split()[-1])
    check(abs(x - 8192) < 60, f'the pointer is at {x} of both monitors')
    one.do('animate 60')  # on the second
    seat.until(shows(seat, 60, **look2), 'its frames')
    one.do('animate 0')
    seat.do('plug2 0 0')
    one.wait_for('resize 1280 720')
    one.do('frame 8')
    one.do('on 0')
    one.do('frame 9')
    seat.until(shows(seat, 9), 'the first goes on')


def menu(scene):
    """Both Ctrl: the menu has the keys, the guest has not; switching between two."""
    one, two = scene.guest('one'), scene.guest('two')
    seat = scene.seat('--guest', one.path, '--guest', two.path)
    seat.until(lambda: seat.has('GUEST'), 'attached')
    one.do('frame 1')
    two.do('frame 60')
    seat.until(shows(seat, 1), 'the first')
    seat.do('chord')
    check(seat.has('MENU'), 'the menu is open')
    one.quiet('input')
    seat.until(lambda: seat.pixel(640, 360) != pattern(640, 360, 1), 'the menu is seen')
    one.do('frame 2')   # it can neither draw over it
    time.sleep(0.1)
    check(seat.pixel(640, 360) != pattern(640, 360, 2), 'the guest drew over the menu')
    seat.press('DOWN', 'ENTER')
    check(one.quiet('input') and two.quiet('input'), 'a key for the menu went to a guest')
    seat.until(shows(seat, 60), 'the second')
    check(not seat.has('MENU'), 'the menu is closed')
    seat.press('A')
    two.wait_for(f'input 0 1 {KEY["A"]} 1')
    check(one.quiet('input'), 'the first has the keys still')
    # by the mouse: a click beside the menu closes it
    seat.do('chord')
    seat.do('move 0.02 0.5')
    seat.do('button 272 1')
    seat.do('button 272 0')
    check(not seat.has('MENU'), 'a click beside the menu')
    check(two.quiet('input 1 1'), 'the click went to the guest')
    # a hung guest does not stop it
    two.process.send_signal(19)
    seat.do('chord')
    check(seat.has('MENU'), 'the menu of a guest that hangs')
    seat.press('DOWN', 'ENTER')
    seat.until(shows(seat, 2), 'away from it')
    two.process.send_signal(18)


def irorid(scene):
    """Told by irorid: what is shown, locked, frozen; requests; its death; nonsense."""
    one, two = scene.guest('one'), scene.guest('two')
    path = scene.folder / 'den.sock'
    seat = scene.seat('--socket', path)
    check(path.stat().st_mode & 0o777 == 0o600, 'the socket is open to others')
    boss = Irorid(path)
    boss.guest(1, 'one', one.path)
    boss.guest(2, 'two', two.path)
    boss.show(1)
    boss.send(boss.READY)
    seat.until(lambda: seat.has('GUEST'), 'attached')
    one.do('frame 1')
    two.do('frame 60')
    seat.until(shows(seat, 1), 'the first')
    seat.do('chord')
    seat.press('DOWN', 'ENTER')
    cookie, verb, name, _ = boss.request()
    check((verb, name) == (1, 'two'), f'request {verb} {name}')
    boss.show(2)
    boss.answer(cookie)
    seat.until(shows(seat, 60), 'the second')
    # locked: nothing of the guest is seen, no key reaches it
    boss.lock(1)
    seat.until(lambda: seat.has('LOCKED'), 'locked')
    seat.until(lambda: not shows(seat, 60, ((5, 700),))(), 'nothing is seen')
    two.quiet('input')
    seat.press('4', '7', '1', '1', 'ENTER')
    cookie, verb, _, pin = boss.request()
    check((verb, pin) == (6, '4711'), f'request {verb} {pin}')
    time.sleep(0.5)
    asked = seat.look() # "one moment": digits are not heard before the answer
    boss.answer(cookie, -13)
    seat.until(lambda: seat.look() != asked, 'the answer is seen')
    seat.press('4', '7', '1', '2', 'ENTER')
    cookie, _, _, pin = boss.request()
    check(pin == '4712', pin)
    check(two.quiet('input'), 'a digit of the PIN went to the guest')
    boss.lock(0)
    boss.answer(cookie)
    seat.until(shows(seat, 60), 'open again')
    # a guest that dies behind the lock is not joined before it is open; irorid says when one is back
    boss.lock(1)
    seat.until(lambda: seat.has('LOCKED'), 'locked again')
    two.kill()
    seat.until(lambda: not seat.has('GUEST'), 'the guest is gone')
    two = scene.guest('two')
    two.do('frame 60')
    boss.wanted.clear()
    time.sleep(1.2)
    check(not seat.has('GUEST') and not boss.wanted, 'a guest was asked for behind the lock')
    boss.lock(0)
    seat.until(shows(seat, 60), 'open, and the new guest')
    boss.gives = False
    two.kill()
    seat.until(lambda: (2, 0) in boss.wanted, 'it asks for the guest that is gone')
    two = scene.guest('two')
    two.do('frame 60')
    time.sleep(1.5)  # now it asks seldom
    boss.gives, begun = True, time.monotonic()
    boss.guest(2, 'two', two.path)
    seat.until(shows(seat, 60), 'the guest is back')
    print(f'back {time.monotonic() - begun:.2f} s after irorid said so')
    # asked for twice, answered twice: the newer one counts, and the clock is its
    two.quiet('resize')
    boss.link(struct.pack('=II', 2, 0))
    two.wait_for('resize')
    two.do('frame 61')
    seat.until(shows(seat, 61), 'the newer link')
    two.do('frame 60')
    seat.until(shows(seat, 60), 'the newer link goes on')
    # frozen, and more time
    boss.time(0, 1)
    seat.until(lambda: not shows(seat, 60, ((5, 700),))(), 'frozen')
    seat.press('ENTER', 'DOWN', 'ENTER', '9', '9', 'ENTER')
    cookie, verb, minutes, pin = boss.request()
    check((verb, minutes, pin) == (7, '30', '99'), f'request {verb} {minutes} {pin}')
    boss.time(1800 * 10**6, 0)
    boss.answer(cookie)
    seat.until(shows(seat, 60), 'goes on')
    # irorid dies: the seat goes on; the next one says what is so
    seat.do(f'key {KEY["A"]} 1')
    two.wait_for(f'input 0 1 {KEY["A"]} 1')
    boss.close()
    two.do('frame 61')
    seat.until(shows(seat, 61), 'goes on without irorid')
    boss = Irorid(path)
    boss.guest(11, 'one', one.path)
    boss.guest(12, 'two', two.path)
    boss.show(12)
    boss.send(boss.READY)
    check(two.quiet('input'), 'the guest noticed a new irorid')
    seat.do(f'key {KEY["A"]} 0')
    two.wait_for(f'input 0 1 {KEY["A"]} 0')
    state = struct.unpack_from('=IIII', boss.receive(boss.STATE))
    check(state[2:4] == (1280, 720), f'state {state}')
    # nonsense ends the connection and nothing else
    for nonsense in (b'', b'x', struct.pack('=HH', 99, 0), struct.pack('=HHI', boss.SHOW, 4, 1)[:-1],
                     struct.pack('=HH', boss.SHOW, 4) + b'12345678', os.urandom(400)):
        try:
            boss.socket.send(nonsense)
            while nonsense and boss.said.get(timeout=3)[0]:
                pass
            boss.close()
        except (BrokenPipeError, ConnectionResetError):
            pass
        boss = Irorid(path)
    check(shows(seat, 61)(), 'nonsense changed the picture')
    boss.guest(12, 'two', two.path)
    boss.send(boss.READY)   # nothing shown: the list
    seat.until(lambda: seat.state()['guest'] == 0, 'the list')


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for test in (by_hand, two_monitors, menu, irorid):
        with tempfile.TemporaryDirectory(prefix='irori-seat-') as name:
            scene = Scene(sys.argv[1], sys.argv[2], pathlib.Path(name))
            try:
                test(scene)
            finally:
                scene.close()
        print(f'ok {test.__name__}')


if __name__ == '__main__':
    main()

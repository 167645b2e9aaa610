#!/usr/bin/env python3
"""irori-seat as it is installed, in its sandbox, with a sound server of our own: who is heard on which
card, what is left when the sound server is killed, who may listen to the microphone.

usage: process.py IRORI_SEAT SEAT_HEADLESS FAKE_GUEST
"""
import os
import pathlib
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / 'audio')]
import session  # noqa: E402
import sound  # noqa: E402
from session import Irorid, Scene, check  # noqa: E402

USB, ONBOARD = 'pci-0000:00:14.0-usb-0:3:1.0', 'pci-0000:00:1b.0'


def volumes(server, name):
    return server.pactl('get-sink-volume', name), server.pactl('get-sink-mute', name)


def heard(server, name, seconds=1.5):
    raw = server.folder / f'{name}.raw'
    raw.unlink(missing_ok=True)
    recorder = server.start(['parec', '-d', f'{name}.monitor', '--raw', '--format=s16le',
                             f'--rate={sound.RATE}', '--channels=2', '--latency-msec=50', str(raw)],
                            'parec.log')
    time.sleep(seconds)
    recorder.terminate()
    recorder.wait(10)
    samples = sound.array.array('h', raw.read_bytes()[:raw.stat().st_size // 4 * 4])[0::2]
    second = samples[-sound.RATE:]
    return sound.amplitude(second, 1000) if second else 0


def until(holds, what, seconds=15):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f'waited in vain: {what}')
        time.sleep(0.1)


def open_up(server):
    """Its folder is for its own user; the seat is another where the test is root's."""
    os.chmod(server.folder, 0o755)


def sandbox(scene, server, program):
    """The program itself: in its sandbox it finds the guest, the card and irorid."""
    guest = scene.guest('one')
    path = scene.folder / 'den.sock'
    log = scene.folder / 'seat.log'
    home = scene.folder / 'home'  # without a key for the sound server, as in its unit
    home.mkdir()
    open_up(server)
    seat = sound.subprocess.Popen([program, 'den', '--socket', path, '--user', 'nobody'],
                                  env=dict(server.env, HOME=str(home)), stderr=open(log, 'wb'))
    try:
        until(path.exists, 'its socket')
        boss = Irorid(path)
        boss.send(boss.SOUND, sound.struct.pack('=108s108s108sII', server.address.encode(),
                                                f'path:{ONBOARD}'.encode(), b'', 40, 0))
        boss.guest(1, 'one', guest.path)
        boss.show(1)
        boss.send(boss.READY)

        def flags():
            return sound.struct.unpack_from('=II', boss.receive(boss.STATE))[1]
        begun = time.monotonic()
        while flags() & 24 != 24:
            check(time.monotonic() < begun + 20, 'no guest, or no sound')
        status = pathlib.Path(f'/proc/{seat.pid}/status').read_text()
        check('Seccomp:\t2' in status and 'NoNewPrivs:\t1' in status, 'there is no sandbox')
        check('CapEff:\t0000000000000000' in status and 'CapBnd:\t0000000000000000' in status,
              'it has capabilities')
        check(os.geteuid() or ('Uid:\t0' not in status and 'Gid:\t0' not in status), 'it is root')
        name = pathlib.Path(f'/proc/{seat.pid}/cmdline').read_bytes().strip(b'\0')
        check(name == b'irori-seat: den', name)
        guest.do('tone')
        until(lambda: heard(server, 'onboard') > 200, 'the tone at its card')
        check(heard(server, 'usb', 1) < 10, 'the tone at another card')
        check('40%' in volumes(server, 'onboard')[0], 'the seat\'s volume')
        server.down()
        while flags() & 16:
            pass
        time.sleep(0.3)
        server.up()
        open_up(server)
        begun = time.monotonic()
        while not flags() & 16:
            pass
        print(f'sound is back {time.monotonic() - begun:.2f} s after the server')
        until(lambda: heard(server, 'onboard') > 200, 'the tone again')
        seat.terminate()
        check(seat.wait(10) == 0, 'it did not end well')
        check('cookie' not in log.read_text(), 'its sound complains of a key')
    finally:
        if seat.poll() is None:
            seat.kill()
        print(log.read_text(), end='')


def nobody(scene, server, program):
    """Without a user of its own: by hand it is another, as a service it is not, and says why."""
    if os.geteuid():
        return

    def said(command):
        path = scene.folder / 'attic.sock'
        seat = sound.subprocess.Popen(['/bin/sh', '-c', command, 'sh', program, 'attic', '--socket', path,
                                       '--user', 'irori-no-such-user'], stderr=sound.subprocess.PIPE, text=True)
        try:
            return seat.communicate(timeout=3)[1], seat.returncode
        except sound.subprocess.TimeoutExpired:
            uid = pathlib.Path(f'/proc/{seat.pid}').stat().st_uid
            status = pathlib.Path(f'/proc/{seat.pid}/status').read_text()
            check('Seccomp:\t2' in status and 'Uid:\t0' not in status, f'it is {uid}, and not fenced in')
            seat.kill()
            return seat.communicate()[1], None
    text, code = said('exec "$@"')
    check(code is None and 'sysusers.d' in text, f'by hand: {code}, {text}')
    text, code = said('SYSTEMD_EXEC_PID=$$ exec "$@"')
    check(code == 71 and 'sysusers.d' in text, f'as a service: {code}, {text}')


def menu(scene, server, headless):
    """Volume keys and the microphone, in the hands of a person."""
    guest = scene.guest('one')
    two = scene.guest('two')
    os.environ['PULSE_SERVER'] = server.address
    seat = scene.seat('--guest', guest.path, '--guest', two.path, '--sound', '--server',
                      server.address, '--sink', f'path:{USB}', '--source', 'onboard.monitor')
    seat.until(lambda: seat.has('SOUND') and seat.has('GUEST'), 'sound')
    seat.press('VOLUMEUP', 'VOLUMEUP')
    until(lambda: '80%' in volumes(server, 'usb')[0], 'louder')
    check('80%' not in volumes(server, 'onboard')[0], 'another card is louder')
    dark = seat.pixel(640, 50)
    seat.press('MUTE')
    until(lambda: ' 0%' in volumes(server, 'usb')[0], 'mute')
    check(guest.quiet('input'), 'a volume key went to the guest')
    check(dark != session.pattern(640, 50, 0), 'no bar is seen')
    seat.press('VOLUMEUP')
    until(lambda: '85%' in volumes(server, 'usb')[0], 'loud again')
    # the microphone: granted in the menu, marked, and closed with a switch and with a reset
    corner = (1280 - 45, 45)
    guest.do('frame 0')
    time.sleep(2.5)
    check(seat.pixel(*corner) == session.pattern(*corner, 0), 'a mark without a microphone')

    def grant():
        seat.do('chord')
        seat.press('DOWN', 'DOWN', 'DOWN', 'ENTER', 'ESC')
        check(seat.has('MICROPHONE'), 'the microphone is closed')
    grant()
    seat.until(lambda: seat.pixel(*corner) != session.pattern(*corner, 0), 'the mark')
    guest.do('reset')
    seat.until(lambda: not seat.has('MICROPHONE'), 'open for who came after the reset')
    guest.do('running')
    grant()
    seat.do('chord')
    seat.press('DOWN', 'ENTER')
    seat.until(lambda: not seat.has('MICROPHONE'), 'open for another guest')


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for test, program in ((sandbox, sys.argv[1]), (nobody, sys.argv[1]), (menu, sys.argv[2])):
        with tempfile.TemporaryDirectory(prefix='irori-seat-') as name:
            folder = pathlib.Path(name)
            server = sound.Server(folder, (('usb', USB), ('onboard', ONBOARD)))
            scene = Scene(sys.argv[2], sys.argv[3], folder)
            try:
                test(scene, server, program)
            finally:
                scene.close()
                server.close()
        print(f'ok {test.__name__}')


if __name__ == '__main__':
    main()

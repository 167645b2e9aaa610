"""The window under a real X server, at guests without a machine: clicks and keys arrive where they
should, the chord lets go, nothing stays down.

usage: window.py TEST_WINDOW FAKE_GUEST [SCREENSHOT]
"""
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

for tool, package in (('Xvfb', 'xvfb'), ('xdotool', 'xdotool'), ('import', 'imagemagick')):
    if not shutil.which(tool):
        print(f'SKIP: no {tool} (package {package})')
        sys.exit(77)

WINDOW, FAKE = sys.argv[1:3]
KEYBOARD, TABLET = 0, 1
EV_KEY, EV_REL, EV_ABS = 1, 2, 3
DEADLINE = 10


class Program:
    def __init__(self, *argv, env=None):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, env=env)
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip('\n'))

    def wait_for(self, prefix, seconds=DEADLINE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line = self.lines.get(timeout=0.05)
            except queue.Empty:
                continue
            self.seen.append(line)
            if line.startswith(prefix):
                return line
        raise AssertionError(f'{prefix!r} did not come; came: {self.seen[-10:]}')

    def key(self, code, value, device=KEYBOARD):
        self.wait_for(f'input {device} {EV_KEY} {code} {value}')

    def nothing_came(self, seconds=0.3):
        """No key and no button."""
        time.sleep(seconds)
        while not self.lines.empty():
            line = self.lines.get()
            assert not line.startswith('input') or line.split()[2] != str(EV_KEY), line

    def do(self, command):
        self.process.stdin.write(command + '\n')
        self.wait_for('ok')

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.stdin.close()
        self.process.wait(DEADLINE)


class Screen:
    def __init__(self):
        read, write = os.pipe()
        self.server = subprocess.Popen(['Xvfb', '-displayfd', str(write), '-screen', '0',
                                        '1400x640x24', '-nolisten', 'tcp'], pass_fds=(write,),
                                       stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as file:
            number = file.readline().strip()
        assert number, 'Xvfb did not start'
        self.env = dict(os.environ, DISPLAY=':' + number, GDK_BACKEND='x11', NO_AT_BRIDGE='1')

    def xdotool(self, *arguments):
        return subprocess.run(['xdotool', *map(str, arguments)], env=self.env, check=True,
                              capture_output=True, text=True, timeout=DEADLINE).stdout

    def shot(self, path):
        subprocess.run(['import', '-window', 'root', path], env=self.env, check=True)

    def stop(self):
        self.server.terminate()
        self.server.wait(DEADLINE)


def main():
    folder = tempfile.mkdtemp(prefix='irori-window-')
    screen = Screen()
    guests = [Program(FAKE, f'{folder}/{name}.sock', name, '620', '349')
              for name in ('theater', 'study')]
    for guest in guests:
        guest.wait_for('ready')
    theater, study = guests
    window = Program(WINDOW, f'{folder}/theater.sock', 'theater', 'plays the video',
                     f'{folder}/study.sock', 'study', 'reboots', env=screen.env)
    try:
        window.wait_for('ready')
        time.sleep(1)
        screen.xdotool('search', '--sync', '--name', '^Irori$', 'windowfocus', '--sync')
        left, right = (350, 300), (1000, 300)

        # Nobody has the keyboard before a click.
        screen.xdotool('key', 'a')
        theater.nothing_came()
        study.nothing_came(0)

        screen.xdotool('mousemove', *right, 'click', 1)
        study.wait_for(f'input {TABLET} {EV_ABS} 0 ')
        study.key(272, 1, TABLET)
        study.key(272, 0, TABLET)
        screen.xdotool('keydown', 'a')
        study.key(30, 1)
        screen.xdotool('click', 4)
        study.wait_for(f'input {TABLET} {EV_REL} 8 1')
        theater.nothing_came(0)

        # A click into the other with a key held: released there, not pressed here.
        screen.xdotool('mousemove', *left, 'click', 3)
        study.key(30, 0)
        theater.key(273, 1, TABLET)
        theater.key(273, 0, TABLET)
        screen.xdotool('keyup', 'a')
        theater.nothing_came()
        screen.xdotool('key', 'b')
        theater.key(48, 1)
        theater.key(48, 0)

        # A guest that was reset believes that nothing is down.
        screen.xdotool('keydown', 'c')
        theater.key(46, 1)
        theater.do('reset')
        theater.do('frame 1')
        time.sleep(0.2)
        screen.xdotool('keyup', 'c')
        theater.nothing_came()

        # The corner of the picture is 0, 0 for the tablet; beside it is the edge.
        theater.do('running')
        time.sleep(0.2)
        screen.xdotool('mousemove', 5, 300)
        screen.xdotool('mousemove', *left)
        line = theater.wait_for(f'input {TABLET} {EV_ABS} 0 ')
        assert 12000 < int(line.split()[-1]) < 20000, line

        if len(sys.argv) > 3:
            theater.do('scene')
            window.do('headline managed \u00b7 34 of 60 s \u00b7 6 reboots')
            window.do('good no frame lost')
            time.sleep(0.8)
            screen.shot(sys.argv[3])

        # The chord: both Ctrl held; keys go nowhere afterwards.
        screen.xdotool('keydown', 'Control_L', 'keydown', 'Control_R')
        theater.key(29, 1)
        theater.key(97, 1)
        theater.key(29, 0)
        theater.key(97, 0)
        screen.xdotool('keyup', 'Control_L', 'keyup', 'Control_R', 'key', 'd')
        theater.nothing_came()
        study.nothing_came(0)

        # The focus goes elsewhere with a key held.
        screen.xdotool('mousemove', *right, 'click', 1, 'keydown', 'e')
        study.key(18, 1)
        other = subprocess.Popen([WINDOW, '/nonexistent', 'other', 'x'], env=screen.env,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        other.stdout.readline()
        time.sleep(0.5)
        ids = screen.xdotool('search', '--name', '^Irori$').split()
        focused = screen.xdotool('getwindowfocus').strip()
        for window_id in ids:
            if window_id != focused:
                screen.xdotool('windowfocus', window_id)
        study.key(18, 0)
        other.terminate()
        other.wait()

        # The guest's process dies, and another comes.
        study.process.kill()
        study.process.wait()
        time.sleep(0.3)
        again = Program(FAKE, f'{folder}/study.sock', 'study', '620', '349')
        guests.append(again)
        again.wait_for('ready')
        time.sleep(0.6)
        screen.xdotool('keyup', 'e', 'search', '--name', '^Irori$', 'windowfocus')
        screen.xdotool('mousemove', *right, 'click', 1, 'key', 'f')
        again.key(33, 1)
        again.key(33, 0)
        assert window.process.poll() is None
        print('ok')
    finally:
        window.stop()
        for guest in guests:
            guest.stop()
        screen.stop()
        shutil.rmtree(folder)


main()

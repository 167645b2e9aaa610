#!/usr/bin/env python3
"""What a seat's process can reach, with a real irorid and real seats: its guest by the link that irorid gave it, and no
other guest and no other seat, by whatever path. It is another user than root, and stays joined over its own death, its
guest's and irorid's.

usage: alone.py IRORID IRORI_SEAT FAKE_GUEST

Exit status 77: not root, so that there is no other user to become.
"""
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from peer import listener, peer

PATIENCE = 30
MONITOR = """#!/bin/sh
exec {fake_guest} "$2" $(basename "$3" .conf) <{folder}/never
"""
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
libc = ctypes.CDLL(None, use_errno=True)


def check(holds, what):
    if not holds:
        raise RuntimeError(what)


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f'waited in vain: {what}')
        time.sleep(0.05)


def peers(pid):
    """Who is at the other ends of a process's sockets."""
    found, handle = set(), libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    check(handle >= 0, f'process {pid} is gone')
    for fd in os.listdir(f'/proc/{pid}/fd'):
        copy = libc.syscall(SYS_PIDFD_GETFD, handle, int(fd), 0)
        try:
            with socket.socket(fileno=copy) as link:
                link.getpeername()
                found.add(peer(link))
        except OSError:
            if copy >= 0:
                try:
                    os.close(copy)
                except OSError:
                    pass  # the socket had it
    os.close(handle)
    return found


def identity(pid):
    """Its user, group and other groups, and its capabilities."""
    status = dict(line.split(':\t', 1) for line in
                  pathlib.Path(f'/proc/{pid}/status').read_text().splitlines() if ':\t' in line)
    uids, gids = set(map(int, status['Uid'].split())), set(map(int, status['Gid'].split()))
    check(len(uids) == len(gids) == 1, f'{pid} is several: {uids}, {gids}')
    return uids.pop(), gids.pop(), [int(group) for group in status['Groups'].split()]


def is_refused(path):
    """Not because nobody is there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        try:
            link.connect(str(path))
        except PermissionError:
            return True
        except OSError:
            pass
        return False


def reaches(who, paths):
    """Which of these sockets are not refused to such a process."""
    user, group, groups = who
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups(groups)
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        os.write(write, '\n'.join(str(path) for path in paths if not is_refused(path)).encode())
        os._exit(0)
    os.close(write)
    with open(read) as said:
        found = said.read().split()
    check(os.waitpid(child, 0)[1] == 0, 'the one who tries failed')
    return found


class House:
    """Two seats with a guest each."""

    def __init__(self, irorid, irori_seat, fake_guest, folder):
        self.programs, self.folder, self.run = (irorid, irori_seat), folder, folder / 'run'
        folder.chmod(0o755)  # what keeps a seat out is what irorid makes
        os.mkfifo(folder / 'never')
        self.never = os.open(folder / 'never', os.O_RDWR)
        monitor = folder / 'monitor'
        monitor.write_text(MONITOR.format(fake_guest=fake_guest, folder=folder))
        monitor.chmod(0o755)
        for seat, guest in (('den', 'one'), ('attic', 'two')):
            self.write(f'guests.d/{guest}.conf', f'[Guest]\nName={guest}\n[Household]\nAutostart=yes\n')
            self.write(f'seats.d/{seat}.conf', f'[Seat]\nOutputs=nowhere:{seat}\nGuests={guest}\n')
        self.write('irori.conf', '[Irori]\nBackoffMinMs=50\nBackoffMaxMs=200\nSpares=yes\n')
        self.log = open(folder / 'log', 'wb')
        self.start()

    def write(self, name, text):
        path = self.folder / 'etc' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start(self):
        irorid, seat = self.programs
        self.daemon = subprocess.Popen(
            [irorid, '--config', self.folder / 'etc', '--runtime', self.run, '--state', self.folder / 'var',
             '--bus', 'none', '--no-cards', '--spawn', 'fork', '--monitor', self.folder / 'monitor',
             '--seat-program', seat], stderr=self.log)

    def guest(self, name):
        return listener(self.run / 'guests' / f'{name}.sock')

    def process(self, title):
        """The one that calls itself so; None: nobody does."""
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().strip(b'\0').decode() == title:
                    return int(pid)
            except (OSError, UnicodeError):
                continue

    def seat(self, name):
        return self.process(f'irori-seat: {name}')

    def spare(self, name):
        return self.process(f'irori-seat: {name} (waits)')

    def joined(self, seat, guest):
        """The seat's process, when all that it is connected with is irorid and its guest."""
        pid, machine = self.seat(seat), self.guest(guest)
        return pid if pid and machine and peers(pid) == {self.daemon.pid, machine} else None

    def sockets(self):
        return sorted(self.run.glob('**/*.sock'))

    def close(self):
        self.daemon.kill()
        self.daemon.wait()
        for path in self.sockets():
            pid = listener(path)
            if pid:
                os.kill(pid, signal.SIGKILL)
        os.close(self.never)


def alone(house):
    """Both seats sit at their guests, and can reach nothing else."""
    places = (('den', 'one'), ('attic', 'two'))
    for seat, guest in places:
        until(lambda: house.joined(seat, guest), f'{seat} at {guest}')
        until(lambda: house.spare(seat), 'a spare')
    paths = house.sockets()
    check(len(paths) == 6, f'two guests and two processes of each seat listen: {paths}')
    for seat, _ in places:
        for pid in (house.seat(seat), house.spare(seat)):
            who = identity(pid)
            check(who[0] and who[1], f'{seat} is root: {who}')
            found = reaches(who, paths)
            check(not found, f'{seat}, user {who[0]}, can connect to {found}')
            # Not even its memory is for others of its user.
            check(os.stat(f'/proc/{pid}/mem').st_uid == 0, 'it can be looked into')
        check(peers(house.spare(seat)) == {house.daemon.pid}, 'a spare has a guest')


def deaths(house):
    """Whoever dies: the seat has its guest again, and by a link that irorid gave."""
    for victim in ('guest', 'seat', 'irorid', 'guest', 'seat'):
        pid = until(lambda: house.joined('den', 'one'), 'den at one')
        machine = house.guest('one')
        begun = time.monotonic()
        if victim == 'irorid':
            house.daemon.kill()
            house.daemon.wait()
            house.start()
        else:
            os.kill(pid if victim == 'seat' else machine, signal.SIGKILL)
            until(lambda: not pathlib.Path(f'/proc/{pid if victim == "seat" else machine}/fd/0').exists(), 'its end')
        now = until(lambda: house.joined('den', 'one'), f'den at one, after the death of {victim}')
        check((now != pid) == (victim == 'seat'), f'{victim} died, and the seat is {now} after {pid}')
        print(f'  {victim}: {time.monotonic() - begun:.2f} s')
        until(lambda: house.spare('den'), 'a spare')


class Stranger:
    """Somebody at a seat's socket who takes no connection until told to, and says nothing."""

    def __init__(self, path):
        (ready, self.tell), (wait, said) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
                link.bind(str(path))
                link.listen(0)
                os.write(said, b'1')
                os.read(ready, 1)
                kept = []
                while True:
                    kept.append(link.accept())
        os.read(wait, 1)
        self.first = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.first.connect(str(path))

    def accept(self):
        self.first.close()
        os.write(self.tell, b'1')

    def is_dead(self):
        return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid


def strangers(house):
    """One that is busy and configured no more is ended when it takes a connection; not if it is configured by then."""
    for name, configured in (('porch', False), ('cellar', True)):
        stranger = Stranger(house.run / 'seats' / f'{name}.sock')
        house.daemon.send_signal(signal.SIGHUP)
        until(lambda: f'{name} is configured no more' in (house.folder / 'log').read_text(), 'a look at it')
        if configured:
            house.write(f'seats.d/{name}.conf', f'[Seat]\nOutputs=nowhere:{name}\nGuests=one\n')
            house.daemon.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        check(not stranger.is_dead(), f'{name} is dead before it took a connection')
        stranger.accept()
        if configured:
            time.sleep(1)  # its answer may take longer
            check(not stranger.is_dead(), f'{name} is configured, and was ended')
            os.kill(stranger.pid, signal.SIGKILL)
        until(stranger.is_dead, f'the end of {name}')


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        print('SKIP: only root can become another user')
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix='irori-alone-') as name:
        house = House(*map(os.path.abspath, sys.argv[1:4]), pathlib.Path(name))
        try:
            for case in (alone, deaths, strangers):
                case(house)
                print(f'ok {case.__name__}', flush=True)
        except RuntimeError as error:
            print((house.folder / 'log').read_text())
            for log in sorted(house.run.glob('log/*')):
                print(f'--- {log.name}\n{log.read_text()}')
            sys.exit(f'FAILED: {error}')
        finally:
            house.close()


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""Our figures against QEMU's: the same demonstration kernel, the same /dev/kvm, in turn, in one run.

usage: bench.py --build DIR [--runs N] [--json FILE]

Every figure is a median of N runs with its worst case, and a ratio of medians; the costs of exits
(in us) and the speed of a disk are the best of N runs, for a disturbed machine only ever takes from them.
The same means
measure both: a preloaded shim notes the first KVM_RUN (kvmrun.c), the guest's own serial lines mark
its first frame (the moment its fence came back: the frame is on the scanout), the kernel's
smaps gives memory, the guest's time-stamp counter the cost of an exit and the speed of a disk (virtio-blk
on one raw file in the page cache, tests/guests/diskload.c; both VMMs use io_uring).
QEMU is run as virt-manager makes it: q35 with its own firmware, which is part of its start. (Its
microvm has no port to PCI configuration space, which the demonstration kernel needs.)
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

MEMORY_MB = 256
EXIT_ROUNDS = 400  # as in tests/guests/exitcost.c
FIRST_FRAME = 'screen: first frame'
DISK_MB = 64
# As in tests/guests/diskload.c: requests, bytes of one, what is told.
DISK_LOADS = {'read1': (2048, 4096, 'random_read_per_s'),
              'read16': (256 * 16, 4096, 'random_read_16_per_s'),
              'reads': (64 * 4, 256 << 10, 'sequential_read_mb_s'),
              'writes': (64 * 4, 256 << 10, 'sequential_write_mb_s')}


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Vmm:
    """One run of a VMM: its serial lines with the time each came, its first entry, its memory."""

    def __init__(self, bench, name, command, reset):
        self.name, self.command, self.send_reset = name, command, reset
        self.lines, self.changed = [], threading.Condition()
        self.entry_file = os.path.join(bench.folder, name + '.entry')
        if os.path.exists(self.entry_file):
            os.unlink(self.entry_file)
        env = dict(os.environ, IRORI_BENCH_FIRST_RUN=self.entry_file, LD_PRELOAD=bench.shim)
        self.errors = open(os.path.join(bench.folder, name + '.err'), 'w+')
        self.started = now()
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append((now(), line.decode(errors='replace').strip()))
                self.changed.notify_all()
        with self.changed:
            self.lines.append((now(), None))
            self.changed.notify_all()

    def wait(self, pattern, start=0, seconds=60):
        """The time of the first line from `start` on that matches, and the index after it."""
        deadline = time.monotonic() + seconds
        index = start
        with self.changed:
            while True:
                while index < len(self.lines):
                    when, line = self.lines[index]
                    index += 1
                    if line is None:
                        raise RuntimeError(f'{self.name} ended with {self.process.wait()}, '
                                           f'waiting for {pattern!r}: {self.error_text()}; '
                                           f'last lines: {[line for _, line in self.lines[-5:-1]]}')
                    match = re.search(pattern, line)
                    if match:
                        return when, index, match
                if not self.changed.wait(deadline - time.monotonic()):
                    tail = [line for _, line in self.lines[-5:]]
                    raise RuntimeError(f'{self.name}: no {pattern!r} in {seconds} s; last lines: {tail}')

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read()[-500:].strip()

    def first_entry(self):
        with open(self.entry_file) as file:
            return int(file.read())

    def memory_besides_guest(self):
        """PSS of everything but the mappings that are guest RAM, in KiB."""
        total, skip = 0, False
        with open(f'/proc/{self.process.pid}/smaps') as smaps:
            for line in smaps:
                head = re.match(r'([0-9a-f]+)-([0-9a-f]+) ', line)
                if head:
                    size = int(head[2], 16) - int(head[1], 16)
                    skip = size >= MEMORY_MB << 20
                elif line.startswith('Pss:') and not skip:
                    total += int(line.split()[1])
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def qmp_reset(path):
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    file = link.makefile('rw')
    file.readline()
    for command in ('qmp_capabilities', 'system_reset'):
        file.write(json.dumps({'execute': command}) + '\n')
        file.flush()
        while 'return' not in json.loads(file.readline()):
            pass
    link.close()


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = os.path.abspath(build), folder
        with open('/proc/cpuinfo') as file:
            self.tsc_mhz = float(re.search(r'cpu MHz\s*: ([0-9.]+)', file.read())[1])
        self.shim = f'{self.build}/tests/bench/libkvmrun.so'
        self.kernel = f'{self.build}/demo/kernel/hearth'
        self.initrd = f'{self.build}/demo/initrd/initrd.cpio'
        self.disk = f'{folder}/disk.img'
        with open(self.disk, 'wb') as file:
            file.write(os.urandom(DISK_MB << 20))

    def irori(self, kernel, initrd, append, disk):
        config, link = f'{self.folder}/irori.conf', f'{self.folder}/irori.sock'
        initrd_line = f'Initrd={initrd}\n' if initrd else ''
        with open(config, 'w') as file:
            file.write(f'[Guest]\nName=bench\nMemory={MEMORY_MB}M\nKernel={kernel}\n{initrd_line}'
                       f'CommandLine={append}\nSocket={link}\n[Serial]\nOutput=stdout\n[Rng]\n')
            if disk:
                file.write(f'[Disk bench]\nPath={disk}\n')
        return Vmm(self, 'irori', [f'{self.build}/vmm/irori-vmm', config],
                   lambda: subprocess.run([f'{self.build}/ui/irori', 'reset', link], check=True,
                                          stdout=subprocess.DEVNULL))

    def qemu(self, machine, kernel, initrd, append, disk):
        qmp = f'{self.folder}/qmp-{machine}.sock'
        if os.path.exists(qmp):
            os.unlink(qmp)
        command = ['qemu-system-x86_64', '-M', machine, '-accel', 'kvm',
                   '-cpu', 'host,-arch-capabilities', '-m', str(MEMORY_MB), '-smp', '1',
                   '-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio',
                   '-qmp', f'unix:{qmp},server=on,wait=off', '-device', 'virtio-gpu-pci',
                   '-device', 'virtio-keyboard-pci', '-device', 'virtio-tablet-pci',
                   '-device', 'virtio-mouse-pci', '-device', 'virtio-rng-pci',
                   '-kernel', kernel, '-append', append]
        if initrd:
            command += ['-initrd', initrd]
        if disk:
            command += ['-drive', f'if=none,id=d,format=raw,cache=writeback,aio=io_uring,file={disk}',
                        '-device', 'virtio-blk-pci,drive=d']
        return Vmm(self, machine, command, lambda: qmp_reset(qmp))

    def start(self, peer, kernel, initrd=None, append='', disk=None):
        if peer == 'irori':
            return self.irori(kernel, initrd, append, disk)
        return self.qemu(peer, kernel, initrd, append, disk)

    def boot(self, peer):
        """Start, first frame, idle memory, reset, first frame again."""
        vmm = self.start(peer, self.kernel, self.initrd, 'init=/desktop boot_ms=0 desktop_ms=0 quiet')
        try:
            frame, index, _ = vmm.wait(FIRST_FRAME)
            time.sleep(0.5)
            memory = vmm.memory_besides_guest()
            before = now()
            vmm.send_reset()
            again, _, _ = vmm.wait(FIRST_FRAME, index)
            return {'start_to_first_instruction_ms': (vmm.first_entry() - vmm.started) / 1e6,
                    'start_to_first_frame_ms': (frame - vmm.started) / 1e6,
                    'idle_memory_mib': memory / 1024,
                    'reset_to_first_frame_ms': (again - before) / 1e6}
        finally:
            vmm.stop()

    def exits(self, peer):
        """A turn of a loop with an MMIO exit, with an ioeventfd kick, and with neither."""
        vmm = self.start(peer, f'{self.build}/tests/guests/guest_exitcost')
        try:
            _, _, found = vmm.wait(r'exitcost: loop=(\w+) mmio=(\w+) kick=(\w+)')
            loop, mmio, kick = (int(found[i], 16) / EXIT_ROUNDS for i in (1, 2, 3))
            return {'mmio_exit_us': mmio / self.tsc_mhz,
                    'ioeventfd_kick_us': kick / self.tsc_mhz,
                    'same_loop_without_us': loop / self.tsc_mhz}
        finally:
            vmm.stop()

    def blk(self, peer):
        """virtio-blk: requests and megabytes a second."""
        vmm = self.start(peer, f'{self.build}/tests/guests/guest_diskload', disk=self.disk)
        try:
            _, _, line = vmm.wait(r'diskload:( \w+=\w+)+$')
        finally:
            vmm.stop()
        figures = {}
        for name, ticks in re.findall(r'(\w+)=(\w+)', line[0]):
            requests, size, figure = DISK_LOADS[name]
            seconds = int(ticks, 16) * 1024 / (self.tsc_mhz * 1e6)
            figures[figure] = requests / seconds * (size / 1e6 if figure.endswith('mb_s') else 1)
        return figures


def more_is_better(figure):
    return figure.endswith('_s') and not figure.endswith(('_us', '_ms'))


def table(results, peers):
    rows = []
    for figure in results['irori']:
        ours = results['irori'][figure]
        more = more_is_better(figure)
        typical = max if more else min if figure.endswith('_us') else statistics.median
        worst = min if more else max
        row = {'figure': figure, 'typical': typical.__name__,
               'irori': {'typical': typical(ours), 'worst': worst(ours)}}
        for peer in peers[1:]:
            theirs = results[peer].get(figure)
            if theirs:
                ratio = typical(theirs) / typical(ours)
                row[peer] = {'typical': typical(theirs), 'worst': worst(theirs),
                             'ratio': 1 / ratio if more else ratio}
        rows.append(row)
    return rows


def show(rows, peers, runs):
    print(f'{runs} runs in turn: median (worst), for exits and disk best (worst); "x": so many times better than the peer\n')
    print(f'{"":32}{"irori":>20}' + ''.join(f'{"qemu " + peer:>30}' for peer in peers[1:]))
    for row in rows:
        ours = row['irori']
        text = f'{row["figure"]:32}{ours["typical"]:>11.2f} ({ours["worst"]:.2f})'.ljust(54)
        for peer in peers[1:]:
            cell = row.get(peer)
            text += (f'{cell["typical"]:>11.2f} ({cell["worst"]:.2f}) {cell["ratio"]:>6.1f} x' if cell
                     else 'not measured').rjust(30)
        print(text)


def main():
    parser = argparse.ArgumentParser(description='Irori against QEMU, as ratios in one run.')
    parser.add_argument('--build', default='build')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--json', metavar='FILE')
    options = parser.parse_args()
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        sys.exit('bench: needs /dev/kvm, readable and writable')
    peers = ['irori', 'q35']
    results = {peer: {} for peer in peers}
    with tempfile.TemporaryDirectory(prefix='irori-bench-') as folder:
        bench = Bench(options.build, folder)
        for run in range(options.runs):
            for peer in peers:
                for measure in (bench.boot, bench.exits, bench.blk):
                    try:
                        figures = measure(peer)
                    except (RuntimeError, OSError) as error:
                        print(f'run {run + 1}, {peer}, {measure.__name__}: {error}', file=sys.stderr)
                        continue
                    for figure, value in figures.items():
                        results[peer].setdefault(figure, []).append(value)
    if not results['irori']:
        sys.exit('bench: nothing measured')
    rows = table(results, peers)
    show(rows, peers, options.runs)
    if options.json:
        with open(options.json, 'w') as file:
            json.dump({'runs': options.runs, 'figures': rows, 'raw': results}, file, indent=1)


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""Runs in the lab's PC: two monitors in turn, the same guest, the lines of each with their times, and
what KVM counted of it between its lines "begin NAME" and "end".

usage: pair.py RUNS FILE.json NAME=COMMAND... ; a run ends when its guest has switched itself off.
"""
import glob
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 500
COUNTERS = "/sys/kernel/debug/kvm/*-*/exits"
TO_USER = "/sys/kernel/tracing/events/kvm/kvm_userspace_exit/"


def count_start():
    """KVM's counters, and a count of what it hands to the monitor: of all guests, there is one."""
    for kind, at in (("debugfs", "/sys/kernel/debug"), ("tracefs", "/sys/kernel/tracing")):
        if not os.path.ismount(at):
            subprocess.run(["mount", "-t", kind, kind, at], check=True)
    with open(TO_USER + "trigger", "r+") as file:
        if "hist:" not in file.read():
            file.write("hist:keys=reason")


def count():
    """(exits, exits to user space) so far."""
    exits = user = 0
    for path in glob.glob(COUNTERS):
        with open(path) as file:
            exits += int(file.read())
    with open(TO_USER + "hist") as file:
        user = sum(map(int, re.findall(r"hitcount: +(\d+)", file.read())))
    return exits, user


def run(command):
    """[[seconds since the start, line]...] of its standard output, {name: counts}, its CPU seconds."""
    before = os.times()
    at_start = count()
    started = time.monotonic()
    process = subprocess.Popen(command, shell=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    watchdog = threading.Timer(PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    lines, counts, name, at = [], {}, None, None

    def since(then):
        return [now - first for now, first in zip(count(), then)]

    for line in process.stdout:
        line = line.decode("utf-8", "replace").strip()
        lines.append([round(time.monotonic() - started, 4), line])
        if line.startswith("begin "):
            name, at = line[len("begin "):], count()
        elif line == "end" and name:
            counts[name] = since(at)
            name = None
        elif "GUEST-UP" in line:
            counts["start-to-init"] = since(at_start)
    status = process.wait()
    watchdog.cancel()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"lines": lines, "counts": counts, "status": status, "cpu": round(cpu, 2)}


def main():
    runs, path = int(sys.argv[1]), sys.argv[2]
    commands = dict(argument.split("=", 1) for argument in sys.argv[3:])
    results = {name: [] for name in commands}
    count_start()
    for _ in range(runs):
        for name, command in commands.items():
            results[name].append(run(command))
            with open(path, "w") as file:
                json.dump(results, file)


if __name__ == "__main__":
    main()

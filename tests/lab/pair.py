#!/usr/bin/env python3
"""Runs in the lab's PC: two monitors in turn, the same guest, the lines of each with their times.

usage: pair.py RUNS FILE.json NAME=COMMAND... ; a run ends when its guest has switched itself off.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 240


def run(command):
    """[[seconds since the start, line]...] of its standard output, and its CPU seconds."""
    before = os.times()
    started = time.monotonic()
    process = subprocess.Popen(command, shell=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    watchdog = threading.Timer(PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    lines = [[round(time.monotonic() - started, 4), line.decode("utf-8", "replace").strip()]
             for line in process.stdout]
    status = process.wait()
    watchdog.cancel()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"lines": lines, "status": status, "cpu": round(cpu, 2)}


def main():
    runs, path = int(sys.argv[1]), sys.argv[2]
    commands = dict(argument.split("=", 1) for argument in sys.argv[3:])
    results = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            results[name].append(run(command))
    with open(path, "w") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()

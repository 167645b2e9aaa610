#!/usr/bin/env python3
"""Runs a one-purpose guest under irori-vmm and looks at how it ends.

Exit status 77: skipped, because /dev/kvm is not there for us.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import threading


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("vmm")
    parser.add_argument("guest")
    parser.add_argument("--config", default="", help="more lines of configuration, ; between them")
    parser.add_argument("--guest-keys", default="", help="more keys of [Guest], ; between them")
    parser.add_argument("--disk", action="store_true", help="a disk of 1 MiB as [Disk test]")
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--output", default="", help="expected on COM1")
    parser.add_argument("--log", default="", help="expected on stderr")
    parser.add_argument("--lines", type=int, default=0, help="end it after so many lines of COM1")
    parser.add_argument("--seconds", type=float, default=20)
    return parser.parse_args()


def configuration(args, folder):
    disk = ""
    if args.disk:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        disk = "[Disk test]\nPath=%s\n" % path
    path = os.path.join(folder, "guest.conf")
    with open(path, "w") as file:
        file.write("[Guest]\nName=test\nMemory=16M\nKernel=%s\nSocket=%s/socket\nOnCrash=exit\n%s\n"
                   "[TestExit]\n%s\n%s\n" % (os.path.abspath(args.guest), folder,
                                             args.guest_keys.replace(";", "\n"), disk,
                                             args.config.replace(";", "\n")))
    return path


def run(args, path):
    process = subprocess.Popen([args.vmm, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watchdog = threading.Timer(args.seconds, process.kill)
    watchdog.start()
    log = []
    reader = threading.Thread(target=lambda: log.append(process.stderr.read()))
    reader.start()
    output = []
    for line in process.stdout:
        output.append(line)
        if args.lines and len(output) == args.lines:
            process.terminate()
    status = process.wait()
    reader.join()
    watchdog.cancel()
    return status, b"".join(output).decode("utf-8", "replace"), log[0].decode("utf-8", "replace")


def main():
    args = arguments()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm is not there, or not for this user")
        return 77
    with tempfile.TemporaryDirectory(prefix="irori-guest-") as folder:
        status, output, log = run(args, configuration(args, folder))
    print("--- COM1\n%s--- log\n%s---" % (output, log))
    wrong = []
    if status != args.status:
        wrong.append("exit status %d, expected %d" % (status, args.status))
    if args.output not in output:
        wrong.append("COM1 lacks %r" % args.output)
    if args.log not in log:
        wrong.append("the log lacks %r" % args.log)
    if args.lines and len(output.splitlines()) < args.lines:
        wrong.append("COM1 has fewer than %d lines" % args.lines)
    for line in wrong:
        print("FAILED: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

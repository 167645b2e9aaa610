#!/usr/bin/env python3
"""Man pages are whole: groff has nothing to say of them, and every option and key that a program told of is there.

usage: check_man.py PAGE...
"""
import pathlib
import re
import shutil
import subprocess
import sys

MUST_SAY = {
    "irori.1": ["irori poweroff", "--json", "irori extend"],
    "irori-vmm.1": ["--restore", "[Guest]", "EphemeralMax=", "[Processors]"],
    "irori.conf.5": ["[Irori]", "ShutdownSeconds=", "[Seat]", "Outputs=", "[Household]", "Kiosk=", "[Person]", "Budget="],
    "irori-seat.8": ["--connector", "--no-sandbox"],
    "irorid.8": ["--config", "--seat-program", "SIGHUP"],
}


def main():
    failed = False
    if not shutil.which("groff"):
        print("SKIP: groff is not installed")
        sys.exit(77)
    for page in map(pathlib.Path, sys.argv[1:]):
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-P-cbou", str(page)], capture_output=True, text=True)
        shown = re.sub(r"[\u2010\u2011\u2212]", "-", done.stdout)
        flat = re.sub(r"\s+", " ", shown)
        missing = [word for word in MUST_SAY[page.name] if word not in flat]
        if done.returncode or done.stderr or missing:
            failed = True
            print("%s: %s %s" % (page.name, done.stderr, missing))
        else:
            print("ok %s: %d lines" % (page.name, len(shown.splitlines())))
    sys.exit(failed)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""bash's completion of irori, in a bash: verbs, options, and names that a program named irori tells.

usage: check_completion.py SCRIPT IRORI
"""
import os
import re
import subprocess
import sys
import tempfile
import time

SCRIPT, IRORI = map(os.path.abspath, sys.argv[1:])
# What the real one says depends on the PC; this has two seats, a guest and a keyboard.
TELLS = """#!/bin/sh
case "$*" in
"seats --json") echo '[ { "name" : "seat1", "number" : 1 }, { "name" : "seat2" }, {"name": "$(id)"} ]' ;;
"list --json") echo '[{"name": "anna", "state": "running"}]' ;;
"devices --json") echo '[{"kind": "input", "place": "pci-0000:00:14.0-usb-0:1.1:1.0", "hub": "pci-0000:00:14.0-usb-0:1"}]' ;;
*) exit 69 ;;
esac
"""
ASK = """. "$1"; COMP_LINE=$3; COMP_POINT=${#3}; _irori "$2"; printf '%s\\n' "${COMPREPLY[@]}" """


def completes(program, line):
    done = subprocess.run(["bash", "--norc", "-euc", ASK, "bash", SCRIPT, program, line], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, (line, done)
    return sorted(set(done.stdout.split()))


def main():
    help_text = subprocess.run([IRORI, "--help"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^  ([a-z-]+)", help_text, re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "irori")
        with open(program, "w") as file:
            file.write(TELLS)
        os.chmod(program, 0o755)
        place = "pci-0000:00:14.0-usb-0:1"
        for line, expected in (
                ("irori ", sorted(verbs + ["--help", "--version"])),
                ("irori sw", ["switch"]),
                ("irori switch ", ["seat1", "seat2"]),
                ("irori switch seat2 a", ["anna"]),
                ("irori switch seat2 anna ", []),
                ("irori stat anna a", ["anna"]),
                ("irori seats p", ["propose"]),
                ("irori seats --js", ["--json"]),
                ("irori seats --json a", ["accept"]),
                ("irori extend nobody t", ["tonight"]),
                ("irori attach seat1 ", [place, place + ".1:1.0"]),
                ("irori attach seat1 pci-0000:00:14.0-usb-0:1.", ["1.1:1.0"]),
                ("irori nothing ", [])):
            found = completes(program, line)
            assert found == expected, (line, found, expected)
            print("ok %r" % line)
        with open(program, "w") as file:
            file.write("#!/bin/sh\nexec sleep 60\n")
        begun = time.monotonic()
        for line in ("irori switch ", "irori start ", "irori attach seat1 "):
            completes(program, line)
        assert time.monotonic() - begun < 30, "waits for an irorid that hangs"
        print("ok one that hangs")
    for verb in verbs:
        said = subprocess.run([IRORI, verb, "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", said, re.MULTILINE)) | {"--help"}
        found = {option.rstrip("=") for option in completes(IRORI, "irori %s --" % verb)}
        assert found == options, (verb, found, options)
    print("ok the options of %d commands" % len(verbs))


main()

#!/usr/bin/env python3
"""The demonstration's runner from end to end, with a stand-in for the monitor: no /dev/kvm needed.

usage: demo_test.py IRORI FAKE_VMM
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

IRORI, FAKE = map(os.path.abspath, sys.argv[1:3])


def irori(folder, *arguments, **more):
    environment = dict(os.environ, XDG_RUNTIME_DIR=folder, IRORI_VMM=FAKE, **more)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    return subprocess.Popen([IRORI, *arguments], env=environment, cwd=folder, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def left_behind(folder):
    """Sockets and folders of a demonstration that should be gone."""
    runtime = os.path.join(folder, "irori")
    return [name for name in os.listdir(runtime)] if os.path.isdir(runtime) else []


def ab(folder):
    demo = irori(folder, "demo", "--headless", "--no-spice", "--seconds", "4", "--reboots", "2",
                 "--ab", "--report", "report", "--json", "out.json")
    time.sleep(5)
    listed = json.loads(irori(folder, "list", "--json").communicate()[0])
    assert "theater" in [guest["name"] for guest in listed if guest["answers"]], listed
    shot = irori(folder, "screenshot", "theater", "-o", "shot.png")
    shot.communicate()
    assert shot.returncode == 0
    out, err = demo.communicate(timeout=150)
    assert demo.returncode in (0, 1, 2), (demo.returncode, out, err)
    with open(os.path.join(folder, "out.json")) as f:
        result = json.load(f)
    legs = {leg["leg"]: leg["guests"][0] for leg in result["legs"]}
    assert list(legs) == ["alone", "managed", "unmanaged"], legs
    for name, guest in legs.items():
        assert guest["frames_expected"] >= 110, (name, guest)
        assert guest["mismatched"] == 0, (name, guest)
    # The stand-in loses frames on purpose when it is not put first.
    lost = legs["unmanaged"]["late"] + legs["unmanaged"]["skipped"]
    assert lost >= 3, legs["unmanaged"]
    assert result["legs"][1]["guests"][1]["reboots"] >= 2
    assert os.path.getsize(os.path.join(folder, "report", "index.html")) > 10000
    assert not left_behind(folder), left_behind(folder)


def interrupted(folder):
    demo = irori(folder, "demo", "--headless", "--no-spice", "--seconds", "60")
    time.sleep(3)
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=20)
    assert demo.returncode == 130, demo.returncode
    sockets = [name for name in left_behind(folder) if name.endswith(".sock")]
    assert not sockets, sockets


def monitor_fails(folder):
    demo = irori(folder, "demo", "--headless", "--no-spice", FAKE_VMM_FAILS="1")
    _, err = demo.communicate(timeout=30)
    assert demo.returncode == 69, demo.returncode
    assert "no kernel today" in err, err


def wrong_arguments(folder):
    for arguments in (["demo", "--seconds", "0"], ["demo", "--window", "--headless"],
                      ["demo", "--ab", "--unmanaged"], ["demo", "--audio", "loud"],
                      ["demo", "extra"], ["nonsense"], ["reset"], ["stat", "--interval", "0"]):
        command = irori(folder, *arguments)
        command.communicate(timeout=20)
        expected = (64, 69) if arguments[0] == "stat" else (64,)
        assert command.returncode in expected, (arguments, command.returncode)
    command = irori(folder, "reset", "nobody")
    _, err = command.communicate(timeout=20)
    assert command.returncode == 69 and "nobody" in err


def main():
    for test in (wrong_arguments, monitor_fails, interrupted, ab):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
            print("ok", test.__name__, flush=True)


main()

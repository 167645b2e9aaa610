#!/usr/bin/env python3
"""A short demonstration from end to end on the real /dev/kvm: what was counted came from the picture.

usage: demo.py IRORI WORKDIR

How many frames were late is the machine's business on the day; that theater's frames were read off
its scanout, that the clip's own bar code agrees with the player's, that study really rebooted, that
the JSON has the promised names and the page and pictures are there, is ours. Exit status 77: skip.
"""
import json
import os
import subprocess
import sys
import tempfile

GUEST_KEYS = {'name', 'role', 'frames_expected', 'frames_shown', 'late', 'repeated', 'skipped',
              'jitter_ms', 'slack_ms', 'audio_underruns', 'reboots', 'reboot_ms', 'exits', 'cpu_s'}
REBOOTS = 2


def check(condition, what):
    if not condition:
        print('not so:', what)
        sys.exit(1)


def check_theater(leg, guest):
    where = f'{leg["leg"]}: theater'
    # Sixty a second were expected; a starved machine shows fewer, but hardly none.
    check(guest['frames_expected'] >= 40 * leg['seconds'], f'{where} expected frames: {guest}')
    check(guest['frames_shown'] > guest['frames_expected'] / 4, f'{where} shown frames: {guest}')
    check(guest['frames_shown'] + guest['skipped'] <= guest['frames_expected'] + 2,
          f'{where} adds up: {guest}')
    check(guest.get('mismatches', 0) == 0, f'{where}: the two bar codes agree: {guest}')
    # Exits there may be none: the data paths have none to user space.
    check(guest['cpu_s'] > 0, f'{where} ran: {guest}')


def check_result(result):
    check([leg['leg'] for leg in result['legs']] == ['alone', 'managed', 'unmanaged'], 'three legs')
    check(result['verdict'] in ('pass', 'fail', 'inconclusive') and result['why'], 'a verdict and why')
    for leg in result['legs']:
        guests = {guest['role']: guest for guest in leg['guests']}
        for guest in leg['guests']:
            check(GUEST_KEYS <= guest.keys(), f'{leg["leg"]}: keys {GUEST_KEYS - guest.keys()}')
        check_theater(leg, next(g for g in leg['guests'] if g['name'] == 'theater'))
        if leg['leg'] != 'alone':
            study = next(g for g in leg['guests'] if g['name'] == 'study')
            check(study['reboots'] >= REBOOTS and study['reboot_ms']['max'] > 0,
                  f'{leg["leg"]}: study rebooted: {study}')
    print(json.dumps({leg['leg']: {g['name']: [g['frames_shown'], g['late'], g['skipped'], g['reboots']]
                                   for g in leg['guests']} for leg in result['legs']}))


def main():
    irori, work = os.path.abspath(sys.argv[1]), sys.argv[2]
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('SKIP: /dev/kvm is not there, or not for this user')
        sys.exit(77)
    os.makedirs(work, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='irori-demo-') as runtime:
        os.chmod(runtime, 0o700)
        environment = dict(os.environ, XDG_RUNTIME_DIR=runtime)
        done = subprocess.run([irori, 'demo', '--headless', '--ab', '--seconds', '6',
                               '--reboots', str(REBOOTS), '--json', f'{work}/demo.json',
                               '--report', f'{work}/report'],
                              env=environment, stdin=subprocess.DEVNULL, timeout=400)
        left = [name for name in os.listdir(os.path.join(runtime, 'irori'))] \
            if os.path.isdir(os.path.join(runtime, 'irori')) else []
    check(done.returncode in (0, 1, 2), f'exit status {done.returncode} is one of the verdicts')
    with open(f'{work}/demo.json') as file:
        check_result(json.load(file))
    pages = os.listdir(f'{work}/report')
    check(any(name.endswith('.html') for name in pages), f'a page among {pages}')
    check(any(name.endswith('.png') for name in pages), f'a picture among {pages}')
    check(not left, f'nothing is left in the runtime folder: {left}')


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""Adds up meson's test logs: failures and skips by name and reason, then one last line.

usage: summary.py SUITE=LOG.json ...
A suite that left no log, or ran no test, is a failure: nothing passes by not running.
"""
import json
import sys

PASSED = {'OK', 'EXPECTEDFAIL'}


def results(path):
    with open(path) as log:
        return [json.loads(line) for line in log if line.strip()]


def skip_reason(result):
    lines = [line for line in (result.get('stdout') or '').splitlines() if line.startswith('SKIP')]
    return lines[-1].removeprefix('SKIP:').strip() if lines else 'no reason given'


def main():
    passed, failed, skipped = 0, [], []
    for argument in sys.argv[1:]:
        suite, path = argument.split('=', 1)
        try:
            tests = results(path)
        except (OSError, ValueError) as error:
            tests = []
            print(f'{suite}: no results: {error}')
        if not tests:
            failed.append(f'{suite}: ran no test')
        for test in tests:
            name = f'{suite}: {test["name"]}'
            if test['result'] in PASSED:
                passed += 1
            elif test['result'] == 'SKIP':
                skipped.append(f'{name}: {skip_reason(test)}')
            else:
                failed.append(f'{name}: {test["result"].lower()}')
    print()
    for line in skipped:
        print('skipped', line)
    for line in failed:
        print('FAILED ', line)
    print(f'{passed} passed, {len(failed)} failed, {len(skipped)} skipped')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()

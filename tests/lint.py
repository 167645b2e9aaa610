#!/usr/bin/env python3
"""clang-tidy's bug checks over every file that the build compiles; any finding fails.

usage: lint.py BUILD
"""
import json
import os
import subprocess
import sys

CHECKS = '-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,' \
         '-bugprone-narrowing-conversions,-bugprone-assignment-in-if-condition,' \
         '-bugprone-reserved-identifier,-bugprone-implicit-widening-of-multiplication-result,' \
         '-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'


def main():
    build = sys.argv[1]
    with open(os.path.join(build, 'compile_commands.json')) as file:
        sources = sorted({entry['file'] for entry in json.load(file) if entry['file'].endswith('.c')})
    result = subprocess.run(['clang-tidy', '-p', build, '--quiet', '--warnings-as-errors=*',
                             f'--checks={CHECKS}', *sources], cwd=build,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    print(result.stdout.strip() or f'{len(sources)} files, nothing found')
    sys.exit(1 if result.returncode else 0)


if __name__ == '__main__':
    main()

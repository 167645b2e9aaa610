#!/usr/bin/env python3
"""What reviewers should not have to look for: the tree's own rules, checked as text.

usage: janitor.py ROOT
"""
import pathlib
import re
import sys

LIBRARIES = ('vmm', 'display', 'input', 'audio', 'gpu-share')
FOLDERS = LIBRARIES + ('seats', 'ui', 'demo', 'tests')
LONGEST_FILE = 800
# What a folder may include besides itself. Interfaces by name, everything by a trailing slash.
INCLUDES = {
    'gpu-share': (),
    'input': ('display/port.h', 'display/link.h'),
    'audio': ('display/port.h', 'display/link.h', 'display/link_client.h', 'display/packet.h'),
    'display': ('input/', 'audio/', 'gpu-share/policy.h'),
    'vmm': ('display/port.h', 'display/link.h', 'display/link_server.h',
            'gpu-share/policy.h', 'gpu-share/cpu.h'),
    'demo': ('display/barcode.h',),
}
ENDS_PROCESS = re.compile(r'\b(exit|_exit|abort|assert|g_assert\w*|g_error|err|errx)\s*\(')
PRINTS = re.compile(r'\b(printf|puts|perror|g_print|g_printerr)\s*\(|\bfprintf\s*\(\s*std')
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def without_comments(text):
    blank = lambda match: re.sub(r'[^\n]', ' ', match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def includes_allowed(folder, name):
    if '/' not in name or name.startswith(folder + '/') or folder not in INCLUDES:
        return True
    return any(name == allowed or (allowed.endswith('/') and name.startswith(allowed))
               for allowed in INCLUDES[folder])


def check(root, path):
    relative = path.relative_to(root)
    folder = relative.parts[0]
    text = path.read_text()
    lines = text.splitlines()
    is_program = re.search(r'^(int )?main\(', text, re.M) is not None
    if len(lines) > LONGEST_FILE:
        yield f'{relative}: {len(lines)} lines; a file is one idea, {LONGEST_FILE} at most'
    if not re.match(r'\s*/\*', text):
        yield f'{relative}:1: begins without a comment that says what the file is'
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match and not includes_allowed(folder, match[1]):
            yield f'{relative}:{number}: {folder} may not include {match[1]}'
        if line != line.rstrip():
            yield f'{relative}:{number}: space at the end of the line'
    if folder not in LIBRARIES or is_program:
        return
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for pattern, what in ((ENDS_PROCESS, 'ends the process'), (PRINTS, 'prints')):
            if pattern.search(line):
                yield f'{relative}:{number}: library code {what}: {line.strip()}'


def main():
    root = pathlib.Path(sys.argv[1])
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob('*.[ch]'))]
    complaints = [complaint for path in files for complaint in check(root, path)]
    for complaint in complaints:
        print(complaint)
    print(f'{len(files)} files, {len(complaints)} complaints')
    sys.exit(1 if complaints or not files else 0)


if __name__ == '__main__':
    main()

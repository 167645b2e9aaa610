#!/usr/bin/env python3
"""Packs files into a "newc" cpio archive, each by its last name at the root, executable.

    newc.py OUTPUT FILE...

The archive depends on the files' contents only: owner, time and inode numbers are fixed.
"""
import os
import sys

MODE = 0o100755


def entry(name, mode, data, inode):
    encoded = name.encode() + b"\0"
    fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + encoded
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = bytearray()
    names = set()
    for inode, path in enumerate(sorted(sys.argv[2:], key=os.path.basename), 1):
        name = os.path.basename(path)
        if name in names:
            sys.exit(f"newc: two files called {name}")
        names.add(name)
        with open(path, "rb") as f:
            out += entry(name, MODE, f.read(), inode)
    out += entry("TRAILER!!!", 0, b"", 0)
    out += bytes(-len(out) % 512)
    partial = sys.argv[1] + ".part"
    with open(partial, "wb") as f:
        f.write(out)
    os.replace(partial, sys.argv[1])


if __name__ == "__main__":
    main()

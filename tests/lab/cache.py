"""Things that take long to make, kept by what they are made of, outside of the tree.

A thing is a folder ~/.cache/irori/NAME-HASH that a function filled. It appears whole or not at all; two
that want the same thing at the same time make it once.
"""
import fcntl
import hashlib
import os
import shutil
import sys
import time

KEEP = 2  # older versions of a thing that stay, for other checkouts


def folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(base, "irori")
    os.makedirs(path, exist_ok=True)
    return path


def content_hash(*parts):
    """Of strings, bytes and lists of them."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, (list, tuple)):
            part = content_hash(*part)
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:16]


def file_bytes(*paths):
    result = []
    for path in paths:
        with open(path, "rb") as file:
            result.append(file.read())
    return result


def say(text):
    print("lab: " + text, file=sys.stderr, flush=True)


def prune(name, current):
    """Versions of the same thing that were not used lately go."""
    old = []
    for entry in os.listdir(folder()):
        if entry.rpartition("-")[0] == name and entry != current and not entry.endswith(".lock"):
            path = os.path.join(folder(), entry)
            old.append((os.stat(path).st_mtime, path))
    for stamp, path in sorted(old)[:-KEEP]:
        if time.time() - stamp > 3600:
            shutil.rmtree(path, ignore_errors=True)


def cached(name, parts, make):
    """The folder of `name` made of `parts`; `make(folder)` fills it if it is not there yet."""
    entry = "%s-%s" % (name, content_hash(*parts))
    path = os.path.join(folder(), entry)
    if os.path.isdir(path):
        os.utime(path)
        return path
    with open(path + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(path):
            return path
        started = time.time()
        say("making %s, once" % name)
        work = path + ".part"
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        try:
            make(work)
            os.rename(work, path)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
        prune(name, entry)
        say("made %s in %.0f s" % (name, time.time() - started))
    return path

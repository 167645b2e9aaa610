"""At most so many scenarios at once on a machine, whoever runs them: each holds a lock while it runs."""
import fcntl
import os
import tempfile
import time

import cache


def count():
    return max(1, min(os.cpu_count() or 1, 2 if (os.cpu_count() or 1) < 8 else os.cpu_count() // 3))


def take():
    """A slot, as an open file: closing it gives it back."""
    told = False
    while True:
        for number in range(count()):
            path = os.path.join(tempfile.gettempdir(), "irori-lab-slot-%d" % number)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            file = os.fdopen(descriptor, "r+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except OSError:
                file.close()
        if not told:
            cache.say("waiting for a lab slot (%d at once)" % count())
            told = True
        time.sleep(1)

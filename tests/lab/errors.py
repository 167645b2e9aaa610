"""What the lab raises, and how patient it is."""
import os


class LabError(Exception):
    """The lab itself failed, or a scenario's expectation did; the text says which."""


class Skip(Exception):
    """A scenario cannot run here; the text says why."""


class Missing(Skip):
    """A program that the lab needs is not installed."""


def patience(seconds):
    """A limit in seconds for this machine as it is now: others that compute on it make all of the lab
    slower, up to a bound."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * min(max(load / 1.5, 1), 6)

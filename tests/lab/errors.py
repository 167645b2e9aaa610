"""What the lab raises."""


class LabError(Exception):
    """The lab itself failed, or a scenario's expectation did; the text says which."""


class Skip(Exception):
    """A scenario cannot run here; the text says why."""


class Missing(Skip):
    """A program that the lab needs is not installed."""

"""A figure that was found, for Irori and for QEMU where that can do the same."""


def quantile(values, part):
    """The smallest that is not below `part` of all."""
    ordered = sorted(values)
    return ordered[min(max(-(-len(ordered) * part // 100), 1), len(ordered)) - 1]


class Figure:
    """`ours`, `theirs`: values, or None and `why` QEMU has none."""

    def __init__(self, what, unit, ours, theirs=None, why="", least=1):
        self.what, self.unit, self.ours, self.theirs, self.why = what, unit, list(ours), theirs, why
        self.least = least

    def missing(self):
        """What is wrong with it; "": nothing."""
        for name, values in (("irori", self.ours), ("QEMU", self.theirs)):
            if values is not None and len(values) < self.least:
                return "%s of %s: %d samples, expected %d" % (self.what, name, len(values), self.least)
        return ""

    def row(self):
        def three(values):
            return None if not values else {
                "n": len(values), "p50": quantile(values, 50), "p99": quantile(values, 99),
                "worst": max(values)}
        return {"what": self.what, "unit": self.unit, "irori": three(self.ours), "QEMU": three(self.theirs),
                "why": self.why, "irori_all": self.ours, "QEMU_all": self.theirs}

    def __str__(self):
        def three(values):
            if not values:
                return "%26s" % "-"
            return "%8.1f %8.1f %8.1f" % (quantile(values, 50), quantile(values, 99), max(values))
        ratio = ""
        if self.ours and self.theirs:
            ratio = "%5.2f x" % (quantile(self.theirs, 50) / quantile(self.ours, 50))
        return "  %-44s %-3s %5d %s  %s %s" % (self.what, self.unit, len(self.ours), three(self.ours),
                                               three(self.theirs), ratio or self.why)


HEAD = "  %-44s %-3s %5s %s  %s" % ("", "", "n", "%8s %8s %8s" % ("irori 50", "99 %", "worst"),
                                  "%8s %8s %8s" % ("QEMU 50", "99 %", "worst"))

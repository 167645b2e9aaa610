"""The emulated PC's own tracing (ftrace): which events its kernel saw, and when."""
import re

HEAD = "cd /sys/kernel/tracing 2>/dev/null && [ -e trace ] || { mount -t tracefs tracefs /sys/kernel/tracing; " \
       "cd /sys/kernel/tracing; }; "
BUFFER = 8192  # KiB for each processor
LINE = re.compile(r"\s*(.+)-(\d+)\s+\[(\d+)\]\s+\S+\s+([\d.]+): (\w+): (.*)")


class Event:
    """`seconds` of CLOCK_MONOTONIC, the `task` (name, thread's number) on whose time it was, its fields as text."""

    def __init__(self, match):
        self.task, self.tid = match[1], int(match[2])
        self.seconds, self.name, self.text = float(match[4]), match[5], match[6]

    def number(self, field):
        return int(re.search(r"\b%s[= ](\d+)" % field, self.text)[1])


class Trace:
    """`events`: {"irq/irq_handler_entry": a filter or ""}."""

    def __init__(self, pc, events):
        self.pc, self.events = pc, events
        self.do("echo 0 >tracing_on; echo >set_event; echo mono >trace_clock; echo %d >buffer_size_kb; : >trace; "
                % BUFFER + "".join("echo '%s' >events/%s/filter; echo 1 >events/%s/enable; " % (
                    wanted or "0", name, name) for name, wanted in events.items()) + "echo 1 >tracing_on")

    def do(self, script):
        self.pc.run(HEAD + script, check=True)

    def stop(self):
        """All events since it began, in order."""
        self.do("echo 0 >tracing_on; cat trace >/lab/trace.txt; echo >set_event; echo 1 >buffer_size_kb")
        found = [LINE.match(line) for line in self.pc.read("/lab/trace.txt").splitlines()]
        return sorted((Event(each) for each in found if each), key=lambda event: event.seconds)

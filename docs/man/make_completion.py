#!/usr/bin/env python3
"""What bash completes after `irori`, of what the program says of itself, so that it cannot go stale.

usage: make_completion.py TEMPLATE OUTPUT PROGRAM

A line @TABLE@ of the template, a bash script, stands for a line for each command in PROGRAM --help, with its
options and the kinds of its arguments.
"""
import re
import sys

from make_man import options, said

VERB = re.compile(r"  ([a-z-]+)(?: |$)")
OPTION = re.compile(r"  (?:-\w, )?(--[a-z-]+)(=\S+)?")


def arguments(usage):
    """"SEAT [GUEST]" as kinds, with | between what one argument may be, and ... behind what repeats."""
    words = usage.split()[2:]
    return [word.strip("[]") for word in words if not word.startswith("[OPTION")]


def table(program):
    rows = []
    for line in said(program, "--help"):
        verb = VERB.match(line)
        if not verb:
            continue
        lines = said(program, verb[1], "--help")
        usage = next(line for line in lines if line.startswith("  irori "))
        found = filter(None, map(OPTION.match, options(lines)))
        flags = ["--help"] + [match[1] + ("=" if match[2] else "") for match in found]
        rows.append("\t%s) options='%s' arguments='%s' ;;" % (verb[1], " ".join(flags), " ".join(arguments(usage))))
    return rows


def main():
    template, output, program = sys.argv[1:]
    rows = table(program)
    verbs = [row.strip().partition(")")[0] for row in rows]
    with open(template, encoding="utf-8") as file:
        text = file.read()
    with open(output, "w", encoding="utf-8") as file:
        file.write(text.replace("@TABLE@", "\n".join(rows)).replace("@VERBS@", " ".join(verbs)))


if __name__ == "__main__":
    main()

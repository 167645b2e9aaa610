#!/usr/bin/env python3
"""A man page of a template and of what a program says of itself, so that both say the same.

usage: make_man.py TEMPLATE OUTPUT PROGRAM

In the template, which is roff otherwise, a line @HELP@ stands for the options and keys in PROGRAM --help, @VERBS@ for each
command listed there with its own --help, @TEXT@ for all that PROGRAM prints without arguments.
"""
import os
import re
import subprocess
import sys

ITEM = re.compile(r"  (\S+(?: \S+)*)(?:  +(.*))?$")
USAGE = re.compile(r"(irori-\w+ .*?)(?:   +(.*))?$")
SECTION = re.compile(r"(\[\w+\])(?:  (.*))?$")


def said(*words):
    environment = dict(os.environ, LC_ALL="C.UTF-8", ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode or not done.stdout:
        sys.exit("%s: status %d: %s" % (" ".join(words), done.returncode, done.stderr))
    return done.stdout.replace("\u2026", "...").splitlines()


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    return "\\&" + text if text[:1] in (".", "'") else text


def options(lines):
    """GLib's help without its usage and without --help."""
    lines = lines[lines.index("Application Options:") + 1:] if "Application Options:" in lines else []
    return lines


def items(lines):
    """Lists of "  NAME   what it is", with sections and paragraphs between."""
    out = []
    for line in lines:
        item, section = ITEM.match(line) or USAGE.match(line), SECTION.match(line)
        if section:
            out += [".SS %s" % roff(section[1])] + ([roff(section[2])] if section[2] else [])
        elif item and not line.startswith("   "):
            out += [".TP", ".B %s" % roff(item[1]), roff(item[2] or "")]
        elif not line:
            out.append(".PP")
        else:
            out.append(roff(line.strip()))
    return [line for n, line in enumerate(out) if line and (line != ".PP" or out[n + 1:n + 2] != [".PP"])]


def verbs(program):
    out = []
    for line in said(program, "--help"):
        verb = re.match(r"  ([a-z-]+)(?: |$)", line)
        if not verb:
            continue
        lines = said(program, verb[1], "--help")
        usage = next(line for line in lines if line.startswith("  irori "))
        about = next(line for line in lines[lines.index(usage) + 1:] if line)
        out += [".SS %s" % roff(usage.strip().replace("[OPTION...] ", "").replace(" [OPTION...]", "")),
                roff(about[0].upper() + about[1:] + ".")] + items(options(lines))
    return out


def main():
    template, output, program = sys.argv[1:]
    page = []
    for line in open(template, encoding="utf-8").read().splitlines():
        if line == "@HELP@":
            lines = said(program, "--help")
            page += items(options(lines) or lines)
        elif line == "@VERBS@":
            page += verbs(program)
        elif line == "@TEXT@":
            page += items(said(program))
        else:
            page.append(line)
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(page) + "\n")


if __name__ == "__main__":
    main()

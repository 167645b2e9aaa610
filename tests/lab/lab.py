#!/usr/bin/env python3
"""The lab: a PC with hardware virtualization, emulated, and scenarios that run in it.

  list              the scenarios, by group
  run NAME...       run them (a group: those in it; all: every one); exit status 1 if one failed, 77 if all were skipped
  shell             start a PC that stays, and take commands from the terminal
  exec COMMAND      run a command in the PC that `shell` or `run --keep` left
  stop              switch that PC off
"""
import argparse
import importlib.util
import json
import os
import shutil
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import emulator
import image
import slots
from errors import LabError, Missing, Skip
from pc import Pc

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(image.TOP, "out", "lab")
SKIPPED = 77


def scenario_names():
    names = os.listdir(os.path.join(HERE, "scenarios"))
    return sorted(name[:-3].replace("_", "-") for name in names
                  if name.endswith(".py") and not name.startswith("_"))


def group_of(name):
    """A scenario's group = "NAME", or none."""
    return getattr(scenario(name), "group", "")


def chosen(words):
    """The scenarios of a command line: names, groups, or all. Those with by_hand = True only by name."""
    names = []
    for word in words:
        every = [name for name in scenario_names()
                 if word in ("all", group_of(name)) and not getattr(scenario(name), "by_hand", False)]
        if not every:
            scenario(word)  # a wrong name shows before anything runs
        names += [name for name in every or [word] if name not in names]
    return names


def scenario(name):
    path = os.path.join(HERE, "scenarios", name.replace("-", "_") + ".py")
    if not os.path.exists(path):
        sys.exit("lab: no scenario %s; there are: %s" % (name, " ".join(scenario_names())))
    spec = importlib.util.spec_from_file_location("scenario_" + name.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scenario_list(args):
    shown = None
    for name in sorted(scenario_names(), key=lambda name: (group_of(name), name)):
        if group_of(name) != shown:
            shown = group_of(name)
            print("\n%s:" % shown if shown else "", end="\n" if shown else "")
        doc = (scenario(name).__doc__ or "").strip()
        print("%-18s %s" % (name, doc.splitlines()[0] if doc else ""))
    return 0


def run_one(name, args):
    """("ok" | "skip" | "FAIL", what there is to say)."""
    module = scenario(name)
    pc = Pc(os.path.join(OUT, name), args.build)
    keep = args.keep
    try:
        image.need(*getattr(module, "needs", []))
        if getattr(module, "starts_itself", False):
            return "ok", module.run(pc) or ""
        pc.start(memory=getattr(module, "memory", emulator.MEMORY), devices=devices_of(module, pc),
                 kind=getattr(module, "kind", None), systems=getattr(module, "systems", ()))
        said = module.run(pc) or ""
        pictures_take(pc, args.pictures)
        return "ok", said
    except Skip as reason:
        return "skip", str(reason)
    except LabError as error:
        return "FAIL", str(error)
    except KeyboardInterrupt:
        keep = False
        raise
    except Exception:
        return "FAIL", traceback.format_exc()
    finally:
        if not keep:
            pc.stop()


def pictures_take(pc, folder):
    """What a scenario left in its folder's pictures/ goes to `folder`, if there is one."""
    if folder and os.path.isdir(pc.path("pictures")):
        shutil.copytree(pc.path("pictures"), folder, dirs_exist_ok=True)


def devices_of(module, pc):
    devices = getattr(module, "devices", ())
    return devices(pc) if callable(devices) else devices


def scenario_run(args):
    results = []
    for name in chosen(args.names):
        with slots.take():
            started = time.time()
            print("lab: %s ..." % name, flush=True)
            result, text = run_one(name, args)
        seconds = time.time() - started
        results.append({"name": name, "result": result, "seconds": round(seconds, 1),
                        "text": text})
        if text and result != "ok":
            print(text.rstrip())
        print("lab: %s: %s in %.0f s%s" % (
            name, result, seconds, "; " + text if text and result == "ok" else ""), flush=True)
        if result == "FAIL":
            print("lab: %s: logs are in %s" % (name, os.path.join(OUT, name)), flush=True)
    with open(os.path.join(OUT, "results.json"), "w") as file:
        json.dump(results, file, indent=1)
    if any(each["result"] == "FAIL" for each in results):
        return 1
    return SKIPPED if all(each["result"] == "skip" for each in results) else 0


def pc_folder(args):
    return os.path.join(OUT, args.pc)


def shell(args):
    """Starts the PC unless it runs, then reads commands until the end of input."""
    try:
        pc = Pc.attach(pc_folder(args))
        print("lab: this PC runs already")
    except LabError:
        pc = Pc(pc_folder(args), args.build)
        started = time.time()
        pc.start(memory=args.memory, devices=args.device, systems=args.system)
        print("lab: the PC is up after %.0f s; its /lab is %s" % (time.time() - started, pc.share))
    if not sys.stdin.isatty() or args.detach:
        print("lab: ./dev lab exec 'COMMAND' runs a command in it, ./dev lab stop ends it")
        return 0
    while True:
        try:
            line = input("lab# ")
        except EOFError:
            print()
            break
        if line.strip():
            execute(pc, line, args.timeout)
    if not args.keep:
        pc.stop()
    return 0


def execute(pc, command, timeout):
    """Runs it and shows its output as it comes; its exit status."""
    pc.refresh()
    ident = pc.spawn(command, timeout)
    shown = 0
    while True:
        status = pc.done(ident)
        text = pc.output(ident)
        sys.stdout.write(text[shown:])
        sys.stdout.flush()
        shown = len(text)
        if status is not None:
            return status
        if not pc.alive():
            raise LabError("the PC ended\n" + pc.console())
        time.sleep(0.1)


def execute_command(args):
    return execute(Pc.attach(pc_folder(args)), " ".join(args.command), args.timeout)


def stop(args):
    Pc.attach(pc_folder(args)).stop()
    return 0


def arguments():
    parser = argparse.ArgumentParser(prog="./dev lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(image.TOP, "build"),
                        help="the build that is installed in the PC (build)")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("list").set_defaults(call=scenario_list)
    one = verbs.add_parser("run")
    one.add_argument("names", nargs="+", metavar="NAME")
    one.add_argument("--keep", action="store_true", help="leave the PC on: exec --pc NAME")
    one.add_argument("--pictures", metavar="FOLDER", help="copies the pictures that scenarios make there")
    one.set_defaults(call=scenario_run)
    for name, call in (("shell", shell), ("exec", execute_command), ("stop", stop)):
        one = verbs.add_parser(name)
        one.add_argument("--pc", default="shell", help="which PC: a name under out/lab (shell)")
        one.add_argument("--timeout", type=int, default=600, help="of a command, in seconds")
        one.set_defaults(call=call)
        if name == "exec":
            one.add_argument("command", nargs=argparse.REMAINDER)
        if name == "shell":
            one.add_argument("--keep", action="store_true", help="leave it on at the end")
            one.add_argument("--detach", action="store_true", help="start it, and no more")
            one.add_argument("--memory", type=int, default=emulator.MEMORY, help="MiB")
            one.add_argument("--system", action="append", default=[],
                             help="a system for its /guests: debian")
            one.add_argument("--device", action="append", default=[],
                             help="an argument more for its QEMU")
    return parser.parse_args()


def main():
    args = arguments()
    os.makedirs(OUT, exist_ok=True)
    try:
        return args.call(args)
    except (LabError, Missing, RuntimeError) as error:
        print("lab: %s" % error, file=sys.stderr)
        return SKIPPED if isinstance(error, Missing) else 1


if __name__ == "__main__":
    sys.exit(main())

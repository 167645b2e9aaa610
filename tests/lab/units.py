"""systemd's units in a folder that becomes a system's root: enabled as the presets there say, or masked.
What `systemctl preset-all` does, on a host that may have no systemctl."""
import configparser
import os

LIB = "usr/lib/systemd"
ETC = "etc/systemd/system"


def words(path):
    """The words of a list with # comments."""
    found = []
    with open(path) as file:
        for line in file:
            found += line.split("#")[0].split()
    return found


def presets(tree):
    """The names of all units that a preset below `tree` enables."""
    names = []
    folder = os.path.join(tree, LIB, "system-preset")
    for preset in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        with open(os.path.join(folder, preset)) as file:
            for line in file:
                verb, _, name = line.strip().partition(" ")
                if verb == "enable":
                    names.append(name.strip())
    return names


def enable(tree):
    """Enables those of them that are there. Their names."""
    done = []
    for name in presets(tree):
        unit = os.path.join(tree, LIB, "system", name)
        if not os.path.exists(unit):
            continue
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        parser.optionxform = str
        parser.read(unit)
        for key, kind in (("WantedBy", "wants"), ("RequiredBy", "requires")):
            for target in parser.get("Install", key, fallback="").split():
                link(tree, "%s.%s/%s" % (target, kind, name), "/%s/system/%s" % (LIB, name))
        for alias in parser.get("Install", "Alias", fallback="").split():
            link(tree, alias, "/%s/system/%s" % (LIB, name))
        done.append(name)
    return done


def mask(tree, names):
    for name in names:
        link(tree, name, "/dev/null")


def link(tree, name, target):
    path = os.path.join(tree, ETC, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)

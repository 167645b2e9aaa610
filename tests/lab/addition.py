"""What a household adds to the appliance image (./dev image --add FOLDER), checked before anything is made.

FOLDER is laid out as the PC's own files will be: etc/irori/guests.d/mika.conf, srv/guests/mika.qcow2. Links are
followed: a large image may stay where it is.
"""
import os
import re
import stat
import struct
import subprocess
import tempfile

import image

PLACES = ("etc", "srv")
SECRET = re.compile(r"/etc/irori/people\.d/.*")  # PINs' hashes are root's to read
BLOCK = 4096
MAX_FILES = 100000
QCOW2 = b"QFI\xfb"
PATH = re.compile(r"^[ \t]*[A-Z]\w*[ \t]*=[ \t]*(/.*?)[ \t\r]*$", re.MULTILINE)
MAX_LINKS = 40  # as path_resolution(7)


class Wrong(Exception):
    """What is wrong with the folder, a line for each thing."""


class Addition:
    """`folders`: names as in the image; `files`: such a name to where the file is."""

    def __init__(self, folder):
        self.folder, self.folders, self.files = os.path.abspath(folder), [], {}
        wrong = [] if os.path.isdir(folder) else ["%s: not a folder" % shown(folder)]
        above = {}  # folder: where it and those that it is in really are
        for here, folders, names in os.walk(self.folder, followlinks=True, onerror=lambda error: wrong.append(
                "%s: %s" % (shown(error.filename), error.strerror))):
            at = "/" + os.path.relpath(here, self.folder)
            real, parents = os.path.realpath(here), above.get(os.path.dirname(here), frozenset())
            if real in parents or len(self.files) + len(self.folders) > MAX_FILES:
                raise Wrong("%s: links that lead back, or too many files" % shown(here))
            above[here] = parents | {real}
            if at == "/.":
                wrong += ["%s: only %s are a household's" % (shown(os.path.join(here, name)), " and ".join(PLACES))
                          for name in sorted(folders + names) if name not in PLACES]
                folders[:] = [name for name in folders if name in PLACES]
                wrong += ["%s: not a folder" % os.path.join(here, name) for name in names if name in PLACES]
                continue
            self.folders.append(at)
            folders.sort()
            wrong += [self.take(os.path.join(here, name), at + "/" + name) for name in sorted(names)]
            wrong += ["%s: not a name" % shown(at + "/" + name) for name in folders if not name_good(name)]
        wrong = [line for line in wrong if line]
        if not wrong and not self.files:
            wrong = ["%s: there is nothing in it" % shown(folder)]
        if wrong:
            raise Wrong("\n".join(wrong))

    def take(self, source, name):
        """What is wrong with it, or None."""
        if not name_good(os.path.basename(name)):
            return "%s: not a name" % shown(source)
        try:
            if not stat.S_ISREG(os.stat(source).st_mode):
                return "%s: not a file" % shown(source)
        except OSError as error:
            return "%s: %s" % (shown(source), error.strerror)
        if not os.access(source, os.R_OK):
            return "%s: cannot be read" % shown(source)
        self.files[name] = os.path.realpath(source)
        return None

    def room(self):
        """Bytes that they may come to take in the image: a file with holes is counted whole."""
        return sum(-(-os.stat(source).st_size // BLOCK) * BLOCK + BLOCK for source in self.files.values()) + \
            len(self.folders) * BLOCK

    def bytes_here(self):
        """Bytes that they take now."""
        return sum(os.stat(source).st_blocks * 512 for source in self.files.values())

    def check(self, irori, tree, disk):
        """By irorid's and irori-vmm's own eyes. `tree`: the project's files; `disk`: the file system with the
        packages'."""
        with tempfile.TemporaryDirectory(prefix="irori-check-") as root:
            for path in self.folders:
                os.makedirs(root + path, exist_ok=True)
            for path, source in self.files.items():
                os.symlink(source, root + path)
            for path in self.named():
                provide(root, path, tree, disk)
            wrong = self.backing(root, disk)
            if "/etc/irori" in self.folders:
                done = subprocess.run([irori, "check", "--root", root], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)
                said = os.fsdecode(done.stderr).replace(root, self.folder).splitlines()
                if done.returncode:
                    wrong += map(shown, said or ["irori check: status %d" % done.returncode])
        if wrong:
            raise Wrong("\n".join(wrong))

    def named(self):
        """Absolute paths in the guests' files that are not the household's own."""
        found = set()
        for path, source in self.files.items():
            if re.fullmatch(r"/etc/irori/guests\.d/.*\.conf", path):
                with open(source, encoding="utf-8", errors="surrogateescape") as file:
                    found |= {os.path.normpath(each) for each in PATH.findall(file.read(1 << 20))}
        return sorted(each for each in found if name_good(each) and each not in self.files)

    def backing(self, root, disk):
        """What is wrong with qcow2 images that stand on others."""
        wrong = []
        for path, source in self.files.items():
            name = backing_file(source)
            if not name:
                continue
            under = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if not name_good(under):
                wrong.append("%s: stands on %s: not a name" % (shown(self.folder + path), shown(under)))
            elif not os.path.exists(root + under) and not found_in(disk, under):
                wrong.append("%s: stands on %s, which is not there" % (shown(self.folder + path), shown(under)))
        return wrong


def name_good(name):
    """A name or path that debugfs can be told of. Whatever is not UTF-8 in it goes as it is."""
    return bool(name) and not re.search(r'[\x00-\x1f\x7f"\\]', name)


def shown(text):
    """For a line on a terminal."""
    return text if text.isprintable() else repr(text)


def backing_file(path):
    """The name in a qcow2 image's header, if it has one: offset and length at 8 (docs/interop/qcow2.txt of QEMU)."""
    with open(path, "rb") as file:
        header = file.read(20)
        if len(header) < 20 or header[:4] != QCOW2:
            return None
        offset, length = struct.unpack(">QI", header[8:20])
        if not offset or length > 1023:
            return None
        file.seek(min(offset, 1 << 21))
        return os.fsdecode(file.read(length))


def debugfs(disk, command):
    done = subprocess.run(["debugfs", "-R", command, disk], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, PATH=image.search_path()))
    return os.fsdecode(done.stdout)


def found_in(disk, path):
    """What `path`, good by name_good, leads to in that file system: ("regular", "directory", ...; where); None: it is
    not there. debugfs follows links to folders on the way, but not the last one."""
    for _ in range(MAX_LINKS):
        said = debugfs(disk, 'stat "%s"' % path)
        kind = re.search(r"Type: (\w+)", said)
        if not kind or kind[1] != "symlink":
            return kind and (kind[1], path)
        short = re.search(r'^Fast link dest: "(.*)"$', said, re.MULTILINE)
        path = os.path.join(os.path.dirname(path), short[1] if short else debugfs(disk, 'cat "%s"' % path))
        if not name_good(path):
            break
    return None


def provide(root, path, tree, disk):
    """What the image has at `path` by itself, to `root`."""
    if os.path.lexists(root + path):
        return
    found = None if os.path.exists(tree + path) else found_in(disk, path)
    if not found and not os.path.exists(tree + path):
        return
    if found and found[0] == "directory":
        os.makedirs(root + path)
        return
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    if not found:
        os.symlink(os.path.abspath(tree + path), root + path)
    elif found[0] == "regular":
        debugfs(disk, 'dump "%s" "%s"' % (found[1], root + path))

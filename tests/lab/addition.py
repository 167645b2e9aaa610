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
PATH = re.compile(r"^[A-Z]\w*=(/.*?)\s*$", re.MULTILINE)


class Wrong(Exception):
    """What is wrong with the folder, a line for each thing."""


class Addition:
    """`folders`: names as in the image; `files`: such a name to where the file is."""

    def __init__(self, folder):
        self.folder, self.folders, self.files = os.path.abspath(folder), [], {}
        wrong = [] if os.path.isdir(folder) else ["%s: not a folder" % folder]
        seen = set()
        for here, folders, names in os.walk(self.folder, followlinks=True):
            at = "/" + os.path.relpath(here, self.folder)
            if os.path.realpath(here) in seen or len(self.files) > MAX_FILES:
                raise Wrong("%s: links that lead back, or too many files" % here)
            seen.add(os.path.realpath(here))
            if at == "/.":
                wrong += ["%s: only %s are a household's" % (os.path.join(here, name), " and ".join(PLACES))
                          for name in sorted(folders + names) if name not in PLACES]
                folders[:] = [name for name in folders if name in PLACES]
                wrong += ["%s: not a folder" % os.path.join(here, name) for name in names if name in PLACES]
                continue
            self.folders.append(at)
            folders.sort()
            wrong += [self.take(os.path.join(here, name), at + "/" + name) for name in sorted(names)]
            wrong += ["%r: not a name" % (at + "/" + name) for name in folders if not name_good(name)]
        wrong = [line for line in wrong if line]
        if not wrong and not self.files:
            wrong = ["%s: there is nothing in it" % folder]
        if wrong:
            raise Wrong("\n".join(wrong))

    def take(self, source, name):
        """What is wrong with it, or None."""
        if not name_good(os.path.basename(name)):
            return "%r: not a name" % source
        try:
            if not stat.S_ISREG(os.stat(source).st_mode):
                return "%s: not a file" % source
        except OSError as error:
            return "%s: %s" % (source, error.strerror)
        if not os.access(source, os.R_OK):
            return "%s: cannot be read" % source
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
                said = done.stderr.decode(errors="replace").strip()
                if done.returncode:
                    wrong.append(said.replace(root, self.folder) or "irori check: status %d" % done.returncode)
        if wrong:
            raise Wrong("\n".join(wrong))

    def named(self):
        """Absolute paths in the guests' files that are not the household's own."""
        found = set()
        for path, source in self.files.items():
            if re.fullmatch(r"/etc/irori/guests\.d/.*\.conf", path):
                with open(source, errors="replace") as file:
                    found |= {os.path.normpath(each) for each in PATH.findall(file.read(1 << 20))}
        return sorted(each for each in found if name_good(each.replace("/", "")) and each not in self.files)

    def backing(self, root, disk):
        """What is wrong with qcow2 images that stand on others."""
        wrong = []
        for path, source in self.files.items():
            name = backing_file(source)
            if not name:
                continue
            under = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if not os.path.exists(root + under) and not kind_in(disk, under):
                wrong.append("%s%s: stands on %s, which is not there" % (self.folder, path, under))
        return wrong


def name_good(name):
    """One that debugfs can be told of."""
    return bool(name) and not re.search(r'[\x00-\x1f\x7f"\\]', name)


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
        return file.read(length).decode(errors="replace")


def debugfs(disk, command):
    done = subprocess.run(["debugfs", "-R", command, disk], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, PATH=image.search_path()))
    return done.stdout.decode(errors="replace")


def kind_in(disk, path):
    """"regular", "directory", ...; None: it is not in that file system."""
    found = re.search(r"Type: (\w+)", debugfs(disk, 'stat "%s"' % path))
    return found and found[1]


def provide(root, path, tree, disk):
    """What the image has at `path` by itself, to `root`."""
    if os.path.lexists(root + path):
        return
    kind = None if os.path.exists(tree + path) else kind_in(disk, path)
    if not kind and not os.path.exists(tree + path):
        return
    if kind == "directory":
        os.makedirs(root + path)
        return
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    if not kind:
        os.symlink(os.path.abspath(tree + path), root + path)
    elif kind == "regular":
        debugfs(disk, 'dump "%s" "%s"' % (path, root + path))

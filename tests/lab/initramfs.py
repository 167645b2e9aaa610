"""An initramfs as a stream of bytes: the cpio archive of Linux, Documentation/driver-api/early-userspace.

Only what the lab needs: folders, files, symbolic links and device nodes, all of root.
"""
import gzip
import os
import stat
import subprocess


class Archive:
    def __init__(self):
        self.data = bytearray()
        self.seen = set()
        self.inode = 0

    def entry(self, path, mode, body=b"", rdev=(0, 0)):
        if path in self.seen:
            return
        self.seen.add(path)
        self.inode += 1
        name = path.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(body), 0, 0, rdev[0], rdev[1], len(name), 0)
        self.data += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self.data += b"\0" * (-len(self.data) % 4) + body
        self.data += b"\0" * (-len(self.data) % 4)

    def folder(self, path):
        if path and path not in self.seen:
            self.folder(os.path.dirname(path))
            self.entry(path, stat.S_IFDIR | 0o755)

    def file(self, path, body, mode=0o644):
        self.folder(os.path.dirname(path))
        self.entry(path, stat.S_IFREG | mode, body.encode() if isinstance(body, str) else body)

    def copy(self, path, source):
        with open(source, "rb") as file:
            self.file(path, file.read(), os.stat(source).st_mode & 0o777)

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        self.entry(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, kind, major, minor):
        self.folder(os.path.dirname(path))
        self.entry(path, kind | 0o600, rdev=(major, minor))

    def finish(self):
        self.inode = -1
        self.entry("TRAILER!!!", 0)
        return gzip.compress(bytes(self.data), 1, mtime=0)


def with_busybox(path):
    """The beginning of all of ours: a static busybox, and /dev/console for messages of init."""
    archive = Archive()
    archive.copy("bin/busybox", path)
    archive.device("dev/console", stat.S_IFCHR, 5, 1)
    for path in ("proc", "sys", "tmp", "run", "root"):
        archive.folder(path)
    return archive


def add_modules(archive, root, names):
    """Kernel modules and what they need, and /modules/order to insmod them in. Names of what is
    built into the kernel, or not there, are passed over. `root`: a folder lib/modules/VERSION."""
    needs = {}
    with open(os.path.join(root, "modules.dep")) as file:
        for line in file:
            path, _, rest = line.partition(":")
            needs[module_name(path)] = (path, rest.split())
    order = []
    for name in names:
        if name.replace("-", "_") not in needs:
            continue
        path, rest = needs[name.replace("-", "_")]
        for each in rest[::-1] + [path]:
            base = module_name(each) + ".ko"
            if base not in order:
                order.append(base)
                archive.file("modules/" + base, module_bytes(os.path.join(root, each)))
    archive.file("modules/order", "".join(base + "\n" for base in order))


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def module_bytes(path):
    if path.endswith(".xz"):
        return subprocess.run(["xz", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
    with open(path, "rb") as file:
        return file.read()

#!/usr/bin/env python3
"""hanging.py FOLDER MOUNT CONTROL: the file system MOUNT shows what is in FOLDER, and hangs on demand.

Calls whose names are in the file CONTROL, one a line, do not return while they are there, for two minutes at most.
A process that waits for such a call cannot be killed.
"""
import errno
import os
import sys
import time

try:
    import fusepy as fuse  # the module's name on Debian
except ImportError:
    import fuse

MAX_HANG = 120  # seconds, for a test that ended without letting the calls return


class Hanging(fuse.Operations):
    use_ns = True

    def __init__(self, folder, control):
        self.folder = folder
        self.control = control

    def __call__(self, name, path, *arguments):
        deadline = time.monotonic() + MAX_HANG
        while self.hangs(name) and time.monotonic() < deadline:
            time.sleep(0.01)
        return super().__call__(name, path, *arguments)

    def hangs(self, name):
        try:
            with open(self.control) as control:
                return name in control.read().split()
        except FileNotFoundError:
            return False

    def real(self, path):
        return self.folder + path

    def getattr(self, path, file=None):
        status = os.lstat(self.real(path))
        names = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino", "st_blocks")
        attributes = {name: getattr(status, name) for name in names}
        times = ("st_atime", "st_mtime", "st_ctime")
        return attributes | {name: getattr(status, name + "_ns") for name in times}

    def access(self, path, mode):
        if not os.access(self.real(path), mode):
            raise fuse.FuseOSError(errno.EACCES if os.path.lexists(self.real(path)) else errno.ENOENT)

    def readdir(self, path, file):
        return [".", "..", *os.listdir(self.real(path))]

    def readlink(self, path):
        return os.readlink(self.real(path))

    def mkdir(self, path, mode):
        os.mkdir(self.real(path), mode)

    def rmdir(self, path):
        os.rmdir(self.real(path))

    def unlink(self, path):
        os.unlink(self.real(path))

    def symlink(self, path, target):
        os.symlink(target, self.real(path))

    def rename(self, path, new):
        os.rename(self.real(path), self.real(new))

    def link(self, path, old):
        os.link(self.real(old), self.real(path))

    def chmod(self, path, mode):
        os.chmod(self.real(path), mode)

    def chown(self, path, user, group):
        os.chown(self.real(path), user, group)

    def utimens(self, path, times=None):
        os.utime(self.real(path), ns=times)

    def statfs(self, path):
        status = os.statvfs(self.real(path))
        names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_namemax")
        return {name: getattr(status, name) for name in names}

    def open(self, path, flags):
        return os.open(self.real(path), flags & ~os.O_APPEND)  # the kernel passes the offset of each write

    def create(self, path, mode, info=None):
        return os.open(self.real(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)

    def read(self, path, size, offset, file):
        return os.pread(file, size, offset)

    def write(self, path, data, offset, file):
        return os.pwrite(file, data, offset)

    def truncate(self, path, length, file=None):
        os.truncate(self.real(path), length)

    def fsync(self, path, only_data, file):
        os.fsync(file)

    def fsyncdir(self, path, only_data, file):
        folder = os.open(self.real(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def release(self, path, file):
        os.close(file)


folder, mount, control = sys.argv[1:]
fuse.FUSE(
    Hanging(os.path.realpath(folder), control), mount, foreground=True, allow_other=True,
    attr_timeout=0, entry_timeout=0, negative_timeout=0)  # nothing is cached, so each call comes here

"""Calls of Linux that Python has no words for. Each raises OSError as those of `os` do."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

NEW_ROOM = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Own mounts, control groups, host name, IPC, users, processes and network (CLONE_NEW..., clone(2))."""
BIND, RECURSIVE, PRIVATE, READ_ONLY, REMOUNT = 0x1000, 0x4000, 0x40000, 0x1, 0x20
NO_SET_UID, NO_DEVICES, NO_EXECUTION = 0x2, 0x4, 0x8
_DETACH = 2
_DEATH_SIGNAL, _DROP_CAPABILITY, _NO_NEW_PRIVILEGES, _AMBIENT = 1, 24, 38, 47
_CLEAR_AMBIENT = 4
_LAST_CAPABILITY = 63
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
"""Numbers of the call, for which the C library has no function (arch/*/entry/syscalls)."""
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
CAPABILITIES = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8,
    "NET_BIND_SERVICE": 10, "NET_RAW": 13, "SYS_CHROOT": 18, "MKNOD": 27, "AUDIT_WRITE": 29, "SETFCAP": 31,
}  # fmt: skip
"""Those that a container may have by default (containerd: pkg/oci, defaultUnixCaps)."""

_libc = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(kinds: int) -> None:
    """unshare(2)."""
    _done(_libc.unshare(ctypes.c_int(kinds)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    words = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _done(_libc.mount(*words), f"mount of {target}")


def change_root(new: str) -> None:
    """Makes `new`, a mount, the root, and the old one unreachable (pivot_root(2), "pivot_root(".", ".")")."""
    os.chdir(new)
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root is not known of {os.uname().machine}")
    _done(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    _done(_libc.umount2(b".", _DETACH), "umount")
    os.chdir("/")


def end_with_parent(signal: int) -> None:
    """Whoever started this process takes it along."""
    _done(_libc.prctl(_DEATH_SIGNAL, signal, 0, 0, 0), "prctl")


def keep_capabilities(kept: set[int], *, escalation: bool) -> None:
    """What this process starts has these capabilities at most, and no others by any file unless `escalation`."""
    for number in range(_LAST_CAPABILITY + 1):
        # Numbers that this kernel has not are refused.
        if number not in kept:
            _libc.prctl(_DROP_CAPABILITY, number, 0, 0, 0)
    _libc.prctl(_AMBIENT, _CLEAR_AMBIENT, 0, 0, 0)
    if not escalation:
        _done(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def loopback_up() -> None:
    """Gives a new network its 127.0.0.1 (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(asked, _GET_FLAGS, request))
        fcntl.ioctl(asked, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))

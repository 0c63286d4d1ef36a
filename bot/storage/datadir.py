"""DATA_DIR: usable, and held by one process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import DataDirError

LOCK_FILE = "handrail.lock"
NEEDED_DISK = 50 * 2**20
"""Bytes that must be free at start."""


def prepare(path: Path) -> None:
    """Make the folder usable, or say why it is not. Raises DataDirError."""
    probe = path / ".write-probe"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            probe.write_bytes(b"x" * 4096)
        finally:
            probe.unlink(missing_ok=True)
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise DataDirError(
            f"DATA_DIR {path} cannot be written: {error.strerror}. Make it writable, free some space, or set DATA_DIR "
            "to another folder."
        ) from None
    if free < NEEDED_DISK:
        raise DataDirError(
            f"DATA_DIR {path} has {free // 2**20} MB free; at least {NEEDED_DISK // 2**20} MB are needed. Free some "
            "space, or set DATA_DIR to another folder."
        )


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the folder for this process alone: two on one engine file would run the same wake-up and post twice.

    Raises DataDirError when another process has it. The lock is the system's own, so it ends with the process.
    """
    lock = FileLock(path / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DataDirError(
            f"Another Handrail is running on DATA_DIR {path}. Stop it first, or set DATA_DIR to another folder."
        ) from None
    except OSError as error:
        raise DataDirError(f"DATA_DIR {path} cannot be locked: {error.strerror}. Choose a folder that can.") from None
    try:
        yield
    finally:
        lock.release()

"""What the system says of itself, and of a process: CPU time and memory. None where it does not say (no /proc)."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> dict[str, str | int | None]:
    """Where a measurement was taken, for its report."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def cpu_seconds(pid: int) -> float | None:
    """CPU time of a process and its threads so far, user and system together."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    if len(fields) < 13:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float | None:
    """Memory that a process holds now, in MB (2**20 bytes)."""
    return _status(pid, "VmRSS")


def peak_mb(pid: int) -> float | None:
    """The most memory that it ever held, in MB."""
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> float | None:
    for line in _read(pid, "status").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return round(int(value.split()[0]) / 1024, 1)
    return None


def _read(pid: int, name: str) -> str:
    path = Path(f"/proc/{pid}/{name}")
    return path.read_text() if path.exists() else ""

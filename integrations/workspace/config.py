"""How a workspace is run."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from integrations.workspace.errors import WorkspaceError
from integrations.workspace.seed import Seed, demo_seed


@dataclass(frozen=True, slots=True)
class WorkspaceConfig:
    """Settings of one workspace. All durations are seconds of workspace time.

    ``path``: the SQLite state file; None keeps everything in memory.
    ``port``: 0 takes any free one.
    ``redelivery``: waits before the second, third and fourth attempt at an event.
    ``ack_seconds``: how long an app has to acknowledge an envelope.
    ``random_seed``: seeds the choice of sockets and the faults, so that a run can be repeated.
    """

    path: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    seed: Seed = field(default_factory=demo_seed)
    redelivery: tuple[float, ...] = (0, 60, 300)
    ack_seconds: float = 3.0
    random_seed: int = 0

    def check(self) -> None:
        """Refuse any address that other machines can reach: on the page anyone can act as anyone."""
        try:
            loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            loopback = self.host == "localhost"
        if not loopback:
            raise WorkspaceError(f"The workspace binds to this machine only (127.0.0.1, ::1), not to {self.host!r}.")
        self.seed.check()

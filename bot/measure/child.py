"""Child processes that are measured or killed. Only processes that were started here are ever ended, by their id."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.errors import HandrailError

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 120.0
STOP_WITHIN = 30.0
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")
_TAIL = 1500


class ChildFailed(HandrailError):
    """A child ended, or stayed silent, before it was ready. `tail` is the end of what it wrote to its log."""

    def __init__(self, name: str, status: int | None, tail: str) -> None:
        super().__init__(f"{name} was not ready (exit status {status}). The end of its log:\n{tail}")
        self.status = status


class Child:
    """One Python process, started in `folder` with nothing of the operator's settings in its environment."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._arguments = arguments
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        # The folder is not the checkout's, so that no .env of the operator is read.
        self._environment = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            **environment,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The running process, None when there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def log(self) -> Path:
        """What the process writes to standard error, all lives of it."""
        return self.folder / f"{self.name}.log"

    async def spawn(self) -> None:
        """Start the process; it is not ready yet."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._arguments,
                cwd=self.folder,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def line(self, within: float = READY_WITHIN) -> str:
        """The next line of its output. Raises ChildFailed when it ends or stays silent."""
        process = self._process
        if process is None or process.stdout is None:
            raise ChildFailed(self.name, None, "never started")
        try:
            async with asyncio.timeout(within):
                read = await process.stdout.readline()
        except TimeoutError:
            raise ChildFailed(self.name, None, self.tail()) from None
        if not read:
            raise ChildFailed(self.name, await process.wait(), self.tail())
        return read.decode().strip()

    async def start(self) -> None:
        """Start the process and wait for the line that says it is ready. Raises ChildFailed."""
        await self.spawn()
        await self.line()

    async def kill(self) -> None:
        """`kill -9`: nothing is said good-bye to."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to stop, as Ctrl-C does; killed when it does not within STOP_WITHIN."""
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            await self.kill()

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        await process.wait()

    async def abort(self) -> None:
        """End it so that it writes what each of its threads was doing to its log first."""
        await self._end(signal.SIGABRT)

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-_TAIL:] if self.log.exists() else ""

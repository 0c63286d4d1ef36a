"""`bench`: what Handrail costs, in one run: figures and their ratios to the least that anything could cost.

Three apps answer in the same workspace, one after another, each in a process of its own: a bare Bolt echo, an echo
through the same engine and queue, and Handrail (`python -m bot run`). The workspace runs in this process, on the same
cores, and is part of every figure; so the ratios say more than the figures. Nothing is asserted: times of shared
machines are no tests.

`--json` prints one object, `"schema": 1`; keys are only ever added within a schema:

    schema        1
    at            ISO 8601, UTC
    machine       {"python", "system", "cores"}
    apps          {"echo", "queued_echo", "handrail"}, each {"turn_p50", "turn_p99", "ack_p50", "ack_p99",
                  "busy_ack_p50", "busy_ack_p99" (ms), "per_second", "cpu_ms" (a turn), "resident_mb", "peak_mb"};
                  turn: from a person's message to the answer that everybody sees; ack: from sending an event to its
                  acknowledgement
    workflows     {"per_second", "cpu_ms"}: wake-ups of the same engine with nothing in them
    start_up      {"first", "again"}: seconds until Handrail is connected, on an empty DATA_DIR and on the same one
    memory_mb     {"interpreter", "imports", "database and engine", "embedder", "knowledge"}: resident after each
    ratios        {"turn_p50_to_echo", "turn_p50_to_queued_echo", "ack_p50_to_echo", "per_second_to_echo",
                  "per_second_to_queued_echo", "per_second_to_workflows", "cpu_to_echo", "cpu_to_queued_echo",
                  "look_up_turn_to_policy_turn", "slow_together_to_alone"}
    look_ups      {"policy_turn_p50", "look_up_turn_p50" (ms), "requests_in_a_row" (the most of any look-up),
                  "slow_alone_p50", "slow_together_p50", "slow_together_worst" (ms): with a provider that takes a second
                  for each request, one customer alone, and twenty who ask at once}
    knowledge     {"route_shipped_p50_ms", "route_shipped_p99_ms", "publish_answer_to_live_s",
                  "publish_phrasing_to_live_s", "publish_phrasing_to_whole_s", and the worst of the first two}

CPU and memory are null where the system does not tell (they are read from /proc).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.measure.child import Child, ChildFailed
from bot.measure.lookup_trial import LookupTrial
from bot.measure.process import machine
from bot.measure.scene import bot_environment, crowd, workspace
from bot.measure.trial import BURST, SAMPLES, Measured, Silent, Trial
from integrations.workspace import Workspace

Say = Callable[[str], None]

PEOPLE = 40
"""For each app."""
SCHEMA = 1


def bench(say: Say, *, as_json: bool) -> int:
    """Measure, and print a table or one JSON object; the exit status."""
    try:
        with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
            found = asyncio.run(_Bench(Path(folder), (lambda _: None) if as_json else say).run())
    except (ChildFailed, Silent) as error:
        say(f"FAILED: {error}")
        return 1
    if as_json:
        say(json.dumps(found, indent=2))
    else:
        _table(say, found)
    return 0


class _Bench:
    def __init__(self, folder: Path, progress: Say) -> None:
        self._folder = folder
        self._progress = progress

    async def run(self) -> dict[str, Any]:
        people = crowd(3 * PEOPLE)
        async with workspace(people) as ws:
            ids = [person.id for person in people]
            # Handrail first: it would catch up with what was written to the others.
            start_up, handrail = await self._handrail(ws, ids[2 * PEOPLE :])
            echo = await self._measured(ws, self._echo(ws, "bare"), ids[:PEOPLE])
            queued = await self._measured(ws, self._echo(ws, "queued"), ids[PEOPLE : 2 * PEOPLE])
        workflows = await self._part("workflows")
        self._progress("measuring look-ups …")
        look_ups = await LookupTrial(self._own("look-ups")).run()
        return {
            "schema": SCHEMA,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "apps": {
                "echo": _rounded(dataclasses.asdict(echo)),
                "queued_echo": _rounded(dataclasses.asdict(queued)),
                "handrail": _rounded(dataclasses.asdict(handrail)),
            },
            "workflows": _rounded(workflows),
            "start_up": _rounded(start_up),
            "memory_mb": await self._part("memory"),
            "knowledge": await self._part("knowledge"),
            "look_ups": _rounded(look_ups),
            "ratios": _rounded(_ratios(echo, queued, handrail, workflows) | _of_look_ups(look_ups)),
        }

    async def _measured(self, ws: Workspace, child: Child, people: list[str]) -> Measured:
        self._progress(f"measuring {child.name} …")
        await child.start()
        try:
            return await Trial(ws, child, people).run()
        finally:
            await child.stop()

    async def _handrail(self, ws: Workspace, people: list[str]) -> tuple[dict[str, float], Measured]:
        folder = self._own("handrail")
        child = Child("handrail", ("-m", "bot", "run"), bot_environment(ws, folder, None, "bench"), folder)
        started: dict[str, float] = {}
        for name in ("first", "again"):
            began = time.perf_counter()
            await child.start()
            started[name] = time.perf_counter() - began
            await child.stop()
        return started, await self._measured(ws, child, people)

    def _echo(self, ws: Workspace, kind: str) -> Child:
        folder = self._own(f"{kind}-echo")
        environment = {
            "ECHO_BOT_TOKEN": ws.bot_token,
            "ECHO_APP_TOKEN": ws.app_token,
            "SLACK_API_URL": ws.api_url,
            "DATA_DIR": str(folder),
        }
        return Child(folder.name, ("-m", "bot.measure.echo", kind), environment, folder)

    async def _part(self, what: str) -> dict[str, float | None]:
        self._progress(f"measuring {what} …")
        folder = self._own(what)
        child = Child(what, ("-m", "bot.measure.parts", what), {"DATA_DIR": str(folder)}, folder)
        await child.spawn()
        try:
            found: dict[str, float | None] = json.loads(await child.line())
        finally:
            await child.stop()
        return found

    def _own(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder


def _ratios(
    echo: Measured, queued: Measured, handrail: Measured, workflows: Mapping[str, float | None]
) -> dict[str, float | None]:
    return {
        "turn_p50_to_echo": _ratio(handrail.turn_p50, echo.turn_p50),
        "turn_p50_to_queued_echo": _ratio(handrail.turn_p50, queued.turn_p50),
        "ack_p50_to_echo": _ratio(handrail.ack_p50, echo.ack_p50),
        "per_second_to_echo": _ratio(handrail.per_second, echo.per_second),
        "per_second_to_queued_echo": _ratio(handrail.per_second, queued.per_second),
        "per_second_to_workflows": _ratio(handrail.per_second, workflows["per_second"]),
        "cpu_to_echo": _ratio(handrail.cpu_ms, echo.cpu_ms),
        "cpu_to_queued_echo": _ratio(handrail.cpu_ms, queued.cpu_ms),
    }


def _of_look_ups(found: Mapping[str, float]) -> dict[str, float | None]:
    return {
        "look_up_turn_to_policy_turn": _ratio(found["look_up_turn_p50"], found["policy_turn_p50"]),
        "slow_together_to_alone": _ratio(found["slow_together_p50"], found["slow_alone_p50"]),
    }


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None


def _rounded(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 2) for name, value in values.items()}


def _table(say: Say, found: Mapping[str, Any]) -> None:
    machine, apps = found["machine"], found["apps"]
    say(f"\n{found['at']}  Python {machine['python']}, {machine['system']}, {machine['cores']} cores")
    say(f"{SAMPLES} single turns, then {BURST} at once in {PEOPLE} conversations; the workspace shares the cores\n")
    say(f"{'':<28}{'echo':>12}{'queued echo':>14}{'Handrail':>12}")
    for key, name in (
        ("turn_p50", "turn p50, ms"),
        ("turn_p99", "turn p99, ms"),
        ("ack_p50", "ack p50, ms"),
        ("ack_p99", "ack p99, ms"),
        ("busy_ack_p50", "ack p50 when busy, ms"),
        ("busy_ack_p99", "ack p99 when busy, ms"),
        ("per_second", "turns/s"),
        ("cpu_ms", "CPU a turn, ms"),
        ("resident_mb", "memory after, MB"),
        ("peak_mb", "most memory, MB"),
    ):
        echo, queued, ours = (_shown(apps[app][key]) for app in ("echo", "queued_echo", "handrail"))
        say(f"{name:<28}{echo:>12}{queued:>14}{ours:>12}")
    empty = found["workflows"]
    say(f"\nempty workflows/s           {_shown(empty['per_second']):>12}, CPU of each {_shown(empty['cpu_ms'])} ms")
    say(f"start-up, s                 {_shown(found['start_up']['first']):>12}, again {found['start_up']['again']}")
    say("knowledge                   " + ", ".join(f"{part} {_shown(n)}" for part, n in found["knowledge"].items()))
    say("look-ups                    " + ", ".join(f"{part} {_shown(n)}" for part, n in found["look_ups"].items()))
    say("memory by part, MB          " + ", ".join(f"{part} {_shown(mb)}" for part, mb in found["memory_mb"].items()))
    say("\nratios of this run")
    for name, ratio in found["ratios"].items():
        say(f"  {name.replace('_', ' '):<26}{_shown(ratio):>12}")


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

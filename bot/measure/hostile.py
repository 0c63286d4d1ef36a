"""Hostile callers: people who ask for other people's money, in thousands of generated questions. 0 rows of anybody
else, 0 writes, and no word that tells somebody else's id from one that does not exist, or it fails.

`make chaos` does this at its end; `python -m bot.measure.hostile [QUESTIONS [THROUGH SLACK [SEED]]]` alone.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.measure.hostile_service import through_service
from bot.measure.hostile_slack import through_slack
from bot.measure.hostile_tally import Tally
from bot.telemetry import configure_logging

QUESTIONS: Final = 10_000
THROUGH_SLACK: Final = 200
SHOWN: Final = 10

Say = Callable[[str], None]


def hostile(say: Say, *, questions: int, slack: int, seed: int) -> int:
    """Ask so many questions through the service, and so many through Slack, and print the figures; the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-hostile-"))
    say(f"hostile callers: {questions} questions through the service, {slack} through Slack, seed {seed}")
    service = asyncio.run(through_service(questions, seed, _made(folder / "service")))
    _print(say, "through the service", service)
    workspace = asyncio.run(through_slack(slack, seed, _made(folder / "slack")))
    _print(say, "through Slack", workspace)
    if not (service.good and workspace.good):
        say(f"FAILED. The data are kept in {folder}.")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _print(say: Say, where: str, tally: Tally) -> None:
    say(f"  {where:<32} {tally.asked} in {tally.seconds:.0f} s, {tally.requests} requests to Stripe")
    if tally.twins:
        say(f"    {'asked again about nobody':<30} {tally.twins}")
    for outcome, count in tally.outcomes.most_common():
        say(f"    {outcome:<30} {count}")
    for name, problems in tally.faults.items():
        say(f"  {name.upper():<32} {len(problems)}")
        for problem in problems[:SHOWN]:
            say(f"      {problem}")


if __name__ == "__main__":
    configure_logging("ERROR", stream=sys.stderr)
    given = [int(one) for one in sys.argv[1:]]
    questions, slack, seed = (*given, *(QUESTIONS, THROUGH_SLACK, 1)[len(given) :])
    sys.exit(hostile(lambda line: print(line, flush=True), questions=questions, slack=slack, seed=seed))

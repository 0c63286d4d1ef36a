"""`eval`: how well questions are answered, measured through the same decisions that customers get.

Asked is `bot.services.asking.ask` over what is published, else over the shipped articles, as `python -m bot ask` does.
Without `--questions` it asks the project's own set (tests/eval/*.jsonl, its format is in `bot.measure.questions`) and,
where its file is, Banking77. The targets are for the own set, all of its files together: the exit status is 0 when
they hold and 1 when not. With `--questions` it is 0.

No question is ever learnt from, by the head or by calibration; `also_phrasings` counts those that an author of articles
has written word for word, which measure nothing.

`--json` prints one object, `"schema": 1`; keys are only ever added within a schema:

    schema        1
    at            ISO 8601, UTC
    machine       {"python", "system", "cores"}
    knowledge     {"publication", "articles", "embeddings"}: the number, how many, and whether there is an embedder
    targets_hold  true, false, or null when there was no own set
    notes         what was left out, and why
    sets          by name ("own", or "questions" for a file that was named; "banking77"), each:
        all, groups          figures in all, and by file or intent: {"ours", "not_ours"} counts by outcome (see
                             `bot.measure.outcomes`), {"shares"} of those that targets are about, null of nothing
        targets              [{"name", "limit", "at_least", "value", "holds"}]
        articles             by article: counts by outcome, "said_wrongly"
        confusion            {"said", "first"}: [{"expected", "came", "count"}]
        thresholds, curve    [{"threshold", "answered", "not_ours_answered", "precision"}]
        calibration          see `bot.measure.confidence.calibration`
        also_phrasings       how many questions are phrasings word for word
        ms                   {"p50", "p99"} of a question
        wrong                [{"question" (redacted), "place", "right", "said", "action", "confidence"}]
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.ask import open_published
from bot.measure import scorecard
from bot.measure.banking77 import BANKING77, RIGHT, SOURCE, USUAL_FILE, read_banking77, uncovered
from bot.measure.confidence import THRESHOLDS, at_threshold, calibration, curve
from bot.measure.outcomes import TARGETS, Asked, Figures, by_article, by_group, confusion
from bot.measure.process import machine
from bot.measure.questions import Question, own_files, read_questions, require_published
from bot.measure.trial import percentile
from bot.ports import Knowledge
from bot.services.asking import ask

if TYPE_CHECKING:
    from bot.settings import Settings
    from knowledge.service import LiveKnowledge

Say = Callable[[str], None]

SCHEMA = 1
OWN_SET, GIVEN_SET = "own", "questions"


async def evaluate(
    settings: Settings, say: Say, *, questions: Path | None, banking77: Path | None, as_json: bool
) -> int:
    """Ask everything, print a report or one JSON object; the exit status. Raises UsageError."""
    if questions is None:
        sets = {OWN_SET: [question for path in own_files() for question in read_questions(path)]}
    else:
        sets = {GIVEN_SET: read_questions(questions)}
    progress: Say = (lambda _: None) if as_json else say
    progress("reading the articles …")
    knowledge = await open_published(settings)
    try:
        for asked in sets.values():
            require_published(asked, published(knowledge))
        notes = _add_banking77(sets, knowledge, banking77, wanted=questions is None)
        found = await _measured(sets, notes, knowledge, progress)
    finally:
        knowledge.close()
    if as_json:
        say(json.dumps(found, indent=2))
    else:
        scorecard.report(say, found)
    return 1 if found["targets_hold"] is False else 0


def published(knowledge: Knowledge) -> frozenset[str]:
    """The ids of what is published."""
    return frozenset(revision.article.id for revision in knowledge.publication.revisions)


def _add_banking77(
    sets: dict[str, list[Question]], knowledge: Knowledge, path: Path | None, *, wanted: bool
) -> list[str]:
    """Add Banking77's questions where they can be had; what is to be said about that."""
    if path is None and not wanted:
        return []
    if path is None and not USUAL_FILE.is_file():
        return ["Banking77 was left out: its file is not there. Name it with --banking77 FILE."]
    known = published(knowledge)
    skipped = uncovered(known)
    if path is None and len(skipped) == len(RIGHT):
        return ["Banking77 was left out: no published article covers any of its intents."]
    sets[BANKING77] = read_banking77(path or USUAL_FILE, known)
    notes = [f"Banking77 is for measuring only. Source: {SOURCE}."]
    if skipped:
        notes.append(f"Banking77's intents that no published article covers were left out: {', '.join(skipped)}.")
    return notes


async def _measured(
    sets: Mapping[str, Sequence[Question]], notes: list[str], knowledge: LiveKnowledge, progress: Say
) -> dict[str, Any]:
    promised = _promised()
    if knowledge.by_words_only:
        notes.append("There is no embedder here: questions are matched by their words only.")
    found = {}
    for name, questions in sets.items():
        progress(f"asking {len(questions)} questions: {name} …")
        found[name] = measures(await asked_all(questions, knowledge), knowledge, promised)
    own = found.get(OWN_SET)
    return {
        "schema": SCHEMA,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "knowledge": {
            "publication": knowledge.publication.number,
            "articles": len(knowledge.publication.revisions),
            "embeddings": not knowledge.by_words_only,
        },
        "targets_hold": None if own is None else all(target["holds"] for target in own["targets"]),
        "notes": notes,
        "sets": found,
    }


def _promised() -> float:
    from knowledge.calibration import PRECISION

    return float(PRECISION)


async def asked_all(questions: Sequence[Question], knowledge: Knowledge) -> list[Asked]:
    """Ask each question as the first message of a new conversation, one after another."""
    found = []
    for question in questions:
        began = time.perf_counter()
        said = await ask(question.text, knowledge)
        found.append(Asked(question, said, 1000 * (time.perf_counter() - began)))
    return found


def measures(asked: Sequence[Asked], knowledge: Knowledge, promised: float) -> dict[str, Any]:
    """All figures of one set, as in the module's docstring."""
    figures = Figures.of(asked)
    shares = figures.shares()
    times = [one.ms for one in asked]
    return {
        "all": figures.to_json(),
        "groups": by_group(asked),
        "targets": [
            {
                "name": target.name,
                "limit": target.limit,
                "at_least": target.at_least,
                "value": shares[target.name],
                "holds": target.held_by(shares),
            }
            for target in TARGETS
        ],
        "articles": by_article(asked),
        "confusion": {"said": confusion(asked, first=False), "first": confusion(asked, first=True)},
        "thresholds": [at_threshold(asked, threshold).to_json() for threshold in THRESHOLDS],
        "curve": [point.to_json() for point in curve(asked)],
        "calibration": calibration(asked, promised),
        "also_phrasings": _also_phrasings(asked, knowledge),
        "ms": {"p50": round(percentile(times, 50), 2), "p99": round(percentile(times, 99), 2)},
        "wrong": [_wrong(one) for one in sorted(asked, key=lambda one: -one.said.confidence) if one.bad],
    }


def _also_phrasings(asked: Sequence[Asked], knowledge: Knowledge) -> int:
    """How many questions differ from some article's phrasing in case and punctuation at most."""
    from knowledge.text import same_words

    phrasings = {
        same_words(text) for revision in knowledge.publication.revisions for text in revision.article.questions
    }
    return sum(same_words(one.question.text) in phrasings for one in asked)


def _wrong(one: Asked) -> dict[str, Any]:
    return {
        "question": one.said.question,
        "place": one.question.place,
        "right": list(one.question.right),
        "said": one.shown,
        "action": one.said.action,
        "confidence": one.said.confidence,
    }

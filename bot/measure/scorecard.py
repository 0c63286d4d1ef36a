"""The report of `eval` for people: tables of one document (see `bot.measure.evaluate`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bot.ask import printable
from bot.measure.banking77 import BANKING77
from bot.measure.confidence import Point, plot

Say = Callable[[str], None]

MOST_PAIRS: Final = 25
MOST_WRONG: Final = 60
"""Lines of a list; the rest is in the JSON."""

_WORDS: Final = {
    "right": "ours: right",
    "right_or_offered": "ours: right or offered",
    "wrong": "ours: wrong",
    "not_ours_answered": "not ours: answered",
}
_OURS: Final = ("right", "offered", "asked_back", "handed_over", "wrong")
_NOT_OURS: Final = ("answered", "asked_back", "handed_over", "small_talk")


def report(say: Say, found: Mapping[str, Any]) -> None:
    """Say everything."""
    machine, known = found["machine"], found["knowledge"]
    say(f"\n{found['at']}  Python {machine['python']}, {machine['system']}, {machine['cores']} cores")
    say(f"publication {known['publication']}, {known['articles']} articles")
    for note in found["notes"]:
        say(note)
    for name, one in found["sets"].items():
        _set(say, name, one)
    if found["targets_hold"] is not None:
        say(f"\nThe targets of the own set {'hold' if found['targets_hold'] else 'do NOT hold'}.")


def _set(say: Say, name: str, one: Mapping[str, Any]) -> None:
    say(f"\n\n==== {name} ====\n")
    _targets(say, one["targets"], judged=name != BANKING77)
    _groups(say, one)
    _articles(say, one["articles"])
    _confusion(say, "wrongly said", one["confusion"]["said"])
    _confusion(say, "first candidate, said or not", one["confusion"]["first"])
    _coverage(say, one)
    _calibration(say, one["calibration"])
    say(f"\na question took {one['ms']['p50']} ms (p50), {one['ms']['p99']} ms (p99)")
    if one["also_phrasings"]:
        say(f"{one['also_phrasings']} questions are phrasings of an article word for word: they measure nothing")
    _wrong(say, one["wrong"])


def _targets(say: Say, targets: Sequence[Mapping[str, Any]], *, judged: bool) -> None:
    for target in targets:
        if not judged:  # a bank's customers: the targets are for questions of our own
            say(f"{_WORDS[target['name']]:<26}{_percent(target['value']):>8}")
            continue
        limit = f"{'≥' if target['at_least'] else '≤'} {target['limit']:.0%}"
        held = "" if target["holds"] else "   missed" if target["value"] is not None else "   not measured"
        say(f"{_WORDS[target['name']]:<26}{_percent(target['value']):>8}   target {limit:>6}{held}")


def _groups(say: Say, one: Mapping[str, Any]) -> None:
    groups = {"in all": one["all"], **(one["groups"] if len(one["groups"]) > 1 else {})}
    for kind, columns in (("ours", _OURS), ("not_ours", _NOT_OURS)):
        rows = {name: figures[kind] for name, figures in groups.items() if figures[kind]["count"]}
        if rows:
            _table(say, kind.replace("_", " "), ("count", *columns), rows)
    if beside := one["all"]["right_with_others_beside"]:
        say(f"of the right ones, {beside} said another article as well")


def _articles(say: Say, articles: Mapping[str, Mapping[str, int]]) -> None:
    if articles:
        _table(say, "by article", ("count", *_OURS, "said_wrongly"), articles)


def _table(say: Say, title: str, columns: Sequence[str], rows: Mapping[str, Mapping[str, int]]) -> None:
    width = max(24, *(len(name) for name in rows)) + 2
    say(f"\n{title:<{width}}" + "".join(f"{column.replace('_', ' '):>13}" for column in columns))
    for name, row in rows.items():
        say(f"{name:<{width}}" + "".join(f"{row[column] or '·':>13}" for column in columns))


def _confusion(say: Say, title: str, pairs: Sequence[Mapping[str, Any]]) -> None:
    if not pairs:
        return
    say(f"\nexpected → {title}")
    for pair in pairs[:MOST_PAIRS]:
        say(f"{pair['count']:>4}  {pair['expected']} → {pair['came']}")
    _more(say, len(pairs) - MOST_PAIRS)


def _coverage(say: Say, one: Mapping[str, Any]) -> None:
    say("\nif everything from this confidence on were answered (what rules decide left out)")
    say(f"{'confidence':>10}{'ours answered':>16}{'not ours answered':>20}{'of answers right':>19}")
    for row in one["thresholds"]:
        shares = (_percent(row[key]) for key in ("answered", "not_ours_answered", "precision"))
        answered, others, precision = shares
        say(f"{row['threshold']:>10}{answered:>16}{others:>20}{precision:>19}")
    points = [Point(**point) for point in one["curve"]]
    for line in plot(points):
        say(line)


def _calibration(say: Say, found: Mapping[str, Any]) -> None:
    say(
        f"\nhigh band: promised {_percent(found['promised'])} right; measured {_percent(found['measured'])} of "
        f"{found['high_count']}, {_percent(found['measured_ours'])} of ours alone"
    )
    say(f"{found['decided_by_rule']} were decided by rule; expected calibration error {_percent(found['error'])}")
    say(f"{'confidence':>12}{'questions':>12}{'mean':>10}{'right':>10}")
    for one in found["bins"]:
        span = f"{one['from']:.1f} – {one['from'] + 0.1:.1f}"
        say(f"{span:>12}{one['count']:>12}{_percent(one['confidence']):>10}{_percent(one['right']):>10}")


def _wrong(say: Say, wrong: Sequence[Mapping[str, Any]]) -> None:
    if not wrong:
        say("\nnothing was wrongly said")
        return
    say(f"\nwrongly said: {len(wrong)}, the surest first")
    for one in wrong[:MOST_WRONG]:
        right = ", ".join(one["right"]) or "not ours"
        say(printable(f"{one['confidence']:>7.3f}  {one['question']}".replace("\n", " ")))
        say(printable(f"{'':>9}said: {one['said']}; right: {right} ({one['place']})"))
    _more(say, len(wrong) - MOST_WRONG)


def _more(say: Say, count: int) -> None:
    if count > 0:
        say(f"      … and {count} more (--json lists all)")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"

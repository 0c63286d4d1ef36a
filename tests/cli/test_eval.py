"""`eval`: questions asked as customers ask them, counted, and what is wrong with a question file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.measure import scorecard
from bot.measure.banking77 import RIGHT, read_banking77, uncovered
from bot.measure.evaluate import asked_all, evaluate, measures, published
from bot.measure.questions import OWN, Question, read_questions, require_published
from knowledge.calibration import PRECISION
from knowledge.loader import shipped
from tests.cli.conftest import command, environment, settings_in, tree
from tests.fakes.engine import knowledge

TEN = [
    ("about my refund", ["refund"]),
    ("perhaps a thing", ["pending"]),
    ("perhaps another", ["stolen"]),
    ("my card was stolen", ["refund"]),
    ("nothing that fits here", ["pending"]),
    ("i want a human", ["talk-to-person"]),
    ("hello", ["refund"]),
    ("the weather and a refund", []),
    ("hi there", []),
    ("what about my 4242 4242 4242 4242 refund", ["pending"]),
]


def questions_file(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def ten(folder: Path) -> list[Question]:
    lines = [{"question": text, "right": right} for text, right in TEN]
    return read_questions(questions_file(folder / "ten.jsonl", *lines))


# ---- asking and counting ---------------------------------------------------------------------------------------


async def test_questions_are_counted_as_customers_are_answered(tmp_path: Path) -> None:
    known = knowledge()
    questions = ten(tmp_path)
    require_published(questions, published(known))
    found = measures(await asked_all(questions, known), known, 0.97)
    assert found["all"]["ours"] == {
        "count": 8, "right": 2, "offered": 1, "asked_back": 1, "handed_over": 1, "wrong": 3
    }  # fmt: skip
    assert found["all"]["not_ours"]["answered"] == 1
    assert found["all"]["not_ours"]["small_talk"] == 1
    assert found["calibration"]["decided_by_rule"] == 3
    assert [target["holds"] for target in found["targets"]] == [False] * 4
    assert {pair["came"] for pair in found["confusion"]["said"]} == {"refund", "stolen", "small talk: greeting"}
    assert "4242" not in json.dumps(found)
    assert [one["place"].rpartition(" ")[2] for one in found["wrong"]] == ["7", "4", "8", "10"]


async def test_the_report_shows_every_part(tmp_path: Path, said: list[str]) -> None:
    known = knowledge()
    questions = [*ten(tmp_path), Question("about\x1b[31m refund", (), "second.jsonl", "second.jsonl, line 1")]
    document = {
        "at": "2026-01-01",
        "machine": {"python": "3", "system": "Linux", "cores": 2},
        "knowledge": {"publication": 1, "articles": 4, "embeddings": True},
        "targets_hold": False,
        "notes": ["Banking77 was left out"],
        "sets": {"own": json.loads(json.dumps(measures(await asked_all(questions, known), known, 0.97)))},
    }
    scorecard.report(said.append, document)
    text = "\n".join(said)
    for part in ("target  ≥ 85%   missed", "by article", "wrongly said", "high band: promised 97.0%", "•", "p99",
                 "Banking77 was left out", "second.jsonl", "do NOT hold"):  # fmt: skip
        assert part in text
    assert "\x1b" not in text
    assert "4242" not in text


async def test_an_installation_is_measured_and_left_as_it_is(started: Path, tmp_path: Path, said: list[str]) -> None:
    file = questions_file(
        tmp_path / "mine.jsonl",
        {"question": "how long does a refund take", "right": ["refund-timing"], "note": "a phrasing"},
        {"question": "What's the capital of France?", "right": []},
    )
    before = tree(started)
    status = await evaluate(settings_in(started), said.append, questions=file, banking77=None, as_json=True)
    assert status == 0
    assert tree(started) == before
    (text,) = said
    found = json.loads(text)
    assert (found["schema"], found["targets_hold"], list(found["sets"])) == (1, None, ["questions"])
    mine = found["sets"]["questions"]
    assert list(mine["groups"]) == ["mine.jsonl"]
    assert mine["all"]["ours"]["right"] == 1
    assert mine["all"]["not_ours"]["answered"] == 0
    assert mine["also_phrasings"] == 1
    assert mine["calibration"]["promised"] == PRECISION


def test_the_own_set_is_well_formed() -> None:
    known = {article.id for article in shipped()}
    for path in OWN.glob("*.jsonl"):
        require_published(read_questions(path), known)


# ---- what is wrong with a file ---------------------------------------------------------------------------------

GOOD = b'{"question": "where is it", "right": []}\n\n'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "mine.jsonl holds no questions"),
        (b"\n \n", "mine.jsonl holds no questions"),
        (GOOD + b"where is it", "mine.jsonl, line 3: this is not JSON"),
        (GOOD + b"[" * 100_000, "mine.jsonl, line 3: this is not JSON"),
        (GOOD + b'["where"]', "line 3: this is not an object"),
        (GOOD + b'{"right": []}', "line 3: `question` must be a text"),
        (GOOD + b'{"question": " ", "right": []}', "line 3: `question` must be a text"),
        (GOOD + b'{"question": "where"}', "line 3: `right` must be a list of article ids"),
        (GOOD + b'{"question": "where", "right": "refund"}', "line 3: `right` must be a list of article ids"),
        (GOOD + b'{"question": "where", "right": [1]}', "line 3: `right` must be a list of article ids"),
        (GOOD + b'{"question": "caf\xe9", "right": []}', "line 3: this is not UTF-8"),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_questions(path)
    assert expected in str(caught.value)


def test_an_article_that_is_not_published_is_named_with_its_line(tmp_path: Path) -> None:
    path = questions_file(
        tmp_path / "mine.jsonl", {"question": "a", "right": ["refund"]}, {"question": "b", "right": ["refund", "refnd"]}
    )
    with pytest.raises(UsageError, match=r"mine\.jsonl, line 2: the article 'refnd' in `right` is not published"):
        require_published(read_questions(path), {"refund"})


def test_the_command_says_what_is_wrong_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("nowhere", "folder"):
        result = subprocess.run(
            command("eval", "--questions", name),
            cwd=tmp_path,
            env=environment(tmp_path / "data"),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 2
        assert result.stderr.startswith(f"handrail: The question file {name} cannot be read: ".encode())
        assert result.stderr.count(b"\n") == 1


# ---- Banking77 -------------------------------------------------------------------------------------------------


def test_banking77_asks_the_intents_that_an_article_covers(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(
        "text,category\n"
        '"where is it,\nmy refund",Refund_not_showing_up\n'
        "top up,pending_top_up\n"
        "charged twice,transaction_charged_twice\n"
        "i want it back,request_refund\n",
        encoding="utf-8",
    )
    found = read_banking77(path, {"refund-timing", "refund-request", "refund-policy"})
    assert [(one.text, one.right, one.group) for one in found] == [
        ("where is it,\nmy refund", ("refund-timing",), "Refund_not_showing_up"),
        ("i want it back", ("refund-request", "refund-policy"), "request_refund"),
    ]
    assert found[1].place == "train.csv, line 6"
    assert len(uncovered({"refund-timing"})) == len(RIGHT) - 1


@pytest.mark.parametrize(
    "content", [b"", b"question,label\na,b\n", b"text,category\na,b\n", b"text,category\n\xff,b\n"]
)
def test_another_file_than_banking77_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"train\.csv.*Is it Banking77's"):
        read_banking77(path, {"refund-timing"})
    with pytest.raises(UsageError, match="cannot be read"):
        read_banking77(tmp_path / "nowhere", {"refund-timing"})

"""`knowledge check|import|export`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.app import SystemClock, open_stores
from bot.articles import check, explain, explained, export, publish
from bot.domain.routing import Band, Candidate, Routing
from bot.errors import UsageError
from bot.services.asking import Asking
from bot.storage import datadir
from bot.storage.reading import publication_in, reading
from knowledge.index import Explanation
from knowledge.service import LiveKnowledge
from tests.cli.conftest import command, environment, settings_in, tree

AWKWARD = """---
id: awkward
title: "Colons: and 'quotes', “curly”, # hash"
action: handoff
priority: high
audience: customer
questions: ["why?", "- dash", "yes", "1", "null: no", "{brace", "ärger mit ümläuten 🤷"]
answer: |
  ## Not a heading
  --- not the end

    indented, with a trailing space\u0020

  last
effective_from: 2026-01-01
review_by: 2027-01-01
sources: ["a: b", "2026-01-01"]
---

## First: heading

Text with `code`, *stars* and

- a list

## Second

One line.
"""


def test_shipped_articles_are_well(said: list[str]) -> None:
    assert check(None, said.append) == 0
    assert said[-1].endswith("articles, nothing wrong.")


def test_check_lists_every_problem_of_every_file(articles_folder: Path, said: list[str]) -> None:
    (articles_folder / "nothing.md").write_text("no front matter")
    (articles_folder / "latin.md").write_bytes(b"---\nid: caf\xe9\n")
    (articles_folder / "folder.md").mkdir()
    receipts = articles_folder / "receipts.md"
    receipts.write_text(receipts.read_text().replace("action: answer", "action: maybe").replace("\nid: ", "\nid: x-"))
    assert check(articles_folder, said.append) == 1
    assert {line.split(":")[0] for line in said} == {"nothing.md", "latin.md", "folder.md", "receipts.md"}
    assert len([line for line in said if line.startswith("receipts.md")]) == 2


def test_check_names_file_line_and_field_of_all_that_has_a_place(articles_folder: Path, said: list[str]) -> None:
    receipts = articles_folder / "receipts.md"
    text = receipts.read_text().replace("priority: normal", "priority: urgent").replace("\n## ", "\n{{nobody}}\n## ", 1)
    receipts.write_text(text.replace("review_by: ", "review_by: 1").replace("audience: customer\n", ""))
    lines = text.replace("audience: customer\n", "").split("\n")
    review_by = next(at for at, line in enumerate(lines, 1) if line.startswith("review_by"))
    nobody = lines.index("{{nobody}}") + 1
    assert check(articles_folder, said.append) == 1
    assert [line.split(": ")[:3] for line in said] == [
        ["receipts.md", "line 1", "audience"],
        ["receipts.md", "line 5", "priority"],
        ["receipts.md", f"line {review_by}", "review_by"],
        ["receipts.md", f"line {nobody}", "sections"],
    ]


@pytest.mark.parametrize("name", ["nowhere", "a-file"])
def test_a_folder_that_cannot_be_read_is_said_in_one_line(tmp_path: Path, said: list[str], name: str) -> None:
    (tmp_path / "a-file").write_text("text")
    with pytest.raises(UsageError, match=name):
        check(tmp_path / name, said.append)


def test_an_empty_folder_is_no_knowledge(tmp_path: Path, said: list[str]) -> None:
    assert check(tmp_path, said.append) == 1


async def test_import_says_what_is_new_changed_removed_and_same(
    tmp_path: Path, articles_folder: Path, said: list[str]
) -> None:
    settings = settings_in(tmp_path / "data")
    assert await publish(settings, articles_folder, said.append) == 0
    names = sorted(path.stem for path in articles_folder.glob("*.md"))
    assert said[0] == f"new:     {', '.join(names)}"
    assert said[-1].startswith("Publication 1 is live.")

    said.clear()
    (articles_folder / "receipts.md").unlink()
    (articles_folder / "awkward.md").write_text(AWKWARD)
    update = articles_folder / "update-card.md"
    update.write_text(update.read_text().replace("answer: |\n", "answer: |\n  Now.\n\n"))
    assert await publish(settings, articles_folder, said.append) == 0
    assert said[:3] == ["new:     awkward", "changed: update-card", "removed: receipts"]
    assert said[3] == f"same:    {', '.join(name for name in names if name not in ('receipts', 'update-card'))}"
    assert said[-1].startswith("Publication 2 is live.")

    said.clear()
    assert await publish(settings, articles_folder, said.append) == 0
    assert said[-1] == "Nothing changed: publication 2 stays."


async def test_a_broken_folder_changes_nothing(started: Path, articles_folder: Path, said: list[str]) -> None:
    (articles_folder / "nothing.md").write_text("no front matter")
    before = tree(started)
    assert await publish(settings_in(started), articles_folder, said.append) == 1
    assert said[-1] == "Nothing was published."
    assert tree(started) == before


async def test_import_of_an_export_changes_nothing(tmp_path: Path, articles_folder: Path, said: list[str]) -> None:
    settings = settings_in(tmp_path / "data")
    (articles_folder / "awkward.md").write_text(AWKWARD)
    assert await publish(settings, articles_folder, said.append) == 0
    before = tree(tmp_path / "data")
    assert await export(settings, tmp_path / "new" / "export", said.append) == 0
    assert tree(tmp_path / "data") == before
    assert len(list((tmp_path / "new" / "export").iterdir())) == len(list(articles_folder.glob("*.md")))
    said.clear()
    assert await publish(settings, tmp_path / "new" / "export", said.append) == 0
    assert said[-1] == "Nothing changed: publication 1 stays."


async def test_export_before_a_first_start_gives_the_shipped_articles(tmp_path: Path, said: list[str]) -> None:
    assert await export(settings_in(tmp_path / "data"), tmp_path / "export", said.append) == 0
    assert check(tmp_path / "export", said.append) == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("target", ["full", "full/file", "full/file/below"])
async def test_export_overwrites_nothing(tmp_path: Path, said: list[str], target: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises(UsageError):
        await export(settings_in(tmp_path / "data"), tmp_path / target, said.append)
    assert tree(tmp_path / "full").keys() == {"file"}


async def test_a_running_bot_takes_an_import_up(started: Path, articles_folder: Path, said: list[str]) -> None:
    """The lock is the bot's, and the import goes on beside it."""
    with datadir.held(started):
        async with open_stores(settings_in(started), SystemClock()) as stores:
            knowledge = LiveKnowledge(stores.articles, stores.articles, None)
            await knowledge.refresh()
            (articles_folder / "receipts.md").unlink()
            assert await publish(settings_in(started), articles_folder, said.append) == 0
            assert await knowledge.refresh()
            assert knowledge.revision("receipts") is None
            knowledge.close()


async def test_import_where_nothing_can_be_written_is_said_in_one_line(
    tmp_path: Path, articles_folder: Path, said: list[str]
) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(UsageError, match="DATA_DIR"):
        await publish(settings_in(tmp_path / "data"), articles_folder, said.append)


async def test_import_and_reading_on_postgres(
    tmp_path: Path, postgres_url: str, articles_folder: Path, said: list[str]
) -> None:
    settings = settings_in(tmp_path / "data", database_url=postgres_url)
    async with reading(postgres_url, tmp_path) as engine:
        assert (await publication_in(engine)).number == 0
    assert await publish(settings, articles_folder, said.append) == 0
    async with reading(postgres_url, tmp_path) as engine:
        assert engine is not None
        assert (await publication_in(engine)).number == 1
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError, match="read-only"):
                await connection.execute(text("DELETE FROM publications"))
    assert not (tmp_path / "data").exists()


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    result = subprocess.run(
        command("knowledge", "import", "nowhere"),
        cwd=tmp_path,
        env=environment(tmp_path / "data"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == b"handrail: There is no folder nowhere.\n"


# ---- explain ---------------------------------------------------------------------------------------------------


async def test_explain_says_what_would_be_said_and_why(started: Path, said: list[str]) -> None:
    before = tree(started)
    assert await explain(settings_in(started), "how long does a refund take", said.append) == 0
    assert said[:3] == [
        "question    how long does a refund take",
        "action      answer: refund-timing",
        "because     an article fits",
    ]
    assert said[4].endswith(", high band")
    assert said[5].startswith("thresholds  answer from 0.")
    assert any(line.split()[:1] == ["1"] and "refund-timing: How long" in line for line in said)
    assert any(line.split()[0] == "1.000" and line.endswith("[refund-timing]") for line in said if line.strip())
    said.clear()
    assert await explain(settings_in(started), "\x1b[31m I want a human", said.append) == 0
    assert said[0] == "question    \ufffd[31m I want a human"
    assert said[1] == "action      call a person: talk-to-person"
    assert said[2] == "because     asked for a person, by rule: retrieval did not decide"
    assert tree(started) == before


def test_explain_tells_the_decision_from_what_retrieval_alone_said() -> None:
    person, refund = Candidate("talk-to-person", 0.9), Candidate("refund", 0.1)
    alone = Routing((person, refund), 0.95, Band.HIGH, None, 1)
    decided = Routing((refund,), 0.95, Band.MIDDLE, None, 1)
    line = Asking("?", "clarify", None, ("refund",), 0.95, "one\ntwo", (), "could be more than one thing", ("refund",))
    found = Explanation(alone, (("a human", 0.8), ("bake a cake", 0.1)), (), ("talk-to-person", None), 1.01, 0.2)
    lines = list(explained(line, decided, found, {"refund": "Refunds"}, by_words=True))
    assert "confidence  0.9500, middle band" in lines
    assert "thresholds  never answer, ask back from 0.2000, else call a person" in lines
    assert "retrieval   alone said high band, and talk-to-person, refund" in lines
    assert "         1   0.100  refund: Refunds" in lines
    assert "             0.100  bake a cake  [not ours]" in lines
    assert lines[-2:] == ["  one", "  two"]

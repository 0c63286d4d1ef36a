"""`ask`: one line in, one line out, and nothing else changes."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.articles import publish
from bot.ask import answer_lines
from bot.errors import UsageError
from bot.storage.reading import publication_in, reading
from tests.cli.conftest import command, environment, settings_in, tree

KEYS = ["question", "action", "article", "candidates", "confidence", "text", "citations", "reason"]


async def asked(data_dir: Path, lines: bytes) -> list[dict[str, Any]]:
    """What `ask --json` prints."""
    out = io.StringIO()
    assert await answer_lines(settings_in(data_dir), io.BytesIO(lines), out, as_json=True) == 0
    assert out.getvalue().isascii()
    return [json.loads(line) for line in out.getvalue().splitlines()]


# ---- the real command ------------------------------------------------------------------------------------------


def test_each_line_is_answered_before_the_next_one_is_read(tmp_path: Path) -> None:
    """No DATA_DIR: the shipped articles, in memory, without slack and dbos, and nothing is left behind."""
    data_dir = tmp_path / "data"
    with (
        (tmp_path / "stderr").open("wb") as stderr,
        subprocess.Popen(
            command("ask", "--json"),
            cwd=tmp_path,
            env=environment(data_dir, PYTHONPROFILEIMPORTTIME="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"how long does a refund take to arrive?\n")
        child.stdin.flush()
        first = json.loads(child.stdout.readline())
        child.stdin.write(b"\n")
        child.stdin.flush()
        second = json.loads(child.stdout.readline())
        child.stdin.close()
        assert child.wait(20) == 0
        assert child.stdout.read() == b""
    assert list(first) == KEYS
    assert (first["action"], first["article"]) == ("answer", "refund-timing")
    assert first["citations"] == [{"article": "refund-timing", "revision": 1, "heading": None}]
    assert (second["question"], second["action"], second["article"]) == ("", "answer", None)
    assert second["candidates"]
    imported = (tmp_path / "stderr").read_text()
    assert "knowledge.service" in imported
    assert "slack_sdk" not in imported
    assert "dbos" not in imported
    assert not data_dir.exists()


def _begun(started: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A child that has answered one line and waits for more."""
    child = subprocess.Popen(
        command("ask", "--json"),
        cwd=tmp_path,
        env=environment(started),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"hello\n")
    child.stdin.flush()
    assert json.loads(child.stdout.readline())["reason"] == "small talk: greeting"
    return child


def test_ctrl_c_ends_a_wait_for_a_line(started: Path, tmp_path: Path) -> None:
    with _begun(started, tmp_path) as child:
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert child.stderr is not None
        assert child.stderr.read() == b""


def test_a_reader_that_goes_away_ends_it_quietly(started: Path, tmp_path: Path) -> None:
    with _begun(started, tmp_path) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        child.stdin.write(b"hello\n" * 3)
        child.stdin.close()
        assert child.wait(20) == 141
        assert child.stderr.read() == b""


# ---- lines -----------------------------------------------------------------------------------------------------


async def test_hostile_lines_get_one_answer_each(started: Path) -> None:
    lines = [
        b"\xef\xbb\xbfafter a byte order mark",
        b"",
        b"   \t ",
        b"\xff\xfe\x80 refund",
        b"\xed\xa0\x80 lone surrogate",
        b"nul \x00 inside",
        b"carriage \r return",
        "line\u2028separator\u0085and\x0bmore".encode(),
        b"refund " * 5714,
        b'{"question": "refund"} "quoted" \\',
        "🤷".encode(),
        b"\x1b[31mred",
        b"a card 4111 1111 1111 1111, was it charged?",
        b"4111111111111111",
        b"'; DROP TABLE cases; -- AND NOT NEAR(",
    ]
    before = tree(started)
    answers = await asked(started, b"\n".join(lines) + b"\r\nlast, without an end")
    assert len(answers) == len(lines) + 1
    for answer in answers:
        assert list(answer) == KEYS
        assert answer["action"] in ("answer", "lookup", "clarify", "handoff")
        assert answer["candidates"]
        assert 0 <= answer["confidence"] <= 1
        assert answer["text"]
    questions = [answer["question"] for answer in answers]
    assert "4111" not in str(questions)
    assert questions[-2] == "'; DROP TABLE cases; -- AND NOT NEAR("
    assert questions[-1] == "last, without an end"
    assert questions[0] == "after a byte order mark"
    assert questions[5] == "nul \ufffd inside"
    assert len(questions[8]) == 39998
    assert answers[13]["reason"] == "a secret was removed"
    assert tree(started) == before


async def test_readable_form_suits_any_terminal(started: Path) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    lines = "how do i get a receipt?\nh\u00e9 \x1b[31mred\n".encode()
    await answer_lines(settings_in(started), io.BytesIO(lines), out, as_json=False)
    text = raw.getvalue().decode("ascii")
    assert text.startswith("> how do i get a receipt?\n")
    assert "Getting a receipt for a payment, revision 1" in text
    assert "\x1b" not in text


# ---- what it reads ---------------------------------------------------------------------------------------------


async def test_what_is_published_goes_before_what_is_shipped(
    started: Path, articles_folder: Path, said: list[str]
) -> None:
    article = articles_folder / "refund-timing.md"
    article.write_text(article.read_text().replace("answer: |\n", "answer: |\n  Said since today.\n\n"))
    assert await publish(settings_in(started), articles_folder, said.append) == 0
    before = tree(started)
    (answer,) = await asked(started, b"how long does a refund take to arrive?")
    assert answer["text"].startswith("Said since today.")
    assert answer["citations"] == [{"article": "refund-timing", "revision": 2, "heading": None}]
    assert tree(started) == before


WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA wal_autocheckpoint=0")
database.execute("INSERT INTO publications SELECT 2, revisions, author, note, created_at FROM publications")
print("written", flush=True)
sys.stdin.read()
"""


async def test_reading_a_database_that_is_open_or_was_not_closed_changes_no_byte(started: Path, tmp_path: Path) -> None:
    """The newest publication is in the log alone: beside its writer, after kill -9, in a copy without the index."""

    async def newest(folder: Path) -> int:
        before = tree(folder)
        async with reading(None, folder) as engine:
            number = (await publication_in(engine)).number
        assert tree(folder) == before
        return number

    writer = [sys.executable, "-c", WRITER, str(started / "handrail.db")]
    child = await asyncio.create_subprocess_exec(*writer, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"written\n"
    assert set(tree(started)) == {"handrail.db", "handrail.db-wal", "handrail.db-shm"}
    assert await newest(started) == 2
    child.kill()
    await child.communicate()
    assert await newest(started) == 2
    copy = Path(shutil.copytree(started, tmp_path / "copy", ignore=shutil.ignore_patterns("*-shm")))
    assert await newest(copy) == 2


async def test_a_database_without_tables_counts_as_none(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "handrail.db") as other:
        other.execute("CREATE TABLE something (id)")
    other.close()
    async with reading(None, tmp_path) as engine:
        assert (await publication_in(engine)).number == 0


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_database_is_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "handrail.db").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        await asked(tmp_path, b"hello")
    assert "\n" not in str(caught.value)


async def test_an_unreachable_postgres_is_said_without_its_password(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, database_url="postgresql://bot:hemligt@127.0.0.1:1/handrail")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        await answer_lines(settings, io.BytesIO(b"hello"), io.StringIO(), as_json=True)
    assert "hemligt" not in str(caught.value)


async def test_an_address_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        async with reading("postgresql://bot@host:port/handrail", tmp_path):
            raise AssertionError

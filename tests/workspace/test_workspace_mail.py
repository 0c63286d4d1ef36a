"""Mail that reaches the people of the workspace: to whom it is shown, and what cannot be one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from integrations.workspace import NotAllowed, Person, Workspace, WorkspaceConfig, WorkspaceMail, demo_seed
from integrations.workspace.mailbox import KEPT, MAX_TEXT

ANA, BEN = "ana@souza.example", "ben@okafor.example"
PAGE = {"X-Workspace": "page"}


async def read(ws: Workspace, http: aiohttp.ClientSession, call: str, me: str) -> dict[str, Any]:
    async with http.get(f"{ws.url}/page/{call}", params={"as": me}, headers=PAGE) as response:
        return dict(await response.json())


async def write(ws: Workspace, http: aiohttp.ClientSession, call: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with http.post(f"{ws.url}/page/{call}", json=body, headers=PAGE) as response:
        return response.status, dict(await response.json())


async def test_everybody_sees_the_mail_to_their_own_address_newest_first(
    ws: Workspace, http: aiohttp.ClientSession
) -> None:
    mail = WorkspaceMail(ws)
    await mail.send(ANA, "First", "one")
    await mail.send("Ana@Souza.EXAMPLE", "Second", "<b>two</b>\nlines")
    await mail.send(BEN, "Other", "three")
    await mail.send("nobody@elsewhere.example", "Lost", "four")
    mails = (await read(ws, http, "mail", "U0ANA"))["mails"]
    assert [(one["subject"], one["text"]) for one in mails] == [("Second", "<b>two</b>\nlines"), ("First", "one")]
    assert [one["subject"] for one in (await read(ws, http, "mail", "U0BEN"))["mails"]] == ["Other"]
    assert (await read(ws, http, "mail", "U0MIRA"))["mails"] == []


async def test_unread_mail_is_counted_until_it_was_looked_at(ws: Workspace, http: aiohttp.ClientSession) -> None:
    for number in range(3):
        ws.mailbox.deliver(ANA, f"No. {number}", "text")
    assert (await read(ws, http, "state", "U0ANA"))["mail"] == {"address": ANA, "unread": 3}
    assert (await read(ws, http, "state", "U0BEN"))["mail"] == {"address": BEN, "unread": 0}
    await write(ws, http, "mail_mark", **{"as": "U0ANA"})
    assert (await read(ws, http, "state", "U0ANA"))["mail"]["unread"] == 0
    ws.mailbox.deliver(ANA, "One more", "text")
    assert ws.mailbox.unread(ANA) == 1


async def test_an_open_page_hears_of_its_own_mail_only(ws: Workspace, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{ws.url}/page/events", params={"as": "U0ANA"}, headers=PAGE) as stream:
        await stream.content.readline()
        ws.mailbox.deliver(BEN, "Not for Ana", "x")
        ws.mailbox.deliver(ANA, "For Ana", "x")
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(5):
            while not heard:
                line = (await stream.content.readline()).decode()
                heard += [json.loads(line.removeprefix("data: "))] if line.startswith("data: ") else []
    assert heard == [{"type": "mail", "unread": 1}]


async def test_somebody_without_an_address_has_no_mail(http: aiohttp.ClientSession) -> None:
    seed = demo_seed()
    seed = replace(seed, people=(*seed.people, Person("U0NEMO", "nemo", "Nemo"), Person("U0NIL", "nil", "Nil")))
    async with Workspace(WorkspaceConfig(seed=seed)) as ws:
        with pytest.raises(NotAllowed):
            ws.mailbox.deliver("", "To nobody", "x")
        assert (await read(ws, http, "mail", "U0NEMO"))["mails"] == []
        assert (await write(ws, http, "mail_mark", **{"as": "U0NEMO"}))[0] == 200


@pytest.mark.parametrize(
    ("to", "subject", "text"),
    [
        ("ana", "s", "t"), (ANA + "\r\nBcc: " + BEN, "s", "t"), (ANA, "s\nx", "t"), (ANA, "s\u2028x", "t"),
        ("a" * 300 + "@souza.example", "s", "t"), (ANA, "s" * 201, "t"), (ANA, "s", "t" * (MAX_TEXT + 1)),
    ],
)  # fmt: skip
async def test_what_no_mail_can_be_is_refused(ws: Workspace, to: str, subject: str, text: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        ws.mailbox.deliver(to, subject, text)
    assert "souza" not in str(caught.value)
    assert ws.mailbox.of(ANA) == []


async def test_only_the_newest_are_kept(ws: Workspace) -> None:
    for number in range(KEPT + 5):
        ws.mailbox.deliver(ANA, str(number), "x")
    assert [mail.subject for mail in ws.mailbox.of(ANA)] == [str(number) for number in range(KEPT + 4, 4, -1)]


async def test_another_process_can_deliver_with_the_header_of_the_page(
    ws: Workspace, http: aiohttp.ClientSession
) -> None:
    status, answer = await write(ws, http, "mail", to=ANA, subject="Code", text="123456")
    assert (status, answer) == (200, {"ok": True})
    assert [mail.text for mail in ws.mailbox.of(ANA)] == ["123456"]
    for body in ({"to": ANA}, {"to": ANA, "subject": 5, "text": "x"}, {"to": "x", "subject": "s", "text": "t"}):
        assert (await write(ws, http, "mail", **body))[0] == 400
    async with http.post(f"{ws.url}/page/mail", json={"to": ANA, "subject": "s", "text": "t"}) as response:
        assert response.status == 403
    assert len(ws.mailbox.of(ANA)) == 1


async def test_an_app_cannot_read_mail(ws: Workspace, http: aiohttp.ClientSession) -> None:
    ws.mailbox.deliver(ANA, "Code", "123456")
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    for path in ("/page/mail", "/api/mail", "/api/mail.list"):
        async with http.get(f"{ws.url}{path}", params={"as": "U0ANA"}, headers=headers) as response:
            assert "123456" not in await response.text()


async def test_mail_is_not_in_the_state_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with Workspace(WorkspaceConfig(path=path)) as ws:
        ws.mailbox.deliver(ANA, "Code", "the-code-is-314159")
        await ws.post("U0ANA", "C0SUPPORT", "hello")
        assert "314159" not in repr(ws.mailbox.of(ANA))
    assert not any(b"314159" in file.read_bytes() for file in tmp_path.iterdir())
    async with Workspace(WorkspaceConfig(path=path)) as ws:
        assert ws.mailbox.of(ANA) == []


async def test_a_test_can_wait_for_a_mail(ws: Workspace) -> None:
    waiting = asyncio.create_task(ws.wait_for(lambda now: now.mailbox.of(ANA)))
    ws.mailbox.deliver(ANA, "Code", "123456")
    assert [mail.subject for mail in await waiting] == ["Code"]

"""Web API methods through Slack's own client: results, order, paging, error codes."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Person, Seed, Workspace, WorkspaceConfig, demo_seed


async def error_of(call: Any) -> str:
    """The code a call fails with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_auth_test_tells_who_the_bot_is(ws: Workspace, client: AsyncWebClient) -> None:
    who = await client.auth_test()
    assert (who["user_id"], who["bot_id"], who["team_id"]) == (ws.bot_user_id, ws.bot_id, ws.team_id)


@pytest.mark.parametrize(("token", "code"), [("", "not_authed"), ("xoxb-real-looking", "invalid_auth")])
async def test_only_its_own_tokens_are_accepted(ws: Workspace, token: str, code: str) -> None:
    assert await error_of(AsyncWebClient(token=token, base_url=ws.api_url).auth_test()) == code


async def test_unknown_method_is_an_answer_not_an_http_error(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.startStream")) == "unknown_method"


async def test_thread_parent_counts_its_replies(ws: Workspace, client: AsyncWebClient) -> None:
    root = await ws.post("U0ANA", "C0SUPPORT", "question")
    await client.chat_postMessage(channel="C0SUPPORT", text="one", thread_ts=root)
    second = await ws.post("U0BEN", "C0SUPPORT", "two", thread_ts=root)
    thread = await client.conversations_replies(channel="C0SUPPORT", ts=root)
    parent, *replies = thread["messages"]
    assert [reply["text"] for reply in replies] == ["one", "two"]
    assert all(reply["parent_user_id"] == "U0ANA" for reply in replies)
    assert (parent["reply_count"], parent["latest_reply"], parent["thread_ts"]) == (2, second, root)
    assert parent["reply_users"] == ["U0HANDRAIL", "U0BEN"]
    history = await client.conversations_history(channel="C0SUPPORT")
    assert [message["text"] for message in history["messages"]] == ["question"]


async def test_replies_of_a_message_without_thread_give_that_one_message(ws: Workspace, client: AsyncWebClient) -> None:
    ts = await ws.post("U0ANA", "C0SUPPORT", "alone")
    answer = await client.conversations_replies(channel="C0SUPPORT", ts=ts)
    assert [message["ts"] for message in answer["messages"]] == [ts]
    assert answer["has_more"] is False
    assert await error_of(client.conversations_replies(channel="C0SUPPORT", ts="1.000000")) == "thread_not_found"


async def test_history_is_newest_first_and_pages_by_cursor(ws: Workspace, client: AsyncWebClient) -> None:
    for number in range(7):
        await ws.post("U0ANA", "C0SUPPORT", str(number))
    texts: list[str] = []
    pages = 0
    async for page in await client.conversations_history(channel="C0SUPPORT", limit=3):
        texts += [message["text"] for message in page["messages"]]
        pages += 1
    assert texts == ["6", "5", "4", "3", "2", "1", "0"]
    assert pages == 3


async def test_long_thread_pages_by_cursor_without_repeating_its_root(ws: Workspace, client: AsyncWebClient) -> None:
    root = await ws.post("U0ANA", "C0SUPPORT", "root")
    for number in range(5):
        await ws.post("U0ANA", "C0SUPPORT", str(number), thread_ts=root)
    texts: list[str] = []
    async for page in await client.conversations_replies(channel="C0SUPPORT", ts=root, limit=2):
        texts += [message["text"] for message in page["messages"]]
    assert texts == ["root", "0", "1", "2", "3", "4"]


async def test_oldest_and_latest_are_exclusive_unless_inclusive(ws: Workspace, client: AsyncWebClient) -> None:
    stamps = [await ws.post("U0ANA", "C0SUPPORT", str(number)) for number in range(4)]

    async def between(**window: Any) -> list[str]:
        answer = await client.conversations_history(channel="C0SUPPORT", **window)
        return [message["text"] for message in answer["messages"]]

    assert await between(oldest=stamps[0], latest=stamps[3]) == ["2", "1"]
    assert await between(oldest=stamps[0], latest=stamps[3], inclusive=True) == ["3", "2", "1", "0"]
    assert await between(latest=stamps[1], inclusive=True, limit=1) == ["1"]
    assert await between(oldest="0") == ["3", "2", "1", "0"]


async def test_metadata_is_stored_and_returned_only_on_request(ws: Workspace, client: AsyncWebClient) -> None:
    metadata = {"event_type": "outbox", "event_payload": {"id": "abc"}}
    await client.chat_postMessage(channel="C0SUPPORT", text="hi", metadata=metadata)
    without = await client.conversations_history(channel="C0SUPPORT")
    with_all = await client.conversations_history(channel="C0SUPPORT", include_all_metadata=True)
    assert "metadata" not in without["messages"][0]
    assert with_all["messages"][0]["metadata"] == metadata


async def test_form_and_json_bodies_mean_the_same(ws: Workspace, http: aiohttp.ClientSession) -> None:
    blocks = [{"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": "x"}}]
    bodies: list[dict[str, Any]] = [
        {"json": {"channel": "C0SUPPORT", "text": "x", "blocks": blocks}},
        {"data": {"channel": "C0SUPPORT", "text": "x", "blocks": json.dumps(blocks)}},
    ]
    for body in bodies:
        headers = {"Authorization": f"Bearer {ws.bot_token}"}
        async with http.post(f"{ws.api_url}chat.postMessage", headers=headers, **body) as response:
            assert (await response.json())["ok"] is True
    one, two = ws.messages("C0SUPPORT")
    assert one["blocks"] == two["blocks"] == blocks


async def test_token_in_the_body_is_taken_and_never_logged(ws: Workspace, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{ws.api_url}auth.test", data={"token": ws.bot_token}) as response:
        assert (await response.json())["ok"] is True
    assert ws.bot_token not in repr(ws.calls)
    assert ws.bot_token not in repr(ws.app)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[]", "application/json", "json_not_object"),
        (b'{"blocks": ' + b"[" * 100_000, "application/json", "invalid_json"),
        (b'{"x": ' + b"[" * 200 + b"]" * 200 + b"}", "application/json", "invalid_json"),
        (b'{"channel": "C0SUPPORT", "text": "x", "thread_ts": "\\ud800"}', "application/json", "thread_not_found"),
        (b'{"channel": ["C0SUPPORT"], "text": "x"}', "application/json", "invalid_arguments"),
        (b'{"channel": "C0SUPPORT", "text": "\xff"}', "application/json", "invalid_charset"),
        (b"channel=%ff&text=x", "application/x-www-form-urlencoded", "invalid_charset"),
        (b"channel=C0SUPPORT&text=x&blocks=%7B", "application/x-www-form-urlencoded", "invalid_blocks_format"),
    ],
)
async def test_broken_bodies_get_slacks_code(
    ws: Workspace, http: aiohttp.ClientSession, body: bytes, kind: str, code: str
) -> None:
    headers = {"Authorization": f"Bearer {ws.bot_token}", "Content-Type": kind}
    async with http.post(f"{ws.api_url}chat.postMessage", data=body, headers=headers) as response:
        assert response.status == 200
        assert (await response.json())["error"] == code


async def test_ten_megabytes_are_refused(ws: Workspace, http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {ws.bot_token}", "Content-Type": "application/json"}
    body = io.BytesIO(b" " * 10_000_000)
    async with http.post(f"{ws.api_url}chat.postMessage", data=body, headers=headers) as response:
        assert response.status == 413


async def test_posting_fails_with_slacks_codes(ws: Workspace, client: AsyncWebClient) -> None:
    post = client.chat_postMessage
    assert await error_of(post(channel="C0NOWHERE", text="x")) == "channel_not_found"
    assert await error_of(post(channel="C0RANDOM", text="x")) == "not_in_channel"
    assert await error_of(client.api_call("chat.postMessage", json={"channel": "C0SUPPORT"})) == "no_text"
    assert await error_of(post(channel="C0SUPPORT", text="x" * 40_001)) == "msg_too_long"
    assert await error_of(post(channel="C0SUPPORT", text="x", thread_ts="1.000000")) == "thread_not_found"
    assert await error_of(client.chat_update(channel="C0SUPPORT", ts="1.000000", text="x")) == "message_not_found"
    theirs = await ws.post("U0ANA", "C0SUPPORT", "mine")
    assert await error_of(client.chat_update(channel="C0SUPPORT", ts=theirs, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel="C0SUPPORT", ts=theirs)) == "cant_delete_message"
    await post(channel="C0SUPPORT", text="x" * 40_000)


async def test_private_channel_does_not_exist_for_an_outsider(ws: Workspace, client: AsyncWebClient) -> None:
    await ws.leave("U0HANDRAIL", "G0DESK")
    assert await error_of(client.conversations_info(channel="G0DESK")) == "channel_not_found"
    assert await error_of(client.conversations_history(channel="G0DESK")) == "channel_not_found"


async def test_update_replaces_text_and_drops_blocks_that_are_not_given(ws: Workspace, client: AsyncWebClient) -> None:
    blocks = [{"type": "divider"}]
    posted = await client.chat_postMessage(channel="C0SUPPORT", text="old", blocks=blocks)
    await client.chat_update(channel="C0SUPPORT", ts=posted["ts"], text="new")
    message = ws.messages("C0SUPPORT")[0]
    assert message["text"] == "new"
    assert "blocks" not in message


async def test_deleting_a_thread_root_leaves_a_tombstone(ws: Workspace, client: AsyncWebClient) -> None:
    root = (await client.chat_postMessage(channel="C0SUPPORT", text="root"))["ts"]
    reply = await ws.post("U0ANA", "C0SUPPORT", "reply", thread_ts=root)
    await client.chat_delete(channel="C0SUPPORT", ts=root)
    thread = ws.messages("C0SUPPORT", root)
    assert [message.get("subtype") for message in thread] == ["tombstone", None]
    await ws.delete("U0ANA", "C0SUPPORT", reply)
    assert "reply_count" not in ws.messages("C0SUPPORT")[0]


async def test_posting_to_a_person_opens_the_direct_message(ws: Workspace, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="U0ANA", text="hello")
    assert posted["channel"] == await ws.open_im("U0ANA")
    opened = await client.conversations_open(users="U0ANA", return_im=True)
    assert opened["already_open"] is True
    assert opened["channel"]["user"] == "U0ANA"


@pytest.mark.parametrize(
    ("users", "code"),
    [("", "users_list_not_supplied"), ("U0NOBODY", "user_not_found"), ("U0ANA,U0NOBODY", "user_not_found"),
     ("U0HANDRAIL", "cannot_dm_bot"), ("U0KIM", "user_not_visible"), ("U0ANA,U0KIM", "user_not_visible"),
     (",".join(f"U{n}" for n in range(9)), "too_many_users")],
)  # fmt: skip
async def test_a_direct_message_with_some_cannot_be_opened(client: AsyncWebClient, users: str, code: str) -> None:
    assert await error_of(client.conversations_open(users=users)) == code


async def test_a_direct_message_that_exists_is_found_whoever_opened_it(ws: Workspace, client: AsyncWebClient) -> None:
    opened = await client.conversations_open(users="U0GIL")
    assert opened.get("already_open") is None
    assert opened["channel"]["id"] == await ws.open_im("U0GIL")
    stranger = await ws.open_im("U0KIM")
    assert (await client.conversations_open(users="U0KIM"))["channel"]["id"] == stranger


async def test_somebody_of_another_company_makes_a_channel_a_shared_one(ws: Workspace, client: AsyncWebClient) -> None:
    async def shared(channel: str) -> tuple[bool, bool, bool]:
        info = (await client.conversations_info(channel=channel))["channel"]
        return info["is_private"], info["is_shared"], info["is_ext_shared"]

    assert await shared("C0SUPPORT") == (False, True, True)
    assert await shared("G0DESK") == (True, False, False)
    await ws.join("U0KIM", "G0DESK")
    assert await shared("G0DESK") == (True, True, True)


async def test_ephemeral_is_seen_by_one_person_and_is_no_event(ws: Workspace, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel="C0SUPPORT", user="U0ANA", text="only you")
    assert ws.messages("C0SUPPORT") == []
    assert [m["text"] for m in ws.messages("C0SUPPORT", include_ephemeral_for="U0ANA")] == ["only you"]
    assert ws.messages("C0SUPPORT", include_ephemeral_for="U0BEN") == []
    assert await error_of(client.chat_postEphemeral(channel="G0DESK", user="U0ANA", text="x")) == "user_not_in_channel"
    assert not ws.deliveries


async def test_users_info_marks_guests_strangers_and_apps(client: AsyncWebClient) -> None:
    ana = (await client.users_info(user="U0ANA", include_locale=True))["user"]
    assert (ana["profile"]["email"], ana["tz"], ana["locale"]) == ("ana@souza.example", "America/Sao_Paulo", "pt-BR")
    assert ana["tz_offset"] == -3 * 3600
    guest = (await client.users_info(user="U0GIL"))["user"]
    assert guest["is_restricted"] is True
    bot = (await client.users_info(user="U0HANDRAIL"))["user"]
    assert (bot["is_bot"], bot["profile"]["api_app_id"]) == (True, "A0HANDRAIL")
    assert await error_of(client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_stranger_has_a_foreign_team(ws: Workspace) -> None:
    seed = demo_seed()
    stranger = Person("U0STRAY", "stray", "Sam Stray", is_stranger=True, team_id="T0OTHER", email="sam@other.example")
    people = Seed(seed.team_id, seed.team_name, (*seed.people, stranger), seed.channels, seed.usergroups, seed.apps)
    async with Workspace(WorkspaceConfig(seed=people)) as other:
        client = AsyncWebClient(token=other.bot_token, base_url=other.api_url)
        user = (await client.users_info(user="U0STRAY"))["user"]
    assert (user["is_stranger"], user["team_id"]) == (True, "T0OTHER")


async def test_lists_page_and_name_what_the_bot_can_see(ws: Workspace, client: AsyncWebClient) -> None:
    listed = await client.conversations_list(types="public_channel,private_channel", limit=2)
    assert len(listed["channels"]) == 2
    names = [channel["name"] async for page in listed for channel in page["channels"]]
    assert names == ["general", "billing-help", "random", "support-desk"]
    mine = await client.users_conversations(types="public_channel,private_channel")
    assert [channel["id"] for channel in mine["channels"]] == ["C0GENERAL", "C0SUPPORT", "G0DESK"]
    members = await client.conversations_members(channel="G0DESK")
    assert members["members"] == ["U0MIRA", "U0TOM", "U0ADA", "U0HANDRAIL"]
    group = await client.usergroups_users_list(usergroup="S0SPECIAL")
    assert group["users"] == ["U0MIRA", "U0TOM"]
    assert (await client.users_lookupByEmail(email="BEN@okafor.example"))["user"]["id"] == "U0BEN"
    people = [person["id"] async for page in await client.users_list(limit=10) for person in page["members"]]
    assert people == [person.id for person in demo_seed().people]


async def test_reactions_are_added_once(ws: Workspace, client: AsyncWebClient) -> None:
    ts = await ws.post("U0ANA", "C0SUPPORT", "hi")
    place = {"channel": "C0SUPPORT", "timestamp": ts, "name": "eyes"}
    await client.reactions_add(**place)
    assert await error_of(client.reactions_add(**place)) == "already_reacted"
    assert ws.messages("C0SUPPORT")[0]["reactions"] == [{"name": "eyes", "users": ["U0HANDRAIL"], "count": 1}]
    await client.reactions_remove(**place)
    assert await error_of(client.reactions_remove(**place)) == "no_reaction"


async def test_permalink_leads_to_the_message_on_the_page(
    ws: Workspace, client: AsyncWebClient, http: aiohttp.ClientSession
) -> None:
    ts = await ws.post("U0ANA", "C0SUPPORT", "hi")
    link = (await client.chat_getPermalink(channel="C0SUPPORT", message_ts=ts))["permalink"]
    async with http.get(link, allow_redirects=False) as response:
        assert response.headers["Location"] == f"/#/U0ANA/C0SUPPORT/m/{ts}"

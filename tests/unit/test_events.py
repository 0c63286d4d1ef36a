"""Reading Slack's bodies: an allow-list of fields, and nothing that a body may hold breaks us."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt import BoltResponse

from bot.domain import buttons
from bot.domain.incoming import Attachment, Click, Incoming, Kind, Place, Source, seconds
from bot.domain.redaction import Finding
from bot.ports import Wake
from handlers.events import Malformed, opens_modal, read, read_event, read_submission, readable
from handlers.intake import Intake

BOT = "U0BOT"
TS, LATER, ROOT = "1700000000.000100", "1700000009.000200", "1699999999.000100"
CARD = "4111 1111 1111 1111"
CANARY = "canary-8731"
"""Stands in fields that are not ours to read."""


def envelope(event: dict[str, Any]) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1TEAM", "event_id": "Ev1", "event": event}


def message(**changes: Any) -> dict[str, Any]:
    event = {
        "type": "message",
        "channel": "C1GENERAL",
        "channel_type": "channel",
        "user": "U1ANA",
        "ts": TS,
        "event_ts": TS,
        "text": "how long does a refund take?",
    }
    return {**event, **changes}


def edit(**changes: Any) -> dict[str, Any]:
    new = {"type": "message", "user": "U1ANA", "ts": TS, "text": "and a receipt?", "edited": {"ts": LATER}, **changes}
    return message(subtype="message_changed", ts=LATER, event_ts=LATER, user=None, text=None, message=new)


def delete(**changes: Any) -> dict[str, Any]:
    old = {"type": "message", "user": "U1ANA", "ts": TS, "text": f"secret words {CANARY}", **changes}
    return message(
        subtype="message_deleted", ts=LATER, event_ts=LATER, deleted_ts=TS, user=None, text=None, previous_message=old
    )


def tombstone() -> dict[str, Any]:
    """What Slack sends for a deleted message that has a thread."""
    new = {
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "ts": TS,
        "thread_ts": TS,
        "text": f"gone {CANARY}",
    }
    return message(subtype="message_changed", ts=LATER, event_ts=LATER, user=None, text=None, message=new)


def click(action_id: str = buttons.HELPED, **changes: Any) -> dict[str, Any]:
    body = {
        "type": "block_actions",
        "team": {"id": "T1TEAM", "domain": "acme"},
        "user": {"id": "U1ANA", "name": CANARY, "team_id": "T1TEAM"},
        "channel": {"id": "C1GENERAL", "name": "general"},
        "container": {"type": "message", "channel_id": "C1GENERAL", "message_ts": TS, "thread_ts": ROOT},
        "message": {"ts": TS, "text": f"the bot's own words {CANARY}"},
        "actions": [{"action_id": action_id, "value": "refund", "action_ts": LATER, "type": "button"}],
        "trigger_id": "1.2.3",
    }
    return {**body, **changes}


def from_home() -> dict[str, Any]:
    body = click(f"{buttons.HOME_ASK}refund", container={"type": "view", "view_id": "V1HOME"})
    return {name: value for name, value in body.items() if name not in ("channel", "message")}


def submission() -> dict[str, Any]:
    return {
        "type": "view_submission",
        "team": {"id": "T1TEAM"},
        "user": {"id": "U1MIRA", "team_id": "T1TEAM"},
        "view": {"id": "V1REPLY", "callback_id": buttons.REPLY_VIEW, "private_metadata": "handoff_abc"},
    }


def got(event: dict[str, Any]) -> Incoming:
    found = read(envelope(event), BOT)
    assert found is not None
    return found


# ---- messages --------------------------------------------------------------------------------------------------


def test_a_message_is_cut_down_to_what_is_used() -> None:
    found = got(message(thread_ts=ROOT))

    assert (found.team, found.channel, found.place, found.user) == ("T1TEAM", "C1GENERAL", Place.CHANNEL, "U1ANA")
    assert (found.kind, found.ts, found.thread_ts, found.target_ts) == (Kind.MESSAGE, TS, ROOT, None)
    assert (found.text, found.mention, found.source) == ("how long does a refund take?", False, Source.LIVE)
    assert found.key == f"T1TEAM:C1GENERAL:{TS}:message"
    assert found.lane == f"T1TEAM:C1GENERAL:{ROOT}"


@pytest.mark.parametrize("thread", [None, ROOT, TS])
def test_a_mention_and_its_message_are_the_same_event_in_the_same_lane(thread: str | None) -> None:
    text = f"<@{BOT}> how long does a refund take?"
    plain = got(message(text=text, thread_ts=thread))
    mention = {**message(text=text, thread_ts=thread), "type": "app_mention"}
    mention.pop("channel_type")
    called = got(mention)

    assert plain == called
    assert plain.thread_ts == (ROOT if thread == ROOT else None)
    assert plain.mention
    assert plain.text == "how long does a refund take?"


def test_a_mention_in_a_private_channel_has_the_key_of_its_message() -> None:
    mention = {**message(channel="G1DESK"), "type": "app_mention"}
    mention.pop("channel_type")

    assert got(mention).key == got(message(channel="G1DESK", channel_type="group")).key


@pytest.mark.parametrize(
    ("channel", "kind", "place"),
    [
        ("C1GENERAL", "channel", Place.CHANNEL),
        ("G1DESK", "group", Place.PRIVATE),
        ("D1ANA", "im", Place.DM),
        ("G1MANY", "mpim", Place.GROUP_DM),
        ("D1ANA", None, Place.DM),
        ("D1ANA", "app_home", Place.DM),
        ("C1GENERAL", None, Place.CHANNEL),
        ("C1GENERAL", ["im"], Place.CHANNEL),
    ],
)
def test_where_a_message_was_written(channel: str, kind: Any, place: Place) -> None:
    assert got(message(channel=channel, channel_type=kind)).place is place


def test_a_direct_conversation_is_one_lane_and_a_channel_one_for_each_thread() -> None:
    direct = {"channel": "D1ANA", "channel_type": "im"}
    assert got(message(**direct)).lane == got(message(**direct, thread_ts=ROOT)).lane == "T1TEAM:D1ANA"
    assert got(message()).lane == f"T1TEAM:C1GENERAL:{TS}"
    assert got(edit()).lane == got(delete()).lane == got(tombstone()).lane == got(message()).lane
    assert got(edit(thread_ts=ROOT)).lane == got(delete(thread_ts=ROOT)).lane == got(message(thread_ts=ROOT)).lane


def test_what_must_not_be_kept_is_removed_and_named() -> None:
    found = got(message(text=f"my card is {CARD}"))

    assert "4111" not in repr(found)
    assert found.found == frozenset({Finding.CARD})


def test_only_a_mention_leaves_nothing_to_say() -> None:
    assert got(message(text=f" <@{BOT}> ")).text == ""
    assert got(message(text=f"<@{BOT}>")).mention
    assert got(message(text="<@U0OTHER> hi")).text == "<@U0OTHER> hi"


@pytest.mark.parametrize("text", [None, 7, [], {}])
def test_a_message_without_text_has_an_empty_one(text: Any) -> None:
    assert got(message(text=text)).text == ""


def test_files_are_named_and_never_kept() -> None:
    files = [
        {
            "name": "bill.pdf",
            "mimetype": "application/pdf",
            "title": "secret",
            "url_private": "https://x",
            "preview": "x",
        },
        {"name": f"{CARD}.png", "mimetype": "a b<script>"},
        {"name": None},
        "not a file",
    ]
    found = got(message(subtype="file_share", files=files))

    assert [(one.name, one.mimetype) for one in found.files] == [
        ("bill.pdf", "application/pdf"),
        ("[card number removed].png", "?"),
        ("file", "?"),
    ]
    assert all(isinstance(one, Attachment) for one in found.files)
    assert len(got(message(files=[{"name": "x"}] * 500)).files) == 20


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast", "me_message"])
def test_what_a_person_writes_is_read_whatever_its_form(subtype: str | None) -> None:
    assert got(message(subtype=subtype)).kind is Kind.MESSAGE


def test_a_reply_that_is_also_sent_to_the_channel_stays_in_its_thread() -> None:
    assert got(message(subtype="thread_broadcast", thread_ts=ROOT)).lane == f"T1TEAM:C1GENERAL:{ROOT}"


@pytest.mark.parametrize(
    "subtype",
    [
        "bot_message",
        "channel_join",
        "channel_topic",
        "message_replied",
        "reminder_add",
        "pinned_item",
        "new one",
        [],
        {},
        7,
    ],
)
def test_what_nobody_wrote_is_not_ours(subtype: Any) -> None:
    assert read(envelope(message(subtype=subtype)), BOT) is None


@pytest.mark.parametrize("sign", [{"bot_id": "B1"}, {"bot_profile": {"id": "B1"}}, {"user": None}, {"user": ""}])
@pytest.mark.parametrize("kind", ["message", "app_mention", "message_changed"])
def test_other_bots_are_never_read_whatever_they_call_themselves(sign: dict[str, Any], kind: str) -> None:
    event = edit(**sign) if kind == "message_changed" else {**message(text=f"<@{BOT}> hi", **sign), "type": kind}

    assert read(envelope(event), BOT) is None


# ---- edits and deletions ---------------------------------------------------------------------------------------


def test_an_edit_has_a_key_of_its_own_and_names_its_message() -> None:
    found = got(edit())

    assert (found.kind, found.ts, found.target_ts, found.user) == (Kind.EDIT, LATER, TS, "U1ANA")
    assert found.text == "and a receipt?"
    assert found.key == f"T1TEAM:C1GENERAL:{LATER}:edit"
    assert got(edit(text=f"<@{BOT}> now")).mention


def test_a_deletion_carries_no_words() -> None:
    found = got(delete())

    assert (found.kind, found.ts, found.target_ts, found.user, found.text) == (Kind.DELETE, LATER, TS, "U1ANA", "")
    assert "secret" not in repr(found)


def test_a_deletion_without_the_old_message_is_understood() -> None:
    event = {**delete(), "previous_message": None}

    assert (got(event).target_ts, got(event).user) == (TS, "")


def test_a_tombstone_is_a_deletion() -> None:
    found = got(tombstone())

    assert (found.kind, found.target_ts, found.thread_ts) == (Kind.DELETE, TS, None)


def test_an_edit_of_what_nobody_wrote_is_not_ours() -> None:
    assert read(envelope(edit(subtype="bot_message")), BOT) is None


# ---- clicks, Home, forms ---------------------------------------------------------------------------------------


def test_a_click_is_read_with_its_message_and_not_its_words() -> None:
    found = read(click(), BOT)

    assert found is not None
    assert (found.kind, found.ts, found.thread_ts, found.place) == (Kind.ACTION, LATER, ROOT, Place.CHANNEL)
    assert found.click == Click(buttons.HELPED, "refund", TS)
    assert found.text == ""


def test_a_click_on_home_stands_for_the_persons_direct_conversation() -> None:
    found = read(from_home(), BOT)

    assert found is not None
    assert (found.channel, found.place) == ("U1ANA", Place.DM)
    assert found.click == Click(f"{buttons.HOME_ASK}refund", "refund", None)


def test_clicks_on_other_apps_buttons_and_links_are_not_ours() -> None:
    assert read(click("vote:yes"), BOT) is None
    assert read(click(""), BOT) is None
    assert read(click(actions=[]), BOT) is None
    assert read({"type": "shortcut"}, BOT) is None
    assert read({}, BOT) is None


def test_a_forged_value_is_cut_and_redacted() -> None:
    found = read(click(actions=[{"action_id": buttons.HELPED, "value": CARD + "x" * 5000, "action_ts": LATER}]), BOT)

    assert found is not None
    assert found.click is not None
    assert len(found.click.value) <= 250
    assert "4111" not in repr(found)


def test_only_what_opens_a_modal_goes_on_to_a_listener() -> None:
    assert opens_modal(click(buttons.REPLY))
    assert not opens_modal(click(buttons.DONE))
    assert not opens_modal({**click(buttons.REPLY), "type": "view_submission"})
    assert not opens_modal(click(actions=[{"action_id": []}]))
    assert not opens_modal(click(actions=[7]))
    assert not opens_modal(click(actions=None))


def test_home_is_ours_when_its_tab_is_opened() -> None:
    opened = {"type": "app_home_opened", "user": "U1ANA", "channel": "D1ANA", "tab": "home", "event_ts": TS}

    assert got(opened).kind is Kind.HOME
    assert read(envelope({**opened, "tab": "messages"}), BOT) is None


def test_a_submitted_form_is_one_event_however_often_it_arrives() -> None:
    one, two = (read_submission(submission(), f"my card is {CARD}") for _ in range(2))

    assert one == two
    assert one.key.startswith("T1TEAM:V1REPLY:0.")
    assert one.key != read_submission(submission(), "other words").key
    assert one.click == Click(buttons.REPLY_VIEW, "handoff_abc", None)
    assert "4111" not in repr(one)


# ---- malformed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [None, "", 7, [], {}, "soon", "1700000000", "1.2.3", "-1.2", "1e9", "x" * 99])
@pytest.mark.parametrize("field", ["ts", "channel", "user"])
def test_a_field_that_is_not_what_slack_documents_is_named(field: str, wrong: Any) -> None:
    if field == "user" and not wrong:
        return
    with pytest.raises(Malformed, match=f"malformed {field}") as error:
        read(envelope(message(**{field: wrong})), BOT)
    assert error.value.field == field


def test_the_complaint_does_not_repeat_the_value() -> None:
    with pytest.raises(Malformed) as error:
        read(envelope(message(user=CARD)), BOT)
    assert CARD not in str(error.value)


# ---- whatever comes --------------------------------------------------------------------------------------------

BODIES = {
    "message": envelope(message(subtype=None, thread_ts=ROOT, files=[{"name": "bill.pdf", "mimetype": "a/b"}])),
    "mention": envelope({**message(text=f"<@{BOT}> hi"), "type": "app_mention"}),
    "edit": envelope(edit()),
    "delete": envelope(delete()),
    "tombstone": envelope(tombstone()),
    "home": envelope({"type": "app_home_opened", "user": "U1ANA", "channel": "D1ANA", "tab": "home", "event_ts": TS}),
    "click": click(),
    "modal": click(buttons.REPLY),
    "click on home": from_home(),
}
STRANGE = st.sampled_from(["", "soon", "1.2.3", "U", "D1", 0, [], {}, [[]], {"id": []}]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*here, name)
            yield from paths(inner, (*here, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield (*here, place)
            yield from paths(inner, (*here, place))


def put(body: Any, path: tuple[Any, ...], value: Any) -> None:
    """Replace what is at `path`, if it is still there."""
    for step in path[:-1]:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(body, dict | list):
        try:
            body[path[-1]] = value
        except (IndexError, TypeError):
            return


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """A body as Slack sends it, with some of its fields replaced by anything at all. Which ones is drawn evenly."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    body = copy.deepcopy(BODIES[chance.choice(sorted(BODIES))])
    for path in chance.choices(sorted(paths(body), key=str), k=chance.randint(1, 3)):
        put(body, path, draw(STRANGE))
    return body


@given(bent() | st.dictionaries(st.sampled_from(["type", "event", "actions", "user", "team"]), STRANGE))
def test_whatever_comes_is_read_ignored_or_malformed(body: dict[str, Any]) -> None:
    readable(body)
    opens_modal(body)
    try:
        found = read(body, BOT)
    except Malformed:
        return
    if found is None:
        return
    seconds(found.ts)
    assert found.key
    assert found.lane
    kept = [found.text, *(file.name for file in found.files)]
    kept += [found.click.action_id, found.click.value] if found.click else []
    for text in kept:
        text.encode()
        assert "\0" not in text


@given(st.sampled_from(sorted(BODIES)), STRANGE, STRANGE)
def test_any_event_is_read_ignored_or_malformed(name: str, event: Any, other: Any) -> None:
    for body in ({**BODIES[name], "event": event}, {**BODIES[name], "actions": [event], "user": other}):
        try:
            read(body, BOT)
        except Malformed:
            continue


@given(STRANGE, st.text(st.characters(), max_size=50))
def test_any_submission_is_read_or_malformed(view: Any, text: str) -> None:
    for body in ({**submission(), "view": view}, {**submission(), "user": view, "team": view}):
        try:
            read_submission(body, text).text.encode()
        except Malformed:
            continue


SLACK_FIELDS = (
    "attachments", "authorizations", "blocks", "client_msg_id", "edited", "initial_comment", "inviter", "message",
    "metadata", "permalink", "plain_text", "previous_message", "preview", "profile", "reactions", "real_name",
    "response_url", "root", "state", "text", "title", "token", "topic", "trigger_id", "upload", "url_private",
    "user_profile", "username", "view", "x_files",
)  # fmt: skip


def _with_canaries(value: Any, names: tuple[str, ...], form: Any) -> Any:
    """The body with further fields at every level, each holding the canary; none of its own is replaced."""
    if isinstance(value, list):
        return [_with_canaries(one, names, form) for one in value]
    if not isinstance(value, dict):
        return value
    own = {name: _with_canaries(inner, names, form) for name, inner in value.items()}
    return {**dict.fromkeys(names, form), **own}


@given(
    st.sampled_from(sorted(BODIES)),
    st.lists(st.sampled_from(SLACK_FIELDS), min_size=1, unique=True),
    st.sampled_from([{"text": CANARY, "name": CANARY, "value": CANARY}, {"ts": TS, "user": "U1ANA", "text": CANARY}]),
)
def test_no_field_that_is_not_allow_listed_is_carried(kind: str, names: list[str], form: Any) -> None:
    found = read(_with_canaries(BODIES[kind], tuple(names), form), BOT)

    assert CANARY not in repr(found)
    assert (found is None) == (read(BODIES[kind], BOT) is None)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_further_field_at_once_changes_nothing(kind: str) -> None:
    dressed = _with_canaries(BODIES[kind], SLACK_FIELDS, {"text": CANARY})

    assert read(dressed, BOT) == read(BODIES[kind], BOT)


def test_a_message_from_history_is_the_live_one_but_for_its_source() -> None:
    event = {name: value for name, value in message(thread_ts=ROOT).items() if name not in ("channel_type", "event_ts")}
    found = read_event(event, "T1TEAM", BOT, Source.CATCH_UP)

    assert found is not None
    assert found.source is Source.CATCH_UP
    assert found.key == got(message(thread_ts=ROOT)).key
    assert found.lane == got(message(thread_ts=ROOT)).lane


# ---- the middleware --------------------------------------------------------------------------------------------


class Memory:
    """Inbox and engine of an intake: what it stored, what it woke."""

    def __init__(self) -> None:
        self.stored: list[Incoming] = []
        self.woken: list[Wake] = []
        self.broken = False

    async def insert(self, incoming: Incoming) -> bool:
        if self.broken:
            raise OSError("no space left")
        new = incoming not in self.stored
        self.stored += [incoming] if new else []
        return new

    async def enqueue(self, wake: Wake, delay: float = 0.0) -> None:
        assert self.stored, "woken before it was stored"
        self.woken.append(wake)


async def _next() -> BoltResponse:
    return BoltResponse(status=299)


async def _taken(memory: Memory, body: dict[str, Any]) -> int:
    return (await Intake(memory, memory, BOT)(body, _next)).status  # type: ignore[arg-type]


async def test_what_means_something_is_stored_then_woken_then_acknowledged() -> None:
    memory = Memory()

    assert await _taken(memory, BODIES["message"]) == 200
    assert await _taken(memory, BODIES["message"]) == 200
    assert len(memory.stored) == 1
    assert len(memory.woken) == 2


async def test_what_could_not_be_stored_is_not_acknowledged() -> None:
    memory = Memory()
    memory.broken = True

    with pytest.raises(OSError, match="no space"):
        await _taken(memory, BODIES["message"])
    assert memory.woken == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (envelope({"type": "never_heard_of"}), 200),
        (envelope(message(ts=None)), 200),
        (envelope(message(subtype=["a list"])), 200),
        ({"type": ["a list"]}, 200),
        (click(actions=[7]), 200),
        (click(actions=[{"action_id": {}}]), 200),
        (submission(), 299),
        ({"type": "block_suggestion"}, 299),
        (click(buttons.REPLY), 299),
    ],
)
async def test_all_else_is_acknowledged_and_only_forms_go_on(body: dict[str, Any], status: int) -> None:
    memory = Memory()

    assert await _taken(memory, body) == status
    assert memory.stored == []


@given(bent())
def test_the_middleware_survives_whatever_comes(body: dict[str, Any]) -> None:
    assert asyncio.run(_taken(Memory(), body)) in (200, 299)

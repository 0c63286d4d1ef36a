"""What became of every message: judged from the workspace's own messages and the bot's rows together."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from bot.measure.cast import Message
from bot.measure.ledger import Records, Row
from bot.measure.scene import DESK
from integrations.workspace import Workspace
from knowledge.loader import shipped

EVENT_TYPE = "handrail_post"
RELAYED = "relayed to specialists"
TELLING = 40
"""Characters by which a section is known."""
COMMIT_WITHIN = timedelta(seconds=0.5)
"""How long after its own time a row may be committed, where several are written at once (Postgres)."""


@dataclass(slots=True)
class Verdict:
    """Each list names what is wrong; a good run has none. `late`: messages that Slack delivered after a later one
    had been taken, which were answered when they came. `outcomes`: how often each decision was made."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    to_bots: list[str] = field(default_factory=list)
    late: int = 0
    handoffs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def faults(self) -> Mapping[str, Sequence[str]]:
        """Everything that must be empty, by name."""
        return {
            "lost": self.lost,
            "doubled": self.doubled,
            "out of order": self.out_of_order,
            "wrong answers": self.wrong,
            "cards amiss": self.cards,
            "answers to bots": self.to_bots,
        }


@dataclass(frozen=True, slots=True)
class _Answered:
    message: Message
    row: Row
    post: Row


def judge(
    ws: Workspace,
    written: Sequence[Message],
    by_bots: Iterable[tuple[str, str]],
    texts: Mapping[str, str],
    records: Records,
) -> Verdict:
    """The verdict. `texts`: what the bot said to each question when nothing was broken."""
    return _Court(ws, texts, records).judge(written, by_bots)


class _Court:
    def __init__(self, ws: Workspace, texts: Mapping[str, str], records: Records) -> None:
        self._texts = texts
        self._records = records
        self._ours = [
            {**message, "channel": channel}
            for channel in ws.directory.channels
            for message in ws.messages(channel)
            if message.get("user") == ws.bot_user_id
        ]
        self._posted: dict[str, list[dict[str, str]]] = defaultdict(list)
        for message in self._ours:
            self._posted[_mark(message)].append(message)
        self._reactions = {
            (channel, str(message["ts"]), str(reaction["name"]))
            for channel in ws.directory.channels
            for message in ws.messages(channel)
            for reaction in message.get("reactions", [])
            if ws.bot_user_id in reaction["users"]
        }
        self._inbox = {(row["channel"], row["ts"]): row for row in records.inbox if row["kind"] == "message"}
        self._by_line = {row["line_id"]: row for row in records.outbox if row["line_id"] is not None}
        self._reacts: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in records.outbox:
            if row["deed"]["do"] == "React":
                self._reacts[(row["channel"], row["deed"]["ts"])].append(row)
        self._replies = self._replies_by_message()
        self._verdict = Verdict(handoffs=len(records.handoffs))

    def judge(self, written: Sequence[Message], by_bots: Iterable[tuple[str, str]]) -> Verdict:
        answered = [found for found in map(self._message, written) if found is not None]
        self._order_of_turns(answered)
        self._order_of_posts()
        self._strays()
        self._cards()
        self._bots(by_bots)
        return self._verdict

    def _replies_by_message(self) -> dict[tuple[str, str], list[Row]]:
        """By customer message: the bot's lines that follow it in its case's transcript, before the next message."""
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        current: dict[str, tuple[str, str]] = {}
        for line in self._records.lines:
            if line["speaker"] == "customer":
                current[line["case_id"]] = (line["channel"], line["ts"])
            elif line["speaker"] == "bot":
                found[current.get(line["case_id"], ("", ""))].append(line)
        return found

    # ---- one message -------------------------------------------------------------------------------------------

    def _message(self, message: Message) -> _Answered | None:
        key = (message.channel, message.ts)
        named = f"{message.user} {message.channel} {message.ts} {message.question[:40]!r}"
        row = self._inbox.get(key)
        if row is None or row["processed_at"] is None:
            self._verdict.lost.append(f"{named}: {'never stored' if row is None else 'never processed'}")
            return None
        outcome = str(row["outcome"])
        self._verdict.outcomes[outcome.partition(":")[0]] += 1
        if not _expected(outcome, message):
            self._verdict.wrong.append(f"{named}: {outcome}, expected {message.article or 'a person'}")
        posts = self._posts_for(key, outcome)
        if len(posts) > 1:
            self._verdict.doubled.append(f"{named}: {len(posts)} answers in the outbox")
        if not posts:
            self._verdict.lost.append(f"{named}: {outcome}, no answer")
            return None
        self._delivered(posts[0], named, message, outcome)
        return _Answered(message, row, posts[0])

    def _posts_for(self, key: tuple[str, str], outcome: str) -> list[Row]:
        if outcome == RELAYED:
            return self._reacts[key]
        return [self._by_line[line["id"]] for line in self._replies[key] if line["id"] in self._by_line]

    def _delivered(self, post: Row, named: str, message: Message, outcome: str) -> None:
        if outcome == RELAYED:
            if (message.channel, message.ts, post["deed"]["emoji"]) not in self._reactions:
                self._verdict.lost.append(f"{named}: no receipt ({post['status']})")
            return
        posted = self._posted.get(post["mark"], [])
        if not posted:
            self._verdict.lost.append(f"{named}: answer {post['id']} is {post['status']}, not in Slack")
            return
        place = (posted[0]["channel"], posted[0].get("thread_ts"))
        if place != (message.channel, message.thread_ts or (None if message.channel[0] == "D" else message.ts)):
            self._verdict.wrong.append(f"{named}: answered in {place}")
        rehearsed = posted[0]["text"] == self._texts.get(message.question)
        if outcome.startswith("answered") and not (rehearsed or _is_section(posted[0]["text"], message.article)):
            self._verdict.wrong.append(f"{named}: said {posted[0]['text'][:60]!r}")

    # ---- order -------------------------------------------------------------------------------------------------

    def _order_of_turns(self, answered: Sequence[_Answered]) -> None:
        """Within a lane, decisions are in the order of Slack's ts, but for messages that came too late for it."""
        lanes: defaultdict[str, list[_Answered]] = defaultdict(list)
        for one in answered:
            lanes[one.row["lane"]].append(one)
        for lane, ones in lanes.items():
            ones.sort(key=lambda one: one.message.ts)
            for index, one in enumerate(ones):
                overtaken = [later for later in ones[index + 1 :] if later.post["id"] < one.post["id"]]
                unexcused = [later for later in overtaken if not self._came_late(one.row, later.row)]
                if unexcused:
                    self._verdict.out_of_order.append(f"{lane}: {_when(one)} was answered after {_when(unexcused[0])}")
                elif overtaken:
                    self._verdict.late += 1

    def _came_late(self, row: Row, later: Row) -> bool:
        """Whether the turn that took `later` could not see `row`: it was not stored when that turn began."""
        records = self._records
        if records.serial and row["received_at"] <= later["received_at"]:
            return False
        starts = records.starts.get(later["lane"], ())
        # Starts are rounded down: only one that is older by the rounding began for certain before `later` was done.
        certain = bisect_right(starts, later["processed_at"] - records.rounding)
        stored_at = row["received_at"] if records.serial else row["received_at"] + COMMIT_WITHIN
        return certain == 0 or bool(stored_at >= starts[certain - 1])

    def _order_of_posts(self) -> None:
        """Within a lane of the outbox, messages are in Slack in the order of their rows."""
        newest: dict[str, str] = {}
        for row in self._records.outbox:
            for posted in self._posted.get(row["mark"], [])[:1]:
                if posted["ts"] < newest.get(row["lane"], ""):
                    self._verdict.out_of_order.append(f"{row['lane']}: post {row['id']} came before an earlier one")
                newest[row["lane"]] = posted["ts"]

    # ---- everything else ---------------------------------------------------------------------------------------

    def _strays(self) -> None:
        """Nothing is in Slack twice, nothing that no row asked for, nothing refused or left."""
        known = {row["mark"]: row for row in self._records.outbox}
        for mark, posted in self._posted.items():
            if mark not in known:
                self._verdict.doubled.append(f"{len(posted)} posts that no row asked for: {posted[0]['text'][:60]!r}")
            elif len(posted) > 1:
                self._verdict.doubled.append(f"post {known[mark]['id']} is in Slack {len(posted)} times")
        for row in self._records.outbox:
            if row["status"] != "sent" and row["deed"]["do"] != "Hint":
                self._verdict.lost.append(f"post {row['id']} ({row['deed']['do']}) is {row['status']}: {row['error']}")
            elif row["deed"]["do"] in ("Say", "ShowCard") and row["mark"] not in self._posted:
                self._verdict.lost.append(f"post {row['id']} is said to be sent but not in Slack")
        for line in self._replies.get(("", ""), []):
            self._verdict.doubled.append(f"a reply to nothing: {line['text'][:60]!r}")

    def _cards(self) -> None:
        shown: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._records.outbox:
            if row["deed"]["do"] == "ShowCard":
                shown[row["deed"]["handoff"]].append(row)
        for handoff in self._records.handoffs:
            cards = [post for row in shown[handoff["id"]] for post in self._posted.get(row["mark"], [])]
            if len(cards) != 1 or cards[0]["channel"] != DESK or cards[0]["ts"] != handoff["card_ts"]:
                self._verdict.cards.append(f"handoff {handoff['id']} has {len(cards)} cards")
        # A handoff is joined only where nobody else reads its replies, so there may be one for each channel.
        still_open = (one for one in self._records.handoffs if one["closed_at"] is None)
        twice = Counter((one["customer"], one["topic"], one["channel"]) for one in still_open)
        self._verdict.cards += [f"{key} has {count} open handoffs" for key, count in twice.items() if count > 1]

    def _bots(self, by_bots: Iterable[tuple[str, str]]) -> None:
        said = set(by_bots)
        stored = said & self._inbox.keys()
        answered = [one for one in self._ours if (one["channel"], one.get("thread_ts")) in said]
        self._verdict.to_bots += [f"stored: {channel} {ts}" for channel, ts in stored]
        self._verdict.to_bots += [f"answered: {one['text'][:60]!r}" for one in answered]


def _when(answered: _Answered) -> str:
    row = answered.row
    return f"{row['ts']} (stored {row['received_at']:%H:%M:%S.%f}, done {row['processed_at']:%H:%M:%S.%f})"


def _mark(message: Mapping[str, object]) -> str:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return ""
    return str(metadata.get("event_payload", {}).get("mark", ""))


def _expected(outcome: str, message: Message) -> bool:
    if outcome == RELAYED:
        return True
    if message.article is None:
        return outcome.startswith(("handed over: ASKED", "joined: "))
    return outcome in (f"answered: {message.article}", f"said already: {message.article}")


@cache
def _sections() -> Mapping[str, tuple[str, ...]]:
    return {article.id: tuple(section.body[:TELLING] for section in article.sections) for article in shipped()}


def _is_section(text: str, article: str | None) -> bool:
    """Whether a section of the article was said: that is what is said when its answer was said just before."""
    return article is not None and any(text.startswith(body) for body in _sections()[article])

"""Links, codes and the audit log keep their promises on SQLite and on Postgres alike."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.audit import AuditRow, Entry, Head, chained, first_broken
from bot.domain.identity import CustomerRef, Proof, Provider
from bot.domain.links import BY_ADDRESS, BY_ASKER, CODE_LASTS, IN_ALL, LINK_LASTS, TRIES, Code, Contact, Link
from bot.domain.redaction import Redacted, redacted
from bot.errors import NotFound
from bot.storage import tables
from bot.storage.audit import HEAD, SqlAudit
from bot.storage.links import CODES, SqlCodes, SqlLinks

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CROWD = 20
ACME = CustomerRef(Provider.STRIPE, "cus_acme")
BETA = CustomerRef(Provider.STRIPE, "cus_beta")
RIGHT, WRONG = "a" * 64, "b" * 64


@dataclass(frozen=True, slots=True)
class Kept:
    """The stores over one database."""

    sql: AsyncEngine
    links: SqlLinks
    codes: SqlCodes
    audit: SqlAudit

    async def log(self) -> list[AuditRow]:
        return [row async for row in self.audit.rows()]

    async def kinds(self) -> list[str]:
        return [row.kind for row in await self.log()]

    async def run(self, statement: str, **values: Any) -> None:
        """Something that is done behind our back."""
        async with self.sql.begin() as connection:
            await connection.execute(text(statement), values)


@pytest.fixture
def kept(sql: AsyncEngine) -> Kept:
    """The stores over an empty database."""
    return Kept(sql, SqlLinks(sql), SqlCodes(sql), SqlAudit(sql))


def entry(kind: str = "refunds", at: datetime = AT, **changes: Any) -> Entry:
    return replace(Entry(at, "T1:U1ANA", "T1:U1ANA", "link", kind, ("re_1",), 1, "found", 12), **changes)


def link(name: str = "link_a", at: datetime = AT, **changes: Any) -> Link:
    made = Link(
        id=name,
        team="T1",
        channel=None,
        contacts=(Contact("U1ANA", "f" * 64),),
        customers=(ACME, BETA),
        proof=Proof.LINK,
        made_by="U1MIRA",
        reason=redacted("she called from the number that we know"),
        made_at=at,
        expires_at=at + LINK_LASTS,
    )
    return replace(made, **changes)


def code(name: str = "code_a", at: datetime = AT, **changes: Any) -> Code:
    made = Code(name, "T1", "U1ANA", "d" * 64, RIGHT, (ACME,), at, at + CODE_LASTS)
    return replace(made, **changes)


async def ask(kept: Kept, name: str, at: datetime = AT, **changes: Any) -> bool:
    return await kept.codes.ask(code(name, at, **changes), entry("code.asked", at))


async def attempt(kept: Kept, offered: str, *, name: str = "code_a", at: datetime = AT, makes: str = "link_a") -> bool:
    made = link(makes, at, proof=Proof.CODE)
    return await kept.codes.attempt(name, offered, made, entry("link.made", at), entry("code.tried", at))


# ---- links -----------------------------------------------------------------------------------------------------


async def test_a_link_comes_back_as_it_was(kept: Kept) -> None:
    one = link()
    contacts = (Contact("U2ZOE", "1"), Contact("U2ABE", "2"))
    other = link("link_b", AT + timedelta(days=1), channel="C1", contacts=contacts, customers=(BETA,))
    await kept.links.add(one, entry("link.made"))
    await kept.links.add(other, entry("link.made"))

    assert await kept.links.get("link_a") == one
    assert isinstance((await kept.links.get("link_a")).reason, Redacted)
    assert await kept.links.get("link_b") == other
    assert await kept.kinds() == ["link.made", "link.made"]
    with pytest.raises(NotFound):
        await kept.links.get("link_c")


async def test_links_are_listed_for_a_person_and_for_a_team_newest_first(kept: Kept) -> None:
    later, latest = AT + timedelta(hours=1), AT + timedelta(hours=2)
    both = (Contact("U1BEN", "1"), Contact("U1ANA", "2"))
    await kept.links.add(link("link_b", later, channel="C1", contacts=both), entry())
    await kept.links.add(link("link_a"), entry())
    await kept.links.add(link("link_c", latest, contacts=(Contact("U1BEN", "1"),)), entry())
    await kept.links.add(link("link_d", team="T2"), entry())

    assert [one.id for one in await kept.links.of_person("T1", "U1ANA")] == ["link_b", "link_a"]
    assert [one.id for one in await kept.links.of_person("T1", "U1BEN")] == ["link_c", "link_b"]
    assert await kept.links.of_person("T1", "U1EVE") == ()
    assert [one.id for one in await kept.links.all("T1")] == ["link_c", "link_b", "link_a"]
    assert [one.id for one in await kept.links.all("T1", newest=1)] == ["link_c"]
    assert [one.id for one in await kept.links.of_person("T2", "U1ANA")] == ["link_d"]


async def test_a_link_and_its_row_in_the_log_are_kept_together_or_not_at_all(kept: Kept) -> None:
    with pytest.raises(ValueError, match="Slack ids"):
        await kept.links.add(link(), entry(who="Mira"))
    assert await kept.links.all("T1") == ()

    await kept.links.add(link(), entry("link.made"))
    with pytest.raises(IntegrityError):
        await kept.links.add(link(), entry("link.made"))
    with pytest.raises(ValueError, match="Slack ids"):
        await kept.links.revoke("link_a", "U1MIRA", entry(who="Mira"))
    with pytest.raises(ValueError, match="Slack ids"):
        await kept.links.end("link_a", "U1ANA", entry(who="Mira"))
    assert await kept.links.get("link_a") == link()
    assert await kept.kinds() == ["link.made"]


async def test_a_reason_that_was_not_redacted_is_refused(kept: Kept) -> None:
    with pytest.raises(StatementError, match="only Redacted text is stored"):
        await kept.links.add(link(reason="a plain text"), entry())
    assert await kept.links.all("T1") == ()


async def test_a_link_is_revoked_once_even_by_many_at_once(kept: Kept) -> None:
    await kept.links.add(link(), entry("link.made"))
    at = AT + timedelta(days=1)

    done = await asyncio.gather(
        *(kept.links.revoke("link_a", "U1MIRA", entry("link.revoked", at)) for _ in range(CROWD))
    )

    assert done.count(True) == 1
    assert await kept.links.get("link_a") == link(revoked_at=at, revoked_by="U1MIRA")
    assert await kept.kinds() == ["link.made", "link.revoked"]
    assert not await kept.links.revoke("link_x", "U1MIRA", entry("link.revoked"))


async def test_a_link_ends_for_one_of_its_people_once_and_stays_for_the_others(kept: Kept) -> None:
    people = (Contact("U1ANA", "1"), Contact("U1BEN", "2"))
    await kept.links.add(link(channel="C1", contacts=people), entry("link.made"))

    done = await asyncio.gather(*(kept.links.end("link_a", "U1ANA", entry("link.ended")) for _ in range(CROWD)))

    assert done.count(True) == 1
    assert (await kept.links.get("link_a")).contacts == (Contact("U1ANA", "1", AT), people[1])
    assert await kept.kinds() == ["link.made", "link.ended"]
    assert not await kept.links.end("link_a", "U1EVE", entry("link.ended"))


# ---- codes -----------------------------------------------------------------------------------------------------


async def test_the_secret_is_made_once_even_by_many_at_once(kept: Kept) -> None:
    given = await asyncio.gather(*(kept.codes.secret(f"secret {number}") for number in range(CROWD)))

    assert len(set(given)) == 1
    assert await kept.codes.secret("another") == given[0]


async def test_a_code_comes_back_as_it_was_until_the_next_one(kept: Kept) -> None:
    assert await kept.codes.newest("T1", "U1ANA") is None
    assert await ask(kept, "code_a", customers=())
    await kept.codes.name("code_a", (BETA, ACME))
    assert await kept.codes.newest("T1", "U1ANA") == code(customers=(BETA, ACME))

    later = AT + timedelta(minutes=1)
    assert await ask(kept, "code_b", later)
    assert await kept.codes.newest("T1", "U1ANA") == code("code_b", later)
    assert not await attempt(kept, RIGHT, name="code_a", at=later)
    assert await kept.codes.newest("T2", "U1ANA") is None
    assert await kept.codes.newest("T1", "U1BEN") is None


async def test_an_asker_gets_so_many_codes_an_hour_even_at_once(kept: Kept) -> None:
    asked = await asyncio.gather(*(ask(kept, f"code_{n}", address=str(n)) for n in range(CROWD)))

    assert asked.count(True) == BY_ASKER.most
    assert await kept.kinds() == ["code.asked"] * BY_ASKER.most
    assert not await ask(kept, "code_y", AT + timedelta(minutes=59))
    assert await ask(kept, "code_x", AT, user="U1BEN")
    assert await ask(kept, "code_z", AT + timedelta(minutes=60))


async def test_an_address_gets_so_many_codes_a_day_whoever_asks(kept: Kept) -> None:
    asked = await asyncio.gather(*(ask(kept, f"code_{n}", user=f"U{n}", team=f"T{n}") for n in range(CROWD)))

    assert asked.count(True) == BY_ADDRESS.most
    assert not await ask(kept, "code_y", AT + timedelta(hours=23), user="U1EVE")
    assert await ask(kept, "code_x", user="U1EVE", address="another")
    assert await ask(kept, "code_z", AT + timedelta(hours=24), user="U1EVE")


async def test_all_together_get_so_many_codes_an_hour(kept: Kept) -> None:
    rows = [
        asdict(code(f"code_{n}", team=f"T{n}", address=str(n), customers=())) | {"customers": []}
        for n in range(IN_ALL.most - 1)
    ]
    async with kept.sql.begin() as connection:
        await connection.execute(insert(CODES), rows)

    assert await ask(kept, "code_x", user="U1BEN")
    assert not await ask(kept, "code_y", user="U1EVE", address="another")
    assert await ask(kept, "code_z", AT + timedelta(hours=1), user="U1EVE")


async def test_a_clock_that_goes_back_frees_nobody_and_one_that_was_far_ahead_locks_nobody_out(kept: Kept) -> None:
    for number in range(BY_ASKER.most):
        assert await ask(kept, f"code_{number}", address=str(number))

    assert not await ask(kept, "code_x", AT - timedelta(minutes=30))
    assert await ask(kept, "code_y", AT - timedelta(days=400))


async def test_old_codes_are_taken_out(kept: Kept) -> None:
    await ask(kept, "code_a")
    await ask(kept, "code_b", AT + timedelta(days=3))

    async with kept.sql.connect() as connection:
        assert (await connection.execute(text("SELECT id FROM codes"))).scalars().all() == ["code_b"]


async def test_a_right_code_makes_its_link_once_even_when_sent_many_times_at_once(kept: Kept) -> None:
    await ask(kept, "code_a")

    done = await asyncio.gather(*(attempt(kept, RIGHT, makes=f"link_{n}") for n in range(CROWD)))

    assert done.count(True) == 1
    assert len(await kept.links.of_person("T1", "U1ANA")) == 1
    assert await kept.kinds() == ["code.asked", "link.made"]
    assert await kept.codes.newest("T1", "U1ANA") is None


async def test_a_code_is_closed_after_so_many_tries_even_at_once(kept: Kept) -> None:
    await ask(kept, "code_a")

    await asyncio.gather(*(attempt(kept, WRONG) for _ in range(CROWD)))

    assert not await attempt(kept, RIGHT)
    assert await kept.kinds() == ["code.asked"] + ["code.tried"] * TRIES
    assert await kept.links.all("T1") == ()


async def test_the_last_try_still_counts(kept: Kept) -> None:
    await ask(kept, "code_a")
    for _ in range(TRIES - 1):
        assert not await attempt(kept, WRONG)

    assert await attempt(kept, RIGHT)


async def test_a_code_that_is_too_old_is_closed_for_good_even_when_the_clock_goes_back(kept: Kept) -> None:
    await ask(kept, "code_a")

    assert not await attempt(kept, RIGHT, at=AT + CODE_LASTS)
    assert not await attempt(kept, RIGHT, at=AT)


async def test_a_code_of_the_future_does_not_fit(kept: Kept) -> None:
    await ask(kept, "code_a", AT + timedelta(minutes=2))

    assert not await attempt(kept, RIGHT, at=AT)


async def test_a_code_for_an_address_that_is_nobodys_never_fits(kept: Kept) -> None:
    await ask(kept, "code_a", customers=())

    assert not await attempt(kept, RIGHT)
    assert await kept.links.all("T1") == ()


# ---- the audit log ---------------------------------------------------------------------------------------------


async def fill(kept: Kept, length: int) -> None:
    """As many rows as `add` would have written."""
    head, rows = Head(), []
    for number in range(1, length + 1):
        rows.append(chained(entry(objects=(f"re_{number}",)), head))
        head = Head(number, rows[-1].hash)
    async with kept.sql.begin() as connection:
        await connection.execute(insert(tables.AuditTable), [asdict(row) for row in rows])
        end = {"name": HEAD, "value": f"{head.number} {head.hash}"}
        await connection.execute(insert(tables.MemoryTable), [end])


async def test_an_empty_log_is_well(kept: Kept) -> None:
    assert await kept.audit.verify() is None
    assert await kept.log() == []


async def test_rows_come_back_as_they_were_chained(kept: Kept) -> None:
    head = Head()
    for number in range(1, 4):
        await kept.audit.add(entry(objects=(f"re_{number}",)))
    rows = await kept.log()
    for row in rows:
        assert row == chained(entry(objects=(f"re_{row.number}",)), head)
        head = Head(row.number, row.hash)

    assert len(rows) == 3
    assert await kept.audit.verify() is None


async def test_many_writers_at_once_make_one_chain(kept: Kept) -> None:
    await kept.links.add(link("link_z"), entry("link.made"))
    await ask(kept, "code_a")
    others = [attempt(kept, RIGHT if n == 3 else WRONG, makes=f"link_{n}") for n in range(4)]
    others += [ask(kept, f"code_{n}", user=f"U{n}", address=str(n)) for n in range(10)]
    others += [kept.links.revoke("link_z", "U1MIRA", entry("link.revoked"))]
    others += [kept.links.end("link_z", "U1ANA", entry("link.ended"))]

    await asyncio.gather(
        *(kept.audit.add(entry(objects=(f"re_{n}",))) for n in range(3 * CROWD)),
        *others,
        *(ask(kept, f"code_u{n}", address=f"u{n}") for n in range(2)),
    )

    rows = await kept.log()
    assert first_broken(rows) is None
    assert await kept.audit.verify() is None
    seen = {json.loads(row.objects)[0] for row in rows if row.kind == "refunds"}
    assert seen == {f"re_{n}" for n in range(3 * CROWD)}


async def test_the_log_is_well_at_every_moment_while_it_is_written(kept: Kept) -> None:
    writing = asyncio.gather(*(kept.audit.add(entry()) for _ in range(2 * CROWD)))
    while not writing.done():
        assert await kept.audit.verify() is None
    await writing

    assert len(await kept.log()) == 2 * CROWD


async def test_a_log_longer_than_one_reading_is_read_whole(kept: Kept) -> None:
    await fill(kept, 1_203)

    assert await kept.audit.verify() is None
    assert [row.number for row in await kept.log()] == list(range(1, 1_204))
    await kept.run("UPDATE audit SET outcome = 'none' WHERE number = 1100")
    assert await kept.audit.verify() == 1_100


@pytest.mark.parametrize(
    "column", ["at", "who", "for_whom", "rule", "kind", "objects", "outcome", "hash", "count", "duration_ms"]
)
async def test_an_altered_row_is_found(kept: Kept, column: str) -> None:
    await fill(kept, 5)
    value: object = 7 if column in {"count", "duration_ms"} else "anything {["

    await kept.run(f'UPDATE audit SET "{column}" = :value WHERE number = 3', value=value)  # noqa: S608

    assert await kept.audit.verify() == 3


@pytest.mark.parametrize("number", [1, 3, 5])
async def test_a_deleted_row_is_found_at_the_end_too(kept: Kept, number: int) -> None:
    await fill(kept, 5)
    await kept.run("DELETE FROM audit WHERE number = :number", number=number)

    assert await kept.audit.verify() == number


async def test_rows_that_changed_places_are_found(kept: Kept) -> None:
    await fill(kept, 5)
    for old, new in ((2, 99), (4, 2), (99, 4)):
        await kept.run("UPDATE audit SET number = :new WHERE number = :old", old=old, new=new)

    assert await kept.audit.verify() == 2


async def test_an_emptied_log_and_a_lost_end_are_found(kept: Kept) -> None:
    await fill(kept, 5)
    await kept.run("DELETE FROM memory WHERE name = :name", name=HEAD)
    assert await kept.audit.verify() == 1

    await kept.run("INSERT INTO memory (name, value) VALUES (:name, 'nonsense')", name=HEAD)
    assert await kept.audit.verify() == 1

    await kept.run("DELETE FROM audit")
    await kept.run("UPDATE memory SET value = '5 abc' WHERE name = :name", name=HEAD)
    assert await kept.audit.verify() == 1


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        ("DELETE FROM audit WHERE number > 3", 4),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET outcome = 'none' WHERE number = 5", 5),
    ],
)
async def test_a_damaged_log_takes_further_rows_and_stays_found(kept: Kept, damage: str, broken: int) -> None:
    await fill(kept, 5)
    await kept.run(damage)
    await kept.audit.add(entry())
    await kept.audit.add(entry())

    assert await kept.audit.verify() == broken


async def test_a_lost_end_does_not_stop_writers(kept: Kept) -> None:
    await fill(kept, 5)
    await kept.run("DELETE FROM memory WHERE name = :name", name=HEAD)
    await kept.audit.add(entry())

    assert [row.number for row in await kept.log()] == [1, 2, 3, 4, 5, 6]

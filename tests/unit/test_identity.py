"""Whose money somebody may see: links, confirmed e-mail, one-time codes, and everything that gives no scope."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Never

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.audit import Entry
from bot.domain.identity import CustomerRef, CustomerScope, IdentityRule, Proof, Provider
from bot.domain.links import BY_ADDRESS, BY_ASKER, LINK_LASTS, TRIES, Link, address_of
from bot.domain.redaction import redacted
from bot.errors import Unavailable
from bot.ports import Profile
from bot.services.identity import Identity, Left, Refusal, identity_key, random_code
from bot.storage import database, tables
from bot.storage.audit import SqlAudit
from bot.storage.links import SqlCodes, SqlLinks
from tests.fakes.clock import FakeClock
from tests.fakes.directory import FakeDirectory
from tests.fakes.mail import FakeMail, FakeProfiles

ROOT = Path(__file__).parents[2]
TEAM = "T1"
ANA, BEN, EVE, GUS, MIRA = "U1ANA", "U1BEN", "U1EVE", "U1GUS", "U1MIRA"
ANA_MAIL, BILLING, UNKNOWN = "ana@example.com", "billing@acme.example.com", "nobody@example.com"
ACME = CustomerRef(Provider.STRIPE, "cus_acme")
ANNA = CustomerRef(Provider.STRIPE, "cus_anna")
SECOND = CustomerRef(Provider.STRIPE, "cus_anna2")
REASON = redacted("she called from the number that we know")


class Customers:
    """As much of `bot.ports.Payments` as identity asks, which is customers by e-mail. `asked` lists addresses."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[str] = []
        self.known: dict[str, tuple[CustomerRef, ...]] = {}

    async def customers(self, email: str) -> tuple[CustomerRef, ...]:
        self.asked.append(email)
        if self.down:
            raise Unavailable("stripe")
        return self.known.get(email.casefold(), ())

    async def _read(self, scope: CustomerScope) -> Never:
        raise AssertionError("identity reads nobody's money")

    payments = refunds = invoices = subscriptions = disputes = _read


@dataclass(slots=True)
class Town:
    """People, customers, and who decides between them."""

    sql: AsyncEngine
    clock: FakeClock
    links: SqlLinks
    audit: SqlAudit
    profiles: FakeProfiles
    directory: FakeDirectory
    payments: Customers
    mail: FakeMail
    identity: Identity

    def by(self, rule: IdentityRule) -> Identity:
        return replace(self.identity, rule=rule)

    async def link(self, *users: str, by: str = MIRA, **more: Any) -> Link:
        made = await self.identity.link(by, TEAM, users or (ANA,), more.pop("customers", (ACME,)), REASON, **more)
        assert isinstance(made, Link)
        return made

    async def code(self, user: str = ANA, address: str = BILLING) -> str:
        """The code that arrives when somebody asks for one."""
        before = len(self.mail.sent)
        await self.identity.request_code(TEAM, user, address)
        await self.identity.settled()
        (mail,) = self.mail.sent[before:]
        (code,) = re.findall(r"\b[0-9]{6}\b", mail.text)
        return str(code)

    async def kinds(self) -> list[str]:
        return [row.kind async for row in self.audit.rows()]

    async def everything(self) -> str:
        """All rows of all tables."""
        found: list[Any] = []
        async with self.sql.connect() as connection:
            await connection.execution_options(read_only=True)
            for table in tables.metadata.sorted_tables:
                found += (await connection.execute(table.select())).all()
        return "\n".join(map(str, found))


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    url = database.app_url(None, tmp_path)
    database.migrate(url)
    sql = database.connect(url)
    clock = FakeClock()
    links, codes = SqlLinks(sql), SqlCodes(sql)
    profiles = FakeProfiles(TEAM).add(ANA, ANA_MAIL).add(BEN, "ben@example.com").add(EVE, "eve@example.com")
    profiles.add(MIRA, "mira@example.com").add(GUS, "gus@example.com", member=False)
    directory = FakeDirectory().add(ANA, "Ana").add(BEN, "Ben").add(EVE, "Eve").add(GUS, "Gus", member=False)
    directory.add(MIRA, "Mira", staff=True)
    payments, mail = Customers(), FakeMail()
    payments.known = {ANA_MAIL: (ANNA,), BILLING: (ACME,), "mira@example.com": (ACME,), "gus@example.com": (ACME,)}
    key = await identity_key(codes)
    identity = Identity(
        links=links,
        codes=codes,
        profiles=profiles,
        directory=directory,
        payments=payments,
        mail=mail,
        clock=clock,
        key=key,
        home=TEAM,
        rule=IdentityRule.LINKED,
    )
    yield Town(sql, clock, links, SqlAudit(sql), profiles, directory, payments, mail, identity)
    await identity.settled()
    await sql.dispose()


def customers(scope: CustomerScope | None) -> tuple[CustomerRef, ...]:
    return () if scope is None else scope.customers


# ---- links -----------------------------------------------------------------------------------------------------


async def test_nobody_has_a_scope_without_a_link(town: Town) -> None:
    for user in (ANA, GUS, MIRA, "U1UNKNOWN"):
        assert await town.identity.scope(TEAM, user) is None
    assert town.payments.asked == []
    assert town.profiles.asked == 0


async def test_a_linked_person_is_the_customers_of_the_link_and_nobody_else_is(town: Town) -> None:
    await town.link(customers=(SECOND, ACME, ACME))

    scope = await town.identity.scope(TEAM, ANA)
    assert scope is not None
    assert (scope.team, scope.user, scope.proof, scope.at) == (TEAM, ANA, Proof.LINK, town.clock.now())
    assert scope.customers == (ACME, SECOND)
    assert await town.identity.scope(TEAM, BEN) is None
    assert await town.identity.scope("T2", ANA) is None


async def test_several_links_add_up(town: Town) -> None:
    await town.link()
    await town.link(ANA, BEN, customers=(ACME, SECOND), channel="C1")

    assert customers(await town.identity.scope(TEAM, ANA)) == (ACME, SECOND)
    assert customers(await town.identity.scope(TEAM, BEN)) == (ACME, SECOND)
    assert await town.identity.scope(TEAM, EVE) is None


async def test_guests_and_people_of_another_company_can_be_linked_by_a_specialist(town: Town) -> None:
    town.profiles.add("U2ZOE", "zoe@example.org", team="T2", member=False)
    await town.link(GUS)
    await town.link("U2ZOE")

    assert customers(await town.identity.scope(TEAM, GUS)) == (ACME,)
    assert customers(await town.identity.scope(TEAM, "U2ZOE")) == (ACME,)


async def test_a_link_expires_after_90_days(town: Town) -> None:
    await town.link()
    town.clock.advance(timedelta(days=90).total_seconds() - 1)
    assert await town.identity.scope(TEAM, ANA) is not None
    town.clock.advance(1)
    assert await town.identity.scope(TEAM, ANA) is None


async def test_a_link_of_the_future_gives_nothing_but_two_clocks_may_differ_a_little(town: Town) -> None:
    await town.link()
    town.clock.advance(-60)
    assert await town.identity.scope(TEAM, ANA) is not None
    town.clock.advance(-1)
    assert await town.identity.scope(TEAM, ANA) is None


@pytest.mark.parametrize(
    "change",
    [{"email": "ana@example.org"}, {"email": None}, {"team": "T2"}, {"member": False}],
    ids=lambda change: str(next(iter(change))),
)
async def test_what_slack_says_differently_ends_a_link_for_good(town: Town, change: dict[str, Any]) -> None:
    before = await town.profiles.profile(ANA)
    made = await town.link()
    town.profiles.change(ANA, **change)
    assert await town.identity.scope(TEAM, ANA) is None

    town.profiles.change(ANA, email=before.email, team=before.team, member=before.member)
    assert await town.identity.scope(TEAM, ANA) is None
    (kept,) = await town.links.of_person(TEAM, ANA)
    assert kept.id == made.id
    assert kept.contacts[0].ended_at == town.clock.now()
    assert await town.kinds() == ["link.made", "link.ended"]


async def test_what_means_nothing_ends_no_link(town: Town) -> None:
    await town.link()
    town.profiles.change(ANA, email="Ana@Example.COM", confirmed=False, locale="de-DE", zone="Asia/Tokyo")

    assert customers(await town.identity.scope(TEAM, ANA)) == (ACME,)


async def test_a_billing_contact_who_changed_leaves_the_others_their_link(town: Town) -> None:
    await town.link(ANA, BEN, channel="C1")
    town.profiles.change(ANA, member=False)

    assert await town.identity.scope(TEAM, ANA) is None
    assert customers(await town.identity.scope(TEAM, BEN)) == (ACME,)


async def test_somebody_whom_slack_does_not_know_has_no_scope(town: Town) -> None:
    await town.link()
    town.profiles.remove(ANA)

    assert await town.identity.scope(TEAM, ANA) is None


async def test_without_slack_nobody_gets_a_scope_and_no_link_ends(town: Town) -> None:
    await town.link()
    town.profiles.down = True
    with pytest.raises(Unavailable, match="slack"):
        await town.identity.scope(TEAM, ANA)

    town.profiles.down = False
    assert await town.identity.scope(TEAM, ANA) is not None


async def test_a_link_is_revoked_by_specialists_and_by_the_person_whose_it_is_alone(town: Town) -> None:
    own, shared = await town.link(), await town.link(ANA, BEN, channel="C1", customers=(SECOND,))
    for by, made in ((BEN, own), (EVE, own), (ANA, shared), ("U1UNKNOWN", own)):
        assert not await town.identity.revoke(by, TEAM, made.id)
    assert not await town.identity.revoke(MIRA, "T2", own.id)
    assert not await town.identity.revoke(MIRA, TEAM, "link_none")
    assert customers(await town.identity.scope(TEAM, ANA)) == (ACME, SECOND)

    assert await town.identity.revoke(ANA, TEAM, own.id)
    assert customers(await town.identity.scope(TEAM, ANA)) == (SECOND,)
    assert await town.identity.revoke(MIRA, TEAM, shared.id)
    assert not await town.identity.revoke(MIRA, TEAM, shared.id)
    assert await town.identity.scope(TEAM, ANA) is None
    assert (await town.links.get(shared.id)).revoked_by == MIRA


async def test_whoever_leaves_a_link_ends_it_for_themselves_alone(town: Town) -> None:
    own, shared = await town.link(), await town.link(ANA, BEN, channel="C1", customers=(SECOND,))
    assert await town.identity.leave(TEAM, ANA, shared.id) is Left.ENDED
    assert customers(await town.identity.scope(TEAM, ANA)) == (ACME,)
    assert customers(await town.identity.scope(TEAM, BEN)) == (SECOND,)
    assert await town.identity.leave(TEAM, ANA, own.id) is Left.ENDED
    assert await town.identity.scope(TEAM, ANA) is None
    assert await town.identity.live(TEAM, ANA) == ()

    assert [(row.who, row.for_whom, row.kind, row.outcome) async for row in town.audit.rows()][2:] == [
        ("T1:U1ANA", "T1:U1ANA", "link.revoked", "left"),
        ("T1:U1ANA", "T1:U1ANA", "link.revoked", "left"),
    ]
    assert await town.audit.verify() is None


async def test_who_leaves_a_link_too_late_learns_how_it_had_ended(town: Town) -> None:
    own, taken, changed, old = [await town.link() for _ in range(4)]
    assert await town.identity.leave(TEAM, ANA, own.id) is Left.ENDED
    assert await town.identity.revoke(MIRA, TEAM, taken.id)
    entry = Entry(town.clock.now(), "T1:U1ANA", "T1:U1ANA", "link", "link.ended", (changed.id,), 1, "changed")
    assert await town.links.end(changed.id, ANA, entry)
    town.clock.advance(LINK_LASTS.total_seconds())
    logged = await town.kinds()

    assert [await town.identity.leave(TEAM, ANA, one.id) for one in (own, taken, changed, old)] == [
        Left.ENDED,
        Left.BY_SPECIALIST,
        Left.BEFORE,
        Left.EXPIRED,
    ]
    assert await town.kinds() == logged


async def test_nobody_leaves_a_link_that_is_not_theirs_or_learns_that_there_is_one(town: Town) -> None:
    own, shared = await town.link(), await town.link(ANA, BEN, channel="C1")
    forged = [(EVE, own.id), (BEN, own.id), (MIRA, own.id), (EVE, shared.id), (EVE, "link_none"), (EVE, "")]
    assert {await town.identity.leave(TEAM, user, link_id) for user, link_id in forged} == {Left.NOT_THEIRS}
    assert await town.identity.leave("T2", ANA, own.id) is Left.NOT_THEIRS

    assert await town.identity.live(TEAM, ANA) == (shared, own)
    assert await town.identity.live(TEAM, BEN) == (shared,)
    assert await town.kinds() == ["link.made", "link.made"]


@pytest.mark.parametrize("channel", [None, "C1"])
async def test_a_link_that_is_left_twice_at_once_ends_once(town: Town, channel: str | None) -> None:
    made = await town.link(channel=channel)
    left = await asyncio.gather(*(town.identity.leave(TEAM, ANA, made.id) for _ in range(4)))

    assert Left.ENDED in left
    assert Left.NOT_THEIRS not in left
    assert await town.kinds() == ["link.made", "link.revoked"]


async def test_links_that_may_not_be_made_are_not(town: Town) -> None:
    link, many = town.identity.link, tuple(CustomerRef(Provider.STRIPE, f"cus_{n}") for n in range(21))
    refused = [
        (await link(ANA, TEAM, [BEN], [ACME], REASON), Refusal.NOT_STAFF),
        (await link(MIRA, TEAM, [MIRA], [ACME], REASON), Refusal.SELF),
        (await link(MIRA, TEAM, [ANA, MIRA], [ACME], REASON, channel="C1"), Refusal.SELF),
        (await link(MIRA, TEAM, [ANA], [ACME], redacted(" ")), Refusal.NO_REASON),
        (await link(MIRA, TEAM, [ANA], [], REASON), Refusal.NO_CUSTOMER),
        (await link(MIRA, TEAM, [ANA], [CustomerRef(Provider.STRIPE, " ")], REASON), Refusal.NO_CUSTOMER),
        (await link(MIRA, TEAM, [], [ACME], REASON), Refusal.NOBODY),
        (await link(MIRA, TEAM, ["U1UNKNOWN"], [ACME], REASON), Refusal.NOBODY),
        (await link(MIRA, TEAM, [ANA, BEN], [ACME], REASON), Refusal.TOO_MANY),
        (await link(MIRA, TEAM, [ANA], many, REASON), Refusal.TOO_MANY),
    ]

    assert all(got is wanted for got, wanted in refused)
    assert await town.links.all(TEAM) == ()
    assert await town.kinds() == []


async def test_every_change_of_a_link_is_in_the_log_with_who_did_it(town: Town) -> None:
    made = await town.link(ANA, BEN, channel="C1", customers=(ACME, SECOND))
    town.profiles.change(BEN, member=False)
    await town.identity.scope(TEAM, BEN)
    await town.identity.revoke(MIRA, TEAM, made.id)

    rows = [row async for row in town.audit.rows()]
    assert [(row.kind, row.who, row.for_whom, row.rule, row.outcome) for row in rows] == [
        ("link.made", "T1:U1MIRA", "T1:C1", "link", "made"),
        ("link.ended", "T1:U1BEN", "T1:U1BEN", "link", "changed"),
        ("link.revoked", "T1:U1MIRA", "T1:C1", "link", "revoked"),
    ]
    assert {row.objects for row in rows} == {f'["{made.id}", "cus_acme", "cus_anna2"]'}
    assert await town.audit.verify() is None


# ---- the e-mail that Slack confirmed ---------------------------------------------------------------------------


async def test_a_confirmed_e_mail_is_enough_by_the_rule_that_says_so(town: Town) -> None:
    town.payments.known[ANA_MAIL] = (SECOND, ANNA)
    scope = await town.by(IdentityRule.EMAIL).scope(TEAM, ANA)

    assert scope is not None
    assert scope.proof is Proof.EMAIL
    assert scope.customers == (ANNA, SECOND)
    assert await town.by(IdentityRule.EMAIL).scope(TEAM, BEN) is None  # no customer has that e-mail


@pytest.mark.parametrize(
    "change",
    [
        {"confirmed": False},
        {"member": False},
        {"team": "T2"},
        {"email": None},
        {"email": ""},
        {"email": f"{ANA_MAIL}, {BILLING}"},
    ],
    ids=str,
)
async def test_an_e_mail_is_not_trusted_of_guests_strangers_or_unconfirmed(town: Town, change: dict[str, Any]) -> None:
    town.profiles.change(ANA, **change)

    assert await town.by(IdentityRule.EMAIL).scope(TEAM, ANA) is None
    assert town.payments.asked == []


async def test_letters_that_fold_to_others_are_no_way_to_somebody_elses_money(town: Town) -> None:
    town.payments.known |= {"pay@strasse.example.com": (ACME,), "kim@example.com": (ACME,)}
    for twin in ("pay@straße.example.com", "\u212aim@example.com"):
        assert twin.casefold() in town.payments.known
        town.profiles.change(ANA, email=twin)
        assert await town.by(IdentityRule.EMAIL).scope(TEAM, ANA) is None
        await town.identity.request_code(TEAM, ANA, twin)
    await town.identity.settled()
    assert town.mail.sent == []


async def test_staff_are_nobodys_customer_by_their_e_mail(town: Town) -> None:
    assert await town.by(IdentityRule.EMAIL).scope(TEAM, MIRA) is None
    assert town.payments.asked == []


async def test_a_link_goes_before_the_e_mail(town: Town) -> None:
    made = await town.link()
    by_email = town.by(IdentityRule.EMAIL)
    assert customers(await by_email.scope(TEAM, ANA)) == (ACME,)

    await town.identity.revoke(MIRA, TEAM, made.id)
    assert customers(await by_email.scope(TEAM, ANA)) == (ANNA,)


async def test_a_changed_e_mail_is_asked_anew_and_the_old_one_gives_nothing(town: Town) -> None:
    by_email = town.by(IdentityRule.EMAIL)
    assert customers(await by_email.scope(TEAM, ANA)) == (ANNA,)
    town.profiles.change(ANA, email="new@example.com")
    assert await by_email.scope(TEAM, ANA) is None


async def test_a_customer_who_was_deleted_is_nobodys_by_e_mail(town: Town) -> None:
    by_email = town.by(IdentityRule.EMAIL)
    del town.payments.known[ANA_MAIL]
    assert await by_email.scope(TEAM, ANA) is None


async def test_when_an_edge_is_down_nobody_gets_a_scope_by_e_mail(town: Town) -> None:
    town.payments.down = True
    with pytest.raises(Unavailable, match="stripe"):
        await town.by(IdentityRule.EMAIL).scope(TEAM, ANA)
    town.directory.down = True
    with pytest.raises(Unavailable, match="slack"):
        await town.by(IdentityRule.EMAIL).scope(TEAM, ANA)


# ---- one-time codes --------------------------------------------------------------------------------------------


async def test_a_code_proves_the_address_that_it_was_sent_to(town: Town) -> None:
    code = await town.code()
    assert town.mail.sent[0].to == BILLING
    assert code not in town.mail.sent[0].subject

    made = await town.identity.prove(TEAM, ANA, f" {code[:3]} {code[3:]} ")
    assert made is not None
    scope = await town.identity.scope(TEAM, ANA)
    assert scope is not None
    assert (scope.customers, scope.proof) == ((ACME,), Proof.CODE)
    assert await town.kinds() == ["code.asked", "link.made"]


async def test_a_guest_may_prove_an_address(town: Town) -> None:
    assert await town.identity.prove(TEAM, GUS, await town.code(GUS)) is not None
    assert customers(await town.identity.scope(TEAM, GUS)) == (ACME,)


async def test_a_proven_link_ends_like_every_other_one(town: Town) -> None:
    await town.identity.prove(TEAM, ANA, await town.code())
    town.profiles.change(ANA, email="ana@example.org")

    assert await town.identity.scope(TEAM, ANA) is None


async def test_a_code_works_once(town: Town) -> None:
    code = await town.code()
    assert await town.identity.prove(TEAM, ANA, code) is not None
    assert await town.identity.prove(TEAM, ANA, code) is None
    assert len(await town.links.all(TEAM)) == 1


async def test_a_code_is_its_askers_alone(town: Town) -> None:
    code = await town.code()
    await town.code(EVE)

    assert await town.identity.prove(TEAM, EVE, code) is None
    assert await town.identity.prove(TEAM, BEN, code) is None
    assert await town.identity.prove("T2", ANA, code) is None
    assert await town.identity.prove(TEAM, ANA, code) is not None


async def test_a_newer_code_takes_the_place_of_the_last_one(town: Town) -> None:
    first, second = await town.code(), await town.code()

    assert await town.identity.prove(TEAM, ANA, first) is None
    assert await town.identity.prove(TEAM, ANA, second) is not None


async def test_a_code_lasts_10_minutes_and_a_clock_that_goes_back_does_not_revive_it(town: Town) -> None:
    code = await town.code()
    town.clock.advance(600)
    assert await town.identity.prove(TEAM, ANA, code) is None
    town.clock.advance(-600)
    assert await town.identity.prove(TEAM, ANA, code) is None

    code = await town.code()
    town.clock.advance(599)
    assert await town.identity.prove(TEAM, ANA, code) is not None


async def test_a_code_can_be_tried_five_times(town: Town) -> None:
    code = await town.code()
    wrong = [f"{(int(code) + n) % 10**6:06d}" for n in range(1, TRIES + 1)]
    for guess in wrong:
        assert await town.identity.prove(TEAM, ANA, guess) is None

    assert await town.identity.prove(TEAM, ANA, code) is None
    assert await town.kinds() == ["code.asked"] + ["code.tried"] * TRIES


async def test_whatever_is_typed_for_a_code_is_only_wrong(town: Town) -> None:
    for typed in ("", "no", "1" * 5_000, "١٢٣٤٥٦", "\ud800", "'; DROP TABLE codes; --"):
        await town.identity.prove(TEAM, BEN, typed)
    await town.code()
    for typed in ("", "\ud800", "'; DROP TABLE codes; --"):
        assert await town.identity.prove(TEAM, ANA, typed) is None


async def test_slack_being_down_costs_no_try(town: Town) -> None:
    code = await town.code()
    town.profiles.down = True
    for _ in range(TRIES):
        with pytest.raises(Unavailable, match="slack"):
            await town.identity.prove(TEAM, ANA, code)
    town.profiles.down = False
    assert await town.identity.prove(TEAM, ANA, code) is not None


async def test_an_unknown_address_and_every_limit_answer_alike(town: Town) -> None:
    async def asks(user: str, address: str) -> object:
        return await town.identity.request_code(TEAM, user, address)  # type: ignore[func-returns-value]

    answers = [await asks(ANA, BILLING), await asks(ANA, UNKNOWN), await asks(ANA, "no address")]
    answers += [await asks(ANA, BILLING) for _ in range(BY_ASKER.most)]
    answers += [await asks(f"U{n}", BILLING) for n in range(BY_ADDRESS.most + 1)]
    await town.identity.settled()

    assert set(answers) == {None}
    assert [mail.to for mail in town.mail.sent] == [BILLING] * BY_ADDRESS.most
    assert town.payments.asked == [BILLING, UNKNOWN] + [BILLING] * (BY_ADDRESS.most - 1)


async def test_the_address_is_counted_in_every_writing_and_unknown_ones_too(town: Town) -> None:
    for address in (BILLING, UNKNOWN):
        for number, written in enumerate((address, address.upper(), f" {address.title()} ", address, address, address)):
            await town.identity.request_code(TEAM, f"U{number}", written)
    await town.identity.settled()

    assert len(town.mail.sent) == BY_ADDRESS.most
    assert len(town.payments.asked) == 2 * BY_ADDRESS.most


async def test_no_code_fits_an_unknown_address(town: Town) -> None:
    fixed = replace(town.identity, new_code=lambda: "123456")
    await fixed.request_code(TEAM, ANA, UNKNOWN)

    assert await fixed.prove(TEAM, ANA, "123456") is None
    assert await town.links.all(TEAM) == ()


async def test_the_answer_does_not_wait_for_the_mail(town: Town) -> None:
    town.mail.open.clear()
    await asyncio.wait_for(town.identity.request_code(TEAM, ANA, BILLING), 10)
    assert town.mail.sent == []

    town.mail.open.set()
    await town.identity.settled()
    assert len(town.mail.sent) == 1


async def test_a_provider_that_is_down_is_told_for_every_address_alike(town: Town) -> None:
    town.payments.down = True
    for address in (BILLING, UNKNOWN):
        with pytest.raises(Unavailable, match="stripe"):
            await town.identity.request_code(TEAM, ANA, address)
    town.payments.down = False
    assert await town.identity.prove(TEAM, ANA, await town.code()) is not None


@pytest.mark.parametrize("error", [None, RuntimeError(f"550 no such user {BILLING}")])
async def test_neither_address_nor_code_is_kept_or_logged(
    town: Town, caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    caplog.set_level(logging.DEBUG)
    code = await town.code()
    town.mail.down, town.mail.fails = error is None, error
    await town.identity.request_code(TEAM, BEN, BILLING)
    await town.identity.request_code(TEAM, ANA, UNKNOWN)
    await town.identity.settled()
    await town.link(BEN)
    await town.by(IdentityRule.EMAIL).scope(TEAM, ANA)
    await town.identity.prove(TEAM, ANA, code)

    logged = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)
    assert "a code could not be mailed" in logged
    kept = await town.everything()
    assert "code.asked" in kept
    for secret in (code, BILLING, UNKNOWN, ANA_MAIL, "ben@example.com"):
        assert secret not in logged
        assert secret not in kept


async def test_hashes_of_another_installation_are_others(town: Town) -> None:
    code = await town.code()
    made = await town.link(BEN)
    stranger = replace(town.identity, key=b"another key")

    assert await stranger.prove(TEAM, ANA, code) is None
    assert await stranger.scope(TEAM, BEN) is None
    assert made.contacts[0].fingerprint not in {"", "ben@example.com"}
    assert await identity_key(SqlCodes(town.sql)) == town.identity.key


def test_codes_have_six_digits_and_differ() -> None:
    codes = {random_code() for _ in range(200)}

    assert all(re.fullmatch(r"[0-9]{6}", code) for code in codes)
    assert len(codes) > 150


@pytest.mark.parametrize(
    "text",
    [
        "", "ana", "ana@", "@example.com", "ana@example", "ana@example..com", "a b@example.com",
        "ana@example.com\nBcc: x", "ana@example.com, ben@example.com", "<ana@example.com>", "ana@exämple.com",
        "ana@example.com\0", "a" * 250 + "@b.co",
    ],
)  # fmt: skip
def test_what_is_no_address_gets_no_mail(text: str) -> None:
    assert address_of(text) is None


def test_addresses_are_taken_as_they_are_written() -> None:
    for text in ("Ana.O'Neil+pay@Example.co.uk", "a_b-c=d@x-1.example.com"):
        assert address_of(f" {text}\t") == text


# ---- types -----------------------------------------------------------------------------------------------------


def test_a_profile_does_not_show_its_e_mail_by_accident() -> None:
    profile = Profile(ANA_MAIL, True, True, TEAM, None, None)

    assert ANA_MAIL not in f"{profile} {profile!r}"


def test_the_key_is_not_shown_by_accident(town: Town) -> None:
    assert town.identity.key.decode() not in repr(town.identity)


def test_scopes_are_made_in_one_place() -> None:
    makes = re.compile(r"\bCustomerScope\s*\(")
    allowed = ROOT / "bot" / "services" / "identity.py", ROOT / "tests" / "fakes"
    folders = ("bot", "handlers", "integrations", "knowledge", "tests")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in found
        if not any(path.is_relative_to(place) for place in allowed) and makes.search(path.read_text(encoding="utf-8"))
    ]

    assert makes.search(allowed[0].read_text(encoding="utf-8"))
    assert elsewhere == []

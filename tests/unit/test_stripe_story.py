"""The story of the sandbox: what the shipped one holds, and how a broken one is told about."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.errors import UsageError
from integrations.stripe.sandbox_loader import STORY, load, parse
from integrations.stripe.sandbox_story import PERMISSIONS, BadStory, Payment, Story
from integrations.workspace import demo_seed

SMALL = """\
keys:
  - {key: rk_test_sandbox_a, may_read: [everything]}
plans:
  team: {title: Team, price: 49.00 EUR, every: month}
customers:
  ana:
    email: ana@example.com
    note: the smallest story
    payments:
      one:
        amount: 49.00 EUR
        at: -3d 2h
        refunds:
          - {at: -1d}
    subscriptions:
      team: {plan: team, state: active, started: -3d, renews: +27d}
    invoices:
      first: {number: A-1, total: 49.00 EUR, at: -3d, state: paid, subscription: team, paid_by: one}
"""


@pytest.fixture(scope="module")
def story() -> Story:
    return load()


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(BadStory) as raised:
        parse(text)
    assert str(raised.value) == "\n".join(f"story, {problem}" for problem in raised.value.problems)
    return raised.value.problems


def payments_of(story: Story) -> list[Payment]:
    return [payment for customer in story.customers for payment in customer.payments]


# ---- what is read ----------------------------------------------------------------------------------------------


def test_a_small_story_is_read_as_it_stands() -> None:
    story = parse(SMALL)
    (ana,) = story.customers
    (payment,) = ana.payments
    assert payment.money == Money(4900, "eur")
    assert payment.at == -timedelta(days=3, hours=2)
    assert payment.ended == "succeeded"
    assert [(refund.name, refund.money, refund.state, refund.trace) for refund in payment.refunds] == [
        ("one_1", Money(4900, "eur"), "succeeded", "pending")
    ]
    assert ana.invoices[0].paid_by == "one"
    assert story.keys == {"rk_test_sandbox_a": frozenset(PERMISSIONS)}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("49.00 EUR", Money(4900, "eur")),
        ("4900 JPY", Money(4900, "jpy")),
        ("12.340 KWD", Money(12340, "kwd")),
        ("0.01 USD", Money(1, "usd")),
        ("999999999999.99 EUR", Money(99999999999999, "eur")),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(written: str, read: Money) -> None:
    story = parse(SMALL.replace("amount: 49.00 EUR", f"amount: {written}"))
    assert story.customers[0].payments[0].money == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("-3d", timedelta(days=-3)),
        ("-90m", timedelta(minutes=-90)),
        ("-2w 1d 6h", -timedelta(weeks=2, days=1, hours=6)),
        ("now", timedelta()),
    ],
)
def test_times_are_from_now(written: str, read: timedelta) -> None:
    text = SMALL.replace("at: -3d 2h", f"at: {written}").replace("          - {at: -1d}", "          - {at: now}")
    assert parse(text).customers[0].payments[0].at == read


def test_one_line_makes_many_payments_each_older_than_the_one_before() -> None:
    text = SMALL.replace("        at: -3d 2h\n", "        at: -3d 2h\n        repeat: 3 every 7d\n")
    text = text.replace("paid_by: one}", "paid_by: one_001}")
    payments = parse(text.replace("        refunds:\n          - {at: -1d}\n", "")).customers[0].payments
    assert [payment.name for payment in payments] == ["one_001", "one_002", "one_003"]
    assert [payment.at.days for payment in payments] == [-4, -11, -18]  # -3d 2h is in the fourth day
    assert len({payment.purchase for payment in payments}) == 3


# ---- what is wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("amount: 49.00 EUR", "amount: 49 EUR", "line 11, customers.ana.payments.one.amount: is '49 EUR'; EUR has 2"),
        ("amount: 49.00 EUR", "amount: 49.00 JPY", "JPY has no decimals"),
        ("amount: 49.00 EUR", "amount: 49.00", "should be an amount such as 49.00 EUR"),
        ("amount: 49.00 EUR", "amount: -49.00 EUR", "should be an amount such as 49.00 EUR"),
        ("amount: 49.00 EUR", "amount: 0.00 EUR", "should be more than 0"),
        ("amount: 49.00 EUR", "amount:", "line 11, customers.ana.payments.one.amount: is missing"),
        ("amount: 49.00 EUR", "amount: [49]", "should be one value, not a list or a mapping"),
        ("        at: -3d 2h", "        at: 3 days ago", "line 12, customers.ana.payments.one.at: is '3 days ago'; it"),
        ("        at: -3d 2h", "        at: +3d", "is still to come; a payment is in the past"),
        ("        at: -3d 2h", "        at: -99999w", "more than a hundred years"),
        ("        at: -3d 2h", "        when: -3d", "is not a field here"),
        ("        at: -3d 2h", "        att: -3d", "did you mean at?"),
        ("{at: -1d}", "{at: -9d}", "line 13, customers.ana.payments.one.refunds: one is older than the payment"),
        ("{at: -1d}", "{at: -1d, amount: 50.00 EUR}", "come to more than was paid"),
        ("{at: -1d}", "{at: -1d, amount: 5.00 USD}", "should be in the payment's currency"),
        ("{at: -1d}", "{at: -1d, state: gone}", "line 14, customers.ana.payments.one.refunds[1].state: is 'gone'"),
        ("{at: -1d}", "{at: -1d, state: canceled, failed: unknown}", "`failed` or `waits` says otherwise"),
        ("{at: -1d}", "{at: +1d}", "is still to come; a refund is in the past"),
        ("          - {at: -1d}", "          at: -1d", "refunds: should be a list"),
        (
            "        refunds:",
            "        declined: lost_card\n        refunds:",
            "nothing was taken (declined), so nothing",
        ),
        (
            "        refunds:",
            "        held: +1d\n        pending: yes\n        refunds:",
            "is pending and held at once",
        ),
        ("        refunds:", "        pending: maybe\n        refunds:", "is 'maybe'; it should be yes or no"),
        ("        refunds:", "        with: gold 4242\n        refunds:", "should be such as visa 4242"),
        ("        refunds:", "        captured: 50.00 EUR\n        refunds:", "at most the payment's amount"),
        ("        refunds:", "        repeat: daily\n        refunds:", "should be such as 120 every 7d"),
        ("        refunds:", "        dispute: {state: lost, at: -1d}\n        refunds:", "dispute.due: is missing"),
        (
            "plan: team,",
            "plan: teem,",
            "line 16, customers.ana.subscriptions.team.plan: is 'teem'; it should be one of",
        ),
        ("state: active", "state: fine", "it should be one of active, canceled"),
        ("paid_by: one", "paid_by: two", "'two' is no payment of this customer"),
        ("subscription: team", "subscription: shop", "'shop' is no subscription of this customer"),
        ("every: month", "every: moon", "line 4, plans.team.every: is 'moon'"),
        ("rk_test_sandbox_a", "rk_test_other", "line 2, keys[1].key: should begin with rk_test_sandbox"),
        ("[everything]", "[refund]", "'refund' is no permission"),
        ("ana@example.com", "ana", "is 'ana'; that is no address"),
        ("  ana:\n", "  Ana Souza:\n", "is no name: a to z, 0 to 9 and _"),
        ("  ana:\n", "  ana_souza:\n", "a customer's name has no _"),
        ("    note: the smallest story\n", "", "line 7, customers.ana.note: is missing"),
        ("    note: the", "    note: twice\n    note: the", "line 9, customers.ana.note: is given twice"),
        ("customers:", "nobody: [Ana@example.com]\ncustomers:", "Ana@example.com is a customer's address"),
        ("customers:", "nobody: [[a]]\ncustomers:", "should be a list of single values"),
        ("customers:", "people:", "is not a field here"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field(old: str, new: str, told: str) -> None:
    assert old in SMALL
    problems = problems_of(SMALL.replace(old, new, 1))
    assert any(told in problem for problem in problems), problems


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = SMALL.replace("49.00 EUR", "much").replace("-3d", "soon").replace("state: active", "state: fine")
    assert len(problems_of(text)) == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the file is empty"),
        ("- a", "line 1: should have fields"),
        ("a: [1", "line 1: is no YAML"),
        ("a: b\n\tc: d", "line 2: is no YAML"),
        ("a: \x07", "line 1: is no YAML: there is a character"),
        ("customers: {}\nkeys: []", "keys: there are none"),
        ("customers: {}\nkeys: []", "customers: there are none"),
        ("customers: 5", "should have fields"),
        ("? [a]\n: b", "is not a field here"),
    ],
)
def test_a_file_that_is_no_story_is_told_about(text: str, told: str) -> None:
    problems = problems_of(text)
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize("length", range(0, len(SMALL), 37))
def test_a_story_cut_short_is_read_or_told_about_and_nothing_else(length: int) -> None:
    text = SMALL[:length]
    with contextlib.suppress(BadStory):
        assert parse(text).customers


def test_a_file_that_is_not_there_is_told_about(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "bytes.yaml")


# ---- what the shipped one holds --------------------------------------------------------------------------------


def test_it_has_every_state_that_look_ups_tell_apart(story: Story) -> None:
    payments = payments_of(story)
    refunds = [refund for payment in payments for refund in payment.refunds]
    assert {payment.ended for payment in payments} == {
        *("succeeded", "pending", "held", "released", "declined", "blocked", "unauthenticated")
    }
    assert {"insufficient_funds", "lost_card", "authentication_required", "highest_risk_level", "rule"} <= {
        payment.why for payment in payments
    }
    assert {refund.state for refund in refunds} == {
        *("succeeded", "pending", "failed", "canceled", "requires_action"),
    }
    assert {"pending", "unavailable"} < {refund.trace for refund in refunds}
    assert any(refund.reversal for refund in refunds)
    assert {"jpy", "kwd"} < {payment.money.currency for payment in payments}
    disputes = {payment.dispute.state for payment in payments if payment.dispute is not None}
    assert {"needs_response", "lost", "warning_needs_response", "under_review", "won"} <= disputes
    plans = {plan.state for customer in story.customers for plan in customer.subscriptions}
    assert {"active", "past_due", "trialing", "canceled", "paused"} <= plans
    assert any(plan.ends for customer in story.customers for plan in customer.subscriptions)
    bills = {bill.state for customer in story.customers for bill in customer.invoices}
    assert bills == {"draft", "open", "paid", "void", "uncollectible"}


def test_whose_it_is_comes_in_every_way(story: Story) -> None:
    emails = Counter(customer.email for customer in story.customers if customer.email)
    assert 2 in emails.values()
    assert any(email != email.lower() and email.lower() in emails for email in emails)
    assert any(customer.deleted for customer in story.customers)
    assert any(customer.email is None and not customer.deleted for customer in story.customers)
    assert max(len(customer.payments) for customer in story.customers) == 120


def test_people_of_the_demo_workspace_have_the_addresses_they_have_there(story: Story) -> None:
    people = {person.email: person.real_name for person in demo_seed().people if person.email}
    customers = {one.email.lower(): one.called for one in story.customers if one.email}
    assert {*customers, *story.nobody} <= people.keys()
    elsewhere = {"olga@example.com", "pat@example.com"}  # one was deleted there, the other calls herself a trap
    assert all(people[email] == called for email, called in customers.items() if email not in elsewhere)


def test_every_address_is_one_that_nobody_can_have(story: Story) -> None:
    addresses = [customer.email for customer in story.customers if customer.email] + list(story.nobody)
    assert all(re.search(r"(@example\.com|\.example)$", address.lower()) for address in addresses)


def test_it_is_short_enough_to_be_read() -> None:
    assert len(STORY.read_text("utf-8").splitlines()) <= 350

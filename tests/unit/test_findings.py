"""What look-ups come to: from facts to typed findings."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.findings import (
    MOST,
    AlikeFound,
    DisputeFound,
    FailureFound,
    Finding,
    Findings,
    InvoicesFound,
    NoRefund,
    Nothing,
    PaymentFound,
    PaymentsFound,
    PlanFound,
    PlanStage,
    RefundFound,
    Select,
)
from bot.domain.findings_declines import GENERIC_CODES, Advice, advice_on, tellable_code
from bot.domain.findings_duplicates import WITHIN, Alike, groups_of, twins
from bot.domain.findings_refunds import RefundStage
from bot.domain.identity import CustomerRef, Provider
from bot.domain.lookups import READS, Facts, Lookup, Records
from bot.domain.money import Money
from bot.domain.narrowing import asked, picked
from bot.domain.redaction import redacted
from bot.domain.search import find
from bot.domain.tables import Table
from bot.domain.transactions import Decline, DisputeState, Fact, Found, InvoiceState, PaymentState, RefundState
from tests.fakes.facts import (
    CODES,
    FACTS,
    NOW,
    QUESTIONS,
    ago,
    dispute,
    facts,
    failed,
    ids,
    invoice,
    payment,
    payments,
    refund,
    subscription,
    usd,
)

seeded = settings(derandomize=True, max_examples=200, deadline=None)
ANA2 = CustomerRef(Provider.STRIPE, "cus_ana2")


def look(lookup: Lookup, *given: Fact, question: str = "", now: datetime = NOW) -> Findings:
    return find(lookup, facts(*given), asked(redacted(question), now, UTC), now)


def found(lookup: Lookup, *given: Fact, question: str = "", now: datetime = NOW) -> Finding:
    return look(lookup, *given, question=question, now=now).finding


# ---- refunds ---------------------------------------------------------------------------------------------------


def refund_found(*given: Fact, question: str = "", now: datetime = NOW) -> RefundFound:
    finding = found(Lookup.REFUNDS, *given, question=question, now=now)
    assert isinstance(finding, RefundFound)
    return finding


def test_a_refund_comes_with_its_payment_and_the_days_in_which_it_usually_shows() -> None:
    finding = refund_found(payment("ch_1"), refund("re_1", at=datetime(2026, 5, 8, 12, tzinfo=UTC)))
    assert finding.payment is not None
    assert finding.stage is RefundStage.WITH_BANK
    assert (finding.usual.first, finding.usual.last) == (date(2026, 5, 15), date(2026, 5, 22))


@pytest.mark.parametrize(
    ("more", "stage"),
    [
        ({"state": RefundState.PENDING}, RefundStage.PENDING),
        ({"state": RefundState.NEEDS_ACTION}, RefundStage.NEEDS_ACTION),
        ({"state": RefundState.FAILED}, RefundStage.FAILED),
        ({"state": RefundState.CANCELLED}, RefundStage.CANCELLED),
        ({"reversal": True}, RefundStage.REVERSED),
        ({"at": ago(60)}, RefundStage.WINDOW_OVER),
        ({"at": ago(60), "reversal": True}, RefundStage.WINDOW_OVER),
        ({"at": ago(-1)}, RefundStage.WITH_BANK),
    ],
)
def test_each_stage_of_a_refund_is_told_apart(more: dict[str, Any], stage: RefundStage) -> None:
    assert refund_found(refund(**more)).stage is stage


def test_the_usual_days_are_over_only_after_the_last_of_them() -> None:
    sent = datetime(2026, 5, 8, 12, tzinfo=UTC)
    assert refund_found(refund(at=sent), now=datetime(2026, 5, 22, 23, tzinfo=UTC)).stage is RefundStage.WITH_BANK
    assert refund_found(refund(at=sent), now=datetime(2026, 5, 23, 0, tzinfo=UTC)).stage is RefundStage.WINDOW_OVER


def test_who_names_nothing_means_the_one_refund_that_is_recent() -> None:
    finding = refund_found(refund("re_1", at=ago(3)), refund("re_2", at=ago(300)), refund("re_3", at=ago(200)))
    assert (finding.refund.id, finding.others) == ("re_1", 2)


def test_several_refunds_that_may_be_meant_are_candidates_newest_first() -> None:
    several = [refund(f"re_{number}", at=ago(number)) for number in range(1, 14)]
    finding = found(Lookup.REFUNDS, *several)
    assert isinstance(finding, Select)
    assert [fact.id for fact in finding.candidates] == [f"re_{number}" for number in range(1, MOST + 1)]
    assert finding.more == 3


def test_who_picks_one_of_the_candidates_gets_it() -> None:
    given = facts(refund("re_1"), refund("re_2"))
    finding = find(Lookup.REFUNDS, given, picked("re_2", UTC), NOW).finding
    assert isinstance(finding, RefundFound)
    assert finding.refund.id == "re_2"


def test_a_payment_without_a_refund_is_named_when_it_is_plain_which_is_meant() -> None:
    given = (payment("ch_1"), payment("ch_2", usd(2500)))
    assert isinstance(found(Lookup.REFUNDS, *given, question="refund of $49.00"), NoRefund)
    assert isinstance(found(Lookup.REFUNDS, *given, question="refund"), Nothing)


def test_an_id_of_somebody_else_is_the_same_as_one_that_does_not_exist() -> None:
    mine = refund("re_1")
    one, other = (look(Lookup.REFUNDS, mine, question=f"where is {name}") for name in ("re_9else", "re_0none"))
    assert isinstance(one.finding, Nothing)
    assert (one.finding, one.objects) == (other.finding, other.objects) == (Nothing(), ())


# ---- payments, unknown charges ---------------------------------------------------------------------------------


def test_one_payment_comes_with_its_refunds_but_those_that_failed() -> None:
    finding = found(
        Lookup.PAYMENTS,
        payment("ch_1"),
        refund("re_1", at=ago(1)),
        refund("re_2", at=ago(0)),
        refund("re_3", state=RefundState.FAILED),
        refund("re_4", payment="ch_2"),
    )
    assert isinstance(finding, PaymentFound)
    assert [one.id for one in finding.refunds] == ["re_2", "re_1"]


def test_of_many_payments_the_newest_are_listed_and_the_rest_counted() -> None:
    finding = found(Lookup.PAYMENTS, *(payment(f"ch_{number}", at=ago(number)) for number in range(120)))
    assert isinstance(finding, PaymentsFound)
    assert (finding.payments[0].id, len(finding.payments), finding.more) == ("ch_0", MOST, 110)


def test_a_charge_that_is_named_well_enough_is_found_and_else_chosen() -> None:
    given = (payment("ch_1"), payment("ch_2", usd(2500)))
    assert isinstance(found(Lookup.UNKNOWN_CHARGE, *given, question="what is this 25.00"), PaymentFound)
    assert isinstance(found(Lookup.UNKNOWN_CHARGE, *given, question="what is this"), Select)
    assert isinstance(found(Lookup.UNKNOWN_CHARGE, *given, question="what is this 77.00"), Nothing)


# ---- payments that look alike ----------------------------------------------------------------------------------


def alike(*given: Fact, question: str = "") -> AlikeFound:
    finding = found(Lookup.DUPLICATES, *given, question=question)
    assert isinstance(finding, AlikeFound)
    return finding


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (payment("ch_2", at=ago(2, 71)), Alike.SEVERAL),
        (payment("ch_2", state=PaymentState.PENDING), Alike.SEVERAL),
        (payment("ch_2", customer=ANA2), Alike.SEVERAL),
        (payment("ch_2", refunded=usd(100)), Alike.SEVERAL),
        (payment("ch_2", refunded=usd(4900)), Alike.RETURNED),
        (payment("ch_2", state=PaymentState.HELD), Alike.HOLD),
        (payment("ch_2", state=PaymentState.CANCELLED), Alike.HOLD),
        (failed("ch_2"), Alike.RETRY),
    ],
)
def test_why_two_payments_look_alike_is_told_apart(second: Any, expected: Alike) -> None:
    (group,) = alike(payment("ch_1"), second).groups
    assert group.alike is expected
    assert {one.id for one in group.payments} == {"ch_1", "ch_2"}


def test_attempts_of_which_none_was_taken_are_said_so() -> None:
    assert alike(failed("ch_1"), failed("ch_2")).groups[0].alike is Alike.NOT_TAKEN
    assert alike(failed("ch_1"), payment("ch_2", state=PaymentState.HELD)).groups[0].alike is Alike.HOLD


@pytest.mark.parametrize(
    "second",
    [
        payment("ch_2", at=ago(5, 1)),
        payment("ch_2", usd(4901)),
        payment("ch_2", Money(4900, "eur")),
        payment("ch_1"),
    ],
)
def test_payments_that_differ_are_not_compared(second: Any) -> None:
    assert found(Lookup.DUPLICATES, payment("ch_1"), second) == Nothing()


def test_checks_of_a_card_for_nothing_are_no_payments() -> None:
    assert found(Lookup.DUPLICATES, payment("ch_1", usd(0)), payment("ch_2", usd(0))) == Nothing()


def test_several_subscriptions_are_counted_without_those_that_are_over() -> None:
    plans = (subscription("sub_1"), subscription("sub_2"), subscription("sub_3", state="canceled"))
    assert alike(payment("ch_1"), payment("ch_2"), *plans).plans == 2


def test_who_names_one_of_two_payments_gets_both() -> None:
    given = (payment("ch_1", at=ago(2)), payment("ch_2", at=ago(4)), payment("ch_3", usd(5)), payment("ch_4", usd(5)))
    (group,) = alike(*given, question="the 49 on Tuesday").groups
    assert {one.id for one in group.payments} == {"ch_1", "ch_2"}


def test_old_groups_are_left_out_while_there_are_recent_ones() -> None:
    old = (payment("ch_3", at=ago(300)), payment("ch_4", at=ago(300)))
    assert len(alike(payment("ch_1"), payment("ch_2"), *old).groups) == 1
    assert len(alike(*old).groups) == 1


@seeded
@given(payments(), payments())
def test_looking_alike_is_mutual(one: Any, other: Any) -> None:
    assert twins(one, other) == twins(other, one)
    if twins(one, other):
        assert one.money == other.money
        assert abs(one.created_at - other.created_at) <= WITHIN


@seeded
@given(st.lists(payments(), max_size=12, unique_by=lambda one: one.id), st.randoms(use_true_random=False))
def test_the_order_of_payments_changes_no_group(given: list[Any], chance: random.Random) -> None:
    groups = groups_of(given)
    shuffled = list(given)
    chance.shuffle(shuffled)
    assert groups_of(shuffled) == groups
    seen = [one.id for group in groups for one in group.payments]
    assert len(seen) == len(set(seen))
    for group in groups:
        assert len({one.money for one in group.payments}) == 1
    for one in given:
        assert (one.id in seen) == any(twins(one, other) for other in given)


# ---- failures --------------------------------------------------------------------------------------------------


def failure(*given: Fact, question: str = "") -> FailureFound:
    finding = found(Lookup.FAILURES, *given, question=question)
    assert isinstance(finding, FailureFound)
    return finding


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("do_not_honor", Advice.CONTACT_ISSUER),
        ("try_again_later", Advice.TRY_LATER),
        ("insufficient_funds", Advice.OTHER_METHOD),
        ("incorrect_cvc", Advice.REENTER),
        ("authentication_required", Advice.AUTHENTICATE),
        ("duplicate_transaction", Advice.CHECK_DUPLICATE),
        ("generic_decline", Advice.GENERIC),
        ("card_declined", Advice.GENERIC),
        ("a_code_of_tomorrow", Advice.GENERIC),
        ("", Advice.GENERIC),
    ],
)
def test_advice_is_by_decline_code(code: str, advice: Advice) -> None:
    assert failure(failed(code=code)).advice is advice


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("code", sorted(GENERIC_CODES))
def test_the_four_codes_look_like_a_decline_without_a_reason(code: str, ours: bool) -> None:
    decline = Decline(code, ours=ours, advice="do_not_try_again")
    assert advice_on(decline) is advice_on(Decline("generic_decline")) is Advice.GENERIC
    assert tellable_code(decline) is None


def test_our_own_rule_is_not_blamed_on_the_bank() -> None:
    assert failure(failed(code="highest_risk_level", ours=True)).advice is Advice.OUR_RULE
    assert failure(failed(code="do_not_honor", ours=True)).advice is Advice.OUR_RULE


@seeded
@given(CODES, st.booleans())
def test_a_code_is_only_told_where_it_says_what_helps(code: str, ours: bool) -> None:
    decline = Decline(code, ours=ours)
    assert tellable_code(decline) in (None, code)
    assert (tellable_code(decline) is None) == (advice_on(decline) in (Advice.GENERIC, Advice.OUR_RULE))


def test_attempts_at_one_purchase_are_one_failure() -> None:
    tries = [failed(f"ch_{number}", intent="pi_1", at=ago(number)) for number in (1, 2, 3)]
    finding = failure(*tries)
    assert (finding.payment.id, finding.attempts, finding.others) == ("ch_1", 3, 0)


@pytest.mark.parametrize(
    ("later", "paid"),
    [
        (payment("ch_2", at=ago(1)), True),
        (payment("ch_2", usd(100), at=ago(1), intent="pi_1"), True),
        (payment("ch_2", usd(100), at=ago(1)), False),
        (payment("ch_2", at=ago(3)), False),
        (payment("ch_2", at=ago(1), customer=ANA2), False),
        (payment("ch_2", at=ago(1), state=PaymentState.HELD), False),
    ],
)
def test_a_payment_that_went_through_later_is_named(later: Any, paid: bool) -> None:
    assert (failure(failed("ch_1", intent="pi_1"), later).paid is not None) is paid


def test_payments_that_went_through_are_no_failures() -> None:
    assert found(Lookup.FAILURES, payment()) == Nothing()


# ---- subscriptions, invoices, disputes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "stage", "pays"),
    [
        ({}, PlanStage.ACTIVE, True),
        ({"period_end": ago(1)}, PlanStage.ACTIVE, False),
        ({"state": "trialing", "trial_end": ago(-3)}, PlanStage.TRIAL, True),
        ({"ends_at": ago(-5)}, PlanStage.ENDING, False),
        ({"ends_at": ago(5)}, PlanStage.ENDED, False),
        ({"state": "canceled", "ends_at": ago(5)}, PlanStage.ENDED, False),
        ({"state": "past_due"}, PlanStage.PAST_DUE, False),
        ({"state": "past_due", "ends_at": ago(-5)}, PlanStage.PAST_DUE, False),
        ({"state": "unpaid"}, PlanStage.UNPAID, False),
        ({"state": "paused"}, PlanStage.PAUSED, False),
        ({"state": "incomplete"}, PlanStage.INCOMPLETE, False),
        ({"state": "incomplete_expired"}, PlanStage.ENDED, False),
        ({"state": "of_tomorrow"}, PlanStage.UNKNOWN, False),
    ],
)
def test_what_a_subscription_is_about_to_do(more: dict[str, Any], stage: PlanStage, pays: bool) -> None:
    finding = found(Lookup.SUBSCRIPTION, subscription(**more))
    assert isinstance(finding, PlanFound)
    assert finding.stage is stage
    assert (finding.next_payment is not None) is pays


def test_a_trial_pays_first_when_it_ends() -> None:
    finding = found(Lookup.SUBSCRIPTION, subscription(state="trialing", trial_end=ago(-3), period_end=ago(-9)))
    assert isinstance(finding, PlanFound)
    assert finding.next_payment == ago(-3)


def test_the_open_invoice_is_named_when_there_is_one_of_that_customer() -> None:
    plan, bill = subscription(state="past_due"), invoice(state=InvoiceState.OPEN)
    for bills, expected in (
        ([bill], bill),
        ([bill, replace(bill, id="in_2")], None),
        ([replace(bill, customer=ANA2)], None),
    ):
        finding = found(Lookup.SUBSCRIPTION, plan, *bills)
        assert isinstance(finding, PlanFound)
        assert finding.invoice == expected


def test_a_subscription_that_is_over_is_not_meant_while_another_runs() -> None:
    finding = found(Lookup.SUBSCRIPTION, subscription("sub_1", state="canceled"), subscription("sub_2"))
    assert isinstance(finding, PlanFound)
    assert (finding.subscription.id, finding.others) == ("sub_2", 1)
    assert isinstance(found(Lookup.SUBSCRIPTION, subscription("sub_1"), subscription("sub_2")), Select)


def test_drafts_are_no_bills_and_links_that_are_over_are_taken_out() -> None:
    finding = found(
        Lookup.INVOICES,
        invoice("in_1", state=InvoiceState.DRAFT),
        invoice("in_2", url="https://a.example", url_until=ago(1)),
        invoice("in_3", url="https://a.example", url_until=ago(-1)),
        invoice("in_4", url="https://a.example"),
    )
    assert isinstance(finding, InvoicesFound)
    assert {bill.id: bill.url is not None for bill in finding.invoices} == {"in_2": False, "in_3": True, "in_4": True}


def test_the_open_dispute_is_meant_and_comes_with_its_payment() -> None:
    closed = dispute("dp_2", payment="ch_2", state=DisputeState.WON)
    finding = found(Lookup.DISPUTES, payment("ch_1"), dispute("dp_1"), closed)
    assert isinstance(finding, DisputeFound)
    assert (finding.dispute.id, finding.payment and finding.payment.id, finding.others) == ("dp_1", "ch_1", 1)


@pytest.mark.parametrize(
    ("state", "warns"),
    [
        (DisputeState.INQUIRY, True),
        (DisputeState.NEEDS_RESPONSE, True),
        (DisputeState.UNDER_REVIEW, True),
        (DisputeState.LOST, True),
        (DisputeState.WON, False),
        (DisputeState.INQUIRY_CLOSED, False),
        (DisputeState.PREVENTED, False),
    ],
)
def test_disputes_that_a_refund_would_pay_twice_go_with_every_finding(state: DisputeState, warns: bool) -> None:
    for question in ("refund", "re_1"):
        assert bool(look(Lookup.REFUNDS, refund("re_1"), dispute(state=state), question=question).disputes) is warns


def test_a_payment_marked_as_disputed_goes_along_when_no_dispute_of_it_was_read() -> None:
    marked = payment("ch_1", disputed=True)
    assert look(Lookup.PAYMENTS, marked).disputed == ("ch_1",)
    assert look(Lookup.PAYMENTS, marked, dispute(payment="ch_1", state=DisputeState.WON)).disputed == ()


# ---- what holds for all ----------------------------------------------------------------------------------------


def test_every_look_up_reads_something_and_its_records_are_fields_of_facts() -> None:
    assert set(READS) == set(Lookup)
    assert all(READS.values())
    assert all(isinstance(getattr(Facts(), name), Found) for name in Records)


def test_a_list_that_was_cut_is_said_to_be_cut() -> None:
    cut = Facts(payments=Found((payment(),), complete=False))
    assert not find(Lookup.PAYMENTS, cut, asked(redacted(""), NOW, UTC), NOW).complete


def test_a_table_has_rows_as_long_as_its_header_and_the_same_as_text() -> None:
    assert Table(("Day", "Amount"), (("3 May", "$1"), ("4 May", ""))).text == "Day · Amount\n3 May · $1\n4 May"
    with pytest.raises(ValueError, match="row"):
        Table(("Day",), (("3 May", "$1"),))


@seeded
@given(st.sampled_from(Lookup), FACTS, QUESTIONS, st.integers(-500, 500))
def test_only_what_was_found_is_in_a_finding_whatever_the_clock_says(
    lookup: Lookup, given: Facts, question: str, hours: int
) -> None:
    now = NOW + timedelta(hours=hours)
    findings = find(lookup, given, asked(redacted(question), now, UTC), now)
    assert set(findings.objects) <= ids(given)


@seeded
@given(st.sampled_from(Lookup), FACTS, QUESTIONS)
def test_the_order_of_facts_changes_nothing(lookup: Lookup, given: Facts, question: str) -> None:
    wanted = asked(redacted(question), NOW, UTC)
    once = _unique(given)
    assert find(lookup, once, wanted, NOW) == find(lookup, _reversed(once), wanted, NOW)


def _unique(given: Facts) -> Facts:
    def once(found: Found[Any]) -> Found[Any]:
        return Found(tuple({fact.id: fact for fact in found.facts}.values()), found.complete)

    return Facts(*(once(getattr(given, name)) for name in _NAMES))


def _reversed(given: Facts) -> Facts:
    return Facts(*(Found(found.facts[::-1], found.complete) for found in (getattr(given, name) for name in _NAMES)))


_NAMES = ("payments", "refunds", "invoices", "subscriptions", "disputes")

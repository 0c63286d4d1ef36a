"""Hostile callers in small: `make chaos` asks ten thousand questions, here it is some hundreds. And that the judge of
them sees what there is to be seen."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot.measure.belongings import Books, seen_in
from bot.measure.hostile import hostile
from bot.measure.hostile_callers import HOME, callers
from bot.measure.hostile_questions import Grammar
from bot.measure.hostile_service import through_service
from bot.measure.hostile_slack import through_slack
from integrations.stripe.sandbox import Sandbox
from integrations.stripe.sandbox_loader import load
from integrations.stripe.sandbox_story import Story

STORY = load()
BOOKS = Books(STORY)
ANA, BEN = frozenset({"ana"}), frozenset({"ben"})


async def test_nobody_is_shown_anybody_elses_records_and_nothing_is_written(tmp_path: Path) -> None:
    """And nothing in an answer, or in what Stripe is asked, tells somebody else's id from one that nobody has."""
    tally = await through_service(200, 5, tmp_path)

    assert {name: list(found) for name, found in tally.faults.items() if found} == {}
    assert tally.asked == 200
    assert tally.twins > 50
    assert sum(count for name, count in tally.outcomes.items() if name.startswith("shown: ")) > 100
    assert len([name for name in tally.outcomes if name.startswith("shown: ")]) > 4
    assert tally.outcomes["unproven"] > 20


@pytest.mark.timeout(240)
async def test_the_same_through_slack(tmp_path: Path) -> None:
    """In direct messages, channels and threads, with clicks whose values no button had."""
    tally = await through_slack(36, 5, tmp_path)

    assert {name: list(found) for name, found in tally.faults.items() if found} == {}
    assert tally.asked == 36
    assert tally.outcomes["look-up: shown"] > 0
    assert sum(count for name, count in tally.outcomes.items() if name.startswith("look-up: ")) > 8
    assert any(name.startswith("clicked ") for name in tally.outcomes)


def test_the_command_prints_figures_and_its_status_says_whether_they_are_good() -> None:
    said: list[str] = []

    assert hostile(said.append, questions=30, slack=4, seed=2) == 0
    report = "\n".join(said)
    assert len(re.findall(r"ROWS OF ANYBODY ELSE +0", report)) == 2
    assert len(re.findall(r"WRITES +0", report)) == 2
    assert "FAILED" not in report


# ---- the judge -------------------------------------------------------------------------------------------------


def _with_bens_things_at_anas_address(story: Story) -> Story:
    """A provider that takes Ben for Ana."""
    ana = next(one for one in story.customers if one.name == "ana")
    customers = (replace(one, email=ana.email) if one.name == "ben" else one for one in story.customers)
    return replace(story, customers=tuple(customers))


async def test_the_judge_sees_rows_of_somebody_else(tmp_path: Path) -> None:
    """A run in which the provider hands Ben's records to Ana is no good one."""
    mixed_up = Sandbox(_with_bens_things_at_anas_address(STORY))

    tally = await through_service(150, 5, tmp_path, sandboxes=(mixed_up,), story=STORY)

    assert any("U0ANA" in line for line in tally.strangers)
    assert any("U0ANA" in line for line in tally.unlike_alone)
    assert not any("U0CLEO" in line for line in tally.strangers)


@pytest.mark.parametrize(
    "text",
    ["29.00 GBP", "Paid £29.00 on Monday", "ch_sandbox_ben_lamp_1", "see Ben Okafor", "bill (ACME-0201)", "£180.00."],
)
def test_what_is_bens_is_seen_in_an_answer_to_ana(text: str) -> None:
    assert seen_in(text, BOOKS.strangers(ANA, "en-GB"), "") != ()
    assert seen_in(text, BOOKS.strangers(BEN, "en-GB"), "") == ()


@pytest.mark.parametrize("text", ["429.00 GBP", "129,00", "ch_sandbox_ben_lamp_19", "€49.00 for Team plan", ""])
def test_what_is_like_it_and_is_not_is_no_alarm(text: str) -> None:
    assert seen_in(text, BOOKS.strangers(ANA, "en-GB"), "") == ()


def test_what_the_asker_wrote_themselves_tells_them_nothing() -> None:
    assert seen_in("I searched for 29.00 GBP", BOOKS.strangers(ANA, "en-GB"), "was it 29.00 gbp?") == ()


# ---- the questions ---------------------------------------------------------------------------------------------


def test_questions_name_others_and_their_twins_nobody() -> None:
    grammar = Grammar(BOOKS, ANA, random.Random(1))
    questions = [grammar.question() for _ in range(400)]
    named = [one for one in questions if one.names_somebody]

    assert len(named) > 150
    assert {one.lookup for one in questions} == set(type(questions[0].lookup))
    for one in named:
        assert one.twin_pick not in BOOKS.ids
        assert not any(id_ in one.twin for id_ in BOOKS.ids)


def test_a_seed_makes_the_same_questions_again() -> None:
    first, again = (Grammar(BOOKS, BEN, random.Random(3)) for _ in range(2))

    assert [first.question() for _ in range(50)] == [again.question() for _ in range(50)]


def test_who_owns_what_is_the_storys_word() -> None:
    """Impostors own nothing, whatever address they have; staff neither; a linked guest only in our own team."""
    own = {one.id: one for one in callers(BOOKS)}

    assert own["U0ANA"].own == ANA
    assert own["U0MONA"].own == {"monashop", "monahome"}
    assert own["U0GIL"].own_in(HOME) == {"gil"}
    assert own["U0GIL"].own_in("T0OTHER") == frozenset()
    nobody = {"U0MIRA", "U0ADA", "U0KIM", "U0NORA", "U0OLGA", "U1UNCONFIRMED", "U1GUESTANA", "U1STRANGERANA", "U1TWO"}
    assert all(own[user].own == frozenset() for user in nobody)

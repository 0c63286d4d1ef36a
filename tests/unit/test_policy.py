"""Rules that decide without retrieval, and what a routing means."""

from __future__ import annotations

import pytest

from bot.domain.articles import Action, Priority, Publication, Revision
from bot.domain.cases import Reason
from bot.domain.phrases import Talk, asks_for_person, declines_person, small_talk
from bot.domain.policy import (
    MAX_CHOICES,
    PERSON_ARTICLE,
    UNSURE_TOPIC,
    Answer,
    Chat,
    Clarify,
    Escalate,
    by_rule,
    citation,
    decide,
    from_article,
)
from bot.domain.replies import Choice
from bot.domain.routing import Band, Candidate, Routing
from tests.fakes.engine import article, knowledge

ASKS = """
I want to talk to a person
I want to talk to a human please
can I speak to someone
Can I speak with a representative?
could I please talk to a real person
connect me to an agent
connect me with a human
put me through to an operator
transfer me to a specialist
please escalate this to a manager
get me a human
give me a human
Get me your supervisor!
let me talk to somebody
let me speak to your manager
I need to speak to a specialist
I need a human
I need a real person
I'd like to talk to a person
I would like to speak with a human being
I would prefer a human
I want a human
is there a person I can talk to?
is there someone I can talk to about this
can I chat with a person
can I get a human here
can someone call me? I want to speak to a person
how do I reach a human
how can I contact a person
hand me over to a specialist
pass me to a specialist please
human please
human
agent
Agent!
a specialist please
operator
representative
real person please
real person now
human now!!
hello? a human please
talk to human
speak to agent
need agent
I don't want a bot, I want a human
I don't want to talk to a bot, get me a person
not helpful, I want to speak to a human
this is not helping, let me talk to someone
can I have a human
""".strip().splitlines()

DOES_NOT_ASK = """
I don't want to talk to a person
I do not want to talk to anyone
I don't need a human
no need to speak to a person
please do not transfer me to an agent
I'd rather not talk to a human
not a human please
can someone explain a refund?
can somebody tell me why my charge is pending
does anyone know how long a refund takes
somebody used my card
someone charged my card twice
someone else paid for me, who gets the refund?
my manager needs a receipt
can my manager see my invoices?
how do I add a person to my plan
how do I remove a person from my subscription
is the refund sent to the same person who paid
I want a refund
I need a receipt
get me my money back
I want to cancel my subscription
how do I contact my bank
how do I reach the receipts page
the agent told me five days
the specialist said my refund was sent
a human error led to a double charge
your representative promised a refund, where is it?
the operator of the shop charged me twice
I spoke to a person yesterday and nothing happened
I talked to an agent last week, where is my refund?
who can see my card number
how many people can use one subscription?
why do people get charged twice
I gave my card to someone and they used it
I want to get a receipt for my staff
I need an invoice for my manager
can I transfer my subscription to another person
can I give my subscription to somebody else
I want to send the receipt to my supervisor
do you charge per person?
what is the price per person
talk me through the refund steps
speak English please
get back to me
put it on another card
pass
hand luggage refund
reach out when the refund is done
human
""".strip().splitlines()[:-1]


@pytest.mark.parametrize("text", ASKS)
def test_somebody_who_asks_for_a_person_is_heard(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize("text", DOES_NOT_ASK)
def test_somebody_who_only_mentions_people_is_answered(text: str) -> None:
    assert not asks_for_person(text)


@pytest.mark.parametrize("text", DOES_NOT_ASK[:7])
def test_somebody_who_does_not_want_a_person_is_heard_too(text: str) -> None:
    assert declines_person(text)


@pytest.mark.parametrize("text", [*ASKS, *DOES_NOT_ASK[7:]])
def test_nobody_else_declines(text: str) -> None:
    assert not declines_person(text)


def test_a_long_story_is_routed_whatever_it_says_about_people() -> None:
    story = "I want to talk to a human. " + "Last month I bought something and it never came. " * 5

    assert not asks_for_person(story)


SMALL = {
    Talk.GREETING: """
hi
Hi!
hey
Hey there
hello
Hello!!!
hello everyone
hi all
hi team
hi bot
hello handrail
hiya
howdy
yo
greetings
good morning
Good afternoon
good evening, team
good day
hi, how are you?
hello there, how is it going?
hey how's it going
👋 hi
hello again
""",
    Talk.THANKS: """
thanks
Thanks!
thank you
thank you so much
thank you very much
thanks a lot
thanks a bunch
thx
ty
cheers
many thanks
much appreciated
ok thanks
okay thank you
great, thanks!
perfect, thank you
awesome thanks
got it thanks
ok
okay
got it
great
perfect
cool
that helps
that helped, thanks
thanks, that helps
thanks for your help
thank you for the help
all good
all clear thanks
sounds good
alright thanks
""",
    Talk.GOODBYE: """
bye
goodbye
bye bye
see you
see ya
have a nice day
have a good one
have a great weekend
have a good evening
""",
    Talk.EMPTY: """
?
?!?!
...
🤷🤷
-
""",
}

NOT_SMALL = """
hi, how long does a refund take?
hello I was charged twice
hey why is my charge pending
good morning, where is my refund
good question
thanks but my refund has not arrived
thank you, and how do I cancel?
thanks for nothing
no thanks, I want a human
ok so where is my money
ok but why
okay, cancel it
got it, but how long
great, and the receipt?
perfect, now cancel my subscription
cool down period for refunds
that helps but it is still pending
that did not help
all good except the second charge
bye for now but call me
see you charged me twice
see your refund policy
have a refund for me?
have a good reason to ask
hi5
hidden fees
hey you charged me
yo-yo subscription
tyre refund
cheers mate, where is my refund
refund
help me understand my bill
receipt
no
yes
why
what
card
cancel
pending charge
ok ok ok ok why
thanks in advance for explaining pending charges
is it okay to pay later
hello kitty subscription
good
""".strip().splitlines()


@pytest.mark.parametrize(
    ("text", "talk"), [(text, talk) for talk, texts in SMALL.items() for text in texts.strip("\n").splitlines()]
)
def test_small_talk_is_told_by_its_kind(text: str, talk: Talk) -> None:
    assert small_talk(text) is talk


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_nothing_at_all_is_small_talk(text: str) -> None:
    assert small_talk(text) is Talk.EMPTY


@pytest.mark.parametrize("text", NOT_SMALL)
def test_small_talk_with_something_else_in_it_is_not_small(text: str) -> None:
    assert small_talk(text) is None


# ---- rules -----------------------------------------------------------------------------------------------------

LIVE = knowledge().publication


def test_small_talk_is_answered_and_a_wish_for_a_person_is_carried_out() -> None:
    assert by_rule("thanks!", LIVE) == Chat(Talk.THANKS)
    assert by_rule("how long does a refund take?", LIVE) is None
    asked = by_rule("a human please", LIVE)
    assert asked == Escalate(Reason.ASKED, PERSON_ARTICLE, Priority.NORMAL, LIVE.get(PERSON_ARTICLE))


def test_a_person_can_be_had_without_the_article_about_it() -> None:
    assert by_rule("a human please", Publication(0, ())) == Escalate(Reason.ASKED, PERSON_ARTICLE)


# ---- bands -----------------------------------------------------------------------------------------------------


def routing(band: Band, *names: str) -> Routing:
    candidates = tuple(Candidate(name, 1.0 / rank) for rank, name in enumerate(names, 1))
    return Routing(candidates, 0.5, band, "Details", LIVE.number)


@pytest.mark.parametrize("unsure", [0, 1, 5])
def test_a_sure_routing_does_what_its_article_says_however_unsure_we_were(unsure: int) -> None:
    refund, stolen = LIVE.get("refund"), LIVE.get("stolen")
    assert refund is not None
    assert decide(routing(Band.HIGH, "refund", "stolen"), LIVE, unsure) == Answer(refund, "Details")
    handed_over = decide(routing(Band.HIGH, "stolen", "refund"), LIVE, unsure)
    assert handed_over == Escalate(Reason.ARTICLE, "stolen", Priority.URGENT, stolen)


def test_a_half_sure_routing_asks_back_once_with_a_few_choices() -> None:
    names = ("refund", "gone", "pending", "stolen")
    decision = decide(routing(Band.MIDDLE, *names), LIVE, 0)

    assert decision == Clarify((Choice("refund", "About refund"), Choice("pending", "About pending")))
    assert isinstance(decision, Clarify)
    assert len(decision.choices) <= MAX_CHOICES
    assert decide(routing(Band.MIDDLE, *names), LIVE, 1) == Escalate(Reason.UNSURE_TWICE, UNSURE_TOPIC)


def test_an_unsure_routing_calls_a_person() -> None:
    assert decide(routing(Band.LOW, "refund"), LIVE, 0) == Escalate(Reason.UNSURE, UNSURE_TOPIC)
    assert decide(routing(Band.LOW, "refund"), LIVE, 1) == Escalate(Reason.UNSURE_TWICE, UNSURE_TOPIC)


@pytest.mark.parametrize("band", list(Band))
def test_articles_that_are_gone_or_none_at_all_call_a_person(band: Band) -> None:
    for names in ((), ("gone",), ("gone", "gone too")):
        assert decide(routing(band, *names), LIVE, 0) == Escalate(Reason.UNSURE, UNSURE_TOPIC)


def test_a_look_up_article_answers_with_its_policy() -> None:
    revision = Revision(4, article("refunds", Action.LOOKUP))

    assert from_article(revision, None) == Answer(revision, None)


def test_a_citation_names_the_revision() -> None:
    revision = Revision(4, article("refunds"))

    found = citation(revision, "Details")
    assert (found.article, found.title, found.revision, found.heading) == ("refunds", "About refunds", 4, "Details")
    assert found.effective_from == revision.article.effective_from

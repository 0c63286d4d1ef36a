"""A person's Home tab."""

from __future__ import annotations

from bot.domain import buttons
from bot.domain.identity import Provider
from bot.domain.redaction import Redacted
from bot.domain.replies import Home, HomeCase, HomeLink, HomeNews
from handlers.blocks import ids
from handlers.blocks.elements import Block, actions, button, context, divider, header, mrkdwn, plain, section
from handlers.blocks.reply import choice_buttons, choosable
from handlers.blocks.text import day, escaped, one_line

MAX_TOPICS = 24
MAX_CASES = 10
MAX_NEWS = 10
MAX_LINKS = 10
MAX_QUESTION = 200

DOES = (
    "I answer questions about payments, refunds, receipts and subscriptions, and show where each answer comes from. "
    "Write to me under *Messages*, or mention me in a channel. When I am not sure, a person takes over."
)
REFUSES = (
    "*What I do not do*\n"
    "• I never move money: no refunds, charges or cancellations.\n"
    "• I do not guess, and I make no promises about your money.\n"
    "• I never ask for card numbers, passwords or codes. Please do not send them."
)
NO_CASES = "No open cases. When a person takes over a question of yours, it is listed here."
STAFF = (
    "*For specialists*\nCases that need a person arrive as cards in the specialist channel. "
    "*Reply* on a card writes to the customer; the thread under a card is internal."
)
PRIVACY = (
    "*Privacy:* card numbers, bank account numbers and keys are removed before anything is kept. "
    "In a channel everybody there reads along: for anything personal write to me under *Messages*."
)

LINKS = "*Your billing links*"
WHY_LINKS = "Because of these I show you payments, in our direct messages alone."
ENDS = "Then I show you no payments by it any more. To see them again, prove your billing e-mail or ask a specialist."
OTHERS_KEEP = "For the other people whom it names it goes on."

_PROVIDERS = {Provider.STRIPE: "Stripe"}
_STATUS = {
    "open": "With Handrail",
    "waiting": "Waiting for a specialist",
    "claimed": "With a specialist",
    "resolved": "Done",
}


def home_view(home: Home) -> Block:
    """The view for `views.publish`."""
    blocks = [header("Handrail: payment support"), section(mrkdwn(DOES)), section(mrkdwn(REFUSES))]
    topics = choosable(home.topics, ids.HOME_ASK, MAX_TOPICS)
    if topics:
        blocks += [divider(), section(mrkdwn("*Ask me about*")), actions(*choice_buttons(topics, ids.HOME_ASK))]
    blocks += [divider(), section(mrkdwn("*Your open cases*")), *_cases(home.cases)]
    if home.news:
        blocks += [divider(), section(mrkdwn("*Refunds that I look at for you*")), *_news(home.news)]
    if home.links or home.notice:
        blocks += [divider(), *_links(home.links, home.notice)]
    if home.staff:
        blocks += [divider(), section(mrkdwn(STAFF))]
    blocks += [divider(), context(mrkdwn(PRIVACY))]
    return {"type": "home", "blocks": blocks}


def _cases(cases: tuple[HomeCase, ...]) -> list[Block]:
    if not cases:
        return [context(mrkdwn(NO_CASES))]
    blocks: list[Block] = []
    for case in cases[:MAX_CASES]:
        status = _STATUS.get(case.status) or escaped(one_line(case.status), 80)
        blocks.append(section(plain(one_line(case.question), MAX_QUESTION)))
        blocks.append(context(mrkdwn(f"{status} · since {day(case.since)}")))
    if len(cases) > MAX_CASES:
        blocks.append(context(mrkdwn(f"… and {len(cases) - MAX_CASES} more")))
    return blocks


def _links(links: tuple[HomeLink, ...], notice: Redacted | None) -> list[Block]:
    """Each with a button that ends it, after a question."""
    blocks = [section(mrkdwn(f"{LINKS}\n{escaped(notice, MAX_QUESTION) if notice else WHY_LINKS}"))]
    for one in links[:MAX_LINKS]:
        how = "You proved a billing e-mail with a code" if one.proved else "A specialist linked you"
        if one.shared:
            how += ", with others of a channel"
        parts = (*map(_PROVIDERS.__getitem__, one.providers), f"since {day(one.since)}", f"until {day(one.until)}")
        end = button("End", f"{ids.HOME_UNLINK}{one.id}", one.id)
        text = section(mrkdwn(f"{how}\n{' · '.join(parts)}"))
        blocks.append({**text, "accessory": {**end, "confirm": _confirm(one)}})
    if len(links) > MAX_LINKS:
        blocks.append(context(mrkdwn(f"… and {len(links) - MAX_LINKS} more")))
    return blocks


def _confirm(link: HomeLink) -> Block:
    return {
        "title": plain("End this link?", 100),
        "text": plain(f"{ENDS} {OTHERS_KEEP}" if link.shared else ENDS, 300),
        "confirm": plain("End it", 30),
        "deny": plain("Keep it", 30),
        "style": "danger",
    }


def _news(news: tuple[HomeNews, ...]) -> list[Block]:
    """Each with a button that ends it. Its action id has the refund's: Slack wants them unique."""
    blocks: list[Block] = []
    for one in news[:MAX_NEWS]:
        blocks.append(section(plain(one_line(one.label), MAX_QUESTION)))
        blocks.append(context(mrkdwn(f"News comes in our direct messages, until {day(one.until)} at the latest")))
        blocks.append(actions(button("Stop", f"{buttons.NEWS_STOP}:{one.refund}", one.refund)))
    if len(news) > MAX_NEWS:
        blocks.append(context(mrkdwn(f"… and {len(news) - MAX_NEWS} more")))
    return blocks

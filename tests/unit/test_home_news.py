"""The refunds that somebody waits for, and their billing links, on their Home tab."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.domain import buttons
from bot.domain.identity import Provider
from bot.domain.redaction import redacted
from bot.domain.replies import Choice, Home, HomeCase, HomeLink, HomeNews
from handlers.blocks.home import (
    ENDS,
    LINKS,
    MAX_LINKS,
    MAX_NEWS,
    MAX_TOPICS,
    OTHERS_KEEP,
    WHY_LINKS,
    home_view,
)

UNTIL = date(2026, 6, 17)


def _news(number: int, label: str = "US$49.00, created on 3 May 2026") -> HomeNews:
    return HomeNews(f"re_{number}", redacted(label), UNTIL)


def _link(name: str, *, proved: bool = True, shared: bool = False) -> HomeLink:
    return HomeLink(name, proved, shared, (Provider.STRIPE,), date(2026, 3, 19), UNTIL)


def test_each_has_a_button_of_its_own_that_stops_it() -> None:
    view = home_view(Home((), (), False, (_news(1), _news(2))))

    stops = [one for block in view["blocks"] if block["type"] == "actions" for one in block["elements"]]
    assert [(one["action_id"], one["value"]) for one in stops] == [
        (f"{buttons.NEWS_STOP}:re_1", "re_1"),
        (f"{buttons.NEWS_STOP}:re_2", "re_2"),
    ]
    assert "US$49.00, created on 3 May 2026" in str(view)
    assert "17 June 2026" in str(view)


def test_without_any_nothing_is_said_of_it() -> None:
    assert "Refunds that I look at" not in str(home_view(Home((), (), False)))


def test_a_full_tab_stays_inside_slacks_limit_and_says_what_is_left_out() -> None:
    topics = tuple(Choice(f"a{number}", f"Topic {number}") for number in range(MAX_TOPICS))
    cases = tuple(HomeCase(redacted("where is it?"), "waiting", UNTIL) for _ in range(30))
    links = tuple(_link(f"link_{number}") for number in range(MAX_LINKS + 2))
    news = tuple(_news(number) for number in range(MAX_NEWS + 3))
    view = home_view(Home(topics, cases, True, news, links, redacted("That link had ended already.")))

    assert len(view["blocks"]) <= 100
    assert "and 3 more" in str(view)
    assert "and 2 more" in str(view)


def test_a_label_is_plain_text() -> None:
    label = "<!channel> *bold* <https://a.example|x>"
    view = home_view(Home((), (), False, (_news(1, label),)))

    assert [block["text"]["type"] for block in view["blocks"] if "*bold*" in str(block)] == ["plain_text"]


def test_each_link_says_how_it_came_about_and_has_a_button_that_ends_it_after_a_question() -> None:
    view = home_view(Home((), (), False, links=(_link("link_a"), _link("link_b", proved=False))))

    ends = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    assert [(one["action_id"], one["value"]) for one in ends] == [
        (f"{buttons.HOME_UNLINK}link_a", "link_a"),
        (f"{buttons.HOME_UNLINK}link_b", "link_b"),
    ]
    assert [one["confirm"]["text"]["text"] for one in ends] == [ENDS, ENDS]
    assert [block["text"]["text"] for block in view["blocks"] if "accessory" in block] == [
        "You proved a billing e-mail with a code\nStripe · since 19 March 2026 · until 17 June 2026",
        "A specialist linked you\nStripe · since 19 March 2026 · until 17 June 2026",
    ]


def test_who_ends_a_link_that_names_others_is_told_that_these_keep_it() -> None:
    view = home_view(Home((), (), False, links=(_link("link_a", proved=False, shared=True),)))

    (shown,) = [block for block in view["blocks"] if "accessory" in block]
    assert shown["text"]["text"].startswith("A specialist linked you, with others of a channel\n")
    assert shown["accessory"]["confirm"]["text"]["text"] == f"{ENDS} {OTHERS_KEEP}"


def test_what_became_of_a_link_is_said_when_there_are_no_others_too() -> None:
    notice = redacted("That link had ended already.")

    assert LINKS not in str(home_view(Home((), (), False)))
    for links in ((), (_link("link_a"),)):
        assert f"{LINKS}\\n{notice}" in str(home_view(Home((), (), False, links=links, notice=notice)))
    assert f"{LINKS}\\n{WHY_LINKS}" in str(home_view(Home((), (), False, links=(_link("link_a"),))))


@pytest.mark.parametrize("provider", Provider)
def test_every_provider_has_a_name(provider: Provider) -> None:
    link = replace(_link("link_a"), providers=(provider,))
    assert provider in str(home_view(Home((), (), False, links=(link,)))["blocks"]).lower()

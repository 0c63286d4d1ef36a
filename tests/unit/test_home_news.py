"""The refunds that somebody waits for, on their Home tab."""

from __future__ import annotations

from datetime import date

from bot.domain import buttons
from bot.domain.redaction import redacted
from bot.domain.replies import Choice, Home, HomeCase, HomeLink, HomeNews
from handlers.blocks.home import MAX_LINKS, MAX_NEWS, MAX_TOPICS, home_view

UNTIL = date(2026, 6, 17)


def _news(number: int, label: str = "US$49.00, created on 3 May 2026") -> HomeNews:
    return HomeNews(f"re_{number}", redacted(label), UNTIL)


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
    links = tuple(HomeLink(f"link_{number}", number % 2 == 0, UNTIL, UNTIL) for number in range(MAX_LINKS + 2))
    view = home_view(Home(topics, cases, True, tuple(_news(number) for number in range(MAX_NEWS + 3)), links))

    assert len(view["blocks"]) <= 100
    assert "and 3 more" in str(view)
    assert "and 2 more" in str(view)


def test_a_label_is_plain_text() -> None:
    label = "<!channel> *bold* <https://a.example|x>"
    view = home_view(Home((), (), False, (_news(1, label),)))

    assert [block["text"]["type"] for block in view["blocks"] if "*bold*" in str(block)] == ["plain_text"]


def test_each_link_says_how_it_came_about_and_has_a_button_that_ends_it_after_a_question() -> None:
    since = date(2026, 3, 19)
    view = home_view(
        Home((), (), False, links=(HomeLink("link_a", True, since, UNTIL), HomeLink("link_b", False, since, UNTIL)))
    )
    ends = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    assert [(one["action_id"], one["value"]) for one in ends] == [
        (f"{buttons.HOME_UNLINK}link_a", "link_a"),
        (f"{buttons.HOME_UNLINK}link_b", "link_b"),
    ]
    assert all("confirm" in one for one in ends)
    assert "You proved a billing e-mail with a code on 19 March 2026. It ends on 17 June 2026." in str(view)
    assert "A specialist linked you" in str(view)

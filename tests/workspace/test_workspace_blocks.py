"""Blocks and views that Slack would refuse are refused, at the same place."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.workspace import ApiError
from integrations.workspace.blockkit.check import check_message, check_view


def text(words: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": words}


def button(action_id: str = "go", words: str = "Go") -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": text(words, "plain_text")}


def section(words: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": text(words), **more}


def modal(blocks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": text("Title", "plain_text"), "blocks": blocks, **more}


INPUT = {"type": "input", "label": text("L", "plain_text"), "element": {"type": "plain_text_input", "action_id": "a"}}

REFUSED = {
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks"),
    "unknown block": ([{"type": "marquee"}], "/blocks/0/type"),
    "section without text": ([{"type": "section"}], "/blocks/0"),
    "section of 3,001 characters": ([section("x" * 3001)], "/blocks/0/text/text"),
    "empty text": ([section("")], "/blocks/0/text"),
    "button of 76 characters": ([{"type": "actions", "elements": [button(words="x" * 76)]}], "/elements/0/text/text"),
    "button in mrkdwn": (
        [{"type": "actions", "elements": [{"type": "button", "text": text("x")}]}], "/blocks/0/elements/0/text/type",
    ),
    "26 elements": ([{"type": "actions", "elements": [button(str(n)) for n in range(26)]}], "/blocks/0/elements"),
    "no elements": ([{"type": "actions", "elements": []}], "/blocks/0/elements"),
    "same action id twice in a block": ([{"type": "actions", "elements": [button(), button()]}], "/blocks/0"),
    "same block id twice": ([section(block_id="b"), section(block_id="b")], "/blocks/1/block_id"),
    "input among actions": ([{"type": "actions", "elements": [INPUT["element"]]}], "/blocks/0/elements/0/type"),
    "markdown of 12,001 characters in all": (
        [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * 6001}], "/blocks",
    ),
    "select without options": (
        [{"type": "actions", "elements": [{"type": "static_select", "options": []}]}], "/elements/0/options",
    ),
    "block that is no object": (["x"], "/blocks/0"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_a_message(name: str) -> None:
    blocks, place = REFUSED[name]
    with pytest.raises(ApiError) as refused:
        check_message(blocks)
    assert refused.value.code == "invalid_blocks"
    assert any(place in message for message in refused.value.messages)


def test_13_201_characters_of_blocks_are_too_long() -> None:
    with pytest.raises(ApiError, match="msg_blocks_too_long"):
        check_message([section("x" * 2700) for _ in range(5)])
    check_message([section("x" * 2640) for _ in range(5)])


def test_equal_buttons_in_different_blocks_are_allowed() -> None:
    check_message([section(accessory=button()), section(accessory=button())])


def test_missing_ids_are_filled_in_and_the_original_is_left_alone() -> None:
    given = [{"type": "actions", "elements": [{"type": "button", "text": text("Go", "plain_text")}]}]
    checked = check_message(given)
    assert checked[0]["block_id"]
    assert checked[0]["elements"][0]["action_id"]
    assert "block_id" not in given[0]


@pytest.mark.parametrize(
    ("view", "place"),
    [
        (modal([INPUT]), "missing required field: submit"),
        (modal([], title=text("x" * 25, "plain_text")), "/view/title/text"),
        ({"type": "modal", "blocks": []}, "missing required field: title"),
        (modal([{"type": "divider"}] * 101), "/view/blocks"),
        (modal([], private_metadata="x" * 3001), "/view/private_metadata"),
        ({"type": "window", "blocks": []}, "/view/type"),
        ([], "/view"),
    ],
)
def test_refused_views_are_invalid_arguments(view: Any, place: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_view(view)
    assert refused.value.code == "invalid_arguments"
    assert any(place in message for message in refused.value.messages)


def test_view_of_250_kilobytes_is_too_large() -> None:
    with pytest.raises(ApiError, match="view_too_large"):
        check_view(modal([section("x" * 3000) for _ in range(90)]))

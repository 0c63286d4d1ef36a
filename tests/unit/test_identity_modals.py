"""The forms of verified identity: inside Slack's limits whatever the words, with outside words as words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.views import View

from bot.domain.identity import CustomerRef, Proof, Provider
from bot.domain.links import Contact, Link
from bot.domain.redaction import redacted
from handlers.blocks.identity_modals import MAX_LINKS, address_modal, code_modal, link_modal
from integrations.workspace.blockkit.check import check_view

NOW = datetime(2026, 5, 3, 14, 5, tzinfo=UTC)
HOSTILE = "<!channel> <@U0ANA> <https://evil.example|click> &"


def a_link(number: int = 1, reason: str = "known", customers: int = 1, channel: str | None = None) -> Link:
    return Link(
        id=f"link_{number}",
        team="T0ACME",
        channel=channel,
        contacts=(Contact("U0ANA", "f"), Contact("U0BEN", "f")) if channel else (Contact("U0ANA", "f"),),
        customers=tuple(CustomerRef(Provider.STRIPE, f"cus_{'x' * 60}{one:02}") for one in range(customers)),
        proof=Proof.LINK,
        made_by="U0MIRA",
        reason=redacted(reason),
        made_at=NOW,
        expires_at=NOW + timedelta(days=90),
    )


def check(view: dict[str, Any]) -> None:
    check_view(view)
    View(**view).validate_json()


@given(st.text(max_size=400), st.integers(0, 60), st.integers(1, 20), st.sampled_from([None, "C0SUPPORT"]))
@settings(max_examples=60)
def test_every_form_is_inside_slacks_limits(reason: str, links: int, customers: int, channel: str | None) -> None:
    many = [a_link(number, reason + HOSTILE, customers, channel) for number in range(links)]
    view = link_modal("handoff_1", "U0ANA", many)
    check(view)
    ends = [block for block in view["blocks"] if block.get("block_id") == "ends"]
    assert sum(len(block["element"]["options"]) for block in ends) == min(links, MAX_LINKS)


def test_the_proof_forms_are_inside_slacks_limits() -> None:
    for view in (address_modal("C0SUPPORT:1700000000.000001"), code_modal("")):
        check(view)


def test_a_reason_is_shown_as_words() -> None:
    [said] = [
        block["text"]["text"]
        for block in link_modal("handoff_1", "U0ANA", [a_link(reason=HOSTILE, channel="C0SUPPORT")])["blocks"]
        if "cus_" in str(block.get("text"))
    ]
    assert said.endswith("for 2 people in <#C0SUPPORT> · reason: @channel @U0ANA click (https://evil.example) &amp;")
    assert "linked by <@U0MIRA> · until 1 August 2026" in said

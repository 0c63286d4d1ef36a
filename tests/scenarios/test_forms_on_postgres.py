"""The forms of verified identity on Postgres: scenarios of `test_proving` and `test_linking` that count or race."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio

from bot.storage import database
from tests.scenarios.forms import Forms, open_forms
from tests.scenarios.test_linking import (
    test_a_link_can_be_ended_and_made_anew_in_one_go,
    test_a_specialist_links_the_cases_customer_and_the_cards_thread_says_so,
    test_billing_contacts_of_a_channel_are_linked_together,
    test_two_specialists_end_a_link_once,
)
from tests.scenarios.test_proving import (
    test_a_limit_is_told_like_everything_else,
    test_a_right_code_proves_the_address_and_sets_off_the_look_up_again,
    test_a_used_code_is_refused,
    test_a_wrong_code_is_refused_and_after_five_the_right_one_too,
    test_the_same_right_code_twice_at_once_proves_once,
    test_two_people_at_once_each_prove_for_themselves,
)

__all__ = [
    "test_a_limit_is_told_like_everything_else",
    "test_a_link_can_be_ended_and_made_anew_in_one_go",
    "test_a_right_code_proves_the_address_and_sets_off_the_look_up_again",
    "test_a_specialist_links_the_cases_customer_and_the_cards_thread_says_so",
    "test_a_used_code_is_refused",
    "test_a_wrong_code_is_refused_and_after_five_the_right_one_too",
    "test_billing_contacts_of_a_channel_are_linked_together",
    "test_the_same_right_code_twice_at_once_proves_once",
    "test_two_people_at_once_each_prove_for_themselves",
    "test_two_specialists_end_a_link_once",
]


@pytest_asyncio.fixture
async def forms(new_postgres: Callable[[], str], tmp_path: Path) -> AsyncIterator[Forms]:
    """Takes the place of the fixture of the same name, on which those scenarios rest."""
    url = database.app_url(new_postgres(), tmp_path)
    await asyncio.to_thread(database.migrate, url)
    async with open_forms(url) as opened:
        yield opened

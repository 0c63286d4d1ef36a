"""The mail of the acting person on the page: theirs alone, text only, by keyboard too."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest

if os.environ.get("CI") != "true":  # there, a missing browser driver is an error and not a skip
    pytest.importorskip("playwright.async_api", reason="playwright is not installed (requirements-dev.lock)")

from playwright.async_api import Page, expect

from integrations.workspace import Person, demo_seed

from .conftest import Open
from .stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANA, BEN = "ana@souza.example", "ben@okafor.example"


async def subjects(page: Page) -> list[str]:
    return await page.locator(".mail-subject").all_inner_texts()


async def test_a_mail_is_counted_opened_and_read(stage: Stage) -> None:
    page = await stage.window("/U0ANA/C0SUPPORT")
    link = page.get_by_role("link", name=re.compile("^Mail"))
    await expect(link).to_have_attribute("aria-label", "Mail")
    stage.ws.mailbox.deliver(ANA, "Your code", "Type 123456.\n\nIt works for 10 minutes.")
    await expect(link).to_have_attribute("aria-label", "Mail, 1 unread")
    await expect(page.locator("#live")).to_contain_text("New mail")
    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Mail")
    await expect(page.locator(".mail-text")).to_have_text("Type 123456.\n\nIt works for 10 minutes.")
    await expect(page.locator(".mail-meta")).to_contain_text(f"To {ANA}")
    await expect(link).to_have_attribute("aria-label", "Mail")
    await expect(link).to_have_attribute("aria-current", "page")
    await expect(page).to_have_title(re.compile("^Mail"))


async def test_mail_that_comes_while_one_looks_appears_on_top(stage: Stage) -> None:
    stage.ws.mailbox.deliver(ANA, "First", "one")
    page = await stage.window("/U0ANA/mail")
    await expect(page.locator(".mail")).to_have_count(1)
    stage.ws.mailbox.deliver(ANA, "Second", "two")
    await expect(page.locator(".mail")).to_have_count(2)
    assert await subjects(page) == ["Second", "First"]
    await expect(page.get_by_role("link", name=re.compile("^Mail"))).to_have_attribute("aria-label", "Mail")
    await page.reload()
    await expect(page.locator(".mail")).to_have_count(2)


async def test_nobody_sees_the_mail_of_somebody_else(stage: Stage) -> None:
    stage.ws.mailbox.deliver(ANA, "For Ana", "the secret of Ana")
    page = await stage.window("/U0ANA/mail")
    await expect(page.locator(".mail")).to_have_count(1)
    await page.get_by_role("button", name=re.compile("Acting as Ana Souza")).click()
    await page.get_by_role("menuitemradio", name=re.compile("Ben Okafor")).click()
    await expect(page.get_by_role("button", name=re.compile("Acting as Ben Okafor"))).to_be_visible()
    await expect(page.get_by_text("the secret of Ana")).to_have_count(0)
    await page.get_by_role("link", name=re.compile("^Mail")).click()
    await expect(page.get_by_text("No mail yet")).to_be_visible()
    await expect(page.locator(".head-note")).to_have_text(BEN)


async def test_a_mail_is_text_and_nothing_else(stage: Stage) -> None:
    text = "<img src=x onerror=alert(1)> <b>bold</b> https://evil.example/ <script>alert(2)</script> *stars* :smile:"
    stage.ws.mailbox.deliver(ANA, "<i>Subject</i> & more", text)
    page = await stage.window("/U0ANA/mail")
    await expect(page.locator(".mail-text")).to_have_text(text)
    await expect(page.locator(".mail-subject")).to_have_text("<i>Subject</i> & more")
    assert await page.locator(".mail").evaluate("(mail) => mail.querySelectorAll('a, img, b, i, script').length") == 0


async def test_mail_is_reached_and_read_by_keyboard(stage: Stage) -> None:
    for number in range(12):
        stage.ws.mailbox.deliver(ANA, f"No. {number}", "line\n" * 12)
    page = await stage.window("/U0ANA/C0SUPPORT")
    await page.keyboard.press("F6")
    await page.keyboard.press("F6")
    link = page.get_by_role("link", name=re.compile("^Mail"))
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name="Mails, newest first")).to_be_focused()
    await expect(page.locator(".mail")).to_have_count(12)
    await page.keyboard.press("End")
    await expect(page.locator(".mail").last).to_be_in_viewport()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("Mail")
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Mail")


async def test_from_mail_one_comes_back_to_a_conversation_and_a_thread_closes(stage: Stage) -> None:
    root = await stage.ws.post("U0ANA", "C0SUPPORT", "first")
    page = await stage.window(f"/U0ANA/C0SUPPORT/t/{root}")
    await expect(page.locator("#thread")).to_be_visible()
    await page.get_by_role("link", name=re.compile("^Mail")).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Mail")
    await expect(page.locator("#thread")).to_be_hidden()
    await stage.ws.post("U0BEN", "C0SUPPORT", "while Ana reads mail")
    await page.locator("[data-channel=C0SUPPORT]").click()
    await expect(page.locator(".msg").get_by_text("while Ana reads mail", exact=True)).to_be_visible()
    await page.go_back()
    await expect(page.get_by_text("No mail yet")).to_be_visible()


async def test_somebody_without_an_address_is_told_so(open_stage: Open) -> None:
    seed = demo_seed()
    seed = replace(seed, people=(*seed.people, Person("U0NEMO", "nemo", "Nemo Nagy")))
    stage = await open_stage(seed=seed)
    page = await stage.window("/U0NEMO/mail")
    await expect(page.get_by_text("No e-mail address")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_mail_without_scrolling_sideways(stage: Stage, scheme: str) -> None:
    stage.ws.mailbox.deliver(ANA, "A-very-long-subject-without-a-space-" * 5, "x" * 400 + "\n" + "word " * 200)
    page = await stage.window("/U0ANA/mail", scheme="dark" if scheme == "dark" else "light", phone=True)
    await expect(page.locator(".mail")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.locator(".scroller").evaluate("(node) => node.scrollWidth <= node.clientWidth")
    await page.get_by_role("button", name="Open conversations").click()
    await expect(page.get_by_role("link", name=re.compile("^Mail"))).to_be_visible()

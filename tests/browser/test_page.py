"""What people do on the page: write, read, switch, click, fill in, by mouse and by keyboard."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

if os.environ.get("CI") != "true":  # there, a missing browser driver is an error and not a skip
    pytest.importorskip("playwright.async_api", reason="playwright is not installed (requirements-dev.lock)")

from playwright.async_api import Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace, WorkspaceConfig, demo_seed

from .conftest import Open
from .stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANNEL = "/U0ANA/C0SUPPORT"

TYPED_AT_ONCE = """(typed) => { for (const key of typed)
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); }"""
"""However slow the machine is: what is typed after a pause begins a new word."""


async def write(page: Page, text: str) -> None:
    """In the conversation that is open."""
    box = page.locator("#main .composer-text")
    await box.fill(text)
    await box.press("Enter")


async def places(page: Page) -> object:
    """Where the messages and the composer of the open conversation are on the screen."""
    return await page.evaluate(
        "[...document.querySelectorAll('#main .msg, #main .composer')].map((node) => node.getBoundingClientRect().top)"
    )


async def test_a_question_and_its_answer_appear_without_reload(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await write(page, "Hello there")
    await expect(page.locator(".msg").filter(has_text="You said: Hello there")).to_be_visible()
    await expect(page.locator("#main .composer-text")).to_have_value("")
    await expect(page.locator("#live")).to_contain_text("Handrail in Handrail: You said: Hello there")


async def test_a_thread_shows_the_answer_and_takes_a_reply(stage: Stage) -> None:
    page = await stage.window(CHANNEL)
    await write(page, "Where is my refund?")
    await page.get_by_role("button", name=re.compile("1 reply")).click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("cell", name="Bank transfer")).to_be_visible()
    await thread.get_by_label("Reply in thread").fill("thanks")
    await thread.get_by_label("Reply in thread").press("Enter")
    await expect(thread.get_by_text("You said: thanks")).to_be_visible()
    await expect(thread.get_by_text("3 replies")).to_be_visible()
    await expect(page.locator("#main").get_by_text("You said: thanks")).to_have_count(0)


async def test_unread_marks_come_live_and_go_when_read(stage: Stage) -> None:
    page = await stage.window("/U0BEN/C0GENERAL")
    item = page.locator("[data-channel=C0RANDOM]")
    await stage.ws.post("U0ANA", "C0RANDOM", "anyone there?")
    await expect(item).to_have_class(re.compile("unread"))
    await stage.ws.post("U0ANA", "C0RANDOM", "<@U0BEN>?")
    await expect(item.locator(".count")).to_have_text("1")
    await expect(page).to_have_title(re.compile(r"^\(1\)"))
    await item.click()
    await expect(page.locator(".separator-new")).to_be_visible()
    await expect(item).not_to_have_class(re.compile("unread"))
    await expect(page).to_have_title(re.compile("^#random"))


async def test_acting_as_another_person_hides_the_direct_messages_of_the_first(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await write(page, "my secret")
    await expect(page.locator(".msg").get_by_text("You said: my secret")).to_be_visible()
    await page.get_by_role("button", name=re.compile("Acting as Ana Souza")).click()
    await page.get_by_role("menuitemradio", name=re.compile("Ben Okafor")).click()
    await expect(page.get_by_role("button", name=re.compile("Acting as Ben Okafor"))).to_be_visible()
    await expect(page.get_by_text("This is your conversation with Handrail")).to_be_visible()
    await expect(page.get_by_text("my secret")).to_have_count(0)
    await expect(page.get_by_role("link", name=re.compile("support-desk"))).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True])
async def test_one_of_many_people_is_found_by_typing_and_by_scrolling(stage: Stage, phone: bool) -> None:
    page = await stage.window("/U0ANA/C0SUPPORT", phone=phone)
    if phone:
        await page.get_by_role("button", name="Open conversations").click()
    await page.get_by_role("button", name=re.compile("Acting as Ana Souza")).click()
    people = page.get_by_role("menuitemradio")
    await expect(people).to_have_count(len([one for one in demo_seed().people if not one.is_bot]))
    await expect(page.get_by_text("Ctrl-click opens a second window")).to_be_in_viewport()
    assert await page.locator(".menu").evaluate("(menu) => menu.getBoundingClientRect().bottom <= innerHeight")
    for typed, found in (("nor", "Nora Haas"), ("keller", "Mona Keller"), ("oma", "@omar"), ("kim", "External")):
        await page.keyboard.press("Home")
        await page.evaluate(TYPED_AT_ONCE, typed)
        focused = people.filter(has_text=found).and_(page.locator(":focus"))
        await expect(focused).to_be_in_viewport(ratio=1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name=re.compile("Acting as Kim Park, External"))).to_have_count(1)


async def test_an_address_of_a_conversation_the_person_is_not_in_leads_elsewhere(stage: Stage) -> None:
    page = await stage.window("/U0ANA/G0DESK")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Handrail")
    await expect(page.get_by_text("Ana Souza is not in that conversation.")).to_be_visible()


async def test_a_reload_stays_in_the_thread(stage: Stage) -> None:
    root = await stage.ws.post("U0ANA", "C0SUPPORT", "first")
    page = await stage.window(f"{CHANNEL}/t/{root}")
    await expect(page.locator("#thread")).to_contain_text("You said: first")
    await page.reload()
    await expect(page.locator("#thread")).to_contain_text("You said: first")
    await page.get_by_role("button", name="Close thread").click()
    await expect(page.locator("#thread")).to_be_hidden()


async def test_an_ephemeral_message_is_seen_by_one_person_and_dismissed(stage: Stage) -> None:
    ana, ben = await stage.window(CHANNEL), await stage.window("/U0BEN/C0SUPPORT")
    await write(ana, "whisper")
    await expect(ana.get_by_text("Only visible to you")).to_be_visible()
    await expect(ben.locator(".msg").get_by_text("whisper", exact=True)).to_be_visible()
    await expect(ben.get_by_text("Please delete it")).to_have_count(0)
    await ana.get_by_role("button", name="Dismiss", exact=True).click()
    await expect(ana.locator(".msg").get_by_text("Please delete it")).to_have_count(0)


async def test_a_typing_status_appears_and_goes_without_moving_anything(stage: Stage) -> None:
    client = AsyncWebClient(token=stage.ws.bot_token, base_url=stage.ws.api_url)
    direct = await stage.ws.open_im("U0ANA")
    page = await stage.window(f"/U0ANA/{direct}")
    await write(page, "Where is it?")
    await expect(page.locator(".msg").filter(has_text="You said: Where is it?")).to_be_visible()
    question = stage.ws.messages(direct)[0]["ts"]
    line = page.get_by_role("tabpanel").get_by_role("status")
    before = await places(page)
    await client.assistant_threads_setStatus(channel_id=direct, thread_ts=question, status="is looking this up…")
    await expect(line).to_have_text("Handrail is looking this up...")
    await expect(line).to_have_attribute("aria-live", "polite")
    assert await places(page) == before
    dot = line.locator(".status-dot").first
    await expect(dot).to_have_css("animation-name", "status-dot")
    await page.emulate_media(reduced_motion="reduce")
    await expect(dot).to_have_css("animation-name", "none")
    await page.reload()
    await expect(line).to_have_text("Handrail is looking this up...")
    before = await places(page)
    stage.ws.clock.advance(120)
    await expect(line).to_have_text("")
    assert await places(page) == before


async def test_a_typing_status_stands_in_its_thread_and_under_the_first_message(stage: Stage) -> None:
    client = AsyncWebClient(token=stage.ws.bot_token, base_url=stage.ws.api_url)
    root = (await client.chat_postMessage(channel="C0SUPPORT", text="Case 1042"))["ts"]
    other = (await client.chat_postMessage(channel="C0SUPPORT", text="Case 1043"))["ts"]
    page = await stage.window(f"{CHANNEL}/t/{root}")
    await client.assistant_threads_setStatus(channel_id="C0SUPPORT", thread_ts=root, status="is reading <b>")
    below, pane = page.locator("#main .msg .status"), page.locator("#thread").get_by_role("status")
    await expect(below).to_have_text("Handrail is reading <b>...")
    await expect(pane).to_have_text("Handrail is reading <b>...")
    before = await places(page)
    await client.chat_postMessage(channel="C0SUPPORT", text="Read.", thread_ts=root)
    await expect(page.get_by_role("button", name=re.compile("1 reply"))).to_be_visible()
    await expect(below).to_have_count(0)
    await expect(pane).to_have_text("")
    assert await places(page) == before
    await client.assistant_threads_setStatus(channel_id="C0SUPPORT", thread_ts=other, status="is waiting")
    await expect(below).to_have_text("Handrail is waiting...")
    await expect(pane).to_have_text("")
    await expect(page.locator("#live")).to_contain_text("Handrail is waiting.")


async def test_own_messages_are_edited_reacted_to_and_deleted(stage: Stage) -> None:
    page = await stage.window("/U0ANA/C0RANDOM")
    await write(page, "Tea & <biscuits>, @Ben Okafor")
    message = page.locator(".msg").first
    await expect(message.locator(".mention")).to_have_text("@Ben Okafor")
    await message.hover()
    await message.get_by_role("button", name="Edit message").click()
    editor = page.get_by_label("Edit message")
    await expect(editor).to_have_value("Tea & <biscuits>, @Ben Okafor")
    await editor.fill("Coffee")
    await editor.press("Enter")
    await expect(message.get_by_text("(edited)")).to_be_visible()
    await message.hover()
    await message.get_by_role("button", name="Add a reaction").click()
    await page.get_by_role("button", name="tada").click()
    await expect(message.get_by_role("button", name="tada, 1, yours")).to_be_visible()
    await message.hover()
    await message.get_by_role("button", name="Delete message").click()
    await page.get_by_role("dialog", name="Delete this message?").get_by_role("button", name="Delete").click()
    await expect(page.locator(".msg")).to_have_count(0)


async def test_the_editor_of_another_person_is_not_offered(stage: Stage) -> None:
    await stage.ws.post("U0BEN", "C0RANDOM", "mine")
    page = await stage.window("/U0ANA/C0RANDOM")
    message = page.locator(".msg")
    await message.hover()
    await expect(message.get_by_role("button", name="Copy link")).to_be_visible()
    await expect(message.get_by_role("button", name="Edit message")).to_have_count(0)


async def test_a_modal_shows_errors_at_their_fields_and_keeps_the_focus(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await write(page, "refund")
    await page.get_by_role("button", name="Report a charge").click()
    modal = page.get_by_role("dialog", name="Report a charge")
    await expect(modal.get_by_label("Amount")).to_be_focused()
    await modal.get_by_role("button", name="Send").click()  # what Slack's client checks by itself
    await expect(modal.get_by_text("Please complete this field.")).to_have_count(2)
    await modal.get_by_label("Amount").fill("5000")
    await modal.get_by_label("E-mail").fill("ana@souza.example")
    await modal.get_by_label("Anything else").fill("twice, \N{EM DASH} really")
    await modal.get_by_role("button", name="Send").click()  # what the app answers
    field = modal.get_by_label("Amount")
    await expect(field).to_have_accessible_description(re.compile("amounts over 1,000"))
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(modal.get_by_label("Anything else")).to_have_value("twice, \N{EM DASH} really")
    await field.fill("50")
    await expect(modal.get_by_text("amounts over")).to_be_hidden()
    await field.press("Enter")
    await expect(modal).to_have_count(0)
    await expect(page.locator(".msg").get_by_text("We look into the charge of 50.00.")).to_be_visible()


async def test_tab_stays_in_a_modal_and_escape_leads_back(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await write(page, "refund")
    opener = page.get_by_role("button", name="Report a charge")
    await opener.focus()
    await page.keyboard.press("Enter")
    modal = page.get_by_role("dialog", name="Report a charge")
    await expect(modal.get_by_label("Amount")).to_be_focused()
    for _ in range(9):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_a_menu_in_a_modal_works_and_gives_the_focus_back(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await write(page, "refund")
    await page.get_by_role("button", name="Report a charge").click()
    more = page.get_by_role("dialog").get_by_role("button", name="More actions")
    await more.click()
    await expect(page.get_by_role("menuitem", name="Explain")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menuitem")).to_have_count(0)
    await expect(more).to_be_focused()  # and the modal is still there
    await more.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await stage.ws.wait_for(
        lambda ws: [one.outcome for one in ws.deliveries if one.kind == "block_actions"][2:] == ["sent", "acked"]
    )
    await expect(more).to_be_focused()


async def test_a_confirmation_is_asked_and_the_message_is_updated(stage: Stage) -> None:
    await stage.ws.post("U0ANA", "C0SUPPORT", "card for the desk")
    page = await stage.window("/U0MIRA/G0DESK")
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="Keep open").click()
    await expect(page.get_by_role("heading", name="Case 1042")).to_be_visible()
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="Close it").click()
    await expect(page.locator(".msg")).to_contain_text("Case closed by @Mira Lindqvist")


async def test_a_click_that_the_app_never_takes_is_busy_and_then_an_error(open_stage: Open) -> None:
    stage = await open_stage(ack_seconds=0.6)
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await write(page, "slow")
    button = page.get_by_role("button", name="Never answers")
    await button.click()
    await expect(page.locator("[data-action-id=never]")).to_have_attribute("aria-busy", "true")
    await expect(page.get_by_role("alert")).to_contain_text("The app did not answer in time")
    await expect(button).not_to_have_attribute("aria-busy", "true")


async def test_home_is_published_when_its_tab_opens(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    await page.get_by_role("tab", name="Home").click()
    await expect(page.get_by_role("heading", name="Welcome to Handrail")).to_be_visible()
    await page.get_by_label("Language of answers").select_option("Português")
    await stage.ws.wait_for(
        lambda ws: any(one.kind == "block_actions" and one.outcome == "acked" for one in ws.deliveries)
    )


async def test_everything_can_be_done_with_the_keyboard(stage: Stage) -> None:
    page = await stage.window("/U0ANA/C0GENERAL")
    keys = page.keyboard
    await expect(page.locator("#main .composer-text")).to_be_focused()
    await keys.press("Control+k")
    await keys.type("billing")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("billing-help")
    await expect(page.locator("#main .composer-text")).to_be_focused()
    await keys.type("Good morning, @mir")
    await expect(page.get_by_role("option", name="Mira Lindqvist")).to_be_visible()
    await keys.press("Enter")
    await keys.press("Shift+Enter")
    await keys.type("second line")
    await keys.press("Enter")
    first = page.locator("#main .msg").first
    await expect(first).to_contain_text("Good morning, @Mira Lindqvist \nsecond line", use_inner_text=True)
    await expect(first.get_by_role("button", name=re.compile("1 reply"))).to_be_visible()
    await keys.press("ArrowUp")  # the last own message
    await expect(page.get_by_label("Edit message")).to_be_focused()
    await keys.press("Escape")
    await expect(page.locator("#main .composer-text")).to_be_focused()
    await first.focus()
    await keys.press("Enter")
    await expect(page.get_by_role("textbox", name="Reply in thread")).to_be_focused()
    await keys.press("Escape")
    await expect(first).to_be_focused()
    await keys.press("Delete")
    await keys.press("Enter")
    await expect(first).to_contain_text("This message was deleted")
    await keys.press("F6")
    await expect(page.locator("#main")).not_to_contain_text("Good morning")


async def test_earlier_messages_load_while_scrolling_up(stage: Stage) -> None:
    for number in range(120):
        await stage.ws.post("U0BEN", "C0RANDOM", f"line {number}")
    page = await stage.window("/U0ANA/C0RANDOM")
    await expect(page.get_by_text("line 119", exact=True)).to_be_in_viewport()
    await expect(page.get_by_text("line 5", exact=True)).to_have_count(0)
    await page.locator("#main .msg").first.scroll_into_view_if_needed()
    await expect(page.get_by_text("line 30", exact=True)).to_be_attached()
    await page.locator("#main .msg").first.scroll_into_view_if_needed()
    await expect(page.get_by_text("line 0", exact=True)).to_be_attached()
    await page.get_by_text("line 0", exact=True).scroll_into_view_if_needed()
    await expect(page.get_by_text("This is the start of #random")).to_be_attached()
    await stage.ws.post("U0BEN", "C0RANDOM", "news")
    await expect(
        page.locator(".msg").get_by_text("news", exact=True)
    ).not_to_be_in_viewport()  # what is being read stays in place
    await page.get_by_role("button", name="Newest messages").click()
    await expect(page.locator(".msg").get_by_text("news", exact=True)).to_be_in_viewport()


async def test_the_page_recovers_when_the_workspace_restarts(open_stage: Open, tmp_path: Path) -> None:
    state = tmp_path / "workspace.db"
    stage = await open_stage(path=state)
    page = await stage.window("/U0ANA/C0RANDOM")
    port = int(stage.ws.url.rpartition(":")[2])
    await stage.ws.stop()
    await expect(page.get_by_text("The workspace cannot be reached")).to_be_visible()
    async with Workspace(WorkspaceConfig(path=state, port=port)) as again:
        await again.post("U0BEN", "C0RANDOM", "back again")
        await expect(page.locator(".msg").get_by_text("back again")).to_be_visible()
        await expect(page.get_by_text("The workspace cannot be reached")).to_be_hidden()
        await page.context.close()
    stage.complaints.clear()  # the browser logs each refused connection

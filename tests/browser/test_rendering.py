"""What messages look like, and that text from anyone stays text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest

if os.environ.get("CI") != "true":  # there, a missing browser driver is an error and not a skip
    pytest.importorskip("playwright.async_api", reason="playwright is not installed (requirements-dev.lock)")

from playwright.async_api import Page, expect

from .sample_app import EVIL
from .stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


def probe(name: str) -> str:
    """A function that runs in the page."""
    return (Path(__file__).parent / "probes" / name).read_text()


# Renders sources with the page's own modules, in the page, and gives the HTML that came out.
RENDER = probe("render.js")

MRKDWN = {
    "*bold* _it_ ~gone~ `code *x*`": "<strong>bold</strong> <em>it</em> <s>gone</s> <code>code *x*</code>",
    "*bold _and it_*": "<strong>bold <em>and it</em></strong>",
    "a*b*c 2 * 3 * 4 snake_case_name": "a*b*c 2 * 3 * 4 snake_case_name",
    "*open": "*open",
    "a &lt;b&gt; &amp;amp; &quot;": "a &lt;b&gt; &amp;amp; &amp;quot;",
    "<@U0ANA> <@U0BEN|x> <@U9>": (
        "<span>@<bdi>Ana Souza</bdi></span> <span>@<bdi>Ben &lt;b&gt;</bdi></span> <span>@<bdi>U9</bdi></span>"
    ),
    "<#C0GENERAL> <!here> <!subteam^S0SPECIAL>": (
        '<a href="#/U0ANA/C0GENERAL">#general</a> <span>@here</span> <span>@specialists</span>'
    ),
    "<https://a.example/?x=1&amp;y=2|here> <mailto:a@b.example|a@b.example>": (
        '<a href="https://a.example/?x=1&amp;y=2">here</a> <a href="mailto:a@b.example">a@b.example</a>'
    ),
    "see https://a.example/b_c.": 'see <a href="https://a.example/b_c">https://a.example/b_c</a>.',
    "<javascript:alert(1)|x> <data:text/html,x> <vbscript:x|y>": (
        "<span>x</span> <span>data:text/html,x</span> <span>y</span>"
    ),
    "<!date^0^{nope}|then>": "<time>{nope}</time>",
    "&gt; quoted\nplain": "<blockquote>quoted</blockquote>plain",
    "&gt;&gt;&gt; all\nof it": "<blockquote>all\nof it</blockquote>",
    "before\n```a &lt; b\n*c*```\nafter": "before<pre><code>a &lt; b\n*c*</code></pre>after",
    "``` open": "``` open",
    ":tada: :no_such_emoji: 10:30:45": "<span>🎉</span> :no_such_emoji: 10:30:45",
}

MARKDOWN = {
    "**b** *i* ~~s~~ `c`": "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>",
    "# One\n\ntext": "<h3>One</h3><p>text</p>",
    "- a\n- b\n  - c": "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>",
    "3. x\n4. y": "<ol><li>x</li><li>y</li></ol>",
    "> q": "<blockquote><p>q</p></blockquote>",
    "```py\na < b\n```": "<pre><code>a &lt; b</code></pre>",
    "| a | b |\n|---|--:|\n| 1 | 2 |": (
        "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr>"
        "</tbody></table></div>"
    ),
    "[x](https://a.example/(1)) [y](javascript:alert(1))": (
        '<p><a href="https://a.example/(1)">x</a> <span>y</span></p>'
    ),
    "<b>bold</b> &lt; ![p](https://a.example/p.png)": (
        '<p>&lt;b&gt;bold&lt;/b&gt; &amp;lt; <span>Image: <a href="https://a.example/p.png">p</a></span></p>'
    ),
    "snake_case_name 2 * 3": "<p>snake_case_name 2 * 3</p>",
}

# Text that is cheap to write and must be cheap to draw: each once took, or could take, quadratic time.
SHORT = (
    "*", "*a ", "_a", "`", "<", "<a", ":", ":a", "[", "[a](", "> ", "- ", "# ", "|", "\n", "h", "https://", "~~a",
    "**a", "```", "#" + " " * 50,
)  # fmt: skip
COSTLY = [part * (12_000 // len(part)) for part in SHORT]
COSTLY += ["# " + " " * 12_000 + "x", "https://" + "." * 12_000 + "x"]


async def render(page: Page, module: str, name: str, sources: list[str]) -> Any:
    return await page.evaluate(RENDER, [module, name, sources])


async def test_mrkdwn_is_drawn_as_slack_draws_it(stage: Stage) -> None:
    page = await stage.window()
    drawn = await render(page, "mrkdwn.js", "mrkdwn", list(MRKDWN))
    assert dict(zip(MRKDWN, drawn["out"], strict=True)) == MRKDWN


async def test_markdown_is_drawn_without_its_html(stage: Stage) -> None:
    page = await stage.window()
    drawn = await render(page, "markdown.js", "markdown", list(MARKDOWN))
    assert dict(zip(MARKDOWN, drawn["out"], strict=True)) == {
        key: f"<div>{html}</div>" for key, html in MARKDOWN.items()
    }


@pytest.mark.parametrize(("module", "name"), [("mrkdwn.js", "mrkdwn"), ("markdown.js", "markdown")])
async def test_text_made_to_be_slow_is_drawn_in_time(stage: Stage, module: str, name: str) -> None:
    page = await stage.window()
    for source in COSTLY:
        drawn = await render(page, module, name, [source])
        assert drawn["milliseconds"] < 2_000, source[:20]


async def test_hostile_text_stays_text(stage: Stage) -> None:
    """The stage fails, besides, on any dialog, exception, failed load or violation of the security policy."""
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    box = page.locator("#main .composer-text")
    await box.fill(f"{EVIL} evil \u202e\u0000 [x](javascript:alert(1))")
    await box.press("Enter")
    await expect(page.locator(".msg")).to_have_count(2)
    for message in await page.locator(".msg-content").all():
        await expect(message).to_contain_text("<img src=x onerror=alert(1)> <script>alert(2)</script>")
    assert await page.locator(".messages").locator("img, script, iframe, [onerror], [style]").count() == 0
    addresses = await page.locator("a[href]").evaluate_all("links => links.map(link => link.protocol)")
    assert set(addresses) <= {"http:", "https:", "mailto:"}
    outward = page.locator(".msg-content a[target=_blank]")
    assert all([await link.get_attribute("rel") == "noopener noreferrer" for link in await outward.all()])
    await page.get_by_role("button", name="<b>x</b>").click()  # a button whose url is javascript:
    await expect(page.get_by_role("button", name="<b>x</b>")).not_to_have_attribute("aria-busy", "true")


async def test_every_block_is_drawn_and_pictures_from_elsewhere_are_not_loaded(stage: Stage) -> None:
    page = await stage.window(f"/U0ANA/{await stage.ws.open_im('U0ANA')}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await stage.ws.post("U0ANA", await stage.ws.open_im("U0ANA"), "gallery")
    message = page.locator(".msg").filter(has_text="Every block")
    await expect(message.get_by_text("Image: A cat on an invoice")).to_be_visible()
    await expect(message.get_by_role("link", name="a link")).to_have_attribute("href", "https://example.com/help")
    await expect(message.get_by_role("cell", name="12.00 EUR")).to_be_visible()
    await message.get_by_role("checkbox", name="February").check()
    await message.get_by_role("radio", name="Bank transfer").check()
    await expect(message.locator(".placeholder")).to_have_count(1)
    assert [url for url in asked if not url.startswith(stage.ws.url)] == []


async def test_an_unknown_block_is_named_and_a_broken_one_hides_nothing(stage: Stage) -> None:
    page = await stage.window()
    drawn = await page.evaluate(probe("broken_blocks.js"))
    assert drawn[0] == "Block “hologram” is not shown here"
    assert drawn[-1] == "fine"
    assert len(drawn) == 8


CONTRAST = probe("contrast.js")
READ = [
    ".text", ".msg-name", ".msg-time", ".badge-app", ".badge-guest", ".mention", ".mention-me", ".link", ".code",
    ".context-text", ".btn-primary", ".btn-danger", ".thread-count", ".rail-item", ".rail-item[aria-current]",
    ".rail-title", ".persona-small", ".composer-text", ".separator-day", ".edited", ".field-cell", ".avatar",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_in_both_themes(stage: Stage, scheme: Literal["light", "dark"]) -> None:
    await stage.ws.join("U0GIL", "G0DESK")
    ts = await stage.ws.post("U0GIL", "G0DESK", "hello")
    await stage.ws.edit("U0GIL", "G0DESK", ts, "hello <@U0MIRA> <@U0TOM> `code` <https://a.example|link>")
    await stage.ws.post("U0TOM", "C0SUPPORT", "card for the desk")
    await stage.ws.post("U0TOM", "G0DESK", "refund")
    page = await stage.window("/U0MIRA/G0DESK", scheme=scheme)
    await expect(page.get_by_role("button", name="Reply", exact=True)).to_be_visible()
    await page.get_by_role("button", name="1 reply").last.click()
    await expect(page.locator("#thread .context-text")).to_be_visible()
    unreadable = [(selector, ratio) for selector, ratio in await page.evaluate(CONTRAST, READ) if ratio < 4.5]
    assert unreadable == []


async def test_the_chosen_theme_is_kept(stage: Stage) -> None:
    page = await stage.window(scheme="light")
    theme = page.get_by_role("button", name="Theme: as the system")
    await theme.click()
    await page.get_by_role("button", name="Theme: light").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


OVERFLOW = probe("overflow.js")


async def test_nothing_scrolls_sideways_on_a_phone(stage: Stage) -> None:
    im = await stage.ws.open_im("U0ANA")
    for text in ("gallery", "refund", "W" * 300, "https://a.example/" + "x" * 300, "```" + "y" * 300 + "```"):
        await stage.ws.post("U0ANA", im, text)
    root = await stage.ws.post("U0ANA", "C0SUPPORT", "refund")
    page = await stage.window(f"/U0ANA/{im}", phone=True)
    await expect(page.get_by_text("Every block")).to_be_visible()
    assert await page.evaluate(OVERFLOW) == []
    await page.get_by_role("button", name="Open conversations").click()
    await page.get_by_role("link", name="billing-help").click()
    await page.get_by_role("button", name="1 reply").click()
    await expect(page.locator("#thread").get_by_role("button", name="Report a charge")).to_be_visible()
    assert root in page.url
    assert await page.evaluate(OVERFLOW) == []
    await page.locator("#thread").get_by_role("button", name="Report a charge").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await page.evaluate(OVERFLOW) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Close thread").click()
    await page.goto(f"{stage.ws.url}/#/U0ANA/{im}/home")
    await expect(page.get_by_role("heading", name="Welcome to Handrail")).to_be_visible()
    assert await page.evaluate(OVERFLOW) == []

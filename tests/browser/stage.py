"""A workspace with an app in it, and browser windows that look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from integrations.workspace import Workspace

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page


@dataclass
class Stage:
    """A workspace with the sample app in it, and windows that look at it."""

    ws: Workspace
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    async def window(self, hash_: str = "", *, scheme: Literal["light", "dark"] = "light", phone: bool = False) -> Page:
        """A new browser window, with its own storage, at a place of the page ("/U0ANA/C0SUPPORT")."""
        width, height = (390, 844) if phone else (1280, 800)
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=phone,
            is_mobile=phone,
            locale="en-GB",
        )
        context.set_default_timeout(10_000)
        page = await context.new_page()
        # A violated content security policy, a failed load and an exception all end up here.
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("dialog", lambda dialog: self._note("error", f"a dialog: {dialog.message}"))
        await page.goto(f"{self.ws.url}/#{hash_}")
        await page.locator(".head-title").first.wait_for()
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

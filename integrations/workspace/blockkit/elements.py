"""Rules for interactive elements (https://docs.slack.dev/reference/block-kit/block-elements)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integrations.workspace.blockkit.problems import Problems

Element = dict[str, Any]
Rule = Callable[[Element, str, Problems], None]

_MAX_ACTION_ID = 255


def check_element(element: Element, place: str, problems: Problems, allowed: frozenset[str]) -> None:
    """One element at a JSON pointer; ``allowed`` are the types its place accepts."""
    kind = element.get("type")
    rule = _RULES.get(kind) if isinstance(kind, str) else None
    if rule is None or kind not in allowed:
        problems.add(f"unsupported type: {kind}", f"{place}/type")
        return
    problems.string(element, "action_id", _MAX_ACTION_ID, place)
    problems.text(element, "placeholder", 150, place, plain=True)
    rule(element, place, problems)


def _button(element: Element, place: str, problems: Problems) -> None:
    problems.text(element, "text", 75, place, plain=True, required=True)
    problems.string(element, "value", 2000, place)
    problems.string(element, "url", 3000, place)
    problems.string(element, "accessibility_label", 75, place)
    if element.get("style") not in (None, "primary", "danger"):
        problems.add("style must be primary or danger", f"{place}/style")


def _options(least: int, most: int, longest: int = 75) -> Rule:
    def rule(element: Element, place: str, problems: Problems) -> None:
        groups = problems.items(element, "option_groups", 0, 100, place)
        if groups:
            for index, group in enumerate(groups):
                problems.text(group, "label", 75, f"{place}/option_groups/{index}", plain=True, required=True)
                _option_list(group, least, most, longest, f"{place}/option_groups/{index}", problems)
            return
        _option_list(element, least, most, longest, place, problems)

    return rule


def _option_list(holder: Element, least: int, most: int, longest: int, place: str, problems: Problems) -> None:
    seen: set[object] = set()
    for index, option in enumerate(problems.items(holder, "options", least, most, place)):
        here = f"{place}/options/{index}"
        problems.text(option, "text", longest, here, required=True)
        problems.string(option, "value", 150, here, required=True)
        if str(option.get("value")) in seen:
            problems.add("option values must be unique", f"{here}/value")
        seen.add(str(option.get("value")))


def _text_input(element: Element, place: str, problems: Problems) -> None:
    problems.string(element, "initial_value", 3000, place)
    for key in ("min_length", "max_length"):
        value = element.get(key)
        if value is not None and not (isinstance(value, int) and 0 <= value <= 3000):
            problems.add("must be a number from 0 to 3000", f"{place}/{key}")


def _feedback(element: Element, place: str, problems: Problems) -> None:
    for key in ("positive_button", "negative_button"):
        button = element.get(key)
        if not isinstance(button, dict):
            problems.add(f"missing required field: {key}", place)
            continue
        problems.text(button, "text", 75, f"{place}/{key}", plain=True, required=True)
        problems.string(button, "value", 2000, f"{place}/{key}", required=True)


def _icon_button(element: Element, place: str, problems: Problems) -> None:
    problems.string(element, "icon", 75, place, required=True)
    problems.text(element, "text", 75, place, plain=True, required=True)


def _image(element: Element, place: str, problems: Problems) -> None:
    problems.string(element, "alt_text", 2000, place, required=True)
    if "slack_file" not in element:
        problems.string(element, "image_url", 3000, place, required=True)


def _external(element: Element, place: str, problems: Problems) -> None:
    for key in ("options", "option_groups"):
        if key in element:
            problems.add(f"additional property: {key}", place)


def _anything(element: Element, place: str, problems: Problems) -> None:
    """No limits of its own beyond those of every element."""


_RULES: dict[str, Rule] = {
    "button": _button, "static_select": _options(1, 100), "multi_static_select": _options(1, 100),
    "overflow": _options(1, 5), "radio_buttons": _options(1, 10), "checkboxes": _options(1, 10),
    "plain_text_input": _text_input, "email_text_input": _anything, "url_text_input": _anything,
    "number_input": _anything, "rich_text_input": _anything, "file_input": _anything,
    "datepicker": _anything, "timepicker": _anything, "datetimepicker": _anything,
    "users_select": _anything, "conversations_select": _anything, "channels_select": _anything,
    "external_select": _external, "multi_users_select": _anything, "multi_conversations_select": _anything,
    "multi_channels_select": _anything, "multi_external_select": _external, "workflow_button": _button,
    "feedback_buttons": _feedback, "icon_button": _icon_button, "image": _image,
}  # fmt: skip

_SELECTS = frozenset(kind for kind in _RULES if kind.endswith("_select"))
_PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker", "radio_buttons", "checkboxes"})
IN_ACTIONS = _SELECTS | _PICKERS | {"button", "overflow", "workflow_button", "rich_text_input"}
IN_SECTION = _SELECTS | _PICKERS | {"button", "overflow", "workflow_button", "image"}
IN_INPUT = _SELECTS | _PICKERS | {
    "plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input",
}  # fmt: skip
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})

"""What elements report: the value objects of ``block_actions`` and of ``view.state.values``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrations.workspace.blockkit.walk import elements_of

Element = dict[str, Any]
State = dict[str, dict[str, dict[str, Any]]]

# Element type → (key of its value in a payload, key of its initial value in the block).
_KEYS = {
    "plain_text_input": ("value", "initial_value"), "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"), "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"), "file_input": ("files", "initial_files"),
    "static_select": ("selected_option", "initial_option"), "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"), "overflow": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"), "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"), "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}  # fmt: skip
_MANY = frozenset({"selected_options", "selected_users", "selected_channels", "selected_conversations", "files"})


def reported(element: Element, given: Any) -> dict[str, Any]:
    """The value object of an element for what a person entered or chose.

    ``given`` is a finished object (``{"type": …, "value": …}``), a plain value (a string; for options their
    ``value``), or None for the element's initial value.
    """
    kind = str(element.get("type"))
    key, initial = _KEYS.get(kind, ("value", "value"))
    if isinstance(given, dict) and given.get("type") == kind:
        value = given.get(key)
    elif given is None:
        value = element.get(initial)
    else:
        value = given
    if key in ("selected_option", "selected_options"):
        value = _as_options(element, value)
    if key in _MANY:
        value = list(value) if isinstance(value, list | tuple) else []
    return {"type": kind, key: value or None if key not in _MANY else value}


def is_empty(value: dict[str, Any]) -> bool:
    """Whether a value object says nothing, so that a required input may not be submitted."""
    return all(not part for key, part in value.items() if key != "type")


def state_of(blocks: Sequence[dict[str, Any]], given: dict[str, dict[str, Any]]) -> State:
    """``state.values`` of blocks: what was given, initial values for the rest, every stateful element listed.

    Blocks and actions in ``given`` that the view does not have are passed over, as Slack's client cannot send them.
    """
    state: State = {}
    for block in blocks:
        for element in _stateful(block):
            block_id, action_id = str(block["block_id"]), str(element["action_id"])
            entered = given.get(block_id, {}).get(action_id)
            state.setdefault(block_id, {})[action_id] = reported(element, entered)
    return state


def _stateful(block: dict[str, Any]) -> list[Element]:
    return [one for one in elements_of(block) if one.get("type") in _KEYS and one.get("type") != "overflow"]


def _as_options(element: Element, value: Any) -> Any:
    """Option values as the option objects the block defines."""
    groups = [element, *element.get("option_groups", [])]
    listed = (group.get("options") or [] for group in groups)
    by_value = {option.get("value"): option for options in listed for option in options}

    def option(one: Any) -> Any:
        unknown = {"text": {"type": "plain_text", "text": one}, "value": one}
        return by_value.get(one, unknown) if isinstance(one, str) else one

    return [option(one) for one in value] if isinstance(value, list | tuple) else option(value)

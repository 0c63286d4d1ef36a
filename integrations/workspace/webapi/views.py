"""views.open, push, update, publish"""

from __future__ import annotations

from typing import Any

from integrations.workspace.errors import ApiError
from integrations.workspace.webapi.call import Answer, Call


async def open_view(call: Call) -> Answer:
    """Open a modal for whoever clicked."""
    return {"view": call.core.board.open(call.app, call.required("trigger_id"), _view(call))}


async def push(call: Call) -> Answer:
    """Put a modal on top of the open one."""
    return {"view": call.core.board.push(call.app, call.required("trigger_id"), _view(call))}


async def update(call: Call) -> Answer:
    """Replace an open modal, or a Home, by its id or external id."""
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not view_id and not external_id:
        raise ApiError("invalid_arguments", "[ERROR] missing required field: view_id")
    return {"view": call.core.board.update(call.app, view_id, external_id, call.text("hash"), _view(call))}


async def publish(call: Call) -> Answer:
    """Show a Home tab."""
    return {"view": call.core.board.publish(call.app, call.required("user_id"), call.text("hash"), _view(call))}


def _view(call: Call) -> Any:
    view = call.parsed("view", "invalid_arguments")
    if view is None:
        raise ApiError("invalid_arguments", "[ERROR] missing required field: view")
    return view

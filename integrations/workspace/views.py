"""Modals and Home tabs: opening, pushing, updating, publishing, and what an answered submission does to the stack."""

from __future__ import annotations

from typing import Any

from integrations.workspace import ids
from integrations.workspace.blockkit.check import check_view
from integrations.workspace.changes import Changes
from integrations.workspace.clock import Clock
from integrations.workspace.errors import ApiError
from integrations.workspace.seed import App
from integrations.workspace.storage.directory import Directory
from integrations.workspace.storage.views import ShownView, Views
from integrations.workspace.triggers import Triggers

MAX_STACK = 3
View = dict[str, Any]


class ViewBoard:
    """The views people see. Views given by apps are checked first; all raise `ApiError` with Slack's codes."""

    def __init__(self, directory: Directory, views: Views, clock: Clock, triggers: Triggers, changes: Changes) -> None:
        self._directory = directory
        self.views = views
        self._clock = clock
        self._triggers = triggers
        self._changes = changes

    def open(self, app: App, trigger_id: str, given: Any) -> View:
        """Show a modal as the only one of this app."""
        view = self._new(app, given, "modal")
        trigger = self._triggers.exchange(trigger_id, app.id)
        for shown in self.views.stack(trigger.person, app.id):
            self.views.remove(shown.id)
        return self._show(app, trigger.person, view, [])

    def push(self, app: App, trigger_id: str, given: Any) -> View:
        """Put a modal on top of the one that was clicked in."""
        view = self._new(app, given, "modal")
        trigger = self._triggers.exchange(trigger_id, app.id)
        return self._push(app, trigger.person, view)

    def update(self, app: App, view_id: str, external_id: str, hash_: str, given: Any) -> View:
        """Replace a view's content; it keeps its id and place."""
        shown = self.views.get(view_id) if view_id else self.views.by_external_id(app.id, external_id)
        if shown is None or shown.app != app.id:
            raise ApiError("not_found")
        if hash_ and hash_ != shown.body["hash"]:
            raise ApiError("hash_conflict")
        view = self._new(app, given, shown.kind, replacing=shown.id)
        return self._replace(app, shown, view)

    def publish(self, app: App, person: str, hash_: str, given: Any) -> View:
        """Show a Home tab to a person."""
        if person not in self._directory.people:
            raise ApiError("user_not_found")
        shown = self.views.home(app.id, person)
        if hash_ and shown is not None and hash_ != shown.body["hash"]:
            raise ApiError("hash_conflict")
        view = self._new(app, given, "home", replacing=shown.id if shown else None)
        if shown is not None:
            return self._replace(app, shown, view)
        body = self._body(app, view, ids.slack_id("V"), None, None)
        self.views.save(ShownView(app.id, person, "home", 0, body))
        self._changes.tell("home", person=person, view=body)
        return body

    def answered(self, app: App, shown: ShownView, answer: dict[str, Any]) -> View | None:
        """Do what the app's answer to a submission says; returns the view to see next, None when all are closed.

        Raises `ApiError` when the answer carries a view that Slack would refuse.
        """
        action = answer.get("response_action")
        if action == "clear":
            self.close(shown, whole_stack=True)
        elif action == "update":
            return self._replace(app, shown, self._new(app, answer.get("view"), "modal", replacing=shown.id))
        elif action == "push":
            return self._push(app, shown.person, self._new(app, answer.get("view"), "modal"))
        elif action is None:
            # The app may have updated or closed the stack while it handled the submission.
            self.close(shown, whole_stack=False)
        else:
            raise ApiError("invalid_response_action")
        below = self.views.stack(shown.person, app.id)
        return below[-1].body if below else None

    def close(self, shown: ShownView, *, whole_stack: bool) -> list[ShownView]:
        """Take a view, or the app's whole stack, off the person's screen; returns what was closed, top first."""
        stack = self.views.stack(shown.person, shown.app)
        closed = [one for one in reversed(stack) if whole_stack or one.position >= shown.position]
        for one in closed:
            self.views.remove(one.id)
        self._tell_stack(shown.person)
        return closed

    def stack(self, person: str) -> list[View]:
        """The modals a person sees, bottom first."""
        return [shown.body for shown in self.views.stack(person)]

    def _push(self, app: App, person: str, view: View) -> View:
        stack = self.views.stack(person, app.id)
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= MAX_STACK:
            raise ApiError("push_limit_reached")
        return self._show(app, person, view, stack)

    def _show(self, app: App, person: str, view: View, below: list[ShownView]) -> View:
        view_id = ids.slack_id("V")
        root = below[0].id if below else view_id
        body = self._body(app, view, view_id, root, below[-1].id if below else None)
        self.views.save(ShownView(app.id, person, "modal", len(below), body))
        self._tell_stack(person)
        return body

    def _replace(self, app: App, shown: ShownView, view: View) -> View:
        old = shown.body
        shown.body = self._body(app, view, shown.id, old["root_view_id"], old["previous_view_id"])
        self.views.save(shown)
        if shown.kind == "home":
            self._changes.tell("home", person=shown.person, view=shown.body)
        else:
            self._tell_stack(shown.person)
        return shown.body

    def _new(self, app: App, given: Any, kind: str, replacing: str | None = None) -> View:
        view = check_view(given)
        if view["type"] != kind:
            raise ApiError("invalid_arguments", f"[ERROR] expected a {kind} view [json-pointer:/view/type]")
        external_id = view.get("external_id") or ""
        taken = self.views.by_external_id(app.id, external_id)
        if taken is not None and taken.id != replacing:
            raise ApiError("duplicate_external_id")
        return view

    def _body(self, app: App, view: View, view_id: str, root: str | None, previous: str | None) -> View:
        return {
            "id": view_id,
            "team_id": self._directory.team_id,
            "type": view["type"],
            "blocks": view["blocks"],
            "private_metadata": view.get("private_metadata") or "",
            "callback_id": view.get("callback_id") or "",
            "external_id": view.get("external_id") or "",
            "state": {"values": {}},
            "hash": f"{int(self._clock.now())}.{ids.short()}",
            "title": view.get("title"),
            "submit": view.get("submit"),
            "close": view.get("close"),
            "clear_on_close": bool(view.get("clear_on_close")),
            "notify_on_close": bool(view.get("notify_on_close")),
            "previous_view_id": previous,
            "root_view_id": root or view_id,
            "app_id": app.id,
            "app_installed_team_id": self._directory.team_id,
            "bot_id": app.bot_id,
        }

    def _tell_stack(self, person: str) -> None:
        self._changes.tell("views", person=person, views=self.stack(person))

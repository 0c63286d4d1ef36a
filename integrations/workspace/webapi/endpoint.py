"""``/api/METHOD``: reads the arguments, checks the token, lets faults strike, runs the method, logs the call."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from integrations.workspace import jsonsafe
from integrations.workspace.core import Core
from integrations.workspace.errors import ApiError, StoreUnavailable
from integrations.workspace.seed import App
from integrations.workspace.webapi.call import Answer, Call
from integrations.workspace.webapi.methods import APP_TOKEN_METHODS, METHODS, NO_TOKEN_METHODS

_RETRY_AFTER = "1"
_ANONYMOUS = App("A000", "anonymous", "B000", "U000")


class WebApi:
    """The Web API of one workspace."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call: HTTP 200 with ``ok`` true or false; other statuses only for faults and oversized bodies."""
        self._core.calls_running += 1
        try:
            return await self._answer(request)
        finally:
            self._core.calls_running -= 1
            self._core.changes.tell("call")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args: dict[str, Any] = {}
        app = _ANONYMOUS
        try:
            args = await _arguments(request)
            token = _token(request, args)
            app = self._authorise(method, token)
            fault = self._fault(method)
            if fault in ("ratelimited", "server_error"):
                self._core.note_call(app.id, method, args, fault)
                return _refusal(fault)
            answer: Answer = {"ok": True} | await METHODS[method](Call(self._core, app, dict(args)))
        except ApiError as error:
            self._core.note_call(app.id, method, args, error.code)
            return _failure(error)
        except StoreUnavailable as error:
            # A full or read-only disk: Slack's word for "our side, nothing happened".
            self._core.note_call(app.id, method, args, "internal_error")
            return _failure(ApiError("internal_error", str(error)))
        self._core.note_call(app.id, method, args, fault)
        if fault == "lose_response" and request.transport is not None:
            # What was asked for has happened; the app learns of it only by looking.
            request.transport.abort()
        return web.json_response(answer)

    def _fault(self, method: str) -> str:
        """The fault that strikes this call, or ``ok``; an error code set by a test is raised as Slack's answer."""
        fault = self._core.faults.of_call(method)
        if fault not in ("ok", "lose_response", "ratelimited", "server_error"):
            raise ApiError(fault)
        return fault

    def _authorise(self, method: str, token: str) -> App:
        if method not in METHODS:
            raise ApiError("unknown_method", req_method=method)
        if method in NO_TOKEN_METHODS and not token:
            return _ANONYMOUS
        if not token:
            raise ApiError("not_authed")
        found = self._core.directory.app_by_token(token)
        if found is None:
            raise ApiError("invalid_auth")
        app, kind = found
        wants_app_token = method in APP_TOKEN_METHODS
        if (kind == "app") != wants_app_token and method not in NO_TOKEN_METHODS | {"auth.test"}:
            raise ApiError("not_allowed_token_type")
        if kind == "bot" and self._core.faults.token_revoked:
            raise ApiError("token_revoked")
        return app


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Arguments from the address and the body, JSON or form. Raises `ApiError` for what cannot be read."""
    args: dict[str, Any] = dict(request.query)
    kind = request.content_type
    try:
        if kind == "application/json":
            given = jsonsafe.loads((await request.read()).decode() or "{}")
            if not isinstance(given, dict):
                raise ApiError("json_not_object")
            args |= given
        elif kind == "application/x-www-form-urlencoded":
            args |= dict(parse_qsl((await request.read()).decode(), keep_blank_values=True, errors="strict"))
        elif kind == "multipart/form-data":
            args |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    except UnicodeDecodeError as error:
        raise ApiError("invalid_charset") from error
    except ValueError as error:
        raise ApiError("invalid_json" if kind == "application/json" else "invalid_form_data") from error
    return {key: value for key, value in args.items() if value is not None}


def _token(request: web.Request, args: dict[str, Any]) -> str:
    """The token, from the header or the arguments; it is taken out of these, so that no log holds it."""
    in_args = args.pop("token", "")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return in_args if isinstance(in_args, str) else ""


def _refusal(fault: str) -> web.Response:
    if fault == "ratelimited":
        limited = {"ok": False, "error": "ratelimited"}
        return web.json_response(limited, status=429, headers={"Retry-After": _RETRY_AFTER})
    return web.Response(status=503, text="Service Unavailable")


def _failure(error: ApiError) -> web.Response:
    answer: Answer = {"ok": False, "error": error.code, **error.extra}
    if error.messages:
        answer["response_metadata"] = {"messages": list(error.messages)}
    return web.json_response(answer)

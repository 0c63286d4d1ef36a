// Calls to the workspace server. The header keeps other sites' forms out; errors carry the server's code.

export class ApiError extends Error {
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const PATIENCE_MS = 15_000;

async function call(path, init) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  } catch (cause) {
    if (cause.name === "TimeoutError") throw new ApiError("timeout", "The workspace did not answer in time.", 0);
    throw new ApiError("unreachable", "The workspace cannot be reached. Is it still running?", 0);
  }
  let body = null;
  try { body = await response.json(); } catch { /* judged below by status */ }
  if (!response.ok) {
    const code = body?.error ?? `http_${response.status}`;
    throw new ApiError(code, body?.message ?? WORDS[code] ?? `The workspace refused this (${code}).`, response.status);
  }
  return body ?? {};
}

/** What an action's `ok: false` means to the person who clicked. */
export const WORDS = {
  timeout: "The app did not answer in time. Please try again.",
  no_app: "No app is connected, so nothing happened. Start the app and try again.",
  no_text: "There is nothing to send.",
  msg_too_long: "This message is too long: 40,000 characters at most.",
  not_in_channel: "You are not in this conversation.",
  channel_not_found: "This conversation does not exist, or you are not in it.",
  message_not_found: "This message no longer exists.",
  cant_update_message: "Only your own messages can be edited.",
  cant_delete_message: "Only your own messages can be deleted.",
  is_archived: "This channel is archived.",
  view_not_found: "This window is already closed.",
};

export const wordsFor = (code) => WORDS[code] ?? `The app refused this (${code}).`;

export class Api {
  constructor(me) { this.me = me; }

  get(path, params = {}) {
    const query = new URLSearchParams();
    if (this.me) query.set("as", this.me);
    for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== null) query.set(name, value);
    return call(`/page/${path}?${query}`, { headers: { "X-Workspace": "page" } });
  }

  post(path, body = {}) {
    return call(`/page/${path}`, {
      method: "POST",
      headers: { "X-Workspace": "page", "Content-Type": "application/json" },
      body: JSON.stringify({ as: this.me, ...body }),
    });
  }
}

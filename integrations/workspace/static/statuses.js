// Typing statuses: that an app is at work on a message ("Handrail is looking this up…"). The server says when one ends.
import { el } from "./dom.js";

export class Statuses {
  constructor() { this.load([]); }

  load(statuses) {
    this.shown = new Map();
    for (const status of statuses) this.put(status);
  }

  /** An empty text takes a status down. The one set last is the last of the map. */
  put(status) {
    const key = `${status.channel}/${status.thread_ts}/${status.user}`;
    this.shown.delete(key);
    if (status.text) this.shown.set(key, status);
  }

  /** The newest status of a thread, or of any thread of the conversation that `fits`. */
  newest(channel, fits) {
    return [...this.shown.values()].findLast((status) => status.channel === channel && fits(status.thread_ts)) ?? null;
  }
}

/** Its words, without an ellipsis of its own: the page draws a moving one. */
export const wordsOf = (status, names) => `${names.person(status.user)?.label ?? "An app"} ${status.text.replace(/\s*(?:…|\.{2,})\s*$/u, "")}`;

export function statusLine(status, names) {
  const dot = () => el("span", { class: "status-dot" }, ".");
  return el("span", { class: "status" }, el("bdi", { class: "status-text" }, wordsOf(status, names)), el("span", { class: "status-dots", "aria-hidden": "true" }, dot(), dot(), dot()));
}

// A scrolling list of messages (a conversation or a thread): keyed redraw, day separators, groups, keyboard, staying at the end.
import { el } from "./dom.js";
import { rememberFocus, restoreFocus } from "./form.js";
import { renderMessage } from "./message.js";
import { icon } from "./icons.js";
import { day, dayKey } from "./time.js";

const GROUP_SECONDS = 300;
const NEAR_END = 60;
const NEAR_START = 300;

export class MessagePane {
  /** `host` as in message.js, plus: loadOlder() → Promise, editorFor(message) → node|null, statusOf(message) → status|null, seen(). */
  constructor(host, { label, rootTs = null, intro = null }) {
    this.host = host;
    this.rootTs = rootTs;
    this.inThread = rootTs !== null;
    this.intro = intro;
    this.rows = new Map();             // key → {node, message, shape, form}
    this.expanded = new Set();
    this.stuck = true;
    this.loading = false;
    this.list = el("section", { class: "messages", "aria-label": label });
    this.scroller = el("div", { class: "scroller" }, this.inThread ? null : el("h2", { class: "sr-only" }, label), this.list);
    this.jump = el("button", { class: "jump", type: "button", hidden: true, onclick: () => this.toEnd(true) }, "Newest messages", icon("down", { size: 14 }));
    this.node = el("div", { class: "pane" }, this.scroller, this.jump);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("focusin", (event) => this.#focused(event));
    this.resize = new ResizeObserver(() => { if (this.stuck) this.toEnd(); });
    this.resize.observe(this.list);
    this.resize.observe(this.scroller);
  }

  destroy() { this.resize.disconnect(); }

  /** messages oldest first; `firstNew` is the ts after which the "New" line stands, or null. */
  draw(messages, { hasMore = false, firstNew = null } = {}) {
    this.messages = messages;
    this.hasMore = hasMore;
    this.firstNew = firstNew;
    const wanted = [];
    if (!hasMore && this.intro) wanted.push(["intro", () => this.intro()]);
    if (hasMore) wanted.push(["more", () => el("div", { class: "loading-older", role: "status" }, "Loading earlier messages…")]);
    this.#plan(messages, firstNew, wanted);
    const focus = rememberFocus(this.list);
    // Only a focus inside this list is kept: a thread and its conversation show the same first message.
    const held = this.list.contains(document.activeElement) ? document.activeElement.closest(".msg") : null;
    const focusedTs = held?.dataset.ts ?? null;
    const holdTop = this.#anchor();
    this.#place(wanted);
    if (this.stuck) this.toEnd(); else holdTop();
    this.#roving(focusedTs, focus);
  }

  #plan(messages, firstNew, wanted) {
    let before = null;
    // The line stands only where it is true: not above the first loaded message when there are earlier ones.
    let marked = firstNew === null || (this.hasMore && Number(messages[0]?.ts) > Number(firstNew));
    for (const message of messages) {
      const newDay = !before || dayKey(before.ts) !== dayKey(message.ts);
      if (newDay && !this.inThread) wanted.push([`day-${dayKey(message.ts)}`, () => separator(day(message.ts), "day")]);
      const newLine = !marked && Number(message.ts) > Number(firstNew) && message.user !== this.host.names.me;
      if (newLine) { marked = true; wanted.push(["new", () => separator("New", "new")]); }
      const compact = Boolean(before) && !newDay && !newLine && sameGroup(before, message) && !this.host.statusOf(before);
      wanted.push([message.ts, null, message, compact]);
      if (message.ts === this.rootTs) {
        const count = message.reply_count ?? messages.length - 1;
        wanted.push([`replies-${count}`, () => separator(repliesText(count), "replies")]);
      }
      before = message;
    }
  }

  #place(wanted) {
    const keys = new Set(wanted.map(([key]) => key));
    for (const [key, row] of this.rows) if (!keys.has(key)) { row.node.remove(); this.rows.delete(key); }
    const rows = wanted.map(([key, make, message, compact]) => (message ? this.#messageRow(key, message, compact) : this.#otherRow(key, make)));
    let cursor = this.list.firstChild;
    for (const { node } of rows) {
      if (node === cursor) cursor = cursor.nextSibling;
      else this.list.insertBefore(node, cursor);
    }
  }

  #otherRow(key, make) {
    if (!this.rows.has(key)) this.rows.set(key, { node: make() });
    return this.rows.get(key);
  }

  #messageRow(key, message, compact) {
    const old = this.rows.get(key);
    const editor = this.host.editorFor(message);
    const expanded = this.expanded.has(key);
    const status = this.host.statusOf(message);
    const shape = `${compact}/${expanded}/${Boolean(editor)}`;
    if (old && old.message === message && old.shape === shape && old.status === status) return old;
    const { node, form } = renderMessage(message, { compact, editor, inThread: this.inThread, expanded, status }, this.#hostFor());
    const row = { node, form, message, shape, status };
    if (old) {
      if (old.form) form.restore(old.form.snapshot());
      old.node.replaceWith(node);
    }
    this.rows.set(key, row);
    return row;
  }

  #hostFor() {
    this.messageHost ??= Object.assign(Object.create(this.host), { expand: (message) => { this.expanded.add(message.ts); this.draw(this.messages, this); this.focusMessage(message.ts); } });
    return this.messageHost;
  }

  /** Keeps what is being read in its place when something above it changes. */
  #anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    const first = [...this.list.querySelectorAll(".msg")].find((node) => node.getBoundingClientRect().bottom > top);
    if (!first) return () => {};
    const { ts } = first.dataset;
    const offset = first.getBoundingClientRect().top;
    return () => {
      const now = this.rows.get(ts)?.node;
      if (now?.isConnected) this.scroller.scrollTop += now.getBoundingClientRect().top - offset;
    };
  }

  #roving(focusedTs, focus) {
    const node = focusedTs ? this.rows.get(focusedTs)?.node : null;
    const current = node ?? this.list.querySelector(".msg[tabindex='0']") ?? [...this.list.querySelectorAll(".msg")].at(-1);
    for (const other of this.list.querySelectorAll(".msg[tabindex='0']")) if (other !== current) setReach(other, false);
    if (current) setReach(current, true);
    if (node && !node.contains(document.activeElement)) {
      if (!restoreFocus(node, focus)) node.focus({ preventScroll: true });
    }
  }

  #focused(event) {
    const node = event.target.closest(".msg");
    if (!node || node.tabIndex === 0) return;
    for (const other of this.list.querySelectorAll(".msg[tabindex='0']")) setReach(other, false);
    setReach(node, true);
  }

  focusMessage(ts) {
    const node = this.rows.get(ts)?.node;
    node?.focus();
    node?.scrollIntoView({ block: "nearest" });
  }

  flash(ts) {
    const node = this.rows.get(ts)?.node;
    if (!node) return;
    this.stuck = false;
    node.scrollIntoView({ block: "center" });
    node.classList.add("msg-flash");
    node.addEventListener("animationend", () => node.classList.remove("msg-flash"), { once: true });
  }

  toEnd(smooth = false) {
    this.stuck = true;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "instant" });
    this.jump.hidden = true;
  }

  get atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  async #scrolled() {
    this.stuck = this.atEnd;
    this.jump.hidden = this.stuck;
    if (this.stuck) this.host.seen?.();
    if (!this.hasMore || this.loading || this.scroller.scrollTop > NEAR_START) return;
    this.loading = true;
    try { await this.host.loadOlder(); } finally { this.loading = false; }
  }

  #key(event) {
    const node = event.target;
    if (!node.classList?.contains("msg") || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...this.list.querySelectorAll(".msg")];
    const at = all.indexOf(node);
    const message = this.rows.get(node.dataset.ts)?.message;
    const go = (index) => { event.preventDefault(); all[Math.min(Math.max(index, 0), all.length - 1)].focus(); };
    const tool = (name) => { const button = node.querySelector(`[data-tool="${name}"]`); if (button) { event.preventDefault(); button.click(); } };
    const keys = {
      ArrowUp: () => go(at - 1), ArrowDown: () => go(at + 1), Home: () => go(0), End: () => go(all.length - 1),
      Enter: () => { event.preventDefault(); if (message && !this.inThread && !message.ephemeral) this.host.openThread(message); },
      t: () => tool("reply"), r: () => tool("smile"), e: () => tool("edit"), Delete: () => tool("trash"), l: () => tool("link"),
    };
    keys[event.key]?.();
  }
}

/** Only the message that Tab reaches lets Tab into its tools: else every message would cost five stops. */
function setReach(node, on) {
  node.tabIndex = on ? 0 : -1;
  for (const tool of node.querySelectorAll(".tool")) tool.tabIndex = on ? 0 : -1;
}

const sameGroup = (before, message) => before.user === message.user && Boolean(before.ephemeral) === Boolean(message.ephemeral) && !before.reply_count
  && !before.subtype?.startsWith("channel_") && Number(message.ts) - Number(before.ts) < GROUP_SECONDS;

const repliesText = (count) => (count === 0 ? "No replies yet" : `${count} ${count === 1 ? "reply" : "replies"}`);

function separator(text, kind) {
  return el("div", { class: `separator separator-${kind}`, role: "separator", "aria-label": text }, el("span", { "aria-hidden": "true" }, text));
}

// One open list of messages (a conversation, or a thread of it): loads it, keeps it, edits, reacts, and draws it in a MessagePane.
import { ApiError } from "./api.js";
import { Composer } from "./composer.js";
import { ask } from "./dialog.js";
import { el, replace } from "./dom.js";
import { emojiFor, QUICK } from "./emoji.js";
import { asTyped } from "./inline.js";
import { landmarkOf, place } from "./menu.js";
import { summary } from "./message.js";
import { MessagePane } from "./pane.js";
import { MessageList, route } from "./state.js";
import { statusLine } from "./statuses.js";
import { toast } from "./toast.js";
import { confirmWith } from "./views.js";

const PAGE = 50;
const MOST = 500;                     // a channel that is flooded while it is open does not grow without end

export class Feed {
  /** session: api, names, statuses, drafts, act(), openThread(); `threadTs` makes it a thread. */
  constructor(session, channel, { threadTs = null, label, placeholder, intro = null, onSeen = null }) {
    this.session = session;
    this.channel = channel;
    this.threadTs = threadTs;
    this.editing = null;
    this.firstNew = null;
    this.list = new MessageList(() => this.draw());
    this.pane = new MessagePane(this.#host(onSeen), { label, rootTs: threadTs, intro });
    this.tail = threadTs !== null || Boolean(channel.app);
    this.status = el("div", { class: "status-slot", role: "status", "aria-live": "polite", hidden: !this.tail });
    this.node = [this.pane.node, this.status];
    this.composer = new Composer({
      names: session.names, label: placeholder, placeholder, drafts: session.drafts, draftKey: `${session.names.me}/${channel.id}/${threadTs ?? ""}`,
      onSend: (text) => this.#send(text), onUp: () => this.#editLast(),
    });
  }

  destroy() {
    this.closed = true;
    this.pane.destroy();
  }

  #host(onSeen) {
    const { session } = this;
    return {
      names: session.names,
      confirm: (object) => confirmWith(session.names)(object),
      act: (message, blockId, action, form) => session.act({ channel: this.channel.id, message_ts: message.ts }, blockId, action, form),
      openThread: (message) => session.openThread(this.channel.id, message.thread_ts ?? message.ts),
      react: (message, name, mine) => this.#tell(() => session.api.post("react", { channel: this.channel.id, ts: message.ts, name, remove: Boolean(mine) })),
      pickReaction: (message, anchor) => this.#pick(message, anchor),
      edit: (message) => this.#edit(message.ts),
      remove: (message) => this.#remove(message),
      copyLink: (message) => this.#copy(message),
      dismiss: (message) => this.list.remove(message.ts),
      statusOf: (message) => (this.threadTs ? null : this.#statusUnder(message)),
      editorFor: (message) => (message.ts === this.editing ? this.#editor(message) : null),
      loadOlder: () => this.loadOlder(),
      seen: () => onSeen?.(),
    };
  }

  async load() {
    this.meanwhile = [];                // live changes that come in while the page loads are newer than it
    const query = { channel: this.channel.id, limit: this.threadTs ? 200 : PAGE, thread_ts: this.threadTs };
    const { messages, has_more: more } = await this.session.api.get("messages", query);
    if (this.closed) return;
    this.list.reset(messages.map(normal), Boolean(more));
    const replay = this.meanwhile;
    this.meanwhile = null;
    for (const change of replay ?? []) change();
  }

  async loadOlder() {
    const before = this.list.sorted.find((message) => !message.ephemeral && message.ts !== this.threadTs)?.ts;
    try {
      const { messages, has_more: more } = await this.session.api.get("messages", { channel: this.channel.id, before, limit: PAGE, thread_ts: this.threadTs });
      if (this.closed) return;
      this.list.hasMore = Boolean(more) && messages.length > 0;
      this.list.merge(messages.map(normal));
    } catch (error) {
      toast(error.message, "error");
    }
  }

  /** Goes to a message of this list, loading earlier pages until it is there. */
  async show(ts) {
    for (let pages = 0; !this.list.get(ts) && this.list.hasMore && pages < 40; pages += 1) await this.loadOlder();
    this.draw();
    if (this.list.get(ts)) this.pane.flash(ts);
  }

  put(message) {
    this.#live(() => this.list.merge([normal(message)]));
    if (this.list.size > MOST && !this.threadTs && this.pane.stuck && !this.editing) this.list.keepNewest(MOST / 2);
  }

  replaceKnown(message) { this.#live(() => { if (this.list.get(message.ts)) this.list.merge([normal(message)]); }); }
  drop(ts) { this.#live(() => this.list.remove(ts)); }

  #live(change) {
    this.meanwhile?.push(change);
    change();
  }

  draw() {
    if (this.closed) return;
    this.pane.draw(this.list.sorted, { hasMore: this.list.hasMore, firstNew: this.firstNew });
    this.#drawStatus();
  }

  /** A status stands at the end of the thread it belongs to. The top level of a direct conversation is one too; in a
      channel, and where a message already has a thread, it also stands under that message. */
  #statusUnder(message) {
    return this.#standsAtEnd(message.ts) ? null : this.session.statuses.newest(this.channel.id, (ts) => ts === message.ts);
  }

  #standsAtEnd(threadTs) {
    if (this.threadTs) return threadTs === this.threadTs;
    return this.tail && !this.list.get(threadTs)?.reply_count;
  }

  #drawStatus() {
    const status = this.session.statuses.newest(this.channel.id, (ts) => this.#standsAtEnd(ts));
    if (status === this.shownStatus) return;
    this.shownStatus = status;
    replace(this.status, status ? statusLine(status, this.session.names) : null);
  }

  async #tell(work) {
    try {
      return await work();
    } catch (error) {
      toast(error instanceof ApiError ? error.message : "That did not work.", "error");
      throw error;
    }
  }

  async #send(text) {
    this.pane.stuck = true;
    await this.#tell(() => this.session.api.post("post", { channel: this.channel.id, text, thread_ts: this.threadTs ?? undefined }));
    this.pane.toEnd();
  }

  #edit(ts) {
    this.editing = ts;
    this.editComposer = null;
    this.draw();
    this.editComposer?.focus();
  }

  #editLast() {
    const last = this.list.sorted.findLast((message) => message.user === this.session.names.me && !message.ephemeral && !message.subtype);
    if (last) this.#edit(last.ts);
  }

  #editor(message) {
    this.editComposer ??= new Composer({
      names: this.session.names, label: "Edit message", placeholder: "", text: asTyped(message.text, this.session.names), action: "Save",
      onCancel: () => this.#stopEditing(),
      onSend: async (text) => {
        await this.#tell(() => this.session.api.post("edit", { channel: this.channel.id, ts: message.ts, text }));
        this.#stopEditing();
      },
    });
    return this.editComposer.node;
  }

  #stopEditing() {
    const ts = this.editing;
    this.editing = null;
    this.editComposer = null;
    this.draw();
    if (ts === this.list.sorted.findLast((message) => message.user === this.session.names.me)?.ts) this.composer.focus();
    else this.pane.focusMessage(ts);
  }

  async #remove(message) {
    const sure = await ask({ title: "Delete this message?", yes: "Delete", danger: true, text: el("blockquote", { class: "quote" }, summary(message, this.session.names).slice(0, 200) || "This message") });
    if (sure) await this.#tell(() => this.session.api.post("delete", { channel: this.channel.id, ts: message.ts })).catch(() => {});
  }

  async #copy(message) {
    const { names } = this.session;
    const hash = this.threadTs ? route({ me: names.me, channel: this.channel.id, thread: this.threadTs }) : route({ me: names.me, channel: this.channel.id, message: message.ts });
    try {
      await navigator.clipboard.writeText(new URL(hash, location.href).href);
      toast("Link copied");
    } catch { toast("The browser did not allow copying.", "error"); }
  }

  #pick(message, anchor) {
    const popover = el("div", { class: "menu emoji-grid", popover: "auto", role: "dialog", "aria-label": "Add a reaction" });
    for (const name of QUICK) {
      popover.append(el("button", { class: "emoji-choice", type: "button", "aria-label": name.replaceAll("_", " "), title: `:${name}:`, onclick: () => {
        popover.hidePopover();
        const mine = message.reactions?.find((reaction) => reaction.name === name)?.users?.includes(this.session.names.me);
        this.#tell(() => this.session.api.post("react", { channel: this.channel.id, ts: message.ts, name, remove: Boolean(mine) })).catch(() => {});
      } }, emojiFor(name)));
    }
    popover.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = [...popover.children];
      all[Math.min(Math.max(all.indexOf(document.activeElement) + step, 0), all.length - 1)].focus();
    });
    popover.addEventListener("toggle", (event) => { if (event.newState === "closed") { popover.remove(); if (document.activeElement === document.body) this.pane.focusMessage(message.ts); } });
    landmarkOf(anchor).append(popover);
    popover.showPopover();
    place(popover, anchor, "end");
    popover.firstChild.focus();
  }
}

/** One name for "only visible to you", whatever the server calls it. */
const normal = (message) => (message.is_ephemeral && !message.ephemeral ? { ...message, ephemeral: true } : message);

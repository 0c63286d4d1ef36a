// Everything of one acting person: their state, live events, the open conversation and thread, modals.
import { Api, wordsFor } from "./api.js";
import { Conversation, Thread } from "./conversation.js";
import { EventStream } from "./events.js";
import { MailView } from "./mail.js";
import { summary } from "./message.js";
import { Rail } from "./rail.js";
import { Directory, MAIL, parseRoute, route } from "./state.js";
import { Statuses, wordsOf } from "./statuses.js";
import { openHelp, openSwitcher } from "./switcher.js";
import { announce, clearAnnouncements, toast } from "./toast.js";
import { Modals } from "./views.js";

const DRAFTS = new Map();                 // unsent text, for as long as this page lives

export class Session {
  /** roots: {rail, main, thread, offline}; drawer: {open, close} */
  constructor(me, roots, drawer) {
    this.roots = roots;
    this.drawer = drawer;
    this.api = new Api(me);
    this.names = new Directory();
    this.names.me = me;
    this.statuses = new Statuses();
    this.drafts = DRAFTS;
    this.rail = new Rail(roots.rail, this.names, { showHelp: openHelp, showJump: () => openSwitcher(this.names), closeDrawer: () => drawer.close() });
    this.modals = new Modals(this);
    this.stream = new EventStream(me, { onOpen: () => this.#reload(), onEvent: (event) => this.#on(event), onDown: () => this.#offline(true) });
  }

  start() { this.stream.start(); }

  stop() {
    this.stopped = true;
    this.stream.stop();
    clearAnnouncements();
    this.modals.sync([]);
    this.conversation?.destroy();
    this.thread?.destroy();
  }

  openDrawer() { this.drawer.open(); }

  // --- state -------------------------------------------------------------

  async #reload() {
    const state = await this.api.get("state");
    if (this.stopped) return;
    this.names.load(state);
    this.statuses.load(state.statuses);
    this.loaded = true;
    this.#offline(false);
    this.drawRail();
    await this.navigate(parseRoute(location.hash), true);
    const { views } = await this.api.get("views");
    if (!this.stopped) this.modals.sync(views);
  }

  #offline(down) {
    if (this.stopped) return;
    this.roots.offline.hidden = !down;
    this.roots.offline.textContent = down ? "The workspace cannot be reached. Trying again…" : "";
  }

  drawRail() {
    this.rail.draw(this.conversation?.channel.id ?? null);
    const unread = this.names.channels().reduce((sum, channel) => sum + (channel.kind === "im" ? channel.unread : channel.mentions) || sum, 0);
    const place = this.conversation?.channel.title;
    document.title = `${unread ? `(${unread}) ` : ""}${place ? `${place} · ` : ""}${this.names.team.name}`;
  }

  // --- where we are --------------------------------------------------------

  /** Shows what the address says; `fresh` loads again what is already open (after a reconnect). */
  async navigate(where, fresh = false) {
    if (!this.loaded) return;
    if (where.channel === MAIL) { await this.#openMail(); return; }
    const channel = this.names.channel(where.channel) ?? this.#firstChannel();
    if (!channel) return;
    if (where.channel !== channel.id) {
      if (where.channel) toast(`${this.names.myself()?.label ?? "This person"} is not in that conversation.`);
      history.replaceState(null, "", route({ me: this.names.me, channel: channel.id }));
      return this.navigate({ ...where, channel: channel.id, tab: "messages", thread: null, message: null }, fresh);
    }
    try {
      await this.#openChannel(channel, where, fresh);
      await this.#openThreadPane(channel, where.thread, fresh);
      if (where.message) await this.conversation.feed?.show(where.message);
    } catch (error) {
      if (!this.stopped) toast(error.message, "error");
    }
  }

  #firstChannel() {
    const all = this.names.channels();
    return all.find((channel) => channel.app) ?? all[0] ?? null;
  }

  async #openMail() {
    try {
      if (!(this.conversation instanceof MailView)) {
        this.conversation?.destroy();
        this.conversation = new MailView(this.roots.main, this);
        this.drawRail();
        if (!document.querySelector("dialog[open]")) this.conversation.focus();
      }
      await this.#openThreadPane(this.conversation.channel, null);
      await this.conversation.load();
    } catch (error) {
      if (!this.stopped) toast(error.message, "error");
    }
  }

  async #openChannel(channel, where, fresh) {
    const open = this.conversation;
    const same = open?.channel.id === channel.id && open.tab === where.tab;
    if (!same) {
      open?.destroy();
      this.conversation = new Conversation(this.roots.main, this, channel, where.tab);
      this.drawRail();
      if (this.focusTab) { this.focusTab = false; this.roots.main.querySelector("[role='tab'][aria-selected='true']")?.focus(); }
      else if (!matchMedia("(max-width: 760px)").matches && !document.querySelector("dialog[open]")) this.conversation.feed?.composer.focus();
    } else {
      open.channel = channel;
    }
    if (!same || fresh) await this.#fill();
  }

  async #fill() {
    const { conversation } = this;
    if (conversation.home) {
      const { view } = await this.api.post("home", { app: conversation.channel.app.id });
      if (this.conversation === conversation) conversation.home.show(view);
      return;
    }
    await conversation.feed.load();
    this.markSeen();
    if (conversation.channel.app) this.api.post("home", { app: conversation.channel.app.id, tab: "messages" }).catch(() => { /* only tells the app that its tab was opened */ });
  }

  async #openThreadPane(channel, ts, fresh) {
    if (this.thread && (this.thread.ts !== ts || this.thread.channel.id !== channel.id)) { this.thread.destroy(); this.thread = null; }
    document.getElementById("app").classList.toggle("with-thread", Boolean(ts));
    if (!ts) return;
    const known = Boolean(this.thread);
    this.thread ??= new Thread(this.roots.thread, this, channel, ts);
    if (!known) this.thread.feed.composer.focus();
    if (!known || fresh) await this.thread.feed.load();
  }

  openThread(channel, ts) { location.hash = route({ me: this.names.me, channel, thread: ts }); }

  closeThread() {
    const { ts, channel } = this.thread;
    location.hash = route({ me: this.names.me, channel: channel.id });
    this.conversation?.feed?.pane.focusMessage(ts);
  }

  step(by) {
    const links = [...this.roots.rail.querySelectorAll(".rail-item")];
    const at = links.findIndex((node) => node.getAttribute("aria-current") === "page");
    links[(at + by + links.length) % links.length]?.click();
  }

  // --- acting ----------------------------------------------------------------

  /** Clicks something of an app. True when the app took it in time; else the person is told. */
  async act(place, blockId, action, form) {
    try {
      const answer = await this.api.post("action", { ...place, block_id: blockId, action, state: { values: form.values() } });
      if (!answer.ok) toast(wordsFor(answer.error), "error");
      return Boolean(answer.ok);
    } catch (error) {
      toast(error.message, "error");
      return false;
    }
  }

  /** Tells the server how far the open conversation was read: only what is on the screen counts. */
  markSeen() {
    const { channel, feed } = this.conversation ?? {};
    if (!feed || document.hidden || !feed.pane.atEnd) return;
    const newest = feed.list.sorted.findLast((message) => !message.ephemeral);
    if (!newest || (!channel.unread && !channel.mentions) || this.marked === `${channel.id}/${newest.ts}`) return;
    this.marked = `${channel.id}/${newest.ts}`;
    this.#unread({ channel: channel.id, unread: 0, mentions: 0 });
    this.api.post("mark", { channel: channel.id, ts: newest.ts }).catch(() => { this.marked = null; });
  }

  // --- live events -------------------------------------------------------------

  #on(event) {
    if (!this.loaded) return;               // the state that is being loaded contains it
    const handlers = {
      message: () => this.#message(event.message), ephemeral: () => this.#message({ ...event.message, ephemeral: true }),
      message_changed: () => this.#feeds(event.message.channel).forEach((feed) => feed.replaceKnown(event.message)),
      message_deleted: () => this.#feeds(event.channel).forEach((feed) => feed.drop(event.ts)),
      channel: () => this.#channel(event.channel), status: () => this.#status(event.status), unread: () => this.#unread(event),
      mail: () => this.#mail(event.unread), views: () => this.modals.sync(event.views), home: () => { if (!event.app || event.app === this.conversation?.channel.app?.id) this.conversation?.home?.show(event.view); },
    };
    handlers[event.type]?.();
  }

  #feeds(channel) {
    return [this.conversation, this.thread].filter((part) => part?.channel.id === channel && part.feed).map((part) => part.feed);
  }

  #message(message) {
    const reply = message.thread_ts && message.thread_ts !== message.ts;
    const inConversation = this.conversation?.channel.id === message.channel;
    if (inConversation && (!reply || message.subtype === "thread_broadcast")) this.conversation.feed?.put(message);
    if (inConversation && reply && message.ephemeral && this.thread?.ts !== message.thread_ts) this.openThread(message.channel, message.thread_ts);
    if (reply && this.thread?.channel.id === message.channel && this.thread.ts === message.thread_ts) this.thread.feed.put(message);
    if (!this.names.channel(message.channel)) this.#reloadState();
    this.#announce(message);
    queueMicrotask(() => this.markSeen());
  }

  #announce(message) {
    if (message.user === this.names.me) return;
    const author = this.names.person(message.user)?.label ?? "Someone";
    const where = this.names.channel(message.channel)?.title ?? "a conversation";
    announce(`${author} in ${where}: ${summary(message, this.names).slice(0, 300)}`);
  }

  #mail(unread) {
    const more = unread > this.names.mail.unread;
    this.names.mail.unread = unread;
    this.drawRail();
    if (!more) return;
    announce("New mail");
    if (this.conversation instanceof MailView) this.#openMail();
  }

  #status(status) {
    this.statuses.put(status);
    for (const feed of this.#feeds(status.channel)) feed.draw();
    // At the end of a list the line is a live region; the one under a message is drawn anew with it.
    const { channel, feed } = this.conversation ?? {};
    const inChannel = channel?.id === status.channel && feed && !channel.app;
    if (status.text && inChannel && this.thread?.ts !== status.thread_ts) announce(`${wordsOf(status, this.names)}.`);
  }

  async #reloadState() {
    try {
      this.names.load(await this.api.get("state"));
      if (!this.stopped) this.drawRail();
    } catch { /* the stream is lost too, and loads the state when it is back */ }
  }

  #channel(channel) {
    const id = typeof channel === "string" ? channel : channel.id;
    if (typeof channel === "string" || !this.names.channel(id)) { this.#reloadState(); return; }
    const known = this.names.setChannel(channel);
    if (this.conversation?.channel.id === id) { this.conversation.channel = known; this.conversation.drawHead(); }
    this.drawRail();
  }

  #unread({ channel, unread, mentions }) {
    if (!this.names.channel(channel)) { this.#reloadState(); return; }
    const known = this.names.setChannel({ id: channel, unread, mentions });
    if (this.conversation?.channel.id === channel) this.conversation.channel = known;
    this.drawRail();
    if (unread) { this.marked = null; queueMicrotask(() => this.markSeen()); }
  }
}

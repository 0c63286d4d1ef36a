// The middle: header, tabs of an app (Home, Messages), the conversation and its composer.
import { el, replace } from "./dom.js";
import { avatar, badges, roleName } from "./avatar.js";
import { Feed } from "./feed.js";
import { Home } from "./home.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { route } from "./state.js";

export class Conversation {
  constructor(root, session, channel, tab) {
    Object.assign(this, { root, session, channel, tab });
    this.person = channel.kind === "im" ? session.names.person(channel.peer) : null;
    this.head = el("header", { class: "head" });
    this.drawHead();
    if (tab === "home" && channel.app) {
      this.home = new Home(session, channel.app);
      replace(root, this.head, this.home.node);
    } else {
      this.feed = new Feed(session, channel, {
        label: `Messages in ${channel.title}`, placeholder: `Message ${channel.title}`, intro: () => this.#intro(), onSeen: () => session.markSeen(),
      });
      this.feed.firstNew = channel.unread > 0 ? channel.last_read ?? "0" : null;
      const panel = el("div", { class: "panel", role: channel.app ? "tabpanel" : null, id: "panel-messages", "aria-labelledby": channel.app ? "tab-messages" : null }, this.feed.node, this.feed.composer.node);
      replace(root, this.head, panel);
    }
  }

  destroy() { this.feed?.destroy(); }

  drawHead() {
    const { channel, person } = this;
    const members = channel.members ?? [];
    const drawer = el("button", { class: "btn btn-quiet btn-icon drawer-button", type: "button", "aria-label": "Open conversations", onclick: () => this.session.openDrawer() }, icon("menu"));
    const title = person
      ? el("h1", { class: "head-title" }, avatar(person, "m"), el("bdi", {}, person.label), badges(person))
      : el("h1", { class: "head-title" }, icon(channel.kind === "private" ? "lock" : "hash", { size: 18 }), el("bdi", {}, channel.name));
    const note = person ? person.title || roleName(person) : channel.topic;
    const people = el("button", { class: "btn btn-quiet head-people", type: "button", "aria-haspopup": "menu", "aria-label": `${members.length} members`, title: "Members", onclick: () => this.#members(people) }, icon("people", { size: 16 }), String(members.length));
    replace(this.head, el("div", { class: "head-row" }, drawer, title, note ? el("p", { class: "head-note" }, el("bdi", {}, note)) : null, channel.kind === "im" ? null : people),
      channel.app ? this.#tabs() : null);
  }

  #tabs() {
    const tab = (name, label) => el("a", {
      class: "tab", role: "tab", id: `tab-${name}`, "aria-selected": String(this.tab === name), "aria-controls": this.tab === name ? `panel-${name}` : null, tabindex: this.tab === name ? 0 : -1,
      href: route({ me: this.session.names.me, channel: this.channel.id, tab: name }),
    }, label);
    const list = el("div", { class: "tabs", role: "tablist", "aria-label": this.channel.title }, tab("home", "Home"), tab("messages", "Messages"));
    list.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      event.preventDefault();
      const other = [...list.children].find((node) => node !== event.target.closest(".tab"));
      this.session.focusTab = true;                    // the header is drawn again: the focus follows to the new tab
      other.click();
    });
    return list;
  }

  #members(anchor) {
    const items = (this.channel.members ?? []).map((id) => this.session.names.person(id)).filter(Boolean).map((person) => ({
      node: [avatar(person, "m"), el("span", { class: "menu-label" }, el("bdi", {}, person.label), person.title ? el("span", { class: "menu-hint" }, person.title) : null), badges(person)],
    }));
    openMenu(anchor, items, { label: "Members", align: "end" });
  }

  #intro() {
    const { channel, person } = this;
    const mark = person ? avatar(person, "l") : el("span", { class: "intro-mark" }, icon(channel.kind === "private" ? "lock" : "hash", { size: 26 }));
    const text = person
      ? (channel.app ? `This is your conversation with ${person.label}. Only you and the app see it.` : `This is your conversation with ${person.label}. Only the two of you see it.`)
      : `This is the start of #${channel.name}.${channel.topic ? ` ${channel.topic}.` : ""}`;
    return el("div", { class: "intro" }, mark, el("h2", { class: "intro-title" }, person ? person.label : `#${channel.name}`), el("p", {}, text));
  }
}

/** The pane on the right with one thread. */
export class Thread {
  constructor(root, session, channel, ts) {
    Object.assign(this, { root, session, channel, ts });
    this.feed = new Feed(session, channel, { threadTs: ts, label: "Thread", placeholder: "Reply in thread" });
    const close = el("button", { class: "btn btn-quiet btn-icon", type: "button", "aria-label": "Close thread", title: "Close (Esc)", onclick: () => session.closeThread() }, icon("close"));
    const head = el("header", { class: "head thread-head" }, el("div", { class: "head-row" }, el("h2", { class: "head-title" }, "Thread"), el("p", { class: "head-note" }, el("bdi", {}, channel.title)), close));
    replace(root, head, this.feed.node, this.feed.composer.node);
    root.hidden = false;
  }

  destroy() {
    this.feed.destroy();
    this.root.replaceChildren();
    this.root.hidden = true;
  }
}


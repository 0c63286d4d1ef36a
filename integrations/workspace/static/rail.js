// The left rail: who I am, channels, direct messages, apps, and a few switches.
import { el, replace } from "./dom.js";
import { avatar, badges, roleName } from "./avatar.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { MAIL, route } from "./state.js";

const THEMES = { system: ["system", "Theme: as the system"], light: ["sun", "Theme: light"], dark: ["moon", "Theme: dark"] };

export class Rail {
  /** host: showHelp(), showJump(), closeDrawer() */
  constructor(root, names, host) {
    this.root = root;
    this.names = names;
    this.host = host;
  }

  /** Redraws only what changed: a link that is being pressed must not be replaced under the pointer. */
  draw(current) {
    const parts = this.#parts();
    const shape = JSON.stringify([this.names.me, this.names.team, this.names.myself(), parts.map(([, channels]) => channels.map((channel) => channel.id))]);
    if (shape === this.shape) { this.#patch(current); return; }
    this.shape = shape;
    this.items = new Map();
    const held = document.activeElement?.dataset?.railKey ?? null;
    const { scrollTop = 0 } = this.root.querySelector(".rail-lists") ?? {};
    replace(this.root, this.#persona(),
      el("div", { class: "rail-team" }, el("span", { class: "rail-team-name" }, this.names.team.name),
        el("button", { class: "btn btn-quiet btn-icon", type: "button", "aria-label": "Jump to a conversation", title: "Jump to… (Ctrl+K)", dataset: { railKey: "jump" }, onclick: () => this.host.showJump() }, icon("search", { size: 16 }))),
      el("div", { class: "rail-lists" }, parts.map(([title, channels]) => this.#section(title, channels, current)), this.#outside(current)),
      this.#foot());
    this.root.querySelector(".rail-lists").scrollTop = scrollTop;
    if (held) [...this.root.querySelectorAll("[data-rail-key]")].find((node) => node.dataset.railKey === held)?.focus({ preventScroll: true });
  }

  #parts() {
    const all = this.names.channels();
    return [
      ["Channels", all.filter((channel) => channel.kind !== "im")],
      ["Direct messages", all.filter((channel) => channel.kind === "im" && !channel.app && channel.peer !== this.names.me)],
      ["Apps", all.filter((channel) => channel.app)],
    ];
  }

  #patch(current) {
    if (this.mailLook !== this.#lookOfMail(current)) this.#swap(this.mailNode, this.#mail(current));
    for (const channel of this.names.channels()) {
      const old = this.items.get(channel.id);
      if (!old || old.look === look(channel, current)) continue;
      this.#swap(old.node, this.#item(channel, current));
    }
  }

  #swap(old, node) {
    const focused = document.activeElement === old;
    old.replaceWith(node);
    if (focused) node.focus({ preventScroll: true });
  }

  #persona() {
    const me = this.names.myself();
    const button = el("button", {
      class: "persona", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", dataset: { railKey: "persona" },
      "aria-label": `Acting as ${me?.label ?? "nobody"}, ${roleName(me)}. Change person`, onclick: () => this.#choose(button),
    }, avatar(me, "m"), el("span", { class: "persona-text" }, el("span", { class: "persona-small" }, `Acting as · ${roleName(me)}`), el("bdi", { class: "persona-name" }, me?.label ?? "…")),
    icon("chevron", { size: 16 }));
    return button;
  }

  #choose(button) {
    const items = this.names.humans().map((person) => ({
      checked: person.id === this.names.me, href: route({ me: person.id }), typed: `${person.label} ${person.name}`,
      node: [avatar(person, "m"), el("span", { class: "menu-label" }, el("bdi", {}, person.label), el("span", { class: "menu-hint" }, person.title ? `@${person.name} · ${person.title}` : `@${person.name}`)), el("span", { class: `role role-${person.is_stranger ? "guest" : person.role}` }, roleName(person))],
    }));
    openMenu(button, items, { label: "Act as", tall: true, footer: el("p", { class: "menu-foot" }, "Ctrl-click opens a second window as that person.") });
  }

  #section(title, channels, current) {
    if (!channels.length) return null;
    return el("section", { class: "rail-section" }, el("h2", { class: "rail-title" }, title),
      el("ul", { class: "rail-list" }, channels.map((channel) => el("li", {}, this.#item(channel, current)))));
  }

  /** What reaches a person elsewhere, and is shown here because this workspace has no elsewhere. */
  #outside(current) {
    return el("section", { class: "rail-section" }, el("h2", { class: "rail-title" }, "Outside Slack"), el("ul", { class: "rail-list" }, el("li", {}, this.#mail(current))));
  }

  #mail(current) {
    const { unread } = this.names.mail;
    this.mailLook = this.#lookOfMail(current);
    this.mailNode = el("a", {
      class: `rail-item${unread ? " unread" : ""}`, href: route({ me: this.names.me, channel: MAIL }), "aria-current": current === MAIL ? "page" : null,
      dataset: { railKey: MAIL }, "aria-label": `Mail${unread ? `, ${unread} unread` : ""}`, onclick: () => this.host.closeDrawer(),
    }, el("span", { class: "rail-mark" }, icon("mail", { size: 16 })), el("span", { class: "rail-name" }, "Mail"), unread ? el("span", { class: "count", "aria-hidden": "true" }, unread > 99 ? "99+" : unread) : null);
    return this.mailNode;
  }

  #lookOfMail(current) { return JSON.stringify([this.names.mail.unread, current === MAIL]); }

  #item(channel, current) {
    const unread = channel.unread > 0;
    const person = channel.kind === "im" ? this.names.person(channel.peer) : null;
    const mark = person ? avatar(person, "s") : icon(channel.kind === "private" ? "lock" : "hash", { size: 16 });
    const count = channel.kind === "im" ? channel.unread : channel.mentions;
    const spoken = unread ? `, ${channel.unread} unread${channel.mentions ? `, ${channel.mentions} for you` : ""}` : "";
    const node = el("a", {
      class: `rail-item${unread ? " unread" : ""}`, href: route({ me: this.names.me, channel: channel.id }), "aria-current": channel.id === current ? "page" : null,
      dataset: { channel: channel.id, railKey: channel.id }, "aria-label": `${person ? person.label : channel.name}${channel.kind === "private" ? ", private channel" : ""}${spoken}`, onclick: () => this.host.closeDrawer(),
    }, el("span", { class: "rail-mark" }, mark), el("bdi", { class: "rail-name" }, person ? person.label : channel.name), badges(person),
    unread && count ? el("span", { class: "count", "aria-hidden": "true" }, count > 99 ? "99+" : count) : null,
    unread && !count ? el("span", { class: "dot", "aria-hidden": "true" }) : null);
    this.items.set(channel.id, { node, look: look(channel, current) });
    return node;
  }

  #foot() {
    const theme = el("button", { class: "btn btn-quiet btn-icon", type: "button", dataset: { railKey: "theme" }, onclick: () => { window.workspaceTheme.next(); show(); } });
    const show = () => {
      const [name, label] = THEMES[window.workspaceTheme.current];
      replace(theme, icon(name));
      theme.setAttribute("aria-label", `${label}. Change`);
      theme.title = label;
    };
    show();
    return el("div", { class: "rail-foot" }, theme,
      el("button", { class: "btn btn-quiet btn-icon", type: "button", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (Ctrl+/)", dataset: { railKey: "help" }, onclick: () => this.host.showHelp() }, icon("keyboard")),
      el("span", { class: "rail-note" }, "Local workspace"));
  }
}

const look = (channel, current) => JSON.stringify([channel.id === current, channel.name, channel.kind, channel.unread, channel.mentions]);

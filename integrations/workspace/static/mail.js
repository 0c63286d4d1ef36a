// The mail of the acting person: what an app sent to their address. Text only: nothing in it becomes a link or a picture.
import { el, replace } from "./dom.js";
import { icon } from "./icons.js";
import { MAIL } from "./state.js";
import { full, iso, when } from "./time.js";

export class MailView {
  /** session: api, names, openDrawer(). Stands where a Conversation does. */
  constructor(root, session) {
    this.session = session;
    this.channel = { id: MAIL, title: "Mail" };
    const drawer = el("button", { class: "btn btn-quiet btn-icon drawer-button", type: "button", "aria-label": "Open conversations", onclick: () => session.openDrawer() }, icon("menu"));
    const { address } = session.names.mail;
    this.list = el("div", { class: "mails" }, el("p", { class: "empty" }, "Opening the mail…"));
    this.node = el("div", { class: "scroller mail-scroller", tabindex: 0, role: "region", "aria-label": "Mails, newest first" }, this.list);
    replace(root, el("header", { class: "head" }, el("div", { class: "head-row" }, drawer,
      el("h1", { class: "head-title" }, icon("mail", { size: 18 }), "Mail"), address ? el("p", { class: "head-note" }, el("bdi", {}, address)) : null)), this.node);
  }

  destroy() { this.closed = true; }

  focus() { this.node.focus({ preventScroll: true }); }

  async load() {
    const { mails } = await this.session.api.get("mail");
    if (this.closed) return;
    replace(this.list, mails.length ? mails.map(letter) : nothing(this.session.names.mail.address));
    if (this.session.names.mail.unread) await this.session.api.post("mail_mark");
  }
}

function letter(mail) {
  return el("article", { class: "mail" },
    el("h2", { class: "mail-subject", dir: "auto" }, mail.subject || "(no subject)"),
    el("p", { class: "mail-meta" }, "To ", el("bdi", {}, mail.to), " · ", el("time", { datetime: iso(mail.ts), title: full(mail.ts) }, when(mail.ts))),
    el("p", { class: "mail-text", dir: "auto" }, mail.text));
}

function nothing(address) {
  return el("div", { class: "empty" }, el("p", { class: "empty-title" }, address ? "No mail yet" : "No e-mail address"),
    el("p", {}, address ? "What an app mails to this address arrives here, and nowhere else." : "This person has none, so no mail can reach them."));
}

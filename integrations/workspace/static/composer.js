// Where a person writes: Enter sends, Shift+Enter breaks the line, @ # and : complete. Also the editor of a sent message.
import { el, uid } from "./dom.js";
import { avatar, badges } from "./avatar.js";
import { emojiMatches } from "./emoji.js";
import { icon } from "./icons.js";

const MAX = 40_000;
const SUGGESTIONS = 6;

export class Composer {
  /** onSend(text) → Promise; rejects when it was not sent (the text then comes back). */
  constructor({ names, label, placeholder, onSend, onCancel = null, onUp = null, text = "", action = "Send", drafts = null, draftKey = null }) {
    Object.assign(this, { names, onSend, onCancel, onUp, drafts, draftKey });
    this.listId = uid("suggest");
    this.area = el("textarea", {
      class: "composer-text", rows: 1, "aria-label": label, placeholder, dir: "auto", maxlength: MAX, "aria-autocomplete": "list",
      value: text || drafts?.get(draftKey) || "", enterkeyhint: "send", dataset: { focusKey: "composer" },
      onkeydown: (event) => this.#key(event), oninput: () => this.#typed(), onblur: () => this.#close(),
    });
    this.send = el("button", { class: "composer-send", type: "button", "aria-label": action, title: `${action} (Enter)`, onclick: () => this.submit() }, icon("send"));
    this.list = el("div", { class: "suggest", id: this.listId, role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.hint = el("span", { class: "composer-hint", "aria-hidden": "true" }, onCancel ? "Enter to save · Esc to cancel" : "Enter to send · Shift+Enter for a new line");
    this.node = el("div", { class: `composer${onCancel ? " composer-edit" : ""}` }, this.list,
      el("div", { class: "composer-box" }, this.area,
        onCancel
          ? el("div", { class: "composer-buttons" }, el("button", { class: "btn", type: "button", onclick: () => onCancel() }, "Cancel"), el("button", { class: "btn btn-primary", type: "button", onclick: () => this.submit() }, "Save"))
          : this.send),
      this.hint);
    this.#fit();
  }

  focus() { this.area.focus(); this.area.setSelectionRange(this.area.value.length, this.area.value.length); this.#fit(); }

  async submit() {
    const text = this.area.value.trim();
    if (!text || this.busy) return;
    const held = this.area.value;
    this.busy = true;
    this.area.value = "";
    this.#typed();
    try {
      await this.onSend(text);
    } catch {
      if (!this.area.value) this.area.value = held;     // the caller told why; nothing written is lost
      this.#typed();
    } finally {
      this.busy = false;
    }
  }

  #typed() {
    this.#fit();
    if (this.drafts) { if (this.area.value) this.drafts.set(this.draftKey, this.area.value); else this.drafts.delete(this.draftKey); }
    this.#suggest();
  }

  #fit() {
    const filled = this.area.value.trim() !== "";
    this.send.disabled = !filled;
    this.node.classList.toggle("composer-filled", filled);
    if (CSS.supports("field-sizing", "content")) return;
    this.area.style.height = "auto";                     // older browsers: grow by script
    this.area.style.height = `${Math.min(this.area.scrollHeight, 240)}px`;
  }

  #key(event) {
    if (event.isComposing) return;
    if (!this.list.hidden && this.#listKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) { event.preventDefault(); this.submit(); }
    else if (event.key === "Escape" && this.onCancel) { event.preventDefault(); event.stopPropagation(); this.onCancel(); }
    else if (event.key === "ArrowUp" && this.onUp && this.area.value === "") { event.preventDefault(); this.onUp(); }
  }

  #listKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#choose((this.chosen + step + this.found.length) % this.found.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.found[this.chosen]);
    else if (event.key === "Escape") { this.#close(); event.stopPropagation(); }
    else return false;
    event.preventDefault();
    return true;
  }

  #suggest() {
    const before = this.area.value.slice(0, this.area.selectionStart);
    const match = /(?:^|[\s(])([@#:])([\p{L}\p{N}_+-]{0,30})$/u.exec(before);
    this.found = match && !(match[1] === ":" && match[2].length < 2) ? this.#matches(match[1], match[2].toLowerCase()) : [];
    if (!this.found.length) { this.#close(); return; }
    this.typedLength = match[2].length + 1;
    this.list.replaceChildren(...this.found.map((item, index) => el("div", {
      class: "suggest-item", role: "option", id: `${this.listId}-${index}`, onpointerdown: (event) => { event.preventDefault(); this.#take(item); },
    }, item.node)));
    this.list.hidden = false;
    this.area.setAttribute("aria-controls", this.listId);
    this.#choose(0);
  }

  #matches(sign, start) {
    if (sign === ":") return emojiMatches(start, SUGGESTIONS).map(([name, character]) => ({ text: `${character} `, node: [el("span", { class: "emoji" }, character), ` :${name}:`] }));
    if (sign === "#") {
      return this.names.channels().filter((channel) => channel.kind !== "im" && channel.name.toLowerCase().includes(start)).slice(0, SUGGESTIONS)
        .map((channel) => ({ text: `#${channel.name} `, node: `#${channel.name}` }));
    }
    return this.names.people().filter((person) => person.id !== this.names.me && [person.label, person.name ?? ""].some((name) => name.toLowerCase().split(/\s+/).some((word) => word.startsWith(start)))).slice(0, SUGGESTIONS)
      .map((person) => ({ text: `@${person.label} `, node: [avatar(person, "s"), el("bdi", {}, person.label), badges(person)] }));
  }

  #choose(index) {
    this.chosen = index;
    [...this.list.children].forEach((node, at) => node.setAttribute("aria-selected", String(at === index)));
    this.area.setAttribute("aria-activedescendant", `${this.listId}-${index}`);
  }

  #take(item) {
    const at = this.area.selectionStart;
    this.area.setRangeText(item.text, at - this.typedLength, at, "end");
    this.#close();
    this.#typed();
  }

  #close() {
    this.list.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
    this.area.removeAttribute("aria-controls");
  }
}

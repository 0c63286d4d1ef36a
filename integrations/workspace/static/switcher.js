// "Jump to…" (Ctrl+K) and the list of keys (Ctrl+/).
import { el, uid } from "./dom.js";
import { openDialog } from "./dialog.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";
import { route } from "./state.js";

export function openSwitcher(names) {
  const id = uid("jump");
  const close = () => dialog.close();
  const dialog = openDialog({ title: "Jump to", className: "dialog-jump", onCancel: close });
  const input = el("input", { class: "field", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": id, "aria-label": "Conversation", placeholder: "Channel or person", autocomplete: "off", spellcheck: "false" });
  const list = el("div", { class: "jump-list", role: "listbox", id, "aria-label": "Conversations" });
  let found = [];
  let chosen = 0;
  const take = (channel) => { close(); location.hash = route({ me: names.me, channel: channel.id }); };
  const mark = () => {
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === chosen)));
    input.setAttribute("aria-activedescendant", found.length ? `${id}-${chosen}` : "");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    const wanted = input.value.trim().toLowerCase().replace(/^[#@]/, "");
    found = names.channels().filter((channel) => channel.peer !== names.me && channel.title.toLowerCase().includes(wanted)).sort((a, b) => (b.unread > 0) - (a.unread > 0));
    chosen = 0;
    list.replaceChildren(...found.map((channel, index) => {
      const person = channel.kind === "im" ? names.person(channel.peer) : null;
      return el("div", { class: "suggest-item", role: "option", id: `${id}-${index}`, onclick: () => take(channel) },
        person ? avatar(person, "s") : icon(channel.kind === "private" ? "lock" : "hash", { size: 16 }), el("bdi", {}, person?.label ?? channel.name), channel.unread ? el("span", { class: "count" }, channel.unread) : null);
    }));
    mark();
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) { event.preventDefault(); chosen = (chosen + step + found.length) % found.length; mark(); }
    if (event.key === "Enter" && found[chosen]) { event.preventDefault(); take(found[chosen]); }
  });
  dialog.body.append(el("div", { class: "dialog-body" }, input, list));
  draw();
  input.focus();
}

const COMMAND = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";
const KEYS = [
  ["Send a message", "Enter"], ["New line", "Shift + Enter"], ["Edit your last message", "↑ in an empty composer"],
  ["Jump to a conversation", `${COMMAND} + K`], ["Next part of the page", "F6"], ["Previous / next conversation", "Alt + ↑ / ↓"],
  ["Move through messages", "↑ ↓ Home End"], ["Open the thread of a message", "Enter or T"], ["React to a message", "R"],
  ["Edit / delete your message", "E / Delete"], ["Copy a message's link", "L"], ["Close thread, menu or dialog", "Esc"], ["This list", `${COMMAND} + /`],
];

export function openHelp() {
  const dialog = openDialog({ title: "Keyboard shortcuts", className: "dialog-small", onCancel: () => dialog.close() });
  dialog.body.append(el("div", { class: "dialog-body" }, el("dl", { class: "keys" }, KEYS.map(([what, keys]) => el("div", {}, el("dt", {}, what), el("dd", {}, keys))))));
  dialog.shut.focus();
}

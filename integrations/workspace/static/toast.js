// Short notes at the lower edge. Errors stay longer and are spoken at once.
import { el } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = { info: 3_500, error: 9_000 };

export function toast(text, kind = "info") {
  const root = document.getElementById("toasts");
  for (const old of [...root.children].slice(0, -2)) old.remove();
  const node = el("div", { class: `toast toast-${kind}`, role: kind === "error" ? "alert" : "status" },
    icon(kind === "error" ? "alert" : "check"), el("span", { class: "toast-text" }, text),
    el("button", { class: "toast-close", type: "button", "aria-label": "Dismiss", onclick: () => node.remove() }, icon("close", { size: 14 })));
  // Inside an open dialog, or it would be drawn under it and be inert.
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  (dialog ?? root).append(node);
  node.classList.toggle("toast-in-dialog", Boolean(dialog));
  let timer = setTimeout(() => node.remove(), SHOWN_MS[kind]);
  node.addEventListener("pointerenter", () => clearTimeout(timer));
  node.addEventListener("pointerleave", () => { timer = setTimeout(() => node.remove(), SHOWN_MS.info); });
}

/** Forgets what was said to one person before another one acts. */
export function clearAnnouncements() {
  document.getElementById("live").replaceChildren();
}

/** For screen readers only: what came in while the reader is elsewhere. */
export function announce(text) {
  const live = document.getElementById("live");
  live.append(el("p", {}, text));
  while (live.children.length > 5) live.firstChild.remove();
}

// Real dialogs: <dialog>.showModal() makes the page behind inert; Tab stays inside; Esc asks `onCancel`; focus returns.
import { el, focusable, uid } from "./dom.js";
import { icon } from "./icons.js";

/** Opens a dialog and returns {node, body, close}. `onCancel` runs on Esc and on the close button; it decides about closing. */
export function openDialog({ title, className = "", onCancel, header = null }) {
  const id = uid("dialog");
  const before = document.activeElement;
  const node = el("dialog", { class: `dialog ${className}`, "aria-labelledby": id });
  const heading = el("h2", { class: "dialog-title", id }, title);
  const shut = el("button", { class: "btn btn-quiet btn-icon", type: "button", "aria-label": "Close", onclick: () => onCancel() }, icon("close"));
  const body = el("div", { class: "dialog-inner" });
  node.append(el("div", { class: "dialog-head" }, header, heading, shut), body);
  node.addEventListener("cancel", (event) => { event.preventDefault(); onCancel(); });
  node.addEventListener("keydown", (event) => trap(event, node));
  document.body.append(node);
  node.showModal();
  const close = () => {
    if (!node.isConnected) return;
    node.close();
    node.remove();
    if (before?.isConnected) before.focus();
  };
  return { node, body, heading, shut, close };
}

function trap(event, root) {
  if (event.key === "Escape") {                 // a popover inside closes first, by itself
    event.stopPropagation();
    return;
  }
  if (event.key !== "Tab") return;
  const stops = focusable(root);
  if (!stops.length) { event.preventDefault(); return; }
  const at = stops.indexOf(document.activeElement);
  if (event.shiftKey && at <= 0) { event.preventDefault(); stops.at(-1).focus(); }
  else if (!event.shiftKey && at === stops.length - 1) { event.preventDefault(); stops[0].focus(); }
}

/** A question with two answers. Resolves to true for the first. */
export function ask({ title, text, yes, no = "Cancel", danger = false }) {
  return new Promise((resolve) => {
    const answer = (value) => { dialog.close(); resolve(value); };
    const dialog = openDialog({ title, className: "dialog-small", onCancel: () => answer(false) });
    const confirm = el("button", { class: `btn ${danger ? "btn-danger" : "btn-primary"}`, type: "button", onclick: () => answer(true) }, yes);
    dialog.body.append(
      el("div", { class: "dialog-body" }, text),
      el("div", { class: "dialog-foot" }, el("button", { class: "btn", type: "button", onclick: () => answer(false) }, no), confirm),
    );
    confirm.focus();
  });
}

// Menus in the top layer (popover): arrows, Home/End, type-ahead, Esc; focus goes back to what opened them.
import { el } from "./dom.js";

const TYPING_MS = 800;

/** items: [{label, hint?, node?, typed?, checked?, href?, danger?, run?}]; typed: the words that type-ahead finds it by,
    else its text. tall: as high as the window allows. Returns the menu. */
export function openMenu(anchor, items, { label, align = "start", footer = null, tall = false } = {}) {
  const popover = el("div", { class: `menu${tall ? " menu-tall" : ""}`, popover: "auto" });
  const menu = el("div", { role: "menu", "aria-label": label });
  popover.append(menu);
  if (footer) popover.append(footer);
  for (const item of items) menu.append(menuItem(item, popover));
  const nodes = [...menu.children];
  landmarkOf(anchor).append(popover);
  anchor.setAttribute("aria-expanded", "true");
  popover.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    const inside = popover.contains(document.activeElement) || document.activeElement === document.body;
    anchor.setAttribute("aria-expanded", "false");
    popover.remove();
    if (inside) backTo(anchor);
  });
  const words = items.map((item, index) => (item.typed ?? nodes[index].textContent).trim().toLowerCase());
  const typing = { text: "", at: 0 };
  menu.addEventListener("keydown", (event) => steer(event, nodes, popover, words, typing));
  popover.showPopover();
  place(popover, anchor, align);
  (nodes.find((node) => node.getAttribute("aria-checked") === "true") ?? nodes[0])?.focus();
  return popover;
}

/** Where a menu belongs: in its dialog (all else is inert while one is open), or in the part of the page it came from. */
export const landmarkOf = (anchor) => anchor.closest("dialog, main, aside, nav") ?? document.body;

/** Focus on what opened the menu, or on its successor when the rail was drawn again meanwhile. */
function backTo(anchor) {
  const { railKey } = anchor.dataset;
  const successor = railKey && [...document.querySelectorAll("[data-rail-key]")].find((node) => node.dataset.railKey === railKey);
  (anchor.isConnected ? anchor : successor)?.focus();
}

function menuItem(item, popover) {
  const radio = item.checked !== undefined;
  const props = {
    class: `menu-item${item.danger ? " menu-danger" : ""}`, role: radio ? "menuitemradio" : "menuitem", "aria-checked": radio ? String(item.checked) : null, tabindex: -1,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;     // the browser opens the address in a new window
      popover.hidePopover();
      item.run?.();
    },
  };
  const content = item.node ?? [el("span", { class: "menu-label" }, item.label), item.hint ? el("span", { class: "menu-hint" }, item.hint) : null];
  if (!item.href) return el("button", { ...props, type: "button" }, content);
  const own = item.href.startsWith("#");
  return el("a", { ...props, href: item.href, target: own ? null : "_blank", rel: "noopener noreferrer" }, content);
}

function steer(event, nodes, popover, words, typing) {
  const at = nodes.indexOf(document.activeElement);
  if (event.key.length > 1) typing.text = "";
  const go = (index) => { event.preventDefault(); nodes[(index + nodes.length) % nodes.length]?.focus(); };
  if (event.key === "ArrowDown") go(at + 1);
  else if (event.key === "ArrowUp") go(at - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(nodes.length - 1);
  else if (event.key === "Tab") { event.preventDefault(); popover.hidePopover(); }
  else if (event.key === " " && !typed(typing)) { event.preventDefault(); document.activeElement.click(); }
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) { event.preventDefault(); find(event.key.toLowerCase(), nodes, at, words, typing); }
}

/** What was typed just now; nothing after a pause. */
const typed = (typing) => (performance.now() - typing.at < TYPING_MS ? typing.text : "");

/** Type-ahead: to the next item with a word that begins with what was typed; one letter again and again goes through them. */
function find(key, nodes, at, words, typing) {
  const before = typed(typing);
  typing.text = before === key ? key : before + key;
  typing.at = performance.now();
  const first = typing.text.length === 1 ? at + 1 : Math.max(at, 0);
  const order = nodes.map((_, index) => (first + index) % nodes.length);
  const found = order.find((index) => ` ${words[index]}`.includes(` ${typing.text}`));
  if (found !== undefined) nodes[found].focus();
}

/** Below the anchor, or above when there is no room; always inside the window. (CSSOM: the policy forbids style attributes, not this.) */
export function place(popover, anchor, align = "start") {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const below = box.bottom + 4;
  const top = below + height <= innerHeight - 8 ? below : Math.max(8, box.top - height - 4);
  const left = align === "end" ? box.right - width : box.left;
  popover.style.top = `${top}px`;
  popover.style.left = `${Math.min(Math.max(8, left), innerWidth - width - 8)}px`;
}

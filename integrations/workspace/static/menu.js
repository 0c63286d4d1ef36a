// Menus in the top layer (popover): arrows, Home/End, type-ahead, Esc; focus goes back to what opened them.
import { el } from "./dom.js";

/** items: [{label, hint?, node?, checked?, href?, danger?, run?}]. Returns the menu. */
export function openMenu(anchor, items, { label, align = "start", footer = null } = {}) {
  const popover = el("div", { class: "menu", popover: "auto" });
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
  menu.addEventListener("keydown", (event) => steer(event, nodes, popover));
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

function steer(event, nodes, popover) {
  const at = nodes.indexOf(document.activeElement);
  const go = (index) => { event.preventDefault(); nodes[(index + nodes.length) % nodes.length]?.focus(); };
  if (event.key === "ArrowDown") go(at + 1);
  else if (event.key === "ArrowUp") go(at - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(nodes.length - 1);
  else if (event.key === "Tab") { event.preventDefault(); popover.hidePopover(); }
  else if (event.key === " ") { event.preventDefault(); document.activeElement.click(); }
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
    const wanted = event.key.toLowerCase();
    const order = [...nodes.slice(at + 1), ...nodes.slice(0, at + 1)];
    order.find((node) => node.textContent.trim().toLowerCase().startsWith(wanted))?.focus();
  }
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

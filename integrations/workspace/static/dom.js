// The only way this page makes elements. Text goes in as text nodes; there is no path from data to markup:
// `el` refuses innerHTML, inline handlers and style attributes, and every href or src passes `urls.js`.
import { safeHref, safeSrc } from "./urls.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * el("button", {class: "primary", type: "button", onclick: fn, "aria-label": "Send"}, "Send")
 * Functions under on… become listeners; `dataset` is an object; true/false/null set or leave out an attribute.
 * Children may be strings, numbers, nodes, arrays of these, or null/false (left out).
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  append(node, children);
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) {
    if (typeof value !== "function") throw new TypeError(`${name} needs a function`);
    node.addEventListener(name.slice(2), value);
  } else if (name === "dataset") {
    Object.assign(node.dataset, value);
  } else if (name === "href") {
    const href = safeHref(value);
    if (href) node.setAttribute("href", href);
  } else if (name === "src") {
    const src = safeSrc(value);
    if (src) node.setAttribute("src", src);
  } else if (name === "style" || name === "srcdoc" || name === "innerHTML" || name === "outerHTML") {
    throw new TypeError(`${name} is not set from here`);
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden" || name === "selected") {
    node[name] = value;
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

export function svg(paths, { size = 18, label = null } = {}) {
  const node = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: "0 0 20 20", width: size, height: size, fill: "none", stroke: "currentColor",
    "stroke-width": "1.6", "stroke-linecap": "round", "stroke-linejoin": "round", class: "icon",
  };
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (label) { node.setAttribute("role", "img"); node.setAttribute("aria-label", label); }
  else node.setAttribute("aria-hidden", "true");
  for (const d of [paths].flat()) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    node.append(path);
  }
  return node;
}

let counter = 0;
export const uid = (prefix = "u") => `${prefix}-${++counter}`;

/** Elements that Tab reaches inside `root`, in order. */
export function focusable(root) {
  const all = root.querySelectorAll("a[href], button, input, select, textarea, [tabindex]");
  return [...all].filter((node) => !node.disabled && node.tabIndex >= 0 && node.getClientRects().length > 0);
}

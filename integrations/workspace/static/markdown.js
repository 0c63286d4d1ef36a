// The Markdown block (CommonMark as models write it, plus tables and strike-through) to DOM nodes. No HTML passes: it is text.
import { el } from "./dom.js";
import { bareUrl, emoji, link, token } from "./inline.js";
import { safeHref } from "./urls.js";

const DEEPEST = 6;

export const markdown = (text, names) => el("div", { class: "markdown" }, blocks(String(text).replace(/\r\n?/g, "\n").split("\n"), names, 0));

const RULES = [fence, heading, rule, table, quote, list];

function blocks(lines, names, depth) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) { at += 1; continue; }
    const found = depth < DEEPEST ? firstOf(lines, at, names, depth) : null;
    if (found) { out.push(found.node); at = found.end; continue; }
    const start = at;
    at += 1;
    while (at < lines.length && lines[at].trim() && !(depth < DEEPEST && starts(lines, at))) at += 1;
    out.push(el("p", {}, inline(lines.slice(start, at).join("\n").trim(), names)));
  }
  return out;
}

function firstOf(lines, at, names, depth) {
  for (const parse of RULES) {
    const found = parse(lines, at, names, depth);
    if (found) return found;
  }
  return null;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const DIVIDER = /^ *\|?(?: *:?-{2,}:? *\|)+ *:?-*:? *\|? *$/;
const starts = (lines, at) => FENCE.test(lines[at]) || HEADING.test(lines[at]) || RULE.test(lines[at]) || QUOTE.test(lines[at]) || ITEM.test(lines[at]);

function fence(lines, at) {
  const open = FENCE.exec(lines[at]);
  if (!open) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(open[1])) end += 1;
  return { node: el("pre", { class: "pre", tabindex: 0 }, el("code", {}, lines.slice(at + 1, end).join("\n"))), end: end + 1 };
}

function heading(lines, at, names) {
  const found = HEADING.exec(lines[at]);
  // A message sits below the page's h1 and h2: its headings start at h3.
  return found && { node: el(`h${Math.min(found[1].length + 2, 6)}`, { class: `md-h md-h${found[1].length}` }, inline(found[2].trim().replace(/ #+$/, ""), names)), end: at + 1 };
}

function rule(lines, at) {
  return RULE.test(lines[at]) ? { node: el("hr", { class: "divider" }), end: at + 1 } : null;
}

function quote(lines, at, names, depth) {
  if (!QUOTE.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  return { node: el("blockquote", { class: "quote" }, blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")), names, depth + 1)), end };
}

function list(lines, at, names, depth) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (item && item[1].length <= indent && /\d/.test(item[2]) === ordered) { items.push([item[3]]); end += 1; continue; }
    if (item && item[1].length <= indent) break;
    if (!lines[end].trim()) {
      const next = lines[end + 1] ?? "";
      if (!/^ {2,}\S/.test(next) && !(ITEM.test(next) && /\d/.test(ITEM.exec(next)[2]) === ordered)) break;
      items.at(-1).push("");
    } else if (item || /^ {2,}/.test(lines[end]) || !starts(lines, end)) {
      items.at(-1).push(lines[end].replace(new RegExp(`^ {0,${indent + 3}}`), ""));
    } else break;
    end += 1;
  }
  const start = ordered ? Number.parseInt(first[2], 10) : null;
  return { node: el(ordered ? "ol" : "ul", { class: "list", start: start !== 1 ? start : null }, items.map((body) => listItem(body, names, depth))), end };
}

function listItem(body, names, depth) {
  const task = /^\[([ xX])\]\s+/.exec(body[0]);
  if (task) body[0] = body[0].slice(task[0].length);
  const mark = task ? el("span", { class: "task-mark", role: "img", "aria-label": task[1] === " " ? "to do" : "done" }, task[1] === " " ? "☐ " : "☑ ") : null;
  const content = blocks(body, names, depth + 1);
  const tight = content[0]?.tagName === "P" ? [...content[0].childNodes] : [];
  return el("li", { class: task ? "task" : null }, mark, tight.length ? tight : content[0], content.slice(1));
}

function table(lines, at, names) {
  if (!lines[at].includes("|") || !DIVIDER.test(lines[at + 1] ?? "")) return null;
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
  const align = cells(lines[at + 1]).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left"));
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
  const row = (line, tag) => el("tr", {}, cells(line).slice(0, align.length).map((cell, index) => el(tag, { class: `align-${align[index]}`, scope: tag === "th" ? "col" : null }, inline(cell, names))));
  const node = el("div", { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table" },
    el("table", { class: "table" }, el("thead", {}, row(lines[at], "th")), el("tbody", {}, lines.slice(at + 2, end).map((line) => row(line, "td")))));
  return { node, end };
}

const STYLES = [["***", ["strong", "em"]], ["**", ["strong"]], ["__", ["strong"]], ["~~", ["s"]], ["*", ["em"]], ["_", ["em"]]];
const WORD = /[\p{L}\p{N}]/u;

export function inline(text, names, depth = 0) {
  const out = [];
  const nowhere = {};
  let plain = "";
  let at = 0;
  const push = (node) => { if (plain) { out.push(plain); plain = ""; } out.push(node); };
  while (at < text.length) {
    const found = piece(text, at, names, depth, nowhere);
    if (found) { push(found.node); at = found.end; } else { plain += text[at]; at += 1; }
  }
  if (plain) out.push(plain);
  return out;
}

function piece(text, at, names, depth, nowhere) {
  const mark = text[at];
  if (mark === "\\" && /[\\`*_{}[\]()#+\-.!~|<>]/.test(text[at + 1] ?? "")) return { node: text[at + 1], end: at + 2 };
  if (mark === "\n") return { node: el("br"), end: at + 1 };   // models break lines on purpose
  if (mark === "`") return codeSpan(text, at, nowhere);
  if (mark === "!" && text[at + 1] === "[") return linkAt(text, at + 1, names, depth, nowhere, true);
  if (mark === "[") return linkAt(text, at, names, depth, nowhere, false);
  if (mark === "<") return angle(text, at, names, nowhere);
  if (mark === ":") return shortcode(text, at);
  if (mark === "h" && !WORD.test(text[at - 1] ?? "")) { const url = bareUrl(text, at); return url && { node: link(url, url), end: at + url.length }; }
  return depth < DEEPEST && "*_~".includes(mark) ? styled(text, at, names, depth, nowhere) : null;
}

function find(text, what, from, nowhere) {
  if (nowhere[what] !== undefined && from >= nowhere[what]) return -1;
  const end = text.indexOf(what, from);
  if (end < 0) nowhere[what] = Math.min(nowhere[what] ?? Infinity, from);
  return end;
}

function codeSpan(text, at, nowhere) {
  const ticks = /`+/y;
  ticks.lastIndex = at;
  const fenceOf = ticks.exec(text)[0];
  const end = find(text, fenceOf, at + fenceOf.length, nowhere);
  return end < 0 ? null : { node: el("code", { class: "code" }, text.slice(at + fenceOf.length, end).replace(/^ (.+) $/, "$1")), end: end + fenceOf.length };
}

function linkAt(text, at, names, depth, nowhere, picture) {
  const middle = find(text, "](", at + 1, nowhere);
  if (middle < 0 || middle - at > 1000) return null;
  const end = closing(text, middle + 2);
  if (end < 0 || text.slice(at + 1, middle).includes("\n\n")) return null;
  const href = text.slice(middle + 2, end).trim().split(/\s+/)[0];
  const label = text.slice(at + 1, middle);
  if (picture) return { node: el("span", { class: "chip" }, "Image: ", safeHref(href) ? link(href, label || href) : label), end: end + 1 };
  return { node: link(href, depth < DEEPEST ? inline(label, names, depth + 1) : label), end: end + 1 };
}

/** The ")" that ends an address; one pair of brackets inside it is part of it. */
function closing(text, from) {
  let depth = 0;
  for (let at = from; at < Math.min(text.length, from + 2000); at += 1) {
    if (text[at] === "\n") return -1;
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") { if (depth === 0) return at; depth -= 1; }
  }
  return -1;
}

function angle(text, at, names, nowhere) {
  const end = find(text, ">", at + 1, nowhere);
  if (end < 0 || end - at > 2000) return null;
  const node = token(text.slice(at + 1, end), names);
  return node === null ? null : { node, end: end + 1 };
}

function shortcode(text, at) {
  const pattern = /:([a-z0-9_+'-]{1,60}):/y;
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  const node = found && emoji(found[1]);
  return node && typeof node !== "string" ? { node, end: at + found[0].length } : null;
}

function styled(text, at, names, depth, nowhere) {
  for (const [mark, tags] of STYLES) {
    if (!text.startsWith(mark, at)) continue;
    if (/\s|^$/.test(text[at + mark.length] ?? "")) continue;
    if (mark[0] === "_" && WORD.test(text[at - 1] ?? "")) return null;
    let end = at + mark.length - 1;
    let tries = 0;
    do { end = find(text, mark, end + 1, nowhere); tries += 1; } while (end >= 0 && tries < 50 && (/\s/.test(text[end - 1]) || end === at + mark.length || (mark[0] === "_" && WORD.test(text[end + mark.length] ?? "")) || (mark.length === 1 && (text[end + 1] === mark || text[end - 1] === mark))));
    if (end < 0 || tries >= 50) continue;
    const inner = inline(text.slice(at + mark.length, end), names, depth + 1);
    return { node: tags.reduceRight((content, tag) => [el(tag, {}, content)], inner)[0], end: end + mark.length };
  }
  return null;
}

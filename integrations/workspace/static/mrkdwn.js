// Slack's mrkdwn to DOM nodes. Linear in the length of the text: a marker whose partner was looked for in vain is not
// looked for again, so that 40,000 asterisks from a stranger cost nothing.
import { el } from "./dom.js";
import { bareUrl, decode, emoji, link, token } from "./inline.js";

const WRAP = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;

/** Nodes for a message or a mrkdwn text object. */
export function mrkdwn(text, names) {
  const source = String(text);
  const nodes = [];
  let at = 0;
  for (const fence of source.matchAll(/```([\s\S]*?)```/g)) {
    if (!fence[1].trim()) continue;
    nodes.push(...lines(source.slice(at, fence.index).replace(/\n$/, ""), names));
    nodes.push(el("pre", { class: "pre", tabindex: 0 }, el("code", {}, fenced(fence[1], names))));
    at = fence.index + fence[0].length;
    if (source[at] === "\n") at += 1;
  }
  nodes.push(...lines(source.slice(at), names));
  return nodes;
}

/** Inside a fence only addresses and mentions are resolved. */
function fenced(text, names) {
  return decode(text.replace(/^\n/, "").replace(/\n$/, "")
    .replace(/<(?:https?:|mailto:)[^<>|]+\|([^<>]+)>/g, "$1")
    .replace(/<((?:https?:|mailto:)[^<>|]+)>/g, "$1")
    .replace(/<@([UW][A-Z0-9]+)>/g, (_, id) => `@${names.person(id)?.label ?? id}`));
}

/** Quotes are whole lines that begin with ">" (escaped by Slack); ">>>" quotes all that follows. */
function lines(text, names) {
  const nodes = [];
  const all = text.split("\n");
  let run = [];
  let quoting = false;
  const flush = () => {
    if (!run.length) return;
    const inside = paragraph(run.join("\n"), names);
    nodes.push(...(quoting ? [el("blockquote", { class: "quote" }, inside)] : inside));
    run = [];
  };
  for (let i = 0; i < all.length; i += 1) {
    if (/^(?:&gt;|>){3}/.test(all[i])) {
      flush();
      quoting = true;
      run = [all[i].replace(/^(?:&gt;|>){3} ?/, ""), ...all.slice(i + 1)];
      break;
    }
    const quoted = /^(?:&gt;|>) ?/.exec(all[i]);
    if (Boolean(quoted) !== quoting) { flush(); quoting = Boolean(quoted); }
    run.push(quoted ? all[i].slice(quoted[0].length) : all[i]);
  }
  flush();
  return nodes;
}

/** Text with its line breaks: the style sheet keeps them (white-space: pre-wrap). */
const paragraph = (text, names) => inline(text, names, "");

export function inline(text, names, active = "") {
  const out = [];
  const nowhere = {};                       // marker → index from which no partner exists (until the next line)
  let plain = "";
  let at = 0;
  const push = (node) => { if (plain) { out.push(decode(plain)); plain = ""; } out.push(node); };
  while (at < text.length) {
    const found = piece(text, at, names, active, nowhere);
    if (found) { push(found.node); at = found.end; } else { plain += text[at]; at += 1; }
  }
  if (plain) out.push(decode(plain));
  return out;
}

function piece(text, at, names, active, nowhere) {
  const mark = text[at];
  if (mark === "`") return codeSpan(text, at, nowhere);
  if (mark === "<") return angle(text, at, names, active, nowhere);
  if (mark === ":") return shortcode(text, at);
  if (mark === "h" && !WORD.test(text[at - 1] ?? "")) return bare(text, at);
  if (mark in WRAP && !active.includes(mark)) return styled(text, at, names, active, nowhere);
  return null;
}

function codeSpan(text, at, nowhere) {
  const end = partner(text, at, "`", nowhere);
  return end > at + 1 ? { node: el("code", { class: "code" }, decode(text.slice(at + 1, end))), end: end + 1 } : null;
}

function angle(text, at, names, active, nowhere) {
  const end = partner(text, at, ">", nowhere, "<");
  if (end < 0) return null;
  const node = token(text.slice(at + 1, end), names, (label) => inline(label, names, "*_~"));
  return node === null ? null : { node, end: end + 1 };
}

function shortcode(text, at) {
  const pattern = /:([a-z0-9_+'-]{1,60}(?:::skin-tone-[2-6])?):/y;
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (!found) return null;
  const node = emoji(found[1]);
  return typeof node === "string" ? null : { node, end: at + found[0].length };
}

function bare(text, at) {
  const url = bareUrl(text, at);
  return url ? { node: link(decode(url), decode(url)), end: at + url.length } : null;
}

/** *bold*: opens at a word's edge with no space inside, closes likewise, on one line. */
function styled(text, at, names, active, nowhere) {
  const mark = text[at];
  if (WORD.test(text[at - 1] ?? "") || !/\S/.test(text[at + 1] ?? "") || text[at + 1] === mark) return null;
  const limit = nowhere[mark];
  if (limit !== undefined && at < limit) return null;
  const line = text.indexOf("\n", at);
  let end = at + 1;
  for (;;) {
    end = text.indexOf(mark, end + 1);
    if (end < 0 || (line >= 0 && end > line)) { nowhere[mark] = line < 0 ? text.length : line; return null; }
    if (/\S/.test(text[end - 1]) && text[end - 1] !== mark && !WORD.test(text[end + 1] ?? "") && !insideToken(text, at, end)) break;
  }
  return { node: el(WRAP[mark], {}, inline(text.slice(at + 1, end), names, active + mark)), end: end + 1 };
}

/** A marker within <https://…_x_> or `code` does not close anything. */
function insideToken(text, from, end) {
  const span = text.slice(from, end);
  const after = text.slice(end, end + 2000);
  const open = span.lastIndexOf("<");
  if (open >= 0 && span.lastIndexOf(">") < open && after.includes(">")) return true;
  return span.split("`").length % 2 === 0 && after.includes("`");
}

function partner(text, at, mark, nowhere, stop = null) {
  const limit = nowhere[mark];
  if (limit !== undefined && at < limit) return -1;
  const line = text.indexOf("\n", at + 1);
  const end = text.indexOf(mark, at + 1);
  if (end < 0 || (line >= 0 && end > line)) { nowhere[mark] = line < 0 ? text.length : line; return -1; }
  if (stop) { const again = text.indexOf(stop, at + 1); if (again >= 0 && again < end) return -1; }
  return end;
}

/** A text object: plain_text or mrkdwn. A bare string is taken as plain text. */
export function textObject(object, names) {
  if (object === null || object === undefined) return [];
  if (typeof object === "string") return [decode(object)];
  if (typeof object !== "object") return [String(object)];
  const text = typeof object.text === "string" ? object.text : "";
  if (object.type === "mrkdwn") return mrkdwn(text, names);
  return object.emoji === false ? [decode(text)] : withEmoji(decode(text));
}

export function withEmoji(text) {
  const out = [];
  let last = 0;
  for (const found of text.matchAll(/:([a-z0-9_+'-]{1,60}(?:::skin-tone-[2-6])?):/g)) {
    const node = emoji(found[1]);
    if (typeof node === "string") continue;
    out.push(text.slice(last, found.index), node);
    last = found.index + found[0].length;
  }
  out.push(text.slice(last));
  return out;
}

/** One line without markup, for previews, labels and the live region. */
export function plain(text, names) {
  return decode(String(text ?? "")
    .replace(/<([@#])([A-Z0-9]+)(?:\|([^<>]*))?>/g, (_, sign, id, label) => sign + (sign === "@" ? names.person(id)?.label : names.channel(id)?.name) ?? label ?? id)
    .replace(/<!subteam\^([A-Z0-9]+)(?:\|([^<>]*))?>/g, (_, id, label) => label ?? names.group(id) ?? "@group")
    .replace(/<!(here|channel|everyone)(?:\|[^<>]*)?>/g, "@$1")
    .replace(/<[^<>|]+\|([^<>]*)>/g, "$1")
    .replace(/<(?:mailto:)?([^<>!@#|]+)>/g, "$1"));
}

// Pieces that mrkdwn, Markdown and rich text share: mentions, links, emoji, dates. `names` is a Directory (state.js).
import { el } from "./dom.js";
import { emojiFor } from "./emoji.js";
import { safeHref } from "./urls.js";
import { slackDate } from "./time.js";

/** Slack escapes exactly three characters; nothing else is an entity. */
export const decode = (text) => text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" }[name]));

export function link(href, children) {
  if (!safeHref(href)) return el("span", { class: "dead-link" }, children);
  return el("a", { class: "link", href, target: "_blank", rel: "noopener noreferrer" }, children);
}

export function emoji(name) {
  const character = emojiFor(name);
  return character ? el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, character) : `:${name}:`;
}

export function userMention(id, names, label = null) {
  const person = names.person(id);
  return el("span", { class: `mention${id === names.me ? " mention-me" : ""}`, title: person?.title || null }, "@", el("bdi", {}, person ? person.label : label ?? id));
}

export function channelMention(id, names, label = null) {
  const channel = names.channel(id);
  const text = `#${channel ? channel.name : label ?? "private-channel"}`;
  return channel ? el("a", { class: "mention", href: names.channelHref(id) }, text) : el("span", { class: "mention" }, text);
}

export const groupMention = (id, names, label = null) => el("span", { class: "mention" }, label ?? names.group(id) ?? "@group");
export const broadcast = (range) => el("span", { class: "mention mention-me" }, `@${range}`);

/**
 * The inside of <…>, as Slack writes it: @U1|name, #C1|name, !here, !subteam^S1|@desk, !date^1^{date}^link|fallback,
 * https://…|label. Null when it is none of these (the text then stays as it is).
 */
export function token(inner, names, renderLabel = (text) => decode(text)) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? null : decode(inner.slice(bar + 1));
  if (/^@[UWB][A-Z0-9]+$/.test(target)) return userMention(target.slice(1), names, label);
  if (/^#[CGD][A-Z0-9]+$/.test(target)) return channelMention(target.slice(1), names, label);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (/^!subteam\^S[A-Z0-9]+$/.test(target)) return groupMention(target.slice(9), names, label);
  if (target.startsWith("!date^")) {
    const [, seconds, pattern = "", href = null] = target.split("^");
    const shown = el("time", { title: label }, slackDate(seconds, decode(pattern), label));
    return href ? link(decode(href), shown) : shown;
  }
  if (target.startsWith("!")) return label ?? el("span", { class: "mention" }, target.slice(1));
  const href = decode(target);
  if (/^[a-z][a-z0-9+.-]*:/i.test(href)) return link(href, label === null ? href.replace(/^mailto:/, "") : renderLabel(inner.slice(bar + 1)));
  return null;
}

/** A bare address at `at`, without the punctuation that ends a sentence; null when there is none. */
export function bareUrl(text, at) {
  const pattern = /https?:\/\/[^\s<>|`]+/y;
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (!found) return null;
  let length = found[0].length;
  while (".,;:!?'\"*_~".includes(found[0][length - 1])) length -= 1;
  let url = found[0].slice(0, length);
  if (url.endsWith(")") && !url.includes("(")) url = url.slice(0, -1);
  return url.length > 8 ? url : null;
}

/** A stored message as its author typed it, for the editor: entities undone, mentions as @Name, links bare. */
export function asTyped(text, names) {
  return decode(String(text ?? "")
    .replace(/<@([A-Z0-9]+)(?:\|[^<>]*)?>/g, (_, id) => `@${names.person(id)?.label ?? id}`)
    .replace(/<#([A-Z0-9]+)(?:\|([^<>]*))?>/g, (_, id, label) => `#${names.channel(id)?.name ?? label ?? id}`)
    .replace(/<!subteam\^([A-Z0-9]+)(?:\|[^<>]*)?>/g, (_, id) => names.group(id) ?? "@group")
    .replace(/<!(here|channel|everyone)(?:\|[^<>]*)?>/g, "@$1")
    .replace(/<mailto:[^<>|]+\|([^<>]*)>/g, "$1")
    .replace(/<((?:https?|mailto):[^<>|]+)(?:\|[^<>]*)?>/g, "$1"));
}

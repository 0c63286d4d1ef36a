// rich_text blocks: what Slack's own composer makes, and apps may send.
import { el } from "./dom.js";
import { broadcast, channelMention, emoji, groupMention, link, userMention } from "./inline.js";
import { slackDate } from "./time.js";

const PARTS = {
  rich_text_section: (part, names) => el("div", { class: "rt-section" }, run(part.elements, names)),
  rich_text_preformatted: (part, names) => el("pre", { class: "pre", tabindex: 0 }, el("code", {}, run(part.elements, names))),
  rich_text_quote: (part, names) => el("blockquote", { class: "quote" }, run(part.elements, names)),
  rich_text_list: list,
};

export function richText(block, names) {
  return el("div", { class: "rich-text" }, array(block.elements).map((part) => (PARTS[part?.type] ? PARTS[part.type](part, names) : null)));
}

function list(part, names) {
  const ordered = part.style === "ordered";
  const level = Math.min(Math.max(Number(part.indent) || 0, 0), 5);
  const start = ordered && part.offset ? Number(part.offset) + 1 : null;
  return el(ordered ? "ol" : "ul", { class: `list indent-${level}`, start },
    array(part.elements).map((item) => el("li", {}, item?.type === "rich_text_section" ? run(item.elements, names) : richText({ elements: [item] }, names))));
}

const array = (value) => (Array.isArray(value) ? value : []);
const run = (elements, names) => array(elements).map((element) => styled(leaf(element ?? {}, names), element?.style));

function leaf(element, names) {
  switch (element.type) {
    case "text": return String(element.text ?? "");
    case "link": return link(String(element.url ?? ""), String(element.text || element.url || ""));
    case "emoji": return emoji(String(element.name ?? ""));
    case "user": return userMention(String(element.user_id ?? ""), names);
    case "channel": return channelMention(String(element.channel_id ?? ""), names);
    case "usergroup": return groupMention(String(element.usergroup_id ?? ""), names);
    case "broadcast": return broadcast(String(element.range ?? "here"));
    case "date": return el("time", {}, slackDate(element.timestamp, String(element.format ?? "{date}"), String(element.fallback ?? "")));
    case "color": return el("code", { class: "code" }, String(element.value ?? ""));
    default: return String(element.text ?? "");
  }
}

function styled(node, style) {
  if (!style || typeof style !== "object") return node;
  let out = node;
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (style[name]) out = el(tag, { class: tag === "code" ? "code" : null }, out);
  }
  return out;
}

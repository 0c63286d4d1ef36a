// One message: author, time, content, reactions, thread line, tools.
import { el, uid } from "./dom.js";
import { avatar, badges } from "./avatar.js";
import { renderBlocks, placeholder } from "./blocks.js";
import { emojiFor } from "./emoji.js";
import { Form } from "./form.js";
import { icon } from "./icons.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { statusLine } from "./statuses.js";
import { clock, full, iso, when } from "./time.js";

const SYSTEM = new Set(["channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "channel_archive", "channel_unarchive", "group_join", "group_leave", "tombstone"]);
const LONG = 3_500;
const LONG_LINES = 45;

/**
 * `view` says how to draw: {compact, editor: node|null, inThread, expanded: bool, status: status|null}; `host` does things:
 * names, act(message, blockId, action, form), confirm, openThread, react, pickReaction, edit, remove, copyLink, dismiss, expand.
 * Returns {node, form}.
 */
export function renderMessage(message, view, host) {
  const author = host.names.person(message.user) ?? { id: message.user, label: message.username || message.user || "Someone", is_bot: Boolean(message.bot_id) };
  const form = new Form();
  const headId = uid("head");
  const system = SYSTEM.has(message.subtype);
  const compact = view.compact && !system;
  const node = el("article", {
    class: classes(message, compact, system), dataset: { ts: message.ts }, tabindex: -1, "aria-labelledby": headId,
  },
  el("div", { class: "msg-gutter" }, compact ? el("span", { class: "msg-side-time", "aria-hidden": "true" }, clock(message.ts)) : avatar(author)),
  el("div", { class: "msg-body" },
    head(message, author, headId, compact),
    message.ephemeral ? ephemeralNote(message, host) : null,
    view.editor ?? content(message, view, form, host),
    view.editor ? null : reactions(message, host),
    view.inThread ? null : threadLine(message, host, view.status)),
  view.editor || system ? null : tools(message, view, host));
  return { node, form };
}

function classes(message, compact, system) {
  return ["msg", compact && "msg-compact", system && "msg-system", message.ephemeral && "msg-ephemeral", message.pending && "msg-pending"].filter(Boolean).join(" ");
}

function head(message, author, id, compact) {
  const time = el("time", { class: "msg-time", datetime: iso(message.ts), title: full(message.ts) }, clock(message.ts));
  return el("div", { class: compact ? "sr-only" : "msg-head", id }, el("bdi", { class: "msg-name" }, author.label), badges(author), " ", time);
}

function ephemeralNote(message, host) {
  return el("div", { class: "ephemeral" }, icon("eye", { size: 14 }), el("span", {}, "Only visible to you"),
    el("button", { class: "linklike", type: "button", onclick: () => host.dismiss(message) }, "Dismiss"));
}

function content(message, view, form, host) {
  const blocks = hasOwnBlocks(message);
  const surface = {
    names: host.names, form, confirm: host.confirm, act: (blockId, action) => host.act(message, blockId, action, form),
  };
  const edited = message.edited ? el("span", { class: "edited", title: message.edited.ts ? `Edited ${when(message.edited.ts)}` : null }, " (edited)") : null;
  const body = blocks
    ? [renderBlocks(message.blocks, surface), edited]
    : el("div", { class: "text", dir: "auto" }, mrkdwn(message.text ?? "", host.names), edited);
  const node = el("div", { class: "msg-content" }, body, (message.files ?? []).map(fileChip));
  return isLong(message, blocks) && !view.expanded ? collapsed(node, message, host) : node;
}

/** A person's message carries a rich_text twin of its text: the text is what they wrote. Blocks of apps are the message. */
function hasOwnBlocks(message) {
  if (!Array.isArray(message.blocks) || !message.blocks.length) return false;
  return Boolean(message.bot_id) || message.blocks.some((block) => block?.type !== "rich_text");
}

const isLong = (message, blocks) => {
  const text = blocks ? message.blocks.map((block) => block?.text?.text ?? block?.text ?? "").join("\n") : message.text ?? "";
  return text.length > LONG || text.split("\n").length > LONG_LINES;
};

function collapsed(node, message, host) {
  node.classList.add("msg-collapsed");
  return el("div", {}, node, el("button", { class: "linklike show-more", type: "button", onclick: () => host.expand(message) }, "Show the whole message"));
}

function fileChip(file) {
  const size = Number(file.size) ? ` · ${Math.ceil(Number(file.size) / 1024)} kB` : "";
  return placeholder(`${file.title || file.name || "File"}${size}`, "file");
}

function reactions(message, host) {
  if (!message.reactions?.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map((reaction) => {
    const mine = reaction.users?.includes(host.names.me);
    const who = (reaction.users ?? []).map((id) => host.names.person(id)?.label ?? id).join(", ");
    return el("button", {
      class: "reaction", type: "button", "aria-pressed": String(Boolean(mine)), title: `${who} · :${reaction.name}:`,
      "aria-label": `${reaction.name.replaceAll("_", " ")}, ${reaction.count ?? reaction.users?.length ?? 0}${mine ? ", yours" : ""}`,
      dataset: { focusKey: `reaction/${reaction.name}` }, onclick: () => host.react(message, reaction.name, mine),
    }, el("span", { class: "emoji" }, emojiFor(reaction.name) ?? `:${reaction.name}:`), el("span", { class: "reaction-count" }, reaction.count ?? reaction.users?.length ?? 0));
  }));
}

/** What goes on in the message's thread. A first status takes the room that its first reply will have. */
function threadLine(message, host, status) {
  const working = status ? statusLine(status, host.names) : null;
  if (!message.reply_count) return working ? el("div", { class: "thread-row" }, working) : null;
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => avatar(host.names.person(id) ?? { id, label: id }, "s"));
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  const line = el("button", { class: "thread-line", type: "button", dataset: { focusKey: "thread" }, onclick: () => host.openThread(message) },
    faces, el("span", { class: "thread-count" }, count), message.latest_reply ? el("span", { class: "thread-when" }, `Last reply ${when(message.latest_reply)}`) : null);
  return el("div", { class: "thread-row" }, line, working);
}

function tools(message, view, host) {
  const own = message.user === host.names.me && !message.ephemeral;
  const tool = (name, label, run) => el("button", { class: "tool", type: "button", "aria-label": label, title: label, dataset: { focusKey: `tool/${name}`, tool: name }, tabindex: -1, onclick: (event) => run(event.currentTarget) }, icon(name, { size: 16 }));
  const list = message.ephemeral ? [] : [
    tool("smile", "Add a reaction", (button) => host.pickReaction(message, button)),
    view.inThread ? null : tool("reply", "Reply in thread", () => host.openThread(message)),
    tool("link", "Copy link", () => host.copyLink(message)),
    own ? tool("edit", "Edit message", () => host.edit(message)) : null,
    own ? tool("trash", "Delete message", () => host.remove(message)) : null,
  ].filter(Boolean);
  return list.length ? el("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" }, list) : null;
}

/** One line for a notice or a preview. */
export function summary(message, names) {
  const text = message.text || (message.blocks ?? []).map((block) => (typeof block.text === "string" ? block.text : block.text?.text ?? "")).join(" ");
  return plain(text, names).replace(/\s+/g, " ").trim();
}

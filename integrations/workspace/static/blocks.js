// Block Kit to DOM nodes. An unknown or broken block becomes a labelled placeholder, never an exception for the reader.
import { el, uid } from "./dom.js";
import { element } from "./elements.js";
import { isInput } from "./inputs.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { mrkdwn, plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { link } from "./inline.js";
import { hostOf, safeHref, safeSrc } from "./urls.js";

export function renderBlocks(blocks, surface) {
  return (Array.isArray(blocks) ? blocks : []).map((block, index) => {
    const make = BLOCKS[block?.type];
    if (!make) return placeholder(`Block “${block?.type ?? "without a type"}” is not shown here`);
    try {
      return make(block, surface, block.block_id ?? `block-${index}`);
    } catch (error) {
      console.error("block not rendered", block.type, error);     // the data may be anything; one bad block must not hide the others
      return placeholder(`Block “${block.type}” could not be shown`);
    }
  });
}

const array = (value) => (Array.isArray(value) ? value : []);

export function placeholder(text, name = "file", detail = null) {
  return el("div", { class: "placeholder" }, icon(name, { size: 16 }), el("span", {}, text), detail);
}

function section(block, surface, blockId) {
  const text = block.text ? el("div", { class: "section-text", dir: "auto" }, textObject(block.text, surface.names)) : null;
  const fields = array(block.fields);
  const grid = fields.length ? el("div", { class: "fields" }, fields.map((field) => el("div", { class: "field-cell", dir: "auto" }, textObject(field, surface.names)))) : null;
  const accessory = block.accessory ? accessoryOf(block, surface, blockId) : null;
  return el("div", { class: `block section${accessory ? " has-accessory" : ""}` }, el("div", { class: "section-main" }, text, grid), accessory);
}

function accessoryOf(block, surface, blockId) {
  const accessory = block.accessory;
  if (accessory.type === "image") return el("div", { class: "accessory" }, picture(accessory, "thumb"));
  return el("div", { class: "accessory" }, element(accessory, surface, { blockId, label: plain(block.text?.text, surface.names) }) ?? unknownElement(accessory));
}

const unknownElement = (object) => placeholder(`“${object?.type ?? "element"}” is not shown here`);

const header = (block, surface) => el(`h${surface.heading ?? 3}`, { class: "block header-block", dir: "auto" }, textObject(block.text, surface.names));
const divider = () => el("hr", { class: "divider" });
const markdownBlock = (block, surface) => el("div", { class: "block", dir: "auto" }, markdown(block.text ?? "", surface.names));
const richTextBlock = (block, surface) => el("div", { class: "block", dir: "auto" }, richText(block, surface.names));

function context(block, surface) {
  return el("div", { class: "block context" }, array(block.elements).map((item) => (item?.type === "image"
    ? picture(item, "context-image")
    : el("span", { class: "context-text", dir: "auto" }, textObject(item, surface.names)))));
}

function actions(block, surface, blockId) {
  return el("div", { class: "block actions" }, array(block.elements).map((item) => element(item, surface, { blockId }) ?? unknownElement(item)));
}

function contextActions(block, surface, blockId) {
  return el("div", { class: "block actions context-actions" }, array(block.elements).map((item) => element(item, surface, { blockId }) ?? unknownElement(item)));
}

function input(block, surface, blockId) {
  const object = block.element ?? {};
  if (!isInput(object.type)) return unknownElement(object);
  const id = uid("in");
  const grouped = ["radio_buttons", "checkboxes"].includes(object.type) || object.type.startsWith("multi_");
  const hint = block.hint ? el("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint, surface.names)) : null;
  const error = el("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const control = element(object, surface, {
    blockId, id, inInput: true, dispatch: Boolean(block.dispatch_action), optional: Boolean(block.optional), required: !block.optional && !grouped, label: plain(block.label?.text, surface.names),
    labelledBy: `${id}-label`, describedBy: hint ? `${id}-error ${id}-hint` : `${id}-error`,
  });
  const label = el(grouped ? "div" : "label", { class: "input-label", id: `${id}-label`, for: grouped ? null : id },
    textObject(block.label, surface.names), block.optional ? el("span", { class: "optional" }, " (optional)") : null);
  return el("div", { class: "block input", dataset: { blockId } }, label, control, error, hint);
}

/** Shows (or with null clears) the error of the input block `blockId` inside `root`. */
export function showFieldError(root, form, blockId, text) {
  const block = [...root.querySelectorAll(".input[data-block-id]")].find((node) => node.dataset.blockId === blockId);
  if (!block) return false;
  const error = block.querySelector(".field-error");
  error.hidden = !text;
  error.replaceChildren(...(text ? [icon("alert", { size: 14 }), document.createTextNode(` ${text}`)] : []));
  block.classList.toggle("has-error", Boolean(text));
  for (const field of form.of(blockId)) {
    if (text) field.node.setAttribute("aria-invalid", "true"); else field.node.removeAttribute("aria-invalid");
  }
  return true;
}

function image(block, surface) {
  const title = block.title ? el("figcaption", {}, textObject(block.title, surface.names)) : null;
  return el("figure", { class: "block figure" }, title, picture(block, "picture"));
}

/** Pictures from elsewhere are named, not loaded: a fetch without a click would tell a stranger that someone reads. */
function picture(object, className) {
  const src = safeSrc(object.image_url ?? object.url ?? "");
  const alt = String(object.alt_text ?? "");
  if (src) return el("img", { class: className, src, alt, loading: "lazy" });
  if (className === "context-image") return el("span", { class: "chip", title: alt }, icon("image", { size: 14, label: "Image" }), alt);
  const host = hostOf(object.image_url);
  const detail = safeHref(object.image_url) ? el("span", { class: "placeholder-detail" }, link(object.image_url, host)) : null;
  return placeholder(alt ? `Image: ${alt}` : "Image", "image", detail);
}

function video(block, surface) {
  const title = plain(block.title?.text ?? block.alt_text ?? "", surface.names);
  const href = safeHref(block.title_url ?? block.video_url) ? block.title_url ?? block.video_url : null;
  return placeholder(`Video: ${title}`, "image", href ? link(href, hostOf(href)) : null);
}

const file = (block) => placeholder(`File ${block.external_id ?? ""}`, "file");

function table(block, surface) {
  const settings = array(block.column_settings);
  const cell = (content, tag, index) => el(tag, { class: `align-${["center", "right"].includes(settings[index]?.align) ? settings[index].align : "left"}`, scope: tag === "th" ? "col" : null }, cellContent(content, surface));
  const rows = array(block.rows).map((row, at) => el("tr", {}, array(row).map((content, index) => cell(content, at === 0 ? "th" : "td", index))));
  return el("div", { class: "block table-scroll", tabindex: 0, role: "group", "aria-label": "Table" },
    el("table", { class: "table" }, el("thead", {}, rows.slice(0, 1)), el("tbody", {}, rows.slice(1))));
}

function cellContent(content, surface) {
  if (content?.type === "rich_text") return richText(content, surface.names);
  if (content?.type === "mrkdwn") return mrkdwn(content.text ?? "", surface.names);
  return String(content?.text ?? content?.value ?? "");
}

const BLOCKS = { section, header, divider, context, actions, context_actions: contextActions, input, image, markdown: markdownBlock, table, rich_text: richTextBlock, video, file };

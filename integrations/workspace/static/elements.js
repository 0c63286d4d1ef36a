// Interactive elements. A surface gives: names (Directory), form (Form), act(blockId, action) → Promise, and confirm(object) → Promise<bool>.
import { el } from "./dom.js";
import { focusKey, perform } from "./action.js";
import { icon, hasIcon } from "./icons.js";
import { openMenu } from "./menu.js";
import { safeHref } from "./urls.js";
import { textObject, plain } from "./mrkdwn.js";
import { inputFor } from "./inputs.js";

const INTERACTIVE = { button, overflow, feedback_buttons: feedback, icon_button: iconButton, workflow_button: button };

/** A control for an element, or null when the type is not known. `place` is {blockId, label?, describedBy?, inInput?, dispatch?}. */
export function element(object, surface, place) {
  if (!object || typeof object !== "object") return null;
  const make = INTERACTIVE[object.type];
  return make ? make(object, surface, place) : inputFor(object, surface, place);
}

function button(object, surface, place) {
  const tone = ["primary", "danger"].includes(object.style) ? ` btn-${object.style}` : "";
  const props = {
    class: `btn${tone}`, dataset: { focusKey: focusKey(place, object), actionId: object.action_id ?? "" },
    "aria-label": object.accessibility_label || null,
    onclick: () => perform(control, object, surface, place, { value: object.value }),
  };
  const label = el("span", { class: "btn-label" }, textObject(object.text, surface.names));
  const control = safeHref(object.url)
    ? el("a", { ...props, href: object.url, target: "_blank", rel: "noopener noreferrer" }, label)
    : el("button", { ...props, type: "button" }, label);
  return control;
}

function overflow(object, surface, place) {
  const options = Array.isArray(object.options) ? object.options : [];
  const control = el("button", {
    class: "btn btn-icon", type: "button", "aria-label": "More actions", "aria-haspopup": "menu", dataset: { focusKey: focusKey(place, object) },
    onclick: () => openMenu(control, options.map((option) => ({
      label: plain(option.text?.text, surface.names), hint: plain(option.description?.text, surface.names), href: safeHref(option.url) ? option.url : null,
      run: () => perform(control, object, surface, place, { selected_option: option }),
    })), { label: "More actions" }),
  }, icon("more"));
  return control;
}

function feedback(object, surface, place) {
  const group = el("div", { class: "feedback", role: "group", "aria-label": "Feedback" });
  for (const [which, name] of [["positive_button", "good"], ["negative_button", "bad"]]) {
    const spec = object[which];
    if (!spec) continue;
    const control = el("button", {
      class: "btn btn-quiet", type: "button", "aria-label": spec.accessibility_label || plain(spec.text?.text, surface.names), "aria-pressed": "false",
      dataset: { focusKey: focusKey(place, object, which) },
      onclick: async () => {
        const done = await perform(control, object, surface, place, { value: spec.value });
        if (done) for (const other of group.children) other.setAttribute("aria-pressed", String(other === control));
      },
    }, icon(name, { size: 16 }), el("span", {}, textObject(spec.text, surface.names)));
    group.append(control);
  }
  return group;
}

function iconButton(object, surface, place) {
  const name = hasIcon(object.icon) ? object.icon : "more";
  const label = object.accessibility_label || plain(object.text?.text, surface.names) || "Action";
  const control = el("button", {
    class: "btn btn-quiet btn-icon", type: "button", "aria-label": label, title: label, dataset: { focusKey: focusKey(place, object) },
    onclick: () => perform(control, object, surface, place, { value: object.value }),
  }, icon(name, { size: 16 }));
  return control;
}


// Elements that hold a value. Each registers with the surface's form; outside an input block a change is an action at once.
import { el, uid } from "./dom.js";
import { focusKey, perform } from "./action.js";
import { plain, textObject } from "./mrkdwn.js";

const KINDS = {
  plain_text_input: textInput, email_text_input: textInput, url_text_input: textInput, number_input: textInput,
  static_select: select, multi_static_select: multiSelect, users_select: select, multi_users_select: multiSelect,
  channels_select: select, conversations_select: select, multi_channels_select: multiSelect, multi_conversations_select: multiSelect,
  radio_buttons: choices, checkboxes: choices, datepicker: moment, timepicker: moment, datetimepicker: moment,
};

export const isInput = (type) => type in KINDS;

export function inputFor(object, surface, place) {
  return KINDS[object.type]?.(object, surface, place) ?? null;
}

const array = (value) => (Array.isArray(value) ? value : []);

function attributes(object, place, extra = "") {
  return {
    id: extra ? null : place.id ?? uid("in"), dataset: { focusKey: focusKey(place, object, extra) },
    "aria-label": place.labelledBy || extra ? null : place.label || object.accessibility_label || plain(object.placeholder?.text) || "Value",
    "aria-describedby": place.describedBy ?? null, "aria-required": place.required ? "true" : null,
  };
}

function register(object, surface, place, field) {
  surface.form.add({ blockId: place.blockId, actionId: object.action_id ?? "", type: object.type, ...field });
}

/** True when a change must be told to the app: always outside an input block, inside one only with dispatch_action. */
const live = (place) => !place.inInput || place.dispatch;

const TEXT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text", plain_text_input: "text" };
const AUTOCOMPLETE = { email_text_input: "email", url_text_input: "url" };

function textInput(object, surface, place) {
  const multiline = object.type === "plain_text_input" && object.multiline;
  const node = el(multiline ? "textarea" : "input", {
    ...attributes(object, place), class: "field", type: multiline ? null : TEXT_TYPES[object.type], rows: multiline ? 4 : null,
    placeholder: plain(object.placeholder?.text) || null, maxlength: object.max_length ?? 3000, value: object.initial_value ?? "",
    inputmode: object.type === "number_input" ? (object.is_decimal_allowed ? "decimal" : "numeric") : null,
    autocomplete: AUTOCOMPLETE[object.type] ?? "off", spellcheck: object.type === "plain_text_input" ? "true" : "false",
  });
  const read = () => ({ type: object.type, value: node.value === "" ? null : node.value });
  const initial = node.value;
  register(object, surface, place, {
    node, read, write: (state) => { node.value = state.value ?? ""; }, touched: () => node.value !== initial,
    check: () => textProblem(object, node.value.trim(), place),
  });
  const send = () => perform(node, object, surface, place, { value: node.value });
  const triggers = array(object.dispatch_action_config?.trigger_actions_on);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || multiline || !live(place)) return;
    if (triggers.length && !triggers.includes("on_enter_pressed")) return;
    event.preventDefault();
    send();
  });
  if (live(place) && triggers.includes("on_character_entered")) {
    let timer = null;                       // one call for a burst of keys, as Slack does
    node.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(send, 400); });
  }
  return node;
}

function textProblem(object, value, place) {
  if (!value) return place.optional ? null : "Please complete this field.";
  if (object.min_length && value.length < object.min_length) return `Please write at least ${object.min_length} characters.`;
  if (object.type === "email_text_input" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return "Please enter an e-mail address, like name@example.com.";
  if (object.type === "url_text_input" && !/^https?:\/\/\S+$/.test(value)) return "Please enter an address that begins with https://.";
  return object.type === "number_input" ? numberProblem(object, value) : null;
}

function numberProblem(object, value) {
  const pattern = object.is_decimal_allowed ? /^-?\d+([.,]\d+)?$/ : /^-?\d+$/;
  if (!pattern.test(value)) return object.is_decimal_allowed ? "Please enter a number." : "Please enter a whole number.";
  const number = Number(value.replace(",", "."));
  if (object.min_value !== undefined && number < Number(object.min_value)) return `Please enter ${object.min_value} or more.`;
  if (object.max_value !== undefined && number > Number(object.max_value)) return `Please enter ${object.max_value} or less.`;
  return null;
}

/** What each kind of list offers, and the names Slack gives to what was chosen. */
function source(object, names) {
  const people = () => [{ options: names.people().map((person) => ({ value: person.id, label: person.label })) }];
  const channels = () => [{ options: names.channels().map((channel) => ({ value: channel.id, label: channel.title })) }];
  if (object.type.endsWith("users_select")) return { groups: people(), one: "selected_user", many: "selected_users", initial: object.initial_user ?? object.initial_users, plainValue: true };
  if (object.type.endsWith("channels_select")) return { groups: channels(), one: "selected_channel", many: "selected_channels", initial: object.initial_channel ?? object.initial_channels, plainValue: true };
  if (object.type.endsWith("conversations_select")) return { groups: channels(), one: "selected_conversation", many: "selected_conversations", initial: object.initial_conversation ?? object.initial_conversations, plainValue: true };
  const option = (item) => ({ value: String(item.value ?? ""), label: plain(item.text?.text, names), raw: item });
  const groups = object.option_groups
    ? array(object.option_groups).map((group) => ({ label: plain(group.label?.text, names), options: array(group.options).map(option) }))
    : [{ options: array(object.options).map(option) }];
  const initial = object.initial_option?.value ?? array(object.initial_options).map((item) => item.value);
  return { groups, one: "selected_option", many: "selected_options", initial, plainValue: false };
}

const given = (from, option) => (from.plainValue ? option.value : option.raw);

function select(object, surface, place) {
  const from = source(object, surface.names);
  const all = from.groups.flatMap((group) => group.options);
  const toOption = (option) => el("option", { value: String(all.indexOf(option)) }, option.label);
  const node = el("select", { ...attributes(object, place), class: "field select" },
    el("option", { value: "" }, plain(object.placeholder?.text, surface.names) || "Choose an option"),
    from.groups.map((group) => (group.label ? el("optgroup", { label: group.label }, group.options.map(toOption)) : group.options.map(toOption))));
  const pick = (value) => { const index = all.findIndex((option) => option.value === value); node.value = index < 0 ? "" : String(index); };
  pick(from.initial);
  let before = node.value;
  const initial = node.value;
  const chosen = () => (node.value === "" ? null : given(from, all[Number(node.value)]));
  register(object, surface, place, {
    node, read: () => ({ type: object.type, [from.one]: chosen() }), touched: () => node.value !== initial,
    write: (state) => { pick(from.plainValue ? state[from.one] : state[from.one]?.value); before = node.value; },
    check: () => (node.value === "" && !place.optional ? "Please choose an option." : null),
  });
  node.addEventListener("change", async () => {
    if (!live(place) || node.value === "") { before = node.value; return; }
    const done = await perform(node, object, surface, place, { [from.one]: chosen() });
    if (done) before = node.value; else node.value = before;
  });
  return node;
}

function multiSelect(object, surface, place) {
  const from = source(object, surface.names);
  return group(object, surface, place, { options: from.groups.flatMap((part) => part.options), initial: array(from.initial), multiple: true, stateName: from.many, give: (option) => given(from, option) });
}

function choices(object, surface, place) {
  const multiple = object.type === "checkboxes";
  const options = array(object.options).map((item) => ({ value: String(item.value ?? ""), raw: item }));
  const initial = multiple ? array(object.initial_options).map((item) => item.value) : [object.initial_option?.value];
  return group(object, surface, place, { options, initial, multiple, stateName: multiple ? "selected_options" : "selected_option", give: (option) => option.raw });
}

/** Radio buttons or check boxes as a labelled group; a long list of choices scrolls. */
function group(object, surface, place, { options, initial, multiple, stateName, give }) {
  const name = uid("group");
  const inputs = options.map((option, index) => el("input", {
    type: multiple ? "checkbox" : "radio", name, id: `${name}-${index}`, class: "tick", checked: initial.includes(option.value), dataset: { focusKey: focusKey(place, object, String(index)) },
  }));
  const rows = options.map((option, index) => el("div", { class: "choice" }, inputs[index],
    el("label", { for: `${name}-${index}` }, option.raw ? textObject(option.raw.text, surface.names) : option.label,
      option.raw?.description ? el("span", { class: "choice-note" }, textObject(option.raw.description, surface.names)) : null)));
  const node = el("div", { class: `choices${options.length > 8 ? " choices-long" : ""}`, role: multiple ? "group" : "radiogroup", "aria-labelledby": place.labelledBy ?? null, "aria-label": place.labelledBy ? null : place.label || "Choices", "aria-describedby": place.describedBy ?? null }, rows);
  const chosen = () => options.filter((_, index) => inputs[index].checked).map(give);
  const read = () => ({ type: object.type, [stateName]: multiple ? chosen() : chosen()[0] ?? null });
  const initialShape = JSON.stringify(read());
  register(object, surface, place, {
    node: inputs[0] ?? node, read, touched: () => JSON.stringify(read()) !== initialShape,
    write: (state) => {
      const wanted = new Set([state[stateName]].flat().map((item) => item?.value ?? item));
      options.forEach((option, index) => { inputs[index].checked = wanted.has(option.value); });
    },
    check: () => (!place.optional && chosen().length === 0 ? "Please choose an option." : null),
  });
  node.addEventListener("change", async () => {
    if (!live(place)) return;
    const { type, ...action } = read();
    await perform(node, object, surface, place, action);
  });
  return node;
}

const MOMENTS = {
  datepicker: { type: "date", state: "selected_date", initial: (object) => object.initial_date ?? "", give: (text) => text },
  timepicker: { type: "time", state: "selected_time", initial: (object) => object.initial_time ?? "", give: (text) => text },
  datetimepicker: { type: "datetime-local", state: "selected_date_time", initial: (object) => (object.initial_date_time ? localIso(object.initial_date_time) : ""), give: (text) => Math.floor(new Date(text).getTime() / 1000) },
};

function localIso(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function moment(object, surface, place) {
  const kind = MOMENTS[object.type];
  const node = el("input", { ...attributes(object, place), class: "field field-short", type: kind.type, value: kind.initial(object) });
  const initial = node.value;
  const read = () => ({ type: object.type, [kind.state]: node.value ? kind.give(node.value) : null });
  register(object, surface, place, {
    node, read, touched: () => node.value !== initial,
    write: (state) => { const value = state[kind.state]; node.value = value === null ? "" : object.type === "datetimepicker" ? localIso(value) : value; },
    check: () => (!place.optional && !node.value ? "Please choose a date or time." : null),
  });
  node.addEventListener("change", () => {
    if (!live(place) || !node.value) return;
    const { type, ...action } = read();
    perform(node, object, surface, place, action);
  });
  return node;
}

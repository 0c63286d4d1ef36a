// Initials on a calm colour that stays the same for a person; apps get their own shape.
import { el } from "./dom.js";
import { icon } from "./icons.js";

const HUES = 8;

/** People of the workspace take the colours in turn, so that neighbours differ; anybody else by their id. */
function hue(person) {
  if (person?.index !== undefined) return person.index % HUES;
  let sum = 0;
  for (const character of String(person?.id ?? "")) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % HUES;
}

export function avatar(person, size = "") {
  const label = person?.label ?? "?";
  const words = label.trim().split(/\s+/);
  const initials = ([...words[0]][0] ?? "?") + (words.length > 1 ? [...words.at(-1)][0] : "");
  const content = person?.is_bot ? icon("reply", { size: size === "s" ? 12 : size === "m" ? 16 : 20 }) : initials.toUpperCase();
  return el("span", { class: `avatar${size ? ` avatar-${size}` : ""} ${person?.is_bot ? "avatar-app" : `hue-${hue(person)}`}`, "aria-hidden": "true" }, content);
}

const ROLES = { customer: "Customer", specialist: "Specialist", admin: "Admin", guest: "Guest", bot: "App" };
export const roleName = (person) => (person ? (person.is_stranger ? "External" : ROLES[person.role] ?? person.role ?? "") : "");

/** APP and Guest beside a name: who can be trusted as a colleague must be seen. */
export function badges(person) {
  if (person?.is_bot) return el("span", { class: "badge badge-app" }, "APP");
  if (person?.is_stranger) return el("span", { class: "badge badge-guest" }, "External");
  return person?.is_guest ? el("span", { class: "badge badge-guest" }, "Guest") : null;
}

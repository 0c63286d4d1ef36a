// Modals: the stack that apps opened for me. One dialog; the top view is in it.
import { el, replace } from "./dom.js";
import { ask, openDialog } from "./dialog.js";
import { renderBlocks, showFieldError } from "./blocks.js";
import { wordsFor } from "./api.js";
import { Form, rememberFocus, restoreFocus } from "./form.js";
import { icon } from "./icons.js";
import { plain, textObject } from "./mrkdwn.js";

/** Slack's confirm object as a question. */
export const confirmWith = (names) => (object) => ask({
  title: plain(object.title?.text, names) || "Are you sure?", text: el("div", { class: "text" }, textObject(object.text, names)),
  yes: plain(object.confirm?.text, names) || "Yes", no: plain(object.deny?.text, names) || "Cancel", danger: object.style === "danger",
});

export class Modals {
  /** host: api, names, act({view_id}, blockId, action, form) */
  constructor(host) {
    this.host = host;
    this.stack = [];
    this.dialog = null;
  }

  /** Shows the top of `stack`. What was typed in a view stays when the app updates that view. */
  sync(stack) {
    this.stack = Array.isArray(stack) ? stack : [];
    const top = this.stack.at(-1);
    if (!top) { this.#hide(); return; }
    if (this.shown?.id === top.id && JSON.stringify(this.shown) === JSON.stringify(top)) return;
    const same = this.shown?.id === top.id;
    const typed = same ? this.form.snapshot() : new Map();
    const focus = same ? rememberFocus(this.dialog.body) : null;
    this.shown = top;
    this.dialog ??= openDialog({ title: "", className: "dialog-modal", onCancel: () => this.#cancel() });
    this.#draw(top);
    this.form.restore(typed);
    if (!restoreFocus(this.dialog.body, focus)) this.#focusFirst();
  }

  #draw(view) {
    const { names } = this.host;
    this.form = new Form();
    replace(this.dialog.heading, plain(view.title?.text, names));
    const surface = { names, form: this.form, confirm: confirmWith(names), act: (blockId, action) => this.host.act({ view_id: view.id }, blockId, action, this.form) };
    this.problem = el("div", { class: "form-problem", role: "alert", hidden: true });
    this.submit = view.submit || view.blocks?.some((block) => block.type === "input")
      ? el("button", { class: "btn btn-primary", type: "submit" }, el("span", { class: "btn-label" }, plain(view.submit?.text, names) || "Submit")) : null;
    const form = el("form", { class: "dialog-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#send(view); } },
      el("div", { class: "dialog-body blocks" }, this.problem, renderBlocks(view.blocks, surface)),
      el("div", { class: "dialog-foot" },
        el("button", { class: "btn", type: "button", onclick: () => this.#close(view, false) }, plain(view.close?.text, names) || (this.submit ? "Cancel" : "Close")), this.submit));
    form.addEventListener("input", (event) => this.#clearError(event));
    form.addEventListener("change", (event) => this.#clearError(event));
    replace(this.dialog.body, form);
  }

  #clearError(event) {
    const { blockId } = event.target.closest(".input")?.dataset ?? {};
    if (blockId) showFieldError(this.dialog.body, this.form, blockId, null);
  }

  #focusFirst() {
    const first = this.dialog.body.querySelector(".input input, .input textarea, .input select") ?? this.submit ?? this.dialog.shut;
    first.focus();
  }

  async #send(view) {
    if (this.submit?.getAttribute("aria-busy") === "true") return;
    const problems = this.#problems(view);
    if (Object.keys(problems).length) { this.#showErrors(problems); return; }
    this.#banner(null);
    this.submit?.setAttribute("aria-busy", "true");
    try {
      const result = await this.host.api.post("view_submit", { view_id: view.id, values: this.form.values() });
      if (result.errors) this.#showErrors(result.errors);
      else if (!result.ok) this.#banner(wordsFor(result.error ?? "timeout"));
      else if (result.closed && this.shown?.id === view.id) this.sync(this.stack.filter((other) => other.id !== view.id));
    } catch (error) {
      this.#banner(error.message);
    } finally {
      this.submit?.removeAttribute("aria-busy");
    }
  }

  /** What Slack itself checks before the app sees anything. */
  #problems(view) {
    const problems = {};
    for (const block of view.blocks ?? []) {
      if (block.type !== "input") continue;
      const problem = this.form.of(block.block_id).map((field) => field.check()).find(Boolean);
      if (problem) problems[block.block_id] = problem;
    }
    return problems;
  }

  #showErrors(errors) {
    const lost = [];
    for (const block of this.shown.blocks ?? []) if (block.type === "input") showFieldError(this.dialog.body, this.form, block.block_id, errors[block.block_id] ?? null);
    for (const [blockId, text] of Object.entries(errors)) if (!showFieldError(this.dialog.body, this.form, blockId, String(text))) lost.push(text);
    this.#banner(lost.length ? lost.join(" ") : null);
    this.dialog.body.querySelector("[aria-invalid='true']")?.focus();
  }

  #banner(text) {
    this.problem.hidden = !text;
    replace(this.problem, text ? [icon("alert", { size: 16 }), el("span", {}, text)] : null);
  }

  #cancel() { if (this.shown) this.#close(this.shown, false); }

  /** Esc and Cancel leave the top view; what lies under it comes back. */
  async #close(view, clear) {
    this.sync(clear ? [] : this.stack.filter((other) => other.id !== view.id));
    try { await this.host.api.post("view_close", { view_id: view.id, clear }); } catch { /* closed here; the next state says what the server thinks */ }
  }

  #hide() {
    this.dialog?.close();
    this.dialog = null;
    this.shown = null;
  }
}

// The app's Home tab.
import { el, replace } from "./dom.js";
import { renderBlocks } from "./blocks.js";
import { confirmWith } from "./views.js";
import { Form, rememberFocus, restoreFocus } from "./form.js";

export class Home {
  /** host: names, act */
  constructor(host, app) {
    this.host = host;
    this.app = app;
    this.form = new Form();
    this.body = el("div", { class: "home blocks" }, el("p", { class: "empty" }, `Opening ${app.name}…`));
    this.node = el("div", { class: "scroller home-scroller", role: "tabpanel", id: "panel-home", "aria-labelledby": "tab-home", tabindex: 0 }, this.body);
  }

  show(view) {
    if (!view) {
      replace(this.body, el("div", { class: "empty" }, el("p", { class: "empty-title" }, "Nothing here yet"), el("p", {}, `${this.app.name} has not published a Home for you. It does when it is running and sees that you opened this tab.`)));
      return;
    }
    if (JSON.stringify(view) === JSON.stringify(this.view)) return;
    const typed = this.form.snapshot();
    const focus = rememberFocus(this.body);
    this.view = view;
    this.form = new Form();
    const { form } = this;
    replace(this.body, renderBlocks(view.blocks, { names: this.host.names, form, heading: 2, confirm: confirmWith(this.host.names), act: (blockId, action) => this.host.act({ view_id: view.id }, blockId, action, form) }));
    form.restore(typed);
    restoreFocus(this.body, focus);
  }
}

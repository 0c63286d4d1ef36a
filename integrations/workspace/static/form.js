// The values of the inputs on one surface (a message, a modal, a Home view): read for `state.values`, kept over a redraw.

export class Form {
  constructor() { this.fields = new Map(); }

  /** field: {blockId, actionId, type, read(): state value, write(value), node (gets focus), label, check(): problem|null} */
  add(field) { this.fields.set(`${field.blockId}\u0000${field.actionId}`, field); }

  /** Slack's `state.values`. */
  values() {
    const out = {};
    for (const field of this.fields.values()) (out[field.blockId] ??= {})[field.actionId] = field.read();
    return out;
  }

  of(blockId) { return [...this.fields.values()].filter((field) => field.blockId === blockId); }

  snapshot() { return new Map([...this.fields].filter(([, field]) => field.touched?.()).map(([key, field]) => [key, [field.type, field.read()]])); }

  /** What a person had typed survives the app's update of a view, as in Slack. */
  restore(snapshot) {
    for (const [key, [type, value]] of snapshot) {
      const field = this.fields.get(key);
      if (field?.type === type) field.write(value);
    }
  }
}

/** Where the focus is inside `root`, in words that survive a redraw. */
export function rememberFocus(root) {
  const held = document.activeElement;
  if (!held || !root.contains(held)) return null;
  const { focusKey } = held.dataset;
  return focusKey ? { focusKey, start: held.selectionStart ?? null, end: held.selectionEnd ?? null } : null;
}

export function restoreFocus(root, memory) {
  if (!memory) return false;
  const node = [...root.querySelectorAll("[data-focus-key]")].find((candidate) => candidate.dataset.focusKey === memory.focusKey);
  if (!node) return false;
  node.focus({ preventScroll: true });
  if (memory.start !== null) try { node.setSelectionRange(memory.start, memory.end); } catch { /* not a text field */ }
  return true;
}

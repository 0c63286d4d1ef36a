// What every interactive element shares: how it is found again after a redraw, and how it calls the app.

export const focusKey = (place, object, extra = "") => `${place.blockId}/${object.action_id ?? ""}/${extra}`;

/** Runs an action with the control busy until the server answered; a confirm dialog first when the app asked for one. */
export async function perform(control, object, surface, place, action) {
  if (control.getAttribute("aria-busy") === "true") return false;
  if (object.confirm && !(await surface.confirm(object.confirm))) return false;
  control.setAttribute("aria-busy", "true");
  try {
    return await surface.act(place.blockId, { type: object.type, action_id: object.action_id ?? "", ...action });
  } finally {
    control.removeAttribute("aria-busy");
  }
}

// Start: who acts (from the address, else the last one, else the first), then one Session; keys that work everywhere.
import { Api } from "./api.js";
import { focusable } from "./dom.js";
import { Session } from "./session.js";
import { parseRoute, route } from "./state.js";
import { openHelp, openSwitcher } from "./switcher.js";

const LAST = "workspace.person";
const RETRY_MS = 1_500;
const byId = (id) => document.getElementById(id);
const roots = { rail: byId("rail"), main: byId("main"), thread: byId("thread"), offline: byId("offline") };
let session = null;
let turn = 0;                       // the newest change of address wins

const stored = () => { try { return localStorage.getItem(LAST); } catch { return null; } };
const store = (me) => { try { localStorage.setItem(LAST, me); } catch { /* then the next visit starts as the first person */ } };

/** Asks the server until it answers: who may act here, and as whom to begin. */
async function firstPerson(wanted) {
  for (;;) {
    try {
      return (await new Api(wanted).get("state")).me;
    } catch (error) {
      if (error.status && wanted) { wanted = null; continue; }       // an unknown person: begin as the first
      byId("starting")?.replaceChildren(error.message);
      await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
    }
  }
}

async function follow() {
  const where = parseRoute(location.hash);
  if (session && where.me === session.names.me) { await session.navigate(where); return; }
  turn += 1;
  const mine = turn;
  const me = await firstPerson(where.me ?? stored());
  if (mine !== turn) return;
  if (me !== where.me) history.replaceState(null, "", route({ ...where, me }));
  store(me);
  const keepFocus = document.activeElement?.dataset?.railKey === "persona";
  session?.stop();
  drawer.close();
  session = new Session(me, roots, drawer);
  window.workspaceSession = session;              // for the console of a developer
  session.start();
  if (keepFocus) byId("main").focus();
}

// --- the rail as a drawer on a phone ------------------------------------------------

const drawer = {
  open() {
    byId("app").classList.add("drawer-open");
    byId("scrim").hidden = false;
    byId("main").inert = true;
    byId("thread").inert = true;
    (roots.rail.querySelector("[aria-current='page']") ?? roots.rail.querySelector("button"))?.focus();
  },
  close() {
    if (!drawer.isOpen) return;
    byId("app").classList.remove("drawer-open");
    byId("scrim").hidden = true;
    byId("main").inert = false;
    byId("thread").inert = false;
    document.querySelector(".drawer-button")?.focus();
  },
  get isOpen() { return byId("app").classList.contains("drawer-open"); },
};
byId("scrim").addEventListener("click", () => drawer.close());

// --- keys ------------------------------------------------------------------------------

function nextRegion(back) {
  const regions = [roots.rail, roots.main, roots.thread].filter((node) => !node.hidden && node.getClientRects().length);
  const at = regions.findIndex((node) => node.contains(document.activeElement));
  const next = regions[(at + (back ? -1 : 1) + regions.length) % regions.length];
  (next.querySelector("[aria-current='page']") ?? next.querySelector(".panel > .composer textarea, .thread > .composer textarea") ?? next.querySelector(":scope > .composer textarea") ?? focusable(next)[0])?.focus();
}

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  const inDialog = Boolean(document.querySelector("dialog[open]"));
  if (!session || inDialog) return;
  if (command && event.key.toLowerCase() === "k") { event.preventDefault(); openSwitcher(session.names); }
  else if (command && event.key === "/") { event.preventDefault(); openHelp(); }
  else if (event.key === "F6") { event.preventDefault(); nextRegion(event.shiftKey); }
  else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) { event.preventDefault(); session.step(event.key === "ArrowUp" ? -1 : 1); }
  else if (event.key === "Escape" && !document.querySelector("[popover]:popover-open")) escape();
});

function escape() {
  if (drawer.isOpen) drawer.close();
  else if (session.thread && roots.thread.contains(document.activeElement)) session.closeThread();
}

byId("skip").addEventListener("click", () => (roots.main.querySelector("textarea") ?? roots.main).focus());
document.addEventListener("visibilitychange", () => session?.markSeen());
window.addEventListener("hashchange", follow);
follow();

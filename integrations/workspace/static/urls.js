// What a link or a picture may point to. Everything that comes from a message is judged here and nowhere else.

const LINKS = new Set(["http:", "https:", "mailto:"]);

/** The address when it may be followed, else null. Own page links ("#…") are allowed; javascript:, data: and the rest are not. */
export function safeHref(value) {
  if (typeof value !== "string") return null;
  if (value.startsWith("#")) return value;
  let url;
  try { url = new URL(value); } catch { return null; }  // relative addresses are refused: they would point into this page
  return LINKS.has(url.protocol) ? url.href : null;
}

/** The address of a picture that is loaded without a click: only data: pictures and this server's own files. */
export function safeSrc(value) {
  if (typeof value !== "string") return null;
  if (/^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(value)) return value;
  let url;
  try { url = new URL(value, location.href); } catch { return null; }
  return url.origin === location.origin && url.protocol.startsWith("http") ? url.href : null;
}

export function hostOf(value) {
  try { return new URL(value).host; } catch { return ""; }
}

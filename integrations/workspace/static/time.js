// Times as people read them, in this browser's zone.

const LOCALE = navigator.language?.startsWith("en") ? navigator.language : "en-GB";
const format = (options) => new Intl.DateTimeFormat(LOCALE, options);
const CLOCK = format({ hour: "numeric", minute: "2-digit" });
const CLOCK_SECONDS = format({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const DAY_YEAR = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const DATE = format({ day: "numeric", month: "long", year: "numeric" });
const DATE_SHORT = format({ day: "numeric", month: "short", year: "numeric" });
const DATE_NUM = format({ day: "2-digit", month: "2-digit", year: "numeric" });
const FULL = format({ weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit" });

export const dateOf = (ts) => new Date(Number.parseFloat(ts) * 1000);
export const clock = (ts) => CLOCK.format(dateOf(ts));
export const full = (ts) => FULL.format(dateOf(ts));
export const dayKey = (ts) => { const d = dateOf(ts); return `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`; };
export const iso = (ts) => { const d = dateOf(ts); return Number.isNaN(d.getTime()) ? null : d.toISOString(); };

function daysAgo(date) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  return Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
}

export function day(ts) {
  const date = dateOf(ts);
  const ago = daysAgo(date);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  if (ago === -1) return "Tomorrow";
  return date.getFullYear() === new Date().getFullYear() ? DAY.format(date) : DAY_YEAR.format(date);
}

/** "21:04", or "Yesterday at 21:04", for a line that stands away from its day separator. */
export const when = (ts) => (daysAgo(dateOf(ts)) === 0 ? clock(ts) : `${day(ts).replace(/^(Yesterday|Tomorrow)$/, (word) => word.toLowerCase())} at ${clock(ts)}`);

/** Slack's <!date^seconds^{token} …^link|fallback>; unknown tokens stay as they are. */
export function slackDate(seconds, pattern, fallback) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback ?? "";
  const relative = { 0: "today", 1: "yesterday", [-1]: "tomorrow" }[daysAgo(date)];
  const pretty = (text) => relative ?? text;
  const tokens = {
    date: DATE.format(date), date_num: DATE_NUM.format(date), date_slash: DATE_NUM.format(date),
    date_short: DATE_SHORT.format(date), date_long: DAY_YEAR.format(date),
    date_pretty: pretty(DATE.format(date)), date_short_pretty: pretty(DATE_SHORT.format(date)), date_long_pretty: pretty(DAY_YEAR.format(date)),
    day_divider_pretty: pretty(DAY.format(date)), time: CLOCK.format(date), time_secs: CLOCK_SECONDS.format(date), ago: ago(date),
  };
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => tokens[name] ?? whole);
}

function ago(date) {
  const seconds = Math.round((Date.now() - date.getTime()) / 1000);
  const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3_600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(-Math.trunc(seconds / size), unit);
  }
  return relative.format(-seconds, "second");
}

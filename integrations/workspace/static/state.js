// What the page knows: people and conversations (Directory), and the messages of one open list (MessageList).

/** Stands in an address where a conversation does; no id of Slack looks like it. */
export const MAIL = "mail";

export class Directory {
  constructor() { this.load({ team: { name: "" }, me: null, people: [], channels: [], apps: [] }); }

  load(state) {
    this.team = state.team ?? { name: "" };
    this.me = state.me;
    this.apps = state.apps ?? [];
    this.mail = state.mail ?? { address: "", unread: 0 };
    this.byPerson = new Map((state.people ?? []).map((person, index) => [person.id, { ...person, index, label: person.real_name || person.name || person.id }]));
    this.byChannel = new Map();
    for (const channel of state.channels ?? []) this.setChannel(channel);
    this.groups = new Map((state.usergroups ?? []).map((group) => [group.id, `@${group.handle}`]));
  }

  setChannel(channel) {
    const known = { ...this.byChannel.get(channel.id), ...channel };
    known.app = this.apps.find((app) => app.bot_user === known.peer) ?? null;
    if (known.kind === "mpim" && !known.name) known.name = (known.members ?? []).filter((id) => id !== this.me).map((id) => this.person(id)?.label ?? id).join(", ");
    known.title = known.kind === "im" ? this.person(known.peer)?.label ?? "Direct message" : `${known.kind === "mpim" ? "" : "#"}${known.name}`;
    this.byChannel.set(known.id, known);
    return known;
  }

  person(id) { return this.byPerson.get(id) ?? null; }
  channel(id) { return this.byChannel.get(id) ?? null; }
  group(id) { return this.groups.get(id) ?? null; }
  people() { return [...this.byPerson.values()]; }
  humans() { return this.people().filter((person) => !person.is_bot); }
  channels() { return [...this.byChannel.values()]; }
  channelHref(id) { return route({ me: this.me, channel: id }); }
  isApp(userId) { return this.person(userId)?.is_bot ?? false; }
  myself() { return this.person(this.me); }
}

/** The address of a place in this page: #/PERSON/CHANNEL, then /home, /t/THREAD or /m/MESSAGE. */
export function route({ me, channel, tab, thread, message }) {
  let hash = `#/${me}`;
  if (channel) hash += `/${channel}`;
  if (channel && tab === "home") return `${hash}/home`;
  if (channel && message && !thread) return `${hash}/m/${message}`;
  return channel && thread ? `${hash}/t/${thread}` : hash;
}

export function parseRoute(hash) {
  const [me = null, channel = null, kind = null, ts = null] = hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  return { me, channel, tab: kind === "home" ? "home" : "messages", thread: kind === "t" ? ts : null, message: kind === "m" ? ts : null };
}

const order = (a, b) => {
  const [whole, part = ""] = a.ts.split(".");
  const [otherWhole, otherPart = ""] = b.ts.split(".");
  return Number(whole) - Number(otherWhole) || (part < otherPart ? -1 : Number(part > otherPart));
};

/** Messages by ts, oldest first. `onChange` runs once for a burst of changes. */
export class MessageList {
  constructor(onChange) {
    this.byTs = new Map();
    this.ordered = null;
    this.hasMore = false;
    this.onChange = onChange;
    this.pending = false;
  }

  get sorted() {
    this.ordered ??= [...this.byTs.values()].sort(order);
    return this.ordered;
  }

  get size() { return this.byTs.size; }
  get(ts) { return this.byTs.get(ts) ?? null; }

  merge(messages) {
    for (const message of messages) this.byTs.set(message.ts, message);
    this.#changed();
  }

  /** After a reconnect: what the server has now, and the ephemeral ones that only this page has. */
  reset(messages, hasMore) {
    const kept = this.sorted.filter((message) => message.ephemeral);
    this.byTs = new Map([...kept, ...messages].map((message) => [message.ts, message]));
    this.hasMore = hasMore;
    this.#changed();
  }

  /** Forgets the oldest: they load again when somebody scrolls up to them. */
  keepNewest(count) {
    this.byTs = new Map(this.sorted.slice(-count).map((message) => [message.ts, message]));
    this.hasMore = true;
    this.#changed();
  }

  remove(ts) {
    if (this.byTs.delete(ts)) this.#changed();
  }

  #changed() {
    this.ordered = null;
    if (this.pending) return;
    this.pending = true;
    queueMicrotask(() => { this.pending = false; this.onChange(); });
  }
}

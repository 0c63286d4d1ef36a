// Live updates. Read with fetch, not EventSource, because the server asks every call for its header.

const SILENCE_MS = 40_000;       // the server writes a comment every 15 s
const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 5_000;
const HIDDEN_GRACE_MS = 10_000;
const HIDDEN_STREAMS = 3;        // a browser opens six connections to one host, shared by all its windows

const LOCK = "workspace-stream-";
/** Holds a browser-wide lock while a stream is open, so that windows can count each other's. */
const holding = (work) => (navigator.locks ? navigator.locks.request(LOCK + crypto.randomUUID(), work) : work());

export class EventStream {
  /** `onOpen` runs at each (re)connection, before any event of it; `onDown` when it is lost. */
  constructor(me, { onOpen, onEvent, onDown }) {
    this.me = me;
    this.onOpen = onOpen;
    this.onEvent = onEvent;
    this.onDown = onDown;
    this.stopped = false;
    this.retry = FIRST_RETRY_MS;
    this.wake = null;
    this.onVisible = () => { if (!document.hidden) this.wake?.(); else this.#maybePause(); };
  }

  start() {
    document.addEventListener("visibilitychange", this.onVisible);
    this.#run();
  }

  stop() {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.onVisible);
    this.abort?.abort();
    this.wake?.();
  }

  async #run() {
    while (!this.stopped) {
      if (await this.#mustYield()) { await this.#sleep(null); continue; }
      await holding(() => this.#once());
      if (this.stopped) return;
      if (this.paused) { this.paused = false; continue; }
      this.onDown();
      await this.#sleep(this.retry);
      this.retry = Math.min(this.retry * 2, LAST_RETRY_MS);
    }
  }

  async #once() {
    this.abort = new AbortController();
    let silence = null;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.abort.abort(), SILENCE_MS);
    };
    try {
      const response = await fetch(`/page/events?as=${encodeURIComponent(this.me)}`, {
        headers: { "X-Workspace": "page", Accept: "text/event-stream" }, cache: "no-store", signal: this.abort.signal,
      });
      if (!response.ok || !response.body) return;
      this.retry = FIRST_RETRY_MS;
      heard();
      await this.onOpen();
      await this.#read(response.body.pipeThrough(new TextDecoderStream()).getReader(), heard);
    } catch { /* a lost stream is the normal case here: the caller is told, and we connect again */ } finally {
      clearTimeout(silence);
    }
  }

  async #read(reader, heard) {
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      buffer += value.replaceAll("\r", "");
      for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
        this.#dispatch(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
      }
    }
  }

  #dispatch(frame) {
    const data = frame.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
    if (!data || this.stopped) return;
    let event;
    try { event = JSON.parse(data); } catch { return; }
    this.onEvent(event);
  }

  /** A hidden window gives its connection back when several others hold one; it reloads when it is seen again. */
  async #mustYield() {
    if (!document.hidden || !navigator.locks) return false;
    const { held } = await navigator.locks.query();
    return held.filter((lock) => lock.name.startsWith(LOCK)).length >= HIDDEN_STREAMS;
  }

  #maybePause() {
    setTimeout(async () => {
      if (this.stopped || !await this.#mustYield()) return;
      this.paused = true;
      this.abort?.abort();
    }, HIDDEN_GRACE_MS);
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(resolve, ms);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}

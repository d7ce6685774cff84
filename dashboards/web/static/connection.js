// The stream is always either heard or being opened again. A browser gives up for good after one answer that is no
// stream, and a dead network may say nothing at all: so nothing here relies on the browser's own reconnecting.

const SILENCE = 30_000; // ms, of a server that says nothing of how often it is heard
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

export class Connection {
  /** @param on {snapshot, change, heartbeat, state}: called with parsed data; state with ("connecting"|"live"|"lost"). */
  constructor(url, on) {
    this.on = on;
    this.silence = SILENCE;
    this.failures = 0;
    this.timer = null;
    this.lost = false;
    this.open(url);
    setInterval(() => this.watch(), 1_000);
  }

  /** Listens to this address from now on. */
  open(url) {
    this.url = url;
    this.drop();
    clearTimeout(this.timer);
    this.timer = null;
    this.heard = performance.now();
    if (!this.lost) this.on.state("connecting");
    const source = new EventSource(url);
    this.source = source;
    // Who may no longer see this board is told, and shown what they may see.
    source.addEventListener("goodbye", () => location.reload());
    for (const kind of ["snapshot", "change", "heartbeat", "pulse"]) {
      source.addEventListener(kind, (event) => {
        if (this.source === source) this.hear(kind, event);
      });
    }
    source.onerror = () => {
      if (this.source === source) this.again();
    };
  }

  hear(kind, event) {
    this.heard = performance.now();
    this.failures = 0;
    this.lost = false;
    this.on.state("live");
    const data = JSON.parse(event.data);
    if (kind === "heartbeat" && data.pulse) this.silence = 2_000 * data.pulse + 1_000;
    if (kind !== "pulse") this.on[kind](data);
  }

  watch() {
    if (this.timer !== null) return;
    if (this.source.readyState === EventSource.CLOSED || performance.now() - this.heard > this.silence) this.again();
  }

  again() {
    this.drop();
    if (this.timer !== null) return;
    this.lost = true;
    this.on.state("lost");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 10);
    // A thousand screens must not come back in the same instant.
    this.timer = setTimeout(() => this.open(this.url), wait * (0.5 + Math.random()));
  }

  drop() {
    if (this.source) this.source.close();
  }
}

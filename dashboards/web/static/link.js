// Whether what is on the screen is alive, in words: the connection first, then the service behind it.

import { attribute, text } from "./dom.js";
import { serverNow } from "./servertime.js";

const FORGIVEN = 10_000; // ms without a server: a restart is no reason to make a wall grey

export class Link {
  constructor(words) {
    this.words = words;
    this.node = document.getElementById("link");
    this.label = document.getElementById("link-text");
    this.connection = "connecting";
    this.service = { service: "live", since: null };
    this.heard = null;
  }

  setConnection(state) {
    if (state === "live") this.heard = serverNow();
    if (state === this.connection) return;
    this.connection = state;
    this.draw();
  }

  setService(heartbeat) {
    this.service = heartbeat;
    this.draw();
  }

  /** Whether what is shown is of now: the server is heard, and so is the service behind it. */
  get current() {
    if (this.connection !== "live") return this.heard === null || serverNow() - this.heard <= FORGIVEN;
    return this.service.service !== "silent" && this.service.service !== "unavailable";
  }

  draw() {
    const [state, message] = this.said();
    attribute(this.node, "data-state", state);
    text(this.label, message);
  }

  said() {
    const time = (at) => this.words.time(at, serverNow());
    if (this.connection === "lost") {
      return ["lost", this.words.say("connection.lost", { time: time(this.heard ?? serverNow()) })];
    }
    if (this.connection === "connecting") return ["connecting", this.words.say("connection.connecting")];
    const { service, since } = this.service;
    if (since) {
      return [service, this.words.say(`service.${service}`, { time: time(Date.parse(since)) })];
    }
    if (service !== "live") return ["waiting", this.words.say(`service.${service}`)];
    return ["live", this.words.say("connection.live")];
  }
}

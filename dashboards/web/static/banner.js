// What nobody in the hall may overlook: the views are not there, so nothing on this board is of now.

import { attribute, text } from "./dom.js";
import { serverNow } from "./servertime.js";

export class Banner {
  constructor(words) {
    this.words = words;
    this.node = document.getElementById("banner");
    this.since = null;
  }

  /** @param heartbeat the service's state as the server tells it. */
  show({ service, since }) {
    this.since = service === "unavailable" ? Date.parse(since) : null;
    this.draw();
  }

  draw() {
    this.node.hidden = this.since === null;
    attribute(document.body, "data-views", this.since === null ? null : "unavailable");
    if (this.since === null) return;
    const time = this.words.time(this.since, serverNow());
    text(this.node, this.words.say("banner.unavailable", { time }));
  }
}

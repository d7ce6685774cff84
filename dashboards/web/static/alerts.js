// The unit's open alerts, the ones that matter most. Their place is there also while none is open: nothing moves.

import { AlertCard } from "./alertcard.js";
import { attribute, text } from "./dom.js";
import { serverNow } from "./servertime.js";

export class Alerts {
  constructor(words) {
    this.words = words;
    this.node = document.getElementById("alerts");
    this.count = document.getElementById("alerts-count");
    this.label = document.getElementById("alerts-label");
    this.list = document.getElementById("alerts-list");
    this.cards = new Map();
    this.alerts = null;
  }

  /** @param data a snapshot, or a change, which names alerts only when they are others. */
  take(data) {
    if (data.alerts !== undefined) this.alerts = data.alerts;
    this.draw();
  }

  /** None that are shown is no good news where others may be open: the sign of it is for those who see all. */
  none() {
    if (this.alerts.hidden) return this.words.say("alerts.hidden");
    return this.alerts.below ? this.words.say("alerts.below") : this.words.say("alerts.none");
  }

  draw() {
    if (!this.alerts) return;
    const { shown, open, hidden, below } = this.alerts;
    attribute(this.node, "data-open", String(open));
    attribute(this.node, "data-part", hidden || below ? "" : null);
    text(this.count, open ? this.words.number(open) : "");
    text(this.label, open ? this.words.say("alerts.open", { n: open }) : this.none());
    const cards = new Map(shown.map((alert) => [alert.id, this.cards.get(alert.id) ?? new AlertCard()]));
    this.cards = cards;
    for (const alert of shown) cards.get(alert.id).show(this.words, alert, serverNow());
    const nodes = [...cards.values()].map((card) => card.node);
    const there = [...this.list.children];
    if (there.length !== nodes.length || nodes.some((node, i) => node !== there[i])) this.list.replaceChildren(...nodes);
  }
}

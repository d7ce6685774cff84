// The unit's open alerts, the ones that matter most. Their place is there also while none is open: nothing moves.

import { AlertCard, isCommon } from "./alertcard.js";
import { attribute, text } from "./dom.js";
import { serverNow } from "./servertime.js";

const PLACES = 3;
const WORDY = 2; // places of an alert that says what happened in a sentence

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
    const { open, hidden, below } = this.alerts;
    const [shown, spans] = placed(this.alerts.shown);
    attribute(this.node, "data-open", String(open));
    attribute(this.node, "data-part", hidden || below ? "" : null);
    text(this.count, open ? this.words.number(open) : "");
    text(this.label, open ? this.words.say("alerts.open", { n: open }) : this.none());
    const cards = new Map(shown.map((alert) => [alert.id, this.cards.get(alert.id) ?? new AlertCard()]));
    this.cards = cards;
    shown.forEach((alert, i) => cards.get(alert.id).show(this.words, alert, serverNow(), spans[i]));
    const nodes = [...cards.values()].map((card) => card.node);
    const there = [...this.list.children];
    if (there.length !== nodes.length || nodes.some((node, i) => node !== there[i])) this.list.replaceChildren(...nodes);
  }
}

/** What has room, and how many places each has: people who drop together come before alerts of single ones. */
function placed(alerts) {
  const spans = [];
  const shown = [...alerts].sort((one, other) => isCommon(other) - isCommon(one)).filter((alert) => {
    const room = PLACES - spans.reduce((sum, span) => sum + span, 0);
    const span = isCommon(alert) ? (alerts.length > 1 ? WORDY : PLACES) : 1;
    if (span <= room) spans.push(span);
    return span <= room;
  });
  return [shown, spans];
}

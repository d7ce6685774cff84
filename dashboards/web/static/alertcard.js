// One open alert: whom it is about, how bad it is, since when, and whether somebody is at it.

import { ALERT_SHAPES, signOf } from "./alertsign.js";
import { kept } from "./carried.js";
import { attribute, el, style, svg, text } from "./dom.js";

export class AlertCard {
  constructor() {
    this.path = svg("path", { "fill-rule": "evenodd" });
    this.who = el("b");
    this.value = el("span");
    this.sample = el("small");
    this.state = el("p", { class: "alert-state" });
    this.what = el("p", { class: "alert-what" });
    this.evidence = el("a", { class: "alert-evidence" }, this.who);
    const head = el("p", { class: "alert-who" }, this.evidence, this.value, this.sample);
    const icon = svg("svg", { class: "alert-icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, this.path);
    this.node = el("li", { class: "alert" }, icon, head, this.state, this.what);
  }

  /**
   * One about nobody is about the whole unit, whose name the board has in its title; of people who drop together it says
   * that in words, with what to look at first.
   * @param span how many places of the strip it has.
   */
  show(words, alert, now, span) {
    const [kind, word] = signOf(words, alert);
    attribute(this.node, "data-severity", alert.severity);
    attribute(this.node, "data-state", alert.state);
    attribute(this.path, "d", ALERT_SHAPES[kind]);
    attribute(this.evidence, "href", `/alerts/${encodeURIComponent(alert.id)}${kept()}`);
    const common = isCommon(alert);
    const { affected, n } = alert;
    style(this.node, "--span", String(span));
    attribute(this.node, "data-common", common ? "" : null);
    text(this.who, common ? words.say("alert.common", { n: affected, of: n }) : called(words, alert));
    text(this.value, common ? "" : words.valueText(alert, alert.value));
    text(this.sample, common || n === null ? "" : words.say("sample", { n }));
    text(this.state, word);
    text(this.what, `${common ? `${words.say("alert.look")} · ` : ""}${what(words, alert, now)}`);
  }
}

/** Whether it is about people who drop together; its value is their share. */
export function isCommon(alert) {
  return alert.affected !== null && alert.affected !== undefined;
}

function called(words, alert) {
  return alert.person ?? alert.mark ?? alert.employee ?? words.say("alert.whole");
}

function what(words, alert, now) {
  const time = (text) => words.shortTime(Date.parse(text), now);
  const parts = [words.say("alert.since", { time: time(alert.since) })];
  if (alert.until) parts.push(words.say("alert.until", { time: time(alert.until) }));
  parts.push(words.name(alert));
  if (alert.window) parts.push(words.window(alert.window));
  return parts.join(" · ");
}

// A value is drawn with what it may as well be: the 95 % interval as a bar, the target as a line across.

import { attribute, el, style } from "./dom.js";

export class Whisker {
  constructor(node, { scale = false } = {}) {
    this.node = node;
    attribute(node, "role", "img");
    this.bar = el("i", { class: "bar" });
    this.dot = el("i", { class: "dot" });
    this.target = el("i", { class: "target" });
    node.replaceChildren(el("i", { class: "track" }), this.bar, this.target, this.dot);
    if (scale) {
      this.ends = [el("b", { class: "end low" }), el("b", { class: "end high" })];
      this.goal = el("b", { class: "goal" });
      node.append(...this.ends, this.goal);
    }
  }

  show(words, reading, domain) {
    const drawn = reading && reading.low !== null && reading.high !== null && reading.value !== null;
    attribute(this.node, "data-empty", drawn ? null : "");
    attribute(this.node, "aria-label", drawn ? label(words, reading) : words.say("interval.none"));
    if (!drawn) return;
    const at = (value) => Math.min(100, Math.max(0, ((value - domain[0]) / (domain[1] - domain[0])) * 100));
    style(this.bar, "left", `${at(reading.low).toFixed(2)}%`);
    style(this.bar, "right", `${(100 - at(reading.high)).toFixed(2)}%`);
    style(this.dot, "left", `${at(reading.value).toFixed(2)}%`);
    attribute(this.bar, "data-cut", reading.low < domain[0] ? "" : null);
    attribute(this.target, "hidden", reading.target === null ? "" : null);
    if (reading.target !== null) style(this.target, "left", `${at(reading.target).toFixed(2)}%`);
    if (this.goal) this.showScale(words, reading, domain, at);
  }

  showScale(words, reading, domain, at) {
    this.ends.forEach((end, i) => (end.textContent = words.valueText(reading, domain[i])));
    attribute(this.goal, "hidden", reading.target === null ? "" : null);
    if (reading.target === null) return;
    this.goal.textContent = words.say("target", { value: words.valueText(reading, reading.target) });
    style(this.goal, "left", `${at(reading.target).toFixed(2)}%`);
    attribute(this.goal, "data-side", at(reading.target) > 70 ? "right" : "middle");
  }
}

function label(words, reading) {
  const target = reading.target === null ? "" : words.say("target", { value: words.valueText(reading, reading.target) });
  return words.say("aria.whisker", {
    value: words.valueText(reading, reading.value),
    low: words.valueText(reading, reading.low),
    high: words.valueText(reading, reading.high),
    target,
  });
}

/** One scale for all bars of a board, so that they can be compared: from below the lowest sure interval to the top. */
export function domainOf(readings) {
  const sure = readings.filter((reading) => reading && reading.status === "ok" && reading.low !== null);
  const targets = readings.filter((reading) => reading && reading.target !== null).map((reading) => reading.target);
  if (!sure.length && !targets.length) return [0, 1];
  const low = Math.min(...sure.map((reading) => reading.low), ...targets.map((target) => target - 0.05));
  const high = Math.max(...sure.map((reading) => reading.high), ...targets);
  const top = high <= 1 ? 1 : high * 1.05;
  return [Math.max(0, Math.floor(low * 20) / 20), top];
}

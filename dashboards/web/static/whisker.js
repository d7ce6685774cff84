// A value is drawn with what it may as well be: the 95 % interval as a bar, the target as a line across.

import { attribute, el, style } from "./dom.js";

export class Whisker {
  constructor(node, { scale = false } = {}) {
    this.node = node;
    attribute(node, "role", "img");
    this.bar = el("i", { class: "bar" });
    this.dot = el("i", { class: "dot" });
    this.target = el("i", { class: "target" });
    const scaleNode = el("div", { class: "scale" }, el("i", { class: "track" }), this.bar, this.dot, this.target);
    node.replaceChildren(scaleNode);
    if (scale) {
      this.ends = [el("b"), el("b")];
      this.goal = el("b", { class: "goal" });
      scaleNode.append(this.goal);
      node.replaceChildren(this.ends[0], scaleNode, this.ends[1]);
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
    attribute(this.node, "data-cut", reading.low < domain[0] ? "" : null);
    attribute(this.node, "data-off", reading.value < domain[0] ? "low" : reading.value > domain[1] ? "high" : null);
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

/** One scale for all bars of people on a board, so that they can be compared. What lies below is drawn cut off. */
export function domainOf(readings) {
  const sure = readings.filter((reading) => reading && reading.status === "ok" && reading.low !== null);
  const targets = sure.filter((reading) => reading.target !== null).map((reading) => reading.target);
  if (!sure.length) return [0, 1];
  const low = Math.min(...sure.map((reading) => reading.low));
  const high = Math.max(...sure.map((reading) => reading.high), ...targets);
  // One very low value must not press all the others together.
  const least = targets.length ? Math.max(low, Math.min(...targets) - 0.12) : low;
  return [floor(Math.min(least, ...targets.map((target) => target - 0.05)), 0.01), high <= 1 ? 1 : high * 1.05];
}

/** The scale of one bar alone: its interval and the target with some room around them. */
export function ownDomain(reading) {
  if (!reading || reading.low === null) return [0, 1];
  const low = Math.min(reading.low, reading.target ?? reading.low);
  const high = Math.max(reading.high, reading.target ?? reading.high);
  const room = Math.max((high - low) * 0.5, 0.02);
  return [Math.max(0, floor(low - room, 0.01)), high <= 1 ? Math.min(1, -floor(-high - room, 0.01)) : high + room];
}

function floor(value, step) {
  return Math.floor(value / step + 1e-9) * step;
}

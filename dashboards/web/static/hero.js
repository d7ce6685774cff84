// The unit itself, readable from the other end of the hall.

import { attribute, el, fit, text } from "./dom.js";
import { Mark, standing } from "./mark.js";
import { Trend } from "./trend.js";
import { Whisker, ownDomain } from "./whisker.js";

const byId = (id) => document.getElementById(id);

export class Hero {
  constructor() {
    this.node = byId("hero");
    this.mark = new Mark(byId("hero-mark"));
    this.number = el("span");
    this.unit = el("small");
    this.value = byId("hero-value");
    this.value.replaceChildren(this.number, this.unit);
    this.whisker = new Whisker(byId("hero-whisker"), { scale: true });
    this.trend = new Trend(byId("trend"));
    this.others = byId("others");
    this.shownOthers = "";
  }

  show(summary, { words, now, staleAfter }) {
    const reading = summary ? summary.reading : null;
    const newest = summary && summary.newest !== null ? Date.parse(summary.newest) : null;
    const [kind, word] = standing(words, reading, newest, now, staleAfter);
    attribute(this.node, "data-mark", kind);
    this.mark.show(kind, word);
    const [number, unit] = reading ? words.value(reading, reading.value) : ["–", ""];
    text(this.number, number);
    text(this.unit, unit);
    fit(this.value, number, unit);
    text(byId("indicator"), reading ? words.name(reading) : "");
    text(byId("window"), reading ? words.window(reading.window) : "");
    text(byId("hero-interval"), reading ? interval(words, reading) : "");
    text(byId("hero-sample"), reading && reading.n !== null ? words.say("sample", { n: reading.n }) : "");
    this.whisker.show(words, reading, ownDomain(reading));
    this.trend.show(words, reading, summary);
    this.showOthers(words, summary ? summary.others : []);
  }

  showOthers(words, others) {
    const shown = JSON.stringify(others);
    if (shown === this.shownOthers) return;
    this.shownOthers = shown;
    this.others.replaceChildren(...others.map((reading) => other(words, reading)));
  }
}

function interval(words, reading) {
  if (reading.low === null) return "";
  const [low, high] = [words.valueText(reading, reading.low), words.valueText(reading, reading.high)];
  return words.say("interval", { low, high });
}

function other(words, reading) {
  const total = reading.indicator.startsWith("@");
  const window = words.window(reading.window);
  return total ? score(words, reading, window) : indicator(words, reading, window);
}

/** A total: where it is now and what is missing to the target, which is 100 points. */
function score(words, reading, window) {
  const points = reading.value === null ? "–" : words.number(reading.value, 1);
  const missing = reading.value !== null && reading.value < 100;
  const note = missing ? words.say("points.to_target", { n: 100 - reading.value }) : "";
  const name = `${words.name(reading)} · ${window}`;
  return item(name, points, el("small", {}, words.say("points.unit")), el("span", { class: "other-note" }, note));
}

function indicator(words, reading, window) {
  const [number, unit] = words.value(reading, reading.value);
  const mark = el("span", { class: "mark" });
  const word = words.say(`mark.${reading.mark}`);
  new Mark(mark).show(reading.mark, "");
  for (const [key, text] of [["role", "img"], ["aria-label", word], ["title", word]]) mark.setAttribute(key, text);
  return item(words.name(reading), mark, number, el("small", {}, unit), el("span", { class: "other-note" }, window));
}

function item(name, ...value) {
  return el("li", {}, el("p", { class: "other-name" }, name), el("p", { class: "other-value" }, ...value));
}

// The unit itself, readable from the other end of the hall.

import { attribute, el, text } from "./dom.js";
import { Mark, standing } from "./mark.js";
import { Trend } from "./trend.js";
import { Whisker } from "./whisker.js";

const byId = (id) => document.getElementById(id);

export class Hero {
  constructor() {
    this.node = byId("hero");
    this.mark = new Mark(byId("hero-mark"));
    this.number = el("span");
    this.unit = el("small");
    byId("hero-value").replaceChildren(this.number, this.unit);
    this.whisker = new Whisker(byId("hero-whisker"), { scale: true });
    this.trend = new Trend(byId("trend"));
    this.others = byId("others");
    this.shownOthers = "";
  }

  show(summary, { words, now, staleAfter, domain }) {
    const reading = summary ? summary.reading : null;
    const newest = summary && summary.newest !== null ? Date.parse(summary.newest) : null;
    const [kind, word] = standing(words, reading, newest, now, staleAfter);
    attribute(this.node, "data-mark", kind);
    this.mark.show(kind, word);
    const [number, unit] = reading ? words.value(reading, reading.value) : ["–", ""];
    text(this.number, number);
    text(this.unit, unit);
    attribute(this.node, "data-long", number.length > 5 ? "" : null);
    text(byId("indicator"), reading ? words.name(reading) : "");
    text(byId("window"), reading ? words.window(reading.window) : "");
    text(byId("hero-interval"), reading ? interval(words, reading) : "");
    text(byId("hero-sample"), reading && reading.n !== null ? words.say("sample", { n: reading.n }) : "");
    this.whisker.show(words, reading, domain);
    this.trend.show(words, reading, summary ? summary.trend : { start: null, seconds: [], values: [] });
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
  const mark = el("span", { class: "mark" });
  const kind = reading.indicator.startsWith("@") && reading.mark === "none" ? "none" : reading.mark;
  const [number, unit] = words.value(reading, reading.value);
  const value = el("span", { class: "other-value" }, number, el("small", {}, unit));
  const name = el("span", { class: "other-name" }, words.name(reading), " ", el("small", {}, words.window(reading.window)));
  const item = el("li", { "data-mark": kind }, mark, name, value);
  new Mark(mark).show(kind, "");
  mark.title = words.say(`mark.${kind}`);
  mark.setAttribute("aria-label", words.say(`mark.${kind}`));
  mark.setAttribute("role", "img");
  return item;
}

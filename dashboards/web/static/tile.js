// One person, or a unit that belongs to this one: the value large, how it stands, how sure it is, how it went.

import { ALERT_SHAPES, signOf } from "./alertsign.js";
import { attribute, el, fit, style, text, widthOf } from "./dom.js";
import { Mark, standing } from "./mark.js";
import { Spark } from "./spark.js";
import { Whisker } from "./whisker.js";

// Of a name, in sizes of its font: what leaves room for a score beside it, and what always fits beside a sign.
const [SHORT, LONG] = [4.5, 5.5];

export class TileView {
  constructor(id) {
    this.id = el("h2", { class: "who" });
    this.score = el("p", { class: "score" });
    this.number = el("span");
    this.unit = el("small");
    this.other = el("p", { class: "other" });
    this.headcount = el("span", { class: "headcount" });
    this.indicator = el("span");
    this.facts = el("p", { class: "facts" });
    this.flag = el("p", { class: "flag" });
    const mark = el("p", { class: "mark" });
    const whisker = el("div", { class: "whisker" });
    const spark = el("div", { class: "spark" });
    this.mark = new Mark(mark);
    this.sign = new Mark(this.flag, ALERT_SHAPES);
    this.whisker = new Whisker(whisker);
    this.spark = new Spark(spark);
    this.value = el("p", { class: "value" }, this.number, this.unit);
    const head = el("div", { class: "tile-head" }, this.id, this.score, this.flag);
    this.node = el("li", { class: "tile" }, head, this.value, spark, this.other, whisker, mark, this.facts);
    this.link = id.startsWith("/") ? el("a") : null;
    attribute(this.node, "data-unit", this.link ? "" : null);
    if (this.link) this.id.append(this.link);
  }

  /** @param main the unit's own reading: a tile names its indicator only when it is another one. */
  show(tile, main, { words, now, staleAfter, domain }) {
    const reading = tile.reading;
    if (!this.link) text(this.id, tile.person ?? tile.mark ?? tile.id);
    const newest = tile.newest === null ? null : Date.parse(tile.newest);
    const [kind, word] = standing(words, reading, newest, now, staleAfter, true);
    attribute(this.node, "data-mark", kind);
    this.mark.show(kind, word);
    const [number, unit] = reading ? words.value(reading, reading.value) : ["–", ""];
    text(this.number, number);
    fit(this.value, number, unit);
    text(this.unit, unit);
    text(this.score, tile.score === null ? "" : words.say("points", { n: Math.round(tile.score) }));
    text(this.facts, reading ? facts(words, reading) : "");
    this.showOther(isOf(reading, main) ? "" : words.name(reading));
    this.whisker.show(words, reading, domain);
    this.showAlert(words, tile.alert);
    if (this.link) this.showUnit(words, tile);
    this.showLength(this.id.textContent);
    this.spark.show(tile.trend, reading ? reading.target : null);
  }

  /** A long name has the head for itself; a longer one is drawn as small as its one line takes, or in two. */
  showLength(name) {
    if (name === this.measured) return;
    this.measured = name;
    const width = widthOf(name);
    attribute(this.node, "data-long", width > SHORT ? "" : null);
    attribute(this.node, "data-longer", width > LONG ? "" : null);
    style(this.id, "--width", width.toFixed(2));
  }

  /** What there is besides the value: a unit's people, and the indicator where it is not the board's. */
  showOther(name) {
    text(this.indicator, name);
    const shown = [...(this.link ? [this.headcount] : []), ...(name ? [this.indicator] : [])];
    if (this.other.childElementCount !== shown.length) this.other.replaceChildren(...shown);
  }

  /** A unit's name leads to its own board, and keeps what the address asks for. */
  showUnit(words, tile) {
    text(this.link, tile.name[words.language] || tile.name.en || tile.id.slice(1));
    attribute(this.link, "href", tile.board + location.search);
    const people = words.say("people", { n: tile.people });
    text(this.score, people);  // either here or there, as board.css has room
    text(this.headcount, people);
  }

  /** An open alert stands where the score does otherwise: nothing moves when it comes or goes. */
  showAlert(words, alert) {
    attribute(this.node, "data-alert", alert ? (alert.folded ? "folded" : alert.state) : null);
    attribute(this.node, "data-severity", alert ? alert.severity : null);
    this.flag.hidden = !alert;
    this.score.hidden = Boolean(alert);
    if (alert) this.sign.show(...signOf(words, alert));
  }
}

/** Whether a reading is of what the unit shows, whatever its window: then nothing says what it is of. */
export function isOf(reading, main) {
  return !reading || Boolean(main && reading.indicator === main.indicator && reading.template === main.template);
}

function facts(words, reading) {
  if (reading.n === null) return "";
  if (reading.status === "insufficient" && reading.min_sample > 0) {
    return words.say("sample.needed", { n: reading.n, min: reading.min_sample });
  }
  return words.say("sample", { n: reading.n });
}

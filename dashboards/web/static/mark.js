// How a value stands to its target: always a shape and a word, colour only besides.

import { attribute, el, svg, text } from "./dom.js";

const SHAPES = {
  above: "M8 2 15 14H1Z",
  near: "M8 1.5 14.5 8 8 14.5 1.5 8Z",
  below: "M8 14 1 2H15Z",
  none: "M8 3a5 5 0 1 0 0 10A5 5 0 1 0 8 3Z",
  insufficient: "M2 6.5h3v3H2Zm4.5 0h3v3h-3Zm4.5 0h3v3h-3Z",
  no_data: "M2 7h12v2H2Z",
  stale: "M7 3h2v5l3.5 3.5-1.4 1.4L7 8.8ZM8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0Zm0 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Z",
};

export class Mark {
  /** @param shapes what a kind looks like, as paths in a square of 16. */
  constructor(node, shapes = SHAPES) {
    this.node = node;
    this.shapes = shapes;
    this.path = svg("path", { "fill-rule": "evenodd" });
    this.word = el("span");
    node.replaceChildren(svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, this.path), this.word);
  }

  show(kind, word) {
    attribute(this.node, "data-mark", kind);
    attribute(this.path, "d", this.shapes[kind]);
    text(this.word, word);
  }
}

/** What to say of a reading: [kind, word]; staleness comes first, a stale value has no standing. */
export function standing(words, reading, newest, now, staleAfter, short = false) {
  if (newest === null) return ["no_data", words.say("stale.never")];
  if (now - newest > staleAfter) {
    const [key, time] = short ? ["stale.short", words.shortTime(newest, now)] : ["stale", words.time(newest, now)];
    return ["stale", words.say(key, { time })];
  }
  if (!reading) return ["no_data", words.say("mark.no_data")];
  return [reading.mark, words.say(`mark.${reading.mark}`)];
}

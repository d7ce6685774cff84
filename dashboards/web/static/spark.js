// A trend as a small line: panes without a value are gaps, the target is a thin line through it.

import { attribute, el, style, svg } from "./dom.js";

const WIDTH = 100;
const HEIGHT = 30;

export class Spark {
  constructor(node) {
    this.node = node;
    attribute(node, "aria-hidden", "true");
    this.goal = svg("line", { x1: 0, x2: WIDTH, class: "goal" });
    this.line = svg("path", { class: "line" });
    this.dot = el("i", { class: "dot" });
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" };
    node.replaceChildren(el("div", { class: "box" }, svg("svg", box, this.goal, this.line), this.dot));
  }

  show(trend, target) {
    const known = trend.values.filter((value) => value !== null);
    attribute(this.node, "data-empty", known.length < 2 ? "" : null);
    if (known.length < 2) return;
    const around = target === null ? known : [...known, target];
    const middle = (Math.min(...around) + Math.max(...around)) / 2;
    // At least ten points high: a smaller span would make noise look like news.
    const half = Math.max((Math.max(...around) - Math.min(...around)) / 2, 0.05) * 1.1;
    const end = trend.seconds[trend.seconds.length - 1] || 1;
    const x = (i) => (trend.seconds[i] / end) * WIDTH;
    const y = (value) => HEIGHT / 2 - ((value - middle) / half) * (HEIGHT / 2);
    attribute(this.line, "d", path(trend.values, x, y));
    attribute(this.goal, "visibility", target === null ? "hidden" : "visible");
    for (const name of ["y1", "y2"]) attribute(this.goal, name, target === null ? "0" : y(target).toFixed(2));
    const last = trend.values.lastIndexOf(known[known.length - 1]);
    style(this.dot, "left", `${x(last).toFixed(2)}%`);
    style(this.dot, "top", `${((y(trend.values[last]) / HEIGHT) * 100).toFixed(2)}%`);
  }
}

function path(values, x, y) {
  let text = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null) {
      pen = "M";
      return;
    }
    text += `${pen}${x(i).toFixed(2)} ${y(value).toFixed(2)}`;
    pen = "L";
  });
  return text;
}

// The unit's trend, large: uPlot on a canvas, colours from the theme. Behind the line lies its 95 % interval: a pane
// that has only just begun may be anywhere.

import { attribute } from "./dom.js";

const NOTHING = { trend: { start: null, seconds: [], values: [] }, band: { low: [], high: [] } };

export class Trend {
  constructor(node) {
    this.node = node;
    this.plot = null;
    this.shown = "";
    new ResizeObserver(() => this.fit()).observe(node);
  }

  show(words, reading, summary) {
    const { trend, band } = summary ?? NOTHING;
    const shown = JSON.stringify([trend, band, reading?.target, words.timezone]);
    if (shown === this.shown) return;
    this.shown = shown;
    const enough = trend.values.filter((value) => value !== null).length > 1;
    attribute(this.node, "data-empty", enough ? null : "");
    if (!enough) return this.clear();
    const start = Date.parse(trend.start) / 1000;
    const times = trend.seconds.map((second) => start + second);
    const target = reading.target ?? null;
    const data = [times, band.high, band.low, times.map(() => target), trend.values];
    const look = `${words.timezone} ${words.isPercent(reading)}`;
    if (this.plot && this.look === look) this.plot.setData(data);
    else this.make(words, reading, data, look);
  }

  make(words, reading, data, look) {
    this.clear();
    this.look = look;
    this.plot = new window.uPlot(options(this.node, words, reading), data, this.node);
  }

  fit() {
    if (this.plot) this.plot.setSize({ width: this.node.clientWidth, height: this.node.clientHeight });
  }

  clear() {
    if (this.plot) this.plot.destroy();
    this.plot = null;
  }
}

function options(node, words, reading) {
  const colour = (name) => getComputedStyle(node).getPropertyValue(name).trim();
  const size = Math.max(12, Math.round(parseFloat(getComputedStyle(node).fontSize)));
  const font = `${size}px ${getComputedStyle(node).fontFamily}`;
  const axis = { stroke: colour("--quiet"), font, ticks: { show: false } };
  const points = { show: true, size: size / 2.4, fill: colour("--ink"), stroke: colour("--ink") };
  return {
    width: node.clientWidth,
    height: node.clientHeight,
    padding: [size / 2, size * 1.6, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    tzDate: (seconds) => zoned(seconds, words.timezone),
    scales: { y: { range: (plot) => range([...plot.data[3], ...plot.data[4]].filter((value) => value !== null)) } },
    bands: [{ series: [1, 2], fill: colour("--band") }],
    axes: [
      { ...axis, grid: { show: false }, size: size * 1.9, space: size * 6,
        values: (_, splits) => splits.map((second) => words.times.format(second * 1000)) },
      { ...axis, grid: { stroke: colour("--line"), width: 1 }, size: size * 4, space: size * 1.7,
        values: (_, splits) => splits.map((value) => short(words, reading, value)) },
    ],
    series: [
      {},
      { width: 0, points: { show: false } },
      { width: 0, points: { show: false } },
      { stroke: colour("--target"), width: size / 10, dash: [size / 2, size / 2.5], points: { show: false } },
      { stroke: colour("--ink"), width: size / 6, points, spanGaps: false },
    ],
  };
}

function zoned(seconds, timezone) {
  const at = new Date(seconds * 1000);
  return timezone ? window.uPlot.tzDate(at, timezone) : at;
}

function short(words, reading, value) {
  return words.isPercent(reading) ? `${words.number(value * 100, 1)}%` : words.number(value, 2);
}

/** At least ten points high, so that noise does not look like news; never beyond a whole. */
function range(values) {
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const middle = (low + high) / 2;
  const half = Math.max((high - low) * 0.6, 0.05);
  if (high <= 1 && middle + half > 1) return [Math.min(low - 0.005, 1.005 - 2 * half), 1.005];
  return [middle - half, middle + half];
}

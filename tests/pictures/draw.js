// A board drawn from the answers to its queries, in the manner of Grafana: a function for each kind of panel.

const board = JSON.parse(document.getElementById("board").textContent);
const ROW = 31, GAP = 8, COLUMNS = 24, WIDTH = document.body.clientWidth - 32;
const COLOURS = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#fade2a", "#96d98d"];
const WHOLE = [1, 10, 100, 1000, 10000, 100000].flatMap((ten) => [ten, 2 * ten, 5 * ten]);
const INK = "#9a9da6", GRID = "rgba(204, 204, 220, 0.09)", FONT = "12px " + getComputedStyle(document.body).fontFamily;

function make(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "rect", "text"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Numbers as Grafana writes them, by unit.

function plain(value, digits) {
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function scaled(value, base, names) {
  let place = 0;
  while (Math.abs(value) >= base && place < names.length - 1) [value, place] = [value / base, place + 1];
  return Number(value.toPrecision(Math.abs(value) < 100 ? 3 : 4)) + names[place];
}

function seconds(value) {
  const size = Math.abs(value);
  if (size < 1 && size > 0) return `${plain(value * 1000, 0)} ms`;
  if (size < 120) return `${plain(value, size < 10 ? 2 : 1)} s`;
  return size < 7200 ? `${plain(value / 60, 1)} min` : `${plain(value / 3600, 1)} h`;
}

const UNITS = {
  short: (value) => scaled(value, 1000, ["", " K", " Mil", " Bil"]),
  percentunit: (value, digits = 1) => `${(value * 100).toFixed(digits)}%`,
  s: seconds,
  cps: (value) => `${plain(value, 3)} c/s`,
  bytes: (value) => scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB"]),
  bool_yes_no: (value) => (value ? "Yes" : "No"),
};

const said = (panel, value, ...more) => (value === null ? "" : (UNITS[panel.unit] ?? UNITS.short)(value, ...more));
const last = (values) => values.reduce((kept, value) => value ?? kept, null);
const clock = (second) => new Date(second * 1000).toISOString().slice(11, 19);

function colour(panel, value) {
  return panel.steps.reduce((kept, step) => (step.value === null || value >= step.value ? step.color : kept), "");
}

// On a dark ground the deep blue of what is in order would not be read as a text.
const legible = (hex) => (hex === "#0072B2" ? "#3d9be0" : hex);

// Kinds of panels.

function stat(panel, body) {
  const [first] = panel.series;
  body.append(sparkline(panel, first.values));
  const box = body.appendChild(make("div", { class: "stat" }));
  for (const one of panel.series) {
    const value = last(one.values);
    const text = make("div", { class: "value", style: `color:${legible(colour(panel, value))}` }, said(panel, value));
    box.append(panel.series.length > 1 ? make("div", {}, one.name, text) : text);
  }
}

function sparkline(panel, values) {
  const there = values.map((value, place) => [place, value]).filter(([, value]) => value !== null);
  const low = Math.min(...there.map(([, value]) => value)), high = Math.max(...there.map(([, value]) => value));
  const y = (value) => (high > low ? 92 - ((value - low) / (high - low)) * 80 : 60);
  const x = (place) => (place / (values.length - 1)) * 100;
  const line = there.map(([place, value], n) => `${n ? "L" : "M"}${x(place)} ${y(value)}`).join("");
  const hue = legible(colour(panel, last(values)));
  const ends = `L${x(there.at(-1)[0])} 100L${x(there[0][0])} 100Z`;
  return make("svg", { class: "course", viewBox: "0 0 100 100", preserveAspectRatio: "none" },
    make("path", { d: line + ends, fill: hue, opacity: 0.14 }),
    make("path", { d: line, fill: "none", stroke: hue, "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" }));
}

function bargauge(panel, body) {
  const box = body.appendChild(make("div", { class: "bars" }));
  const values = panel.series.map((one) => last(one.values));
  const low = panel.min ?? 0, high = panel.max ?? Math.max(...values, low + 1e-9);
  panel.series.forEach((one, place) => {
    const value = values[place], hue = colour(panel, value);
    const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
    box.append(
      make("div", { class: "name" }, one.name),
      make("div", { class: "track" },
        make("div", { class: "fill", style: `width:${share * 100}%;background:${hue}66;border-color:${hue}` }),
        make("div", { class: "value", style: `color:${legible(hue)}` }, said(panel, value))));
  });
}

function timeseries(panel, body, section) {
  const hue = (place) => COLOURS[place % COLOURS.length];
  const dash = (place) => make("i", { style: `background:${hue(place)}` });
  const keys = panel.series.map((one, place) => make("span", { class: "key" }, dash(place), one.name));
  section.append(make("div", { class: "legend" }, ...keys));
  const height = body.clientHeight;  // what the legend leaves; fixed, so that the plot does not push it out
  body.style.flex = `0 0 ${height}px`;
  const numbers = panel.series.flatMap((one) => one.values).filter((value) => value !== null);
  const whole = numbers.every(Number.isInteger);
  const axis = { stroke: INK, font: FONT, grid: { stroke: GRID, width: 1 }, ticks: { show: false } };
  const written = (splits) => {
    const digits = Math.max(0, Math.ceil(-Math.log10((splits[1] - splits[0]) * 100) - 1e-9));
    return splits.map((value) => said(panel, value, digits));
  };
  new uPlot({
    width: body.clientWidth - 16, height: height - 4, padding: [8, 10, 0, 0],
    legend: { show: false }, cursor: { show: false },
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), "Etc/UTC"),
    scales: { y: { range: () => limits(panel, numbers, whole) } },
    axes: [
      { ...axis, size: 26, space: 90, values: (plot, splits) => splits.map((at) => (fits(plot, at) ? clock(at) : "")) },
      { ...axis, space: 26, ...(whole ? { incrs: WHOLE } : {}),
        size: (_, texts) => 16 + 7.5 * Math.max(1, ...(texts ?? []).map((text) => text.length)),
        values: (_, splits) => written(splits) },
    ],
    series: [{}, ...panel.series.map((_, place) => ({
      stroke: hue(place), width: 2, points: { show: false }, spanGaps: false,
      fill: panel.series.length === 1 ? COLOURS[0] + "1f" : undefined,
    }))],
  }, [board.times, ...panel.series.map((one) => one.values)], body);
}

/** Whether a time's text, which is centred below its line, ends before the plot does. */
function fits(plot, at) {
  return plot.valToPos(at, "x") < plot.bbox.width / devicePixelRatio - 20;
}

function limits(panel, numbers, whole) {
  const low = Math.min(...numbers), high = Math.max(...numbers);
  const room = high > low ? (high - low) * 0.08 : whole ? 1 : Math.abs(high) * 0.05 || 1;
  const top = panel.max ?? high + room;
  return [panel.min ?? low - room, panel.unit === "percentunit" ? Math.min(top, Math.max(1, high)) : top];
}

function heatmap(panel, body, section) {
  const most = Math.max(1, ...panel.series.flatMap((one) => one.values));
  const scale = make("i", { class: "scale", style: `background:linear-gradient(90deg,${blue(0)},${blue(1)})` });
  const key = make("span", { class: "key" }, "0", scale, said({ unit: "short" }, most));
  section.append(make("div", { class: "legend" }, key));
  const width = body.clientWidth - 16, height = body.clientHeight - 6, left = 62, bottom = 24;
  const wide = (width - left) / board.times.length, high = (height - bottom) / panel.series.length;
  const svg = body.appendChild(make("svg", { class: "heat", width, height }));
  panel.series.forEach((one, row) => {
    const top = height - bottom - (row + 1) * high;
    const limit = isFinite(Number(one.name)) ? said(panel, Number(one.name), 0) : one.name;
    svg.append(make("text", { x: left - 8, y: top + high / 2 + 4, "text-anchor": "end" }, `to ${limit}`));
    for (let from = 0, to = 0; from < one.values.length; from = to) {
      while (to < one.values.length && one.values[to] === one.values[from]) to += 1;
      const fill = blue(one.values[from] / most), place = { x: left + from * wide, width: (to - from) * wide };
      if (one.values[from]) svg.append(make("rect", { ...place, y: top + 1, height: high - 2, fill }));
    }
  });
  board.times.forEach((second, place) => {
    const apart = second % 60 < board.times[1] - board.times[0] && place > 20 && place < board.times.length - 20;
    const x = left + place * wide;
    if (apart) svg.append(make("text", { x, y: height - 6, "text-anchor": "middle" }, clock(second - (second % 60))));
  });
}

function blue(share) {
  const dark = [22, 48, 86], light = [222, 235, 247];
  return `rgb(${dark.map((from, n) => Math.round(from + (light[n] - from) * share)).join(",")})`;
}

function table(panel, body) {
  const right = panel.columns.map((_, n) => panel.rows.some((row) => typeof row[n] === "number"));
  const cell = (kind, value, n) => make(kind, right[n] ? { class: "number" } : {}, ...broken(panel, value));
  const line = (kind, values) => make("tr", {}, ...values.map((value, n) => cell(kind, value, n)));
  const rows = panel.rows.map((row) => line("td", row));
  const grid = body.appendChild(make("table", {}, line("th", panel.columns), ...rows));
  if (grid.offsetWidth > body.clientWidth - 16) grid.classList.add("narrow");
  if (grid.offsetHeight <= body.clientHeight) return;
  let left = 0;  // a table that is too long scrolls in Grafana; here it says what is below
  while (grid.offsetHeight > body.clientHeight - 24) left += (grid.lastElementChild.remove(), 1);
  body.append(make("div", { class: "more" }, `${left} more`));
}

/** A value's text, with places where a narrow column may break it. */
function broken(panel, value) {
  if (typeof value === "number") return [said(panel, value)];
  return (value ?? "").split(/(?<=[_-])/).flatMap((part) => [part, make("wbr")]);
}

const KINDS = { stat, bargauge, timeseries, heatmap, table };

function draw() {
  const header = document.body.appendChild(make("header", {}, make("h1", {}, board.title)));
  const chip = ([name, value]) => make("span", { class: "chip" }, make("b", {}, name), make("span", {}, value));
  header.append(...board.variables.map(chip));
  header.append(make("span", { class: "time" }, `${clock(board.times[0])} to ${clock(board.times.at(-1))} UTC`));
  const main = document.body.appendChild(make("main"));
  const unit = (WIDTH + GAP) / COLUMNS;
  let bottom = 0;
  for (const panel of board.panels) {
    const { x, y, w, h } = panel.grid;
    const place = `left:${x * unit}px;top:${y * ROW}px;width:${w * unit - GAP}px;height:${h * ROW - GAP}px`;
    const section = main.appendChild(make("section", { style: place }, make("h2", {}, panel.title)));
    const body = section.appendChild(make("div", { class: "body" }));
    KINDS[panel.kind](panel, body, section);
    bottom = Math.max(bottom, (y + h) * ROW - GAP);
  }
  main.style.height = `${bottom}px`;
  document.body.append(make("footer", {}, board.note));
  document.body.dataset.drawn = "";
}

draw();

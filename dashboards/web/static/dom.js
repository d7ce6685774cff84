// Elements are made once and only what differs is written: a wall screen runs for weeks.

const SVG = "http://www.w3.org/2000/svg";

/** el("p", {class: "x", title: "y"}, child, ...) */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

export function attribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function style(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();

/** How wide a text is in one line of bold letters, in sizes of its font, without asking the layout. */
export function widthOf(value) {
  const font = `700 100px ${getComputedStyle(document.body).fontFamily}`;
  const key = `${font} ${value}`;
  if (widths.size > 1_000) widths.clear();
  if (!widths.has(key)) {
    pen.font = font;
    widths.set(key, pen.measureText(value).width / 100);
  }
  return widths.get(key);
}

/** How much smaller a number must be to stand where "95.5%" does. */
export function fitOf(number, unit) {
  return Math.min(1, 4.5 / (number.length + 0.45 * unit.length));
}

export function fit(node, number, unit) {
  style(node, "--fit", fitOf(number, unit).toFixed(3));
}

// How large digits must be for those who stand at a distance, and so how many people a page has room for.
//
// ISO 9241-303 calls characters of 20 to 22 minutes of arc comfortable to read. Main digits have the 20 at least, what
// tells whose they are has half of that: it is looked for, not read. A screen that is too small for it says so.

const COMFORTABLE = 20; // minutes of arc
const TEXT = 0.5; // of the digits, what the head of a tile is
const HEAD = 1.4; // of a tile's text, the size of what stands in its head
const USUAL = 55; // inches, where nobody says how large the screen is
const INCH = 25.4; // mm
const MOST = { columns: 6, rows: 5 };
// Of a tile, in sizes of its digits or its text; the rest is a share of --u.
const VALUE_WIDTH = 2.75;
const VALUE_HEIGHT = 0.9;
const TEXT_WIDTH = 9.5;
const LINES = 5.3;
const OTHER = 1.2;
const [PADDING, GAPS, SPACE] = [2.2, 2.9, 0.8];
const LARGEST = 2; // times what is needed, where there is room

const between = (value, least, most) => (value >= least && value <= most ? value : null);

/** How high a character is that is seen under so many minutes of arc, in mm. */
export function heightOf(metres, minutes) {
  return 2 * metres * 1_000 * Math.tan((minutes / 60 / 2) * (Math.PI / 180));
}

export class Distance {
  /** As the address says, else as the screen was set up; null where nobody says. */
  static of(query, { distance, diagonal }) {
    const metres = between(Number(query.get("distance")), 0.3, 100) ?? between(Number(distance), 0.3, 100);
    const inches = between(Number(query.get("diagonal")), 3, 400) ?? between(Number(diagonal), 3, 400);
    return metres === null ? null : new Distance(metres, inches ?? USUAL);
  }

  constructor(metres, inches) {
    this.metres = metres;
    this.inches = inches;
    this.shares = new Map();
  }

  /** Millimetres of a CSS pixel. A window that does not fill the screen, or is zoomed, makes digits no smaller. */
  get pixel() {
    const across = Math.max(Math.hypot(screen.width, screen.height), Math.hypot(innerWidth, innerHeight));
    return (this.inches * INCH) / across;
  }

  /** Sizes of fonts in px that digits and text have at least; `fit`: how much smaller the longest number is drawn. */
  sizes(node, fit) {
    const digits = heightOf(this.metres, COMFORTABLE) / this.pixel;
    const share = this.share(node);
    return { digits: digits / share / fit, text: (digits * TEXT) / share / HEAD };
  }

  /** Of a font's size, the height of a digit. */
  share(node) {
    const family = getComputedStyle(node).fontFamily;
    if (!this.shares.has(family)) {
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = `700 200px ${family}`;
      this.shares.set(family, pen.measureText("0").actualBoundingBoxAscent / 200 || 0.7);
    }
    return this.shares.get(family);
  }

  /** Grids in which tiles have room for all that: [people, columns, rows, scale, enough], the fewest people first. */
  grids(node, { fit, others }) {
    const { digits, text } = this.sizes(node, fit);
    const u = parseFloat(getComputedStyle(node).columnGap) / SPACE;
    const needs = {
      width: Math.max(VALUE_WIDTH * digits, TEXT_WIDTH * text) + PADDING * u,
      height: VALUE_HEIGHT * digits + (LINES + (others ? OTHER : 0)) * text + GAPS * u,
    };
    const found = new Map();
    for (let columns = 1; columns <= MOST.columns; columns += 1) {
      for (let rows = 1; rows <= MOST.rows; rows += 1) {
        const scale = Math.min(
          (node.clientWidth - (columns - 1) * SPACE * u) / columns / needs.width,
          (node.clientHeight - (rows - 1) * SPACE * u) / rows / needs.height,
        );
        const before = found.get(columns * rows);
        const fits = scale >= 1 || columns * rows === 1;
        if (fits && !(before?.[3] >= scale)) found.set(columns * rows, [columns * rows, columns, rows, scale]);
      }
    }
    return [...found.values()].sort((one, other) => one[0] - other[0]);
  }

  /** What a grid's tiles are drawn with. */
  drawn(node, scale, { fit }) {
    const { digits, text } = this.sizes(node, fit);
    const times = Math.min(scale, LARGEST);
    return { digits: digits * times, text: text * times };
  }

  /** From how far away its digits are read where one tile alone has no room for more. */
  reach(scale) {
    return this.metres * Math.min(1, scale);
  }
}

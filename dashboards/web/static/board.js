// The board as the stream tells it: a snapshot replaces everything, a change only what it names.

import { attribute, fitOf, style, text, widthOf } from "./dom.js";
import { Hero } from "./hero.js";
import { GRIDS, UPRIGHT } from "./pager.js";
import { serverNow } from "./servertime.js";
import { TileView, isOf } from "./tile.js";
import { domainOf } from "./whisker.js";

// Of a unit's name, in hundredths of the picture: how large it is, at least in one line, and how wide.
const [LARGE, LEAST, WIDE] = [3.5, 2, 38];

export class Board {
  /**
   * @param screen {wall, upright}: whether it hangs on a wall, and on end.
   * @param distance from which it is looked at, null where nobody said.
   */
  constructor(words, pager, staleAfter, screen, distance) {
    this.distance = distance;
    this.words = words;
    this.pager = pager;
    this.staleAfter = staleAfter;
    this.wall = screen.wall;
    this.upright = screen.upright;
    this.hero = new Hero();
    this.list = document.getElementById("tiles");
    this.empty = document.getElementById("empty");
    this.asof = document.getElementById("asof");
    this.short = document.getElementById("short");
    this.legend = document.getElementById("legend");
    this.unit = document.getElementById("unit");
    this.views = new Map();
    this.people = new Map();
    this.summary = null;
    this.known = false;
    this.current = true;
  }

  /** Whether what is shown is of now: if not, every value is grey, however young it was. */
  setCurrent(current) {
    this.current = current;
  }

  snapshot(data) {
    this.known = true;
    this.summary = data.summary;
    this.people = new Map(data.people.map((tile) => [tile.id, tile]));
    this.views.clear();
    this.draw();
  }

  change(data) {
    if (data.summary !== undefined) this.summary = data.summary;
    for (const tile of data.people ?? []) this.people.set(tile.id, tile);
    for (const id of data.gone ?? []) {
      this.people.delete(id);
      this.views.delete(id);
    }
    this.draw();
  }

  draw() {
    if (!this.known) return;
    if (this.summary) {
      this.words.setZone(this.summary.timezone);
      this.drawUnit(this.summary.name[this.words.language] || this.summary.name.en || this.summary.unit);
    }
    const readings = [...this.people.values()].map((tile) => tile.reading);
    const main = this.summary ? this.summary.reading : null;
    const context = {
      words: this.words, now: serverNow(), staleAfter: this.current ? this.staleAfter : -Infinity,
      domain: domainOf(readings),
    };
    this.hero.show(this.summary, context);
    this.drawPeople(main, context);
    const newest = this.summary && this.summary.newest ? Date.parse(this.summary.newest) : null;
    text(this.asof, newest ? this.words.say("data.at", { time: this.words.time(newest, context.now) }) : "");
  }

  /** A long name is drawn smaller, a longer one in two lines, before anything of it is cut off. */
  drawUnit(name) {
    if (this.unit.textContent === name && this.unit.style.length) return;
    text(this.unit, name);
    const size = Math.min(LARGE, WIDE / widthOf(name));
    attribute(this.unit, "data-long", size < LEAST ? "" : null);
    style(this.unit, "--size", String(Math.max(LEAST, size).toFixed(3)));
  }

  drawPeople(main, context) {
    const ids = [...this.people.keys()].sort((one, other) => this.inOrder(one, other));
    const far = this.distance && this.wall.matches ? this.needs() : null;
    const grids = far ? this.distance.grids(this.list, far) : this.upright.matches ? UPRIGHT : GRIDS;
    const { chosen, columns, rows, scale } = this.pager.choose(ids, this.wall.matches, grids);
    style(this.list, "--columns", String(columns));
    style(this.list, "--rows", String(rows));
    attribute(this.list, "data-rows", String(rows));
    attribute(this.list, "data-columns", String(columns));
    this.drawSize(columns, rows, scale, far);
    const nodes = chosen.map((id) => this.view(id, main, context));
    const shown = [...this.list.children];
    if (shown.length !== nodes.length || nodes.some((node, i) => node !== shown[i])) this.list.replaceChildren(...nodes);
    this.empty.hidden = ids.length > 0 || !this.current;
    // Numbers of the whole come from somebody: who is not shown here is not nobody.
    const scored = main !== null && main.value !== null;
    if (!this.empty.hidden) text(this.empty, scored ? this.words.say("board.hidden") : this.words.say("board.empty"));
  }

  /** How large everything in a tile is: by the grid, or by how far away people stand. */
  drawSize(columns, rows, scale, far) {
    const size = columns > 3 ? "s" : columns > 2 ? "m" : rows > 2 ? "l" : "xl";
    attribute(this.list, "data-size", far ? "m" : size);
    attribute(this.list, "data-far", far ? "" : null);
    const drawn = far ? this.distance.drawn(this.list, scale, far) : null;
    for (const name of ["digits", "text"]) style(this.list, `--${name}`, drawn ? `${drawn[name].toFixed(2)}px` : "");
    const reach = far && scale < 1 ? this.distance.reach(scale) : null;
    this.short.hidden = reach === null;
    this.legend.hidden = reach !== null;
    if (reach !== null) text(this.short, this.words.say("distance.short", { n: this.distance.metres, reach }));
  }

  /** What decides how much room a tile needs, whoever it is of: percentages are never longer than that of a whole. */
  needs() {
    const tiles = [...this.people.values()];
    const shown = tiles.map(({ reading }) => (reading ? this.words.value(reading, reading.value) : ["–", ""]));
    const main = this.summary ? this.summary.reading : null;
    return {
      fit: Math.min(fitOf("100.0", "%"), ...shown.map(([number, unit]) => fitOf(number, unit))),
      others: tiles.some((tile) => tile.board || !isOf(tile.reading, main)),
    };
  }

  /** What is shown for somebody: their name where the site shows names, else the mark or id that they have here. */
  called(id) {
    const tile = this.people.get(id);
    return tile?.person ?? tile?.mark ?? id.replace(/^\//, "");
  }

  /** Units that belong to this one, then people by name, then those without one by id. Never by a value. */
  inOrder(one, other) {
    const [a, b] = [one, other].map((id) => this.people.get(id).person);
    if (a && b && a !== b) return this.words.collator.compare(a, b);
    if (a && !b) return other.startsWith("/") ? 1 : -1;
    if (b && !a) return one.startsWith("/") ? -1 : 1;
    return one < other ? -1 : 1;
  }

  /** Whether none of these people has data younger than the limit. */
  quiet(ids) {
    const now = serverNow();
    return ids.every((id) => {
      const newest = this.people.get(id)?.newest ?? null;
      return newest === null || now - Date.parse(newest) > this.staleAfter;
    });
  }

  view(id, main, context) {
    let view = this.views.get(id);
    if (!view) this.views.set(id, (view = new TileView(id)));
    view.show(this.people.get(id), main, context);
    return view.node;
  }
}

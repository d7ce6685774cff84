// Which people are on the screen: all of them on a small one, a page of them on a wall, turning by itself: at most twelve,
// or as many as can be read from where people stand (distance.js).
// A page on which nobody has new data (the other shift) is not hidden, but shown for a shorter time.

import { attribute, el, text } from "./dom.js";

const QUIET_SHARE = 1 / 3;
// [people at most, columns, rows]
export const GRIDS = [[1, 1, 1], [2, 1, 2], [4, 2, 2], [6, 2, 3], [8, 4, 2], [9, 3, 3], [12, 4, 3]];
// The same for a screen that stands on end.
export const UPRIGHT = [[1, 1, 1], [2, 1, 2], [4, 2, 2], [6, 2, 3], [9, 3, 3], [12, 3, 4]];

export class Pager {
  /** @param on {changed: another page is to be shown, finished: the last page was shown, quiet: nobody of these
   *  ids has new data, called: what is shown for an id}. */
  constructor(nav, words, seconds, on) {
    this.nav = nav;
    this.words = words;
    this.on = on;
    this.seconds = seconds;
    this.page = null;
    this.ids = [];
    this.size = 1;
    this.paused = false;
    this.count = 0;
    this.range = el("span", { class: "range" });
    this.dots = el("span", { class: "dots" });
    this.toggle = el("button", { type: "button", class: "toggle" });
    this.toggle.addEventListener("click", () => this.pause(!this.paused));
    nav.replaceChildren(this.toggle, this.dots, this.range);
    nav.hidden = false;
    document.addEventListener("keydown", (event) => this.key(event));
    this.pause(false);
    this.wait();
  }

  /** Other people come: begin with the first page on which somebody has new data. */
  restart() {
    this.page = null;
  }

  wait() {
    const quiet = this.page !== null && this.count > 1 && this.on.quiet(this.onPage(this.page));
    setTimeout(() => {
      this.turn();
      this.wait();
    }, this.seconds * 1000 * (quiet ? QUIET_SHARE : 1));
  }

  onPage(page) {
    return this.ids.slice(page * this.size, (page + 1) * this.size);
  }

  /** The ids of the page to show, and the grid they are shown in, which is one of those given. */
  choose(ids, wall, grids) {
    const [most] = grids[grids.length - 1];
    const pages = wall ? Math.max(1, Math.ceil(ids.length / most)) : 1;
    this.ids = ids;
    this.size = Math.max(1, Math.ceil(ids.length / pages));
    this.setCount(pages);
    const chosen = this.onPage(this.page ?? 0);
    const grid = grids.find(([room]) => this.size <= room) ?? grids[grids.length - 1];
    const people = this.words.say("people", { n: ids.length });
    const [first, last] = [chosen[0], chosen[chosen.length - 1]].map((id) => (pages > 1 ? this.on.called(id) : ""));
    text(this.range, pages > 1 ? `${first} – ${last} · ${people}` : "");
    return { chosen, columns: grid[1], rows: grid[2], scale: grid[3] };
  }

  setCount(pages) {
    if (this.page === null && this.ids.length) this.page = this.firstBusy(pages);
    if (this.page !== null) this.page = Math.min(this.page, pages - 1);
    if (pages !== this.count) {
      this.count = pages;
      this.dots.replaceChildren(...Array.from({ length: pages }, (_, i) => this.dot(i)));
    }
    attribute(this.nav, "data-single", pages > 1 ? null : "");
    [...this.dots.children].forEach((dot, i) => attribute(dot, "aria-current", i === this.page ? "page" : null));
  }

  firstBusy(pages) {
    for (let page = 0; page < pages; page += 1) if (!this.on.quiet(this.onPage(page))) return page;
    return 0;
  }

  dot(i) {
    const dot = el("button", { type: "button", "aria-label": this.words.say("page.go", { page: i + 1 }) });
    dot.addEventListener("click", () => this.go(i));
    return dot;
  }

  go(page) {
    this.page = (page + this.count) % Math.max(1, this.count);
    this.on.changed();
  }

  turn() {
    if (this.paused) return;
    if (this.page === null || this.page + 1 >= this.count) this.on.finished();
    if (this.page !== null && this.count > 1) this.go(this.page + 1);
  }

  pause(paused) {
    this.paused = paused;
    attribute(this.toggle, "data-paused", paused ? "" : null);
    attribute(this.toggle, "aria-pressed", String(paused));
    attribute(this.toggle, "aria-label", this.words.say(paused ? "page.resume" : "page.pause"));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowRight") this.go(this.page + 1);
    else if (event.key === "ArrowLeft") this.go(this.page - 1);
    else if (event.key === " " && event.target === document.body) this.pause(!this.paused);
    else return;
    event.preventDefault();
  }
}

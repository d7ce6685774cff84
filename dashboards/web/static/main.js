// A board: the words of its language, a stream, and a clock that makes ages grow while nothing arrives.

import { Alerts } from "./alerts.js";
import { Banner } from "./banner.js";
import { Board } from "./board.js";
import { reloadForBuild } from "./build.js";
import { Connection } from "./connection.js";
import { Distance } from "./distance.js";
import { text } from "./dom.js";
import { Link } from "./link.js";
import { Pager } from "./pager.js";
import { serverNow, setServerTime } from "./servertime.js";
import { keepAwake, shiftPixels } from "./wall.js";
import { Words } from "./words.js";

const UPRIGHT = "(min-width: 900px) and (min-height: 1400px) and (orientation: portrait)";
const WALL = `(min-width: 900px) and (min-height: 560px) and (orientation: landscape), ${UPRIGHT}`;
const { stream, staleSeconds, words: catalogue } = document.body.dataset;
const query = new URLSearchParams(location.search);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function loadWords() {
  for (;;) {
    try {
      return await Words.load(catalogue, document.documentElement.lang);
    } catch {
      await wait(2_000);
    }
  }
}

function pageSeconds() {
  const asked = Number(query.get("seconds"));
  return asked >= 3 && asked <= 600 ? asked : 12;
}

/** The board of the unit after this one, in place: a page load while the server is away would end the rotation. */
async function nextUnit(connection, pager) {
  try {
    const { units } = await (await fetch("/api/v1/units")).json();
    if (!units.length) return;
    const here = units.findIndex((entry) => entry.unit === document.body.dataset.unit);
    const next = units[(here + 1) % units.length];
    if (next.unit === document.body.dataset.unit) return;
    document.body.dataset.unit = next.unit;
    document.body.dataset.stream = `${next.board}/stream`;
    text(document.getElementById("unit"), next.unit);
    document.title = document.title.replace(/^.* · /, `${next.unit} · `);
    history.replaceState(null, "", next.board + location.search);
    pager.restart();
    connection.open(document.body.dataset.stream);
  } catch {
    // The next turn tries again; the board stays where it is.
  }
}

async function start() {
  const words = await loadWords();
  const [wall, upright] = [WALL, UPRIGHT].map((size) => matchMedia(size));
  const link = new Link(words);
  const banner = new Banner(words);
  const alerts = new Alerts(words);
  let connection = null;
  const pager = new Pager(document.getElementById("pages"), words, pageSeconds(), {
    changed: () => board.draw(),
    finished: () => query.get("rotate") === "units" && nextUnit(connection, pager),
    quiet: (ids) => board.quiet(ids),
    called: (id) => board.called(id),
  });
  const distance = Distance.of(query, document.body.dataset);
  const board = new Board(words, pager, Number(staleSeconds) * 1000, { wall, upright }, distance);
  const tick = () => {
    text(document.getElementById("clock"), words.times.format(serverNow()));
    board.setCurrent(link.current);
    board.draw();
    link.draw();
    banner.draw();
    alerts.draw();
  };
  const take = (data, whole) => {
    if (whole) board.snapshot(data);
    else board.change(data);
    alerts.take(data);
  };
  connection = new Connection(stream, {
    snapshot: (data) => take(data, true),
    change: (data) => take(data, false),
    heartbeat: (data) => {
      setServerTime(Date.parse(data.at));
      link.setService(data);
      banner.show(data);
      reloadForBuild(data.build);
      tick();
    },
    state: (state) => link.setConnection(state),
  });
  const legend = document.getElementById("legend");
  text(legend, `${words.say("legend.bar")} · ${words.say("legend.mark")}`);
  for (const size of [wall, upright]) size.addEventListener("change", () => board.draw());
  setInterval(tick, 1_000);
  keepAwake();
  shiftPixels();
  tick();
}

start();

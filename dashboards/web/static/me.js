// A person's page stays fresh by asking for itself: no news is a 304, news replaces what differs and nothing else, so
// that open details, the place in the page and the keyboard's focus stay. Without script the page is the same, once.

import { attribute, text } from "./dom.js";
import { reloadForBuild } from "./build.js";
import { Link } from "./link.js";
import { serverNow, setServerTime } from "./servertime.js";
import { Words } from "./words.js";

const EVERY = 5_000;
const LONGEST = 30_000;
const PATIENCE = 10_000;
const LIVE = ["tabs", "live"];
const { words: catalogue, staleSeconds, zone } = document.body.dataset;

let seen = null;
let failures = 0;

/** Takes over the children of a fresh node where they differ; details that are open stay open. */
function take(id, fresh) {
  const [mine, theirs] = [document.getElementById(id), fresh.getElementById(id)];
  if (!mine || !theirs) return;
  const open = new Set([...mine.querySelectorAll("details[open]")].map((each) => each.id));
  for (const each of theirs.querySelectorAll("details")) if (open.has(each.id)) each.setAttribute("open", "");
  morph(mine, theirs);
}

/** Nodes that are alike are kept and compared further down; only what differs is replaced. */
function morph(mine, theirs) {
  if (mine.isEqualNode(theirs)) return;
  for (const { name, value } of theirs.attributes) attribute(mine, name, value);
  for (const { name } of [...mine.attributes]) if (!theirs.hasAttribute(name)) attribute(mine, name, null);
  const [old, now] = [[...mine.childNodes], [...theirs.childNodes]];
  if (old.length !== now.length || old.some((node, i) => !alike(node, now[i]))) {
    const focused = document.activeElement?.closest?.("[id]")?.id;
    mine.replaceChildren(...now);
    if (focused && !document.getElementById(focused)?.contains(document.activeElement)) {
      const again = document.getElementById(focused);
      (again?.querySelector("summary, a, button") ?? again)?.focus?.({ preventScroll: true });
    }
    return;
  }
  old.forEach((node, i) => {
    if (node.nodeType === Node.ELEMENT_NODE) morph(node, now[i]);
    else if (node.nodeValue !== now[i].nodeValue) node.nodeValue = now[i].nodeValue;
  });
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
}

async function ask() {
  const headers = seen ? { "if-none-match": seen } : {};
  const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  const date = Date.parse(answer.headers.get("date"));
  if (date) setServerTime(date);
  if (answer.status === 304) return;
  if (answer.status === 401 || answer.status === 403) return location.reload();
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  seen = answer.headers.get("etag");
  LIVE.forEach((id) => take(id, fresh));
  for (const [id, name] of [["link", "data-service"], ["link", "data-since"], ["newest", "data-newest"]]) {
    attribute(document.getElementById(id), name, fresh.getElementById(id)?.getAttribute(name) ?? null);
  }
  if (newestText !== null) newestText = fresh.getElementById("newest").textContent;
  reloadForBuild(fresh.body.dataset.build);
}

let newestText = document.getElementById("newest").textContent;

/** The age of the newest event is told by the page itself: nothing that arrives must not look fresh. */
function age(words) {
  const node = document.getElementById("newest");
  const newest = Number(node.dataset.newest);
  if (!newest) return;
  const old = serverNow() - newest > Number(staleSeconds) * 1_000;
  attribute(node, "data-stale", old ? "" : null);
  text(node, old ? words.say("stale", { time: words.time(newest, serverNow()) }) : newestText);
}

function draw(link, words) {
  const { service, since } = document.getElementById("link").dataset;
  link.setService({ service, since: since ? new Date(Number(since)).toISOString() : null });
  attribute(document.body, "data-lost", link.connection === "lost" ? "" : null);
  age(words);
}

async function start() {
  const words = await Words.load(catalogue, document.documentElement.lang);
  words.setZone(zone);
  const link = new Link(words);
  for (;;) {
    try {
      await ask();
      failures = 0;
      link.setConnection("live");
    } catch {
      failures += 1;
      link.setConnection("lost");
    }
    draw(link, words);
    const wait = Math.min(LONGEST, EVERY * 2 ** Math.min(failures, 3)) * (0.8 + 0.4 * Math.random());
    await new Promise((resolve) => {
      setTimeout(resolve, wait);
      if (document.hidden) document.addEventListener("visibilitychange", resolve, { once: true });
    });
  }
}

start();

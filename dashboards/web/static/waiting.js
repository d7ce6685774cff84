// A page that has nothing to show yet asks every few seconds whether it has, and opens the board when it is there.

import { reloadForBuild } from "./build.js";

const { unit } = document.body.dataset;

async function ready() {
  const answer = await fetch("/api/v1/units", { cache: "no-store" });
  if (!answer.ok) return false;
  const { units } = await answer.json();
  return unit ? units.some((entry) => entry.unit === unit) : units.length > 0;
}

async function look() {
  try {
    if (await ready()) return location.reload();
    reloadForBuild((await (await fetch("/healthz", { cache: "no-store" })).json()).build);
  } catch {
    // The server is away; it is asked again.
  }
  setTimeout(look, 2_000 + Math.random() * 1_000);
}

setTimeout(look, 1_000);

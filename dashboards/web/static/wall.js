// What a screen needs that nobody touches for weeks: it stays awake, and no pixel shows the same thing for ever.

import { style } from "./dom.js";

const SHIFTS = [[0, 0], [2, 1], [3, -1], [1, -3], [-1, -2], [-3, 0], [-2, 2], [0, 3]];
const SHIFT_EVERY = 60_000;

const ASK_EVERY = 60_000;

/** A lock goes when the page is hidden, and may be taken away or refused at any time: it is asked for until it holds. */
export function keepAwake() {
  let held = null;
  const ask = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator) || (held && !held.released)) return;
    try {
      held = await navigator.wakeLock.request("screen");
    } catch {
      // Refused on an address without TLS that is not this machine: then the screen's own settings must do.
    }
  };
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, ASK_EVERY);
  ask();
}

export function shiftPixels() {
  let step = 0;
  setInterval(() => {
    step = (step + 1) % SHIFTS.length;
    style(document.documentElement, "--shift-x", `${SHIFTS[step][0]}px`);
    style(document.documentElement, "--shift-y", `${SHIFTS[step][1]}px`);
  }, SHIFT_EVERY);
}

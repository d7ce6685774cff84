// Now is the server's: the clock of a screen on a shop floor may be anything. A page comes with the time at which it was
// made, until its stream tells a younger one.

const made = Date.parse(document.body.dataset.now);
let offset = (Number.isNaN(made) ? Date.now() : made) - performance.now();

export function setServerTime(at) {
  offset = at - performance.now();
}

export function serverNow() {
  return performance.now() + offset;
}

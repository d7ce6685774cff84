// Now is the server's: the clock of a screen on a shop floor may be anything.

let offset = Date.now() - performance.now();

export function setServerTime(at) {
  offset = at - performance.now();
}

export function serverNow() {
  return performance.now() + offset;
}

// A page that the server draws, drawn anew while nobody is in the middle of something on it.

const EVERY = Number(document.body.dataset.every) * 1_000;

/** Typed text, an open form or a chosen spot are somebody's work: the page waits until they are done. */
function busy() {
  const main = document.querySelector("main");
  return document.hidden || main.querySelector("details[open]") !== null || main.contains(document.activeElement);
}

async function refresh() {
  if (busy()) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.querySelector("main");
    if (!main || busy()) return;
    if (page.body.dataset.build !== document.body.dataset.build) location.reload();
    else document.querySelector("main").replaceWith(main);
  } catch {
    // The next turn tries again; the page says as of when it is.
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);

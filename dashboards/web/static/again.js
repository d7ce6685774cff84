// A page that has to wait asks again by itself, as often as the server says, and never all at once.

const seconds = Number(document.body.dataset.retry);

async function look() {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok) return location.reload();
  } catch {
    // The server is away; it is asked again.
  }
  wait();
}

function wait() {
  setTimeout(look, seconds * 1_000 * (0.8 + 0.4 * Math.random()));
}

wait();

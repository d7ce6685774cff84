// What links to other pages carry on of an address: the language and the look that were asked for.

const KEPT = ["lang", "theme"];

export function kept() {
  const query = new URLSearchParams(location.search);
  const own = KEPT.filter((name) => query.has(name)).map((name) => [name, query.get(name)]);
  return own.length ? `?${new URLSearchParams(own)}` : "";
}

// How an alert stands: a shape and a word for who sees no colours. What somebody has in hand looks calmer.

export const ALERT_SHAPES = {
  critical: "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5ZM7 3.6h2v5.6H7Zm0 7h2v2H7Z",
  warning: "M8 .8 15.8 15H.2ZM7 5.6h2v4.6H7Zm0 6h2v2H7Z",
  info: "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8ZM7 3.6h2v2H7Zm0 3.2h2v5.6H7Z",
  acknowledged: "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8ZM6.9 11.9 3.3 8.3l1.4-1.4 2.2 2.2 4.4-4.4 1.4 1.4Z",
  common: "M3.2 1.6a2 2 0 1 0 0 4A2 2 0 0 0 3.2 1.6Zm9.6 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM8 9.8a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8ZM4.9 5 8.3 8.4 7.2 9.5 3.8 6.1ZM12.2 6.1 8.8 9.5 7.7 8.4 11.1 5Z",
  shelved: "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8ZM5.2 4.6h2v6.8h-2Zm3.6 0h2v6.8h-2Z",
};

/** [kind, word] of an alert. One that the unit's own stands for says no more than that. */
export function signOf(words, { severity, state, folded }) {
  if (folded) return ["common", words.say("alert.folded")];
  if (state !== "firing" && state in ALERT_SHAPES) return [state, words.say(`alert.${state}`)];
  const kind = severity in ALERT_SHAPES ? severity : "info";
  return [kind, words.say(`alert.${kind}`)];
}

// A page of an older build loads itself again, once per build, and only when the server has just been heard.

const KEY = "scorestream-reloaded-for";

export function reloadForBuild(build) {
  if (!build || build === document.body.dataset.build) return;
  if (sessionStorage.getItem(KEY) === build) return;
  sessionStorage.setItem(KEY, build);
  setTimeout(() => location.reload(), Math.random() * 3_000);
}

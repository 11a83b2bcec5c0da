// The theme, and where all of it starts.

const root = document.documentElement;
const KEPT = "trip-kpis-theme";
const darkAsked = matchMedia("(prefers-color-scheme: dark)");
const themeButton = document.getElementById("theme");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : darkAsked.matches);

function kept() {
  try { return localStorage.getItem(KEPT); } catch { return null; } // some browsers keep nothing for files
}

function choose(theme) {
  try { localStorage.setItem(KEPT, theme); } catch { /* it lasts as long as the page */ }
  wear(theme);
}

function wear(theme) {
  if (theme) root.dataset.theme = theme;
  themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
}

function draw() {
  if (first) drawDays();
  drawSegments();
}

wear(kept());
themeButton.hidden = false;
themeButton.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
darkAsked.addEventListener("change", () => wear());
for (const button of document.querySelectorAll("thead button")) sortable(button.closest("th"));
if (first) followDays();
if (charts.breakdowns.length) followGroups();
followSegments();
draw();
let drawnFor = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== drawnFor) draw();
  drawnFor = innerWidth;
});
// A figure that is shown rounded has all its digits as a tooltip.
addEventListener("pointerover", ({ target }) => {
  if (target.dataset?.short) target.title = target.textContent;
});

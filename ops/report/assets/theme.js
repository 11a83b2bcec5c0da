// The theme, and the beginning of it all.

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
  show(theme);
}

function show(theme) {
  if (theme) root.dataset.theme = theme;
  themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
  if (first) drawDays();
  drawSegments();
}

show(kept());
themeButton.hidden = false;
themeButton.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
darkAsked.addEventListener("change", () => show());
for (const button of document.querySelectorAll("thead button")) sortable(button.closest("th"));
followDays();

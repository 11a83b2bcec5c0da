"use strict";
// What the charts have in common. All scripts of the page are one, in the order that page.py gives.
//
// A chart is an SVG as wide as its place; its colours are the page's, by its classes.

const charts = JSON.parse(document.getElementById("charts").textContent);
const moment = (milliseconds) => new Date(milliseconds).toISOString();
const RIGHT = 8, BELOW = 26;

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Replaces what the chart shows. `drawn` are SVG elements.
function show(chart, height, drawn) {
  chart.querySelector("svg")?.remove();
  chart.prepend(svg("svg", { viewBox: `0 0 ${chart.clientWidth} ${height}` }, ...drawn));
}

const label = (x, y, text, place) => svg("text", { x, y, class: `label ${place}` }, text);
const rule = (x1, y1, x2, y2, kind) => svg("path", { d: `M${x1} ${y1}L${x2} ${y2}`, class: kind });
const bar = (x, y, width, height, kind) => svg("rect", {
  x: x.toFixed(2), y: y.toFixed(2), width: Math.max(width, 1).toFixed(2), height: Math.max(height, 0).toFixed(2), class: `bar ${kind}`,
});
const widthOf = (labels) => 7.5 * Math.max(...labels.map((text) => text.length)) + 10;

// Round numbers from below `low` to above `high`, with their labels.
function numberTicks(low, high, most) {
  const rough = (high - low || Math.abs(high) || 1) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const from = Math.floor(low / step);
  const ticks = Array.from({ length: Math.max(2, Math.ceil(high / step) - from + 1) }, (_, n) => (from + n) * step);
  const few = Math.max(...ticks.map(Math.abs)) < 10000;
  const format = new Intl.NumberFormat("en", few
    ? { maximumFractionDigits: Math.min(20, Math.max(0, -Math.floor(Math.log10(step)))) }
    : { notation: "compact", maximumSignificantDigits: 6 });
  return { low: ticks.at(0), high: ticks.at(-1), ticks: ticks.map((value) => [value, format.format(value)]) };
}

// Shows a tooltip while the pointer is over the chart: `at` gives its lines and its place for an event.
function tellUnderPointer(chart, at) {
  const tip = chart.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  const follow = (event) => {
    const found = at(event);
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = found.lines.join("\n");
    const most = chart.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(most, found.x + 12 < most ? found.x + 12 : found.x - tip.offsetWidth - 12))}px`;
    tip.style.top = `${found.y}px`;
  };
  chart.addEventListener("pointermove", follow);
  chart.addEventListener("pointerdown", follow);
  // A finger leaves when it is lifted; what it has asked for stays until the next tap elsewhere.
  chart.addEventListener("pointerleave", ({ pointerType }) => { tip.hidden ||= pointerType === "mouse"; });
  addEventListener("pointerdown", ({ target }) => { tip.hidden ||= !chart.contains(target); });
}

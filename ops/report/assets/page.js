"use strict";
// Draws the charts, sorts the tables, keeps charts and table to one period, changes the theme.

const told = JSON.parse(document.getElementById("charts").textContent);
const root = document.documentElement;
const touched = matchMedia("(pointer: coarse)").matches;
const DAY = 86400000;

// Theme

const darkAsked = matchMedia("(prefers-color-scheme: dark)");
const themeButton = document.getElementById("theme");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : darkAsked.matches);

function kept() {
  try { return localStorage.getItem("theme"); } catch { return null; } // some browsers keep nothing for files
}

function choose(theme) {
  try { localStorage.setItem("theme", theme); } catch { /* it lasts as long as the page */ }
  show(theme);
}

function show(theme) {
  if (theme) root.dataset.theme = theme;
  themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
  draw();
}

function colour(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}

// Charts. What is drawn goes through a float; what is told of it is the text of the figure.

function plot(id, traces, layout) {
  const chart = document.getElementById(id);
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), automargin: true };
  Plotly.react(chart, traces, {
    height: 280, margin: { l: 12, r: 12, t: touched ? 12 : 32, b: 12 }, showlegend: false, bargap: 0.1,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", separators: ".,",
    font: { color: colour("text"), family: "system-ui, sans-serif", size: 13 },
    hoverlabel: { bgcolor: colour("raised"), font: { color: colour("text") }, bordercolor: colour("line") },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("text") },
    hovermode: "x unified", dragmode: touched ? false : "zoom",
    ...layout,
    xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, ...layout.yaxis },
  }, {
    responsive: true, displaylogo: false, displayModeBar: touched ? false : "hover",
    // By name: the default ones can send the chart to a service of plotly's.
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]],
  });
}

const [first, last] = [told.days.at(0)?.[0], told.days.at(-1)?.[0]];
const period = { from: first, to: last };

function drawDays() {
  const days = told.days.filter(([date]) => period.from <= date && date <= period.to);
  const column = (n) => days.map((day) => day[n]);
  const [from, to] = [Date.parse(period.from), Date.parse(period.to)];
  const few = (to - from) / DAY < 10;
  const xaxis = {
    type: "date", range: [from - DAY / 2, to + DAY / 2], hoverformat: "%A, %-d %B %Y",
    ...(few ? { tick0: from, dtick: DAY, tickformat: "%-d %b" } : {}),
  };
  const bars = (n, name, more) => ({
    type: "bar", x: column(0), y: column(n).map(Number), customdata: column(n), name,
    hovertemplate: "%{customdata}", marker: { color: colour("accent") }, width: DAY * (few ? 0.5 : 0.9),
    ...more,
  });
  const [max, min] = [column(4).map(Number), column(5).map(Number)];
  const average = {
    type: "scatter", mode: days.length > 100 ? "lines" : "lines+markers", x: column(0), y: column(3).map(Number),
    customdata: column(3), name: "average", hovertemplate: "%{customdata}",
    line: { color: colour("text"), width: days.length > 400 ? 1 : 2 },
  };
  const band = bars(4, "max", {
    base: min, y: max.map((most, n) => most - min[n]), marker: { color: colour("band") }, width: DAY,
  });
  const least = { ...average, y: min, customdata: column(5), name: "min", mode: "markers", marker: { opacity: 0 } };
  plot("total-chart", [bars(2, "total fare")], { xaxis });
  plot("trips-chart", [bars(1, "trips")], { xaxis });
  plot("average-chart", [band, average, least], { xaxis });
}

function showPeriod(from, to) {
  if (!(from <= to) || (from === period.from && to === period.to)) return;
  Object.assign(period, { from, to });
  document.getElementById("from").value = from;
  document.getElementById("to").value = to;
  let shown = 0;
  for (const row of document.querySelectorAll("#days-table tbody tr")) {
    const date = row.cells[0].textContent;
    row.hidden = date < from || to < date;
    shown += !row.hidden;
  }
  document.getElementById("days-shown").textContent = `${shown} of ${told.days.length} days shown.`;
  drawDays();
}

const moment = (milliseconds) => new Date(milliseconds).toISOString();
const dayOf = (milliseconds) => moment(milliseconds).slice(0, 10);

// Plotly tells where an axis ends in milliseconds, or as a time without a zone.
const millisecondsOf = (end) => (typeof end === "string" ? Date.parse(`${end.padEnd(11, "T").padEnd(16, "00:00").replace(" ", "T")}Z`) : end);

function zoomed(change) {
  const [left, right] = [change["xaxis.range[0]"], change["xaxis.range[1]"]].map(millisecondsOf);
  if (change["xaxis.autorange"]) showPeriod(first, last);
  else if (right) {
    // The days whose middle can be seen.
    const [from, to] = [dayOf(Math.ceil(left / DAY) * DAY), dayOf(Math.floor(right / DAY) * DAY)];
    showPeriod(from < first ? first : from, to > last ? last : to);
  }
}

const TURNS = ["accent", "second", "third", "later"];

// When somebody worked, and when nobody did for long, as between a failure and the continuation.
function spans(stretches) {
  const busy = stretches.map(([, , began, seconds]) => [Date.parse(began), Date.parse(began) + seconds * 1000]);
  busy.sort((a, b) => a[0] - b[0]);
  const gaps = [];
  let until = busy[0][0], worked = 0;
  for (const [began, ended] of busy) {
    if (began > until) gaps.push([until, began]);
    worked += Math.max(0, ended - Math.max(began, until));
    until = Math.max(until, ended);
  }
  const margin = worked / 50;
  return {
    range: [busy[0][0] - margin, until + margin],
    pauses: gaps.filter(([from, to]) => to - from > 3 * worked).map(([from, to]) => [from + margin, to - margin]),
  };
}

function lasting(milliseconds) {
  const minutes = Math.round(milliseconds / 60000);
  return minutes < 2 ? `${Math.round(milliseconds / 1000)} s` : minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function drawSegments() {
  const segments = [...told.segments].sort((a, b) => a[0] - b[0]).map(([segment]) => String(segment));
  const layout = {
    height: Math.min(900, 120 + 18 * segments.length), hovermode: "closest", barmode: "overlay", bargap: 0.25,
    yaxis: { type: "category", categoryorder: "array", categoryarray: segments, autorange: "reversed", title: { text: "segment" } },
  };
  if (!told.stretches.length) {
    plot("segments-chart", [{
      type: "bar", orientation: "h", y: told.segments.map(([segment]) => String(segment)), x: told.segments.map(([, ms]) => ms / 1000),
      marker: { color: colour("accent") }, hovertemplate: "segment %{y}: %{x} s<extra></extra>",
    }], { ...layout, xaxis: { title: { text: "seconds" } } });
    return;
  }
  const traces = TURNS.map((name, n) => {
    const turn = told.stretches.filter((stretch) => Math.min(stretch[1], TURNS.length) === n + 1);
    return {
      type: "bar", orientation: "h", name: ["first invocation", "second", "third", "later ones"][n],
      y: turn.map(([segment]) => String(segment)), base: turn.map((stretch) => stretch[2]), x: turn.map((stretch) => stretch[3] * 1000),
      marker: { color: colour(name), line: { color: colour(name), width: 1 } },
      customdata: turn.map(([segment, nth, began, seconds, scanned, parts]) =>
        `segment ${segment}, invocation ${nth}<br>from ${began.slice(11, 23)} UTC, ${seconds} s<br>trips ${scanned}, parts ${parts}`),
      hovertemplate: "%{customdata}<extra></extra>",
    };
  }).filter((trace) => trace.y.length);
  const { range, pauses } = spans(told.stretches);
  plot("segments-chart", traces, {
    ...layout, showlegend: traces.length > 1, legend: { orientation: "h", y: 1, yanchor: "bottom" },
    xaxis: {
      type: "date", title: { text: "UTC" }, range: range.map(moment),
      rangebreaks: pauses.map((ends) => ({ bounds: ends.map(moment) })),
    },
    shapes: pauses.map(([from]) => ({
      type: "line", x0: moment(from), x1: moment(from), yref: "paper", y0: 0, y1: 1, line: { color: colour("quiet"), dash: "dot" },
    })),
    annotations: pauses.map(([from, to]) => ({
      x: moment(from), yref: "paper", y: 0.5, showarrow: false, bgcolor: colour("ground"), text: `${lasting(to - from)} left out`,
    })),
  });
}

function draw() {
  if (first) drawDays();
  drawSegments();
}

// Tables

function sortable(heading) {
  const button = heading.querySelector("button");
  const [table, column] = [heading.closest("table"), heading.cellIndex];
  // Exact: decimals of up to 18 places become whole numbers of any size.
  const scaled = (text) => { const [whole, fraction = ""] = text.split("."); return BigInt(whole + fraction.padEnd(18, "0")); };
  const key = button.dataset.kind === "number" ? scaled : (text) => text;
  button.addEventListener("click", () => {
    const sign = heading.ariaSort === "ascending" ? -1 : 1;
    const rows = [...table.tBodies[0].rows].map((row) => [key(row.cells[column].textContent), row]);
    rows.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
    for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
    heading.ariaSort = sign > 0 ? "ascending" : "descending";
    table.tBodies[0].append(...rows.map(([, row]) => row));
  });
}

// All of it

show(kept());
themeButton.hidden = false;
themeButton.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
darkAsked.addEventListener("change", () => show());
for (const button of document.querySelectorAll("thead button")) sortable(button.closest("th"));
for (const chart of document.querySelectorAll("#days .chart")) chart.on("plotly_relayout", zoomed);
for (const group of document.querySelectorAll(".period")) {
  group.hidden = false;
  const ends = [...group.querySelectorAll("input")];
  group.addEventListener("change", () => showPeriod(ends[0].value || first, ends[1].value || last));
  group.addEventListener("click", ({ target }) => {
    const days = target.dataset.last;
    if (days === "0") showPeriod(first, last);
    else if (days) showPeriod(dayOf(Date.parse(last) - (days - 1) * DAY), last);
  });
}

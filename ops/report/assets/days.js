// The days' charts and their table, which show one period.
//
// What is drawn goes through a float; what is written of it is the text of the figure.

const DAY = 86400000;
const dayOf = (milliseconds) => moment(milliseconds).slice(0, 10);
const [first, last] = [charts.days.at(0)?.[0], charts.days.at(-1)?.[0]];
const period = { from: first, to: last };

function drawDays() {
  const days = charts.days.filter(([date]) => period.from <= date && date <= period.to);
  const column = (n) => days.map((day) => day[n]);
  const [from, to] = [Date.parse(period.from), Date.parse(period.to)];
  const few = (to - from) / DAY < 10;
  const xaxis = {
    type: "date", range: [from - DAY / 2, to + DAY / 2], hoverformat: "%A, %-d %B %Y",
    ...(few ? { tick0: from, dtick: DAY, tickformat: "%-d %b" } : {}),
  };
  // Bars of open days are hatched, and their tooltips say so.
  const pattern = { shape: days.map(([, , , , , , isOpen]) => (isOpen ? "/" : "")) };
  const figures = (n) => days.map((day) => (day[6] ? `${day[n]} (open)` : day[n]));
  const bars = (n, name, more) => ({
    type: "bar", x: column(0), y: column(n).map(Number), customdata: figures(n), name,
    hovertemplate: "%{customdata}", marker: { color: colour("accent"), pattern }, width: DAY * (few ? 0.5 : 0.9),
    ...more,
  });
  const [max, min] = [column(4).map(Number), column(5).map(Number)];
  const average = {
    type: "scatter", mode: days.length > 100 ? "lines" : "lines+markers", x: column(0), y: column(3).map(Number),
    customdata: column(3), name: "average", hovertemplate: "%{customdata}",
    line: { color: colour("text"), width: days.length > 400 ? 1 : 2 },
  };
  const band = bars(4, "max", {
    base: min, y: max.map((most, n) => most - min[n]), marker: { color: colour("band") }, width: DAY * (few ? 0.5 : 1),
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
  document.getElementById("days-shown").textContent = `${shown} of ${charts.days.length} days shown.`;
  drawDays();
}

// Plotly tells where an axis ends in milliseconds, or as a time without a zone.
const millisecondsOf = (end) => (typeof end === "string" ? Date.parse(`${end.padEnd(11, "T").padEnd(16, "00:00").replace(" ", "T")}Z`) : end);

function zoomed(change) {
  const ends = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
  const [left, right] = ends.map(millisecondsOf);
  if (change["xaxis.autorange"]) showPeriod(first, last);
  else if (right) {
    // The days whose middle can be seen.
    const [from, to] = [dayOf(Math.ceil(left / DAY) * DAY), dayOf(Math.floor(right / DAY) * DAY)];
    showPeriod(from < first ? first : from, to > last ? last : to);
  }
}

function followDays() {
  for (const chart of document.querySelectorAll("#days .chart")) chart.on("plotly_relayout", zoomed);
  for (const group of document.querySelectorAll(".period")) {
    group.hidden = false;
    const ends = [...group.querySelectorAll("input")];
    group.addEventListener("change", ({ target }) => {
      const [from, to] = [ends[0].value || first, ends[1].value || last];
      if (from <= to) showPeriod(from, to);
      else showPeriod(target.value, target.value); // the end that was set counts
    });
    group.addEventListener("click", ({ target }) => {
      const days = target.dataset.last;
      if (days === "0") showPeriod(first, last);
      else if (days) showPeriod(dayOf(Date.parse(last) - (days - 1) * DAY), last);
    });
  }
}

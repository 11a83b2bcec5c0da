// The days' charts and their table, which show one period.
//
// What is drawn goes through a float; what is written of it is the text of the figure.

const DAY = 86400000, HEIGHT = 240, ABOVE = 8;
const dayRows = [...document.querySelectorAll("#days-table tbody tr")];
const days = dayRows.map((row) => {
  const cells = [...row.cells].map((cell) => cell.textContent);
  const [date] = cells;
  return { date, at: Date.parse(date), cells, isOpen: row.hasAttribute("data-open"), row };
}).sort((a, b) => a.at - b.at);
const [first, last] = [days.at(0)?.date, days.at(-1)?.date];
const period = { from: first, to: last };
const inPeriod = () => days.filter(({ date }) => period.from <= date && date <= period.to);
const dayOf = (milliseconds) => moment(milliseconds).slice(0, 10);
const written = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const LONG = written({ weekday: "long", day: "numeric", month: "long", year: "numeric" });

// A chart has one KPI, or an average, a maximum and a minimum. Days that lack one are left out.
const DAY_CHARTS = Object.fromEntries(charts.days.map(({ id, kpis }) => {
  const has = ({ cells }) => kpis.every(([, column]) => cells[column]);
  const [[name, first], [, max] = [], [, min] = []] = kpis;
  if (kpis.length === 1) return [id, { has, bar: ({ cells }) => [0, cells[first]], tell: ({ cells }) => [`${name}: ${cells[first]}`] }];
  return [id, {
    has, kind: "band", bar: ({ cells }) => [cells[min], cells[max]], line: ({ cells }) => cells[first],
    tell: ({ cells }) => [`max: ${cells[max]}`, `average: ${cells[first]}`, `min: ${cells[min]}`],
  }];
}));

// Of the days, months or years that begin there, at most so many, with their labels.
function dateTicks(from, to, most) {
  const [start, end] = [new Date(from), new Date(to)];
  const months = (end.getUTCFullYear() - start.getUTCFullYear()) * 12 + end.getUTCMonth() - start.getUTCMonth() + 1;
  const step = [1, 2, 7, 14].find((size) => (to - from) / DAY / size < most);
  if (step) {
    const count = Math.floor((to - from) / DAY / step) + 1;
    return Array.from({ length: count }, (_, n) => from + n * step * DAY).map((at, n) => {
      const year = n === 0 || dayOf(at).slice(0, 4) !== dayOf(at - step * DAY).slice(0, 4);
      return [at, written({ day: "numeric", month: "short", ...(year ? { year: "numeric" } : {}) }).format(at)];
    });
  }
  const size = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200].find((one) => months / one <= most) ?? 6000;
  const begin = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / size) * size;
  return Array.from({ length: Math.ceil(months / size) }, (_, n) => begin + n * size)
    .map((month) => Date.UTC(Math.floor(month / 12), month % 12))
    .filter((at) => from <= at && at <= to)
    .map((at) => [at, written(size < 12 ? { month: "short", year: "numeric" } : { year: "numeric" }).format(at)]);
}

// Where a day is drawn, in the chart's own pixels.
function dayScale(chart, left) {
  const [from, to] = [Date.parse(period.from) - DAY / 2, Date.parse(period.to) + DAY / 2];
  const perMillisecond = (chart.clientWidth - left - RIGHT) / (to - from);
  return { x: (at) => left + (at - from) * perMillisecond, at: (x) => from + (x - left) / perMillisecond, day: DAY * perMillisecond };
}

// `shown` are days, and `values` what the scale has room for.
function drawDayChart(id, { kind = "", bar: ends, line }, { shown, values = shown.flatMap(ends), height = HEIGHT }) {
  const chart = document.getElementById(id);
  const numbers = values.map(Number);
  const { low, high, ticks } = numberTicks(numbers.reduce((a, b) => Math.min(a, b), Infinity), numbers.reduce((a, b) => Math.max(a, b), -Infinity), height / 48);
  const left = Math.max(50, widthOf(ticks.map(([, text]) => text)));
  const y = (value) => ABOVE + (height - ABOVE - BELOW) * (high - value) / (high - low);
  const scale = dayScale(chart, left);
  chart.scale = scale;
  const width = Math.min(48, scale.day * (scale.day < 3 ? 1 : 0.85));
  const right = chart.clientWidth - RIGHT;
  show(chart, height, [
    ...ticks.flatMap(([value, text]) => [rule(left, y(value), right, y(value), value === 0 ? "zero" : "grid"), label(left - 6, y(value) + 4, text, "end")]),
    ...dateTicks(Date.parse(period.from), Date.parse(period.to), Math.max(2, Math.floor((right - left) / 90)))
      .filter(([at]) => scale.x(at) < right - 20)
      .map(([at, text]) => label(Math.max(scale.x(at), left + 28), height - 6, text, "middle")),
    ...shown.map((day) => {
      const [bottom, top] = ends(day).map(Number).sort((a, b) => a - b);
      return bar(scale.x(day.at) - width / 2, y(top), width, y(bottom) - y(top), day.isOpen ? `${kind} open` : kind);
    }),
    ...(line ? [svg("polyline", { class: "line", points: shown.map((day) => `${scale.x(day.at).toFixed(2)},${y(Number(line(day))).toFixed(2)}`).join(" ") })] : []),
    ...(line && shown.length <= 100 ? shown.map((day) => svg("circle", { class: "dot", r: 2.5, cx: scale.x(day.at), cy: y(Number(line(day))) })) : []),
  ]);
}

function drawDays() {
  for (const [id, what] of Object.entries(DAY_CHARTS)) drawDayChart(id, what, { shown: inPeriod().filter(what.has) });
  if (charts.breakdowns.length) drawGroups();
}

function showPeriod(from, to) {
  if (!(from <= to) || (from === period.from && to === period.to)) return;
  Object.assign(period, { from, to });
  document.getElementById("from").value = from;
  document.getElementById("to").value = to;
  for (const { date, row } of days) row.hidden = date < from || to < date;
  document.getElementById("days-shown").textContent = `${inPeriod().length} of ${days.length} days shown.`;
  drawDays();
}

// Drawing with the mouse chooses the days whose middle is between both ends; a double click shows all.
function chooseByMouse(chart) {
  const marked = chart.appendChild(document.createElement("div"));
  marked.className = "marked";
  marked.hidden = true;
  const placeOf = (event) => event.clientX - chart.getBoundingClientRect().left;
  let start = null;
  const ends = (event) => [start, placeOf(event)].sort((a, b) => a - b);
  chart.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    start = placeOf(event);
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const [left, right] = ends(event);
    marked.hidden = right - left < 5;
    Object.assign(marked.style, { left: `${left}px`, width: `${right - left}px` });
  });
  chart.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [left, right] = ends(event);
    start = null;
    marked.hidden = true;
    if (right - left < 5) return;
    const [from, to] = [dayOf(Math.ceil(chart.scale.at(left) / DAY) * DAY), dayOf(Math.floor(chart.scale.at(right) / DAY) * DAY)];
    showPeriod(from < first ? first : from, to > last ? last : to);
  });
  chart.addEventListener("pointercancel", () => { start = null; marked.hidden = true; });
  chart.addEventListener("dblclick", () => showPeriod(first, last));
}

// `shown` gives the days, `tell` the lines of one.
function followDayChart(chart, shown, tell) {
  tellUnderPointer(chart, (event) => {
    const at = chart.scale.at(event.clientX - chart.getBoundingClientRect().left);
    const near = shown().reduce((best, day) => (best && Math.abs(day.at - at) >= Math.abs(best.at - at) ? best : day), null);
    if (!near) return null;
    return { lines: [LONG.format(near.at) + (near.isOpen ? " (open)" : ""), ...tell(near)], x: chart.scale.x(near.at), y: 16 };
  });
  chooseByMouse(chart);
}

function followDays() {
  for (const [id, { has, tell }] of Object.entries(DAY_CHARTS)) followDayChart(document.getElementById(id), () => inPeriod().filter(has), tell);
  const group = document.querySelector(".period");
  group.hidden = false;
  const ends = [...group.querySelectorAll("input")];
  group.addEventListener("change", ({ target }) => {
    const [from, to] = [ends[0].value || first, ends[1].value || last];
    if (from <= to) showPeriod(from, to);
    else showPeriod(target.value, target.value); // the end that was set counts
  });
  group.addEventListener("click", ({ target }) => {
    const count = target.dataset.last;
    if (count === "0") showPeriod(first, last);
    else if (count) showPeriod(dayOf(Date.parse(last) - (count - 1) * DAY), last);
  });
}

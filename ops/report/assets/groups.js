// The groups of a breakdown: a table of one day or of all, and a chart for each of the largest.
//
// As with the days: what is drawn goes through a float; what is written is the text of the figure.

const GROUP_CHARTS = [...document.querySelectorAll("#group-charts figure")];
const GROUP_HEIGHT = 130;
const groupChoices = Object.fromEntries(["breakdown", "kpi", "day"].map((name) => [name, document.getElementById(`group-${name}`)]));
const openDays = new Set(days.filter(({ isOpen }) => isOpen).map(({ date }) => date));
const element = (name, content, attributes = {}) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat());
  return made;
};
const withCommas = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
const chosenBreakdown = () => charts.breakdowns[groupChoices.breakdown.value];
const nameOf = ({ values }) => values.map((value) => value ?? "(none)").join(", ");
const figuresOf = (group, kpi) => ((group.split ??= [])[kpi] ??= group.byDay[kpi].split(","));

// Rounded half-even to two decimal places, exactly.
function shortFigure(text) {
  const unit = 10n ** 16n;
  const number = scaled(text.replace("-", ""));
  const [hundredths, rest] = [number / unit, number % unit];
  const rounded = hundredths + (rest * 2n > unit || (rest * 2n === unit && hundredths % 2n) ? 1n : 0n);
  const digits = rounded.toString().padStart(3, "0");
  return `${text.startsWith("-") && rounded ? "-" : ""}${withCommas(digits.slice(0, -2))}.${digits.slice(-2)}`;
}

function figureCell(text, counts, places) {
  const made = element("td", text, { class: "number" });
  if (counts && text.length > 3) made.dataset.short = withCommas(text);
  if (counts || !text) return made;
  const [, fraction] = text.split(".");
  made.dataset.short = shortFigure(text);
  if (places) made.dataset.fill = (fraction === undefined ? "." : "") + "0".repeat(places - (fraction?.length ?? 0));
  return made;
}

function showGroupTable() {
  const { name, attributes, kpis, size, days: dates, groupsByDay, groupsInAll, groups } = chosenBreakdown();
  const day = groupChoices.day.value;
  const at = dates.indexOf(day);
  const shown = groups
    .map((group) => ({ group, figures: kpis.map((_, kpi) => (day ? figuresOf(group, kpi)[at] : group.overDays[kpi])) }))
    .filter(({ figures }) => !day || figures.some(Boolean));
  const sizeOf = ({ figures }) => scaled(figures[size]);
  shown.sort((a, b) => (sizeOf(a) < sizeOf(b) ? 1 : sizeOf(a) > sizeOf(b) ? -1 : 0));
  const columns = kpis.map((kpi, n) => ({ ...kpi, n, places: Math.max(0, ...shown.map(({ figures }) => figures[n].split(".")[1]?.length ?? 0)) }));
  const filled = columns.filter(({ n }) => day || shown.some(({ figures }) => figures[n]));
  const head = (text, kind) => element("th", element("button", text, { type: "button", "data-kind": kind }), { scope: "col", ...(kind === "number" ? { class: kind } : {}) });
  const valueCell = (value, n) => element(n ? "td" : "th", value ?? element("em", "none"), { class: "group", ...(n ? {} : { scope: "row" }) });
  const table = document.getElementById("groups-table");
  table.tHead.replaceChildren(element("tr", [...attributes.map((one) => head(one, "text")), ...filled.map(({ heading }) => head(heading, "number"))]));
  table.tBodies[0].replaceChildren(...shown.map(({ group, figures }) => element("tr", [
    ...group.values.map(valueCell),
    ...filled.map(({ n, counts, places }) => figureCell(figures[n], counts, places)),
  ])));
  for (const button of table.tHead.querySelectorAll("button")) sortable(button.closest("th"));
  const inAll = day ? groupsByDay[at] : groupsInAll;
  const more = inAll - shown.length;
  document.getElementById("groups-shown").textContent = `By ${name}, ${day || "all days"}: ${withCommas(String(shown.length))} of ${withCommas(String(inAll))} groups.`;
  const without = columns.filter((column) => !filled.includes(column)).map((column) => column.name);
  document.getElementById("groups-note").textContent = [
    more ? `The page has the ${groups.length} largest groups over all days, by ${kpis[size].name}. For the other ${withCommas(String(more))}: ops kpis --breakdown ${name}.` : "",
    without.length ? `Not shown for all days, because figures of days cannot be combined exactly: ${without.join(", ")}. Choose a day.` : "",
  ].join(" ").trim();
}

// The largest groups have a chart each, all with the same scale.
function groupCharts() {
  const { days: dates, groups, kpis } = chosenBreakdown();
  const kpi = Number(groupChoices.kpi.value);
  const daysOf = (group) => dates
    .map((date, n) => ({ date, at: Date.parse(date), isOpen: openDays.has(date), value: figuresOf(group, kpi)[n] }))
    .filter(({ date, value }) => value && period.from <= date && date <= period.to);
  return GROUP_CHARTS.map((figure, n) => ({ figure, group: groups[n], kpi: kpis[kpi].name, shown: groups[n] ? daysOf(groups[n]) : [] }));
}

function drawGroups() {
  const drawn = groupCharts();
  const values = drawn.flatMap(({ shown }) => shown.map(({ value }) => value));
  for (const { figure, group, kpi, shown } of drawn) {
    figure.hidden = !group;
    if (!group) continue;
    const chart = figure.querySelector(".chart");
    figure.querySelector("figcaption").textContent = `${nameOf(group)}: ${kpi}`;
    chart.ariaLabel = `${kpi} of ${nameOf(group)} by day`;
    drawDayChart(chart.id, { bar: ({ value }) => [0, value] }, { shown, values: values.length ? [0, ...values] : [0, 1], height: GROUP_HEIGHT });
  }
}

function showBreakdown() {
  const { name, kpis, size, days: dates } = chosenBreakdown();
  const options = (select, pairs) => select.replaceChildren(...pairs.map(([value, text]) => element("option", text, { value })));
  document.getElementById("groups-title").textContent = `By ${name}`;
  const [kpi, day] = [groupChoices.kpi.value, groupChoices.day.value];
  options(groupChoices.kpi, kpis.map(({ name: text }, n) => [n, text]));
  groupChoices.kpi.value = kpi || size; // all breakdowns have the same KPIs
  options(groupChoices.day, [["", "all days"], ...dates.map((date) => [date, date])]);
  groupChoices.day.value = dates.includes(day) ? day : "";
  showGroupTable();
}

function followGroups() {
  groupChoices.breakdown.closest(".period").hidden = false;
  groupChoices.breakdown.addEventListener("change", () => { showBreakdown(); drawGroups(); });
  groupChoices.kpi.addEventListener("change", drawGroups);
  groupChoices.day.addEventListener("change", showGroupTable);
  GROUP_CHARTS.forEach((figure, n) => {
    const chart = figure.querySelector(".chart");
    followDayChart(chart, () => groupCharts()[n].shown, ({ value }) => [`${groupCharts()[n].kpi}: ${value}`]);
  });
  showBreakdown();
}

// Who worked on which segment when; or for how long, where that is all that is known.

const TURNS = ["first invocation", "second", "third", "later ones"];
const BREAK = 28; // pixels for a pause, however long
const SECOND = 1000;
const STEPS = [0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800];

// Where a time is drawn between `left` and `right`, without the pauses.
function timeScale(spans, pauses, left, right) {
  const [from, to] = [Math.min(...spans.map(({ from }) => from)), Math.max(...spans.map(({ to }) => to))];
  const inside = pauses.filter((pause) => from <= pause.from && pause.to <= to);
  const stretches = [from, ...inside.map((pause) => pause.to)].map((begin, n) => ({ from: begin, to: inside[n]?.from ?? to }));
  const shown = stretches.reduce((sum, stretch) => sum + stretch.to - stretch.from, 0) || SECOND;
  const perMillisecond = (right - left - BREAK * inside.length) / shown;
  let x = left;
  for (const stretch of stretches) {
    stretch.x = x;
    x += (stretch.to - stretch.from) * perMillisecond + BREAK;
  }
  return {
    stretches, pauses: inside, perMillisecond,
    x: (at) => {
      const stretch = stretches.findLast((one) => one.from <= at) ?? stretches[0];
      return stretch.x + Math.min(at, stretch.to) * perMillisecond - stretch.from * perMillisecond;
    },
  };
}

function timeTicks(scale) {
  const step = SECOND * (STEPS.find((one) => one * SECOND * scale.perMillisecond >= 80) ?? STEPS.at(-1));
  const length = step < SECOND ? 23 : step < 60 * SECOND ? 19 : 16;
  return scale.stretches.flatMap(({ from, to }) => {
    const begin = Math.ceil(from / step);
    return Array.from({ length: Math.max(0, Math.floor(to / step) - begin + 1) }, (_, n) => {
      const at = (begin + n) * step;
      const text = step < 86400 * SECOND ? moment(at).slice(11, length) : moment(at).slice(0, 10);
      return [scale.x(at), text];
    });
  });
}

function drawSegments() {
  const chart = document.getElementById("timeline");
  const numbers = charts.segments.map(([segment]) => segment);
  if (!numbers.length) return;
  const row = Math.max(3, Math.min(26, 860 / numbers.length));
  const left = widthOf(numbers.map(String)) + 8, right = chart.clientWidth - RIGHT;
  const spans = charts.spans.map(([segment, turn, began, seconds, scanned, parts]) => {
    const from = Date.parse(began);
    return { segment, turn, from, to: from + seconds * SECOND, began, seconds, scanned, parts };
  });
  const pauses = charts.pauses.map(([from, to, lasting]) => ({ from: Date.parse(from), to: Date.parse(to), lasting }));
  const scale = spans.length ? timeScale(spans, pauses, left, right) : null;
  const top = scale?.pauses.length ? 24 : 6, bottom = top + row * numbers.length;
  const place = new Map(numbers.map((segment, n) => [segment, top + n * row]));
  const thick = Math.max(row * 0.75, 2);
  const named = Math.ceil(14 / row);
  const rows = numbers.filter((_, n) => n % named === 0).map((segment) => label(left - 6, place.get(segment) + row / 2 + 4, String(segment), "end"));
  const axis = (ticks) => [
    ...ticks.flatMap(([x, text]) => [rule(x, top, x, bottom, "grid"), ...(x < right - 30 ? [label(Math.max(x, left + 20), bottom + 16, text, "middle")] : [])]),
    rule(left, bottom, right, bottom, "zero"),
  ];
  if (scale === null) {
    const { high, ticks } = numberTicks(0, charts.segments.reduce((most, [, ms]) => Math.max(most, ms / SECOND), 0.001), 6);
    const x = (seconds) => left + (right - left) * seconds / high;
    show(chart, bottom + BELOW, [...axis(ticks.map(([value, text]) => [x(value), `${text} s`])), ...rows, ...charts.segments.map(([segment, ms]) => {
      const made = bar(left, place.get(segment) + (row - thick) / 2, x(ms / SECOND) - left, thick, "");
      made.lines = [`segment ${segment}: ${ms / SECOND} s`];
      return made;
    })]);
    return;
  }
  show(chart, bottom + BELOW, [
    ...axis(timeTicks(scale)), ...rows,
    ...spans.map((span) => {
      const x = scale.x(span.from);
      const made = bar(x, place.get(span.segment) + (row - thick) / 2, scale.x(span.to) - x, thick, `turn${Math.min(span.turn, TURNS.length)}`);
      made.lines = [
        `segment ${span.segment}, invocation ${span.turn}`, `from ${span.began.slice(11, 23)} UTC, ${span.seconds} s`, `scanned ${span.scanned}, parts ${span.parts}`,
      ];
      return made;
    }),
    ...scale.pauses.flatMap((pause) => {
      const end = scale.x(pause.to), middle = end - BREAK / 2;
      return [
        svg("rect", { x: end - BREAK + 4, y: top, width: BREAK - 8, height: bottom - top + 1, class: "break" }),
        rule(end - BREAK + 4, top, end - BREAK + 4, bottom + 4, "edge"), rule(end - 4, top, end - 4, bottom + 4, "edge"),
        label(middle, 14, `${pause.lasting} left out`, "middle"),
      ];
    }),
  ]);
}

function followSegments() {
  const chart = document.getElementById("timeline");
  const turns = [...new Set(charts.spans.map((span) => Math.min(span[1], TURNS.length)))].sort();
  if (turns.length > 1) {
    const legend = document.createElement("p");
    legend.className = "legend";
    legend.append(...turns.map((turn) => {
      const item = document.createElement("span");
      item.className = `turn${turn}`;
      item.textContent = TURNS[turn - 1];
      return item;
    }));
    chart.before(legend);
  }
  tellUnderPointer(chart, (event) => {
    const box = chart.getBoundingClientRect();
    return event.target.lines && { lines: event.target.lines, x: event.clientX - box.left, y: event.clientY - box.top + 12 };
  });
}

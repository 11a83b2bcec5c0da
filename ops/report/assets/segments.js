// Who worked on which segment when; or for how long, where that is all that is known.

const TURNS = ["accent", "second", "third", "later"];

// When somebody worked, and when nobody did for long, as between a failure and the continuation.
function busyRanges(spans) {
  const busy = spans.map(([, , began, seconds]) => [Date.parse(began), Date.parse(began) + seconds * 1000]);
  busy.sort((a, b) => a[0] - b[0]);
  const gaps = [];
  let until = busy[0][0], worked = 0;
  for (const [began, ended] of busy) {
    if (began > until) gaps.push([until, began]);
    worked += Math.max(0, ended - Math.max(began, until));
    until = Math.max(until, ended);
  }
  const margin = Math.max(10, worked / 50);
  return {
    range: [busy[0][0] - margin, until + margin],
    pauses: gaps.filter(([from, to]) => to - from > 3 * worked + 2 * margin).map(([from, to]) => [from + margin, to - margin]),
  };
}

function lasting(milliseconds) {
  const minutes = Math.round(milliseconds / 60000);
  return minutes < 2 ? `${Math.round(milliseconds / 1000)} s` : minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function drawSegments() {
  const segments = [...charts.segments].sort((a, b) => a[0] - b[0]).map(([segment]) => String(segment));
  const layout = {
    height: Math.min(900, 120 + 18 * segments.length), hovermode: "closest", barmode: "overlay", bargap: 0.25,
    yaxis: { type: "category", categoryorder: "array", categoryarray: segments, autorange: "reversed", title: { text: "segment" } },
  };
  if (!charts.spans.length) {
    plot("segments-chart", [{
      type: "bar", orientation: "h", y: charts.segments.map(([segment]) => String(segment)), x: charts.segments.map(([, ms]) => ms / 1000),
      marker: { color: colour("accent") }, hovertemplate: "segment %{y}: %{x} s<extra></extra>",
    }], { ...layout, xaxis: { title: { text: "seconds" } } });
    return;
  }
  const traces = TURNS.map((name, n) => {
    const turn = charts.spans.filter((span) => Math.min(span[1], TURNS.length) === n + 1);
    return {
      type: "bar", orientation: "h", name: ["first invocation", "second", "third", "later ones"][n],
      y: turn.map(([segment]) => String(segment)), base: turn.map((span) => span[2]), x: turn.map((span) => span[3] * 1000),
      marker: { color: colour(name), line: { color: colour(name), width: 1 } },
      customdata: turn.map(([segment, nth, began, seconds, scanned, parts]) =>
        `segment ${segment}, invocation ${nth}<br>from ${began.slice(11, 23)} UTC, ${seconds} s<br>scanned ${scanned}, parts ${parts}`),
      hovertemplate: "%{customdata}<extra></extra>",
    };
  }).filter((trace) => trace.y.length);
  const { range, pauses } = busyRanges(charts.spans);
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

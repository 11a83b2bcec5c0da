"use strict";
// What the charts have in common. All scripts of the page are one, in the order that page.py gives.

const charts = JSON.parse(document.getElementById("charts").textContent);
const touched = matchMedia("(pointer: coarse)").matches;
const moment = (milliseconds) => new Date(milliseconds).toISOString();

function colour(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}

function plot(id, traces, layout) {
  const chart = document.getElementById(id);
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), automargin: true };
  // Drawing ends later than this call where the browser has other work; who needs the bars awaits `drawn`.
  chart.drawn = Plotly.react(chart, traces, {
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

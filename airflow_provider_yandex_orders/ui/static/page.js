// SPDX-License-Identifier: Apache-2.0
"use strict";

// Airflow shows the page in a frame that may not leave it: a link to Airflow's own pages is followed by Airflow.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || window.parent === window || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const own = window.parent.document.createElement("a");
  own.href = link.href;
  window.parent.document.body.append(own);
  own.click();
  own.remove();
});

// A filter is applied when it is chosen; while an answer is awaited the page says so.
document.querySelector("form[data-filter]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
const busy = () => document.body.setAttribute("aria-busy", "true");
document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("select, input[type=hidden]")) field.disabled = !field.value;
  busy();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]:not([data-airflow], [href^='#'])");
  if (link && !event.ctrlKey && !event.metaKey && !event.defaultPrevented) busy();
});
// Back to a page that the browser kept.
window.addEventListener("pageshow", () => {
  document.body.removeAttribute("aria-busy");
  for (const field of document.querySelectorAll("select, input[type=hidden]")) field.disabled = false;
});

const told = document.getElementById("charts");
if (told) {
  const charts = JSON.parse(told.textContent);
  const seconds = charts.days.map((day) => Date.parse(day) / 1000);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = new Intl.NumberFormat("en", { notation: "compact" });
  const drawn = [];

  const draw = (place, scale, series, data, values) => {
    const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
    const size = () => ({ width: place.clientWidth, height: 190 });
    const date = (u, moments) => moments.map((at) => new Date(at * 1000).toISOString().slice(5, 10));
    const options = {
      ...size(), padding: [12, 12, 0, 0], cursor: { y: false, drag: { x: false } },
      scales: { x: { time: true, range: (u, first, last) => [first - 43200, last + 43200] }, y: scale },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      axes: [
        { ...axis, values: date, space: 60, size: 30, incrs: [86400, 7 * 86400, 30 * 86400, 90 * 86400] },
        { ...axis, values: (u, at) => at.map(values), size: 52 },
      ],
      series: [{ label: "day", value: (u, at) => (at == null ? "" : new Date(at * 1000).toISOString().slice(0, 10)) }, ...series],
    };
    place.textContent = "";
    const chart = new uPlot(options, [seconds, ...data], place);
    drawn.push(() => chart.setSize(size()));
  };

  const drawAll = () => {
    drawn.length = 0;
    const rows = document.getElementById("chart-rows");
    if (rows) {
      // Stacked: a bar reaches over all that stand below it, and the tallest is drawn first.
      const names = Object.keys(charts.rows);
      const sums = names.map((_, at) => charts.days.map((_, day) =>
        names.slice(at).reduce((sum, name) => sum + charts.rows[name][day], 0)));
      const bars = uPlot.paths.bars({ size: [0.7, 40] });
      const series = names.map((name) => ({
        label: name, paths: bars, points: { show: false }, fill: color(`--${name}`), width: 0,
        value: (u, sum, at, day) => (day == null ? "" : charts.rows[name][day].toLocaleString("en")),
      }));
      const range = (u, low, high) => [0, Math.max(high, 1) * 1.05];
      draw(rows, { range }, series, sums, (rows) => short.format(rows));
    }
    const shares = document.getElementById("chart-shares");
    if (shares) {
      const series = Object.keys(charts.shares).map((name, at) => ({
        label: name, stroke: color(`--line-${(at % 4) + 1}`), width: 2, spanGaps: true, points: { show: true, size: 5 },
        dash: at > 3 ? [6, 4] : undefined,
        value: (u, share) => (share == null ? "" : `${(share * 100).toFixed(1)} %`),
      }));
      draw(shares, { range: [0, 1] }, series, Object.values(charts.shares), (share) => `${Math.round(share * 100)} %`);
    }
  };
  drawAll();
  window.addEventListener("resize", () => drawn.forEach((fit) => fit()));
  // Airflow tells its frames nothing of a changed theme but by what it keeps.
  window.addEventListener("storage", (event) => {
    if (event.key !== "theme") return;
    if (event.newValue === "dark" || event.newValue === "light") document.documentElement.dataset.theme = event.newValue;
    else delete document.documentElement.dataset.theme;
    drawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}

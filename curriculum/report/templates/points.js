// Metric against metric: two selects, and a point a problem.
function pointsSpec(across, up) {
  const { names, columns, bucket, id } = page.points;
  const [xs, ys] = [columns[across], columns[up]];
  const apart = (values, turn) => {
    const known = values.filter((value) => value !== null);
    const spread = Math.max(...known) - Math.min(...known) || 1;
    return (value, i) => value + spread * 0.02 * (((i + 1) * turn) % 1 - 0.5); // a low-discrepancy sequence
  };
  const [moveX, moveY] = [apart(xs, 0.7548776662), apart(ys, 0.5698402910)];
  const values = [];
  for (let i = 0; i < id.length; i++) {
    if (xs[i] === null || ys[i] === null) continue;
    values.push({ x: moveX(xs[i], i), y: moveY(ys[i], i), x0: xs[i], y0: ys[i], b: bucket[i], problem: id[i], name: page.buckets[bucket[i]].name });
  }
  const number = (field, title) => ({ field, type: "quantitative", title, format: ".4~g" });
  const axis = (field, title) => ({ field, type: "quantitative", title, scale: { zero: false }, axis: { tickCount: 6 } });
  return {
    width: "container", height: 380, autosize: { type: "fit-x", contains: "padding" },
    data: { values },
    mark: { type: "circle", size: 34, opacity: 0.6, cursor: "pointer" },
    encoding: {
      x: axis("x", names[across]), y: axis("y", names[up]),
      color: { field: "b", type: "ordinal", legend: null, scale: { domain: page.buckets.map((_, i) => i), range: page.buckets.map((each) => each.color) } },
      tooltip: [{ field: "problem", title: "problem", type: "nominal" }, { field: "name", title: "bucket", type: "nominal" }, number("x0", "across"), number("y0", "up")],
    },
  };
}

function startPoints() {
  const selects = ["across", "up"].map((id) => document.getElementById(id));
  selects.forEach((select, which) => {
    page.points.names.forEach((name, i) => select.add(new Option(name, i)));
    select.value = page.points.start[which];
    select.addEventListener("change", show);
  });
  const place = document.querySelector("[data-chart=points]");
  function show() {
    page.charts.points = pointsSpec(...selects.map((select) => Number(select.value)));
    return draw(place, page.charts.points);
  }
  page.charts.points = pointsSpec(...page.points.start);
}

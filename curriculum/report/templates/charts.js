// Draws each Vega-Lite spec into its place, again when the page turns light or dark.
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map(); // place -> what was embedded there

function look() {
  const style = getComputedStyle(document.documentElement);
  const [ink, dim, line] = ["--ink", "--dim", "--line"].map((name) => style.getPropertyValue(name).trim());
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
  return {
    background: null,
    aria: false, // each place says what it shows; a label a mark would be noise
    font,
    view: { stroke: null },
    axis: {
      labelColor: dim, titleColor: dim, titleFontWeight: 400, labelFontSize: 12, titleFontSize: 12,
      gridColor: line, domain: false, ticks: false, labelPadding: 6, titlePadding: 8, labelOverlap: true,
    },
    text: { color: ink, fontSize: 12 },
    style: { "mark-line": { color: ink }, "mark-label": { color: dim, fontSize: 11 }, mean: { color: ink, opacity: 1 } },
    rule: { color: ink },
  };
}

// The page of a job that was copied without the file that it shares with the sweep's others.
function tellMissing(place) {
  const file = document.querySelector("script[src]").getAttribute("src");
  place.removeAttribute("role"); // of a picture
  place.textContent = `No chart without ${file}, which all pages of the sweep share: copy it too, to the same place.`;
}

async function draw(place, spec) {
  if (!window.vegaEmbed) return tellMissing(place);
  drawn.get(place)?.finalize();
  // ast: expressions are interpreted, not compiled, so the page's policy needs no 'unsafe-eval'.
  const options = { actions: false, renderer: "svg", ast: true, config: look(), tooltip: { theme: "custom" } };
  const made = await vegaEmbed(place, spec, options);
  made.view.addEventListener("click", (event, item) => {
    const { problem, pick } = item?.datum ?? {};
    if (problem !== undefined) chosen("problem", problem);
    else if (pick !== undefined) chosen("bucket", pick);
  });
  drawn.set(place, made);
}

function chosen(what, value) {
  document.dispatchEvent(new CustomEvent(`chosen-${what}`, { detail: value }));
}

function drawAll() {
  const places = [...document.querySelectorAll("[data-chart]")].filter((place) => page.charts[place.dataset.chart]);
  return Promise.all(places.map((place) => draw(place, page.charts[place.dataset.chart])));
}

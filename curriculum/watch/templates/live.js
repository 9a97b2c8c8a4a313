// Asks what has changed, and puts that part of the page in place; charts.js draws.
const EVERY = 2000; // milliseconds
const page = { charts: {} };
const main = document.querySelector("main");
const seen = new Map(); // id of a part -> its HTML as it came
const specs = new Map(); // place of a chart -> what is drawn there

function put(html) {
  const coming = document.createElement("template");
  coming.innerHTML = html; // escaped by the server; the page's policy runs nothing in it
  for (const part of [...coming.content.children]) {
    if (seen.get(part.id) === part.outerHTML) continue;
    seen.set(part.id, part.outerHTML);
    document.getElementById(part.id).replaceWith(part);
  }
}

// Beside the old one and unseen, until it is drawn: no gap, and nothing moves.
async function redraw(place, spec) {
  const next = place.cloneNode(false);
  next.className = "chart coming";
  place.after(next);
  await draw(next, spec);
  next.classList.remove("coming");
  specs.delete(place);
  drawn.get(place)?.finalize();
  drawn.delete(place);
  place.remove();
  specs.set(next, JSON.stringify(spec));
}

async function drawChanged() {
  for (const place of main.querySelectorAll("[data-chart]")) {
    const spec = page.charts[place.dataset.chart];
    if (spec && specs.get(place) !== JSON.stringify(spec)) await redraw(place, spec);
  }
  document.documentElement.dataset.drawn = "yes";
}

async function ask() {
  let state;
  try {
    state = await (await fetch("state.json")).json();
  } catch {
    document.getElementById("gone").hidden = false; // and asks again: it may come back
    return;
  }
  if (state.report) return location.replace(state.report);
  put(state.html);
  page.charts = state.charts;
  await drawChanged();
}

async function follow() {
  await ask();
  setTimeout(follow, EVERY);
}

for (const part of main.children) seen.set(part.id, part.outerHTML);
dark.addEventListener("change", () => specs.clear());
follow();

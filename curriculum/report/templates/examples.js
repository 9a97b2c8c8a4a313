// Problems with their responses: filtered, sorted, searched, and one of them by link.
const AT_ONCE = 10;
const FOLDED = 420; // characters from which a response is folded

function element(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined && text !== null) made.textContent = text; // never as markup
  return made;
}

function button(text, action) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function linkTo(id) {
  return `#problem=${encodeURIComponent(id)}`;
}

function copyLink(event, id) {
  const place = event.currentTarget;
  history.replaceState(null, "", linkTo(id));
  const said = (text) => { place.textContent = text; };
  if (!navigator.clipboard) return said("in the address bar");
  navigator.clipboard.writeText(location.href).then(() => said("copied"), () => said("in the address bar"));
}

function heading(problem) {
  const head = element("header");
  if (problem.bucket !== undefined) {
    const { name, color } = page.buckets[problem.bucket];
    const swatch = element("i");
    swatch.setAttribute("style", `background:${color}`);
    const bucket = element("span", "name", name);
    bucket.prepend(swatch);
    head.append(bucket);
    const [low, high] = [problem.pass_rate_low, problem.pass_rate_high].map((value) => value.toFixed(2));
    head.append(element("b", "", `${problem.c} of ${problem.n} passed`), element("span", "", `interval ${low} to ${high}`));
    head.append(element("span", "", `mean reward ${problem.mean_reward}`));
    if (problem.truncated) head.append(element("span", "", `${problem.truncated} cut off`));
  }
  head.append(element("span", "", problem.source), element("code", "", problem.id));
  const end = element("span", "end");
  end.append(button("copy link", (event) => copyLink(event, problem.id)));
  head.append(end);
  return head;
}

function responseRow(response) {
  const row = element("div", "response");
  const verdict = element("div", "verdict");
  if (response.failure) verdict.append(element("b", "fail", "not scored "));
  else if (response.reward !== undefined && response.reward !== null) {
    const said = `${response.passed ? "✓ passed" : "✗ failed"} ${Number(response.reward.toPrecision(4))} `;
    verdict.append(element("b", response.passed ? "pass" : "fail", said));
  }
  verdict.append(element("span", "", `sample ${response.sample}`));
  if (response.truncated) verdict.append(element("div", "cut", "cut off"));
  if (response.failure) verdict.append(element("div", "", response.failure));
  const side = element("div");
  side.append(...textPlace(response.text ?? "(no text was recorded)", response.rendered));
  if ((response.text ?? "").length > FOLDED) {
    side.className = "folded";
    const toggle = button("show all", () => {
      toggle.textContent = side.classList.toggle("folded") ? "show all" : "fold";
    });
    side.append(toggle);
  }
  row.append(verdict, side);
  return row;
}

function differenceRow(problem) {
  const { pair, parts } = problem.difference;
  const [first, second] = pair.map((place) => {
    const { sample, passed } = problem.responses[place];
    return `sample ${sample}${passed === undefined ? "" : passed ? ", which passed" : ", which failed"}`;
  });
  const folded = element("details", "difference");
  const alike = parts.every(([whose]) => whose === 0);
  folded.append(element("summary", "", `${first}, and ${second}: ${alike ? "word for word the same" : "what they say differently"}`));
  const text = element("pre");
  text.append(...parts.map(([whose, said]) => element(["span", "ins", "del"][whose], "", said)));
  const key = element("p", "note");
  key.append(element("ins", "", "only the first"), " ", element("del", "", "only the second"));
  if (!alike) folded.append(key);
  folded.append(text);
  return folded;
}

function card(problem) {
  const made = element("article", "problem");
  made.dataset.problem = problem.id;
  made.append(heading(problem));
  problem.prompt.forEach(([role, text], i) => {
    const place = element("div", "text");
    if (role !== null) place.append(element("p", "role", role));
    place.append(...textPlace(text, problem.rendered?.[i]));
    made.append(place);
  });
  if (problem.truth !== null) {
    const row = element("div", "response truth");
    row.append(element("div", "verdict", "ground truth"), element("pre", "", problem.truth));
    made.append(row);
  }
  if (problem.difference) made.append(differenceRow(problem));
  problem.responses.forEach((response) => made.append(responseRow(response)));
  return made;
}

function searched(problem) {
  return [problem.id, problem.truth, ...problem.prompt.map(([, text]) => text), ...problem.responses.map(({ text }) => text)].join("\n").toLowerCase();
}

function startExamples() {
  const [source, order, search] = ["source", "order", "search"].map((id) => document.getElementById(id));
  const [list, one, found, more] = ["problems", "problem", "found", "more"].map((id) => document.getElementById(id));
  let bucket = null;
  let matching = [];

  function extend() {
    const shown = list.childElementCount;
    list.append(...matching.slice(shown, shown + AT_ONCE).map((problem) => card(problem)));
    more.hidden = list.childElementCount >= matching.length;
  }

  function show() {
    if (!source) return;
    const wanted = search.value.trim().toLowerCase();
    matching = page.problems.filter((problem) =>
      (bucket === null || problem.bucket === bucket) &&
      (source.value === "" || problem.source === page.sources[Number(source.value)]) &&
      (!wanted || (problem.searched ??= searched(problem)).includes(wanted)));
    // They stand there with those first that there is most to learn from.
    matching.sort((a, b) => Number(order.value) * (a.hardness - b.hardness));
    found.textContent = `${matching.length.toLocaleString("en")} of ${page.problems.length.toLocaleString("en")} examples`;
    list.replaceChildren();
    extend();
  }

  function pickBucket(index) {
    bucket = index;
    document.querySelectorAll(".pills button").forEach((each) => {
      each.setAttribute("aria-pressed", String(each.dataset.bucket === String(index ?? "")));
    });
    show();
  }

  function pickProblem(id) {
    const problem = page.problems.find((each) => each.id === id);
    const place = problem ? card(problem) : element("article", "problem");
    if (!problem) place.append(element("p", "", `Problem ${id} is not among the examples on this page. A run that is no part of a sweep has more with report.examples=N.`));
    place.append(button("close", () => { one.replaceChildren(); history.replaceState(null, "", "#examples"); }));
    one.replaceChildren(place);
    one.scrollIntoView();
  }

  function followLink() {
    if (location.hash.startsWith("#problem=")) pickProblem(decodeURIComponent(location.hash.slice(9)));
  }

  [source, order].forEach((each) => each?.addEventListener("change", show));
  search?.addEventListener("input", show);
  document.getElementById("filters")?.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", extend);
  document.querySelectorAll("[data-bucket]").forEach((each) => each.addEventListener("click", () => {
    pickBucket(each.dataset.bucket === "" ? null : Number(each.dataset.bucket));
    if (!each.closest("#examples")) document.getElementById("examples").scrollIntoView();
  }));
  document.addEventListener("chosen-bucket", ({ detail }) => {
    pickBucket(detail);
    document.getElementById("examples").scrollIntoView();
  });
  document.addEventListener("chosen-problem", ({ detail }) => {
    if (location.hash === linkTo(detail)) pickProblem(detail);
    else location.hash = linkTo(detail);
  });
  addEventListener("hashchange", followLink);
  show();
  followLink();
}

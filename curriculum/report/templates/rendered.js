// Markdown and LaTeX of a text, as a tree: each node is made here, so none of it is ever markup.
const MATHML = "http://www.w3.org/1998/Math/MathML";

function node(tree, space = "http://www.w3.org/1999/xhtml") {
  if (typeof tree === "string") return document.createTextNode(tree);
  if (typeof tree === "number") return node(page.formulas[tree]);
  const [name, ...rest] = tree;
  const inside = name === "math" ? MATHML : space;
  const made = document.createElementNS(inside, name);
  for (const each of rest) {
    if (typeof each !== "object" || Array.isArray(each)) made.append(node(each, inside));
    else Object.entries(each).forEach(([key, value]) => made.setAttribute(key, value));
  }
  return made;
}

// A text as it is, or as it was meant, with the text as it is to be unfolded below.
function textPlace(text, trees) {
  const raw = element("pre", "", text);
  if (!trees) return [raw];
  const meant = element("div", "rendered");
  meant.append(...trees.map((tree) => node(tree)));
  const folded = element("details", "raw");
  folded.append(element("summary", "", "as it was written"), raw);
  return [meant, folded];
}

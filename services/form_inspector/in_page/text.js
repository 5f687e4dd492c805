// Texts: what can be read inside an element, what a field is called, which block, form or dialog something belongs to.
const elements = new Map();
let order = new Map();

const BOX = "input[type=checkbox], input[type=radio], select, [role=checkbox], [role=switch], [role=radio]";

function keyOf(element) {
  const key = order.get(element);
  elements.set(key, element);
  return key;
}

// Text nodes a person can read inside an element; `skip` leaves out fields and boxes that stand in a label.
function readable(element, skip = null) {
  const found = [];
  for (const node of walk(element)) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    const holder = parentOf(node);
    if (skip && holder.closest(skip) && element.contains(holder.closest(skip))) continue;
    if (!unseen(holder, rectOf(textRects(node)))) found.push(node);
  }
  return found;
}

// Pieces of one line are joined as they are drawn; a new line or block puts a space between.
function textOf(nodes) {
  let text = "";
  let last = null;
  for (const node of nodes) {
    const broken = [node, parentOf(node)].some((piece) => piece.previousSibling?.nodeName === "BR");
    text += (last && (broken || blockOf(last) !== blockOf(node)) ? " " : "") + node.data;
    last = node;
  }
  return squeeze(text);
}

const longest = (nodes) => nodes.reduce((best, node) => (squeeze(node.data).length > squeeze(best.data).length ? node : best));

function pseudoText(element) {
  const content = ["::before", "::after"].map((part) => getComputedStyle(element, part).content);
  return squeeze(content.map((text) => (/^"(.*)"$/.exec(text) ?? ["", ""])[1]).join(" "));
}

function referenced(element, attribute) {
  const root = element.getRootNode();
  const ids = (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean);
  return ids.map((id) => root.getElementById?.(id)).filter(Boolean);
}

function accessibleName(element) {
  const named = referenced(element, "aria-labelledby").map((other) => other.textContent).join(" ");
  const image = element.querySelector?.("img[alt]")?.alt;
  return squeeze(named || element.getAttribute("aria-label") || element.getAttribute("title") || element.alt || image || "");
}

// The form, dialog or floating panel an element belongs to.
function scopeOf(element) {
  for (const up of [element, ...ancestorsOf(element)]) {
    const role = up.getAttribute("role") ?? "";
    const modal = up.tagName === "DIALOG" || /^(alert)?dialog$/.test(role) || up.getAttribute("aria-modal") === "true";
    if (modal) return { key: keyOf(up), kind: "dialog" };
    if (up.tagName === "FORM" || role === "form") return { key: keyOf(up), kind: "form" };
    if (up !== element && /fixed|sticky/.test(styleOf(up).position)) return { key: keyOf(up), kind: "panel" };
  }
  return { key: -1, kind: "page" };
}

function blockOf(node) {
  let up = parentOf(node);
  const flows = (element) => /^(inline|contents|ruby)/.test(styleOf(element).display);
  while (up !== document.body && parentOf(up) instanceof Element && flows(up)) up = parentOf(up);
  return up;
}

const guess = (nodes) => ({ nodes, text: textOf(nodes), guessed: true, holders: [] });

// The text of the nearest cell, line or paragraph that holds this box and no other.
function beside(element, skip) {
  for (const up of ancestorsOf(element).slice(0, 4)) {
    if (up.querySelectorAll(BOX).length > 1) break;
    const nodes = readable(up, skip);
    if (nodes.length) return nodes;
  }
  return [];
}

// The label: the field's own, else by reference, else by attribute, else the text beside it (a guess).
function labelOf(element) {
  const skip = "select, textarea, input, button";
  const wraps = element.labels?.length ? [...element.labels] : referenced(element, "aria-labelledby");
  const own = wraps.length ? wraps : element.matches("[role]") ? [element] : [];
  const nodes = own.flatMap((label) => readable(label, skip));
  if (nodes.length) return { nodes, text: textOf(nodes), guessed: false, holders: own };
  const written = squeeze(own.map((label) => label.textContent).join(" "));
  if (written) return { nodes: [], text: written, guessed: false, holders: own };
  const attribute = squeeze(element.getAttribute("aria-label") ?? "");
  if (attribute) return { nodes: [], text: attribute, guessed: false, holders: [] };
  const siblings = [];
  for (let next = element.nextSibling; next; next = next.nextSibling) {
    if (next.nodeType === 1 && (next.matches(BOX) || next.tagName === "BR" || next.querySelector(BOX))) break;
    if (next.nodeType === 1) siblings.push(...readable(next, skip));
    else if (next.nodeType === 3 && next.data.trim()) siblings.push(next);
  }
  return siblings.length ? guess(siblings) : guess(beside(element, skip));
}

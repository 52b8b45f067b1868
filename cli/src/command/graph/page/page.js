"use strict";
// Text of manifests reaches the page as text nodes and attributes only, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const make = (name, attributes = {}, ...children) => {
  const own = ["svg", "g", "rect", "text", "path", "polygon", "title"].includes(name);
  const node = own ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
};

// Ports: sets as the report writes them, as pairs of 24-bit keys.
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };
const protocolOf = (name) => PROTOCOLS[name.toLowerCase()] ?? (/^\d+$/.test(name) ? Number(name) : NaN);
const lowHalf = (text) => text.includes(".") ? (Number(text.split(".")[0]) << 8) + Number(text.split(".")[1]) : Number(text);
const endOf = (text, last, protocol) => {
  const [name, low] = text.includes("/") ? text.split("/") : [null, text];
  const number = name === null ? protocol : protocolOf(name);
  const half = low === "*" ? (last ? 65535 : 0) : lowHalf(low);
  return [number * 65536 + half, number];
};
const setOf = (text) => {
  if (!text || text === "none") return [];
  if (text === "any") return [[0, 0xffffff]];
  return text.split(",").map((part) => {
    const [first, second] = part.trim().split("-");
    const [low, protocol] = endOf(first, false);
    return [low, endOf(second ?? first, true, protocol)[0]];
  });
};
const wantedPort = (text) => {
  const word = text.trim().toLowerCase();
  if (!word) return null;
  const [left, right] = word.split("/");
  const turned = right !== undefined && /^\d/.test(left) ? `${right}/${left}` : word;
  const sets = right === undefined && /^\d/.test(left) ? [`tcp/${left}`, `udp/${left}`, `sctp/${left}`] : [turned.includes("/") ? turned : `${turned}/*`];
  const all = sets.flatMap(setOf);
  return all.some(([low, high]) => Number.isNaN(low + high)) ? [] : all;
};
const meets = (a, b) => a.some(([low, high]) => b.some(([from, to]) => low <= to && from <= high));

const vertices = data.vertices.map((vertex, id) => ({ ...vertex, id, out: [], in: [] }));
const edges = data.edges.map((edge, id) => ({ ...edge, id, all: setOf(edge.ports).concat(setOf(edge.unknown)) }));
edges.forEach((edge) => { vertices[edge.from].out.push(edge); vertices[edge.to].in.push(edge); });
const isNode = (vertex) => vertex.kind === "host" || vertex.kind === "nodes";
const isOutside = (vertex) => vertex.kind === "outside";
const state = { chosen: null, sort: ["from", 1], view: "picture", box: null };
const MANY = 400;

// Filters.
const labelsOf = (vertex) => Object.entries(vertex.labels ?? {}).map(([key, value]) => `${key}=${value}`);
const fits = (vertex, text) => !text || [vertex.name, ...vertex.members, ...labelsOf(vertex)].some((it) => it.toLowerCase().includes(text));
const shown = () => {
  const text = $("find").value.trim().toLowerCase(), namespace = $("namespace").value, ports = wantedPort($("port").value);
  const there = (vertex) => (!isNode(vertex) || $("nodes").checked) && (!isOutside(vertex) || $("outside").checked);
  const here = (vertex) => !namespace || vertex.namespace === namespace;
  const visible = edges.filter((edge) => {
    const ends = [vertices[edge.from], vertices[edge.to]];
    return ends.every(there) && ends.some(here) && ends.some((end) => fits(end, text)) && (!ports || meets(edge.all, ports));
  });
  const touched = new Set(visible.flatMap((edge) => [edge.from, edge.to]));
  const alone = (vertex) => !isNode(vertex) && !isOutside(vertex) && here(vertex) && fits(vertex, text) && !ports;
  return { edges: visible, vertices: vertices.filter((vertex) => touched.has(vertex.id) || alone(vertex)) };
};

// Layout: outside on the left, namespaces as boxes in rows, nodes on the right.
const short = (vertex) => vertex.kind !== "namespace" && vertex.namespace && vertex.name.startsWith(`${vertex.namespace}/`) ? vertex.name.slice(vertex.namespace.length + 1) : vertex.name;
const inBox = (vertex) => vertex.members.length > 1 ? short(vertex).replace(/ and \d+ more$/, " …") : short(vertex);
const clipped = (text, letters) => text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
const WIDTH = 150, HEIGHT = 34;
const layout = (list) => {
  // Few vertices stand apart, so that their edges can be told apart; many stand close, so that their names can be read.
  const [GAP_X, GAP_Y, APART] = list.length > 60 ? [16, 12, 24] : [56, 26, 60];
  const places = new Map(), boxes = [];
  const groups = new Map();
  list.filter((it) => !isNode(it) && !isOutside(it)).forEach((it) => {
    const key = it.kind === "namespace" ? "" : it.namespace;
    groups.set(key, [...(groups.get(key) ?? []), it]);
  });
  const sized = [...groups].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true })).map(([name, members]) => {
    const columns = Math.max(1, Math.ceil(Math.sqrt(members.length * 0.6)));
    const rows = Math.ceil(members.length / columns);
    return { name, members, columns, width: columns * (WIDTH + GAP_X) - GAP_X + 40, height: rows * (HEIGHT + GAP_Y) - GAP_Y + 58 };
  });
  const area = sized.reduce((sum, box) => sum + (box.width + APART) * (box.height + APART), 0);
  const shape = ($("picture").clientWidth || 1000) / ($("picture").clientHeight || 800);
  const limit = Math.max(520, Math.sqrt(area * shape));
  const left = list.some(isOutside) ? WIDTH + 110 : 0;
  let x = 0, y = 0, rowHeight = 0, right = 0;
  for (const box of sized) {
    if (x > 0 && x + box.width > limit) { x = 0; y += rowHeight + APART; rowHeight = 0; }
    boxes.push({ name: box.name, x: left + x, y, width: box.width, height: box.height });
    box.members.forEach((vertex, at) => places.set(vertex.id, {
      x: left + x + 20 + (at % box.columns) * (WIDTH + GAP_X),
      y: y + 38 + Math.floor(at / box.columns) * (HEIGHT + GAP_Y),
    }));
    right = Math.max(right, x + box.width);
    rowHeight = Math.max(rowHeight, box.height);
    x += box.width + APART;
  }
  const height = Math.max(y + rowHeight, HEIGHT);
  const column = (members, at) => {
    const step = Math.max(HEIGHT + 14, Math.min(90, height / Math.max(1, members.length)));
    const top = Math.max(0, (height - step * members.length) / 2);
    members.forEach((vertex, row) => places.set(vertex.id, { x: at, y: top + row * step + (step - HEIGHT) / 2 }));
  };
  column(list.filter(isOutside), 0);
  column(list.filter(isNode), left + right + 100);
  return { places, boxes };
};

const curve = (from, to, self) => {
  if (self) {
    const x = from.x + WIDTH, y = from.y + HEIGHT / 2;
    return { path: `M${x - 18},${from.y} C${x + 4},${from.y - 34} ${x + 40},${y - 6} ${x},${y}`, tip: [x, y, Math.PI * 0.95], middle: [x + 14, from.y - 14] };
  }
  const centre = (box) => [box.x + WIDTH / 2, box.y + HEIGHT / 2];
  const [ax, ay] = centre(from), [bx, by] = centre(to);
  const flat = Math.abs(bx - ax) > WIDTH;
  // A pair of opposite edges is drawn side by side.
  const start = flat ? [ax + Math.sign(bx - ax) * WIDTH / 2, ay - 5] : [ax - 22, ay + Math.sign(by - ay) * HEIGHT / 2];
  const end = flat ? [bx - Math.sign(bx - ax) * WIDTH / 2, by + (bx > ax ? -5 : 5)] : [bx + (by > ay ? -22 : 22), by - Math.sign(by - ay) * HEIGHT / 2];
  if (flat && bx < ax) start[1] = ay + 5;
  if (!flat && by < ay) start[0] = ax + 22;
  const pull = flat ? Math.max(36, Math.abs(end[0] - start[0]) * 0.4) : Math.max(18, Math.abs(end[1] - start[1]) * 0.4);
  const a = flat ? [start[0] + Math.sign(bx - ax) * pull, start[1]] : [start[0], start[1] + Math.sign(by - ay) * pull];
  const b = flat ? [end[0] - Math.sign(bx - ax) * pull, end[1]] : [end[0], end[1] - Math.sign(by - ay) * pull];
  const middle = [0, 1].map((at) => (start[at] + 3 * a[at] + 3 * b[at] + end[at]) / 8);
  return { path: `M${start} C${a} ${b} ${end}`, tip: [...end, Math.atan2(end[1] - b[1], end[0] - b[0])], middle };
};
const arrow = ([x, y, angle]) => [[0, 0], [-8, 3.6], [-8, -3.6]].map(([dx, dy]) => [
  x + dx * Math.cos(angle) - dy * Math.sin(angle), y + dx * Math.sin(angle) + dy * Math.cos(angle),
].map((it) => it.toFixed(1)).join(",")).join(" ");

const edgeClass = (edge) => edge.ports === "none" ? "unknown" : edge.redirect ? "proxy" : [edge.from, edge.to].some((it) => isOutside(vertices[it])) ? "world" : "";
const title = (edge) => `${vertices[edge.from].name} → ${vertices[edge.to].name}: ${edge.label}`;

const drawPicture = ({ edges: visible, vertices: list }) => {
  const svg = $("picture");
  const { places, boxes } = layout(list);
  const chosen = state.chosen;
  const near = (edge) => chosen?.vertex !== undefined && (edge.from === chosen.vertex || edge.to === chosen.vertex);
  const many = visible.length > MANY;
  const drawn = many ? visible.filter((edge) => near(edge) || chosen?.edge === edge.id) : visible;
  const around = new Set(drawn.filter((edge) => near(edge) || chosen?.edge === edge.id).flatMap((edge) => [edge.from, edge.to]));
  const groups = boxes.filter((box) => box.name).map((box) => make("g", { class: "group" },
    make("rect", { x: box.x, y: box.y, width: box.width, height: box.height, rx: 12 }),
    make("text", { x: box.x + 16, y: box.y + 22 }, clipped(box.name, Math.floor(box.width / 8)))));
  const lines = drawn.map((edge) => {
    const { path, tip, middle } = curve(places.get(edge.from), places.get(edge.to), edge.from === edge.to);
    const classes = ["edge", edgeClass(edge), near(edge) ? "near" : "", chosen?.edge === edge.id ? "chosen" : ""];
    return make("g", { class: classes.join(" "), "data-edge": edge.id, click: (event) => { event.stopPropagation(); choose({ edge: edge.id }); } },
      make("title", {}, title(edge)), make("path", { class: "hit", d: path }), make("path", { d: path }),
      make("polygon", { points: arrow(tip) }), make("text", { x: middle[0], y: middle[1] - 3 }, clipped(edge.label, 40)));
  });
  const nodes = list.map((vertex) => {
    const { x, y } = places.get(vertex.id);
    const governed = vertex.isolatedIngress || vertex.isolatedEgress;
    const classes = ["vertex", vertex.kind, governed || isNode(vertex) || isOutside(vertex) ? "" : "open", chosen?.vertex === vertex.id ? "chosen" : "", around.has(vertex.id) ? "near" : ""];
    const count = vertex.members.length > 1 ? `${vertex.members.length} members` : "";
    const open = (event) => { event.stopPropagation(); choose({ vertex: vertex.id }); };
    return make("g", { class: classes.join(" "), tabindex: 0, role: "button", "data-vertex": vertex.id, "aria-label": `${vertex.name}, ${vertex.kind}`, click: open,
      keydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(event); } } },
      make("title", {}, vertex.name), make("rect", { x, y, width: WIDTH, height: HEIGHT, rx: isOutside(vertex) ? 17 : 7 }),
      make("text", { x: x + 12, y: y + (count ? 15 : 21.5) }, clipped(inBox(vertex), 20)), count ? make("text", { class: "count", x: x + 12, y: y + 27 }, count) : null);
  });
  svg.replaceChildren(...groups, ...lines, ...nodes);
  const crowded = drawn.filter(near).length > 24;
  svg.setAttribute("class", `${chosen && around.size ? "dim" : ""} ${crowded ? "crowded" : ""}`);
  const all = [...places.values()].map((it) => [it.x, it.y, it.x + WIDTH, it.y + HEIGHT]).concat(boxes.filter((it) => it.name).map((it) => [it.x, it.y, it.x + it.width, it.y + it.height]));
  state.extent = all.length ? [0, 1].map((at) => Math.min(...all.map((it) => it[at]))).concat([2, 3].map((at) => Math.max(...all.map((it) => it[at])))) : [0, 0, 400, 200];
  if (!state.box) fit(); else setBox(state.box);
  return many;
};
const setBox = (box) => { state.box = box; $("picture").setAttribute("viewBox", box.join(" ")); };
const fit = () => {
  const [x0, y0, x1, y1] = state.extent;
  // A small graph is not blown up beyond its natural size.
  const width = Math.max(x1 - x0 + 60, Math.min($("picture").clientWidth || 900, 900) * 0.8), height = y1 - y0 + 80;
  setBox([x0 - (width - (x1 - x0)) / 2, y0 - 30, width, height]);
};

const COLUMNS = [["from", "From", (edge) => vertices[edge.from].name], ["to", "To", (edge) => vertices[edge.to].name], ["ports", "Ports", (edge) => edge.label]];
const drawTable = ({ edges: visible }) => {
  const [key, way] = state.sort;
  const value = COLUMNS.find((column) => column[0] === key)[2];
  const sorted = [...visible].sort((a, b) => way * value(a).localeCompare(value(b)) || a.id - b.id);
  const head = COLUMNS.map(([name, words]) => make("th", { scope: "col", "aria-sort": name === key ? (way > 0 ? "ascending" : "descending") : null },
    make("button", { type: "button", click: () => { state.sort = [name, name === key ? -way : 1]; draw(); } }, words)));
  const rows = sorted.slice(0, 3000).map((edge) => make("tr", { class: state.chosen?.edge === edge.id ? "chosen" : "", tabindex: 0, "data-edge": edge.id, click: () => choose({ edge: edge.id }),
    keydown: (event) => { if (event.key === "Enter") choose({ edge: edge.id }); } }, ...COLUMNS.map(([, , of]) => make("td", {}, of(edge)))));
  $("table").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
};

// Details of what is chosen.
const chips = (edge) => [
  edge.redirect ? make("span", { class: "chip proxy" }, `through a proxy: ${edge.redirect}`) : null,
  edge.auth ? make("span", { class: "chip auth" }, `authenticated: ${edge.auth}`) : null,
  edge.unknown ? make("span", { class: "chip unknown" }, `unknown: ${edge.unknown}`) : null,
  edge.partial ? make("span", { class: "chip" }, "not for all members alike") : null,
];
const endOfEdge = (words, end) => {
  const rules = end.rules.map((rule) => make("li", {}, make("div", { class: "rule" }, `${rule.object} ${rule.path}`),
    make("div", { class: "place" }, rule.place ? `${rule.place.file}:${rule.place.line}:${rule.place.column}` : "stands in no file"), make("div", { class: "quiet" }, rule.ports)));
  const why = end.unmanaged ? "No policy of this cluster applies at this end." : !end.open ? null : end.rules.length ? "Some of it passes without a rule, because nothing isolates it." : "Nothing isolates it, so it passes without a rule.";
  return [make("h3", {}, words), why ? make("p", { class: "quiet" }, why) : null, rules.length ? make("ul", {}, ...rules) : null];
};
const linkTo = (words, target) => make("button", { type: "button", class: "link", click: () => choose(target) }, ...words);
const edgeDetails = (edge) => [
  make("h2", { "data-title": "edge" }, `${vertices[edge.from].name} → ${vertices[edge.to].name}`),
  make("p", {}, edge.label), make("p", {}, ...chips(edge)),
  ...(edge.missing.length ? [make("h3", {}, "It hangs on what was not read"), make("ul", {}, ...edge.missing.map((it) => make("li", {}, `${it.fact} ${it.of}: ${it.suppliedBy}`)))] : []),
  ...endOfEdge(`Why ${vertices[edge.from].name} may send`, edge.egress), ...endOfEdge(`Why ${vertices[edge.to].name} lets it in`, edge.ingress),
  make("h3", {}, "Ends"), linkTo([vertices[edge.from].name], { vertex: edge.from }), linkTo([vertices[edge.to].name], { vertex: edge.to }),
];
const vertexDetails = (vertex) => {
  const list = (words, all, other) => [make("h3", {}, `${words} (${all.length})`), all.length
    ? make("ul", {}, ...all.map((edge) => make("li", {}, linkTo([make("b", {}, vertices[edge[other]].name), make("br"), edge.label], { edge: edge.id })))) : make("p", { class: "quiet" }, "nobody")];
  const isolated = [vertex.isolatedIngress ? "ingress" : null, vertex.isolatedEgress ? "egress" : null].filter(Boolean);
  const governed = isNode(vertex) || isOutside(vertex) ? [] : [make("p", { class: "quiet" }, isolated.length ? `isolated in ${isolated.join(" and ")}` : "no policy isolates it")];
  return [make("h2", { "data-title": "vertex" }, vertex.name), make("p", { class: "quiet" }, vertex.kind), ...governed,
    make("p", {}, ...labelsOf(vertex).map((label) => make("span", { class: "chip" }, label))),
    ...(vertex.members.length > 1 ? [make("h3", {}, `Members (${vertex.members.length})`), make("p", {}, vertex.members.slice(0, 30).join(", ") + (vertex.members.length > 30 ? ` and ${vertex.members.length - 30} more` : ""))] : []),
    ...list("Reaches", vertex.out, "to"), ...list("Is reached by", vertex.in, "from")];
};
const welcome = () => [make("h2", {}, "Choose an edge or a vertex"), make("p", {}, "An edge stands for the ports that both ends let through. Click it to see the rules that do, with file and line."),
  make("p", { class: "quiet" }, "Keys: Tab and Enter choose, / finds, t changes the view, Esc lets go. Drag moves the picture, the wheel zooms."),
  make("h3", {}, "Signs"), make("ul", {}, ...[["plain", "passes"], ["world", "from or to the outside"], ["proxy", "some of it through a proxy"], ["unknown", "not known, for want of facts"]].map(([sign, words]) =>
    make("li", {}, make("span", { class: `sign ${sign}` }), words)), make("li", {}, "A dashed box: no policy isolates it")),
  ...data.notes.map((note) => make("p", {}, note)), ...(data.incomplete ?? []).map((it) => make("p", {}, `incomplete: ${it.policies} policies of ${it.engine} are not evaluated`))];

const choose = (target) => { state.chosen = target; draw(); if (target) $("details").scrollTop = 0; };
const draw = () => {
  const what = shown();
  const picture = state.view === "picture";
  $("picture").toggleAttribute("hidden", !picture);
  $("table").hidden = picture;
  const many = picture ? drawPicture(what) : (drawTable(what), false);
  const { chosen } = state;
  $("details").replaceChildren(...(chosen?.edge !== undefined ? edgeDetails(edges[chosen.edge]) : chosen?.vertex !== undefined ? vertexDetails(vertices[chosen.vertex]) : welcome()).filter((it) => it !== null));
  const filtered = what.edges.length < edges.length ? ` of ${edges.length}` : "";
  const why = what.edges.length ? "" : edges.length ? "; the filters leave nothing" : `; ${data.notes.join("; ") || "nothing passes"}`;
  $("status").textContent = `${what.vertices.length} vertices, ${what.edges.length}${filtered} edges${many ? "; choose a vertex to see its edges" : ""}${why}`;
};
const setView = (view) => { state.view = view; $("as-picture").setAttribute("aria-pressed", view === "picture"); $("as-table").setAttribute("aria-pressed", view === "table"); draw(); };

// Controls.
const refit = () => { state.box = null; draw(); };
["find", "port"].forEach((id) => $(id).addEventListener("input", refit));
["namespace", "outside", "nodes"].forEach((id) => $(id).addEventListener("change", refit));
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("as-picture").addEventListener("click", () => setView("picture"));
$("as-table").addEventListener("click", () => setView("table"));
$("fit").addEventListener("click", fit);
const dark = (is) => { document.documentElement.dataset.theme = is ? "dark" : "light"; };
dark(matchMedia("(prefers-color-scheme: dark)").matches);
$("theme").addEventListener("click", () => dark(document.documentElement.dataset.theme !== "dark"));
document.addEventListener("keydown", (event) => {
  const typing = /INPUT|SELECT/.test(event.target.tagName);
  if (event.key === "Escape") choose(null);
  else if (!typing && event.key === "/") { event.preventDefault(); $("find").focus(); }
  else if (!typing && event.key === "t") setView(state.view === "picture" ? "table" : "picture");
});
const svg = $("picture");
svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const [x, y, width, height] = state.box, by = event.deltaY > 0 ? 1.15 : 1 / 1.15;
  const frame = svg.getBoundingClientRect(), fx = (event.clientX - frame.left) / frame.width, fy = (event.clientY - frame.top) / frame.height;
  setBox([x + width * fx * (1 - by), y + height * fy * (1 - by), width * by, height * by]);
}, { passive: false });
let grip = null;
svg.addEventListener("pointerdown", (event) => { grip = [event.clientX, event.clientY, ...state.box]; });
svg.addEventListener("pointermove", (event) => {
  if (!grip || !event.buttons) { grip = null; return; }
  const scale = Math.max(grip[4] / svg.clientWidth, grip[5] / svg.clientHeight);
  setBox([grip[2] - (event.clientX - grip[0]) * scale, grip[3] - (event.clientY - grip[1]) * scale, grip[4], grip[5]]);
});
svg.addEventListener("click", (event) => { if (event.target === svg) choose(null); });

[...new Set(vertices.map((vertex) => vertex.namespace).filter(Boolean))].sort().forEach((name) => $("namespace").append(make("option", { value: name }, name)));
$("about").textContent = `${data.level} level · dialect ${data.dialect.name} (${data.dialect.because})`;
$("outside").checked = true;
draw();

// WeCom's two sorts of markdown. What neither knows is shown as written.

import { el, link } from "./dom.js";

const BOTH = String.raw`\*\*(?<bold>.+?)\*\*|${"`"}(?<code>[^${"`"}]+)${"`"}|(?<picture>!?)\[(?<label>[^\]]*)\]\((?<url>[^)\s]+)\)`;
const FIRST = new RegExp(String.raw`${BOTH}|<font color=["']?(?<colour>info|comment|warning)["']?>(?<font>.*?)</font>|<@(?<mention>[^<>\s]+)>`);
const SECOND = new RegExp(String.raw`${BOTH}|\*(?<italic>[^*\s][^*]*)\*`);

/** The marks within a line. */
function inline(line, second) {
  const found = (second ? SECOND : FIRST).exec(line);
  if (!found) {
    return [line];
  }
  const it = found.groups;
  const again = words => inline(words, second);
  let made;
  if (it.bold) {
    made = el("strong", {}, again(it.bold));
  } else if (it.code) {
    made = el("code", {}, it.code);
  } else if (it.url) {
    made = link(it.url, it.picture ? `[${it.label}]` : again(it.label));
  } else if (it.colour) {
    made = el("span", { class: it.colour }, again(it.font));
  } else if (it.mention) {
    made = el("span", { class: "mention" }, `@${it.mention}`);
  } else {
    made = el("em", {}, again(it.italic));
  }
  return [line.slice(0, found.index), made, ...again(line.slice(found.index + found[0].length))];
}

/** A text in markdown, as elements; `second` says in which. */
export function markdown(text, second) {
  const lines = text.split(/\r?\n/);
  const blocks = [];
  while (lines.length) {
    blocks.push((second && later(lines)) || plain(lines, second));
  }
  return blocks;
}

/** A heading, quotation or line, which both sorts have. */
function plain(lines, second) {
  const line = lines.shift();
  const heading = /^(#{1,6}) +(.*)$/.exec(line);
  if (heading) {
    return el(`h${heading[1].length}`, {}, inline(heading[2], second));
  }
  if (/^> ?/.test(line)) {
    const quoted = [line];
    while (/^> ?/.test(lines[0] ?? "")) {
      quoted.push(lines.shift());
    }
    return el("blockquote", {}, markdown(quoted.map(it => it.replace(/^> ?/, "")).join("\n"), second));
  }
  return el("div", { class: "line" }, line ? inline(line, second) : el("br"));
}

/** What only the second sort has, if it begins here. */
function later(lines) {
  const [line] = lines;
  const fence = /^\s*```/.test(line) && lines.findIndex((it, at) => at > 0 && /^\s*```\s*$/.test(it));
  if (fence > 0) {
    const code = lines.splice(0, fence + 1).slice(1, -1);
    return el("pre", {}, el("code", {}, code.join("\n")));
  }
  if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) {
    lines.shift();
    return el("hr");
  }
  if (/^\s*\|/.test(line) && /^\s*\|?[\s:|-]+\|[\s:|-]*$/.test(lines[1] ?? "")) {
    const rows = [];
    while (/^\s*\|/.test(lines[0] ?? "")) {
      rows.push(lines.shift().trim().replace(/^\||\|$/g, "").split("|"));
    }
    rows.splice(1, 1);
    return el("table", {}, rows.map((row, at) => el("tr", {}, row.map(cell => el(at ? "td" : "th", {}, inline(cell.trim(), true))))));
  }
  const point = /^(\s*)([-*+]|\d+[.)]) +(.*)$/.exec(line);
  if (point) {
    lines.shift();
    const mark = /\d/.test(point[2]) ? point[2] : "•";
    return el("div", { class: `point deep${Math.min(3, Math.floor(point[1].length / 2))}` }, el("i", {}, mark), el("span", {}, inline(point[3], true)));
  }
  return null;
}

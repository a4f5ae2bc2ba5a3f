// Each kind of message as WeCom draws it. Whatever a message says becomes text, never markup.

import { article } from "./article.js";
import { card } from "./card.js";
import { cover, el, link } from "./dom.js";
import { markdown } from "./marks.js";

const words = {
  zh: { details: "详情", article: "阅读全文", program: "小程序", voice: "语音", video: "视频", image: "图片" },
  en: { details: "Details", article: "Read on", program: "Mini program", voice: "Voice", video: "Video", image: "Picture" },
};

/** The body of a message: an element. */
export function draw(message, lang) {
  const said = words[lang === "zh" ? "zh" : "en"];
  const body = message.body ?? {};
  const [file] = message.files;
  switch (message.kind) {
    case "text":
      return el("p", { class: "bubble" }, text(message.text), mentions(body));
    case "markdown":
    case "markdown_v2":
      return el("div", { class: "bubble marks" }, markdown(message.text, message.kind === "markdown_v2"));
    case "image":
      return el("a", { class: "image", href: file.url, target: "_blank" }, el("img", { src: file.url, alt: said.image }));
    case "voice":
      return el("p", { class: "bubble voice", title: said.voice }, el("i", {}, ")))"), ` ${file.seconds}″`);
    case "video":
      return el(
        "div",
        { class: "card video" },
        el("a", { class: "film", href: file.url, download: file.name, title: said.video }, "▶"),
        body.title ? el("b", {}, body.title) : null,
        body.description ? el("p", {}, body.description) : null,
      );
    case "file":
      return attachment(file);
    case "textcard":
      return el(
        "div",
        { class: "card textcard" },
        el("b", {}, body.title),
        description(body.description),
        link(body.url, body.btntxt || said.details, "more"),
      );
    case "news":
      return el("div", { class: "card news" }, body.articles.map(article => headline(article, article.picurl && cover(article.picurl))));
    case "mpnews":
      return el("div", { class: "card news" }, body.articles.map((one, at) => paper(one, message.files[at], said)));
    case "miniprogram_notice":
      return program(body, said);
    case "template_card":
      return card(body);
    default:
      return el("p", { class: "bubble" }, `[${message.kind}] ${message.text}`);
  }
}

/** A text: links that are written as `<a>`, bare addresses and mentions are links, all else is words. */
function text(content) {
  const parts = content.split(/(<a\s+href=(?:"[^"]*"|'[^']*')[^>]*>[\s\S]*?<\/a>|https?:\/\/[^\s<>"']+|<@[^<>\s]+>)/i);
  return parts.map(part => {
    const anchor = /^<a\s+href=["']([^"']*)["'][^>]*>([\s\S]*)<\/a>$/i.exec(part);
    if (anchor) {
      return link(anchor[1], anchor[2]);
    }
    const mention = /^<@([^<>\s]+)>$/.exec(part);
    if (mention) {
      return el("span", { class: "mention" }, `@${mention[1]}`);
    }
    return /^https?:\/\//i.test(part) ? link(part, part) : part;
  });
}

/** Who is mentioned beside the text itself. */
function mentions(body) {
  const names = [...(body.mentioned_list ?? []), ...(body.mentioned_mobile_list ?? [])];
  return names.map(name => [" ", el("span", { class: "mention" }, `@${name.replace(/^@/, "")}`)]);
}

function size(bytes) {
  const units = ["B", "KB", "MB"];
  let at = 0;
  for (; bytes >= 1024 && at < 2; at += 1) {
    bytes /= 1024;
  }
  return `${at ? bytes.toFixed(1) : bytes} ${units[at]}`;
}

function attachment(file) {
  const end = file.name.includes(".") ? file.name.split(".").pop() : "";
  return el(
    "a",
    { class: "card file", href: file.url, download: file.name },
    el("span", {}, el("b", {}, file.name), el("small", {}, size(file.size))),
    el("i", { "data-end": end.toLowerCase() }, end.slice(0, 4).toUpperCase()),
  );
}

/** A card's description, whose `<br>` and coloured `<div>`s are the only marks. */
function description(content) {
  const made = el("div", { class: "description" });
  let into = made;
  for (const part of content.split(/(<br\s*\/?>|<div\s+class="(?:gray|normal|highlight)">|<\/div>)/i)) {
    const opens = /^<div\s+class="(\w+)">$/i.exec(part);
    if (opens) {
      into = el("div", { class: opens[1].toLowerCase() });
      made.append(into);
    } else if (/^<\/div>$/i.test(part)) {
      into = made;
    } else if (/^<br/i.test(part)) {
      into.append(el("br"));
    } else {
      into.append(part);
    }
  }
  return made;
}

function headline(article, picture) {
  const inside = [picture || null, el("b", {}, article.title), article.description ? el("p", {}, article.description) : null];
  return link(article.url ?? "", inside, "article");
}

function paper(one, file, said) {
  return el(
    "details",
    { class: "article" },
    el("summary", {}, el("img", { src: file.url, alt: "" }), el("b", {}, one.title), one.digest ? el("p", {}, one.digest) : null, el("small", {}, one.author || said.article)),
    el("div", { class: "paper marks" }, article(one.content)),
  );
}

function program(body, said) {
  const rows = body.content_item ?? [];
  return el(
    "div",
    { class: "card" },
    el("b", {}, body.title),
    body.description ? el("p", { class: "gray" }, body.description) : null,
    el("dl", {}, rows.map(row => [el("dt", {}, row.key), el("dd", {}, row.value)])),
    el("p", { class: "more" }, said.program),
  );
}

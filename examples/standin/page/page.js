// The phones: a frame for each member, chat and robot's group, and what lands in it while one looks.

import { el } from "./dom.js";
import { draw } from "./kinds.js";

const query = new URLSearchParams(location.search);
const lang = query.get("lang") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
const only = query.get("only");
const words = {
  zh: {
    title: "手机 · 本机上的企业微信",
    wechat: "按普通微信显示",
    other: "English",
    empty: "还没有消息。在另一个终端里发一条：",
    recalled: name => `${name} 撤回了一条消息`,
    unsupported: "暂不支持此消息类型，请在企业微信中查看",
    elsewhere: "群聊和群机器人的消息只在企业微信里显示，普通微信收不到",
    dropped: count => `${count} 条消息被丢弃：同一成员每分钟超过 30 条，企业微信也这样处理，不作任何提示`,
    gone: "模拟的企业微信已经停止",
    input: "发消息",
    safe: "保密消息，不能转发",
  },
  en: {
    title: "Phones · a WeCom on this machine",
    wechat: "As seen in ordinary WeChat",
    other: "中文",
    empty: "No messages yet. Send one from another terminal:",
    recalled: name => `${name} recalled a message`,
    unsupported: "暂不支持此消息类型，请在企业微信中查看",
    elsewhere: "Messages of group chats and robots show in WeCom only, not in ordinary WeChat",
    dropped: count => `${count} messages discarded: over 30 a minute to one member. WeCom does the same, without a word`,
    gone: "The stand-in for WeCom has stopped",
    input: "Message",
    safe: "Confidential, can't be forwarded",
  },
}[lang === "zh" ? "zh" : "en"];

/** Kinds that ordinary WeChat does not show. */
const WECOM_ONLY = ["markdown", "markdown_v2", "template_card"];

/** A message shows the time above it when the one before is older than this. */
const GAP = 5 * 60_000;

const main = document.querySelector("main");
const notice = document.querySelector("#notice");
const phones = new Map();
const messages = new Map();
let company = null;
let newest = 0;

const clock = ms => new Date(ms).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit", hour12: false });

const toEnd = list => list.scrollTo(0, list.scrollHeight);

/** The frame of a member, chat or group, made when it is first needed. */
function phone({ place, title, owner, group }) {
  let found = phones.get(place);
  if (!found) {
    const name = el("b", {}, title);
    const list = el("ol", { "aria-live": "polite" });
    const empty = el("div", { class: "empty" }, words.empty, el("code", {}, "wxpush send hello"));
    const frame = el(
      "section",
      { class: `phone ${group ? "group" : "member"}`, "data-place": place, "aria-label": owner },
      el("h2", {}, owner),
      el(
        "div",
        { class: "case" },
        el("div", { class: "status" }, el("time", {}, clock(Date.now())), el("i", { class: "signal" })),
        el("div", { class: "bar" }, el("i", {}, "‹"), name, el("i", {}, "⋯")),
        list,
        empty,
        el("p", { class: "elsewhere" }, words.elsewhere),
        el("div", { class: "input" }, el("span", {}, words.input), el("i", {}, "＋")),
      ),
    );
    // A picture has its height once it is there.
    list.addEventListener("load", () => toEnd(list), true);
    found = { frame, list, name, last: 0 };
    phones.set(place, found);
    if (!only || only === place) {
      main.append(frame);
    }
  }
  found.name.textContent = title;
  return found;
}

/** Puts a message on its phones, once. */
function land(message, places) {
  if (messages.has(message.id)) {
    return;
  }
  newest = Math.max(newest, message.at);
  const shown = places.map(place => {
    const seen = phone(place);
    const item = el("li", { "data-kind": message.kind, "data-id": message.id });
    if (message.at - seen.last > GAP) {
      item.append(el("time", { class: "divider" }, clock(message.at)));
    }
    seen.last = message.at;
    const avatar = el("span", { class: "avatar" }, [...message.sender][0] ?? "·");
    const body = el("div", { class: "body" }, draw(message, lang));
    if (place.group) {
      body.prepend(el("span", { class: "sender" }, message.sender));
    }
    if (message.safe) {
      body.append(el("span", { class: "safe" }, words.safe));
    }
    const row = el("div", { class: "row" }, avatar, body);
    if (WECOM_ONLY.includes(message.kind)) {
      row.classList.add("wecom");
      item.append(el("div", { class: "row stub" }, avatar.cloneNode(true), el("div", { class: "body" }, el("p", { class: "bubble" }, words.unsupported))));
    }
    item.append(row, el("p", { class: "recalled" }, words.recalled(message.sender)));
    seen.list.append(item);
    toEnd(seen.list);
    seen.frame.classList.add("used");
    return item;
  });
  messages.set(message.id, shown);
}

async function poll() {
  const answer = await fetch(`phones?after=${Math.max(0, newest - 2000)}`, { cache: "no-store" });
  const news = await answer.json();
  if (company !== null && company !== news.company) {
    // Another demo has taken the place of the one whose messages these are.
    location.reload();
  }
  company = news.company;
  for (const place of news.always) {
    phone(place);
  }
  for (const message of news.landed) {
    land(message, message.places);
  }
  for (const id of news.recalled) {
    messages.get(id)?.forEach(item => item.classList.add("taken"));
  }
  notice.textContent = news.dropped ? words.dropped(news.dropped) : "";
  for (const time of document.querySelectorAll(".status time")) {
    time.textContent = clock(Date.now());
  }
}

async function watch() {
  for (;;) {
    try {
      await poll();
    } catch {
      notice.textContent = words.gone;
    }
    await new Promise(later => setTimeout(later, 300));
  }
}

document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
document.documentElement.style.colorScheme = query.get("theme") ?? "";
document.body.classList.toggle("only", only !== null);
document.title = words.title;
document.querySelector("h1").textContent = words.title;
document.querySelector("label span").textContent = words.wechat;
const other = document.querySelector("#other");
other.textContent = words.other;
other.href = `?lang=${lang === "zh" ? "en" : "zh"}`;
const toggle = document.querySelector("#wechat");
const show = () => document.body.classList.toggle("in-wechat", toggle.checked);
toggle.checked = query.has("wechat");
toggle.addEventListener("change", show);
show();
watch();

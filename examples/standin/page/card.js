// Template cards: each part where there is one, in WeCom's order.

import { cover, el, link } from "./dom.js";

const COLOURS = ["comment", "normal", "warning", "info"];

/** A template card of any type. */
export function card(body) {
  const action = body.card_action?.url;
  const areas = [source, picture, title, emphasis, quote, subtitle, beside, rows, columns, choices, buttons, jumps];
  const made = el("div", { class: `card template ${body.card_type}` }, areas.map(area => area(body)));
  if (action) {
    made.append(link(action, "›", "whole"));
  }
  return made;
}

const source = ({ source: it }) =>
  it?.desc ? el("small", { class: COLOURS[it.desc_color ?? 0] ?? "comment" }, it.desc) : null;

const picture = ({ card_image: it }) => (it?.url ? cover(it.url) : null);

const title = ({ main_title: it }) =>
  it ? [el("b", {}, it.title ?? ""), it.desc ? el("p", { class: "gray" }, it.desc) : null] : null;

const emphasis = ({ emphasis_content: it }) =>
  it ? el("div", { class: "emphasis" }, el("strong", {}, it.title ?? ""), el("small", {}, it.desc ?? "")) : null;

const quote = ({ quote_area: it }) =>
  it ? el("blockquote", {}, it.title ? el("b", {}, it.title) : null, el("p", {}, it.quote_text ?? "")) : null;

const subtitle = ({ sub_title_text: it }) => (it ? el("p", {}, it) : null);

const beside = ({ image_text_area: it }) =>
  it ? el("div", { class: "beside" }, cover(it.image_url ?? ""), el("span", {}, el("b", {}, it.title ?? ""), el("p", {}, it.desc ?? ""))) : null;

const rows = ({ horizontal_content_list: list }) =>
  list ? el("dl", {}, list.map(row => [el("dt", {}, row.keyname), el("dd", {}, row.url ? link(row.url, row.value ?? "") : (row.value ?? row.userid ?? ""))])) : null;

const columns = ({ vertical_content_list: list }) =>
  list ? list.map(row => el("div", { class: "column" }, el("b", {}, row.title), el("p", {}, row.desc ?? ""))) : null;

const choices = ({ checkbox, select_list: selects, button_selection: one }) => {
  const chosen = [...(checkbox ? [checkbox] : []), ...(selects ?? []), ...(one ? [one] : [])];
  return chosen.map(choice =>
    el("fieldset", {}, choice.title ? el("legend", {}, choice.title) : null, (choice.option_list ?? []).map(option => el("span", { class: "option" }, option.text))),
  );
};

const buttons = ({ button_list: list, submit_button: submit }) =>
  [...(list ?? []), ...(submit ? [submit] : [])].map(button => el("span", { class: "button" }, button.text ?? ""));

const jumps = ({ jump_list: list }) => (list ? list.map(jump => link(jump.url ?? "", jump.title, "more")) : null);

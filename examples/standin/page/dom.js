// What all that is drawn is made of: elements, links and pictures. A string becomes text, never markup.

/** An element with attributes and children; a child that is a string becomes text. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

/** A link that leads out of the page, if it is one to the web; else only its label. */
export function link(url, label, kind = "") {
  if (!/^https?:\/\//i.test(url)) {
    return el("span", { class: kind }, label);
  }
  return el("a", { class: kind, href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** A picture by its address: those that were uploaded are here, others are only named. */
export function cover(url) {
  if (url.startsWith("https://wework.qpic.cn/")) {
    return el("img", { src: `file?url=${encodeURIComponent(url)}`, alt: "" });
  }
  const host = URL.canParse(url) ? new URL(url).host : url;
  return el("span", { class: "elsewhere-picture" }, host);
}

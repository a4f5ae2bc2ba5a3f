// What an article says: parsed where nothing runs or loads, and built anew of the elements that are known here.

import { el, link } from "./dom.js";

const KNOWN = /^(p|h[1-6]|ul|ol|li|blockquote|pre|code|em|strong|b|i|del|br|hr|table|thead|tbody|tr|th|td|div|span|section)$/;

/** The content of an article: nodes. */
export function article(content) {
  return built(new DOMParser().parseFromString(content, "text/html").body);
}

function built(node) {
  return [...node.childNodes].map(child => {
    const name = child.nodeName.toLowerCase();
    if (name === "#text") {
      return child.data;
    }
    if (name === "a") {
      return link(child.getAttribute("href") ?? "", built(child));
    }
    if (KNOWN.test(name)) {
      const kept = ["align", "start"].filter(key => child.hasAttribute(key));
      return el(name, Object.fromEntries(kept.map(key => [key, child.getAttribute(key)])), built(child));
    }
    return ["#comment", "script", "style"].includes(name) ? null : built(child);
  });
}

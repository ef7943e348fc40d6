// Elements of a page, for the moving pictures (before controls.js) and for the site of the course (before site.js).

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}
const button = (text, click, attributes = {}) =>
  make("button", { type: "button", onclick: click, ...attributes }, text);

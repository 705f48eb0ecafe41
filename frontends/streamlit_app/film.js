// Streamlit's side of the player; appended to frontends/film/film.js.
const shown = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".film");
  if (!shown.has(root)) shown.set(root, new Film(root));
  shown.get(root).show(data.html);
}

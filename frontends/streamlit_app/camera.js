// Streamlit's side of the camera; appended to frontends/camera/camera.js.
const running = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".live");
  if (!running.has(root)) {
    running.set(root, new Live(root));
    running.get(root).showSession(data.kept);
  }
  running.get(root).reach(data.path);
}

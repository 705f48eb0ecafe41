// Zooming, which Streamlit's pictures lack. Buttons, double click, Ctrl and wheel, pinching on a
// touchpad, or + and - zoom; dragging or the arrow keys move; 0 shows the whole picture again.
const MOST = 8;
const states = (window.zoomedPictures ??= new WeakMap());

const apply = (image) => {
  const state = states.get(image);
  const { offsetWidth: width, offsetHeight: height } = image;
  state.scale = Math.min(Math.max(state.scale, 1), MOST);
  const most = { x: (width * (state.scale - 1)) / 2, y: (height * (state.scale - 1)) / 2 };
  state.x = Math.min(Math.max(state.x, -most.x), most.x);
  state.y = Math.min(Math.max(state.y, -most.y), most.y);
  image.style.transform = `translate(${state.x}px, ${state.y}px) scale(${state.scale})`;
  // Clip the picture to its place, so that it covers nothing beside it.
  const cut = (size, moved) => [
    size / 2 - (size / 2 + moved) / state.scale,
    size / 2 - (size / 2 - moved) / state.scale,
  ];
  const [left, right] = cut(width, state.x);
  const [top, bottom] = cut(height, state.y);
  image.style.clipPath = `inset(${top}px ${right}px ${bottom}px ${left}px)`;
  image.style.cursor = state.scale > 1 ? "grab" : "zoom-in";
  // A finger moves a zoomed picture; otherwise it scrolls the page.
  image.style.touchAction = state.scale > 1 ? "none" : "auto";
  image.dispatchEvent(new CustomEvent("zoomed", { bubbles: true, detail: state.scale }));
};

// Keeps the point under the pointer where it is.
const zoom = (image, factor, at) => {
  const state = states.get(image);
  const before = state.scale;
  state.scale = Math.min(Math.max(before * factor, 1), MOST);
  const box = image.getBoundingClientRect();
  const middle = { x: box.x + box.width / 2 - state.x, y: box.y + box.height / 2 - state.y };
  const from = at
    ? { x: at.clientX - middle.x, y: at.clientY - middle.y }
    : { x: 0, y: 0 };
  state.x = from.x - ((from.x - state.x) * state.scale) / before;
  state.y = from.y - ((from.y - state.y) * state.scale) / before;
  apply(image);
};

const keys = {
  "+": (image) => zoom(image, 1.5),
  "=": (image) => zoom(image, 1.5),
  "-": (image) => zoom(image, 1 / 1.5),
  0: (image) => zoom(image, 0),
  ArrowLeft: (image) => ((states.get(image).x += 40), apply(image)),
  ArrowRight: (image) => ((states.get(image).x -= 40), apply(image)),
  ArrowUp: (image) => ((states.get(image).y += 40), apply(image)),
  ArrowDown: (image) => ((states.get(image).y -= 40), apply(image)),
};

const buttons = [
  ["+", "Zoom in", "+"],
  ["-", "Zoom out", "\u2212"],
  ["0", "Reset zoom", "Reset"],
];

const addButtons = (image) => {
  const group = document.createElement("div");
  group.className = "zoom-buttons";
  for (const [key, words, sign] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.title = `${words} (key ${key})`;
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => keys[key](image));
    group.append(button);
  }
  image.parentElement.append(group);
};

const prepare = (image) => {
  if (states.has(image)) return;
  states.set(image, { scale: 1, x: 0, y: 0 });
  addButtons(image);
  // The clip depends on the size, which is known only once the picture is loaded.
  new ResizeObserver(() => apply(image)).observe(image);
  image.addEventListener("load", () => apply(image));
  image.tabIndex = 0;
  image.draggable = false;
  apply(image);
  image.addEventListener("dblclick", (event) =>
    zoom(image, states.get(image).scale > 1 ? 0 : 2.5, event),
  );
  image.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return; // the page scrolls
      event.preventDefault();
      zoom(image, Math.exp(-event.deltaY / 200), event);
    },
    { passive: false },
  );
  image.addEventListener("keydown", (event) => {
    const moves = event.key.startsWith("Arrow");
    if (!keys[event.key] || event.ctrlKey || (moves && states.get(image).scale === 1)) return;
    event.preventDefault();
    keys[event.key](image);
  });
  image.addEventListener("pointerdown", (event) => {
    const state = states.get(image);
    if (state.scale === 1) return;
    image.setPointerCapture(event.pointerId);
    const from = { x: event.clientX - state.x, y: event.clientY - state.y };
    const move = (moved) => {
      state.x = moved.clientX - from.x;
      state.y = moved.clientY - from.y;
      apply(image);
    };
    image.addEventListener("pointermove", move);
    const end = () => image.removeEventListener("pointermove", move);
    image.addEventListener("pointerup", end, { once: true });
    image.addEventListener("pointercancel", end, { once: true });
  });
};

const prepareAll = () =>
  document.querySelectorAll('.st-key-picture [data-testid="stImage"] img').forEach(prepare);
window.preparedPictures?.disconnect();
window.preparedPictures = new MutationObserver(prepareAll);
window.preparedPictures.observe(document.body, { childList: true, subtree: true });
prepareAll();

// While a picture is zoomed, its frames and tags keep their size: the photo without them is shown,
// and they are drawn over it. A tag that would cover a face or another tag is shorter, or left out
// until its face is pointed at.
const LETTERS = "600 14px system-ui, sans-serif";
const [HIGH, PADDING, GAP] = [22, 7, 3];
const measure = document.createElement("canvas").getContext("2d");

const readFaces = (image, layer) => {
  const shown = image.getBoundingClientRect();
  const around = layer.getBoundingClientRect();
  return [...document.querySelectorAll("[data-tag]")].map((card) => {
    const [left, top, width, height] = card.dataset.box.split(" ").map((part) => Number(part) / 100);
    return {
      ...card.dataset,
      unsure: "unsure" in card.dataset,
      x: shown.left + left * shown.width - around.left,
      y: shown.top + top * shown.height - around.top,
      width: width * shown.width,
      height: height * shown.height,
    };
  });
};

// Black or white, whichever is easier to read; as in drawn pictures (ITU-R BT.601).
const findInk = (colour) => {
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 110 ? "#000" : "#fff";
};

const touches = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

// Above, below and beside the face; the whole tag, or only its number.
const findPlace = (face, taken, size) => {
  for (const text of [face.tag, face.face]) {
    measure.font = LETTERS;
    const width = measure.measureText(text).width + 2 * PADDING;
    const [right, bottom] = [face.x + face.width, face.y + face.height];
    for (const [x, y] of [
      [face.x, face.y - HIGH - GAP],
      [right - width, face.y - HIGH - GAP],
      [face.x, bottom + GAP],
      [right - width, bottom + GAP],
      [right + GAP, face.y],
      [face.x - width - GAP, face.y],
    ]) {
      const place = { x, y, width, height: HIGH, text };
      const inside =
        x >= 0 && y >= 0 && x + width <= size.width && y + HIGH <= size.height;
      if (inside && !taken.some((other) => touches(place, other))) return place;
    }
  }
  return null;
};

const addBox = (layer, name, { x, y, width, height }, style) => {
  const box = document.createElement("div");
  box.className = name;
  Object.assign(box.style, {
    left: `${x}px`,
    top: `${y}px`,
    width: `${width}px`,
    height: `${height}px`,
    ...style,
  });
  layer.append(box);
  return box;
};

const drawTags = (image) => {
  const frame = image.parentElement;
  frame.style.position = "relative";
  frame.querySelector(".zoom-tags")?.remove();
  const layer = document.createElement("div");
  layer.className = "zoom-tags";
  layer.setAttribute("aria-hidden", "true");
  const size = { width: image.offsetWidth, height: image.offsetHeight };
  Object.assign(layer.style, {
    left: `${image.offsetLeft}px`,
    top: `${image.offsetTop}px`,
    width: `${size.width}px`,
    height: `${size.height}px`,
  });
  frame.append(layer);
  const faces = readFaces(image, layer);
  const taken = [...faces];
  const all = { x: 0, y: 0, ...size };
  for (const face of faces.filter((each) => touches(each, all))) {
    const style = face.unsure ? "dashed" : "solid";
    addBox(layer, "zoom-frame", face, { border: `3px ${style} ${face.colour}` });
    const place = findPlace(face, taken, size);
    if (!place) continue;
    taken.push(place);
    const look = { background: face.colour, color: findInk(face.colour), font: LETTERS };
    addBox(layer, "zoom-tag", place, look).textContent = place.text;
  }
};

const follow = ({ target: image, detail: scale }) => {
  const plain = document.querySelector('.st-key-plain_picture [data-testid="stImage"] img');
  if (scale > 1 && plain) {
    if (image.src !== plain.src) {
      image.dataset.drawn = image.src;
      image.src = plain.src;
    }
    drawTags(image);
    return;
  }
  image.parentElement.querySelector(".zoom-tags")?.remove();
  // Not after another photo has taken its place.
  if (plain && image.src === plain.src && image.dataset.drawn) image.src = image.dataset.drawn;
};

window.zoomTags?.abort();
window.zoomTags = new AbortController();
document.addEventListener("zoomed", follow, { signal: window.zoomTags.signal });

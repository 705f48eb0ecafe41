// Pointing at a card marks its face in the picture; pointing at a face marks its card.
const findImage = () =>
  document.querySelector('.st-key-picture [data-testid="stImage"] img, #faces img');
const readBox = (card) => card.dataset.box.split(" ").map((part) => Number(part) / 100);

const unmark = () => {
  document.querySelectorAll(".face-mark").forEach((mark) => mark.remove());
  document.querySelectorAll(".face.marked").forEach((card) => card.classList.remove("marked"));
};

const markFace = (card) => {
  const image = findImage();
  if (!image) return;
  const frame = image.parentElement;
  frame.style.position = "relative";
  // The picture as zoomed and moved, and the part of the page that it may cover.
  const shown = image.getBoundingClientRect();
  const around = frame.getBoundingClientRect();
  const [left, top, width, height] = readBox(card);
  const x = shown.left + left * shown.width - around.left;
  const y = shown.top + top * shown.height - around.top;
  const middle = { x: x + (width * shown.width) / 2, y: y + (height * shown.height) / 2 };
  const outside =
    middle.x < image.offsetLeft ||
    middle.y < image.offsetTop ||
    middle.x > image.offsetLeft + image.offsetWidth ||
    middle.y > image.offsetTop + image.offsetHeight;
  if (outside) return;
  const mark = document.createElement("div");
  mark.className = "face-mark";
  Object.assign(mark.style, {
    left: `${x}px`,
    top: `${y}px`,
    width: `${width * shown.width}px`,
    height: `${height * shown.height}px`,
  });
  frame.append(mark);
};

const markCard = (card) => {
  unmark();
  if (!card) return;
  card.classList.add("marked");
  markFace(card);
};

// The card of the smallest face under the pointer.
const findCard = (event) => {
  const shown = findImage().getBoundingClientRect();
  const x = (event.clientX - shown.left) / shown.width;
  const y = (event.clientY - shown.top) / shown.height;
  const area = (card) => readBox(card)[2] * readBox(card)[3];
  return [...document.querySelectorAll("[data-box]")]
    .filter((card) => {
      const [left, top, width, height] = readBox(card);
      return x >= left && x <= left + width && y >= top && y <= top + height;
    })
    .sort((one, other) => area(one) - area(other))[0];
};

window.faceMarks?.abort();
window.faceMarks = new AbortController();
const listen = (kind, handle) =>
  document.addEventListener(kind, handle, { signal: window.faceMarks.signal });

const point = (event) => {
  if (event.target === findImage()) markCard(findCard(event));
  else markCard(event.target.closest?.("[data-box]"));
};
listen("pointermove", point);
listen("focusin", (event) => markCard(event.target.closest?.("[data-box]")));
listen("click", (event) => {
  if (event.target !== findImage()) return;
  const card = findCard(event);
  if (!card) return;
  card.scrollIntoView({ block: "nearest", behavior: "smooth" });
  const more = card.querySelector(":scope > details");
  if (more) more.open = true;
});
